package cmd

import (
	"context"
	"fmt"
	"io"

	"hospay/internal/demo"
	"hospay/jobs"
	"hospay/recon"
	"hospay/reconcile"
)

// demoBooks fetches the bills of the demo day from the simulators, which give
// them out on the same day, reconciles it, and prints what finance sees in the
// morning.
func demoBooks(ctx context.Context, rt *Runtime, day *demo.Day, out io.Writer) error {
	if err := day.OpenBills(ctx); err != nil {
		return err
	}
	insts, err := rt.Books.Institutions(ctx)
	if err != nil || len(insts) == 0 {
		return err
	}
	inst := insts[0]
	if err := jobs.FetchDay(ctx, rt.Store, rt.Books, inst, day.Date); err != nil {
		return err
	}
	run, err := rt.Books.Run(ctx, inst, day.Date, recon.Actor{})
	if err != nil {
		return err
	}
	view, err := rt.Books.Day(ctx, inst, day.Date)
	if err != nil {
		return err
	}
	list, _, err := rt.Books.Differences(ctx, inst, recon.Filter{Day: day.Date}, 1, 50)
	if err != nil {
		return err
	}
	printBooks(out, view, run.Summary.V, list)
	return nil
}

func printBooks(out io.Writer, v recon.DayView, s recon.RunSummary, list []recon.Difference) {
	fmt.Fprintf(out, "\n三方对账 %s（账单取自模拟器）\n", v.Date)
	for _, b := range []struct{ key, name string }{{"platform", "平台"}, {reconcile.ChannelWeChat, "微信"}, {reconcile.ChannelAlipay, "支付宝"}, {recon.SourceHIS, "HIS"}} {
		sum := v.Books[b.key]
		fmt.Fprintf(out, "  %s%6d 笔 %14s 元\n", padded(b.name, 10), sum.Count, sum.Amount.Yuan())
	}
	if s.Moved.Out.Count > 0 {
		fmt.Fprintf(out, "  其中 HIS 本日扣减、他日付款 %d 笔 %s 元，归入付款日\n", s.Moved.Out.Count, s.Moved.Out.Amount.Yuan())
	}
	for _, d := range list {
		fmt.Fprintf(out, "  %s  %s  %s\n", padded(d.Kind, 16), d.OrderNo, d.Explain)
	}
	words := map[string]string{recon.Balanced: "三方一致，账平", recon.HasDifferences: "有差异，逐笔如上", recon.Incomplete: fmt.Sprintf("账单未齐：%v", s.Missing)}
	fmt.Fprintf(out, "  %d 笔订单，一致 %d 笔，未处理 %d 笔：%s\n", s.Orders, s.Matched, v.Open, words[v.State])
}
