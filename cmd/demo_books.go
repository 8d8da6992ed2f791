package cmd

import (
	"context"
	"fmt"
	"io"
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
			view, list, err := bookDay(ctx, rt, inst, today.AddDate(0, 0, -back).Format(time.DateOnly))
			if err != nil {
				return false, err
			}
			for _, d := range list {
				if d.State != books.Carried {
					found++
					fmt.Fprintf(out, "  %s  %s  %s  %s\n", view.Date, padded(d.Kind, 16), d.OrderNo, d.Explain)
				}
			}
			if view.State == books.Incomplete {
				ok = false
				fmt.Fprintf(out, "  %s  账单未齐：%v\n", view.Date, view.Summary.Missing)
			}
		}
		if found != len(past.Planted) {
			ok = false
		}
		fmt.Fprintf(out, "  找到 %d 处差异，故意留下 %d 处\n", found, len(past.Planted))
	}
	view, list, err := bookDay(ctx, rt, inst, day.Date)
	if err != nil {
		return false, err
	}
	printBooks(out, view, *view.Summary, list)
	return ok, nil
}

// bookDay fetches what is missing of a day's bills and reconciles it.
func bookDay(ctx context.Context, rt *Runtime, inst, date string) (books.DayView, []books.Difference, error) {
	if err := rt.Books.FetchDay(ctx, inst, date); err != nil {
		return books.DayView{}, nil, fmt.Errorf("%s 的账单：%w", date, err)
	}
	if _, err := rt.Books.Run(ctx, inst, date, books.Actor{}); err != nil {
		return books.DayView{}, nil, fmt.Errorf("%s 的对账：%w", date, err)
	}
	view, err := rt.Books.Day(ctx, inst, date)
	if err != nil {
		return view, nil, err
	}
	list, _, err := rt.Books.Differences(ctx, inst, books.Filter{Day: date}, 1, 50)
	return view, list, err
}

func printBooks(out io.Writer, v books.DayView, s books.RunSummary, list []books.Difference) {
	fmt.Fprintf(out, "\n三方对账 %s（账单取自模拟器）\n", v.Date)
	for _, b := range []struct {
		key, name string
	}{{"platform", "平台"}, {reconcile.ChannelWeChat, "微信"}, {reconcile.ChannelAlipay, "支付宝"}, {books.SourceHIS, "HIS"}} {
		sum := v.Books[b.key]
		fmt.Fprintf(out, "  %s%6d 笔 %14s 元\n", padded(b.name, 10), sum.Count, sum.Amount.Yuan())
	}
	if s.Moved.Out.Count > 0 {
		fmt.Fprintf(out, "  其中 HIS 本日扣减、他日付款 %d 笔 %s 元，归入付款日\n", s.Moved.Out.Count, s.Moved.Out.Amount.Yuan())
	}
	for _, d := range list {
		fmt.Fprintf(out, "  %s  %s  %s\n", padded(d.Kind, 16), d.OrderNo, d.Explain)
	}
	words := map[string]string{books.Balanced: "三方一致，账平", books.HasDifferences: "有差异，逐笔如上",
		books.Incomplete: fmt.Sprintf("账单未齐：%v", s.Missing)}
	fmt.Fprintf(out, "  %d 笔订单，一致 %d 笔，未处理 %d 笔：%s\n", s.Orders, s.Matched, v.Open, words[v.State])
}
