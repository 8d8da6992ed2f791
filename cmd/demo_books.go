package cmd

import (
	"context"
	"fmt"
	"io"
	"slices"
	"time"

	"hospay/books"
	"hospay/calendar"
	"hospay/lab/demo"
	"hospay/reconcile"
)

// demoBooks fetches the bills of the past days and of the demo day from the
// simulators, which give the last out on the same day, reconciles them, and
// prints what finance sees in the morning. It reports whether the past has
// just the differences that were planted.
func demoBooks(ctx context.Context, rt *Runtime, day *demo.Day, past demo.Told, out io.Writer) (ok bool, err error) {
	if err := day.OpenBills(ctx); err != nil {
		return false, err
	}
	insts, err := rt.Books.Institutions(ctx)
	if err != nil || len(insts) == 0 {
		return false, err
	}
	inst := insts[0]
	ok = true
	today, err := time.ParseInLocation(time.DateOnly, day.Date, calendar.Beijing)
	if err != nil {
		return false, err
	}
	if past.Days > 0 {
		fmt.Fprintf(out, "\n三方对账，此前 %d 天（账单取自模拟器）\n", past.Days)
		found := 0
		for back := past.Days; back >= 1; back-- {
			views, list, err := bookDay(ctx, rt, inst, today.AddDate(0, 0, -back).Format(time.DateOnly))
			if err != nil {
				return false, err
			}
			for _, d := range list {
				if d.State != books.Carried {
					found++
					fmt.Fprintf(out, "  %s  %s  %s  %s\n", d.Day, padded(d.Kind, 16), d.OrderNo, d.Explain)
				}
			}
			for _, view := range views {
				if view.State == books.Incomplete {
					ok = false
					fmt.Fprintf(out, "  %s  %s账单未齐：%v\n", view.Date, view.Ledger.Chinese(), view.Summary.Missing)
				}
			}
		}
		if found != len(past.Planted) {
			ok = false
		}
		fmt.Fprintf(out, "  找到 %d 处差异，故意留下 %d 处\n", found, len(past.Planted))
	}
	planted, err := plantPayments(ctx, rt, day)
	if err != nil {
		return false, err
	}
	views, list, err := bookDay(ctx, rt, inst, day.Date)
	if err != nil {
		return false, err
	}
	for _, view := range views {
		printBooks(out, view, *view.Summary, list)
	}
	found := paidDifferences(list)
	fmt.Fprintf(out, "  缴费和医保：找到 %d 处差异，故意留下 %d 处\n", len(found), len(planted))
	return ok && slices.Equal(found, planted), nil
}

// plantPayments spoils what HIS has booked of one payment and what the centre has of
// one settlement, so that each ledger of the day has one difference to find.
func plantPayments(ctx context.Context, rt *Runtime, day *demo.Day) (planted []string, err error) {
	var paid []struct {
		No   string `db:"no"`
		Cash int64  `db:"cash"`
	}
	db := rt.App.ConcurrentDB()
	err = db.NewQuery("SELECT no, cash FROM payment_orders WHERE status = 'done' AND insured = FALSE AND cash > 0 ORDER BY no LIMIT 1").
		WithContext(ctx).All(&paid)
	if err != nil || len(paid) == 0 {
		return nil, err
	}
	var settled []string
	err = db.NewQuery("SELECT med_org_ord FROM payment_orders WHERE status = 'done' AND insurance_state = 'settled' AND fund > " +
		"0 ORDER BY no " +
		"" +
		"LIMIT 1").WithContext(ctx).Column(&settled)
	if err != nil || len(settled) == 0 {
		return nil, err
	}
	if err := day.Plant(ctx, paid[0].No, paid[0].Cash+100, settled[0]); err != nil {
		return nil, err
	}
	return []string{"insurance only_platform", "payments amount"}, nil
}

// paidDifferences are the differences of payments and of the insurance.
func paidDifferences(list []books.Difference) (out []string) {
	for _, d := range list {
		if d.Ledger != books.Deposits && d.State != books.Resolved {
			out = append(out, string(d.Ledger)+" "+d.Kind)
		}
	}
	slices.Sort(out)
	return out
}

// bookDay fetches what is missing of a day's bills and reconciles it, in every
// ledger that is in use.
func bookDay(ctx context.Context, rt *Runtime, inst, date string) (views []books.DayView, list []books.Difference, err error) {
	if err := rt.Books.FetchDay(ctx, inst, date); err != nil {
		return nil, nil, fmt.Errorf("%s 的账单：%w", date, err)
	}
	if err := rt.Books.RunAll(ctx, inst, date, books.Actor{}); err != nil {
		return nil, nil, fmt.Errorf("%s 的对账：%w", date, err)
	}
	for _, ledger := range books.Ledgers() {
		view, err := rt.Books.Day(ctx, inst, ledger, date)
		if err != nil {
			return views, nil, err
		}
		if view.Summary != nil {
			views = append(views, view)
		}
	}
	list, _, err = rt.Books.Differences(ctx, inst, books.Filter{Day: date}, 1, 50)
	return views, list, err
}

func printBooks(out io.Writer, v books.DayView, s books.RunSummary, list []books.Difference) {
	fmt.Fprintf(out, "\n%s对账 %s（账单取自模拟器）\n", v.Ledger.Chinese(), v.Date)
	for _, b := range []struct {
		key, name string
	}{{"platform", "平台"}, {reconcile.ChannelWeChat, "微信"}, {reconcile.ChannelAlipay, "支付宝"}, {books.SourceCentre, "医保中心"},
		{books.SourceHIS, "HIS"}} {
		if sum, has := v.Books[b.key]; has {
			fmt.Fprintf(out, "  %s%6d 笔 %14s 元\n", padded(b.name, 10), sum.Count, sum.Amount.Yuan())
		}
	}
	if s.Moved.Out.Count > 0 {
		fmt.Fprintf(out, "  其中 HIS 本日记账、他日收付 %d 笔 %s 元，归入收付日\n", s.Moved.Out.Count, s.Moved.Out.Amount.Yuan())
	}
	for _, d := range list {
		if d.Ledger == v.Ledger {
			fmt.Fprintf(out, "  %s  %s  %s\n", padded(d.Kind, 16), d.OrderNo, d.Explain)
		}
	}
	words := map[string]string{books.Balanced: "各方一致，账平", books.HasDifferences: "有差异，逐笔如上",
		books.Incomplete: fmt.Sprintf("账单未齐：%v", s.Missing)}
	fmt.Fprintf(out, "  %d 笔订单，一致 %d 笔，未处理 %d 笔：%s\n", s.Orders, s.Matched, v.Open, words[v.State])
}
