package books

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"hospay/calendar"
	"hospay/flow"
	"hospay/money"
	"hospay/reconcile"
	"hospay/report"
	"hospay/store"
)

// The reports.
const (
	ReportSummary     = "recon-summary"
	ReportChannel     = "recon-channel"
	ReportDifferences = "differences"
	ReportMonth       = "recon-month"
)

// IsReport reports whether the books have a report of this name.
func IsReport(name string) bool {
	return name == ReportSummary || name == ReportChannel || name == ReportDifferences || name == ReportMonth
}

// Report writes a report of a day or month in the printed form. Its figures are
// those of the last runs and of the differences as they stand.
func (s *Service) Report(ctx context.Context, inst string, ledger Ledger, name, day, month string, w io.Writer) error {
	if day == "" && month == "" || day != "" && name == ReportMonth || month != "" && (name == ReportSummary || name == ReportChannel) {
		return flow.NewError(flow.CodeBadRequest, "")
	}
	form := report.Sheet{Unit: s.Unit(ctx, inst), Period: day + month, Printed: s.now().In(calendar.Beijing).Format("2006-01-02 15:04")}
	var sheets []report.Sheet
	var err error
	switch name {
	case ReportMonth:
		sheets, err = s.monthSheets(ctx, inst, month, form)
	case ReportDifferences:
		var one report.Sheet
		of := periodOf(day, month)
		of.Ledger = string(ledger)
		one, err = s.differenceSheet(ctx, inst, of, form)
		sheets = []report.Sheet{one}
	default:
		sheets, err = s.daySheets(ctx, inst, ledger, name, day, form)
	}
	if err != nil {
		return err
	}
	return report.Write(w, sheets...)
}

// periodOf chooses the differences of a day or of a month.
func periodOf(day, month string) Filter {
	first, _, err := calendar.ParseDay(month + "-01")
	if err != nil {
		return Filter{Day: day}
	}
	return Filter{From: month + "-01", To: first.AddDate(0, 1, -1).Format(time.DateOnly)}
}

func (s *Service) daySheets(ctx context.Context, inst string, ledger Ledger, name, day string, form report.Sheet) ([]report.Sheet, error) {
	run, err := s.LastRun(ctx, inst, ledger, day)
	if err != nil {
		return nil, err
	}
	view, err := s.Day(ctx, inst, ledger, day)
	if err != nil {
		return nil, err
	}
	channel := form
	channel.Name, channel.Title = "渠道汇总", ledger.Chinese()+"渠道对账汇总表"
	channel.Tables = []report.Table{channelTable(ledger, run.Summary.V.Channels, run.Books)}
	if name == ReportChannel {
		return []report.Sheet{channel}, nil
	}
	form.Name, form.Title = "汇总", ledger.Chinese()+"三方对账汇总表"
	form.Tables = []report.Table{bookTable(ledger, run.Books), kindTable(view.Differences), otherTable(ledger, run.Summary.V, view),
		fileTable(run.Files)}
	details, err := s.differenceSheet(ctx, inst, Filter{Ledger: string(ledger), Day: day}, report.Sheet{Unit: form.Unit,
		Period: form.Period, Printed: form.Printed})
	if err != nil {
		return nil, err
	}
	lines := s.lineSheet(ctx, run, report.Sheet{Unit: form.Unit, Period: form.Period, Printed: form.Printed})
	return []report.Sheet{form, channel, details, lines}, nil
}

var bookNames = []struct {
	key, name string
}{{"platform", "平台"}, {reconcile.ChannelWeChat, "微信"}, {reconcile.ChannelAlipay, "支付宝"}, {SourceCentre, "医保中心"}, {SourceHIS, "HIS"}}

// booksOf lists the books of a ledger for forms.
func booksOf(l Ledger, books map[string]BookSum) (out []struct{ key, name string }) {
	for _, b := range bookNames {
		if _, has := books[b.key]; has || l == Deposits && b.key != SourceCentre {
			out = append(out, b)
		}
	}
	return out
}

// ours says what the platform's book holds, on forms.
var ours = map[Ledger]string{Deposits: "本院退款单", Payments: "本院缴费单与退费单的自费部分", Insurance: "本院医保结算"}

var totalNames = map[Ledger]string{Deposits: "一、各方总额（归入本日的成功退款）", Payments: "一、各方总额（自费实收减去退费）",
	Insurance: "一、各方总额（基金支付与个人账户，减去退费）"}

var stateWords = map[string]string{
	Ready: "已收", Empty: "当日无业务", Waiting: "等待", Missing: "缺失", Refused: "拒收", Open: "待处理", Proposed: "待确认", Resolved: "已处理", Carried: "结转",
	"succeeded": "成功", "failed": "失败", "pending": "处理中", "": "无", "overage": "长款", "shortage": "短款",
}

