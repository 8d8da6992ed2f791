// Package email sends notices by e-mail, mostly to the hospital's own staff.
package email

import (
	"context"
	"errors"
	"fmt"
	"net/mail"
	"net/textproto"
	"slices"
	"strings"

	"hospay/notify"
)

// Mail is one plain message.
type Mail struct {
	To      []mail.Address
	Subject string
	Text    string
	ID      string // ours; a mailer may make a Message-ID of it
}

// Mailer hands a message to a mail server.
type Mailer interface {
	Mail(context.Context, Mail) error
}

// Recipients lists the addresses of a notice's people; none means that nobody
// is told this way.
type Recipients func(context.Context, notify.Message) ([]string, error)

// Sender sends notices by e-mail.
type Sender struct {
	mailer Mailer
	to     Recipients
}

var _ notify.Sender = (*Sender)(nil)

// New returns a sender.
func New(m Mailer, to Recipients) *Sender { return &Sender{m, to} }

// Send sends one notice. Its errors hold no addresses.
func (s *Sender) Send(ctx context.Context, m notify.Message) (string, error) {
	list, err := s.to(ctx, m)
	if err != nil {
		return "", err
	}
	out := Mail{Subject: oneLine(m.Title), Text: m.Body, ID: m.ID}
	for _, text := range list {
		if strings.TrimSpace(text) == "" {
			continue
		}
		a, err := mail.ParseAddress(text)
		if err != nil || strings.ContainsAny(a.Address, "\r\n") {
			return "", fmt.Errorf("%w: an e-mail address is not one", notify.ErrRefused)
		}
		out.To = append(out.To, *a)
	}
	if len(out.To) == 0 {
		return "", notify.ErrSkip
	}
	return "", reason(s.mailer.Mail(ctx, out))
}

// oneLine keeps a subject from adding headers.
func oneLine(s string) string {
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r == '\r' || r == '\n' }), " ")
}

// noSuchBox are the replies of RFC 5321 that a repeat cannot mend.
var noSuchBox = []int{501, 550, 551, 553, 554}

// reason keeps the server's reply code and drops its words, which hold the
// address.
func reason(err error) error {
	if err == nil {
		return nil
	}
	e, ok := errors.AsType[*textproto.Error](err)
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return errors.New("email: mail server did not answer in time")
	case !ok:
		return errors.New("email: mail server cannot be reached")
	case slices.Contains(noSuchBox, e.Code):
		return fmt.Errorf("%w: mail server said %d", notify.ErrRefused, e.Code)
	}
	return fmt.Errorf("email: mail server said %d", e.Code)
}
