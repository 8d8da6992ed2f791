package report

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"hospay/calendar"
	"hospay/money"
	"hospay/reconcile"
)

// MaxLines is how many orders 三方明细 lists; beyond it the sheet says so.
const MaxLines = 100_000

// Recon is a finished reconciliation with what its files turned out to be.
type Recon struct {
	Result  *reconcile.Result
	Files   []ReconFile
	Rejects []Rejected
	Notes   []string
	Unit    string // 编制单位
	Printed string
}

// ReconFile is one of the files.
type ReconFile struct {
	Name, Kind, SHA256 string
	Lines, Rejects     int
	Repeated           bool // the same content as a file before it, not read again
}

// Rejected is a line that could not be read.
type Rejected struct {
	File   string `json:"file"`
	Line   int    `json:"line"`
	Reason string `json:"reason"`
}

// Sheets makes the workbook of a reconciliation.
func (r Recon) Sheets() []Sheet {
	sheets := []Sheet{
		r.sheet("汇总", "退款三方对账汇总表", r.Notes, r.totals(), r.pairs(), r.kinds(), r.others(), r.files()),
		r.sheet("渠道汇总", "退款渠道对账汇总表", nil, r.channels()),
		r.sheet("差异明细", "退款对账差异明细表", nil, r.differences()),
	}
	lines := r.sheet("三方明细", "退款三方明细表", r.lineNotes(), r.lines())
	if n := r.Result.Summary.Orders; n > MaxLines {
		lines.Tables = nil
		lines.Notes = []string{fmt.Sprintf("共 %d 笔，超过 %d 笔，本表不列；请用 --lines 导出全部明细（CSV.gz）。", n, MaxLines)}
	}
	sheets = append(sheets, lines)
	if len(r.Rejects) > 0 {
		sheets = append(sheets, r.sheet("无法识别的行", "对账文件中无法识别的行", nil, r.rejects()))
	}
	return sheets
}

// lineNotes says which of the listed orders the sums count.
func (r Recon) lineNotes() []string {
	s := &r.Result.Summary
	counts := func(b reconcile.Book) string { return fmt.Sprintf("%s %d 笔", b.Chinese(), s.Books[b].Count) }
	return []string{fmt.Sprintf("本表列出 %d 笔订单，结果“一致”的 %d 笔里有 %d 笔没有动钱。合计只计状态为成功的金额；计入本日成功退款的是%s、%s、%s，付了两次的计两笔，记在别日的不计。",
		s.Orders, s.Matched, s.Idle, counts(reconcile.Platform), counts(reconcile.Channel), counts(reconcile.HIS))}
}

func (r Recon) sheet(name, title string, notes []string, tables ...Table) Sheet {
	return Sheet{Name: name, Title: title, Unit: r.Unit, Period: r.Result.Summary.Day, Printed: r.Printed, Notes: notes, Tables: tables}
}

// Listed is a table whose rows are at hand.
func Listed(caption string, columns []Column, rows [][]any) Table {
	return Table{Caption: caption, Columns: columns, Rows: func(yield func(...any) error) error {
		for _, row := range rows {
			if err := yield(row...); err != nil {
				return err
			}
		}
		return nil
	}}
}

func (r Recon) totals() Table {
	s := &r.Result.Summary
	var rows [][]any
	for _, b := range reconcile.Books {
		rows = append(rows, []any{b.Chinese() + "成功退款", s.Books[b].Count, s.Books[b].Amount, ""})
	}
	p, c, h := s.Books[reconcile.Platform], s.Books[reconcile.Channel], s.Books[reconcile.HIS]
	rows = append(rows,
		[]any{"平台比渠道多", p.Count - c.Count, p.Amount - c.Amount, "含无账单渠道；逐笔见差异明细"},
		[]any{"HIS 比渠道多", h.Count - c.Count, h.Amount - c.Amount, "含无账单渠道；逐笔见差异明细"},
		[]any{"其中无账单渠道", s.Unbilled.Count, s.Unbilled.Amount, unbilledNote(s)},
		[]any{"长款", nil, s.Overage, "HIS 已记账，渠道未付；含跨日和记在别日的"},
		[]any{"短款", nil, s.Shortage, "渠道已付款，HIS 未记账；含跨日和记在别日的"})
	return Listed("一、三方总额（本日成功退款，同一笔只计一次）", []Column{{Name: "项目", Width: 19}, {Name: "笔数", Type: Count, Width: 10.5},
		{Name: "金额", Type: Money, Width: 16}, {Name: "说明", Width: 38.5}}, rows)
}

func unbilledNote(s *reconcile.Summary) string {
	var names []string
	for _, c := range s.Unbills {
		names = append(names, reconcile.ChannelChinese(c))
	}
	if len(names) == 0 {
		return ""
	}
	return "只核对平台与 HIS：" + strings.Join(names, "、")
}

