package voucher

import (
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"strings"

	"hospay/money"

	"github.com/xuri/excelize/v2"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/transform"
)

// Move is what moved through one channel on a Beijing day.
type Move struct {
	Day     string
	Kind    Kind
	Channel string // wechat, alipay
	Count   int
	Cash    money.Fen
	Insured money.Fen // fund and accounts; not of refunds of deposits
	Other   money.Fen
}

// Line is a line of a voucher.
type Line struct {
	Day           string
	No, Line      int
	Account       Account
	Summary       string
	Count         int
	Debit, Credit money.Fen
}

// Lines books what moved: each day and kind is a voucher, in the order in which
// they are given, and each voucher is in balance.
func (l Layout) Lines(moves []Move) ([]Line, error) {
	var out []Line
	no, line := 0, 0
	var last Move
	for _, m := range moves {
		if no == 0 || m.Day != last.Day || m.Kind != last.Kind {
			no, line = no+1, 0
		}
		last = m
		var debit, credit money.Fen
		for _, e := range m.entries() {
			if e.debit == 0 && e.credit == 0 {
				continue
			}
			if m.Kind == Payback {
				e = e.back(l.Reverse)
			}
			line++
			out = append(out, Line{Day: m.Day, No: no, Line: line, Account: l.Accounts[e.account], Summary: l.summary(m), Count: m.Count,
				Debit: e.debit, Credit: e.credit})
			debit, credit = debit+e.debit, credit+e.credit
		}
		if debit != credit {
			return nil, fmt.Errorf("voucher: %s %s %s: debit %d, credit %d", m.Day, m.Kind, m.Channel, debit, credit)
		}
	}
	return out, nil
}

type entry struct {
	account       string
	debit, credit money.Fen
}

// entries are what a move is in the books. What goes back of a payment is told as
// the payment was.
func (m Move) entries() []entry {
	if m.Kind == Refund {
		return []entry{{account: Deposit, debit: m.Cash}, {account: m.Channel, credit: m.Cash}}
	}
	return []entry{{account: m.Channel, debit: m.Cash}, {account: Insurance, debit: m.Insured}, {account: Other, debit: m.Other},
		{account: Income, credit: m.Cash + m.Insured + m.Other}}
}

// back is an entry of what goes back.
func (e entry) back(how string) entry {
	if how == "red" {
		return entry{e.account, -e.debit, -e.credit}
	}
	return entry{e.account, e.credit, e.debit}
}

func (l Layout) summary(m Move) string {
	channel := map[string]string{WeChat: "微信", Alipay: "支付宝"}[m.Channel]
	return strings.NewReplacer("{channel}", channel, "{count}", strconv.Itoa(m.Count), "{date}", m.Day).Replace(l.Summaries[m.Kind])
}

// cells are a line's columns.
func (l Layout) cells(x Line, person string) []string {
	direction, amount := "借", x.Debit
	if x.Debit == 0 {
		direction, amount = "贷", x.Credit
	}
	fill := strings.NewReplacer("{date}", x.Day, "{year}", x.Day[:4], "{month}", strings.TrimLeft(x.Day[5:7], "0"),
		"{day}", strings.TrimLeft(x.Day[8:], "0"), "{word}", l.Word, "{no}", strconv.Itoa(x.No), "{line}", strconv.Itoa(x.Line),
		"{summary}", x.Summary, "{code}", x.Account.Code, "{account}", x.Account.Name, "{debit}", x.Debit.Yuan(), "{credit}", x.Credit.Yuan(),
		"{direction}", direction, "{amount}", amount.Yuan(), "{count}", strconv.Itoa(x.Count), "{person}", person)
	out := make([]string, 0, len(l.Columns))
	for _, c := range l.Columns {
		out = append(out, fill.Replace(c.Value))
	}
	return out
}

// Write writes the file, for person.
func (l Layout) Write(w io.Writer, lines []Line, person string) error {
	rows := make([][]string, 0, len(lines)+1)
	if l.Header {
		var titles []string
		for _, c := range l.Columns {
			titles = append(titles, c.Title)
		}
		rows = append(rows, titles)
	}
	for _, x := range lines {
		rows = append(rows, l.cells(x, person))
	}
	switch l.File {
	case "xlsx":
		return l.sheet(w, rows)
	case "txt":
		return l.encoded(w, func(w io.Writer) error { return plain(w, rows) })
	}
	return l.encoded(w, func(w io.Writer) error {
		c := csv.NewWriter(w)
		c.UseCRLF = true
		return c.WriteAll(rows)
	})
}

// plain is what knows no quotes: whatever would end a field or a line becomes a space.
func plain(w io.Writer, rows [][]string) error {
	clean := strings.NewReplacer(",", " ", "\r", " ", "\n", " ", `"`, " ")
	for _, row := range rows {
		for i := range row {
			row[i] = clean.Replace(row[i])
		}
		if _, err := io.WriteString(w, strings.Join(row, ",")+"\r\n"); err != nil {
			return err
		}
	}
	return nil
}

// encoded writes text as the layout wants it. GB18030 is GBK for all that GBK has,
// and has a place for everything else.
func (l Layout) encoded(w io.Writer, write func(io.Writer) error) error {
	var end func() error
	if l.Encoding == "gbk" {
		t := transform.NewWriter(w, simplifiedchinese.GB18030.NewEncoder())
		w, end = t, t.Close
	}
	if l.FirstLine != "" {
		if _, err := io.WriteString(w, l.FirstLine+"\r\n"); err != nil {
			return err
		}
	}
	if err := write(w); err != nil || end == nil {
		return err
	}
	return end()
}

// sheet writes a workbook whose amounts are numbers and whose codes stay texts.
func (l Layout) sheet(w io.Writer, rows [][]string) error {
	f := excelize.NewFile()
	defer f.Close()
	const name = "Sheet1"
	top := 1
	if l.FirstLine != "" {
		if err := f.SetCellStr(name, "A1", l.FirstLine); err != nil {
			return err
		}
		top++
	}
	money, err := f.NewStyle(&excelize.Style{NumFmt: 4})
	if err != nil {
		return err
	}
	for i, row := range rows {
		for j, v := range row {
			at, err := excelize.CoordinatesToCellName(j+1, top+i)
			if err != nil {
				return err
			}
			if err := l.cell(f, name, at, v, j, l.Header && i == 0, money); err != nil {
				return err
			}
		}
	}
	return f.Write(w)
}

func (l Layout) cell(f *excelize.File, sheet, at, v string, column int, title bool, style int) error {
	switch l.Columns[column].Value {
	case "{debit}", "{credit}", "{amount}":
		if title {
			break
		}
		n, err := strconv.ParseFloat(v, 64)
		if err != nil {
			return err
		}
		if err := f.SetCellFloat(sheet, at, n, 2, 64); err != nil {
			return err
		}
		return f.SetCellStyle(sheet, at, at, style)
	}
	return f.SetCellStr(sheet, at, v)
}
