package files

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"hospay/internal/foreign"
	"hospay/money"
	"hospay/reconcile"
)

// column is a column of the platform's and HIS's tables.
type column int

// The columns, by their place in columnNames.
const (
	colOrder column = iota
	colBill
	colHIS
	colCard
	colAmount
	colMethod
	colChannel
	colStatus
	colTime
	colChannelNo
	columns
)

// columnNames are the names in files: ours in English and Chinese, then what
// others call the same. The first that a table has counts.
var columnNames = [columns][]string{
	{"order_no", "退款单号", "退费单号", "退款订单号"}, {"out_bill_no", "商户单号", "商户退款单号"}, {"his_refund_no", "HIS退款流水号", "HIS流水号", "HIS退费流水号", "退费流水号"},
	{"card_no", "就诊卡号", "卡号", "诊疗卡号"}, {"amount", "退款金额", "退费金额"}, {"method", "退款方式", "退费方式"}, {"channel", "退款渠道", "退费渠道"},
	{"status", "状态", "退款状态", "退费状态"}, {"time", "退款时间", "退费时间", "退款日期", "退费日期"}, {"channel_bill_no", "渠道单号"},
}

// chargeNames are those of tables of what was paid for bills: the amount is the
// cash, less what went back.
var chargeNames = [columns][]string{
	{"order_no", "缴费单号", "订单号", "支付订单号"}, {"out_bill_no", "商户单号", "商户订单号"}, {"receipt_no", "HIS收据号", "收据号", "发票号", "HIS流水号"},
	{"card_no", "就诊卡号", "卡号", "诊疗卡号"}, {"cash", "自费金额", "现金金额", "自付金额"}, {"method", "收退", "收退标志", "交易类型", "业务类型"},
	{"channel", "支付渠道", "支付方式", "渠道"}, {"status", "状态", "交易状态"}, {"time", "收费时间", "交易时间", "收费日期"}, {"channel_bill_no", "渠道单号"},
}

// names are the names of a table's columns.
func (o Options) names() [columns][]string {
	if o.Charges {
		return chargeNames
	}
	return columnNames
}

// mayLack reports whether a table may do without a column.
func (o Options) mayLack(book reconcile.Book, c column) bool {
	return optional[book][c] || o.Charges && (c == colHIS || c == colCard || c == colMethod || c == colStatus)
}

// optional are the columns that a book may do without.
var optional = map[reconcile.Book]map[column]bool{
	reconcile.Platform: {colHIS: true, colChannelNo: true},
	reconcile.HIS:      {colBill: true, colChannelNo: true},
}

const maxTitle = 20 // lines that may stand above the header

// errNoHeader says that a table has no header.
var errNoHeader = errors.New("找不到表头（应有退款单号、退款金额等列名）")

// Sign is how a table tells refunds from other movements.
type Sign int

// The signs. AutoSign sees by the numbers that the other books hold.
const (
	AutoSign Sign = iota
	RefundsBelowZero
	RefundsAboveZero
)

// SignOf names a sign as settings and commands do.
func SignOf(name string) (Sign, bool) {
	s, ok := map[string]Sign{"": AutoSign, "auto": AutoSign, "negative": RefundsBelowZero, "positive": RefundsAboveZero}[name]
	return s, ok
}

// Options of reading a table; the zero value is the usual.
type Options struct {
	Words  *foreign.Words // what the user's system calls things
	Sign   Sign
	Strict bool // a channel that nobody has named is rejected; else its name stays as it is

	Charges bool // the table tells what was paid for bills and what of it went back
}

// ReadTable reads the platform's or HIS's table of the business day, as text or
// as a workbook, whatever the file is called.
func ReadTable(f File, book reconcile.Book, day string, sink Sink) (Info, error) {
	return Options{}.ReadTable(f, book, day, sink)
}

