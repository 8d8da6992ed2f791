package refund

import (
	"errors"
	"testing"
	"time"

	"hospay/calendar"
	"hospay/flow"
	"hospay/money"

	"pgregory.net/rapid"
)

const year = 365 * 24 * time.Hour

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, calendar.Beijing)

// goodApplication is one that every check lets through.
func goodApplication() (Application, Situation) {
	a := Application{
		CardNo: "C1", Amount: 10_000, Method: MethodTransfer, Channel: "alipay", NoticeVersion: "3", NotifyPhone: "13800138000",
		Payee: Payee{Account: "13800138000", Type: AccountAlipayLogonID, Name: "张三"},
	}
	card := &Card{No: "C1", Name: "张三", Balance: 60_000, Refundable: 50_000, Deposits: []Deposit{
		{No: "D1", Amount: 30_000, Refundable: 30_000, Channel: "alipay", Payment: Payment{TradeNo: "P1", PaidAt: noon.Add(-24 * time.Hour)}},
		{No: "D2", Amount: 20_000, Refundable: 20_000, Channel: "alipay", Payment: Payment{TradeNo: "P2", PaidAt: noon.Add(-2 * year)}},
		{No: "D3", Amount: 10_000, Refundable: 0, Channel: "cash"},
	}}
	return a, Situation{
		Institution: Institution{Active: true, Methods: []Method{MethodOriginal, MethodTransfer}, DayLimit: 3, MinAmount: 100, NoticeNo: "3"},
		Card:        card, ChannelOn: true, Now: noon,
		Channel: Capabilities{Methods: []Method{MethodOriginal, MethodTransfer}, MinAmount: 10, SingleLimit: 40_000, OriginalWindow: year},
	}
}

