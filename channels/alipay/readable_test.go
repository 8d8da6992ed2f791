package alipay

import (
	"strings"
	"testing"
	"unicode/utf8"

	"hospay/flow"

	"golang.org/x/text/encoding/simplifiedchinese"
)

// TestAnswer_InGBKIsReadable: a signed answer whose sub_msg is GBK says what it
// says, beside texts that are UTF-8; its verdict is that of its code.
func TestAnswer_InGBKIsReadable(t *testing.T) {
	gbk := func(s string) string {
		out, err := simplifiedchinese.GBK.NewEncoder().String(s)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	for sub, verdict := range map[string]flow.Verdict{"PAYEE_NOT_EXIST": flow.Refused, "SOMETHING_NEW": flow.Unknown} {
		body := `{"code":"40004","msg":"业务失败","sub_code":"` + sub + `","sub_msg":"` + gbk("收款账号不存在") + `"}`
		a := always(t, body).Pay(t.Context(), transferPayout())
		if a.Verdict != verdict || !strings.Contains(a.Reason.Message, "收款") || !utf8.ValidString(a.Reason.Message) ||
			strings.ContainsRune(a.Reason.Message, utf8.RuneError) {
			t.Errorf("%s: %+v", sub, a)
		}
	}
	var h head
	if err := (&readable{&h}).UnmarshalJSON([]byte(`{"msg":"业务失败","sub_msg":"` + gbk("收款账号不存在") + `"}`)); err != nil ||
		h.Msg != "业务失败" || h.SubMsg != "收款账号不存在" {
		t.Errorf("%+v %v", h, err)
	}
}

func FuzzReadable(f *testing.F) {
	f.Add([]byte(`{"code":"10000","sub_msg":"` + "\xca\xd5\xbf\xee" + `"}`))
	f.Add([]byte(`{"a":{"b":["\xff"]},"code":1}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var h head
		if err := (&readable{&h}).UnmarshalJSON(data); err == nil && !utf8.ValidString(h.Code+h.Msg+h.SubCode+h.SubMsg) {
			t.Errorf("%q became %+v", data, h)
		}
	})
}
