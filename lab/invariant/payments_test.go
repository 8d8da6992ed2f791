package invariant

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// paid is an insured payment that is done, with the books of all sides: 100 yuan,
// of which the fund pays 60, the account 15 and the patient 25.
func paid() (Payment, Ledgers) {
	at := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	p := Payment{ID: "o", No: "P260301AAAAAAAAAA", Bill: "B1", Card: "C1", Status: "done", Insurance: "settled", CashState: "paid",
		Insured: true,
		Total:   10000, Fund: 6000, Account: 1500, Own: 1500, Cash: 2500, TradeNo: "P260301AAAAAAAAAAC01",
		Events: []Event{{Seq: 1, To: "created"}, {Seq: 2, From: "created", To: "done"}}}
	for _, c := range []PaymentCall{{Kind: "upload", Call: Call{No: p.No + "M01"}}, {Kind: "price", Call: Call{No: p.No + "S01"}},
		{Kind: "trade", Call: Call{No: p.TradeNo}}, {Kind: "charge", Call: Call{No: p.No + "D01"}}} {
		c.State, c.Attempt, c.Created = "done", 1, at
		p.Calls = append(p.Calls, c)
	}
	l := Ledgers{
		Channels: []Entry{{Kind: "pay", No: p.TradeNo, Amount: 2500}},
		Centre:   []Entry{{Kind: "fund", No: p.No + "M01", Amount: 6000}, {Kind: "account", No: p.No + "M01", Amount: 1500}},
		HIS:      []Entry{{Kind: "charge", No: p.No + "D01", Party: "C1", Amount: 10000}},
	}
	ask := func(op, alias, no, hash string) {
		l.Requests = append(l.Requests, Request{At: at.Add(time.Second), Side: "centre", Op: op, Alias: alias, No: no, Hash: hash})
	}
	ask("6201", "upload", p.No+"M01", "a")
	ask("6202", "order", p.No+"S01", "b")
	ask("6301", "query", p.No+"M01", "c")
	l.Requests = append(l.Requests, Request{At: at.Add(time.Second), Op: "charge", Alias: "charge", No: p.No + "D01", Hash: "d"})
	return p, l
}

// back gives the payment of paid back whole, in all books.
func back(p *Payment, l *Ledgers) {
	p.Status, p.Insurance, p.CashState, p.CashBack = "refunded", "refunded", "refunded", 2500
	p.Events = append(p.Events, Event{Seq: 3, From: "done", To: "refunded"})
	for kind, letter := range map[string]string{"refund_ins": "I", "refund_cash": "K", "told_his": "H"} {
		p.Calls = append(p.Calls, PaymentCall{Kind: kind, Attempt: 1, Call: Call{No: p.No + letter + "01", State: "done"}})
	}
	p.Refunds = []PaymentRefund{{Seq: 1, Kind: "all", State: "done", Fund: 6000, Account: 1500, Cash: 2500}}
	l.Centre = append(l.Centre, Entry{Kind: "reversal", No: p.No + "M01", Amount: 7500})
	l.Channels = append(l.Channels, Entry{Kind: "refund", No: p.No + "K01", Of: p.TradeNo, Amount: 2500})
	l.HIS = append(l.HIS, Entry{Kind: "uncharge", No: p.No + "D01", Amount: 10000})
	l.Requests = append(l.Requests, Request{At: l.Requests[0].At, Side: "centre", Op: "6203", Alias: "refund", No: p.No + "I01"})
}

// ended lets the payment of paid end before anybody has paid.
func ended(p *Payment, l *Ledgers, status string) {
	p.Status, p.Insurance, p.CashState = status, "undone", "closed"
	p.Events[1].To = status
	p.Calls = p.Calls[:3]
	l.Channels, l.Centre, l.HIS, l.Requests = nil, nil, nil, l.Requests[:3]
}

// gone takes a call out of the journal.
func gone(p *Payment, kind string) {
	p.Calls = slices.DeleteFunc(p.Calls, func(c PaymentCall) bool { return c.Kind == kind })
}

