package books

import (
	"context"
	"slices"

	"hospay/calendar"
	"hospay/flow"
	"hospay/reconcile"

	"github.com/pocketbase/dbx"
)

// Ledger is one of the kinds of books of an institution. Each is compared, shown
// and worked off by itself; a month is closed for all of them.
type Ledger string

// The ledgers.
const (
	Deposits  Ledger = "deposits"  // 退预交金
	Payments  Ledger = "payments"  // 缴费与退费的自费部分
	Insurance Ledger = "insurance" // the insurance's part, compared with the centre (3201, 3202)
)

// Ledgers lists them in the order of pages and forms.
func Ledgers() []Ledger { return []Ledger{Deposits, Payments, Insurance} }

// Chinese is the name on pages and forms.
func (l Ledger) Chinese() string {
	return map[Ledger]string{Deposits: "退款", Payments: "缴费", Insurance: "医保"}[l]
}

// ReadLedger reads the name of a ledger; empty means that of deposits.
func ReadLedger(name string) (Ledger, error) {
	if name == "" {
		return Deposits, nil
	}
	if l := Ledger(name); slices.Contains(Ledgers(), l) {
		return l, nil
	}
	return "", flow.NewError(flow.CodeBadRequest, "")
}

// The kinds of bills that a ledger reads by name.
const (
	kindTrade   = "trade"   // of the channels: the business behind the movements
	kindCharges = "charges" // of HIS: what was booked of bills
	kindTotals  = "totals"  // of the centre: 3201
	kindDetail  = "detail"  // of the centre: 3202
)

// SourceCentre is the source of what the insurance centre answers.
const SourceCentre = "centre"

// reads reports whether a ledger reads a bill.
func (l Ledger) reads(st Statement) bool {
	switch l {
	case Payments:
		return st.Kind == kindCharges || st.Kind == kindTrade
	case Insurance:
		return st.Source == SourceCentre
	}
	return st.Source != SourceCentre && st.Kind != kindCharges
}

// InUse reports whether an institution has something in a ledger on a day: bills
// are paid here since, the insurance has its books with a centre that has 3201.
func (s *Service) InUse(ctx context.Context, inst string, l Ledger, day string) (bool, error) {
	if l == Deposits {
		return true, nil
	}
	_, to, err := calendar.ParseDay(day)
	if err != nil {
		return false, err
	}
	sql := "SELECT EXISTS (SELECT 1 FROM payment_orders WHERE institution = {:i} AND created < {:to})"
	if l == Insurance {
		if !s.insuranceOn(ctx, inst) {
			return false, nil
		}
		sql = "SELECT EXISTS (SELECT 1 FROM payment_orders WHERE institution = {:i} AND settled_at != '' AND settled_at < {:to})"
	}
	used := false
	err = s.App.ConcurrentDB().NewQuery(sql).Bind(dbx.Params{"i": inst, "to": stamp(to)}).WithContext(ctx).Row(&used)
	return used, err
}

// inUse lists the ledgers of an institution on a day.
func (s *Service) inUse(ctx context.Context, inst, day string) (out []Ledger, err error) {
	for _, l := range Ledgers() {
		used, err := s.InUse(ctx, inst, l, day)
		if err != nil {
			return out, err
		}
		if used {
			out = append(out, l)
		}
	}
	return out, nil
}

// methodOf is the method that an order has in the first book that tells one.
func methodOf(o reconcile.Order) string {
	for _, e := range o.Books {
		if e != nil && e.Method != "" {
			return e.Method
		}
	}
	return ""
}

// paid reports whether an order is of a payment, there or back.
func ofPayment(o reconcile.Order) bool {
	m := methodOf(o)
	return m == reconcile.MethodPay || m == reconcile.MethodBack
}
