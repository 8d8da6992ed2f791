package files

import (
	"errors"
	"io"
	"regexp"
	"strings"
	"time"

	"hospay/calendar"
	"hospay/internal/foreign"
	"hospay/money"
	"hospay/reconcile"
)

var alipayNeeds = map[form][]string{
	ledger:      {"账务流水号", "业务流水号", "商户订单号", "发生时间", "收入金额", "支出金额", "账户余额", "业务类型"},
	webLedger:   {"账务流水号", "业务流水号", "商户订单号", "发生时间", "收入金额", "支出金额", "账户余额", "业务类型"},
	alipayTrade: {"支付宝交易号", "商户订单号", "业务类型", "创建时间", "完成时间", "订单金额", "商家实收", "退款批次号/请求号"},
}

var alipayKinds = map[form]string{ledger: "支付宝账务明细", webLedger: "支付宝账务明细", alipayTrade: "支付宝业务明细"}

// Lines of Alipay's files that begin with #.
var (
	alipayRange = regexp.MustCompile(`(?:起始|开始)(?:日期|时间)\s*[：:]\s*\[([^\]\n]+)\][\s,]*(?:终止|结束)(?:日期|时间)\s*[：:]\s*\[([^\]\n]+)\]`)
	alipayTotal = regexp.MustCompile(`^#(支出|收入|交易|退款)合计\s*[：:]\s*(\d+)\s*笔[，,]\s*(?:商家实收退款|商家实收)?共(-?[\d,.]+)元`)
)

// alipay reads a ledger (账务明细) or trade bill (业务明细) from its header on:
// records up to the closing line, then the totals.
func (r *reader) alipay(l *lines, h header, f form) error {
	r.info.Kind, r.info.Channel = alipayKinds[f], reconcile.ChannelAlipay
	b := &bill{reader: r, l: l, h: h, form: f}
	b.find()
	if err := cmpErr(b.needs(alipayNeeds[f]), b.alipayDay()); err != nil {
		return err
	}
	totals, closed := map[string]bool{}, false
	for {
		rec, err := l.record()
		if err == io.EOF {
			return b.alipayEnd(totals, closed)
		}
		switch {
		case errors.Is(err, errQuote), errors.Is(err, errText):
			b.count++
			b.tallied = false
			err = b.rejectLine(err)
		case err == nil && strings.HasPrefix(rec[0], "#"):
			text := strings.Join(rec, ",")
			closed = closed || strings.Contains(text, "列表结束")
			err = b.alipayTotals(text, totals)
		case err == nil && closed:
			err = r.refuse(l.n, "明细列表结束之后还有记录，文件可能是拼接的")
		case err == nil:
			b.count++
			b.tallied = false
			err = b.alipayRecord(rec)
		}
		if err != nil {
			return err
		}
	}
}

// alipayDay sees that the range in the head of the file covers the day.
func (b *bill) alipayDay() error {
	m := alipayRange.FindStringSubmatch(b.l.head)
	if m == nil {
		return b.refuse(b.l.n, "账单开头没有起始日期和终止日期")
	}
	from, err1 := foreign.Time(m[1])
	to, err2 := foreign.Time(m[2])
	if err := errors.Join(err1, err2); err != nil {
		return b.refuse(b.l.n, "账单的起始日期或终止日期无法识别")
	}
	if from.Day { // dates alone: from the beginning of the first to the end of the last
		from.Unix -= 12 * 3600
	}
	if to.Day {
		to.Unix += 12 * 3600
	}
	if from.Unix > b.from || to.Unix < b.to-60 {
		return b.refuse(0, "账单是 %s 至 %s 的，不是 %s 的", m[1], m[2], day(b.from))
	}
	return nil
}

func day(at int64) string { return time.Unix(at, 0).In(calendar.Beijing).Format(time.DateOnly) }

func (b *bill) alipayRecord(rec []string) error {
	missing := 1 // the remark at the end may be left out
	if b.l.rows != nil {
		missing = len(b.h.names)
	}
	if err := b.fits(rec, missing); err != nil {
		return b.rejectLine(err)
	}
	parse := b.ledgerLine
	if b.form == alipayTrade {
		parse = b.alipayTradeLine
	}
	return b.pass(&b.line, parse(rec, &b.line))
}

