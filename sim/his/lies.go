package his

import (
	"slices"

	"hospay/sim"
)

// lie is an answer about a debit or a reversal that tells something else about
// one thing, and the rest as it is. A HIS names neither merchant nor application.
func (s *Server) lie(kind string, out record) record {
	fields := map[string][]string{sim.LiePayee: {"card_no"}, sim.LieNoPayee: {"card_no"}, sim.LieNumber: {"our_no", "order_no"},
		sim.LieAmount: {"amount"}, sim.LieNoAmount: {"amount"}, sim.LieZeroAmount: {"amount"}, sim.LieBadAmount: {"amount"}}[kind]
	told := make(record, 0, len(out))
	for _, f := range out {
		switch {
		case !slices.Contains(fields, f.name):
		case kind == sim.LieNoPayee || kind == sim.LieNoAmount:
			continue
		default:
			f.value = s.instead(kind, f.value)
		}
		told = append(told, f)
	}
	return told
}

func (s *Server) instead(kind string, v any) any {
	amount, _ := v.(fen)
	switch kind {
	case sim.LieAmount:
		return amount + 100
	case sim.LieZeroAmount:
		return fen(0)
	case sim.LieBadAmount:
		return "1,O0.5"
	case sim.LieNumber:
		return "OTHER" + v.(string)
	}
	for _, p := range s.world.Patients() {
		if p.Cards[0] != v {
			return p.Cards[0]
		}
	}
	return ""
}
