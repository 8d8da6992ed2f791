package foreign_test

import (
	"strings"
	"testing"

	"hospay/internal/foreign"

	"pgregory.net/rapid"
)

func TestScrub(t *testing.T) {
	for in, want := range map[string]string{
		"余额不足":                       "余额不足",
		"收款人 13800138000 不存在":        "收款人 *** 不存在",
		"openid oUpF8uMuAJO_M2px 错误": "openid *** 错误",
		"邮箱 zhangsan@qq.com":         "邮箱 ***",
		"证件 110101********1234":      "证件 ***",
		"验签出错，网关生成的验签字符串为：name=张三": "验签出错，网关生成的",
		"out_bill_no 重复\n请更换":      "out_bill_no 重复 请更换",
		"张三丰的账户":                   "***的账户",
		"\xff\xfe":                 "?",
	} {
		if got := foreign.Scrub(in, "张三丰", ""); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
	if got := foreign.Scrub(strings.Repeat("长", 1000)); len([]rune(got)) > 121 {
		t.Error(len(got))
	}
}

func TestScrub_NeverKeepsAnAccount(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		account := rapid.StringMatching(`1[3-9][0-9]{9}|o[A-Za-z0-9_\-]{26}1|[0-9]{17}[0-9X]|[a-z]{3,9}@[a-z]{3,9}\.com`).Draw(t, "account")
		text := rapid.StringMatching(`[一-龥 ，。]{0,20}`).Draw(t, "before") + account + rapid.StringMatching(`[一-龥 ，。]{0,20}`).Draw(t, "after")
		if got := foreign.Scrub(text); strings.Contains(got, account) {
			t.Fatalf("%q", got)
		}
	})
}
