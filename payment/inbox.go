package payment

import (
	"context"
	"errors"

	"hospay/flow"
)

// CallbackSettlement is a 6302 of the centre.
const CallbackSettlement flow.CallbackKind = "settlement"

// Noticed is what a 6302 tells of an order. What is not proven is nothing but the
// reason to ask.
type Noticed struct {
	PayOrdID string
	Proven   bool
	Told     bool // amounts were told and fit
	Split
}

// The effects of a callback, kept with its record.
const (
	EffectHint      = "hint"
	EffectRepeat    = "repeat"
	EffectMismatch  = "mismatch"
	EffectUnknownNo = "unknown_number"
)

// Heard books a callback about a payment. None counts by itself: it makes the
// order due, so that all sides are asked at once. Polling alone finishes every
// order.
func (s *Service) Heard(ctx context.Context, c flow.Callback) (effect string, err error) {
	err = flow.Retry(func() error {
		w, err := s.store.ByNumber(ctx, c.Institution, c.No)
		if errors.Is(err, flow.ErrNotFound) {
			effect = EffectUnknownNo
			if unproven(c) {
				return nil
			}
			return s.store.Commit(ctx, &Change{Callback: row(c, effect)})
		}
		if err != nil {
			return err
		}
		t, err := s.begin(ctx, w)
		if err != nil {
			return err
		}
		if effect = t.weigh(c); effect == EffectMismatch && unproven(c) {
			return nil
		}
		if effect != EffectHint || t.w.Order.LeaseUntil.After(t.At) { // whoever works on it is asking already
			return s.store.Commit(ctx, &Change{Callback: row(c, effect)})
		}
		t.c.Callback = row(c, effect)
		t.DueNow()
		return t.commit(ctx, false)
	})
	if errors.Is(err, flow.ErrSeen) {
		return EffectRepeat, nil
	}
	return effect, err
}

// unproven is a notice that anybody may have sent: where it fits no order, nothing
// of it is kept.
func unproven(c flow.Callback) bool {
	n, notice := c.Told.(Noticed)
	return notice && !n.Proven
}

func row(c flow.Callback, effect string) *flow.CallbackRow {
	return &flow.CallbackRow{Institution: c.Institution, Channel: c.Channel, ID: c.ID, Kind: string(c.Kind), No: c.No, Effect: effect,
		Body: c.Body}
}

// weigh decides what a callback may do. One that came through the keys of a
// connection through which nothing of the order was sent is another's.
func (t *turn) weigh(c flow.Callback) string {
	known := c.Connection == ""
	for _, call := range t.w.Calls {
		known = known || call.Connection == c.Connection
	}
	switch n, notice := c.Told.(Noticed); {
	case !known, notice && n.differs(t.w.Order):
		return EffectMismatch
	case Resting(t.w.Order.Status):
		return EffectRepeat
	}
	return EffectHint
}

// differs reports whether a notice speaks of another order at the centre, or of
// other amounts than it has told before.
func (n Noticed) differs(o Order) bool {
	priced := o.Insurance != InsuranceNone && o.Insurance != InsuranceOpen && o.Insurance != InsuranceUploaded
	return n.PayOrdID != o.PayOrdID || n.Told && priced && !n.Agrees(o.Split)
}
