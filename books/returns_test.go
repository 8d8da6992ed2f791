package books_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"hospay/books"
	"hospay/collections"

	"github.com/pocketbase/dbx"
)

// transfer plans a paid transfer of WeChat.
func (w *world) transfer(his, paid time.Time) order {
	w.t.Helper()
	o := w.make(his, paid)
	o.channel, o.method = "wechat", "transfer"
	return w.add(o)
}

// compensate gives the balance of an order back: the program learns of the
// return, and HIS reverses its debit; a zero time: it has not yet.
func (w *world) compensate(o order, learnt, reversed time.Time) {
	w.t.Helper()
	id := "c" + o.id[1:]
	w.insert(collections.RefundOrders, dbx.Params{
		"id": id, "no": o.no + "C", "institution": inst, "patient": "p", "card_no": "C" + o.id, "amount": o.fen, "method": o.method,
		"channel": o.channel, "status": "failed", "compensates": o.id,
		"his_refund_no": "H" + o.no, "his_refund_date": stamp(o.his), "paid_at": "", "created": stamp(learnt), "updated": stamp(learnt),
		"group": "", "version": 1, "original": "null", "payee_name_sealed": "", "payee_account_sealed": "",
	})
	if !reversed.IsZero() {
		w.insert(collections.HISCalls, dbx.Params{"id": "v" + o.id[1:], "order": id, "institution": inst, "kind": "reverse", "attempt": 1,
			"no": o.no + "CV1", "state": "done", "done_at": stamp(reversed), "amount": o.fen})
	}
}

// TestReturns_BothDaysComeOutRight: a payment that comes back stays with its
// day unless it came back on that day, by the bill; the return belongs to the
// bill's day.
func TestReturns_BothDaysComeOutRight(t *testing.T) {
	day, next, month := "2026-11-12", "2026-11-13", "2026-12-02"
	for _, c := range []struct {
		name                        string
		paid, back, learnt, undone  time.Time
		fetched                     time.Time // when HIS's statement of the day was fetched
		hisSays                     bool      // HIS's statement of the day already says reversed
		days                        []string
		platform, returnedOnLastDay int
	}{
		{"当天退回，当天冲正", beijing(day, "10:00:00"), beijing(day, "15:00:00"), beijing(day, "15:01:00"), beijing(day, "15:02:00"),
			beijing(next, "10:00:00"), true, []string{day}, 2, 0},
		{"当天退回，第二天才得知", beijing(day, "10:00:00"), beijing(day, "23:00:00"), beijing(next, "09:00:00"), beijing(next, "09:01:00"),
			beijing(next, "10:00:00"), true, []string{day, next}, 2, 0},
		{"当天退回，明细之后才冲正", beijing(day, "10:00:00"), beijing(day, "23:00:00"), beijing(day, "23:01:00"), beijing(next, "12:00:00"),
			beijing(next, "10:00:00"), false, []string{day, next}, 2, 0},
		{"第二天退回", beijing(day, "10:00:00"), beijing(next, "15:00:00"), beijing(next, "15:01:00"), beijing(next, "15:02:00"),
			beijing(next, "10:00:00"), false, []string{day, next}, 3, 1},
		{"第二天退回，HIS 明细重取", beijing(day, "10:00:00"), beijing(next, "15:00:00"), beijing(next, "15:01:00"), beijing(next, "15:02:00"),
			beijing(next, "20:00:00"), true, []string{day, next}, 3, 1},
		{"零点后退回", beijing(day, "23:50:00"), beijing(next, "00:10:00"), beijing(next, "00:11:00"), beijing(next, "00:12:00"),
			beijing(next, "10:00:00"), false, []string{day, next}, 3, 1},
		{"零点前得知，零点后入账", beijing(day, "23:40:00"), beijing(next, "00:01:00"), beijing(day, "23:59:00"), beijing(next, "00:12:00"),
			beijing(next, "10:00:00"), true, []string{day, next}, 3, 1},
		{"下月退回", beijing(day, "10:00:00"), beijing(month, "15:00:00"), beijing(month, "15:01:00"), beijing(month, "15:02:00"),
			beijing(next, "10:00:00"), false, []string{day, month}, 3, 1},
	} {
		w := newWorld(t)
		for _, d := range c.days {
			w.plain(d)
		}
		o := w.transfer(beijing(day, "09:30:00"), c.paid)
		w.pays(o, o.bill, c.back, true)
		w.compensate(o, c.learnt, c.undone)
		if c.hisSays {
			w.days[day].HIS[len(w.days[day].HIS)-1].Status = "reversed"
		}
		w.at = c.fetched
		w.accept(day, nil)
		w.at = beijing("2026-12-05", "12:00:00")
		for _, d := range c.days[1:] {
			w.accept(d, nil)
		}
		for i, d := range c.days {
			r := w.run(d)
			if r.State != books.Balanced {
				t.Errorf("%s: %s is %s: %v", c.name, d, r.State, w.standing())
			}
			if i == 0 && r.Books["platform"].Count != c.platform {
				t.Errorf("%s: platform's book of %s: %+v", c.name, d, r.Books["platform"])
			}
			if i == len(c.days)-1 && r.Summary.V.Returned.Count != c.returnedOnLastDay {
				t.Errorf("%s: returned on %s: %+v", c.name, d, r.Summary.V.Returned)
			}
		}
	}
}

