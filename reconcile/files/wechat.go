package files

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"hospay/money"
	"hospay/reconcile"
)

// form is one of the bill forms.
type form int

const (
	fundFlow form = iota
	wechatTrade
	ledger
	webLedger // the same from Alipay's web console: no closing line, no totals
	alipayTrade
)

// bill is the state of reading a bill of either channel.
type bill struct {
	*reader
	l     *lines
	h     header
	form  form
	count int // records, rejected ones included
	first int64
	onDay int
	near  int // records within the hour before or after the day
	at    [fields]int
	sums  [2]money.Fen  // settled and refunded, what the totals of trade bills must equal
	in    reconcile.Sum // movements by direction
	out   reconcile.Sum

	tallied bool     // the record at hand counts in in or out
	loose   int      // records that the totals may count and we do not
	spoilt  []string // the first rejected lines, for people
}

// wechatNeeds are the columns without which a bill is refused.
var wechatNeeds = map[form][]string{
	fundFlow:    {"记账时间", "微信支付业务单号", "资金流水单号", "业务名称", "业务类型", "收支类型", "收支金额", "业务凭证号"},
	wechatTrade: {"交易时间", "微信订单号", "商户订单号", "应结订单金额"},
}

var wechatKinds = map[form]string{fundFlow: "微信资金账单", wechatTrade: "微信交易账单"}

// wechat reads a fund-flow or trade bill: records, the header of the totals,
// the totals. A file without its totals was cut off.
func (r *reader) wechat(l *lines, h header, f form) error {
	r.info.Kind, r.info.Channel = wechatKinds[f], reconcile.ChannelWeChat
	b := &bill{reader: r, l: l, h: h, form: f}
	b.find()
	if err := b.needs(wechatNeeds[f]); err != nil {
		return err
	}
	for {
		rec, err := l.record()
		switch {
		case err == io.EOF:
			return r.refuse(l.n, "账单没有合计行，文件不完整")
		case errors.Is(err, errQuote), errors.Is(err, errText):
			b.count++
			b.tallied = false
			err = b.rejectLine(err)
		case err == nil && strings.HasSuffix(clean(rec[0]), "笔数"), err == nil && clean(rec[0]) == "总交易单数":
			return cmpErr(b.wechatTotals(headerOf(rec).alias(olderTotals)), b.end())
		case err == nil:
			b.count++
			b.tallied = false
			err = b.wechatRecord(rec)
		}
		if err != nil {
			return err
		}
	}
}

func (b *bill) needs(names []string) error {
	if missing := b.h.missing(names...); len(missing) > 0 {
		return b.refuse(b.l.n, "账单表头缺少列：%s", strings.Join(missing, "、"))
	}
	for _, n := range names {
		if b.h.twice[n] {
			return b.refuse(b.l.n, "账单表头里“%s”出现两次", n)
		}
	}
	return nil
}

// olderTotals are the names of totals in older bills.
var olderTotals = map[string]string{"总交易额": "应结订单总金额", "总退款金额": "退款总金额"}

func (b *bill) rejectLine(err error) error {
	b.info.Lines++
	if !b.tallied {
		b.loose++
	}
	if len(b.spoilt) < 5 {
		b.spoilt = append(b.spoilt, fmt.Sprintf("第 %d 行 %v", b.l.n, err))
	}
	return b.reject(b.l.n, err.Error())
}

// fits sees that a record has a cell for each column: with more it would be
// read shifted.
func (b *bill) fits(rec []string, missing int) error {
	names := len(b.h.names)
	for b.l.rows != nil && len(rec) > names && trim(rec[len(rec)-1]) == "" { // a workbook's blank cells
		rec = rec[:len(rec)-1]
	}
	if len(rec) > names {
		return fmt.Errorf("有 %d 列，表头只有 %d 列，多半是文字里有没加引号的逗号", len(rec), names)
	}
	if len(rec) < names-missing {
		return fmt.Errorf("只有 %d 列，表头有 %d 列", len(rec), names)
	}
	for i := 0; b.l.rows != nil && i < len(rec); i++ {
		if err := spoiltCell(b.h.names[i], rec[i]); err != nil {
			return err
		}
	}
	return nil
}

// named is the cell of a column of the totals.
func (b *bill) named(rec []string, name string) string {
	if i := b.h.col(name); i >= 0 && i < len(rec) {
		return clean(rec[i])
	}
	return ""
}

// wechatRecord reads one record; what cannot be read is rejected.
func (b *bill) wechatRecord(rec []string) error {
	missing := 0
	if b.l.rows != nil { // a workbook does not store blank cells at the end
		missing = len(b.h.names)
	}
	if err := b.fits(rec, missing); err != nil {
		return b.rejectLine(err)
	}
	parse := b.fundFlowLine
	if b.form == wechatTrade {
		parse = b.wechatTradeLine
	}
	return b.pass(&b.line, parse(rec, &b.line))
}