// TestPayments_NothingToReport: what is right in all books is reported by nobody.
func TestPayments_NothingToReport(t *testing.T) {
	for name, change := range map[string]func(*Payment, *Ledgers){
		"缴费完成": func(*Payment, *Ledgers) {},
		"全部由医保支付": func(p *Payment, l *Ledgers) {
			gone(p, "trade")
			p.Calls = append(p.Calls, PaymentCall{Kind: "mixed", Attempt: 1,
				Call: Call{No: p.No + "Q01", State: "done", Created: p.Calls[0].Created}})
			p.Cash, p.Account, p.Own, l.Channels, l.Centre[1].Amount = 0, 4000, 4000, nil, 4000
			l.Requests = append(l.Requests, Request{At: l.Requests[0].At, Op: "medins_order", Alias: "mixed", No: p.TradeNo})
		},
		"全部退回":  back,
		"未支付取消": func(p *Payment, l *Ledgers) { ended(p, l, "cancelled") },
		"未支付过期": func(p *Payment, l *Ledgers) { ended(p, l, "expired") },
		"只退医保": func(p *Payment, l *Ledgers) {
			back(p, l)
			p.Status, p.CashState, p.CashBack, p.Refunds[0].Kind, p.Refunds[0].Cash = "part_refunded", "paid", 0, "insurance", 0
			p.Events[2].To, l.Channels, l.HIS[1].Amount = "part_refunded", l.Channels[:1], 7500
		},
		"HIS 没有应答退费通知，已提醒人": func(p *Payment, l *Ledgers) {
			back(p, l)
			for i := range p.Calls {
				if p.Calls[i].Kind == "told_his" {
					p.Calls[i].State = "refused"
				}
			}
			p.Events = append(p.Events, Event{Seq: 4, From: "refunded", To: "refunded", Name: "told_his.given_up"})
			l.HIS = l.HIS[:1]
		},
		"渠道自己退回，医保没有结算": func(p *Payment, l *Ledgers) {
			ended(p, l, "refunded")
			p.Insurance, p.CashState = "failed", "refunded"
			l.Channels = []Entry{{Kind: "pay", No: p.TradeNo, Amount: 2500}, {Kind: "refund", No: "WXBACK1", Of: p.TradeNo, Amount: 2500}}
		},
		"两人线下处理": func(p *Payment, l *Ledgers) {
			p.Status, p.ByHand, p.Events[1].To = "refunded", true, "refunded"
		},
		"挂账待处理": func(p *Payment, _ *Ledgers) {
			p.Status, p.FailCode, p.Events[1].To = "suspense", "half_paid", "suspense"
		},
	} {
		p, l := paid()
		change(&p, &l)
		for _, v := range Check(Books{Payments: []Payment{p}}, l, true) {
			t.Errorf("%s: %s", name, v)
		}
	}
}

