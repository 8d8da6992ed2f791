package cmd

import (
	"context"
	"errors"
	"fmt"

	"hospay/channels"
	"hospay/collections"
	"hospay/notify"

	"github.com/pocketbase/pocketbase/core"
)

// senders are the ways in which notices leave the program.
func senders(_ core.App, store *collections.Store) map[string]notify.Sender {
	return map[string]notify.Sender{
		notify.ViaWechat: channelSender(store, "wechat"),
		notify.ViaAlipay: channelSender(store, "alipay"),
	}
}

// channelSender sends template messages through a channel's own service.
func channelSender(store *collections.Store, channel string) notify.Sender {
	return notify.SenderFunc(func(ctx context.Context, m notify.Message) (string, error) {
		to, err := store.PatientAccount(ctx, m.Patient, channel)
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
		id, err := conn.SendMessage(ctx, channels.Message{
			To: channels.Account{ID: to.Account, Type: to.Type}, Template: m.Template, Data: m.Values, ID: m.ID,
		})
		if errors.Is(err, channels.ErrMessageRefused) {
			return "", fmt.Errorf("%w: %w", notify.ErrRefused, err)
		}
		return id, err
	})
}
