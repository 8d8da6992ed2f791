// Package files reads the files of the three books: the channels' bills in the
// channels' own formats, and the tables of platform and HIS as text, workbook or
// page. It finds columns by the names of the header, names every line that it
// cannot read with file, line and a Chinese reason, and refuses a file as a
// whole when its header, totals or date cannot be trusted. A row of other
// business or an odd row never costs the file.
//
// Workbooks are read here and not in package report, which only writes for
// people: the engine's side of the house must not depend on forms.
package files

import (
	"errors"
	"fmt"
	"io"
	"time"

	"hospay/calendar"
	"hospay/money"
	"hospay/reconcile"
)

// File is a file to read; its name is told to people as the user gave it.
type File struct {
	Name string
	Data io.ReaderAt
	Size int64
}

// Reject is a line that could not be read.
type Reject struct {
	File   string `json:"file"`
	Line   int    `json:"line"`
	Reason string `json:"reason"` // Chinese
}

// Refusal is the error of a file that cannot be trusted as a whole. Line is 0
// where no single line is to blame.
type Refusal struct {
	File   string
	Line   int
	Reason string // Chinese
}

// Error tells people which file, which line and why.
func (r *Refusal) Error() string {
	if r.Line == 0 {
		return fmt.Sprintf("%s：%s", r.File, r.Reason)
	}
	return fmt.Sprintf("%s 第 %d 行：%s", r.File, r.Line, r.Reason)
}

// Sink takes what a file holds. Its errors stop the reading. The line is the
// sink's until it returns.
type Sink struct {
	Line   func(*reconcile.Line) error
	Reject func(Reject) error
}

// Info is what a file turned out to be.
type Info struct {
	Kind    string // Chinese name of the form
	Channel string // bills only
	Lines   int    // records read, rejected ones included
	Rejects int
	Reason  string    // of the first of them, with its line
	OnDay   int       // records of the business day
	Sum     money.Fen // of all records read
	Notes   []string  // Chinese remarks that do not stop the run

	Minus, Plus reconcile.Sum // tables only: amounts below and above zero
}

// reader is the state that all readers share.
type reader struct {
	file string
	sink Sink
	from int64 // the business day
	to   int64
	info Info
	line reconcile.Line // the one at hand
}

// Day is a business day in Beijing.
func newReader(f File, day string, sink Sink) (*reader, error) {
	d, err := time.ParseInLocation(time.DateOnly, day, calendar.Beijing)
	if err != nil {
		return nil, fmt.Errorf("book: day %q is not yyyy-MM-dd", day)
	}
	return &reader{file: f.Name, sink: sink, from: d.Unix(), to: d.AddDate(0, 0, 1).Unix()}, nil
}

func (r *reader) reject(line int, reason string) error {
	if r.info.Rejects++; r.info.Rejects == 1 {
		r.info.Reason = fmt.Sprintf("第 %d 行 %s", line, reason)
	}
	return r.sink.Reject(Reject{r.file, line, reason})
}

func (r *reader) refuse(line int, format string, args ...any) error {
	return &Refusal{r.file, line, fmt.Sprintf(format, args...)}
}

// emit hands a good line on.
func (r *reader) emit(l *reconcile.Line) error {
	if l.At >= r.from && l.At < r.to {
		r.info.OnDay++
	}
	return r.sink.Line(l)
}

// ReadBill reads a channel's bill of the business day. The kind is recognised
// from the header, whatever the file is called.
func ReadBill(f File, day string, sink Sink) (Info, error) {
	r, err := newReader(f, day, sink)
	if err != nil {
		return Info{}, err
	}
	c, err := openContainer(f)
	if err != nil {
		return Info{}, err
	}
	if c.sheets != nil {
		err = r.workbook(c, noBill, func(l *lines) error {
			if found, err := r.readBill(l); found || err != nil {
				return err
			}
			return errNoHeader
		})
		return r.info, err
	}
	details := 0
	err = c.each(func(in io.Reader) error {
		found, err := r.readBill(newLines(r.file, in))
		if found {
			details++
		}
		return err
	})
	if err == nil && details == 0 {
		err = r.refuse(0, noBill)
	}
	return r.info, err
}