// pass hands on a line that was read; one of nothing moves nothing.
func (b *bill) pass(l *reconcile.Line, err error) error {
	if err == nil && l.BillNo == "" && l.ChannelNo == "" && (l.Flow == "" || l.Source == reconcile.Trade) {
		err = errors.New("没有任何单号")
	}
	if err == nil {
		l.BillNo, err = number("商户单号", l.BillNo)
	}
	if err == nil {
		l.ChannelNo, err = number("渠道单号", l.ChannelNo)
	}
	if err == nil {
		l.Flow, err = number("流水号", l.Flow)
	}
	if err != nil {
		return b.rejectLine(err)
	}
	b.info.Lines++
	b.info.Sum += l.Amount
	if b.first == 0 {
		b.first = l.At
	}
	switch {
	case l.At >= b.from && l.At < b.to:
		b.onDay++
	case l.At >= b.from-3600 && l.At < b.to+3600:
		b.near++
	}
	if l.Amount == 0 {
		return nil
	}
	return b.emit(l)
}

func (b *bill) fundFlowLine(rec []string, l *reconcile.Line) (err error) {
	*l = reconcile.Line{
		BillNo: b.cell(rec, fVoucher), ChannelNo: b.cell(rec, fPayNo), Flow: b.cell(rec, fFlowNo),
		Name: b.cell(rec, fName), Type: b.cell(rec, fKind), Channel: reconcile.ChannelWeChat, Status: reconcile.Succeeded,
	}
	if l.Amount, err = yuan(b.cell(rec, fMoved)); err != nil {
		return err
	}
	switch way := b.cell(rec, fWay); way {
	case "收入":
		l.Back = true
		b.tally(&b.in, l.Amount)
	case "支出":
		b.tally(&b.out, l.Amount)
	default:
		return fmt.Errorf("收支类型 %q 无法识别", clip(way))
	}
	if l.Amount < 0 {
		return errors.New("金额为负")
	}
	l.Method = methodOf(l.Name + l.Type)
	l.At, err = unixOf(b.cell(rec, fBooked))
	return err
}

// tally counts a movement in a direction.
func (b *bill) tally(sum *reconcile.Sum, f money.Fen) {
	b.tallied = true
	sum.Count++
	sum.Amount += f
}

func unixOf(s string) (int64, error) {
	m, err := timeOf(s)
	return m.Unix, err
}

// methodOf reads the method from the name of a business.
func methodOf(name string) string {
	switch {
	case strings.Contains(name, "转账"), strings.Contains(name, "企业付款"):
		return reconcile.MethodTransfer
	case strings.Contains(name, "退款"):
		return reconcile.MethodOriginal
	}
	return ""
}

// wechatTradeLine reads a refund, or a payment as other business. A refund
// stands in the bill from the moment that it is accepted and its status is
// never updated, so that PROCESSING counts as paid.
func (b *bill) wechatTradeLine(rec []string, l *reconcile.Line) (err error) {
	settled, err := yuan(b.cell(rec, fSettled))
	if err != nil {
		return err
	}
	refunded, asked := money.Fen(0), money.Fen(0)
	if s := b.cell(rec, fRefunded); s != "" {
		if refunded, err = yuan(s); err != nil {
			return err
		}
	}
	if s := b.cell(rec, fAsked); s != "" {
		if asked, err = yuan(s); err != nil {
			return err
		}
	}
	b.tallied = true
	b.sums[0] += settled
	b.sums[1] += refunded
	*l = reconcile.Line{Source: reconcile.Trade, Channel: reconcile.ChannelWeChat, Status: reconcile.Succeeded, Back: true,
		BillNo: b.cell(rec, fMerchantNo), ChannelNo: b.cell(rec, fTransaction), Type: b.cell(rec, fState), Amount: settled}
	l.Flow = l.ChannelNo
	if s := b.cell(rec, fOrdered); s != "" { // what was asked for; coupons may have borne a part
		if order, err := yuan(s); err == nil && order > settled && settled > 0 {
			l.Amount, l.Paid = order, settled
		}
	}
	at := b.cell(rec, fTradeTime)
	if no := b.cell(rec, fRefundNo); no != "" && no != "0" {
		l.Of, l.Paid = l.BillNo, 0
		l.BillNo, l.ChannelNo, l.Amount, l.Back = no, b.cell(rec, fRefundID), refunded, false
		if refunded >= 0 && asked > refunded { // what we asked for; coupons do not come from our account
			l.Amount, l.Paid = asked, refunded
		}
		l.Flow, l.Type, l.Method = l.ChannelNo, "退款", reconcile.MethodOriginal
		switch b.cell(rec, fRefundState) {
		case "FAIL", "CLOSED", "CHANGE", "ABNORMAL":
			l.Status = reconcile.Failed
		}
		for _, f := range [...]field{fRefundAsked, fRefundDone} {
			if s := b.cell(rec, f); s != "" {
				at = s
			}
		}
	}
	if l.Amount < 0 {
		return errors.New("金额为负")
	}
	l.At, err = unixOf(at)
	return err
}