// TestPayments_EachViolationIsReported: a check that cannot fail is none. Each
// case breaks one thing, and the invariant that it breaks is named.
func TestPayments_EachViolationIsReported(t *testing.T) {
	for _, c := range []struct {
		name, want string
		change     func(*Payment, *Ledgers)
	}{
		{"渠道收了两次", OnePayment, func(_ *Payment, l *Ledgers) { l.Channels = append(l.Channels, l.Channels[0]) }},
		{"医保结算两次", OnePayment, func(_ *Payment, l *Ledgers) { l.Centre = append(l.Centre, l.Centre[0]) }},
		{"HIS 入账两次", OnePayment, func(_ *Payment, l *Ledgers) { l.HIS = append(l.HIS, l.HIS[0]) }},
		{"渠道多收一分", PartsFit, func(_ *Payment, l *Ledgers) { l.Channels[0].Amount++ }},
		{"基金少付一分", PartsFit, func(_ *Payment, l *Ledgers) { l.Centre[0].Amount-- }},
		{"账户与基金对调", PartsFit, func(_ *Payment, l *Ledgers) { l.Centre[0].Amount, l.Centre[1].Amount = 1500, 6000 }},
		{"HIS 入账金额不符", PartsFit, func(_ *Payment, l *Ledgers) { l.HIS[0].Amount = 9999 }},
		{"各部分不等于总额", PartsFit, func(p *Payment, l *Ledgers) { p.Cash, l.Channels[0].Amount = 2600, 2600 }},
		{"账户不等于本人与共济", PartsFit, func(p *Payment, _ *Ledgers) { p.Family = 1 }},
		{"HIS 没有入账", WrittenPaid, func(_ *Payment, l *Ledgers) { l.HIS = nil }},
		{"HIS 入账，没有收钱", WrittenPaid, func(_ *Payment, l *Ledgers) { l.Channels, l.Centre = nil, nil }},
		{"HIS 入账，订单已取消", WrittenPaid, func(p *Payment, l *Ledgers) {
			his := l.HIS
			ended(p, l, "cancelled")
			p.Calls, l.HIS = append(p.Calls, PaymentCall{Kind: "charge", Attempt: 1, Call: Call{No: his[0].No, State: "refused"}}), his
		}},
		{"收了现金，订单已过期", WrittenPaid, func(p *Payment, l *Ledgers) {
			cash := l.Channels
			ended(p, l, "expired")
			l.Channels = cash
		}},
		{"医保已付，订单已取消", WrittenPaid, func(p *Payment, l *Ledgers) {
			centre := l.Centre
			ended(p, l, "cancelled")
			l.Centre = centre
		}},
		{"记为已退，现金没有退", WrittenPaid, func(p *Payment, l *Ledgers) { back(p, l); l.Channels = l.Channels[:1] }},
		{"记为已退，医保没有退", WrittenPaid, func(p *Payment, l *Ledgers) { back(p, l); l.Centre = l.Centre[:2] }},
		{"记为已退，HIS 没有冲正", WrittenPaid, func(p *Payment, l *Ledgers) { back(p, l); l.HIS = l.HIS[:1] }},
		{"部分退费的现金金额不符", WrittenPaid, func(p *Payment, l *Ledgers) {
			back(p, l)
			p.Status, p.Insurance, p.CashState, p.CashBack, p.Events[2].To = "part_refunded", "settled", "part_refunded", 1000, "part_refunded"
			p.Refunds[0] = PaymentRefund{Seq: 1, Kind: "cash", State: "done", Cash: 1000}
			l.Centre, l.HIS[1].Amount, l.Channels[1].Amount = l.Centre[:2], 1000, 1100
		}},
		{"医保被撤销，现金留着", NoHalf, func(p *Payment, l *Ledgers) {
			l.Centre = append(l.Centre, Entry{Kind: "reversal", No: p.No + "M01", Amount: 7500})
		}},
		{"医保没有结算，现金留着", NoHalf, func(_ *Payment, l *Ledgers) { l.Centre = nil }},
		{"现金退了两次", BackOnce, func(p *Payment, l *Ledgers) { back(p, l); l.Channels = append(l.Channels, l.Channels[1]) }},
		{"现金多退", BackOnce, func(p *Payment, l *Ledgers) { back(p, l); l.Channels[1].Amount = 2600 }},
		{"渠道自己退回后又退一次", BackOnce, func(p *Payment, l *Ledgers) {
			back(p, l)
			l.Channels = append(l.Channels, Entry{Kind: "refund", No: "WXBACK1", Of: p.TradeNo, Amount: 2500})
		}},
		{"医保退了两次", BackOnce, func(p *Payment, l *Ledgers) { back(p, l); l.Centre = append(l.Centre, l.Centre[2]) }},
		{"HIS 冲正两次", BackOnce, func(p *Payment, l *Ledgers) { back(p, l); l.HIS = append(l.HIS, l.HIS[1]) }},
		{"第二个退款流水号", BackOnce, func(p *Payment, l *Ledgers) {
			back(p, l)
			p.Calls = append(p.Calls, PaymentCall{Kind: "refund_ins", Attempt: 2, Call: Call{No: p.No + "I02"}})
			look, again := l.Requests[2], l.Requests[4]
			again.No = p.No + "I02"
			l.Requests = append(l.Requests, look, again)
		}},
		{"撤销之前没有查询", LookFirst, func(p *Payment, l *Ledgers) {
			ended(p, l, "cancelled")
			r := l.Requests[2]
			r.Op, r.Alias = "6401", "undo"
			l.Requests = append(l.Requests[:2], r)
		}},
		{"退款之前没有查询", LookFirst, func(p *Payment, l *Ledgers) { back(p, l); l.Requests = slices.Delete(l.Requests, 2, 3) }},
		{"同一流水号问了两次价", SameContent, func(_ *Payment, l *Ledgers) { l.Requests = append(l.Requests, l.Requests[1]) }},
		{"同一流水号以不同内容入账", SameContent, func(_ *Payment, l *Ledgers) {
			r := l.Requests[3]
			r.Hash = "e"
			l.Requests = append(l.Requests, r)
		}},
		{"没有记录的入账", IntentFirst, func(p *Payment, _ *Ledgers) { gone(p, "charge") }},
		{"没有现金的订单，没有记录", IntentFirst, func(p *Payment, l *Ledgers) {
			gone(p, "trade")
			p.Cash, p.Account, p.Own, l.Channels, l.Centre[1].Amount = 0, 4000, 4000, nil, 4000
			l.Requests = append(l.Requests, Request{At: l.Requests[0].At, Op: "medins_order", Alias: "mixed", No: p.TradeNo})
		}},
		{"没有记录的收款", IntentFirst, func(p *Payment, _ *Ledgers) { gone(p, "trade") }},
		{"没有记录的医保结算", IntentFirst, func(p *Payment, _ *Ledgers) { gone(p, "upload") }},
		{"先发出后记录", IntentFirst, func(p *Payment, l *Ledgers) { p.Calls[3].Created = l.Requests[3].At.Add(time.Minute) }},
		{"记在别人的卡上", RightParty, func(_ *Payment, l *Ledgers) { l.HIS[0].Party = "C2" }},
		{"停在支付中", Convergence, func(p *Payment, _ *Ledgers) { p.Status, p.Events[1].To = "paying", "paying" }},
		{"挂着的其实可以查清", Convergence, func(p *Payment, _ *Ledgers) {
			p.Status, p.FailCode, p.Events[1].To = "suspense", "unknown_too_long", "suspense"
		}},
		{"离开了终态", FinalIsFinal, func(p *Payment, l *Ledgers) {
			back(p, l)
			p.Events = append(p.Events, Event{Seq: 4, From: "refunded", To: "refunding"}, Event{Seq: 5, From: "refunding", To: "refunded"})
		}},
		{"凭证没有清除", Forgotten, func(p *Payment, l *Ledgers) { back(p, l); p.Secrets = true }},
	} {
		p, l := paid()
		c.change(&p, &l)
		told := report(Books{Payments: []Payment{p}}, l)
		if !strings.Contains(told, c.want) {
			t.Errorf("%s: %q, want %q", c.name, told, c.want)
		}
	}
}

