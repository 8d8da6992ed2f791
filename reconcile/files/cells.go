package files

import (
	"errors"
	"fmt"
	"strings"

	"hospay/internal/foreign"
	"hospay/money"
	"hospay/reconcile"
)

func (t *table) cell(rec []string, c column) string {
	if i := t.at[c]; i >= 0 && i < len(rec) {
		return clean(rec[i])
	}
	return ""
}

// parse reads the cells of a line; errors are Chinese reasons.
func (t *table) parse(rec []string, l *reconcile.Line) (at foreign.Moment, err error) {
	*l = reconcile.Line{}
	for _, i := range t.at {
		if i >= 0 && i < len(rec) && len(rec[i]) > 0 && rec[i][0] == spoilt[0] {
			return at, t.spoiltOf(rec)
		}
	}
	for _, n := range [...]struct {
		c    column
		into *string
	}{{colOrder, &l.OrderNo}, {colBill, &l.BillNo}, {colHIS, &l.HISNo}, {colCard, &l.CardNo}, {colChannelNo, &l.ChannelNo}} {
		s := t.cell(rec, n.c)
		if *n.into = s; plainNumber(s) {
			continue
		}
		if *n.into, err = number(columnNames[n.c][1], s); err != nil {
			return at, err
		}
	}
	if l.OrderNo == "" && (t.book == reconcile.Platform || l.BillNo == "") {
		return at, errors.New("缺少" + t.Options.names()[colOrder][1])
	}
	if l.Amount, err = yuan(t.cell(rec, colAmount)); err == nil && l.Amount == 0 && !t.Charges {
		err = errors.New("金额为零，不大于零也不小于零")
	}
	if err != nil {
		return at, err
	}
	if l.Amount < 0 {
		l.Amount, l.Minus = -l.Amount, true
	}
	if at, err = timeOf(t.cell(rec, colTime)); err == errClock {
		at, err = foreign.Moment{Unix: t.from + int64(at.Seconds)}, nil
		t.clocks++
	}
	if l.At = at.Unix; err != nil || l.Amount == 0 { // all of it is the insurance's
		return at, err
	}
	return at, t.readWords(rec, l)
}

// spoiltOf names the first column whose cell cannot be trusted.
func (t *table) spoiltOf(rec []string) error {
	for c := range columns {
		if i := t.at[c]; i >= 0 && i < len(rec) && strings.HasPrefix(rec[i], spoilt) {
			return spoiltCell(columnNames[c][1], rec[i])
		}
	}
	return nil
}

// word is a word of the table that was looked up.
type word struct {
	kind  foreign.Kind
	text  string
	ours  string
	known bool
}

// fewWords is how many words are remembered; a table has hardly more.
const fewWords = 24

// word looks a word up, most of the time among the last ones.
func (t *table) word(kind foreign.Kind, text string) (string, bool) {
	for i := range t.looked {
		if w := &t.looked[i]; w.text == text && w.kind == kind {
			return w.ours, w.known
		}
	}
	ours, known := t.Words.Word(kind, text)
	if len(t.looked) < fewWords && len(text) < 100 {
		t.looked = append(t.looked, word{kind, strings.Clone(text), ours, known})
	}
	return ours, known
}

func statusOf(word string) reconcile.Status {
	switch word {
	case "succeeded":
		return reconcile.Succeeded
	case "failed":
		return reconcile.Failed
	case "pending":
		return reconcile.Pending
	}
	return 0
}

// readWords reads status, method and channel.
func (t *table) readWords(rec []string, l *reconcile.Line) error {
	if t.Charges {
		if err := t.readCharge(rec, l); err != nil {
			return err
		}
		return t.readChannel(rec, l)
	}
	status := t.cell(rec, colStatus)
	ours, known := t.word(foreign.Status, status)
	if l.Status = statusOf(ours); !known {
		return t.noWord("状态", status, "，应为成功、失败或处理中")
	}
	method := t.cell(rec, colMethod)
	if l.Method, known = t.word(foreign.Method, method); !known && method != "" {
		return t.noWord("退款方式", method, "，应为原路退或转账退")
	}
	return t.readChannel(rec, l)
}

// readCharge tells what was paid from what went back, by the row's word or by
// its sign, and reads the state where the table has one.
func (t *table) readCharge(rec []string, l *reconcile.Line) error {
	l.Status, l.Method = reconcile.Succeeded, reconcile.MethodPay
	if word := t.cell(rec, colStatus); word != "" {
		ours, known := t.word(foreign.Status, word)
		if l.Status = statusOf(ours); !known {
			return t.noWord("状态", word, "，应为成功、失败或处理中")
		}
	}
	word := t.cell(rec, colMethod)
	back := word == reconcile.MethodBack || strings.Contains(word, "退")
	if back || l.Minus {
		l.Method = reconcile.MethodBack
	}
	if l.Minus = false; word != "" && word != reconcile.MethodPay && !back && !strings.ContainsAny(word, "缴收付挂") {
		return t.noWord("收退", word, "，应为缴费或退费")
	}
	return nil
}

// signed is what a line of charges adds to a sum.
func (t *table) signed(l *reconcile.Line) money.Fen {
	if l.Method == reconcile.MethodBack {
		return -l.Amount
	}
	return l.Amount
}

func (t *table) readChannel(rec []string, l *reconcile.Line) error {
	channel, known := t.cell(rec, colChannel), false
	if l.Channel, known = t.word(foreign.Channel, channel); known {
		return nil
	}
	if l.Channel = channel; t.Strict || channel == "" || len(channel) > 64 || strings.ContainsRune(channel, '\ufffd') {
		return t.noWord(t.Options.names()[colChannel][1], channel, "，应为微信、支付宝、现金等")
	}
	return nil
}

// noWord rejects a word that nobody knows, and keeps it for the list.
func (t *table) noWord(what, word, should string) error {
	if word == "" {
		return errors.New(what + "是空的")
	}
	if len(t.unknown) < 1000 {
		t.unknown[what+"“"+clip(word)+"”"]++
	}
	return fmt.Errorf("%s %q 无法识别%s", what, clip(word), should)
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