const noBill = "不是能识别的渠道账单：找不到微信或支付宝账单的表头"

// readBill reads one member or sheet; found tells whether it was a detail bill.
func (r *reader) readBill(l *lines) (found bool, err error) {
	for {
		rec, err := l.record()
		switch {
		case err == io.EOF && l.rows != nil:
			return false, nil
		case err == io.EOF && l.n == 0:
			return false, r.refuse(0, "文件是空的")
		case err == io.EOF && l.summary:
			return false, nil
		case err == io.EOF:
			return false, r.refuse(1, noBill)
		case errors.Is(err, errQuote), errors.Is(err, errText): // a title may be anything
			rec = nil
		case err != nil:
			return false, err
		}
		if l.n > 30 && !l.summary {
			if l.rows != nil {
				return false, nil
			}
			return false, r.refuse(1, "不是能识别的渠道账单：前 30 行里没有微信或支付宝账单的表头")
		}
		if start := r.billStart(l, rec); start != nil {
			return true, start()
		}
	}
}

// billStart returns the reader of the bill whose header the record is.
func (r *reader) billStart(l *lines, rec []string) func() error {
	h := headerOf(rec)
	switch {
	case h.has("记账时间", "资金流水单号"):
		return func() error { return r.wechat(l, h, fundFlow) }
	case h.has("交易时间", "微信订单号"):
		return func() error { return r.wechat(l, h.alias(olderTrade), wechatTrade) }
	case h.has("账务流水号", "账户余额"):
		return func() error { return r.alipay(l, h, ledger) }
	case h.has("支付宝流水号", "账务类型"):
		return func() error { return r.alipay(l, h.alias(webColumns), webLedger) }
	case h.has("支付宝交易号", "业务类型"):
		return func() error { return r.alipay(l, h.alias(olderBatch), alipayTrade) }
	}
	return nil
}

// Other names of the columns of bills: of older bills, and of the ledger as
// Alipay's web console gives it.
var (
	olderTrade = map[string]string{"总金额": "应结订单金额", "企业红包金额": "代金券金额"}
	olderBatch = map[string]string{"退款批次号": "退款批次号/请求号", "退款请求号": "退款批次号/请求号"}
	webColumns = map[string]string{"支付宝流水号": "账务流水号", "支付宝交易号": "业务流水号", "入账时间": "发生时间", "收入": "收入金额", "支出": "支出金额", "账务类型": "业务类型"}
)

// header finds columns by name.
type header struct {
	names []string
	at    map[string]int
	twice map[string]bool // names that stand twice
}

func headerOf(rec []string) header {
	h := header{at: map[string]int{}, twice: map[string]bool{}}
	for i, c := range rec {
		n := headName(c)
		if _, ok := h.at[n]; ok {
			h.twice[n] = true
		}
		h.names = append(h.names, n)
		h.at[n] = i
	}
	return h
}

// alias adds the names that we use for columns with other names.
func (h header) alias(names map[string]string) header {
	for theirs, ours := range names {
		if i, ok := h.at[theirs]; ok && !h.has(ours) {
			h.at[ours], h.twice[ours] = i, h.twice[theirs]
		}
	}
	return h
}

func (h header) has(names ...string) bool { return len(h.missing(names...)) == 0 }

func (h header) missing(names ...string) (out []string) {
	for _, n := range names {
		if _, ok := h.at[n]; !ok {
			out = append(out, n)
		}
	}
	return out
}

// col returns the place of a column, -1 where there is none.
func (h header) col(name string) int {
	if i, ok := h.at[name]; ok {
		return i
	}
	return -1
}
