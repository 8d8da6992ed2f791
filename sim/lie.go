package sim

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
)

// Liar changes what an answer or a callback tells, field by field, and leaves
// the rest true. The caller signs what it returns.
type Liar struct {
	Payee, App, Merchant, Number, Amount []string                         // fields that tell these, at any depth
	Other                                func(field, value string) string // what is told instead of who and which
}

// fields are those that a lie is about.
func (l Liar) fields(kind string) []string {
	switch kind {
	case LiePayee, LieNoPayee:
		return l.Payee
	case LieApp:
		return l.App
	case LieMerchant:
		return l.Merchant
	case LieNumber:
		return l.Number
	}
	return l.Amount
}

// Tell is v as the lie has it; a fault that is no lie leaves v as it is.
func (l Liar) Tell(f Fault, v any) any {
	fields := l.fields(f.Kind)
	if !f.Lie() || len(fields) == 0 {
		return v
	}
	d := json.NewDecoder(bytes.NewReader(JSON(v)))
	d.UseNumber()
	var plain any
	if d.Decode(&plain) != nil {
		return v
	}
	l.walk(f.Kind, fields, plain)
	return plain
}

func (l Liar) walk(kind string, fields []string, v any) {
	m, ok := v.(map[string]any)
	if !ok {
		return
	}
	for k, x := range m {
		switch {
		case !slices.Contains(fields, k):
			l.walk(kind, fields, x)
		case kind == LieNoPayee || kind == LieNoAmount:
			delete(m, k)
		default:
			m[k] = l.instead(kind, k, x)
		}
	}
}

// instead is the lie about one value. Amounts are fen as numbers and yuan as text.
func (l Liar) instead(kind, field string, v any) any {
	number, isNumber := v.(json.Number)
	text, _ := v.(string)
	switch {
	case kind == LieZeroAmount && isNumber:
		return 0
	case kind == LieZeroAmount:
		return "0.00"
	case kind == LieBadAmount:
		return "1,O0.5"
	case kind == LieAmount && isNumber:
		fen, _ := strconv.ParseInt(number.String(), 10, 64)
		return fen + 100
	case kind == LieAmount:
		fen, _ := Fen(text)
		return Yuan(fen + 100)
	}
	return l.Other(field, text)
}
