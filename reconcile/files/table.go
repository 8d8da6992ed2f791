package files

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"strings"

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

// columnNames are the names in files, English and Chinese.
var columnNames = [columns][2]string{
	{"order_no", "退款单号"}, {"out_bill_no", "商户单号"}, {"his_refund_no", "HIS退款流水号"}, {"card_no", "就诊卡号"}, {"amount", "退款金额"},
	{"method", "退款方式"}, {"channel", "退款渠道"}, {"status", "状态"}, {"time", "退款时间"}, {"channel_bill_no", "渠道单号"},
}

// optional are the columns that a book may do without.
var optional = map[reconcile.Book]map[column]bool{
	reconcile.Platform: {colHIS: true, colChannelNo: true},
	reconcile.HIS:      {colBill: true, colChannelNo: true},
}

const maxTitle = 20 // lines that may stand above the header

// ReadTable reads the platform's or HIS's table of the business day, CSV or
// XLSX, whatever the file is called.
func ReadTable(f File, book reconcile.Book, day string, sink Sink) (Info, error) {
	r, err := newReader(f, day, sink)
	if err != nil {
		return Info{}, err
	}
	r.info.Kind = book.Chinese() + "明细表"
	c, err := openContainer(f)
	if err != nil {
		return Info{}, err
	}
	if c.xlsx {
		err = r.readXLSX(f, book)
		return r.info, err
	}
	members := 0
	err = c.each(func(in io.Reader) error {
		if members++; members > 1 {
			return r.refuse(0, "压缩包里只能有一个表格文件")
		}
		l := newLines(r.file, in)
		return r.table(book, l.record, func() int { return l.n })
	})
	if err == nil && members == 0 {
		err = r.refuse(0, "压缩包是空的")
	}
	return r.info, err
}

// table reads records until the end: titles, header, lines, sums.
func (r *reader) table(book reconcile.Book, next func() ([]string, error), line func() int) error {
	t := &table{reader: r, book: book}
	for {
		rec, err := next()
		switch {
		case err == io.EOF:
			return t.finish()
		case errors.Is(err, errQuote), errors.Is(err, errText):
			err = t.unreadable(line(), err)
		case err == nil && t.at == nil:
			err = t.header(line(), rec)
		case err == nil:
			err = t.line(line(), rec)
		}
		if err != nil {
			return err
		}
	}
}

type table struct {
	*reader
	book      reconcile.Book
	at        []int // column → place, -1 where there is none
	names     []string
	titles    int
	headLine  int
	succeeded money.Fen
	told      []money.Fen // what rows of 合计 say
}

func (t *table) unreadable(line int, err error) error {
	if t.at == nil {
		return t.refuse(line, "表头读不懂：%v", err)
	}
	t.info.Lines++
	return t.reject(line, err.Error())
}

// header looks for the names of the columns; titles may stand above them.
func (t *table) header(line int, rec []string) error {
	h := headerOf(rec)
	at, missing, found := make([]int, columns), []string(nil), 0
	for c := range columns {
		at[c] = max(h.col(columnNames[c][0]), h.col(strings.ToLower(columnNames[c][1])))
		switch {
		case at[c] >= 0:
			found++
		case !optional[t.book][c]:
			missing = append(missing, columnNames[c][1]+" "+columnNames[c][0])
		}
	}
	switch {
	case found < 3:
		if t.titles++; t.titles > maxTitle {
			return t.refuse(1, "前 %d 行里找不到表头（退款单号、退款金额等列名）", maxTitle)
		}
		return nil
	case len(missing) > 0:
		return t.refuse(line, "表头缺少列：%s", strings.Join(missing, "、"))
	case h.twice != "":
		return t.refuse(line, "表头里“%s”出现两次，无法确定用哪一列", h.twice)
	}
	t.at, t.names, t.headLine = at, h.names, line
	return nil
}