func TestCheck_EveryRefusalByItsRule(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*Application, *Situation)
		want   flow.Code
	}{
		{"一切合规", func(*Application, *Situation) {}, ""},
		{"机构停用", func(_ *Application, s *Situation) { s.Institution.Active = false }, flow.CodeInstitutionOff},
		{"须知已更新", func(a *Application, _ *Situation) { a.NoticeVersion = "2" }, CodeNoticeOutdated},
		{"未读须知", func(a *Application, _ *Situation) { a.NoticeVersion = "" }, CodeNoticeOutdated},
		{"机构没有须知", func(a *Application, s *Situation) { a.NoticeVersion, s.Institution.NoticeNo = "", "" }, ""},
		{"代办未获批", func(a *Application, _ *Situation) { a.Proxy = "x" }, CodeProxyNotApproved},
		{"不是本人的卡", func(_ *Application, s *Situation) { s.Card = nil }, flow.CodeCardNotYours},
		{"未知退款方式", func(a *Application, _ *Situation) { a.Method = "cash" }, CodeMethodOff},
		{"机构未开通转账退", func(_ *Application, s *Situation) { s.Institution.Methods = []Method{MethodOriginal} }, CodeMethodOff},
		{"渠道停用", func(_ *Application, s *Situation) { s.ChannelOn = false }, flow.CodeChannelOff},
		{"渠道不支持该方式", func(_ *Application, s *Situation) { s.Channel.Methods = []Method{MethodOriginal} }, flow.CodeChannelOff},
		{"金额为零", func(a *Application, _ *Situation) { a.Amount = 0 }, flow.CodeAmountInvalid},
		{"金额为负", func(a *Application, _ *Situation) { a.Amount = -1 }, flow.CodeAmountInvalid},
		{"金额溢出", func(a *Application, s *Situation) { a.Amount, s.Card.Refundable = money.Max+1, money.Max+2 }, flow.CodeAmountInvalid},
		{"超出可退余额一分", func(a *Application, s *Situation) { a.Amount = s.Card.Refundable + 1 }, CodeOverBalance},
		{"低于机构起退金额", func(a *Application, _ *Situation) { a.Amount = 99 }, CodeBelowMinimum},
		{"低于渠道起退金额", func(a *Application, s *Situation) { a.Amount, s.Channel.MinAmount = 150, 200 }, CodeBelowMinimum},
		{"恰为起退金额", func(a *Application, _ *Situation) { a.Amount = 100 }, ""},
		{"超单笔限额一分", func(a *Application, _ *Situation) { a.Amount = 40_001 }, CodeOverSingleLimit},
		{"恰为单笔限额", func(a *Application, _ *Situation) { a.Amount = 40_000 }, ""},
		{"姓名不一致", func(a *Application, _ *Situation) { a.Payee.Name = "李四" }, CodeNameMismatch},
		{"没有姓名", func(a *Application, _ *Situation) { a.Payee.Name = "" }, CodeNameMismatch},
		{"卡上没有姓名", func(a *Application, s *Situation) { a.Payee.Name, s.Card.Name = "", "" }, CodeNameMismatch},
		{"姓名间隔号不同", func(a *Application, s *Situation) {
			a.Payee.Name, s.Card.Name = "买买提•艾力", "买买提·艾力"
		}, ""},
		{"手机号少一位", func(a *Application, _ *Situation) { a.NotifyPhone = "1380013800" }, flow.CodePhoneInvalid},
		{"手机号含字母", func(a *Application, _ *Situation) { a.NotifyPhone = "1380013800a" }, flow.CodePhoneInvalid},
		{"手机号首位不是一", func(a *Application, _ *Situation) { a.NotifyPhone = "23800138000" }, flow.CodePhoneInvalid},
		{"微信未绑定", func(a *Application, _ *Situation) { a.Channel, a.Payee.Account = "wechat", "" }, flow.CodeChannelNotBound},
		{"支付宝账号是脚本", func(a *Application, _ *Situation) { a.Payee.Account = "<script>@example.com" }, CodeAccountInvalid},
		{"支付宝账号带换行", func(a *Application, _ *Situation) { a.Payee.Account = "a@example.com\n" }, CodeAccountInvalid},
		{"支付宝账号少一位", func(a *Application, _ *Situation) { a.Payee.Account = "1380013800" }, CodeAccountInvalid},
		{"支付宝用户号不是数字", func(a *Application, _ *Situation) {
			a.Payee.Account, a.Payee.Type = "2088<script>0000", AccountAlipayUserID
		}, CodeAccountInvalid},
		{"支付宝邮箱", func(a *Application, _ *Situation) { a.Payee.Account = "li.si+1@mail.example.com" }, ""},
		{"支付宝账号未填", func(a *Application, _ *Situation) { a.Payee.Account = "" }, flow.CodeAccountRequired},
		{"原路退", func(a *Application, _ *Situation) { a.Method, a.Payee.Account = MethodOriginal, "" }, ""},
		{"原路退没有渠道缴费", func(a *Application, s *Situation) { a.Method, s.Card.Deposits = MethodOriginal, nil }, CodeNoOriginalPayment},
		{"原路退缴费已过期", func(a *Application, _ *Situation) { a.Method, a.DepositNo = MethodOriginal, "D2" }, CodeDepositTooOld},
		{"原路退恰满一年", func(a *Application, s *Situation) {
			a.Method, a.DepositNo, s.Card.Deposits[0].Payment.PaidAt = MethodOriginal, "D1", noon.Add(-year)
		}, CodeDepositTooOld},
		{"原路退超过该笔缴费", func(a *Application, _ *Situation) { a.Method, a.Amount = MethodOriginal, 30_001 }, CodeOverBalance},
		{"卡有在途单", func(_ *Application, s *Situation) { s.OtherActive = true }, flow.CodeActiveOrderExists},
		{"当日次数用完", func(_ *Application, s *Situation) { s.OrdersToday = 3 }, CodeTooManyToday},
		{"当日还剩一次", func(_ *Application, s *Situation) { s.OrdersToday = 2 }, ""},
		{"不限次数", func(_ *Application, s *Situation) { s.OrdersToday, s.Institution.DayLimit = 99, 0 }, ""},
	} {
		a, s := goodApplication()
		c.change(&a, &s)
		err := Check(a, s)
		if flow.CodeOf(err) != c.want || (err != nil) != (c.want != "") {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
		if c.want != "" && !errors.Is(err, flow.NewError(c.want, "")) {
			t.Errorf("%s: the error does not compare", c.name)
		}
	}
}

