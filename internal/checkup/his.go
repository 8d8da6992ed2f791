package checkup

import (
	"context"
	"fmt"
	"strings"
	"time"

	"hospay/calendar"
	"hospay/flow"
	"hospay/money"
	"hospay/refund"
)

// Patient is a test patient.
type Patient struct {
	No   string `json:"patient"`
	IDNo string `json:"id_no"`
	Name string `json:"name"`
}

// Read runs every HIS call that only reads, and returns the patient's card
// when there is one.
func (l *List) Read(ctx context.Context, his refund.HIS, p Patient) (card string) {
	var person refund.Person
	l.step("person 患者信息", func() (string, error) {
		var err error
		person, err = his.Person(ctx, refund.Identity{PatientNo: p.No, IDType: "01", IDNo: p.IDNo, Name: p.Name})
		return "查到", err
	})
	l.step("cards 就诊卡", func() (string, error) {
		cards, err := his.Cards(ctx, person)
		if len(cards) > 0 {
			card = cards[0].No
			err = unread(cards[0])
		}
		return fmt.Sprintf("%d 张", len(cards)), err
	})
	if card == "" {
		return ""
	}
	l.step("card 余额和预交金", func() (string, error) {
		c, err := his.Card(ctx, card)
		if err == nil {
			err = unread(c)
		}
		return fmt.Sprintf("余额 %s，可退 %s，%d 笔预交金", c.Balance, c.Refundable, len(c.Deposits)), err
	})
	return card
}

// unread names the fields of a card that could not be read.
func unread(c refund.Card) error {
	if len(c.Unread) == 0 {
		return nil
	}
	return fmt.Errorf("无法识别的字段：%s", strings.Join(c.Unread, "；"))
}

// Reach asks what needs no patient: a number that does not exist.
func (l *List) Reach(ctx context.Context, his refund.HIS, traits refund.HISTraits) {
	l.step("连接与应答", func() (string, error) { return "应答可信", Ping(ctx, his, traits) })
}

// Statement counts the lines of a day.
func (l *List) Statement(ctx context.Context, his refund.HIS, day string) {
	l.step("statement 对账明细", func() (string, error) {
		n := 0
		err := his.Statement(ctx, day, func(refund.StatementLine) error { n++; return nil })
		return fmt.Sprintf("%s 有 %d 行", day, n), err
	})
}

// Move debits the test card, asks for the debit, repeats it, undoes it and
// asks for the reversal: the six answers that money depends on. Whoever stops
// waiting does not stop it: the debit is undone all the same.
func (l *List) Move(ctx context.Context, his refund.HISLedger, card string, amount money.Fen, at time.Time) {
	ctx = context.WithoutCancel(ctx)
	stamp := strings.ReplaceAll(at.In(calendar.Beijing).Format("060102150405.000"), ".", "") // two probes of one second are two
	d := refund.Debit{No: "PROBE" + stamp + "D01", OrderNo: "PROBE" + stamp, CardNo: card, Amount: amount, Method: refund.MethodTransfer,
		Channel: "wechat"}
	var first refund.HISAnswer
	l.step("query_debit 不存在的流水号", func() (string, error) { return want(his.QueryDebit(ctx, d), refund.HISNotFound) })
	l.step("debit 退预交金", func() (string, error) {
		first = his.Debit(ctx, d)
		return want(first, refund.HISDone)
	})
	l.step("query_debit 查询", func() (string, error) { return want(his.QueryDebit(ctx, d), refund.HISDone) })
	l.step("debit 同号重复", func() (string, error) {
		again := his.Debit(ctx, d)
		if again.Verdict == flow.Done && again.HISNo != first.HISNo {
			return "", fmt.Errorf("同一流水号得到两笔退款 %s 和 %s：不幂等", first.HISNo, again.HISNo)
		}
		return want(again, refund.HISDone)
	})
	v := d
	v.No, v.DebitNo, v.HISNo = "PROBE"+stamp+"V01", d.No, first.HISNo
	l.step("reverse 撤销", func() (string, error) { return want(his.Reverse(ctx, v), refund.HISDone) })
	l.step("query_reverse 查询撤销", func() (string, error) { return want(his.QueryReverse(ctx, v), refund.HISDone) })
}

func want(ans refund.HISAnswer, state refund.HISState) (string, error) {
	if ans.Unread != "" {
		return "", fmt.Errorf("无法识别的字段：%s", ans.Unread)
	}
	if ans.Verdict != flow.Done || ans.State != state {
		return "", fmt.Errorf("应为 %s，得到 %s %s（%s %s）", state, ans.Verdict, ans.State, ans.Reason.Code, ans.Reason.Message)
	}
	return fmt.Sprintf("%s %s", ans.State, ans.HISNo), nil
}
