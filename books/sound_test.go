package books_test

import (
	"strings"
	"testing"
	"time"

	"hospay/books"
	"hospay/flow"

	"github.com/pocketbase/dbx"
)

// TestBooks_ConfirmingAnArrivalClosesNothing: it asks the channel; one person
// alone does not settle what the books do not agree on.
func TestBooks_ConfirmingAnArrivalClosesNothing(t *testing.T) {
	w := newWorld(t)
	day := "2026-11-12"
	o := w.make(beijing(day, "10:00:00"), beijing(day, "10:01:00"))
	o.his = time.Time{}
	w.add(o)
	w.runs(day)
	d := w.one(day)
	if _, err := w.svc.Resolve(t.Context(), inst, d.ID, books.Decision{Verb: "确认到账", Reason: "核对"}, anna); d.Kind != "missing_his" ||
		flow.CodeOf(err) != books.CodeVerbUnfit {
		t.Errorf("%s: %v", d.Kind, err)
	}
	if d = w.difference(d.ID); d.State != books.Open {
		t.Errorf("one person made it %s", d.State)
	}
}

// TestBooks_IgnoringCountsTheWholeOrderWhereItIsAlsoAnotherCard.
func TestBooks_IgnoringCountsTheWholeOrderWhereItIsAlsoAnotherCard(t *testing.T) {
	w := newWorld(t)
	w.insert("differences", dbx.Params{
		"id": "diff00000000001", "institution": inst, "day": "2026-11-29", "key": "k", "live": true, "kind": "amount", "also": `["card"]`,
		"state": books.Open, "amount": 1, "sign": "overage",
		"platform_amount": 50_000, "channel_amount": 50_000, "his_amount": 50_001, "platform_day": 50_000, "channel_day": 50_000,
		"his_day": 50_001,
	})
	d, err := w.svc.Resolve(t.Context(), inst, "diff00000000001", books.Decision{Verb: "忽略", Reason: "核对"}, anna)
	if err != nil || d.State != books.Proposed {
		t.Errorf("%s %v", d.State, err)
	}
}

// TestBooks_ADayWithLinesNobodyCouldReadIsNotBalanced, on its page as in its run.
func TestBooks_ADayWithLinesNobodyCouldReadIsNotBalanced(t *testing.T) {
	w := newWorld(t)
	day := "2026-11-29"
	o := w.lastDays()
	w.bring(day, o.line(o.channel, "成功", yuan(o.fen)), o.line(o.channel, "成功", "x"))
	w.run(day)
	v, err := w.svc.Day(t.Context(), inst, books.Deposits, day)
	days, err2 := w.svc.Calendar(t.Context(), inst, "2026-11")
	if err != nil || err2 != nil ||
		v.State != books.HasDifferences || days[28].State != books.HasDifferences || days[28].Colour != "amber" || v.Colour != "amber" {
		t.Errorf("%s %+v %v %v", v.State, days[28], err, err2)
	}
}

// TestBooks_HISCallsOurOrderCash: that is a wrong channel, not a missing debit;
// whoever booked it once more would debit the card twice.
func TestBooks_HISCallsOurOrderCash(t *testing.T) {
	w := newWorld(t)
	day := "2026-11-29"
	o := w.lastDays()
	foreign := o
	foreign.no = "CASH"
	w.bring(day, o.line("现金", "成功", yuan(o.fen)), foreign.line("现金", "成功", "5.00"))
	r := w.run(day)
	if d := w.one(day); d.Kind != "channel" || d.HISState != "succeeded" || r.Summary.V.Cash.Count != 1 || r.Summary.V.Cash.Amount != 500 {
		t.Errorf("%s %q, cash %+v", d.Kind, d.Explain, r.Summary.V.Cash)
	}
}

// TestBooks_MidnightIsWaitedForOnce: what the neighbouring day's bill was to
// bring and did not is missing.
func TestBooks_MidnightIsWaitedForOnce(t *testing.T) {
	w := newWorld(t)
	day, next := "2026-11-12", "2026-11-13"
	w.plain(day)
	w.plain(next)
	o := w.make(beijing(day, "20:00:00"), beijing(day, "23:45:00"))
	o.channelAt = time.Time{}
	w.add(o)
	w.runs(day)
	if d := w.one(day); d.Kind != "day_cut" || d.State != books.Carried {
		t.Fatalf("%s %s", d.Kind, d.State)
	}
	w.runs(next)
	d := w.one(day)
	if d.Kind != "missing_channel" || d.State != books.Open || !strings.Contains(d.Explain, "相邻日") || strings.Join(d.Also, "") != "day_cut" {
		t.Errorf("%s %v %s %q", d.Kind, d.Also, d.State, d.Explain)
	}
	items, n, err := w.svc.Lines(t.Context(), inst, books.Deposits, day, "differences", 1, 10)
	if err != nil || n != 1 || items[0].Kind != "missing_channel" {
		t.Errorf("%+v %v", items, err)
	}
	runs := w.count("recon_runs")
	w.run(day)
	w.run(next)
	if n := w.count("recon_runs"); n != runs {
		t.Errorf("equal inputs made %d runs", n-runs)
	}
}
