package foreign

import (
	"fmt"
	"strings"
)

// Kind is what a word is about.
type Kind int

// The kinds of words.
const (
	Status  Kind = iota // succeeded, failed, pending
	Method              // original, transfer
	Channel             // wechat, alipay, cash, and the names of channels without bills
	kinds
)

// Words is the one map of words: what others write, folded, to what we write.
type Words [kinds]map[string]string

// shipped are the words that everybody writes. States are whole words, since
// 退款未成功 holds 成功; a bare code such as 1 says nothing by itself.
var shipped = gather(map[string]string{
	"succeeded": "succeeded success successful ok done finished completed complete refunded " +
		"成功 退款成功 退费成功 转账成功 交易成功 处理成功 付款成功 退款完成 已退款 已退费 已退 已到账 到账 已完成 完成 已付款 已入账 正常 有效",
	"failed": "failed fail failure error closed returned reversed canceled cancelled void rejected refused " +
		"失败 退款失败 退费失败 转账失败 处理失败 已退回 退回 已冲正 冲正 已撤销 撤销 已作废 作废 无效 " +
		"已关闭 关闭 退款关闭 已取消 取消 未受理 驳回 已驳回 拒绝 已拒绝 未退款 未退费",
	"pending": "pending processing waiting submitted debiting reviewing approved paying awaiting_payee reversing suspense 处理中 退款中 退费中 进行中 " +
		"待处理 待退款 待审核 审核中 审核通过 待确认收款 挂账",
}, map[string]string{
	"original": "original 原路 原路退 原路退款 原路退回 原路返回 原路退费 原渠道退回 原卡退回",
	"transfer": "transfer 转账 转账退 转账退款 转账退费 微信转账 支付宝转账 商家转账 企业付款",
	"cash":     "现金 现金退 现金退款 现金退费",
}, map[string]string{
	"wechat": "wechat weixin wx wxpay wechatpay 微信 微信支付 财付通", "alipay": "alipay zfb ali 支付宝 支付宝支付", "cash": "cash 现金",
	"银行卡": "银行卡 银行 bank 刷卡 pos 银联 银联卡 unionpay 云闪付 借记卡 信用卡 网银 银行转账", "医保": "医保 医保卡 医保支付", "支票": "支票 汇票", "数字人民币": "数字人民币 ecny e-cny",
	"线下": "线下 hand",
})

func gather(states, methods, channels map[string]string) (all Words) {
	for kind, list := range []map[string]string{states, methods, channels} {
		all[kind] = map[string]string{}
		for ours, theirs := range list {
			for _, w := range strings.Fields(theirs) {
				all[kind][w] = ours
			}
		}
	}
	return all
}

// Word turns another program's word into ours and tells whether it is known:
// by the words of the user, by those that everybody writes, and by what a
// longer name says (微信支付-公众号, 退款成功(已到账)).
func (w *Words) Word(kind Kind, s string) (string, bool) {
	key := wordKey(s)
	if w != nil {
		if ours, ok := w[kind][key]; ok {
			return ours, true
		}
	}
	if ours, ok := shipped[kind][key]; ok {
		return ours, true
	}
	return w.composed(kind, key)
}

// wordKey is a word without blanks, in small letters.
func wordKey(s string) string {
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c >= 'A' && c <= 'Z' || c == 0xef || c == 0xe3 && strings.HasPrefix(s[i:], "\u3000") || c == 0xc2 {
			return strings.ToLower(strings.ReplaceAll(fold(s), " ", ""))
		}
	}
	return s
}

// inside are the parts of names that tell channel and method by themselves.
var inside = [kinds]map[string][]string{
	Method:  {"original": {"原路", "原渠道", "原卡"}, "transfer": {"转账", "企业付款", "付款到"}},
	Channel: {"wechat": {"微信", "wechat", "weixin", "wxpay", "财付通"}, "alipay": {"支付宝", "alipay"}},
}

// composed reads a longer name: a word with another one of the same meaning in
// brackets, or a name with one part that tells.
func (w *Words) composed(kind Kind, key string) (string, bool) {
	if open := strings.IndexByte(key, '('); open > 0 && strings.HasSuffix(key, ")") {
		a, ok1 := w.Word(kind, key[:open])
		b, ok2 := w.Word(kind, key[open+1:len(key)-1])
		if !ok1 || !ok2 || a != b {
			return "", false
		}
		return a, true
	}
	found := ""
	for ours, parts := range inside[kind] {
		for _, part := range parts {
			i := strings.Index(key, part)
			if i < 0 {
				continue
			}
			if before := key[:i]; strings.HasSuffix(before, "非") || strings.HasSuffix(before, "不") || found != "" && found != ours {
				return "", false
			}
			found = ours
		}
	}
	return found, found != ""
}

// Add takes a word of the user: theirs means the same as meaning, which is a
// word that is known. It tells whether it was.
func (w *Words) Add(theirs, meaning string) bool {
	key, known := wordKey(theirs), false
	if key == "" {
		return false
	}
	for kind := range kinds {
		ours, ok := shipped[kind][wordKey(meaning)]
		if !ok {
			continue
		}
		if w[kind] == nil {
			w[kind] = map[string]string{}
		}
		w[kind][key], known = ours, true
	}
	return known
}

// ReadWords reads what a user's system calls things: a line says 完结=成功, and a
// semicolon ends a line, too. What follows # is for people.
func ReadWords(text string) (*Words, error) {
	words, n := &Words{}, 0
	for line := range strings.Lines(strings.NewReplacer("；", "\n", ";", "\n").Replace(text)) {
		n++
		line, _, _ = strings.Cut(line, "#")
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		theirs, ours, ok := strings.Cut(strings.Replace(line, "＝", "=", 1), "=")
		if !ok || !words.Add(theirs, ours) {
			return nil, fmt.Errorf("第 %d 行应为“对方的词=意思”，意思如成功、失败、处理中、原路退、转账退、微信、支付宝、现金、银行卡，不能是 %q", n, line)
		}
	}
	return words, nil
}
