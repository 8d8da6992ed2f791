package exports

import (
	"strconv"
	"strings"

	"hospay/internal/i18n"
	"hospay/money"
	"hospay/report"
	"hospay/store"
)

func word(kind, key string) string {
	if key == "" {
		return ""
	}
	return i18n.Text(i18n.Default, kind+"."+key)
}

// filterWords tells the filter in words, because a report without its filter
// cannot be judged.
func (m *maker) filterWords() string {
	statuses := "report.status"
	if m.Report == Payments {
		statuses = "report.payment"
	}
	var parts []string
	for _, k := range known {
		v := m.Params.Get(k)
		if v == "" || k == "from" || k == "to" || k == "by" {
			continue
		}
		if k == "state" && m.Report == Payments { // another name of their status
			k = "status"
		}
		parts = append(parts, word("report.filter", k)+"="+valueWord(k, v, statuses))
	}
	if len(parts) == 0 {
		return "筛选条件：无"
	}
	return "筛选条件：" + strings.Join(parts, "，")
}

// valueWord is a value of the filter in words; statuses is where those of the
// report have theirs.
func valueWord(param, v, statuses string) string {
	switch param {
	case "method", "channel":
		return word(param, v)
	case "find": // a name or a phone
		return "（不写出）"
	case "date", "proxy", "tab", "state", "kind", "insured", "his":
		return word("report."+param, v)
	case "status":
		var names []string
		for _, s := range strings.Split(v, ",") {
			names = append(names, word(statuses, s))
		}
		return strings.Join(names, "、")
	case "amount_min", "amount_max":
		if n, err := strconv.ParseInt(v, 10, 64); err == nil {
			return money.Fen(n).Yuan() + "元"
		}
	}
	return v
}

// refunds writes the list of orders with its filter.
func (m *maker) refunds() error {
	f, err := m.store.ParseOrderFilter(m.Params, m.Institution)
	if err != nil {
		return err
	}
	table := report.Table{Total: true, Capital: "金额", Columns: []report.Column{
		{Name: "退款单号", Width: 19}, {Name: "申请时间", Width: 10.5}, {Name: "状态", Width: 9}, {Name: "就诊卡号", Width: 12}, {Name: "收款人", Width: 9},
		{Name: "金额", Type: report.Money, Width: 13, Sum: true}, {Name: "退款方式", Width: 7}, {Name: "渠道", Width: 7}, {Name: "代办", Width: 5},
		{Name: "HIS退款时间", Width: 10.5}, {Name: "HIS流水号", Width: 16}, {Name: "到账时间", Width: 10.5}, {Name: "渠道流水号", Width: 19},
		{Name: "原因", Width: 21},
	}}
	return m.store.ReadOrders(m.ctx, f, func(c *store.OrderCursor) error {
		if err := m.begin(c.Sum.Count); err != nil {
			return err
		}
		table.Check = map[string]money.Fen{"金额": c.Sum.Amount}
		table.Rows = func(yield func(...any) error) error {
			return c.Each(func(l store.OrderLine) error {
				m.row()
				return yield(refundCells(l)...)
			})
		}
		return report.Write(m.out, m.sheet("退款明细", "预交金退款明细表", "按"+word("report.date", or(f.By, store.ByCreated))+" "+period(f.From, f.To), table,
			m.filterWords()))
	})
}

func refundCells(l store.OrderLine) []any {
	proxy := ""
	if l.Proxy != "" {
		proxy = "是"
	}
	reason := ""
	if l.FailCode != "" {
		reason = store.ReasonText(l.FailCode, l.FailReason)
	}
	return []any{
		l.No, moment(l.Created.Time()), word("report.status", l.Status), l.CardNo, l.PayeeName, money.Fen(l.Amount), word("method", l.Method),
		word("channel", l.Channel),
		proxy, moment(l.HISDate.Time()), l.HISNo, moment(l.PaidAt.Time()), l.ChannelNo, reason,
	}
}

var dimensionWord = map[string]string{"his_date": "HIS退款日期", "channel": "渠道", "method": "退款方式"}

// stats writes the statistics table.
func (m *maker) stats() error {
	q, err := store.ParseStatisticsQuery(m.Params, m.Institution)
	if err != nil {
		return err
	}
	rows, total, err := m.store.Statistics(m.ctx, q)
	if err != nil {
		return err
	}
	if err := m.begin(len(rows)); err != nil {
		return err
	}
	table := report.Table{Total: true, Capital: "应退金额", Check: map[string]money.Fen{
		"应退金额": total.Due.Amount, "已退金额": total.Refunded.Amount, "待退金额": total.Outstanding.Amount, "已撤销金额": total.Undone.Amount,
	}}
	for _, d := range q.By {
		table.Columns = append(table.Columns, report.Column{Name: dimensionWord[d], Width: 12})
	}
	for _, name := range []string{"应退", "已退", "待退", "已撤销"} {
		table.Columns = append(table.Columns, report.Column{Name: name + "金额", Type: report.Money, Width: 14, Sum: true},
			report.Column{Name: name + "笔数", Type: report.Count, Width: 9, Sum: true})
	}
	table.Rows = func(yield func(...any) error) error {
		for _, r := range rows {
			m.row()
			if err := yield(statsCells(q.By, r)...); err != nil {
				return err
			}
		}
		return nil
	}
	return report.Write(m.out, m.sheet("退款统计", "预交金退款统计表", period(q.From, q.To), table, m.filterWords(), "应退＝已退＋待退；已撤销的不计入应退。"))
}

func statsCells(by []string, r store.StatisticsRow) []any {
	var cells []any
	for _, d := range by {
		switch d {
		case "his_date":
			cells = append(cells, r.HISDate)
		case "channel":
			cells = append(cells, word("channel", r.Channel))
		case "method":
			cells = append(cells, word("method", r.Method))
		}
	}
	for _, f := range []store.Figure{r.Due, r.Refunded, r.Outstanding, r.Undone} {
		cells = append(cells, f.Amount, f.Count)
	}
	return cells
}
