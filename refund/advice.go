package refund

import (
	"slices"
	"time"

	"hospay/money"
)

// Route is one order that the advice suggests.
type Route struct {
	Method    Method    `json:"method"`
	Channel   string    `json:"channel"`
	Amount    money.Fen `json:"amount"`
	DepositNo string    `json:"deposit_no,omitempty"`
	Why       string    `json:"why"` // a key of the language files
}

// Offer is a channel that an institution has switched on.
type Offer struct {
	Name string
	Can  Capabilities
}

// Advice is the suggested split of a card's refundable amount.
type Advice struct {
	Routes []Route   `json:"routes"`
	Left   money.Fen `json:"left"` // what no route can carry
	Why    string    `json:"why,omitempty"`
}

// Advise splits the refundable amount of a card: what was paid through a
// channel recently enough goes back by original route, the rest by transfer to
// the preferred channel in pieces that keep its limits. The sum of all routes
// and Left is what HIS lets go, to the fen.
func Advise(c Card, methods []Method, offers []Offer, prefer string, now time.Time) Advice {
	left := c.Refundable
	var adv Advice
	if containsMethod(methods, MethodOriginal) {
		left = adv.addOriginal(c, offers, left, now)
	}
	if containsMethod(methods, MethodTransfer) && left > 0 {
		left = adv.addTransfers(offers, prefer, left)
	}
	adv.Left = left
	if left > 0 {
		adv.Why = "window_only"
	}
	return adv
}

func (adv *Advice) addOriginal(c Card, offers []Offer, left money.Fen, now time.Time) money.Fen {
	deposits := slices.Clone(c.Deposits)
	slices.SortStableFunc(deposits, func(a, b Deposit) int { return a.Payment.PaidAt.Compare(b.Payment.PaidAt) })
	for _, d := range deposits {
		can, ok := offerOf(offers, d.Channel)
		if !ok || !containsMethod(can.Methods, MethodOriginal) || (d.Payment.TradeNo == "" && d.Payment.ChannelNo == "") {
			continue
		}
		amount := min(d.Refundable, left)
		if amount <= 0 || (can.OriginalWindow > 0 && now.Sub(d.Payment.PaidAt) >= can.OriginalWindow) {
			continue
		}
		adv.Routes = append(adv.Routes, Route{Method: MethodOriginal, Channel: d.Channel, Amount: amount, DepositNo: d.No,
			Why: "original_recent"})
		left -= amount
	}
	return left
}

func (adv *Advice) addTransfers(offers []Offer, prefer string, left money.Fen) money.Fen {
	offer, ok := transferOffer(offers, prefer)
	if !ok {
		return left
	}
	for _, piece := range split(left, offer.Can.SingleLimit, offer.Can.MinAmount) {
		adv.Routes = append(adv.Routes, Route{Method: MethodTransfer, Channel: offer.Name, Amount: piece, Why: "transfer_rest"})
		left -= piece
	}
	return left
}

// split cuts an amount into pieces of at most limit and at least floor.
func split(amount, limit, floor money.Fen) []money.Fen {
	if limit <= 0 {
		limit = amount
	}
	var pieces []money.Fen
	for amount > 0 {
		piece := min(amount, limit)
		if rest := amount - piece; rest > 0 && rest < floor && piece-(floor-rest) >= floor {
			piece -= floor - rest // leave enough for a last piece that the channel takes
		}
		if piece < floor {
			break
		}
		pieces = append(pieces, piece)
		amount -= piece
	}
	return pieces
}

func offerOf(offers []Offer, name string) (Capabilities, bool) {
	for _, o := range offers {
		if o.Name == name {
			return o.Can, true
		}
	}
	return Capabilities{}, false
}

func transferOffer(offers []Offer, prefer string) (Offer, bool) {
	var found *Offer
	for i, o := range offers {
		if containsMethod(o.Can.Methods, MethodTransfer) && (found == nil || o.Name == prefer) {
			found = &offers[i]
		}
	}
	if found == nil {
		return Offer{}, false
	}
	return *found, true
}