var verbNames = map[string]string{
	VerbBook: "补记", VerbCorrect: "更正", VerbRematch: "换配", VerbConfirmArrival: "确认到账", VerbIgnore: "忽略", VerbForce: "强制平账", verbAuto: "自动",
}

func bookTable(l Ledger, books map[string]BookSum) report.Table {
	var rows [][]any
	for _, b := range booksOf(l, books) {
		sum := books[b.key]
		note := stateWords[sum.Statement]
		if b.key == "platform" {
			note = ours[l]
		}
		rows = append(rows, []any{b.name, sum.Count, sum.Amount, note})
	}
	return report.Listed(totalNames[l], []report.Column{{Name: "账本", Width: 19}, {Name: "笔数", Type: report.Count, Width: 10.5},
		{Name: "金额", Type: report.Money, Width: 16}, {Name: "账单", Width: 35}}, rows)
}

// kindName is the Chinese name of a kind.
func kindName(kind string) string {
	for _, k := range reconcile.Kinds() {
		if k.String() == kind {
			return k.Chinese()
		}
	}
	return "迟到账单"
}

func kindTable(sums map[string]reconcile.Sum) report.Table {
	var rows [][]any
	kinds := []string{}
	for _, k := range reconcile.Kinds() {
		kinds = append(kinds, k.String())
	}
	for _, k := range append(kinds, KindLate) {
		if sum, ok := sums[k]; ok {
			rows = append(rows, []any{kindName(k), sum.Count, sum.Amount})
		}
	}
	t := report.Listed("二、差异（含已处理的）", []report.Column{{Name: "差异类型"}, {Name: "笔数", Type: report.Count, Sum: true},
		{Name: "差异金额", Type: report.Money, Sum: true}}, rows)
	t.Total = true
	return t
}

func otherTable(l Ledger, s RunSummary, v DayView) report.Table {
	rows := [][]any{{"各方一致的订单", s.Matched, nil, fmt.Sprintf("共 %d 笔订单", s.Orders)}, {"未处理的差异", v.Open, nil, "含跨日、待确认"},
		{"往日未处理的差异", v.CarriedIn, nil, ""}}
	switch l {
	case Deposits:
		rows = append(rows, []any{"HIS 往日扣减、本日付款", s.Moved.In.Count, s.Moved.In.Amount, "已归入本日"},
			[]any{"HIS 本日扣减、他日付款", s.Moved.Out.Count, s.Moved.Out.Amount, "已归入付款日"},
			[]any{"长款", nil, s.Overage, "HIS 已记账，渠道未付"}, []any{"短款", nil, s.Shortage, "渠道已付款，HIS 未记账"},
			[]any{"账单中的其他业务", s.Other.Count, s.Other.Amount, "不属于退款和转账，只计数"},
			[]any{"其中退回的款项", s.Returned.Count, s.Returned.Amount, "往日退款被退回"})
	case Payments:
		rows = append(rows, []any{"HIS 他日记账、本日收付", s.Moved.In.Count, s.Moved.In.Amount, "已归入本日"},
			[]any{"HIS 本日记账、他日收付", s.Moved.Out.Count, s.Moved.Out.Amount, "已归入收付的那一天"},
			[]any{"长款", nil, s.Overage, "手里的钱比 HIS 的账多"}, []any{"短款", nil, s.Shortage, "手里的钱比 HIS 的账少"},
			[]any{"账单中的其他业务", s.Other.Count, s.Other.Amount, "不是本系统的缴费和退费，只计数"})
	}
	if l != Insurance {
		rows = append(rows, []any{"HIS 中无账单的渠道", s.Cash.Count, s.Cash.Amount, "现金等，只计数"}, []any{"无法识别的行", s.Rejects, nil, "逐行见账单"})
	}
	return report.Listed("三、其他", []report.Column{{Name: "项目"}, {Name: "笔数", Type: report.Count}, {Name: "金额", Type: report.Money},
		{Name: "说明"}}, rows)
}

func fileTable(files []usedFile) report.Table {
	var rows [][]any
	for _, f := range files {
		rows = append(rows, []any{f.Form + "（" + f.Kind + "）", f.Lines, f.Rejects, f.SHA256})
	}
	return report.Listed("四、账单", []report.Column{{Name: "账单"}, {Name: "行数", Type: report.Count},
		{Name: "无法识别", Type: report.Count}, {Name: "SHA-256"}}, rows)
}

