package books_test

import (
	"cmp"
	"strings"
	"testing"
	"time"

	"hospay/books"
	"hospay/calendar"
	"hospay/collections"

	"github.com/pocketbase/dbx"
)

// byHand plans an order that people have paid by hand: every number sent to
// the channel has failed.
func (w *world) byHand(his, paid time.Time) order {
	w.t.Helper()
	o := w.make(his, paid)
	o.channelAt, o.channel, o.method = time.Time{}, "wechat", "transfer"
	w.add(o)
	w.exec("UPDATE transfer_orders SET state = 'failed' WHERE `order` = '" + o.id + "'")
	w.event(o, 1, "payout.by_hand", "")
	return o
}

func (w *world) event(o order, seq int, event, code string) {
	w.t.Helper()
	w.insert(collections.RefundEvents, dbx.Params{"id": o.id + event, "order": o.id, "institution": inst, "seq": seq, "from": "paying",
		"to": "succeeded", "event": event, "code": code, "created": stamp(o.paid)})
}

// attempt adds another number of an order.
func (w *world) attempt(o order, n int, state string) string {
	w.t.Helper()
	no := strings.TrimSuffix(o.bill, "T01") + "T0" + string(rune('0'+n))
	w.insert(collections.TransferOrders, dbx.Params{"id": "u" + o.id[1:], "order": o.id, "institution": inst, "attempt": n, "out_bill_no": no,
		"method": o.method, "channel": o.channel, "amount": o.fen, "state": state})
	return no
}

// pays puts a payment of a number, or its return, into the bill of a day.
func (w *world) pays(o order, no string, at time.Time, back bool) {
	row := bookRow{Order: o.no, Bill: no, Method: o.method, Channel: o.channel, Status: "succeeded", No: "42" + no, Flow: "F" + no,
		At: at.In(calendar.Beijing), Fen: o.fen}
	if back {
		row.In, row.Name, row.Flow = true, cmp.Or(w.back, "商家转账回退"), row.Flow+"B"
	}
	d := w.day(at)
	d.Operation = append(d.Operation, row)
}

// plain gives a day of both channels, so that every bill is there.
func (w *world) plain(day string) {
	for range 2 {
		w.add(w.make(beijing(day, "09:00:00"), beijing(day, "09:01:00")))
	}
}

func (w *world) runs(days ...string) {
	w.t.Helper()
	for _, day := range days {
		w.accept(day, nil)
		w.run(day)
	}
}

// TestBooks_PaidByHandIsNamedUntilHISAgrees: the order stands in the
// platform's book of its day, as paid by hand; HIS calls it a payment of the
// channel until finance corrects it.
func TestBooks_PaidByHandIsNamedUntilHISAgrees(t *testing.T) {
	w := newWorld(t)
	w.plain("2026-11-10")
	w.plain("2026-11-12")
	o := w.byHand(beijing("2026-11-10", "10:00:00"), beijing("2026-11-12", "15:00:00"))
	w.runs("2026-11-10", "2026-11-12")
	d := w.one("2026-11-12")
	if d.Key != o.no || d.Kind != "channel" || d.State != books.Open || d.PlatformState != "succeeded" || d.ChannelState != "" ||
		d.HISState != "succeeded" || d.Sign != "" || d.Amount != o.fen {
		t.Errorf("%+v", d)
	}
	for _, want := range []string{"线下付款", "凭证", "HIS", "更正"} {
		if !strings.Contains(d.Explain, want) {
			t.Errorf("%q lacks %s", d.Explain, want)
		}
	}
	r, err := w.svc.LastRun(t.Context(), inst, books.Deposits, "2026-11-12")
	if err != nil || r.Books["platform"].Count != 3 || r.Books["his"].Count != 3 || r.Books["wechat"].Count+r.Books["alipay"].Count != 2 ||
		r.Summary.V.Overage != 0 || r.Summary.V.Shortage != 0 {
		t.Errorf("%+v %+v %v", r.Books, r.Summary.V, err)
	}
	if got := w.standing(); len(got) != 1 {
		t.Errorf("%v", got)
	}
	first := w.days["2026-11-10"]
	first.HIS[len(first.HIS)-1].Channel = "现金" // finance corrects HIS
	w.runs("2026-11-10", "2026-11-12")
	for _, day := range []string{"2026-11-10", "2026-11-12"} {
		if r := w.run(day); r.State != books.Balanced || r.Summary.V.Cash.Count != 0 {
			t.Errorf("%s is %s: %v, cash %+v", day, r.State, w.standing(), r.Summary.V.Cash)
		}
	}
	if d = w.difference(d.ID); d.State != books.Resolved || d.Verb != "auto" {
		t.Errorf("%s %s", d.State, d.Verb)
	}
}

