// Package inbound is the door of those who call back: payment channels and the
// insurance centre.
package inbound

import (
	"cmp"
	"context"
	"io"
	"net/http"

	"hospay/channels"
	"hospay/flow"
	"hospay/hooks/kit"

	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
)

// maxCallback is far above any real notification.
const maxCallback = 256 << 10

// medins is the insurance centre in the place of a channel.
const medins = "medins"

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
	ports, err := h.ports(ctx, institution, channel)
	if flow.CodeOf(err) != "" { // its configuration: sent again until it is mended
		return h.Fail(e, err)
	}
	if err != nil || len(ports) == 0 {
		return kit.Error(http.StatusNotFound, "not_found", "")
	}
	body, err := io.ReadAll(io.LimitReader(e.Request.Body, maxCallback+1))
	if err != nil || len(body) > maxCallback {
		return kit.Error(http.StatusRequestEntityTooLarge, "bad_request", "")
	}
	cb, port, err := h.read(e, ports, institution, body)
	if err != nil {
		h.Tally.Count("callback.refused "+channel, err.Error()) // anybody may send what is not signed
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

// listener is a connection that callbacks may come through.
type listener struct {
	id string
	channels.Callbacks
}

// ports are the connections of a channel that take callbacks: the one in force
// first, then those that may still have something to say.
func (h *Hooks) ports(ctx context.Context, institution, channel string) (out []listener, err error) {
	if channel == medins {
		return h.centres(ctx, institution)
	}
	ids, err := h.Store.Listening(ctx, institution, channel)
	for _, id := range ids {
		conn, failed := h.Store.ConnectionOf(ctx, id)
		if failed != nil {
			h.Log.Error("callback.connection", "connection", id, "error", failed)
			err = cmp.Or(err, failed)
			continue
		}
		if port, none := channels.As[channels.Callbacks](conn); none == nil {
			out = append(out, listener{id, port})
		}
	}
	if len(out) > 0 { // a broken one keeps nobody else from being heard
		return out, nil
	}
	return out, err
}

// centres are the connections to the insurance centre that its 6302 may come
// through.
func (h *Hooks) centres(ctx context.Context, institution string) (out []listener, err error) {
	ids, err := h.Store.ListeningCentres(ctx, institution)
	for _, id := range ids {
		conn, failed := h.Store.Payments().CentreOf(ctx, id)
		if failed != nil {
			h.Log.Error("callback.connection", "connection", id, "error", failed)
			err = cmp.Or(err, failed)
			continue
		}
		if port, ok := conn.(channels.Callbacks); ok {
			out = append(out, listener{id, port})
		}
	}
	if len(out) > 0 {
		return out, nil
	}
	return out, err
}

// read verifies a message. Several apps of one merchant may share their keys:
// then the connection that the number was sent through is the one that counts.
func (h *Hooks) read(e *core.RequestEvent, ports []listener, institution string, body []byte) (flow.Callback, channels.Callbacks, error) {
	ctx := e.Request.Context()
	var read *flow.Callback
	by, refused := ports[0], error(nil)
	for _, p := range ports {
		cb, err := p.ParseCallback(ctx, e.Request.Header, body)
		if err != nil {
			refused = cmp.Or(refused, err)
			continue
		}
		cb.Connection = p.id
		if read == nil {
			read, by = &cb, p
		}
		if sent, err := h.Store.SentThrough(ctx, institution, cb.No); err == nil && sent == p.id {
			return cb, p, nil
		}
	}
	if read == nil {
		return flow.Callback{}, by, refused
	}
	return *read, by, nil
}