func channelTable(l Ledger, channels []ChannelRow, books map[string]BookSum) report.Table {
	columns := []report.Column{{Name: "渠道", Width: 10.5}, {Name: "收退", Width: 10.5}}
	switch l {
	case Deposits:
		columns[0].Name, columns[1].Name = "退款渠道", "退款方式"
	case Insurance:
		columns[0].Name, columns[1].Name = "清算机构、类别", "险种"
	}
	for _, b := range reconcile.Books {
		columns = append(columns, report.Column{Name: b.Chinese() + "笔数", Type: report.Count, Sum: true},
			report.Column{Name: b.Chinese() + "金额", Type: report.Money, Width: 14, Sum: true})
	}
	columns = append(columns, report.Column{Name: "平台减渠道", Type: report.Money, Width: 14, Sum: true},
		report.Column{Name: "HIS减渠道", Type: report.Money, Width: 14, Sum: true}, report.Column{Name: "差异笔数", Type: report.Count, Sum: true})
	var rows [][]any
	for _, c := range channels {
		rows = append(rows, []any{reconcile.ChannelChinese(c.Channel), reconcile.MethodChinese(c.Method), c.Platform.Count, c.Platform.Amount,
			c.Bill.Count, c.Bill.Amount, c.HIS.Count, c.HIS.Amount,
			c.Platform.Amount - c.Bill.Amount, c.HIS.Amount - c.Bill.Amount, c.Differences})
	}
	t := report.Listed("", columns, rows)
	t.Total, t.Capital = true, "渠道金额"
	t.Check = map[string]money.Fen{"平台金额": books["platform"].Amount, "渠道金额": books[reconcile.ChannelWeChat].Amount +
		books[reconcile.ChannelAlipay].Amount + books[SourceCentre].Amount, "HIS金额": books[SourceHIS].Amount}
	return t
}

// differenceSheet lists all differences with how they were worked off.
func (s *Service) differenceSheet(ctx context.Context, inst string, f Filter, form report.Sheet) (report.Sheet, error) {
	names, err := s.Store.StaffNames(ctx, inst)
	if err != nil {
		return form, err
	}
	now, number := s.now(), "订单号"
	if f.Ledger == string(Deposits) {
		number = "退款单号"
	}
	rows := func(yield func(...any) error) error {
		return s.eachDifference(ctx, inst, f, func(d Difference) error {
			return yield(d.Day, kindName(d.Kind), d.OrderNo, d.BillNo, amountOf(d.PlatformAmount, d.PlatformState),
				amountOf(d.ChannelAmount, d.ChannelState), amountOf(d.HISAmount, d.HISState),
				stateWords[d.PlatformState], stateWords[d.ChannelState], stateWords[d.HISState], strings.ReplaceAll(stateWords[d.Sign], "无", ""),
				money.Fen(d.Amount), stateWords[d.State], verbNames[d.Verb], names[d.Owner],
				d.daysOpen(d.end(now)), d.Explain, d.Ledger.Chinese())
		})
	}
	form.Name, form.Title = "差异明细", Ledger(f.Ledger).Chinese()+"对账差异明细表"
	form.Tables = []report.Table{{Total: true, Rows: rows, Columns: []report.Column{
		{Name: "业务日", Width: 10.5}, {Name: "差异类型", Width: 8}, {Name: number, Width: 15}, {Name: "商户单号", Width: 15},
		{Name: "平台金额", Type: report.Money, Width: 11.5, Sum: true, If: "平台状态"},
		{Name: "渠道金额", Type: report.Money, Width: 11.5, Sum: true, If: "渠道状态"}, {Name: "HIS金额", Type: report.Money, Width: 11.5, Sum: true,
			If: "HIS状态"}, {Name: "平台状态", Width: 6}, {Name: "渠道状态", Width: 6}, {Name: "HIS状态", Width: 6},
		{Name: "长短款", Width: 6}, {Name: "差异金额", Type: report.Money, Width: 11.5, Sum: true}, {Name: "处理状态", Width: 7},
		{Name: "处理方式", Width: 8}, {Name: "负责人", Width: 7}, {Name: "天数", Type: report.Count, Width: 4.5}, {Name: "说明", Width: 18.5},
		{Name: "账本", Width: 5},
	}}}
	return form, nil
}

func amountOf(amount int64, state string) any {
	if state == "" {
		return nil
	}
	return money.Fen(amount)
}

