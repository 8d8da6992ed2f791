package channels_test

import (
	"errors"
	"testing"

	"hospay/channels"
	"hospay/refund"
)

// quiet pays back, signs pages, and does nothing else.
type quiet struct {
	refund.Channel
	channels.PageSigner
}

func TestAs_FindsThePortsThatThereAre(t *testing.T) {
	var conn channels.Channel = quiet{}
	if _, err := channels.As[channels.PageSigner](conn); err != nil {
		t.Error(err)
	}
	_, callbacks := channels.As[channels.Callbacks](conn)
	_, login := channels.As[channels.Login](conn)
	_, bills := channels.As[channels.Bills](conn)
	_, receipts := channels.As[channels.Receipts](conn)
	_, messages := channels.As[channels.Messenger](conn)
	_, credentials := channels.As[channels.Credentials](conn)
	for name, err := range map[string]error{"callbacks": callbacks, "login": login, "bills": bills, "receipts": receipts, "messages": messages,
		"credentials": credentials} {
		if !errors.Is(err, channels.ErrNotSupported) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
