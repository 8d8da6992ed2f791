package books_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"hospay/books"
	"hospay/flow"

	"github.com/pocketbase/dbx"
)

// pair makes two differences that cancel each other, each on its day, and lets
// two people rematch them. The first lacks HIS's line, the second has only it.
func (w *world) pair(day, other string) (lacks, extra books.Difference, of order) {
	w.t.Helper()
	of = w.make(beijing(day, "10:00:00"), beijing(day, "10:01:00"))
	of.his = time.Time{}
	w.add(of)
	foreign := w.make(beijing(other, "11:00:00"), time.Time{})
	foreign.foreign, foreign.hisFen = true, of.fen
	w.add(foreign)
	for _, d := range []string{day, other} {
		w.accept(d, nil)
		w.run(d)
	}
	return w.one(day), w.one(other), of
}

func (w *world) rematch(a, b books.Difference) {
	w.t.Helper()
	_, err := w.svc.Resolve(w.t.Context(), inst, a.ID, books.Decision{Verb: "rematch", Reason: "同一位患者", With: b.ID}, anna)
	if err == nil {
		_, err = w.svc.Confirm(w.t.Context(), inst, a.ID, "", "同意", bert)
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

// TestBooks_OfferedVerbsAreThoseThatAreTaken: what is told to fit is taken, and
// what is told not to fit is refused with the code that was told.
func TestBooks_OfferedVerbsAreThoseThatAreTaken(t *testing.T) {
	w := newWorld(t)
	lacks, extra, _ := w.pair("2026-11-10", "2026-11-20")
	late := w.make(beijing("2026-11-12", "10:00:00"), beijing("2026-11-12", "10:01:00"))
	late.hisFen++ // the books differ by one fen, and nothing cancels that
	w.add(late)
	w.accept("2026-11-12", nil)
	w.run("2026-11-12")
	fitted := 0
	for _, d := range []books.Difference{lacks, extra, w.one("2026-11-12")} {
		fits, counters, err := w.svc.Fitting(t.Context(), d)
		if err != nil || len(fits) != 6 {
			t.Fatalf("%s: %+v %v", d.Kind, fits, err)
		}
		for _, f := range fits {
			with := ""
			if f.Verb == books.VerbRematch && len(counters) > 0 {
				with = counters[0].ID
			}
			_, err := w.svc.Resolve(t.Context(), inst, d.ID, books.Decision{Verb: f.Verb, Reason: "看一看", With: with}, anna)
			if flow.CodeOf(err) != f.Why {
				t.Errorf("%s %s: told %q, answered %v", d.Kind, f.Verb, f.Why, err)
			}
			if err != nil {
				continue
			}
			fitted++
			if now := w.difference(d.ID); now.State != books.Proposed {
				w.exec("UPDATE differences SET state = 'open', verb = '' WHERE id = '" + d.ID + "'")
				continue
			}
			taken, _, err := w.svc.Fitting(t.Context(), w.difference(d.ID))
			if err != nil || taken[0].Why != books.CodeDifferenceDone {
				t.Errorf("%s waits for a second person: %+v %v", d.Kind, taken, err)
			}
			if _, err := w.svc.Withdraw(t.Context(), inst, d.ID, "再查", anna); err != nil {
				t.Fatal(err)
			}
		}
	}
	if fitted < 14 {
		t.Errorf("only %d verbs fitted", fitted)
	}
}

// TestBooks_ARematchFallsAsAWhole: when the books of one half change or no
// longer hold it, the other half is open again as well.
func TestBooks_ARematchFallsAsAWhole(t *testing.T) {
	for _, c := range []struct{ name, half, want string }{{"一半变了", "changed", books.Open}, {"一半没了", "gone", books.Resolved}} {
		w := newWorld(t)
		lacks, extra, o := w.pair("2026-11-10", "2026-11-20")
		w.rematch(lacks, extra)
		if c.half == "changed" {
			w.exec("UPDATE refund_orders SET amount = amount + 1 WHERE id = '" + o.id + "'")
		} else { // HIS's line is there after all
			o.his, o.foreign = beijing("2026-11-10", "10:00:00"), false
			o.hisFen, o.channelAt = o.fen, time.Time{}
			w.bring("2026-11-10", o.line(o.channel, "成功", yuan(o.fen)))
		}
		w.run("2026-11-10")
		first, second := w.difference(lacks.ID), w.difference(extra.ID)
		if first.State != c.want || first.With != "" || (first.State == books.Resolved && first.Verb != "auto") {
			t.Errorf("%s: it is %s (%s) with %q", c.name, first.State, first.Verb, first.With)
		}
		if second.State != books.Open || second.Verb != "" || second.With != "" || !second.ResolvedAt.IsZero() {
			t.Errorf("%s: the other is %s (%s) with %q", c.name, second.State, second.Verb, second.With)
		}
		if h, err := w.svc.History(t.Context(), extra.ID); err != nil || h[len(h)-1].Act != "reopen" {
			t.Errorf("%s: %+v %v", c.name, h, err)
		}
	}
}

// TestMonth_ARematchWithACarriedItemFallsAsAWhole: the other half stands in a
// month that was closed meanwhile, and is carried over again.
func TestMonth_ARematchWithACarriedItemFallsAsAWhole(t *testing.T) {
	w := newWorld(t)
	extra, lacks, o := w.carried()
	w.rematch(lacks, extra)
	if _, err := w.app.NonconcurrentDB().NewQuery("UPDATE differences SET state = 'open' WHERE id = '" + extra.ID + "'").
		Execute(); err == nil {
		t.Error("a closed month took another state than carried")
	}
	w.exec("UPDATE refund_orders SET amount = amount + 1 WHERE id = '" + o.id + "'")
	w.run("2026-12-01")
	if d := w.difference(extra.ID); d.State != books.Carried || d.With != "" || d.Verb != "" {
		t.Errorf("the carried half is %s (%s) with %q", d.State, d.Verb, d.With)
	}
	if d := w.difference(lacks.ID); d.State != books.Open || d.With != "" {
		t.Errorf("the half that changed is %s with %q", d.State, d.With)
	}
}

// carried has a difference of November carried over the month's close, and its
// opposite on 1 December.
func (w *world) carried() (extra, lacks books.Difference, o order) {
	w.t.Helper()
	lacks, extra, o = w.pair("2026-12-01", "2026-11-29")
	w.accept("2026-11-30", nil)
	w.run("2026-11-30")
	w.exec("UPDATE differences SET owner = 'anna'")
	if err := errors.Join(w.closing(anna), w.closing(bert)); err != nil {
		w.t.Fatal(err)
	}
	return w.difference(extra.ID), lacks, o
}

func (w *world) difference(id string) books.Difference {
	w.t.Helper()
	d, err := w.svc.Difference(w.t.Context(), inst, id)
	if err != nil {
		w.t.Fatal(err)
	}
	return d
}

// TestBooks_IgnoringNeedsASecondPersonByAmount, also where the sums of the
// books agree and something else is wrong.
func TestBooks_IgnoringNeedsASecondPersonByAmount(t *testing.T) {
	w := newWorld(t)
	for i, c := range []struct {
		kind string
		fen  int64
		want string
	}{
		{"card", 50_000, books.Proposed}, {"method", 50_000, books.Proposed}, {"channel", 50_000, books.Proposed},
		{"duplicate", 50_000, books.Proposed},
		{"card", 100, books.Resolved}, {"missing_his", 101, books.Proposed}, {"missing_his", 100, books.Resolved},
	} {
		id := fmt.Sprintf("diff%011d", i)
		w.insert("differences", dbx.Params{
			"id": id, "institution": inst, "day": "2026-11-29", "key": id, "live": true, "kind": c.kind, "also": "[]", "state": books.Open,
			"amount":       c.fen,
			"platform_day": c.fen, "channel_day": c.fen, "his_day": c.fen,
		})
		d, err := w.svc.Resolve(t.Context(), inst, id, books.Decision{Verb: "忽略", Reason: "核对"}, anna)
		if err != nil || d.State != c.want {
			t.Errorf("%s of %d fen: %s %v", c.kind, c.fen, d.State, err)
		}
	}
}
