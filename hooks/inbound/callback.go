// Package inbound is the door of those who call back: payment channels.
package inbound

import (
	"io"
	"net/http"

	"hospay/channels"
	"hospay/flow"
	"hospay/hooks/kit"

	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
)

// maxCallback is far above any real notification.
const maxCallback = 1 << 20

// Hooks is the door of callbacks.
type Hooks struct {
	*kit.Kit
	Inbox *flow.Inbox
}

// Bind registers the routes.
func (h *Hooks) Bind(se *core.ServeEvent) {
	g := se.Router.Group("/api/hospay/notify")
	g.Bind(apis.BodyLimit(maxCallback), apis.SkipSuccessActivityLog())
	g.POST("/{channel}/{institution}", h.callback)
}

// callback verifies a message over its raw body, hands it to whoever reads its
// kind, and answers in the sender's own form. Nothing is called outside on the
// way.
func (h *Hooks) callback(e *core.RequestEvent) error {
	ctx := e.Request.Context()
	institution, channel := e.Request.PathValue("institution"), e.Request.PathValue("channel")
	conn, err := h.Store.Connection(ctx, institution, channel)
	if flow.Broken(err) { // sent again until it is mended
		return h.Fail(e, err)
	}
	if err != nil {
		return kit.Error(http.StatusNotFound, "not_found", "")
	}
	port, err := channels.As[channels.Callbacks](conn)
	if err != nil {
		return kit.Error(http.StatusNotFound, "not_found", "")
	}
	body, err := io.ReadAll(io.LimitReader(e.Request.Body, maxCallback+1))
	if err != nil || len(body) > maxCallback {
		return kit.Error(http.StatusRequestEntityTooLarge, "bad_request", "")
	}
	cb, err := port.ParseCallback(ctx, e.Request.Header, body)
	if err != nil {
		h.Log.Warn("callback.refused", "channel", channel, "institution", institution, "error", err)
		port.Acknowledge(e.Response, err)
		return nil
	}
	cb.Institution, cb.Channel = institution, channel
	effect, err := h.Inbox.Deliver(ctx, cb)
	switch {
	case err != nil:
		h.Log.Error("callback.failed", "channel", channel, "no", cb.No, "error", err)
	case effect != "":
		h.Log.Debug("callback.booked", "channel", channel, "no", cb.No, "effect", effect)
	}
	port.Acknowledge(e.Response, err)
	return nil
}
