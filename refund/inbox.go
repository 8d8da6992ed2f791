package refund

import (
	"context"
	"fmt"

	"hospay/flow"
)

// The kinds of callbacks that are about payouts.
const (
	CallbackTransfer flow.CallbackKind = "transfer"
	CallbackRefund   flow.CallbackKind = "refund"
)

// Told is what a channel's callback says about a payout.
type Told struct{ Answer PayoutAnswer }

// Heard books a callback about a payout. It is the handler of the kinds above.
func (s *Service) Heard(ctx context.Context, c flow.Callback) (effect string, err error) {
	told, ok := c.Told.(Told)
	if !ok {
		return "", fmt.Errorf("refund: a callback of kind %s says nothing about a payout", c.Kind)
	}
	return s.Notify(ctx, Notification{
		Institution: c.Institution, Channel: c.Channel, Connection: c.Connection, ID: c.ID, Kind: string(c.Kind), No: c.No,
		Answer: told.Answer, Body: c.Body,
	})
}
