package store_test

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"hospay/collections"
	"hospay/flow"
	"hospay/lab/testapp"
	"hospay/people"
	"hospay/refund"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

// reviewing is an order that waits for a review.
func reviewing(t *testing.T, a *testapp.App) refund.Work {
	t.Helper()
	id := a.Login("P0001", "alipay").Apply("alipay", "transfer", 1000, nil).Text("id")
	a.Drain()
	w := a.Order(id)
	if w.Order.Status != refund.StatusReviewing {
		t.Fatalf("order is %s", w.Order.Status)
	}
	return w
}

// TestCommit_TwoOfOneVersion: whoever has read an order before somebody else
// moved it writes nothing, also where its state is still the same.
func TestCommit_TwoOfOneVersion(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	w := reviewing(t, a)
	change := func(by string) *refund.Change {
		c := &refund.Change{Order: w.Order}
		c.ID, c.From, c.Version = w.Order.ID, w.Order.Status, w.Order.Version
		c.Moves = []flow.Move{{From: w.Order.Status, To: w.Order.Status, Event: "order.noted", By: people.By{Kind: people.BySystem, ID: by}}}
		return c
	}
	if err := a.Store.Commit(t.Context(), change("first")); err != nil {
		t.Fatal(err)
	}
	if err := a.Store.Commit(t.Context(), change("second")); !errors.Is(err, flow.ErrConflict) {
		t.Errorf("the second change of one version: %v", err)
	}
	var n int
	if err := a.Runtime.App.ConcurrentDB().Select("COUNT(*)").From("refund_events").
		Where(dbx.HashExp{"order": w.Order.ID, "event": "order.noted"}).Row(&n); err != nil || n != 1 {
		t.Errorf("%d events, %v", n, err)
	}
	if now := a.Order(w.Order.ID).Order.Version; now != w.Order.Version+1 {
		t.Errorf("version %d after %d", now, w.Order.Version)
	}
}

// TestCommit_ANotificationCountsOnce: the same notification a second time takes
// with it whatever came along.
func TestCommit_ANotificationCountsOnce(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	w := reviewing(t, a)
	row := &flow.CallbackRow{Institution: a.Institution, Channel: "alipay", ID: "once", Kind: "transfer", No: "X", Effect: "hint"}
	if err := a.Store.Commit(t.Context(), &refund.Change{Callback: row}); err != nil {
		t.Fatal(err)
	}
	again := &refund.Change{Order: w.Order, Callback: row}
	again.ID, again.From, again.Version = w.Order.ID, w.Order.Status, w.Order.Version
	if err := a.Store.Commit(t.Context(), again); !errors.Is(err, flow.ErrSeen) {
		t.Errorf("the second time: %v", err)
	}
	if now := a.Order(w.Order.ID).Order.Version; now != w.Order.Version {
		t.Error("the order moved")
	}
}

// TestCommit_RolesAreReadInTheTransaction: whatever a door has let through, a
// decision counts only while its maker may decide.
func TestCommit_RolesAreReadInTheTransaction(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	w := reviewing(t, a)
	staff, err := a.Runtime.App.FindAuthRecordByEmail(collections.Staff, "reviewer1@demo.hospay")
	if err != nil {
		t.Fatal(err)
	}
	by := people.By{Kind: people.ByStaff, ID: staff.Id}
	for _, row := range []dbx.Params{{"roles": `["cashier"]`}, {"roles": `["reviewer"]`, "active": false}} {
		if _, err := a.Runtime.App.NonconcurrentDB().Update(collections.Staff, row, dbx.HashExp{"id": staff.Id}).Execute(); err != nil {
			t.Fatal(err)
		}
		if err := a.Service.Review(t.Context(), w.Order.ID, refund.Decision{Approve: true}, by); err == nil {
			t.Errorf("%v: the decision counts", row)
		}
	}
	if s := a.Order(w.Order.ID).Order.Status; s != refund.StatusReviewing {
		t.Errorf("order is %s", s)
	}
}

// TestClaim_ALeasedOrderIsNobodyElses: until a lease has run out, no other
// worker gets the order, however due it is.
func TestClaim_ALeasedOrderIsNobodyElses(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	id := a.Login("P0001", "alipay").Apply("alipay", "transfer", 1000, nil).Text("id")
	claim := func(owner string, at time.Time) int {
		t.Helper()
		works, err := a.Store.Claim(t.Context(), owner, at, at.Add(2*time.Minute), 10)
		if err != nil {
			t.Fatal(err)
		}
		return len(works)
	}
	at := a.Now().Add(time.Second)
	if n := claim("first", at); n != 1 {
		t.Fatalf("the first got %d orders", n)
	}
	for _, later := range []time.Duration{0, time.Minute, 2*time.Minute - time.Second} {
		if n := claim("second", at.Add(later)); n != 0 {
			t.Errorf("after %s the second got the order of the first", later)
		}
	}
	if n := claim("second", at.Add(2*time.Minute+time.Second)); n != 1 {
		t.Errorf("%s: nobody gets it after the lease", id)
	}
}

// TestCard_IsItsOwners: namesakes are not told apart by name, so a card counts
// for its owner alone.
func TestCard_IsItsOwners(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	p, other := a.Login("P0001", "wechat"), a.Login("P0002", "wechat")
	for _, who := range []*testapp.Patient{p, other} {
		who.Call("GET", "/api/hospay/cards", who.Token, nil)
	}
	for _, c := range []struct {
		patient, card string
		found         bool
	}{{p.ID, p.Card, true}, {other.ID, other.Card, true}, {p.ID, other.Card, false}, {other.ID, p.Card, false}, {"", p.Card, false}} {
		card, err := a.Store.Card(t.Context(), c.patient, c.card)
		if err != nil || (card != nil) != c.found {
			t.Errorf("%s for %q: %v %v", c.card, c.patient, card, err)
		}
	}
}

// TestTogether_APanicIsItsOwners: whoever writes the group goes on, the others'
// changes are written, and the one that panicked is not.
func TestTogether_APanicIsItsOwners(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	p := a.Login("P0001", "alipay")
	var wg sync.WaitGroup
	var raised, failed atomic.Int64
	for i := range 40 {
		wg.Go(func() {
			defer func() {
				if v := recover(); v == "out of order" {
					raised.Add(1)
				}
			}()
			err := a.Store.Together(func(tx core.App) error {
				if _, err := tx.DB().Insert("person_terms", dbx.Params{"id": fmt.Sprintf("panic%010d", i), "kind": "patient", "owner": p.ID,
					"term": fmt.Sprint("term ", i)}).Execute(); err != nil {
					return err
				}
				if i%4 == 0 {
					panic("out of order")
				}
				return nil
			})
			if err != nil {
				failed.Add(1)
			}
		})
	}
	wg.Wait()
	var n int
	if err := a.Runtime.App.ConcurrentDB().NewQuery("SELECT COUNT(*) FROM person_terms WHERE id LIKE 'panic%'").Row(&n); err != nil {
		t.Fatal(err)
	}
	if n != 30 || raised.Load() != 10 || failed.Load() != 0 {
		t.Errorf("%d written, %d raised, %d failed", n, raised.Load(), failed.Load())
	}
}