// TestBooks_PaidByHandAndByTheChannelIsNamed on the same day and on another
// one, although every book holds the order once.
func TestBooks_PaidByHandAndByTheChannelIsNamed(t *testing.T) {
	w := newWorld(t)
	day, later := "2026-11-12", "2026-11-20"
	w.plain(day)
	w.plain(later)
	same := w.byHand(beijing(day, "10:00:00"), beijing(day, "15:00:00"))
	w.pays(same, same.bill, beijing(day, "16:00:00"), false)
	w.exec("UPDATE transfer_orders SET state = 'done' WHERE `order` = '" + same.id + "'") // whoever wrote it down
	other := w.byHand(beijing(day, "10:00:00"), beijing(day, "15:30:00"))
	w.pays(other, other.bill, beijing(later, "16:00:00"), false)
	w.runs(day, later)
	rows, _, err := w.svc.Differences(t.Context(), inst, books.Filter{}, 1, 10)
	if err != nil || len(rows) != 3 {
		t.Fatalf("%+v %v", rows, err)
	}
	for _, d := range rows {
		want := map[string]string{day + same.no: "channel 也付了", day + other.no: "channel 线下付款", later + "bill:" + other.bill: "only_channel " +
			other.no}[d.Day+d.Key]
		kind, words, _ := strings.Cut(want, " ")
		if d.Kind != kind || !strings.Contains(d.Explain, words) || d.State != books.Open {
			t.Errorf("%s %s: %s %s %q", d.Day, d.Key, d.Kind, d.State, d.Explain)
		}
		if d.Day == later && (!strings.Contains(d.Explain, "线下付款") || strings.Contains(d.Explain, "平台和 HIS 都没有")) {
			t.Errorf("%q", d.Explain)
		}
	}
}

// TestBooks_PaidByHandWithoutHISIsNamed: the patient may have the money and the
// balance.
func TestBooks_PaidByHandWithoutHISIsNamed(t *testing.T) {
	w := newWorld(t)
	day := "2026-11-12"
	w.plain(day)
	o := w.byHand(beijing(day, "10:00:00"), beijing(day, "15:00:00"))
	d := w.days[day]
	d.HIS = d.HIS[:len(d.HIS)-1]
	w.runs(day)
	if d := w.one(day); d.Key != o.no || d.Kind != "only_platform" || !strings.Contains(d.Explain, "线下付款") ||
		strings.Contains(d.Explain, "查单") {
		t.Errorf("%+v", d)
	}
}

// TestBooks_OldNumbersJoinTheirOrder: the platform's book holds an order once,
// and the bill's line of another of its numbers belongs to it.
func TestBooks_OldNumbersJoinTheirOrder(t *testing.T) {
	w := newWorld(t)
	day := "2026-11-12"
	w.plain(day)
	o := w.make(beijing(day, "10:00:00"), beijing(day, "11:00:00"))
	o.channel, o.method = "wechat", "transfer"
	w.add(o)
	w.pays(o, w.attempt(o, 2, "failed"), beijing(day, "11:30:00"), false)
	w.runs(day)
	d := w.one(day)
	r, err := w.svc.LastRun(t.Context(), inst, books.Deposits, day)
	if d.Kind != "duplicate" || d.ChannelDay != 2*o.fen || d.PlatformDay != o.fen || err != nil || r.Books["platform"].Count != 3 {
		t.Errorf("%+v, platform %+v %v", d, r.Books["platform"], err)
	}
}

// TestBooks_ALineOfAnotherDayIsNoMidnight: HIS debited yesterday, the channel
// did not pay today; nobody waits for a neighbouring day's bill.
func TestBooks_ALineOfAnotherDayIsNoMidnight(t *testing.T) {
	w := newWorld(t)
	day := "2026-11-12"
	w.plain("2026-11-11")
	w.plain(day)
	o := w.make(beijing("2026-11-11", "18:00:00"), beijing(day, "08:00:00"))
	o.channelAt = time.Time{}
	w.add(o)
	w.runs("2026-11-11", day)
	if d := w.one(day); d.Kind != "missing_channel" || d.State != books.Open || d.Sign != "overage" {
		t.Errorf("%s %s %s %q", d.Kind, d.State, d.Sign, d.Explain)
	}
}

// TestBooks_SettledAsPaidByAnOldNumberIsTheChannels: people settle by hand what
// an old number had paid; the channel has the payment on its day.
func TestBooks_SettledAsPaidByAnOldNumberIsTheChannels(t *testing.T) {
	w := newWorld(t)
	day, later := "2026-11-12", "2026-11-13"
	w.plain(day)
	w.plain(later)
	same, other := w.byHand(beijing(day, "10:00:00"), beijing(day, "15:00:00")), w.byHand(beijing(day, "10:00:00"), beijing(later, "15:00:00"))
	for _, o := range []order{same, other} {
		w.event(o, 2, "suspense", "paid_old_number")
		w.pays(o, o.bill, beijing(day, "14:00:00"), false)
	}
	w.runs(day, later)
	first, second := w.one(day), w.one(later)
	if first.Key != "bill:"+other.bill || first.Sign != "shortage" || second.Key != other.no || second.Sign != "overage" ||
		first.Amount != second.Amount {
		t.Fatalf("%+v\n%+v", first, second)
	}
	w.rematch(first, second)
}
