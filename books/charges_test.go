package books_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"hospay/books"
	"hospay/collections"
	"hospay/money"
	"hospay/payment"

	"github.com/pocketbase/dbx"
)

// charge is a payment, or what went back of one, as the sides hold it; zero
// amounts: that side lacks it.
type charge struct {
	no, trade           string // of the payment
	refund, back        string // of the refund: our number, the channel's
	fen, channel, his   int64
	at, channelAt, when time.Time // when HIS booked it
	status              string
	written, unknown    bool // unknown: our book does not know it
	twice, manual       bool
}

// till is the day of the other sides, beside that of deposits.
type till struct {
	*world
	trades, booked map[string][]string // lines by day
	settled, given map[string]int64
}

func newTill(t *testing.T) *till {
	return &till{world: newWorld(t), trades: map[string][]string{}, booked: map[string][]string{}, settled: map[string]int64{},
		given: map[string]int64{}}
}

// paid plans a payment that all sides hold.
func (w *till) paid(at time.Time, fen int64) charge {
	w.n++
	no := "P" + at.Format("060102") + fmt.Sprintf("%010d", w.n)
	return charge{no: no, trade: no + "C01", fen: fen, channel: fen, his: fen, at: at, channelAt: at, when: at.Add(time.Minute),
		status: "done", written: true}
}

// goesBack is a refund of a payment that all sides hold.
func (w *till) goesBack(of charge, at time.Time, fen int64) charge {
	c := of
	c.refund, c.back, c.fen, c.channel, c.his, c.at, c.channelAt, c.when = of.no+"R1", of.no+"K01", fen, fen, fen, at, at, at.Add(time.Minute)
	c.unknown, c.twice = false, false
	return c
}

func orderID(no string) string { return "p" + no[len(no)-14:] }

func (w *till) put(c charge) charge {
	w.t.Helper()
	id := orderID(c.no)
	switch {
	case c.unknown:
	case c.refund == "":
		paid, written, cash := stamp(c.at), stamp(c.when), "paid"
		if c.status == "paying" {
			paid, cash = "", "open"
		}
		if !c.written {
			written = ""
		}
		w.insert(collections.PaymentOrders, dbx.Params{"id": id, "no": c.no, "institution": inst, "patient": "p", "kind": "outpatient",
			"bill_no": "B" + c.no, "card_no": "C" + c.no, "channel": "wechat", "terminal": "h5", "total": c.fen, "cash": c.fen, "status": c.status,
			"cash_state": cash, "out_trade_no": c.trade, "channel_no": "42" + c.no, "receipt_no": "H" + c.no, "paid_at": paid,
			"written_at": written, "created": stamp(c.at), "updated": stamp(c.at), "version": 1})
		w.call(id, "trade", c.trade, c.fen)
	default:
		w.exec("UPDATE payment_orders SET cash_back = cash_back + " + fmt.Sprint(c.fen) + ", cash_state = CASE WHEN cash_back + " +
			fmt.Sprint(c.fen) +
			" = cash THEN 'refunded' ELSE 'part_refunded' END, status = '" + c.status + "' WHERE id = '" + id + "'")
		w.insert(collections.PaymentRefunds, dbx.Params{"id": "r" + id[1:], "order": id, "institution": inst, "seq": 1, "no": c.refund,
			"kind": "cash", "cash": c.fen, "cash_done": true, "state": "done", "asked_at": stamp(c.at), "done_at": stamp(c.when),
			"cash_no": "50" + c.no, "cash_at": stamp(c.at), "created": stamp(c.at), "updated": stamp(c.at)})
		w.call(id, "refund_cash", c.back, c.fen)
	}
	w.sides(c)
	return c
}

func (w *till) call(order, kind, no string, fen int64) {
	w.insert(collections.PaymentCalls, dbx.Params{"id": kind[:1] + order[1:], "order": order, "institution": inst, "kind": kind, "attempt": 1,
		"no": no, "amount": fen, "hash": "x", "state": "done", "created": stamp(w.at), "updated": stamp(w.at)})
}

