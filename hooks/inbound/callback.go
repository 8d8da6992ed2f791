// Package inbound is the door of those who call back: payment channels.
package inbound

import (
	"io"
	"net/http"

	"hospay/channels"
	"hospay/hooks/kit"
	"hospay/refund"

	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
)

// maxCallback is far above any real notification.
const maxCallback = 1 << 20

// Hooks is the door of callbacks.
type Hooks struct {
	*kit.Kit
	Service *refund.Service
	Worker  *refund.Worker
}

// Bind registers the routes.
func (h *Hooks) Bind(se *core.ServeEvent) {
	g := se.Router.Group("/api/hospay/notify")
	g.Bind(apis.BodyLimit(maxCallback), apis.SkipSuccessActivityLog())
	g.POST("/{channel}/{institution}", h.callback)
}

// callback verifies a notification over its raw body, books it, and answers in
// the channel's own form. Nothing is called outside on the way.
func (h *Hooks) callback(e *core.RequestEvent) error {
	ctx := e.Request.Context()
	institution, channel := e.Request.PathValue("institution"), e.Request.PathValue("channel")
	conn, err := h.Store.Connection(ctx, institution, channel)
	if err != nil {
		return kit.Error(http.StatusNotFound, "not_found", "")
	}
	body, err := io.ReadAll(io.LimitReader(e.Request.Body, maxCallback+1))
	if err != nil || len(body) > maxCallback {
		return kit.Error(http.StatusRequestEntityTooLarge, "bad_request", "")
	}
	cb, err := conn.ParseCallback(ctx, e.Request.Header, body)
	if err != nil {
		h.Log.Warn("callback.refused", "channel", channel, "institution", institution, "error", err)
		conn.Acknowledge(e.Response, err)
		return nil
	}
	if cb.Kind == channels.CallbackOther {
		conn.Acknowledge(e.Response, nil)
		return nil
	}
	effect, err := h.Service.Notify(ctx, refund.Notification{
		Institution: institution, Channel: channel, ID: cb.ID, Kind: string(cb.Kind), No: cb.No, Payee: cb.Payee, Answer: cb.Answer, Body: cb.Body,
	})
	if err != nil {
		h.Log.Error("callback.failed", "channel", channel, "no", cb.No, "error", err)
	} else {
		h.Log.Debug("callback.booked", "channel", channel, "no", cb.No, "effect", effect)
		h.Worker.Kick()
	}
	conn.Acknowledge(e.Response, err)
	return nil
}
