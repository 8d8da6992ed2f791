package flow

import (
	"context"
	"errors"
	"testing"
)

func TestInbox_DeliversByKind(t *testing.T) {
	var got []string
	to := func(name string, err error) Handler {
		return func(_ context.Context, c Callback) (string, error) {
			got = append(got, name+" "+c.No)
			return "applied", err
		}
	}
	broken := errors.New("database is locked")
	var in Inbox
	in.Handle(to("refunds", nil), "transfer", "refund")
	in.Handle(to("payments", broken), "pay")
	for _, row := range []struct {
		kind   CallbackKind
		effect string
		err    error
	}{{"transfer", "applied", nil}, {"refund", "applied", nil}, {"pay", "applied", broken}, {CallbackOther, "", nil}, {"", "", nil}} {
		effect, err := in.Deliver(t.Context(), Callback{Kind: row.kind, No: string(row.kind)})
		if effect != row.effect || !errors.Is(err, row.err) {
			t.Errorf("%q: %q, %v", row.kind, effect, err)
		}
	}
	if want := []string{"refunds transfer", "refunds refund", "payments pay"}; len(got) != 3 || got[0] != want[0] || got[1] != want[1] ||
		got[2] != want[2] {
		t.Errorf("delivered %q", got)
	}
}
