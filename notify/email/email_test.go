package email_test

import (
	"context"
	"errors"
	"net/textproto"
	"strings"
	"testing"

	"hospay/notify"
	"hospay/notify/email"
)

type mailer struct {
	got email.Mail
	err error
}

// Mail keeps the message.
func (m *mailer) Mail(_ context.Context, mail email.Mail) error { m.got = mail; return m.err }

func to(list ...string) email.Recipients {
	return func(context.Context, notify.Message) ([]string, error) { return list, nil }
}

func TestSend(t *testing.T) {
	m := &mailer{}
	_, err := email.New(m, to("财务 <finance@h.test>", "", "it@h.test")).
		Send(t.Context(), notify.Message{ID: "N1", Title: "日报\r\nBcc: evil@x.test", Body: "text"})
	if err != nil || len(m.got.To) != 2 || m.got.To[0].Name != "财务" || strings.ContainsAny(m.got.Subject, "\r\n") || m.got.Text != "text" ||
		m.got.ID != "N1" {
		t.Errorf("%+v %v", m.got, err)
	}
}

func TestSend_Errors(t *testing.T) {
	for name, c := range map[string]struct {
		to     []string
		err    error
		is     error
		refuse bool
	}{
		"nobody":       {nil, nil, notify.ErrSkip, false},
		"no address":   {[]string{"not an address"}, nil, nil, true},
		"two in one":   {[]string{"a@h.test, b@h.test"}, nil, nil, true},
		"no such box":  {[]string{"a@h.test"}, &textproto.Error{Code: 550, Msg: "a@h.test unknown"}, nil, true},
		"busy":         {[]string{"a@h.test"}, &textproto.Error{Code: 451, Msg: "a@h.test later"}, nil, false},
		"login failed": {[]string{"a@h.test"}, &textproto.Error{Code: 535, Msg: "a@h.test"}, nil, false},
		"network":      {[]string{"a@h.test"}, errors.New("dial a@h.test"), nil, false},
		"deadline":     {[]string{"a@h.test"}, context.DeadlineExceeded, nil, false},
	} {
		_, err := email.New(&mailer{err: c.err}, to(c.to...)).Send(t.Context(), notify.Message{})
		if err == nil || c.is != nil && !errors.Is(err, c.is) || errors.Is(err, notify.ErrRefused) != c.refuse ||
			strings.Contains(err.Error(), "a@h") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
