package cmd

import (
	"context"
	"errors"
	"fmt"
	netmail "net/mail"
	"sync"
	"time"

	"hospay/channels"
	"hospay/notify"
	"hospay/notify/email"
	"hospay/notify/robot"
	"hospay/notify/sms"
	"hospay/store"

	"github.com/pocketbase/pocketbase/core"
	pbmailer "github.com/pocketbase/pocketbase/tools/mailer"
)

// senders are the ways in which notices leave the program.
func senders(app core.App, store *store.Store, now func() time.Time) map[string]notify.Sender {
	return map[string]notify.Sender{
		notify.ViaWechat:   channelSender(store, "wechat"),
		notify.ViaAlipay:   channelSender(store, "alipay"),
		notify.ViaWeCom:    robots(store, notify.ViaWeCom, now),
		notify.ViaDingTalk: robots(store, notify.ViaDingTalk, now),
		notify.ViaSMS:      sms.New(&gateways{store: store, now: now}),
		notify.ViaEmail: email.New(mailer{app}, func(_ context.Context, m notify.Message) ([]string, error) {
			return store.FinanceMail(m.Institution)
		}),
	}
}

// robots sends alarms to the chat groups whose robots were entered.
func robots(st *store.Store, via string, now func() time.Time) notify.Sender {
	return notify.SenderFunc(func(ctx context.Context, m notify.Message) (string, error) {
		held, err := st.Robots(m.Institution)
		if err != nil {
			return "", err
		}
		address, sign := held[store.RobotWeCom], ""
		if via == notify.ViaDingTalk {
			address, sign = held[store.RobotDingTalk], held[store.RobotDingTalkSign]
		}
		if address == "" {
			return "", notify.ErrSkip
		}
		r, err := robot.New(via, address, sign, now)
		if err != nil {
			return "", fmt.Errorf("%w: %w", notify.ErrRefused, err)
		}
		return "", r.Send(ctx, m)
	})
}

// gateways finds an institution's SMS gateway and a notice's phone number.
type gateways struct {
	store *store.Store
	now   func() time.Time
	mu    sync.Mutex
	built map[string]builtGateway
}

type builtGateway struct {
	updated string
	gateway *sms.Gateway
}

// SMSGateway implements sms.Directory.
func (g *gateways) SMSGateway(ctx context.Context, institution string) (*sms.Gateway, error) {
	c, ok, err := g.store.SMS(ctx, institution)
	if err != nil || !ok {
		return nil, err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if have, ok := g.built[institution]; ok && have.updated == c.Updated {
		return have.gateway, nil
	}
	cfg, err := sms.ParseConfig(c.URL, c.Settings, c.Secrets)
	if err != nil {
		return nil, err
	}
	cfg.Clock = g.now
	gateway, err := sms.NewGateway(cfg)
	if err != nil {
		return nil, err
	}
	if g.built == nil {
		g.built = map[string]builtGateway{}
	}
	g.built[institution] = builtGateway{updated: c.Updated, gateway: gateway}
	return gateway, nil
}

// Phone implements sms.Directory.
func (g *gateways) Phone(ctx context.Context, order, patient string) (string, error) {
	return g.store.Phone(ctx, order, patient)
}

// mailer sends through the mail server that IT has entered in the dashboard.
type mailer struct{ app core.App }

// Mail implements email.Mailer.
func (m mailer) Mail(_ context.Context, mail email.Mail) error {
	s := m.app.Settings()
	return m.app.NewMailClient().Send(&pbmailer.Message{
		From: netmail.Address{Address: s.Meta.SenderAddress, Name: s.Meta.SenderName}, To: mail.To, Subject: mail.Subject, Text: mail.Text,
	})
}

// channelSender sends template messages through a channel's own service.
func channelSender(store *store.Store, channel string) notify.Sender {
	return notify.SenderFunc(func(ctx context.Context, m notify.Message) (string, error) {
		to, err := store.MessageAccount(ctx, m.Patient, channel)
		if err != nil {
			return "", err
		}
		if to.Account == "" {
			return "", notify.ErrSkip
		}
		conn, err := store.Connection(ctx, m.Institution, channel)
		if err != nil {
			return "", err
		}
		messenger, err := channels.As[channels.Messenger](conn)
		if err != nil {
			return "", notify.ErrSkip
		}
		id, err := messenger.SendMessage(ctx, channels.Message{
			To: channels.Account{ID: to.Account, Type: to.Type}, Template: m.Template, Page: m.Link, Data: m.Values, ID: m.ID,
		})
		if errors.Is(err, channels.ErrMessageRefused) {
			return "", fmt.Errorf("%w: %w", notify.ErrRefused, err)
		}
		return id, err
	})
}
