package files

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"hospay/calendar"
	"hospay/money"
	"hospay/reconcile"
)

// clean takes away what spreadsheets and channels put around a text: blanks,
// Alipay's tabs, WeChat's backtick, the apostrophe and the ="…" of Excel.
func clean(s string) string {
	if s == "" || (s[0] > '=' && s[0] != '`' && s[0] < utf8.RuneSelf && s[len(s)-1] > ' ' && s[len(s)-1] < utf8.RuneSelf) {
		return s
	}
	s = trim(s)
	if len(s) > 3 && strings.HasPrefix(s, `="`) && strings.HasSuffix(s, `"`) {
		s = s[2 : len(s)-1]
	}
	if s != "" && (s[0] == '`' || s[0] == '\'') {
		s = s[1:]
	}
	return trim(s)
}

func trim(s string) string { return strings.Trim(s, " \t\r\n\ufeff\u3000\u00a0") }

// headName is a column's name without the unit behind it: 收支金额(元).
func headName(s string) string {
	s = clean(s)
	if i := strings.IndexAny(s, "(（"); i > 0 {
		s = trim(s[:i])
	}
	return strings.ToLower(s)
}

// plainYuan reads digits with two decimals, as nearly all amounts are written.
func plainYuan(s string) (f money.Fen, ok bool) {
	dot := len(s) - 3
	if dot < 1 || dot > 9 || s[dot] != '.' {
		return 0, false
	}
	for i := range len(s) {
		switch c := s[i]; {
		case i == dot:
		case c < '0' || c > '9':
			return 0, false
		default:
			f = f*10 + money.Fen(c-'0')
		}
	}
	return f, true
}

// yuan reads an amount; the error is a Chinese reason.
func yuan(s string) (money.Fen, error) {
	if f, ok := plainYuan(s); ok {
		return f, nil
	}
	s = trim(strings.TrimSuffix(s, "元"))
	f, err := money.Parse(strings.TrimPrefix(s, "+"))
	switch {
	case err == nil:
		return f, nil
	case errors.Is(err, money.ErrPrecise):
		return 0, fmt.Errorf("金额 %q 超过两位小数", clip(s))
	case errors.Is(err, money.ErrOverflow):
		return 0, fmt.Errorf("金额 %q 大得不合常理", clip(s))
	}
	return 0, fmt.Errorf("金额 %q 读不懂", clip(s))
}

// moved reads the amount of a movement, which is more than zero.
func moved(s string) (money.Fen, error) {
	f, err := yuan(s)
	if err == nil && f <= 0 {
		return 0, fmt.Errorf("金额 %q 不大于零", clip(s))
	}
	return f, err
}

// unnoise drops the noise that Excel stores behind two decimals: 29.99 may
// stand in the file as 29.989999999999998.
func unnoise(s string) string {
	whole, frac, ok := strings.Cut(s, ".")
	if !ok || len(frac) < 10 {
		return s
	}
	tail := frac[2:min(9, len(frac))]
	switch {
	case strings.Trim(tail, "0") == "":
		return whole + "." + frac[:2]
	case strings.Trim(tail, "9") == "":
		f, err := money.Parse(whole + "." + frac[:2])
		if err != nil {
			return s
		}
		if strings.HasPrefix(whole, "-") {
			return (f - 1).Yuan()
		}
		return (f + 1).Yuan()
	}
	return s
}

// number checks a number of an order, a bill or a card.
func number(what, s string) error {
	if plainNumber(s) {
		return nil
	}
	if len(s) > 128 {
		return fmt.Errorf("%s过长", what)
	}
	for _, c := range s {
		if c == utf8.RuneError || unicode.IsControl(c) {
			return fmt.Errorf("%s %q 含有无法识别的字符", what, clip(s))
		}
	}
	if i := strings.IndexAny(s, "eE"); i > 0 && strings.Contains(s[:i], ".") && strings.HasPrefix(s[i+1:], "+") {
		return fmt.Errorf("%s %q 已被 Excel 变成科学计数，请把该列设为文本后重新导出", what, clip(s))
	}
	return nil
}

// plainNumber reports whether a number is nothing but letters and digits, as
// nearly all are.
func plainNumber(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') {
			return false
		}
	}
	return len(s) <= 128
}

