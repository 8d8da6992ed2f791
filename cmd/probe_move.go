package cmd

import (
	"context"
	"fmt"
	"time"

	"hospay/money"
	"hospay/refund"
)

// move debits the test card, asks for the debit, repeats it, undoes it and
// asks for the reversal: the six answers that money depends on.
func (p *probe) move(ctx context.Context, his refund.HISLedger, card string) {
	stamp := time.Now().In(refund.Beijing).Format("20060102150405")
	d := refund.Debit{No: "PROBE" + stamp + "D01", OrderNo: "PROBE" + stamp, CardNo: card, Amount: money.Fen(p.fen), Method: refund.MethodTransfer, Channel: "wechat"}
	var first refund.HISAnswer
	p.step("query_debit 不存在的流水号", func() (string, error) { return want(his.QueryDebit(ctx, d), refund.HISNotFound) })
	p.step("debit 退预交金", func() (string, error) {
		first = his.Debit(ctx, d)
		return want(first, refund.HISDone)
	})
	p.step("query_debit 查询", func() (string, error) { return want(his.QueryDebit(ctx, d), refund.HISDone) })
	p.step("debit 同号重复", func() (string, error) {
		again := his.Debit(ctx, d)
		if again.Verdict == refund.Done && again.HISNo != first.HISNo {
			return "", fmt.Errorf("同一流水号得到两笔退款 %s 和 %s：不幂等", first.HISNo, again.HISNo)
		}
		return want(again, refund.HISDone)
	})
	v := d
	v.No, v.DebitNo, v.HISNo = "PROBE"+stamp+"V01", d.No, first.HISNo
	p.step("reverse 撤销", func() (string, error) { return want(his.Reverse(ctx, v), refund.HISDone) })
	p.step("query_reverse 查询撤销", func() (string, error) { return want(his.QueryReverse(ctx, v), refund.HISDone) })
}

func want(ans refund.HISAnswer, state refund.HISState) (string, error) {
	if ans.Verdict != refund.Done || ans.State != state {
		return "", fmt.Errorf("应为 %s，得到 %s %s（%s %s）", state, ans.Verdict, ans.State, ans.Reason.Code, ans.Reason.Message)
	}
	return fmt.Sprintf("%s %s", ans.State, ans.HISNo), nil
}
