package flow

import (
	"context"
	"errors"
)

// CallbackKind says what a callback is about. Whoever can be told names the
// kinds that it reads.
type CallbackKind string

// CallbackOther is what nobody here acts on.
const CallbackOther CallbackKind = "other"

// Callback is a verified message from outside, without its envelope.
type Callback struct {
	Institution string // whose connection it came through
	Channel     string // the channel's name: wechat, alipay
	Connection  string // the connection whose keys verified it
	ID          string // the sender's id of the message
	Kind        CallbackKind
	No          string // our number that it is about
	Told        any    // what it says, in the form that its kind has
	Body        string // masked text for the record; no keys, no personal data
}

// Handler books a callback and says in a word what that has changed. It calls
// nobody outside.
type Handler func(context.Context, Callback) (effect string, err error)

// Inbox hands callbacks to whoever reads their kind.
type Inbox struct{ handlers map[CallbackKind]Handler }

// Handle says who reads callbacks of some kinds. It is called before anything
// is delivered.
func (b *Inbox) Handle(h Handler, kinds ...CallbackKind) {
	if b.handlers == nil {
		b.handlers = map[CallbackKind]Handler{}
	}
	for _, k := range kinds {
		b.handlers[k] = h
	}
}

// Deliver hands a callback over. One of a kind that nobody reads changes
// nothing and is not kept; its effect is empty.
func (b *Inbox) Deliver(ctx context.Context, c Callback) (effect string, err error) {
	h, ok := b.handlers[c.Kind]
	if !ok {
		return "", nil
	}
	return h(ctx, c)
}

// ErrSeen is what a store answers to a callback that it has stored before.
var ErrSeen = errors.New("flow: callback seen before")

// CallbackRow is the record of a verified callback.
type CallbackRow struct {
	Institution string
	Channel     string
	ID          string
	Kind        string
	No          string
	Effect      string // what it changed, in a word
	Body        string // masked
}