// TestAdvise_SumsToTheFen holds for any card, channels and limits: routes and
// rest are the refundable amount, and the checks let every route through.
func TestAdvise_SumsToTheFen(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		amount := rapid.Int64Range(0, 200_000)
		window := time.Duration(rapid.IntRange(0, 2).Draw(rt, "window")) * year / 2
		var card Card
		card.Refundable = money.Fen(amount.Draw(rt, "refundable"))
		for i := range rapid.IntRange(0, 6).Draw(rt, "deposits") {
			d := Deposit{No: string(rune('A' + i)), Refundable: money.Fen(amount.Draw(rt, "deposit")),
				Channel: rapid.SampledFrom([]string{"wechat", "alipay", "cash"}).Draw(rt, "channel")}
			if d.Channel != "cash" {
				d.Payment = Payment{TradeNo: d.No, PaidAt: noon.Add(-time.Duration(rapid.IntRange(0, 800).Draw(rt, "age")) * 24 * time.Hour)}
			}
			card.Deposits = append(card.Deposits, d)
		}
		var offers []Offer
		for _, name := range []string{"wechat", "alipay"} {
			if rapid.Bool().Draw(rt, name) {
				offers = append(offers, Offer{Name: name, Can: Capabilities{
					Methods: methods(rt), MinAmount: money.Fen(rapid.Int64Range(0, 100).Draw(rt, "min")),
					SingleLimit: money.Fen(rapid.Int64Range(0, 50_000).Draw(rt, "limit")), OriginalWindow: window,
				}})
			}
		}
		allowed := methods(rt)
		adv := Advise(card, allowed, offers, "alipay", noon)
		judgeAdvice(rt, card, allowed, offers, adv)
	})
}

func methods(rt *rapid.T) []Method {
	return rapid.SampledFrom([][]Method{nil, {MethodOriginal}, {MethodTransfer}, {MethodOriginal, MethodTransfer}}).Draw(rt, "methods")
}

func judgeAdvice(rt *rapid.T, card Card, allowed []Method, offers []Offer, adv Advice) {
	sum, fromDeposit := adv.Left, map[string]money.Fen{}
	for _, r := range adv.Routes {
		sum += r.Amount
		can, ok := offerOf(offers, r.Channel)
		if !ok || r.Amount <= 0 || !containsMethod(can.Methods, r.Method) || !containsMethod(allowed, r.Method) {
			rt.Fatalf("route %+v is not on offer", r)
		}
		if r.Method == MethodTransfer && (r.Amount < can.MinAmount || (can.SingleLimit > 0 && r.Amount > can.SingleLimit)) {
			rt.Fatalf("route %+v outside of %d…%d", r, can.MinAmount, can.SingleLimit)
		}
		if r.Method == MethodOriginal {
			fromDeposit[r.DepositNo] += r.Amount
		}
	}
	if sum != card.Refundable || adv.Left < 0 {
		rt.Fatalf("routes and rest are %d, refundable %d", sum, card.Refundable)
	}
	for _, d := range card.Deposits {
		can, _ := offerOf(offers, d.Channel)
		if used := fromDeposit[d.No]; used > d.Refundable || (used > 0 && can.OriginalWindow > 0 &&
			noon.Sub(d.Payment.PaidAt) >= can.OriginalWindow) {
			rt.Fatalf("deposit %+v gives %d", d, used)
		}
	}
}