func (t *table) finish() error {
	if t.at == nil {
		return t.refuse(0, "找不到表头（应有退款单号、退款金额等列名）")
	}
	for _, f := range t.told {
		if t.info.Rejects == 0 && f != t.info.Sum && f != t.succeeded {
			t.info.Notes = append(t.info.Notes, fmt.Sprintf("%s的合计行写 %s，明细之和为 %s（成功 %s），请核对文件是否完整", t.file, f, t.info.Sum, t.succeeded))
		}
	}
	if t.info.Lines > 0 && t.info.OnDay == 0 {
		t.info.Notes = append(t.info.Notes, t.file+"里没有本日的记录，请核对是否拿错了日期")
	}
	return nil
}

// line reads one record.
func (t *table) line(no int, rec []string) error {
	if skip, isSum := footer(rec); skip {
		if f, err := yuan(t.cell(rec, colAmount)); err == nil && isSum {
			t.told = append(t.told, f)
		}
		return nil
	}
	t.info.Lines++
	if len(rec) > len(t.names) && trim(strings.Join(rec[len(t.names):], "")) != "" {
		return t.reject(no, fmt.Sprintf("有 %d 列，表头只有 %d 列；金额中的千分位逗号须加引号", len(rec), len(t.names)))
	}
	l, err := t.parse(rec)
	if err != nil {
		return t.reject(no, err.Error())
	}
	t.info.Sum += l.Amount
	if l.Status == reconcile.Succeeded {
		t.succeeded += l.Amount
	}
	return t.emit(l)
}

func (t *table) cell(rec []string, c column) string {
	if i := t.at[c]; i >= 0 && i < len(rec) {
		return clean(rec[i])
	}
	return ""
}

// parse reads the cells of a line; errors are Chinese reasons.
func (t *table) parse(rec []string) (l reconcile.Line, err error) {
	l = reconcile.Line{
		OrderNo: t.cell(rec, colOrder), BillNo: t.cell(rec, colBill), HISNo: t.cell(rec, colHIS), CardNo: t.cell(rec, colCard),
		ChannelNo: t.cell(rec, colChannelNo), Method: word(t.cell(rec, colMethod)), Channel: word(t.cell(rec, colChannel)),
	}
	for c, s := range [...]string{colOrder: l.OrderNo, colBill: l.BillNo, colHIS: l.HISNo, colCard: l.CardNo} {
		if err := number(columnNames[c][1], s); err != nil {
			return l, err
		}
	}
	if l.OrderNo == "" && (t.book == reconcile.Platform || l.BillNo == "") {
		return l, errors.New("缺少退款单号")
	}
	if len(l.Method) > 64 || len(l.Channel) > 64 || l.Channel == "" {
		return l, errors.New("退款方式或退款渠道读不懂")
	}
	if l.Amount, err = moved(t.cell(rec, colAmount)); err != nil {
		return l, err
	}
	if l.At, err = Time(t.cell(rec, colTime)); err != nil {
		return l, err
	}
	status := t.cell(rec, colStatus)
	if l.Status = cmp.Or(statuses[status], statuses[strings.ToLower(status)]); l.Status == 0 {
		return l, fmt.Errorf("状态 %q 读不懂，应为成功、失败或处理中", clip(status))
	}
	return l, nil
}

// footer recognises rows that are no lines: sums (合计, 总计, 小计) and the
// names below a form. Only the first cell that is not empty counts.
func footer(rec []string) (skip, isSum bool) {
	for _, c := range rec {
		if c == "" {
			continue
		}
		if c[0] < 0x80 && c[0] > ' ' && c[0] != '\'' && c[0] != '=' && c[0] != '`' {
			return false, false
		}
		c = clean(c)
		if c == "" {
			continue
		}
		c = strings.ReplaceAll(strings.ReplaceAll(c, " ", ""), "\u3000", "")
		for _, w := range [...]string{"合计", "总计", "小计", "制表", "复核", "审核", "打印", "单位负责人", "财务负责人"} {
			if strings.HasPrefix(c, w) {
				return true, w == "合计" || w == "总计"
			}
		}
		return false, false
	}
	return false, false
}
