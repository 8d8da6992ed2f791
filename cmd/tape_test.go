package cmd

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"golang.org/x/text/encoding/simplifiedchinese"
)

// TestTape_ShowsTheOtherSidesWordsAndNobodysData: what a HIS said can be read, in
// GBK too; who it was about, and with which key it was asked, cannot.
func TestTape_ShowsTheOtherSidesWordsAndNobodysData(t *testing.T) {
	gbk := func(s string) []byte {
		out, err := simplifiedchinese.GBK.NewEncoder().Bytes([]byte(s))
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	tp := &tape{private: []string{"令狐冲", "s3cret-key", "P0007"}}
	tp.hear("person", []byte(`{"patient_id":"P0007","key":"s3cret-key","id_no":"110105198001019015","phone":"13800138000"}`),
		gbk(`<Response><Code>23</Code><Message>该患者已停用，请到窗口</Message><PatientName>令狐冲</PatientName><LinkMobile>13911112222</LinkMobile>`+
			`<MotherName>宁中则</MotherName><CardNo>620000012345</CardNo></Response>`), nil)
	tp.hear("debit", []byte("x"), nil, errors.New("his: HTTP 502"))
	var out bytes.Buffer
	tp.play(&out, false)
	for _, want := range []string{"该患者已停用，请到窗口", "<Code>23</Code>", "person 发出", "debit 没有可用的应答：his: HTTP 502"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
	for _, secret := range []string{"令狐冲", "s3cret-key", "P0007", "110105198001019015", "13800138000", "13911112222", "宁中则", "620000012345"} {
		if strings.Contains(out.String(), secret) {
			t.Errorf("%q is shown:\n%s", secret, out.String())
		}
	}
	out.Reset()
	tp.hear("card", []byte("a"), []byte("b"), nil)
	tp.play(&out, true)
	if out.Len() > 0 {
		t.Errorf("a step that succeeded is shown unasked: %s", out.String())
	}
}