// pairs tells what each two books come to.
func (r Recon) pairs() Table {
	var rows [][]any
	for _, p := range r.Result.Summary.Pairs {
		rows = append(rows, []any{p.A.Chinese() + "与" + p.B.Chinese(), p.Agree.Count, p.Agree.Amount,
			fmt.Sprintf("不符 %d 笔；只有%s %d 笔 %s 元；只有%s %d 笔 %s 元", p.Differ, p.A.Chinese(), p.OnlyA.Count, p.OnlyA.Amount.Yuan(), p.B.Chinese(),
				p.OnlyB.Count, p.OnlyB.Amount.Yuan())})
	}
	return Listed("二、两两核对", []Column{{Name: "双方"}, {Name: "一致笔数", Type: Count}, {Name: "一致金额", Type: Money}, {Name: "不一致"}}, rows)
}

// kinds counts the differences, with what each book holds of them.
func (r Recon) kinds() Table {
	sums := map[reconcile.Kind]*[3]money.Fen{}
	for _, d := range r.Result.Differences {
		if sums[d.Kind] == nil {
			sums[d.Kind] = &[3]money.Fen{}
		}
		for _, b := range reconcile.Books {
			if e := d.Books[b]; e != nil {
				sums[d.Kind][b] += e.OnDay.Amount
			}
		}
	}
	var rows [][]any
	for _, k := range reconcile.Kinds() {
		if n := r.Result.Summary.Differences[k]; n > 0 {
			rows = append(rows, []any{k.Chinese(), n, sums[k][0], sums[k][1], sums[k][2]})
		}
	}
	t := Listed("三、差异（金额为本日成功部分）", []Column{{Name: "差异类型"}, {Name: "笔数", Type: Count, Sum: true}, {Name: "平台金额", Type: Money, Sum: true},
		{Name: "渠道金额", Type: Money, Sum: true}, {Name: "HIS金额", Type: Money, Width: 14, Sum: true}}, rows)
	t.Total, t.Check = true, map[string]money.Fen{"笔数": money.Fen(r.Result.Summary.Total())}
	return t
}

func (r Recon) others() Table {
	s := &r.Result.Summary
	rows := [][]any{
		{"三方一致的订单", s.Matched, nil, fmt.Sprintf("共 %d 笔订单，每张退款单一笔，失败和处理中的也在内", s.Orders)},
		{"其中没有动钱的", s.Idle, nil, "各方都记失败或处理中，不计入第一表的成功退款"},
		{"账单中的其他业务", s.Other.Count, s.Other.Amount, "不属于退款和转账，只计数"},
		{"往日付款今日退回的款项", s.Returned.Count, s.Returned.Amount, "本日账本没有对应退款，请查往日退款；逐笔列为状态不符"},
	}
	for _, b := range reconcile.Books {
		rows = append(rows, []any{b.Chinese() + "中其他日期的记录", s.SetAside[b].Count, s.SetAside[b].Amount, "不计入本日"})
	}
	rows = append(rows, []any{"无法识别的行", len(r.Rejects), nil, "逐行见“无法识别的行”"})
	return Listed("四、其他", []Column{{Name: "项目"}, {Name: "笔数", Type: Count}, {Name: "金额", Type: Money}, {Name: "说明"}}, rows)
}

func (r Recon) files() Table {
	var rows [][]any
	for _, f := range r.Files {
		kind := f.Kind
		if f.Repeated {
			kind = "与前面的文件相同，不再计"
		}
		rows = append(rows, []any{f.Name, f.Lines, kind, f.SHA256})
	}
	return Listed("五、文件", []Column{{Name: "文件"}, {Name: "行数", Type: Count}, {Name: "种类"}, {Name: "SHA-256"}}, rows)
}

func (r Recon) channels() Table {
	columns := []Column{{Name: "退款渠道", Width: 10.5}, {Name: "退款方式", Width: 10.5}}
	for _, b := range reconcile.Books {
		columns = append(columns, Column{Name: b.Chinese() + "笔数", Type: Count, Sum: true},
			Column{Name: b.Chinese() + "金额", Type: Money, Width: 14, Sum: true})
	}
	columns = append(columns, Column{Name: "平台减渠道", Type: Money, Width: 14, Sum: true}, Column{Name: "HIS减渠道", Type: Money, Width: 14,
		Sum: true}, Column{Name: "差异笔数", Type: Count, Sum: true})
	var rows [][]any
	for _, c := range r.Result.Summary.Channels {
		p, ch, h := c.Books[reconcile.Platform], c.Books[reconcile.Channel], c.Books[reconcile.HIS]
		rows = append(rows, []any{orNone(reconcile.ChannelChinese(c.Channel)), orNone(reconcile.MethodChinese(c.Method)),
			p.Count, p.Amount, ch.Count, ch.Amount, h.Count, h.Amount, p.Amount - ch.Amount, h.Amount - ch.Amount, c.Differences})
	}
	t := Listed("", columns, rows)
	s := &r.Result.Summary
	t.Total, t.Capital = true, "渠道金额"
	t.Check = map[string]money.Fen{"平台金额": s.Books[reconcile.Platform].Amount, "渠道金额": s.Books[reconcile.Channel].Amount,
		"HIS金额": s.Books[reconcile.HIS].Amount, "差异笔数": money.Fen(s.Total())}
	return t
}