// lineSheet lists every order of the run, up to what a sheet should hold.
func (s *Service) lineSheet(ctx context.Context, run Run, form report.Sheet) report.Sheet {
	form.Name, form.Title = "三方明细", run.Ledger.Chinese()+"三方明细表"
	if run.Lines == "" || run.Summary.V.Orders > report.MaxLines {
		form.Notes = []string{fmt.Sprintf("共 %d 笔，本表不列。", run.Summary.V.Orders)}
		return form
	}
	t := report.Table{Total: true, Columns: report.LineColumns}
	t.Rows = func(yield func(...any) error) error {
		return s.eachLine(ctx, run, func(raw []byte) error {
			var l Line
			if err := json.Unmarshal(raw, &l); err != nil {
				return err
			}
			kind := "一致"
			if l.Kind != "" {
				kind = kindName(l.Kind)
			}
			row := []any{l.OrderNo, l.BillNo, l.HISNo, l.CardNo, reconcile.ChannelChinese(l.Channel), reconcile.MethodChinese(l.Method)}
			var states, times []any
			for _, side := range []*Side{l.Platform, l.Bill, l.HIS} {
				if side == nil {
					row, states, times = append(row, nil), append(states, "无"), append(times, "")
					continue
				}
				row, states, times = append(row, side.Amount), append(states, stateWords[side.Status]), append(times, side.clock())
			}
			return yield(append(slices.Concat(row, states, times), kind)...)
		})
	}
	form.Tables = []report.Table{t}
	return form
}

// anchorNote tells on paper where the audit log ended when the month was closed,
// or ends now: whoever keeps the paper can show that nothing before was changed.
func (s *Service) anchorNote(m Month) string {
	if m.AuditHead != "" {
		return fmt.Sprintf("结账时审计日志到第 %d 行，校验值 %s。", m.AuditSeq, m.AuditHead)
	}
	a, err := store.AuditHead(s.App)
	if err != nil || a.Seq == 0 {
		return "审计日志的校验值没有读到。"
	}
	return fmt.Sprintf("打印时审计日志到第 %d 行，校验值 %s。", a.Seq, a.Head)
}

// monthSheets are the month's totals, its days, and what is open.
func (s *Service) monthSheets(ctx context.Context, inst, month string, form report.Sheet) ([]report.Sheet, error) {
	m, err := s.Month(ctx, inst, month)
	if err != nil {
		return nil, err
	}
	days, err := s.Calendar(ctx, inst, month)
	if err != nil {
		return nil, err
	}
	form.Name, form.Title = "月结", "对账月结表"
	form.Tables = monthTables(Deposits, m.Books, m.Channels)
	for _, l := range m.Ledgers {
		form.Tables = append(form.Tables, monthTables(l.Ledger, l.Books, l.Channels)...)
	}
	form.Notes = []string{fmt.Sprintf("截至打印时未处理差异 %d 笔，其中没有负责人 %d 笔；没有对完的日子 %d 天；月结状态：%s。", m.Open, m.Unowned, len(m.MissingDays),
		map[string]string{MonthOpen: "未结", MonthProposed: "待第二人确认", MonthClosed: "已结 " + m.ClosedBy, MonthReopening: "申请重开"}[m.State]),
		s.anchorNote(m)}
	plain := report.Sheet{Unit: form.Unit, Period: form.Period, Printed: form.Printed}
	detail, err := s.differenceSheet(ctx, inst, periodOf("", month), plain)
	plain.Name, plain.Title, plain.Tables = "逐日", "对账月结逐日表", []report.Table{dayTable(days)}
	return []report.Sheet{form, plain, detail}, err
}

// monthTables are the totals of a ledger's month.
func monthTables(l Ledger, books map[string]BookSum, channels []ChannelRow) []report.Table {
	var rows [][]any
	for _, b := range booksOf(l, books) {
		rows = append(rows, []any{b.name, books[b.key].Count, books[b.key].Amount})
	}
	byChannel := channelTable(l, channels, books)
	byChannel.Caption = l.Chinese() + "：渠道"
	if l == Insurance {
		byChannel.Caption = "医保：险种与清算类别"
	}
	return []report.Table{report.Listed(l.Chinese()+"：各方总额", []report.Column{{Name: "账本", Width: 12}, {Name: "笔数", Type: report.Count},
		{Name: "金额", Type: report.Money, Width: 16}}, rows), byChannel}
}

// dayTable lists how every day of a month stands, in all ledgers.
func dayTable(days []CalendarDay) report.Table {
	colours := map[string]string{"green": "平", "amber": "未完", "red": "有差异", "none": "未对账"}
	var rows [][]any
	for _, d := range days {
		row := []any{d.Date, colours[d.Colour], d.Count, d.Open}
		for _, l := range Ledgers() {
			word := ""
			for _, m := range d.Ledgers {
				if m.Ledger == l {
					word = colours[m.Colour]
				}
			}
			row = append(row, word)
		}
		rows = append(rows, append(row, strings.Join(d.Missing, "、")))
	}
	return report.Listed("", []report.Column{{Name: "业务日", Width: 11.5}, {Name: "结果", Width: 9}, {Name: "订单", Type: report.Count, Width: 10.5},
		{Name: "未处理差异", Type: report.Count, Width: 10.5}, {Name: "退款", Width: 9}, {Name: "缴费", Width: 9}, {Name: "医保", Width: 9},
		{Name: "缺账单", Width: 44}}, rows)
}
