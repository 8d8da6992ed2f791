package books

import (
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"hospay/calendar"
	"hospay/money"
	"hospay/reconcile"

	"github.com/pocketbase/dbx"
)

// returns are the payments that the bills send back (退回). One of the same day
// did not move; one of an earlier day belongs to the day of its bill, and there
// must be an order that gives the balance back.
type returns struct {
	sameDay map[string]bool   // numbers that were paid and came back on the day
	later   map[string]bool   // numbers that come back on the next day
	taken   map[string]bool   // numbers of earlier days that come back on the day
	sum     reconcile.Sum     // of the latter
	unknown []reconcile.Order // of the latter: nobody gives the balance back
}

// onItsDay reports whether an order's payment came back on the day on which it
// was paid: the bill says so, or our book, where the next bill does not know
// better.
func (r returns) onItsDay(o orderLine) bool {
	return r.sameDay[o.Bill] || (calendar.Day(o.Returned.Time()) <= calendar.Day(o.PaidAt.Time()) && !r.later[o.Bill])
}

// backSQL finds the order that a number has paid, and the order that gives its
// balance back.
const backSQL = "SELECT " + orderColumns + ", t.out_bill_no, COALESCE(c.created, '') AS returned FROM transfer_orders t JOIN " +
	"refund_orders o ON o.id = t.`order` " +
	"LEFT JOIN refund_orders c ON c.compensates = o.id AND c.compensates != '' WHERE t.out_bill_no = {:b} AND t.state = 'done' AND " +
	"o.institution = {:i} AND o.status = 'succeeded'"

// cameBack takes a return of a bill, unless it belongs to a payment of the day
// or to none that our book knows.
func (f *feeder) cameBack(st Statement, l reconcile.Line) (taken bool, err error) {
	if st.Day != f.day {
		if st.Day > f.day {
			f.back.later[l.BillNo] = true
		}
		return true, nil
	}
	if f.back.taken[l.BillNo] { // in the other bill of the channel as well
		return true, nil
	}
	var o orderLine
	err = f.App.ConcurrentDB().NewQuery(backSQL).Bind(dbx.Params{"b": l.BillNo, "i": f.inst}).WithContext(f.ctx).One(&o)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	if err == nil && !l.Returned() && l.Amount != money.Fen(o.Amount) { // not a name of returns, and not the payment's amount
		return false, nil
	}
	if paid := calendar.Day(o.PaidAt.Time()); err != nil || paid >= f.day {
		f.back.sameDay[l.BillNo] = paid == f.day
		return false, err
	}
	f.back.taken[l.BillNo] = true
	f.back.sum.Count++
	f.back.sum.Amount += l.Amount
	fmt.Fprintln(f.sum, "back", l, o.Returned.IsZero())
	if o.Returned.IsZero() {
		f.back.unknown = append(f.back.unknown, o.unknownReturn(l))
	}
	return true, nil
}

// unknownReturn is the difference of a payment that came back on a later day
// without our book's knowing.
func (o orderLine) unknownReturn(l reconcile.Line) reconcile.Order {
	side := func(status reconcile.Status, at int64, amount money.Fen) *reconcile.Entry {
		return &reconcile.Entry{Amount: amount, Status: status, At: at, Channel: o.Channel, Method: o.Method, CardNo: o.Card}
	}
	text := "渠道账单把 %s 付出的这笔退款退回了，平台仍记到账，也没有为它恢复患者余额：多半是渠道的退回通知没有收到。请向渠道核实，在 HIS 恢复患者余额或凭凭证另付，注明后以“更正”处理。长款 %s：钱已回到商户账户。"
	return reconcile.Order{
		OrderNo: o.No, BillNo: o.Bill, HISNo: o.HISNo, Kind: reconcile.State, Gap: l.Amount,
		Explain: fmt.Sprintf(text, calendar.Day(o.PaidAt.Time()), l.Amount),
		Books: [...]*reconcile.Entry{reconcile.Platform: side(reconcile.Succeeded, o.PaidAt.Time().Unix(), money.Fen(o.Amount)),
			reconcile.Channel: side(reconcile.Failed, l.At, l.Amount), reconcile.HIS: nil},
	}
}

// addReturns brings what came back for earlier days into a result.
func (f *feeder) addReturns(res *reconcile.Result) {
	s := &res.Summary
	for _, sum := range []*reconcile.Sum{&s.Returned, &s.Other} {
		sum.Count += f.back.sum.Count
		sum.Amount += f.back.sum.Amount
	}
	for _, o := range f.back.unknown {
		res.Differences = append(slices.DeleteFunc(res.Differences, func(d reconcile.Order) bool { return d.OrderNo == o.OrderNo }), o)
		s.Orders++
		s.Overage += o.Gap
		c := o.Books[reconcile.Platform]
		for i := range s.Channels {
			if s.Channels[i].Channel == c.Channel && s.Channels[i].Method == c.Method {
				s.Channels[i].Differences++
			}
		}
	}
}