// ReadTable is the function of the same name with options.
func (o Options) ReadTable(f File, book reconcile.Book, day string, sink Sink) (Info, error) {
	r, err := newReader(f, day, sink)
	if err != nil {
		return Info{}, err
	}
	r.info.Kind = book.Chinese() + "明细表"
	if o.Charges {
		r.info.Kind = book.Chinese() + "收费明细表"
	}
	c, err := openContainer(f)
	if err != nil {
		return Info{}, err
	}
	if c.sheets != nil {
		err = r.workbook(c, errNoHeader.Error(), func(l *lines) error { return r.table(o, book, l) })
		return r.info, err
	}
	members := 0
	err = c.each(func(in io.Reader) error {
		if members++; members > 1 {
			return r.refuse(0, "压缩包里只能有一个表格文件")
		}
		l := newLines(r.file, in)
		l.findSeparator()
		return r.table(o, book, l)
	})
	if err == nil && members == 0 {
		err = r.refuse(0, "压缩包是空的")
	}
	if err == errNoHeader {
		err = r.refuse(0, "%v", err)
	}
	return r.info, err
}

// workbook reads the first sheet that has a header: covers stand before it.
// Another sheet with a header is told, since it is not read.
func (r *reader) workbook(c *container, none string, read func(*lines) error) error {
	done, found := "", false
	err := c.sheets(func(name string, rows func() ([]string, int, error)) error {
		l := newRows(r.file, rows)
		if found {
			if l.findHeader() {
				r.info.Notes = append(r.info.Notes, fmt.Sprintf("%s只读了工作表“%s”，工作表“%s”也有表头但没有读，请合并成一张或分开给", r.file, done, name))
			}
			return nil
		}
		err := read(l)
		switch err {
		case nil:
			done, found = name, true
		case errNoHeader:
			return nil
		}
		return err
	})
	if err == nil && !found {
		err = r.refuse(0, "%s", none)
	}
	return c.named(err)
}

// table is the state of reading a table.
type table struct {
	*reader
	Options
	book      reconcile.Book
	at        []int // place of each column, -1 where there is none
	names     []string
	titles    int
	headLine  int
	succeeded money.Fen
	told      []money.Fen // what rows of 合计 say
	midnight  []reconcile.Line
	awake     bool           // a time other than midnight was met
	unknown   map[string]int // words that nobody knows
	looked    []word
	clocks    int // times without a date
	minus     reconcile.Sum
	plus      reconcile.Sum
}

// table reads records until the end: titles, header, lines, sums.
func (r *reader) table(o Options, book reconcile.Book, l *lines) error {
	t := &table{reader: r, Options: o, book: book, unknown: map[string]int{}}
	for {
		rec, err := l.record()
		switch {
		case err == io.EOF:
			return t.finish()
		case errors.Is(err, errQuote), errors.Is(err, errText):
			err = t.unreadable(l.n, err)
		case err == nil && t.at == nil:
			err = t.header(l.n, rec)
		case err == nil:
			err = t.line(l.n, rec)
		}
		if err != nil {
			return err
		}
	}
}

func (t *table) unreadable(line int, err error) error {
	if t.at == nil {
		if t.titles++; t.titles <= maxTitle { // a title may be anything
			return nil
		}
		return t.refuse(line, "表头无法识别：%v", err)
	}
	t.info.Lines++
	return t.reject(line, err.Error())
}

// columnsOf finds the columns of a header and those that are missing.
func (o Options) columnsOf(h header, book reconcile.Book) (at []int, missing []string, found int, twice string) {
	at = make([]int, columns)
	for c := range columns {
		at[c] = -1
		for _, name := range o.names()[c] {
			key := headName(name)
			if i := h.col(key); i >= 0 {
				at[c] = i
				if h.twice[key] {
					twice = name
				}
				break
			}
		}
		switch {
		case at[c] >= 0:
			found++
		case !o.mayLack(book, c):
			missing = append(missing, o.names()[c][1]+" "+o.names()[c][0])
		}
	}
	return at, missing, found, twice
}

// header looks for the names of the columns; titles may stand above them.
func (t *table) header(line int, rec []string) error {
	h := headerOf(rec)
	at, missing, found, twice := t.columnsOf(h, t.book)
	switch {
	case found < 3:
		if t.titles++; t.titles > maxTitle {
			return errNoHeader
		}
		return nil
	case len(missing) > 0:
		return t.refuse(line, "表头缺少列：%s", strings.Join(missing, "、"))
	case twice != "":
		return t.refuse(line, "表头里“%s”出现两次，无法确定用哪一列", twice)
	}
	t.at, t.names, t.headLine = at, h.names, line
	return nil
}

