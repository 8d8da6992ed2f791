package sms

import (
	"context"

	"hospay/notify"
	"hospay/people"
)

// Directory finds what a message needs.
type Directory interface {
	// SMSGateway returns the institution's gateway; nil when it has none.
	SMSGateway(ctx context.Context, institution string) (*Gateway, error)
	// Phone returns the number to which an order's messages go; "" when there
	// is none.
	Phone(ctx context.Context, order, patient string) (string, error)
}

// Sender sends notices as short messages.
type Sender struct{ directory Directory }

var _ notify.Sender = (*Sender)(nil)

// New returns a sender.
func New(d Directory) *Sender { return &Sender{d} }

// Send sends one notice under its own id, by which gateways drop repeats.
func (s *Sender) Send(ctx context.Context, m notify.Message) (string, error) {
	g, err := s.directory.SMSGateway(ctx, m.Institution)
	if err != nil {
		return "", err
	}
	if g == nil || m.Body == "" {
		return "", notify.ErrSkip
	}
	phone, err := s.directory.Phone(ctx, m.Order, m.Patient)
	if err != nil {
		return "", err
	}
	if phone == "" {
		return "", notify.ErrSkip
	}
	phone, _ = people.Phone(phone) // what is none, the gateway refuses
	return g.Send(ctx, m.ID, phone, m.Body)
}
