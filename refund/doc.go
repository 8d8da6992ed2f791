// Package refund is the domain of giving prepaid deposits (预交金) back: the
// order, its states and legal moves, the checks before an order is taken, the
// advice on routes, the automatic review, and the service that moves an order
// from application to a settled end.
//
// It decides; it does not talk to databases, channels or HIS itself. What it
// needs from them is written down as ports (ports.go), which other packages
// implement. Amounts are money.Fen throughout.
package refund