// sides writes the lines of the channel and of HIS.
func (w *till) sides(c charge) {
	day := c.channelAt.Format(time.DateOnly)
	clock := c.channelAt.Format(time.DateTime)
	for range map[bool]int{false: 1, true: 2}[c.twice] {
		switch {
		case c.channel == 0:
		case c.refund == "":
			w.settled[day] += c.channel
			w.trades[day] = append(w.trades[day], fmt.Sprintf("`%s,`wx,`19,`42%s,`%s,`SUCCESS,`%s,`0,`0,`0.00,`,`", clock, c.no, c.trade,
				yuan(c.channel)))
		default:
			no := c.back
			if c.manual {
				no = "MANUAL" + c.no
			}
			w.given[day] += c.channel
			w.trades[day] = append(w.trades[day], fmt.Sprintf("`%s,`wx,`19,`42%s,`%s,`REFUND,`0.00,`50%s,`%s,`%s,`ORIGINAL,`SUCCESS", clock, c.no,
				c.trade, c.no, no, yuan(c.channel)))
		}
	}
	if c.his == 0 {
		return
	}
	no, amount := c.no, yuan(c.his)
	if c.refund != "" {
		no, amount = c.refund, "-"+amount
	}
	day = c.when.Format(time.DateOnly)
	w.booked[day] = append(w.booked[day], strings.Join([]string{no, "H" + no, "C" + c.no, amount, "微信", "成功", c.when.Format(time.DateTime)},
		","))
}

// refunds writes the deposits of the day into the trade bill, too.
func (w *till) refunds(day string) {
	for _, r := range w.days[day].WeChatTrade {
		w.given[day] += r.Fen
		w.trades[day] = append(w.trades[day], fmt.Sprintf("`%s,`wx,`19,`T%s,`TOPUP%s,`REFUND,`0.00,`%s,`%s,`%s,`ORIGINAL,`SUCCESS",
			r.At.Format(time.DateTime), r.No, r.No, r.No, r.Bill, yuan(r.Fen)))
	}
}

// bring accepts the trade bill and HIS's list of a day.
func (w *till) bring(day string) {
	w.t.Helper()
	text := "交易时间,公众账号ID,商户号,微信订单号,商户订单号,交易状态,应结订单金额,微信退款单号,商户退款单号,退款金额,退款类型,退款状态\r\n" +
		strings.Join(w.trades[day], "\r\n") + "\r\n总交易单数,应结订单总金额,退款总金额\r\n" +
		fmt.Sprintf("`%d,`%s,`%s\r\n", len(w.trades[day]), yuan(w.settled[day]), yuan(w.given[day]))
	w.file(day, "wechat", "trade", "trade.csv", text)
	w.file(day, "his", "charges", "charges.csv", "缴费单号,HIS收据号,就诊卡号,自费金额,支付渠道,状态,收费时间\n"+strings.Join(w.booked[day], "\n")+"\n")
}

func (w *till) file(day, source, kind, name, text string) {
	w.t.Helper()
	path := filepath.Join(w.t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		w.t.Fatal(err)
	}
	_, err := w.svc.Accept(context.Background(), books.Incoming{Institution: inst, Day: day, Source: source, Kind: kind, Path: path,
		Name: name})
	if err != nil {
		w.t.Fatalf("%s %s: %v", day, name, err)
	}
}

// found lists a day's open differences of a ledger as "kind number".
func (w *till) found(ledger books.Ledger, day string) (out []string) {
	w.t.Helper()
	list, _, err := w.svc.Differences(w.t.Context(), inst, books.Filter{Ledger: string(ledger), Day: day}, 1, 100)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, d := range list {
		if d.State == books.Resolved {
			continue
		}
		name := d.OrderNo
		if name == "" {
			name = d.BillNo
		}
		out = append(out, d.Kind+" "+name)
		if d.Explain == "" || d.Ledger != ledger {
			w.t.Errorf("%+v", d)
		}
	}
	slices.Sort(out)
	return out
}

