package books

import (
	"github.com/pocketbase/dbx"

	"hospay/calendar"
	"hospay/payment"
	"hospay/reconcile"
)

// paidBills tells the lines of the channels' bills that belong to the books of
// payments: what those do not read stays with the deposits, so that nothing falls
// between.
type paidBills struct {
	manual map[string]bool // numbers under which others have given payments of ours back
	seen   map[string]bool // numbers of ours in the trade bills, which the books of payments read
}

// ofPayment reports whether a line of a bill belongs to the books of payments: by
// the form of its number, or by the payment that it gives back. A movement of the
// account must stand in a trade bill as well, or be known to our book.
func (f *feeder) ofPayment(l reconcile.Line) (bool, error) {
	switch {
	case f.paidBills.manual[l.BillNo] || l.ChannelNo != "" && f.paidBills.manual[l.ChannelNo]:
		return true, nil
	case !payment.Numbered(l.BillNo) && !payment.Numbered(l.Of):
		return false, nil
	case l.Source == reconcile.Trade || l.Back || f.paidBills.seen[l.BillNo]:
		return true, nil
	}
	var n int
	err := f.App.ConcurrentDB().NewQuery("SELECT COUNT(*) FROM payment_calls WHERE no = {:n} AND institution = {:i}").
		Bind(dbx.Params{"n": l.BillNo, "i": f.inst}).WithContext(f.ctx).Row(&n)
	return n > 0, err
}

// findPaid reads the trade bills for the numbers that movements of the account
// name alone.
func (f *feeder) findPaid(bills []Statement) error {
	f.paidBills = paidBills{manual: map[string]bool{}, seen: map[string]bool{}}
	for _, st := range bills {
		if st.Kind != kindTrade || st.State != Ready || st.Day < calendar.Shift(f.day, -1) || st.Day > calendar.Shift(f.day, 1) {
			continue
		}
		err := f.scan(st, func(l reconcile.Line) error {
			if !payment.Numbered(l.Of) {
				return nil
			}
			f.paidBills.seen[l.BillNo], f.paidBills.seen[l.Of] = true, true
			if payment.Numbered(l.BillNo) {
				return nil
			}
			f.paidBills.manual[l.BillNo] = true
			if l.Channel == reconcile.ChannelWeChat { // Alipay numbers the payment, not what goes back
				f.paidBills.manual[l.ChannelNo] = true
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}
