package exports

import (
	"hospay/money"
	"hospay/report"
	"hospay/store"
)

// payments writes the list of payments with its filter.
func (m *maker) payments() error {
	f, err := m.store.ParsePaymentFilter(m.Params, m.Institution)
	if err != nil {
		return err
	}
	table := report.Table{Total: true, Capital: "费用总额", Columns: []report.Column{
		{Name: "缴费单号", Width: 15}, {Name: "下单时间", Width: 9.5}, {Name: "状态", Width: 8}, {Name: "患者", Width: 8}, {Name: "就诊卡号", Width: 10.5},
		{Name: "类别", Width: 5}, {Name: "账单号", Width: 12}, {Name: "渠道", Width: 6}, {Name: "医保", Width: 5},
		{Name: "费用总额", Type: report.Money, Width: 11.5, Sum: true}, {Name: "统筹基金", Type: report.Money, Width: 11.5, Sum: true},
		{Name: "个人账户", Type: report.Money, Width: 11.5, Sum: true}, {Name: "自费", Type: report.Money, Width: 11.5, Sum: true},
		{Name: "其他", Type: report.Money, Width: 9.5, Sum: true}, {Name: "自费已退", Type: report.Money, Width: 11.5, Sum: true},
		{Name: "付款时间", Width: 9.5}, {Name: "收据号", Width: 11.5}, {Name: "商户订单号", Width: 23, Aside: true},
		{Name: "医保结算号", Width: 19, Aside: true}, {Name: "原因", Width: 26, Aside: true},
	}}
	return m.store.Payments().Read(m.ctx, f, func(c *store.PaymentCursor) error {
		if err := m.begin(c.Sum.Count); err != nil {
			return err
		}
		table.Check = map[string]money.Fen{"费用总额": c.Sum.Total, "自费": c.Sum.Cash, "统筹基金": c.Sum.Fund}
		table.Rows = func(yield func(...any) error) error {
			return c.Each(func(l store.PaymentLine) error {
				m.row()
				return yield(paymentCells(l)...)
			})
		}
		return report.Write(m.out, m.sheet("缴费明细", "缴费明细表", "按下单时间 "+period(f.From, f.To), table, m.filterWords()))
	})
}

func paymentCells(l store.PaymentLine) []any {
	reason := ""
	if l.FailCode != "" {
		reason = store.ReasonText(l.FailCode, l.FailReason)
	}
	insured := map[bool]string{true: "yes", false: "no"}[l.Insured]
	return []any{
		l.No, moment(l.Created.Time()), word("report.payment", l.Status), l.PatientName, l.CardNo, word("report.kind", l.Kind), l.BillNo,
		word("channel", l.Channel), word("report.insured", insured), money.Fen(l.Total), money.Fen(l.Fund), money.Fen(l.Account),
		money.Fen(l.Cash), money.Fen(l.Other), money.Fen(l.CashBack), moment(l.PaidAt.Time()), l.ReceiptNo, l.TradeNo, l.SetlID, reason,
	}
}

var paymentDimensionWord = map[string]string{"day": "日期", "channel": "渠道", "kind": "类别", "insured": "医保"}

// paymentStats writes the statistics of payments.
func (m *maker) paymentStats() error {
	q, err := store.ParsePaymentStatisticsQuery(m.Params, m.Institution)
	if err != nil {
		return err
	}
	rows, total, err := m.store.Payments().Statistics(m.ctx, q)
	if err != nil {
		return err
	}
	if err := m.begin(len(rows)); err != nil {
		return err
	}
	table := report.Table{Total: true, Capital: "缴费总额", Check: map[string]money.Fen{"缴费总额": total.Paid.Total, "统筹基金": total.Paid.Fund,
		"个人账户": total.Paid.Account, "自费": total.Paid.Cash, "其他": total.Paid.Other, "退统筹": total.Back.Fund, "退账户": total.Back.Account,
		"退自费": total.Back.Cash}}
	for _, d := range q.By {
		table.Columns = append(table.Columns, report.Column{Name: paymentDimensionWord[d], Width: 10.5})
	}
	for _, name := range []string{"缴费", "退费"} {
		table.Columns = append(table.Columns, report.Column{Name: name + "笔数", Type: report.Count, Width: 9, Sum: true})
		for _, part := range map[string][]string{"缴费": {"缴费总额", "统筹基金", "个人账户", "自费", "其他"}, "退费": {"退统筹", "退账户", "退自费"}}[name] {
			table.Columns = append(table.Columns, report.Column{Name: part, Type: report.Money, Width: 12, Sum: true})
		}
	}
	table.Rows = func(yield func(...any) error) error {
		for _, r := range rows {
			m.row()
			if err := yield(paymentStatsCells(q.By, r)...); err != nil {
				return err
			}
		}
		return nil
	}
	return report.Write(m.out, m.sheet("缴费统计", "缴费统计表", period(q.From, q.To), table, m.filterWords(),
		"缴费按 HIS 收费日期、退费按退费完成日期统计；HIS 没有收的费用不计。个人账户含亲情账户。"))
}

func paymentStatsCells(by []string, r store.PaymentStatisticsRow) []any {
	var cells []any
	for _, d := range by {
		cells = append(cells, map[string]string{"day": r.Day, "channel": word("channel", r.Channel), "kind": word("report.kind", r.Kind),
			"insured": word("report.insured", r.Insured)}[d])
	}
	return append(cells, r.Paid.Count, r.Paid.Total, r.Paid.Fund, r.Paid.Account, r.Paid.Cash, r.Paid.Other,
		r.Back.Count, r.Back.Fund, r.Back.Account, r.Back.Cash)
}