func report(b Books, l Ledgers) string {
	var got []string
	for _, v := range Check(b, l, true) {
		got = append(got, v.Invariant)
	}
	return strings.Join(got, ",")
}

// TestPayments_OneOfABill: two payments of one bill that are not at their end, or
// that somebody has paid.
func TestPayments_OneOfABill(t *testing.T) {
	for name, c := range map[string]struct {
		second string
		paid   bool
		want   bool
	}{"前一笔已退回": {"refunded", false, false}, "两笔都开着": {"paying", false, true}, "两笔都收了钱": {"cancelled", true, true}} {
		p, l := paid()
		q := p
		q.ID, q.No, q.TradeNo, q.Calls = "o2", "P260301BBBBBBBBBB", "P260301BBBBBBBBBBC01", nil
		q.Status, q.Insurance, q.CashState, q.Insured, q.Fund, q.Account, q.Own, q.Cash = c.second, "", "closed", false, 0, 0, 0, q.Total
		q.Events = []Event{{Seq: 1, To: c.second}}
		if c.paid {
			q.Calls = []PaymentCall{{Kind: "trade", Attempt: 1, Call: Call{No: q.TradeNo}}}
			l.Channels = append(l.Channels, Entry{Kind: "pay", No: q.TradeNo, Amount: q.Total})
		}
		if told := report(Books{Payments: []Payment{p, q}}, l); strings.Contains(told, OnePayment) != c.want {
			t.Errorf("%s: %q", name, told)
		}
	}
}

// TestNames_TellOfPayments: what is checked is named in the report.
func TestNames_TellOfPayments(t *testing.T) {
	for _, name := range []string{OnePayment, PartsFit, WrittenPaid, NoHalf, BackOnce, LookFirst, Forgotten} {
		if !slices.Contains(Names(), name) {
			t.Errorf("%s is not named", name)
		}
	}
}