func orNone(s string) string {
	if s == "" {
		return "未注明"
	}
	return s
}

// differences has exactly the columns that finance asked for.
func (r Recon) differences() Table {
	t := Table{Total: true, Columns: []Column{
		{Name: "差异类型", Width: 9.5}, {Name: "退款单号", Width: 19}, {Name: "商户单号", Width: 19},
		{Name: "平台金额", Type: Money, Width: 11.5, Sum: true, If: "平台状态"}, {Name: "渠道金额", Type: Money, Width: 11.5, Sum: true, If: "渠道状态"},
		{Name: "HIS金额", Type: Money, Width: 11.5, Sum: true, If: "HIS状态"},
		{Name: "平台状态", Width: 7}, {Name: "渠道状态", Width: 7}, {Name: "HIS状态", Width: 7}, {Name: "说明", Width: 44},
	}}
	t.Rows = func(yield func(...any) error) error {
		for _, d := range r.Result.Differences {
			row := append([]any{d.Kind.Chinese(), d.OrderNo, d.BillNo}, amounts(d)...)
			if err := yield(append(append(row, states(d)...), d.Explain)...); err != nil {
				return err
			}
		}
		return nil
	}
	return t
}

func amounts(o reconcile.Order) (out []any) {
	for _, e := range o.Books {
		if e == nil {
			out = append(out, nil)
			continue
		}
		out = append(out, e.Amount)
	}
	return out
}

func states(o reconcile.Order) (out []any) {
	for _, e := range o.Books {
		if e == nil {
			out = append(out, "无")
			continue
		}
		out = append(out, e.Status.Chinese())
	}
	return out
}

// LineColumns are the columns of 三方明细.
var LineColumns = []Column{
	{Name: "退款单号", Width: 19}, {Name: "商户单号", Width: 17.5}, {Name: "HIS退款流水号", Width: 13}, {Name: "就诊卡号", Width: 9.5},
	{Name: "退款渠道", Width: 7}, {Name: "退款方式", Width: 7},
	{Name: "平台金额", Type: Money, Width: 11.5, Sum: true, If: "平台状态"}, {Name: "渠道金额", Type: Money, Width: 11.5, Sum: true, If: "渠道状态"},
	{Name: "HIS金额", Type: Money, Width: 11.5, Sum: true, If: "HIS状态"},
	{Name: "平台状态", Width: 6}, {Name: "渠道状态", Width: 6}, {Name: "HIS状态", Width: 6}, {Name: "平台时间", Width: 10.5}, {Name: "渠道时间", Width: 10.5},
	{Name: "HIS时间", Width: 10.5}, {Name: "结果", Width: 8},
}

func (r Recon) lines() Table {
	return Table{Columns: LineColumns, Total: true, Rows: func(yield func(...any) error) error {
		return r.Result.Each(func(o reconcile.Order) error { return yield(lineCells(o)...) })
	}}
}

// lineCells are the cells of one order in 三方明细 and in the file of all lines.
func lineCells(o reconcile.Order) []any {
	var card, channel, method string
	var times []any
	for _, e := range o.Books {
		if e == nil {
			times = append(times, "")
			continue
		}
		times = append(times, time.Unix(e.At, 0).In(calendar.Beijing).Format(time.DateTime))
		card, channel, method = cmp.Or(card, e.CardNo), cmp.Or(channel, e.Channel), cmp.Or(method, e.Method)
	}
	row := append([]any{o.OrderNo, o.BillNo, o.HISNo, card, reconcile.ChannelChinese(channel), reconcile.MethodChinese(method)}, amounts(o)...)
	return append(append(append(row, states(o)...), times...), o.Kind.Chinese())
}

func (r Recon) rejects() Table {
	var rows [][]any
	for _, j := range r.Rejects {
		rows = append(rows, []any{j.File, j.Line, j.Reason})
	}
	return Listed("", []Column{{Name: "文件", Width: 35}, {Name: "行号", Type: Count}, {Name: "原因", Width: 61}}, rows)
}
