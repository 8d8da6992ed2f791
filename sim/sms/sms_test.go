package sms_test

import (
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/encoding/simplifiedchinese"

	"hospay/sim/sms"
	"hospay/sim/world"
)

func setup(t *testing.T) (*sms.Server, *world.World) {
	t.Helper()
	people := world.New(1, 20, time.Time{})
	s := sms.New(people)
	if err := s.Listen("127.0.0.1", 0); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s, people
}

// answered does a request and reads the JSON of the answer.
func answered(t *testing.T, req *http.Request, err error) map[string]any {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	v := map[string]any{"status": res.StatusCode}
	if err := json.NewDecoder(res.Body).Decode(&v); err != nil {
		t.Fatal(err)
	}
	return v
}

// form is a signed form; more replaces fields.
func form(phone, content string, more ...string) string {
	f := url.Values{"account": {sms.Account}, "mobile": {phone}, "content": {content}, "ts": {"20261129100000"}}
	sum := md5.Sum([]byte(sms.Account + sms.Password + "20261129100000"))
	f.Set("sign", hex.EncodeToString(sum[:]))
	for i := 0; i+1 < len(more); i += 2 {
		f.Set(more[i], more[i+1])
	}
	return f.Encode()
}

func sendForm(t *testing.T, s *sms.Server, body, charset string) map[string]any {
	t.Helper()
	req, err := http.NewRequest("POST", s.URL()+"/sms/form", strings.NewReader(body))
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset="+charset)
	return answered(t, req, err)
}

func TestForm_BothCharsetsAndAsAQuery(t *testing.T) {
	s, people := setup(t)
	p := people.Find("P0005")
	text := "【演示医院】您的退款1.00元已到账，查看：http://127.0.0.1/r/1。"
	gbk, err := simplifiedchinese.GBK.NewEncoder().String(text)
	if err != nil {
		t.Fatal(err)
	}
	for body, charset := range map[string]string{form(p.Phone, text): "utf-8", form(p.Phone, gbk): "gbk"} {
		if v := sendForm(t, s, body, charset); v["code"] != "0" || v["msgid"] == "" {
			t.Fatal(charset, v)
		}
	}
	req, err := http.NewRequest("GET", s.URL()+"/sms/form?"+form("+86"+p.Phone, text), nil)
	if v := answered(t, req, err); v["code"] != "0" {
		t.Fatal(v)
	}
	got := messages(t, s, "?patient=P0005")
	if len(got) != 3 {
		t.Fatalf("%+v", got)
	}
	for _, m := range got {
		if m.Text != text || m.To != p.Phone || m.Patient != "P0005" {
			t.Errorf("%+v", m)
		}
	}
	if n := len(messages(t, s, "?phone="+people.Find("P0006").Phone)); n != 0 {
		t.Error(n, "messages of somebody else")
	}
}

func messages(t *testing.T, s *sms.Server, query string) []sms.Message {
	t.Helper()
	res, err := http.Get(s.URL() + "/_sim/messages" + query)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var v struct {
		Messages []sms.Message `json:"messages"`
	}
	if err := json.NewDecoder(res.Body).Decode(&v); err != nil {
		t.Fatal(err)
	}
	return v.Messages
}

func TestJSON_IsDeliveredOncePerNumber(t *testing.T) {
	s, people := setup(t)
	send := func(token, id string, phones ...string) map[string]any {
		list, _ := json.Marshal(phones)
		req, err := http.NewRequest("POST", s.URL()+"/sms/json",
			strings.NewReader(fmt.Sprintf(`{"requestId":%q,"phones":%s,"content":"已到账"}`, id, list)))
		req.Header.Set("Authorization", "Bearer "+token)
		return answered(t, req, err)
	}
	one, two := people.Find("P0001").Phone, people.Find("P0002").Phone
	first := send(sms.Token, "n1", one, two)
	if again := send(sms.Token, "n1", one, two); first["success"] != true || again["messageId"] != first["messageId"] {
		t.Fatal(first, again)
	}
	if n := len(s.Messages()); n != 2 {
		t.Fatal(n, "messages")
	}
	s.Settings().Update(func(v *sms.Settings) error { v.Dedupe = false; return nil })
	if send(sms.Token, "n1", one); len(s.Messages()) != 3 {
		t.Error("without the setting a repeat is told twice")
	}
	if v := send("guessed", "n2", one); v["success"] != false || v["status"] != 401 {
		t.Error(v)
	}
}

func TestRefusals_SayWhy(t *testing.T) {
	s, people := setup(t)
	phone := people.Find("P0001").Phone
	s.Settings().Update(func(v *sms.Settings) error { v.NeedSignature, v.MaxRunes = true, 30; return nil })
	for body, code := range map[string]string{
		form("12345", "【医院】x"): "12", form(phone, ""): "13", form(phone, "【医院】"+strings.Repeat("长", 40)): "14", form(phone, "没有签名"): "15",
		form(phone, "【医院】x", "sign", "00"): "3", form(phone, "【医院】x", "account", "other"): "3", form(phone, "【医院】x", "ts", "1"): "3",
	} {
		if v := sendForm(t, s, body, "utf-8"); v["code"] != code {
			t.Errorf("%s: %v, want %s", body, v, code)
		}
	}
	rules := `{"plan":[{"match":"message","fault":"quota_exceeded"},{"match":"message","nth":2,"fault":"refuse","code":"99","message":"停机"},
		{"match":"message","nth":3,"fault":"500_before"},{"match":"message","nth":4,"fault":"timeout_after"}]}`
	res, err := http.Post(s.URL()+"/_sim/faults", "application/json", strings.NewReader(rules))
	if err != nil || res.StatusCode != 200 {
		t.Fatal(err, res)
	}
	res.Body.Close()
	for _, code := range []string{"17", "99", "1"} {
		if v := sendForm(t, s, form(phone, "【医院】x"), "utf-8"); v["code"] != code {
			t.Errorf("%v, want %s", v, code)
		}
	}
	if len(s.Messages()) != 0 {
		t.Error("a refused text is on no phone")
	}
	if res, err := http.Post(s.URL()+"/sms/form", "application/x-www-form-urlencoded", strings.NewReader(form(phone,
		"【医院】x"))); err == nil {
		res.Body.Close()
		t.Error("the connection must break")
	}
	if len(s.Messages()) != 1 {
		t.Error("the answer was lost, the text was not")
	}
}

func TestPhone_CanBeLookedAt(t *testing.T) {
	s, people := setup(t)
	p := people.Find("P0014")
	sendForm(t, s, form(p.Phone, "【演示医院】<b>请确认收款</b>：http://127.0.0.1:8090/#/records/x"), "utf-8")
	for path, want := range map[string][]string{
		"/phone/P0014": {p.Name, "&lt;b&gt;请确认收款", `<a href="http://127.0.0.1:8090/#/records/x">`}, "/phone/P0002": {"还没有短信"},
		"/": {"/phone/P0014"},
	} {
		res, err := http.Get(s.URL() + path)
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(res.Body)
		res.Body.Close()
		for _, w := range want {
			if !strings.Contains(string(text), w) {
				t.Errorf("%s lacks %s:\n%s", path, w, text)
			}
		}
	}
}