// Time reads a time in Beijing as unix seconds: yyyy-MM-dd HH:mm:ss, the
// variants of Excel (slashes, single digits, no seconds), a serial number of
// Excel, or RFC 3339. A date alone is taken as noon: it says nothing about
// midnight.
func Time(s string) (int64, error) {
	if at, ok := plainTime(s); ok {
		return at, nil
	}
	if t, err := time.Parse(time.RFC3339, s); err == nil && plausible(t) {
		return t.Unix(), nil
	}
	if days, err := strconv.ParseFloat(s, 64); err == nil && days > 30000 && days < 80000 {
		return serial(days), nil
	}
	date, clock, _ := strings.Cut(strings.NewReplacer("/", "-", "年", "-", "月", "-", "日", " ", "T", " ", "  ", " ").Replace(s), " ")
	for _, layout := range []string{"2006-1-2 15:4:5", "2006-1-2 15:4"} {
		t, err := time.ParseInLocation(layout, date+" "+trim(clock), calendar.Beijing)
		if err == nil && plausible(t) {
			return t.Unix(), nil
		}
	}
	if t, err := time.ParseInLocation("2006-1-2", date, calendar.Beijing); err == nil && trim(clock) == "" && plausible(t) {
		return t.Add(12 * time.Hour).Unix(), nil
	}
	return 0, fmt.Errorf("时间 %q 读不懂，应为 yyyy-MM-dd HH:mm:ss", clip(s))
}

func plausible(t time.Time) bool { return t.Year() >= 2000 && t.Year() < 2200 }

// serial turns Excel's days since 1899-12-30 into unix seconds.
func serial(days float64) int64 {
	base := time.Date(1899, 12, 30, 0, 0, 0, 0, calendar.Beijing).Unix()
	if days == math.Trunc(days) {
		days += 0.5 // a date alone
	}
	return base + int64(math.Round(days*86400))
}

// plainTime reads yyyy-MM-dd HH:mm:ss without the cost of package time.
func plainTime(s string) (int64, bool) {
	if len(s) != 19 || s[4] != '-' || s[7] != '-' || s[10] != ' ' || s[13] != ':' || s[16] != ':' {
		return 0, false
	}
	var v [6]int
	for i, p := range [...][2]int{{0, 4}, {5, 7}, {8, 10}, {11, 13}, {14, 16}, {17, 19}} {
		for _, c := range []byte(s[p[0]:p[1]]) {
			if c < '0' || c > '9' {
				return 0, false
			}
			v[i] = v[i]*10 + int(c-'0')
		}
	}
	y, m, d := v[0], v[1], v[2]
	if y < 2000 || y > 2199 || m < 1 || m > 12 || d < 1 || d > daysIn(y, m) || v[3] > 23 || v[4] > 59 || v[5] > 59 {
		return 0, false
	}
	return int64(daysSince1970(y, m, d))*86400 + int64(v[3]*3600+v[4]*60+v[5]) - 8*3600, true
}

func daysIn(y, m int) int {
	if m == 2 && y%4 == 0 && (y%100 != 0 || y%400 == 0) {
		return 29
	}
	return [...]int{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}[m-1]
}

// daysSince1970 counts the days of the proleptic Gregorian calendar, the year
// beginning in March so that the leap day comes last.
func daysSince1970(y, m, d int) int {
	if m <= 2 {
		y, m = y-1, m+12
	}
	return 365*y + y/4 - y/100 + y/400 + (153*(m-3)+2)/5 + d - 1 - 719468
}

func clip(s string) string {
	if r := []rune(s); len(r) > 30 {
		return string(r[:30]) + "…"
	}
	return s
}

var statuses = map[string]reconcile.Status{}

func init() {
	for s, words := range map[reconcile.Status]string{
		reconcile.Succeeded: "succeeded success 成功 退款成功 已退款 已到账",
		reconcile.Failed:    "failed fail 失败 退款失败 returned 已退回 reversed 已冲正 已撤销 cancelled rejected refused 未受理 驳回",
		reconcile.Pending:   "pending processing 处理中 退款中 submitted debiting reviewing approved paying awaiting_payee reversing suspense 待审核 审核通过 待确认收款 挂账",
	} {
		for _, w := range strings.Fields(words) {
			statuses[w] = s
		}
	}
}

// words are the names of methods and channels in files; others stay as text.
var words = map[string]string{
	"original": reconcile.MethodOriginal, "原路退": reconcile.MethodOriginal, "原路退款": reconcile.MethodOriginal, "原路退回": reconcile.MethodOriginal,
	"transfer": reconcile.MethodTransfer, "转账退": reconcile.MethodTransfer, "转账退款": reconcile.MethodTransfer, "转账": reconcile.MethodTransfer,
	"wechat": reconcile.ChannelWeChat, "微信": reconcile.ChannelWeChat, "微信支付": reconcile.ChannelWeChat,
	"alipay": reconcile.ChannelAlipay, "支付宝": reconcile.ChannelAlipay, "cash": "cash", "现金": "cash",
}

// word reads the name of a method or channel.
func word(s string) string {
	if w, ok := words[s]; ok {
		return w
	}
	if w, ok := words[strings.ToLower(s)]; ok {
		return w
	}
	return s
}