// ledgerLine reads a movement of the balance. Spending is written with or
// without a minus; the column tells.
func (b *bill) ledgerLine(rec []string, l *reconcile.Line) (err error) {
	in, err1 := amountOrNone(b.cell(rec, fIn))
	out, err2 := amountOrNone(b.cell(rec, fOut))
	if err := cmpErr(err1, err2); err != nil {
		return err
	}
	*l = reconcile.Line{
		BillNo: b.cell(rec, fMerchantNo), ChannelNo: b.cell(rec, fBusinessNo), Flow: b.cell(rec, fLedgerNo), Type: b.cell(rec, fKind),
		Channel: reconcile.ChannelAlipay, Status: reconcile.Succeeded, Amount: out, Back: in > 0,
	}
	switch {
	case in > 0 && out > 0:
		return errors.New("收入和支出同时有金额")
	case in > 0:
		l.Amount = in
		b.tally(&b.in, in)
	case out > 0:
		b.tally(&b.out, out)
	default:
		b.tallied = true // nothing moved, and the totals do not count it
	}
	l.Method = methodOf(l.Type)
	l.At, err = unixOf(b.cell(rec, fAt))
	return err
}

// amountOrNone reads an amount without its sign; an empty cell is nothing.
func amountOrNone(s string) (money.Fen, error) {
	if s == "" {
		return 0, nil
	}
	f, err := yuan(s)
	return max(f, -f), err
}

// alipayTradeLine reads a refund, or a payment as other business. Refunds are
// written with or without a minus; the business type tells.
func (b *bill) alipayTradeLine(rec []string, l *reconcile.Line) (err error) {
	amount, err1 := amountOrNone(b.cell(rec, fOrdered))
	got, err2 := amountOrNone(b.cell(rec, fGot))
	if err := cmpErr(err1, err2); err != nil {
		return err
	}
	*l = reconcile.Line{
		Source: reconcile.Trade, Channel: reconcile.ChannelAlipay, Status: reconcile.Succeeded, Amount: amount, Type: b.cell(rec, fKind),
		BillNo: b.cell(rec, fMerchantNo), ChannelNo: b.cell(rec, fTradeNo),
	}
	request := b.cell(rec, fRequest)
	l.Flow = l.ChannelNo + "/" + request
	switch {
	case strings.Contains(l.Type, "退款") || strings.Contains(l.Type, "退费"):
		b.tally(&b.out, got)
		l.Method = reconcile.MethodOriginal
		if l.Of = l.BillNo; request != "" {
			l.BillNo = request
		}
	case l.Type == "交易":
		b.tally(&b.in, got)
		l.Back = true
	default: // other business, which the totals count as they like
		b.loose++
		b.tallied, l.Back = true, true
	}
	at := b.cell(rec, fDone)
	if at == "" {
		at = b.cell(rec, fBegun)
	}
	l.At, err = unixOf(at)
	return err
}

// alipayTotals compares a line of totals, if it is one.
func (b *bill) alipayTotals(text string, seen map[string]bool) error {
	m := alipayTotal.FindStringSubmatch(text)
	if m == nil {
		return nil
	}
	seen[m[1]] = true
	have := &b.out
	if m[1] == "收入" || m[1] == "交易" {
		have = &b.in
	}
	return b.agrees(m[1], m[2], m[3], have)
}

// alipayEnd sees that the file was whole.
func (b *bill) alipayEnd(seen map[string]bool, closed bool) error {
	needs := []string{"支出", "收入"}
	switch b.form {
	case alipayTrade:
		needs = []string{"交易"}
	case webLedger:
		b.info.Notes = append(b.info.Notes, b.file+"是从支付宝网页下载的账务明细，没有合计行，无法核对是否完整；能下载“账务明细”账单时请用账单")
		return nil
	}
	for _, n := range needs {
		if !seen[n] || !closed {
			return b.refuse(b.l.n, "账单没有结束行或%s合计，文件不完整", n)
		}
	}
	return nil
}