func (t *table) finish() error {
	if t.at == nil {
		return errNoHeader
	}
	if err := t.endMidnight(); err != nil {
		return err
	}
	sums := []money.Fen{t.info.Sum, t.succeeded, t.plus.Amount - t.minus.Amount, t.minus.Amount - t.plus.Amount, t.plus.Amount, t.minus.Amount}
	for _, f := range t.told {
		if t.info.Rejects == 0 && !t.Charges && !slices.Contains(sums, max(f, -f)) && !slices.Contains(sums, f) {
			t.note("的合计行写 %s，明细之和为 %s（成功 %s），请核对文件是否完整", f, t.info.Sum, t.succeeded)
		}
	}
	switch {
	case t.info.Lines > 0 && t.info.Lines == t.info.Rejects:
		t.note("里没有一行读得懂，第一行的原因：%s", t.info.Reason)
	case t.info.Lines > 0 && t.info.OnDay == 0:
		t.note("里没有本日的记录，请核对是否拿错了日期")
	}
	if t.clocks > 0 {
		t.note("里有 %d 行的时间只有时刻没有日期，当作 %s 的", t.clocks, day(t.from))
	}
	t.tellWords()
	t.info.Minus, t.info.Plus = t.minus, t.plus
	return nil
}

func (t *table) note(format string, args ...any) {
	t.info.Notes = append(t.info.Notes, t.file+fmt.Sprintf(format, args...))
}

// tellWords lists every word that nobody knows once.
func (t *table) tellWords() {
	var list []string
	for w, n := range t.unknown {
		list = append(list, fmt.Sprintf("%s（%d 行）", w, n))
	}
	slices.Sort(list)
	if len(list) > 20 {
		list = append(list[:20], "…")
	}
	if len(list) > 0 {
		t.note("里有不认识的词：%s。请在词表里写明意思（如 完结=成功），用 --words 给出", strings.Join(list, "、"))
	}
}

// line reads one record.
func (t *table) line(no int, rec []string) error {
	if skip, isSum := footer(rec); skip {
		if f, err := total(t.cell(rec, colAmount)); err == nil && isSum {
			t.told = append(t.told, f)
		}
		return nil
	}
	t.info.Lines++
	if len(rec) > len(t.names) && trim(strings.Join(rec[len(t.names):], "")) != "" {
		return t.reject(no, fmt.Sprintf("有 %d 列，表头只有 %d 列；金额中的千分位逗号须加引号", len(rec), len(t.names)))
	}
	l := &t.reader.line
	at, err := t.parse(rec, l)
	if err != nil {
		return t.reject(no, err.Error())
	}
	if l.Amount == 0 {
		return nil
	}
	if t.Charges {
		t.info.Sum += t.signed(l)
		return t.emitTimed(l, at)
	}
	side := &t.plus
	if l.Minus {
		side = &t.minus
	}
	side.Count++
	side.Amount += l.Amount
	switch t.Sign {
	case RefundsBelowZero:
		if !l.Minus { // money that came in
			return nil
		}
		l.Minus = false
	case RefundsAboveZero:
		l.Minus, l.Back = false, l.Minus
	}
	t.info.Sum += l.Amount
	if l.Status == reconcile.Succeeded {
		t.succeeded += l.Amount
	}
	return t.emitTimed(l, at)
}

// emitTimed hands a line on. As long as all times are exactly midnight, lines
// wait: a table of such times has dates alone, and says nothing about midnight.
func (t *table) emitTimed(l *reconcile.Line, at foreign.Moment) error {
	switch {
	case t.awake || at.Day:
	case (l.At-t.from)%(24*3600) == 0:
		t.midnight = append(t.midnight, *l)
		return nil
	default:
		t.awake = true
		for i := range t.midnight {
			if err := t.emit(&t.midnight[i]); err != nil {
				return err
			}
		}
		t.midnight = nil
	}
	return t.emit(l)
}

func (t *table) endMidnight() error {
	for i := range t.midnight {
		l := &t.midnight[i]
		l.At += 12 * 3600
		if err := t.emit(l); err != nil {
			return err
		}
	}
	if len(t.midnight) > 0 {
		t.note("的时间全是 0 点整，当作只有日期：不据此判断跨日")
	}
	return nil
}