// TestReturns_HISThatHasNotReversedIsNamed until it has.
func TestReturns_HISThatHasNotReversedIsNamed(t *testing.T) {
	w := newWorld(t)
	day := "2026-11-12"
	w.plain(day)
	o := w.transfer(beijing(day, "09:30:00"), beijing(day, "10:00:00"))
	w.pays(o, o.bill, beijing(day, "15:00:00"), true)
	w.compensate(o, beijing("2026-12-05", "13:00:00"), time.Time{}) // after HIS's statement was fetched
	w.runs(day)
	if d := w.one(day); d.Key != o.no || d.Kind != "state" || d.State != books.Open || d.Sign != "overage" {
		t.Errorf("%+v", d)
	}
	w.insert(collections.HISCalls, dbx.Params{"id": "v" + o.id[1:], "order": "c" + o.id[1:], "institution": inst, "kind": "reverse",
		"attempt": 1, "no": o.no + "CV1", "state": "done", "done_at": stamp(w.at.Add(2 * time.Hour)), "amount": o.fen})
	if r := w.run(day); r.State != books.Balanced {
		t.Errorf("%s: %v", r.State, w.standing())
	}
}

// TestReturns_ThatNobodyKnowsOfIsNamed: the bill returns a payment of an earlier
// day, and no order gives the balance back; the channel's word was missed.
func TestReturns_ThatNobodyKnowsOfIsNamed(t *testing.T) {
	w := newWorld(t)
	day, next := "2026-11-12", "2026-11-20"
	w.plain(day)
	w.plain(next)
	o := w.transfer(beijing(day, "09:30:00"), beijing(day, "10:00:00"))
	w.pays(o, o.bill, beijing(next, "15:00:00"), true)
	w.runs(day, next)
	if r, err := w.svc.LastRun(t.Context(), inst, books.Deposits, day); err != nil || r.State != books.Balanced {
		t.Errorf("%s %v", r.State, err)
	}
	d := w.one(next)
	if d.Key != o.no || d.Kind != "state" || d.State != books.Open || d.Sign != "overage" || d.Amount != o.fen || d.Order != o.id ||
		d.PlatformState != "succeeded" || d.ChannelState != "failed" || !strings.Contains(d.Explain, "退回") {
		t.Errorf("%+v", d)
	}
	r, err := w.svc.LastRun(t.Context(), inst, books.Deposits, next)
	if err != nil || r.State != books.HasDifferences || r.Books["platform"].Count != 2 || r.Books["his"].Count != 2 ||
		r.Summary.V.Returned.Count != 1 {
		t.Errorf("%s %+v %v", r.State, r.Books, err)
	}
	if items, n, err := w.svc.Lines(t.Context(), inst, books.Deposits, next, "differences", 1, 10); err != nil || n != 1 ||
		items[0].OrderNo != o.no {
		t.Errorf("%+v %d %v", items, n, err)
	}
	runs := w.count("recon_runs")
	w.run(next)
	if w.count("recon_runs") != runs {
		t.Error("equal inputs made a run")
	}
	w.compensate(o, beijing("2026-11-21", "10:00:00"), beijing("2026-11-21", "10:01:00"))
	if r := w.run(next); r.State != books.Balanced {
		t.Errorf("%s: %v", r.State, w.standing())
	}
	if d := w.difference(d.ID); d.State != books.Resolved || d.Verb != "auto" {
		t.Errorf("%s %s", d.State, d.Verb)
	}
}

// TestReturns_AfterTheMonthWasClosed leave the closed month as it is.
func TestReturns_AfterTheMonthWasClosed(t *testing.T) {
	w := newWorld(t)
	day, next := "2026-11-29", "2026-12-02"
	o := w.transfer(beijing(day, "09:30:00"), beijing(day, "10:00:00"))
	w.plain(next)
	w.runs(day, "2026-11-30")
	before, err := w.svc.LastRun(t.Context(), inst, books.Deposits, day)
	if err := errors.Join(err, w.closing(anna), w.closing(bert)); err != nil {
		t.Fatal(err)
	}
	w.pays(o, o.bill, beijing(next, "15:00:00"), true)
	w.compensate(o, beijing(next, "15:01:00"), beijing(next, "15:02:00"))
	w.runs(next)
	after, err := w.svc.LastRun(t.Context(), inst, books.Deposits, day)
	if err != nil || after.ID != before.ID || len(w.standing()) != 0 {
		t.Errorf("%s %v %v", after.State, w.standing(), err)
	}
	reopen := func(by books.Actor) error {
		_, err := w.svc.ReopenMonth(t.Context(), inst, "2026-11", "核对", by, "")
		return err
	}
	if err := errors.Join(reopen(anna), reopen(bert)); err != nil {
		t.Fatal(err)
	}
	if r := w.run(day); r.State != books.Balanced || r.Books["platform"].Amount != before.Books["platform"].Amount {
		t.Errorf("%s %+v", r.State, r.Books)
	}
}

// TestReturns_WhateverTheirName: an income that carries a number of ours is a
// return, but for fees.
func TestReturns_WhateverTheirName(t *testing.T) {
	for name, want := range map[string]bool{"退款关闭": true, "转账关闭": true, "调账": true, "退还手续费": false} {
		w := newWorld(t)
		w.back = name
		day, next := "2026-11-12", "2026-11-20"
		w.plain(day)
		w.plain(next)
		o := w.transfer(beijing(day, "09:30:00"), beijing(day, "10:00:00"))
		w.pays(o, o.bill, beijing(next, "15:00:00"), true)
		w.runs(day, next)
		r, err := w.svc.LastRun(t.Context(), inst, books.Deposits, next)
		if err != nil || (r.State == books.HasDifferences) != want || (r.Summary.V.Returned.Count == 1) != want {
			t.Errorf("%s: %s %+v %v %v", name, r.State, r.Summary.V.Returned, w.standing(), err)
		}
	}
}