// wechatTotals reads the last line and compares.
func (b *bill) wechatTotals(h header) error {
	rec, err := b.l.record()
	if err != nil {
		return b.refuse(b.l.n, "账单没有合计行，文件不完整")
	}
	told := &bill{reader: b.reader, l: b.l, h: h}
	if b.form == fundFlow {
		in := b.agrees("收入", told.named(rec, "收入笔数"), told.named(rec, "收入金额"), &b.in)
		out := b.agrees("支出", told.named(rec, "支出笔数"), told.named(rec, "支出金额"), &b.out)
		return cmpErr(b.sameCount("资金流水总笔数", told.named(rec, "资金流水总笔数"), b.count), in, out)
	}
	errs := []error{b.sameCount("总交易单数", told.named(rec, "总交易单数"), b.count)}
	for i, name := range [...]string{"应结订单总金额", "退款总金额"} {
		if s := told.named(rec, name); s != "" || name == "应结订单总金额" {
			errs = append(errs, b.sameSum(name, s, b.sums[i]))
		}
	}
	return cmpErr(errs...)
}

// cmpErr returns the first error.
func cmpErr(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// sameCount compares a count of the totals, which may be written as "20.0".
func (b *bill) sameCount(name, told string, have int) error {
	if f, err := yuan(told); err != nil || f != money.Fen(have)*100 {
		return b.refuse(b.l.n, "%s为 %s，明细有 %d 笔，账单不可信%s", name, told, have, b.blame())
	}
	return nil
}

// sameSum compares a sum of the totals. Where lines could not be read, it may
// hold more.
func (b *bill) sameSum(name, told string, have money.Fen) error {
	if f, err := total(told); err != nil || f != have && (b.loose == 0 || f < have) {
		return b.refuse(b.l.n, "%s为 %s，明细之和为 %s，账单不可信%s", name, told, have.Yuan(), b.blame())
	}
	return nil
}

// agrees compares the totals of a direction. Lines that could not be read, or
// whose kind we do not know, may make up for what we lack: their number bounds
// it, and what they come to is told.
func (b *bill) agrees(name, count, sum string, have *reconcile.Sum) error {
	n, err1 := yuan(count)
	f, err2 := total(sum)
	if b.form != fundFlow { // Alipay writes them with or without a minus
		f = max(f, -f)
	}
	lack := n/100 - money.Fen(have.Count)
	if cmpErr(err1, err2) != nil || n%100 != 0 || lack < 0 || lack > money.Fen(b.loose) || f < have.Amount || lack == 0 && f != have.Amount {
		return b.refuse(b.l.n, "%s合计为 %s 笔 %s 元，明细为 %d 笔 %s 元，账单不可信%s", name, count, sum, have.Count, have.Amount.Yuan(), b.blame())
	}
	if lack > 0 {
		b.loose -= int(lack)
		if b.info.Rejects > 0 {
			b.info.Notes = append(b.info.Notes, fmt.Sprintf("%s里无法识别的行按合计推算有%s %d 笔 %s 元", b.file, name, lack, (f-have.Amount).Yuan()))
		}
	}
	return nil
}

// blame names the rejected lines, which are the usual cause.
func (b *bill) blame() string {
	if b.info.Rejects == 0 {
		return ""
	}
	return fmt.Sprintf("（有 %d 行无法识别：%s）", b.info.Rejects, strings.Join(b.spoilt, "；"))
}

// end sees that nothing follows and that the bill is of the day: WeChat's
// bills do not name their day, their records do.
func (b *bill) end() error {
	switch _, err := b.l.record(); {
	case err == io.EOF:
		return b.sameDay()
	case err == nil, errors.Is(err, errQuote), errors.Is(err, errText):
		return b.refuse(b.l.n, "合计之后还有内容，文件可能是拼接的")
	default:
		return err
	}
}

// sameDay refuses a bill without a record on the day, unless most are so near
// to it that the clocks may be to blame.
func (b *bill) sameDay() error {
	if b.first != 0 && b.onDay == 0 && 2*b.near <= b.count {
		return b.refuse(0, "账单里没有本日的记录（第一笔在 %s），拿错了日期", day(b.first))
	}
	return nil
}
