package files

import (
	"errors"
	"fmt"
	"strings"

	"hospay/internal/foreign"
	"hospay/reconcile"
)

// columnsOf finds the columns of a header and those that are missing.
func columnsOf(h header, book reconcile.Book) (at []int, missing []string, found int, twice string) {
	at = make([]int, columns)
	for c := range columns {
		at[c] = -1
		for _, name := range columnNames[c] {
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
		case !optional[book][c]:
			missing = append(missing, columnNames[c][1]+" "+columnNames[c][0])
		}
	}
	return at, missing, found, twice
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

// readWords reads status, method and channel.
func (t *table) readWords(rec []string, l *reconcile.Line) error {
	status := t.cell(rec, colStatus)
	word, known := t.Words.Word(foreign.Status, status)
	if l.Status = statuses[word]; !known {
		return t.noWord("状态", status, "，应为成功、失败或处理中")
	}
	method := t.cell(rec, colMethod)
	if l.Method, known = t.Words.Word(foreign.Method, method); !known && method != "" {
		return t.noWord("退款方式", method, "，应为原路退或转账退")
	}
	channel := t.cell(rec, colChannel)
	if l.Channel, known = t.Words.Word(foreign.Channel, channel); known {
		return nil
	}
	if l.Channel = channel; t.Strict || channel == "" || len(channel) > 64 || strings.ContainsRune(channel, '\ufffd') {
		return t.noWord("退款渠道", channel, "，应为微信、支付宝、现金等")
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
	return fmt.Errorf("%s %q 读不懂%s", what, clip(word), should)
}