func (w *till) pay(day string) books.Run {
	w.t.Helper()
	r, err := w.svc.Run(context.Background(), inst, books.Payments, day, books.Actor{})
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

// TestCharges_OneDayOfBothKinds: payments and deposits stand in the same bills, and
// each ledger has its own differences of every class, and no other's.
func TestCharges_OneDayOfBothKinds(t *testing.T) {
	w := newTill(t)
	day, next := "2026-11-09", "2026-11-10"
	at := func(clock string) time.Time { return beijing(day, clock) }
	w.put(w.paid(at("09:00:00"), 1200))
	half := w.put(w.paid(at("09:01:00"), 5000))
	w.put(w.goesBack(half, at("11:00:00"), 2000))
	strange := w.paid(at("09:02:00"), 700)
	strange.unknown = true
	w.put(strange)
	noMoney := w.paid(at("09:03:00"), 800)
	noMoney.channel = 0
	w.put(noMoney)
	unbooked := w.paid(at("09:04:00"), 900)
	unbooked.his = 0
	w.put(unbooked)
	odd := w.paid(at("09:05:00"), 1000)
	odd.channel = 1100
	w.put(odd)
	twice := w.paid(at("09:06:00"), 1300)
	twice.twice = true
	w.put(twice)
	late := w.paid(at("23:59:50"), 1400)
	late.channelAt, late.when = beijing(next, "00:00:10"), beijing(next, "00:00:20")
	w.put(late)
	kept := w.put(w.paid(at("09:08:00"), 1500))
	notBack := w.goesBack(kept, at("12:00:00"), 1500)
	notBack.channel, notBack.status = 0, "refunded"
	w.put(notBack)
	byHand := w.put(w.paid(at("09:09:00"), 1600))
	hand := w.goesBack(byHand, at("13:00:00"), 600)
	hand.unknown, hand.manual, hand.his = true, true, 0
	w.put(hand)
	refused := w.paid(at("09:10:00"), 1700)
	refused.his, refused.written = 0, false
	w.put(refused)
	gone := w.goesBack(refused, at("09:20:00"), 1700)
	gone.his, gone.status = 0, "refunded"
	w.put(gone)
	open := w.paid(at("09:11:00"), 1800)
	open.his, open.status, open.written = 0, "paying", false
	w.put(open)
	slow := w.paid(at("18:00:00"), 1900)
	slow.when = beijing(next, "08:30:00")
	w.put(slow)
	w.deposits(day)
	w.bring(day)
	w.bring(next)
	w.run(day)
	run := w.pay(day)

	want := []string{"amount " + odd.no, "duplicate " + twice.no, "missing_channel " + noMoney.no, "missing_channel " + notBack.refund,
		"missing_his " + unbooked.no, "missing_platform " + strange.no, "only_channel MANUAL" + hand.no, "state " + open.no}
	slices.Sort(want)
	if got := w.found(books.Payments, day); !slices.Equal(got, want) {
		t.Errorf("payments:\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if got := w.found(books.Deposits, day); len(got) != 1 || !strings.HasPrefix(got[0], "missing_his R") {
		t.Errorf("deposits: %v", got)
	}
	s := run.Summary.V
	if run.State != books.HasDifferences || s.Moved.In.Count != 2 || s.Rejects != 0 { // slow, and late by its own clock
		t.Errorf("%s %+v", run.State, s)
	}
	sums := map[string]money.Fen{"platform": 1200 + 5000 - 2000 + 800 + 900 + 1000 + 1300 + 1400 + 1500 - 1500 + 1600 + 1700 - 1700 + 1900}
	if got := run.Books["platform"].Amount; got != sums["platform"] {
		t.Errorf("platform %s, want %s", got, sums["platform"])
	}
	again := w.pay(day)
	if again.ID != run.ID {
		t.Errorf("the same again is run %d", again.Seq)
	}
}

// deposits puts two refunds of deposits into the same day, one unknown to HIS.
func (w *till) deposits(day string) {
	for _, his := range []bool{true, false} {
		w.n = (w.n + 5) / 6 * 6 // WeChat, back by the way it came
		at := beijing(day, "10:00:00")
		o := w.make(at, at.Add(time.Minute))
		o.channel, o.method = "wechat", "original"
		if !his {
			o.his = time.Time{}
		}
		w.add(o)
	}
	w.refunds(day)
	w.accept(day, func(b bill) bool { return b.source != "wechat" || b.kind != "trade" })
}

// TestCharges_WithoutHIS: where HIS gives no list, platform and channel are
// compared, and the page can tell.
func TestCharges_WithoutHIS(t *testing.T) {
	w := newTill(t)
	day := "2026-11-09"
	c := w.paid(beijing(day, "09:00:00"), 1200)
	w.put(c)
	lost := w.paid(beijing(day, "09:01:00"), 1300)
	lost.channel = 0
	w.put(lost)
	w.booked = map[string][]string{}
	w.file(day, "wechat", "trade", "trade.csv", "交易时间,公众账号ID,商户号,微信订单号,商户订单号,交易状态,应结订单金额,微信退款单号,商户退款单号,退款金额,退款类型,退款状态\r\n"+
		w.trades[day][0]+"\r\n总交易单数,应结订单总金额,退款总金额\r\n`1,`12.00,`0.00\r\n")
	run := w.pay(day)
	if _, has := run.Books["his"]; has || run.State != books.HasDifferences {
		t.Errorf("%s %+v", run.State, run.Books)
	}
	if got := w.found(books.Payments, day); len(got) != 1 || got[0] != "only_platform "+lost.no {
		t.Errorf("%v", got)
	}
}

// TestCharges_NumbersAreTold: by their form alone.
func TestCharges_NumbersAreTold(t *testing.T) {
	no := payment.OrderNo("x", beijing("2026-11-09", "09:00:00"))
	for n, want := range map[string]bool{no + "C01": true, no + "K02": true, no: false, "R2611090000000001T01": false, "": false,
		"P2611090000000001": false, strings.ToLower(no + "C01"): false} {
		if payment.Numbered(n) != want {
			t.Errorf("%q: %v", n, !want)
		}
	}
}
