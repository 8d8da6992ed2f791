package his_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"html"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tidwall/gjson"
	"golang.org/x/text/encoding/simplifiedchinese"

	"hospay/internal/testday"
	"hospay/sim"
	"hospay/sim/his"
	"hospay/sim/world"
)

func setup(t *testing.T) *his.Server {
	t.Helper()
	s := his.New(world.New(1, 20, testday.Now()))
	s.Clock().Begin(testday.Noon())
	if err := s.Listen("127.0.0.1", 0); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func rest(t *testing.T, s *his.Server, op, body string) (gjson.Result, error) {
	t.Helper()
	mac := hmac.New(sha256.New, []byte(his.RESTSecret))
	mac.Write([]byte(body))
	req, _ := http.NewRequest("POST", s.URL()+"/rest/"+op, strings.NewReader(body))
	req.Header.Set("X-His-Key", his.RESTKey)
	req.Header.Set("X-His-Sign", hex.EncodeToString(mac.Sum(nil)))
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return gjson.Result{}, err
	}
	defer res.Body.Close()
	raw, _ := io.ReadAll(res.Body)
	return gjson.ParseBytes(raw), nil
}

// must calls and checks the code.
func must(t *testing.T, s *his.Server, op, body, code string) gjson.Result {
	t.Helper()
	v, err := rest(t, s, op, body)
	if err != nil || v.Get("code").String() != code {
		t.Fatalf("%s %s: %v %s, want code %s", op, body, err, v.Raw, code)
	}
	return v.Get("data")
}

func TestREST_DebitAndReverse(t *testing.T) {
	s := setup(t)
	before := must(t, s, "balance", `{"card_no":"C0001"}`, "0").Get("balance").Int()
	body := `{"our_no":"H1","order_no":"R1","card_no":"C0001","amount":1234,"method":"transfer","channel":"wechat"}`
	first := must(t, s, "debit", body, "0")
	again := must(t, s, "debit", body, "0")
	if first.Get("balance").Int() != before-1234 || again.Get("his_refund_no").String() != first.Get("his_refund_no").String() ||
		!again.Get("repeated").Bool() {
		t.Fatalf("%s %s", first.Raw, again.Raw)
	}
	must(t, s, "debit", strings.Replace(body, "1234", "1235", 1), "1006")
	if got := must(t, s, "query_debit", `{"our_no":"H1"}`, "0").Get("status").String(); got != "done" {
		t.Fatal(got)
	}
	must(t, s, "query_debit", `{"our_no":"none"}`, "1007")
	must(t, s, "query_reverse", `{"our_no":"H1"}`, "1007")
	if r := must(t, s, "reverse", `{"our_no":"H1","reason":"审核不通过"}`, "0"); r.Get("balance").Int() != before {
		t.Fatal(r.Raw)
	}
	if r := must(t, s, "reverse", `{"our_no":"H1"}`, "0"); !r.Get("repeated").Bool() || s.Balance("C0001") != before {
		t.Fatal(r.Raw)
	}
	must(t, s, "query_reverse", `{"our_no":"H1"}`, "0")
	must(t, s, "debit", body, "1009")
	if len(s.Ledger().Find("debit", "H1")) != 1 || len(s.Ledger().Find("reverse", "H1")) != 1 {
		t.Fatal("ledger", s.Ledger().Entries())
	}
	day := s.Clock().Now().In(sim.Beijing).Format(time.DateOnly)
	if rows := must(t, s, "statement", `{"date":"`+day+`"}`, "0"); rows.Get("rows.#").Int() != 1 || rows.Get("rows.0.status").
		String() != "reversed" {
		t.Fatal(rows.Raw)
	}
}

func TestREST_Refusals(t *testing.T) {
	s := setup(t)
	debit := func(card, amount, rest string) string {
		return `{"our_no":"N` + card + amount + `","order_no":"R","card_no":"` + card + `","amount":` + amount +
			`,"method":"transfer","channel":"wechat"` + rest + `}`
	}
	must(t, s, "debit", debit("C9999", "1", ""), "1002")
	must(t, s, "debit", debit("C0001", "999999999", ""), "1004")
	must(t, s, "debit", debit("C0001", "1", `,"deposit_no":"DX"`), "1008")
	must(t, s, "debit", debit("C0001", "0", ""), "1400")
	must(t, s, "identity", `{"patient_id":"P0001","name":"别人"}`, "1001")
	s.SetCard("C0002", map[string][]string{"status": {"frozen"}})
	must(t, s, "debit", debit("C0002", "1", ""), "1003")
	s.SetCard("C0003", map[string][]string{"unpaid": {"true"}})
	must(t, s, "debit", debit("C0003", "1", ""), "1005")
	res, err := http.Post(s.URL()+"/rest/balance", "application/json", strings.NewReader(`{"card_no":"C0001"}`))
	if err != nil || res.StatusCode != 401 {
		t.Fatalf("unsigned: %v %v", err, res)
	}
	res.Body.Close()
}

func soap(t *testing.T, s *his.Server, path, inner string, gbk, cdata bool) string {
	t.Helper()
	if cdata {
		inner = "<![CDATA[" + inner + "]]>"
	} else {
		inner = html.EscapeString(inner)
	}
	charset := "utf-8"
	if gbk {
		charset = "GBK"
	}
	text := `<?xml version="1.0" encoding="` + charset + `"?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><Call ` +
		`xmlns="http://his.demo.hospital/ws"><requestXml>` + inner + `</requestXml></Call></s:Body></s:Envelope>`
	if gbk {
		text, _ = simplifiedchinese.GBK.NewEncoder().String(text)
	}
	res, err := http.Post(s.URL()+path, "text/xml; charset="+charset, bytes.NewReader([]byte(text)))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	raw, _ := io.ReadAll(res.Body)
	out := string(raw)
	if gbk {
		out, _ = simplifiedchinese.GBK.NewDecoder().String(out)
	}
	return html.UnescapeString(out)
}

func request(code, fields string) string {
	return `<Request><TradeCode>` + code + `</TradeCode><UserID>` + his.SOAPUser + `</UserID><Password>` + his.SOAPPassword + `</Password>` +
		fields + `</Request>`
}

func TestSOAP_Charsets(t *testing.T) {
	s := setup(t)
	for _, c := range []struct {
		path       string
		gbk, cdata bool
	}{{"/soap/utf8", false, true}, {"/soap/utf8", false, false}, {"/soap/gbk", true, true}, {"/soap/gbk?wrap=cdata", true, false}} {
		out := soap(t, s, c.path, request("QueryPatient", "<PatientId>P0001</PatientId><Name>林若溪</Name>"), c.gbk, c.cdata)
		if !strings.Contains(out, "<ResultCode>0000</ResultCode>") || !strings.Contains(out, "<Name>林若溪</Name>") {
			t.Errorf("%+v: %s", c, out)
		}
	}
	if out := soap(t, s, "/soap/utf8", strings.Replace(request("QueryCards", ""), his.SOAPPassword, "wrong", 1), false,
		true); !strings.Contains(out, "1401") {
		t.Error(out)
	}
}

func TestSOAP_SameBooksAsREST(t *testing.T) {
	s := setup(t)
	out := soap(t, s, "/soap/gbk", request("RefundDeposit",
		"<OurNo>S1</OurNo><OrderNo>R1</OrderNo><CardNo>C0001</CardNo><Amount>12.34</Amount><Method>transfer</Method><Channel>alipay</Channel>"),
		true, true)
	if !strings.Contains(out, "<Amount>12.34</Amount>") || !strings.Contains(out, "<Repeated>false</Repeated>") {
		t.Fatal(out)
	}
	again := must(t, s, "debit", `{"our_no":"S1","order_no":"R1","card_no":"C0001","amount":1234,"method":"transfer","channel":"alipay"}`, "0")
	if !again.Get("repeated").Bool() {
		t.Fatal(again.Raw)
	}
	rows := s.Requests().All()
	if len(rows) != 2 || rows[0].Op != "debit" || rows[0].No != "S1" || rows[0].Hash != rows[1].Hash {
		t.Fatalf("%+v", rows)
	}
	if out := soap(t, s, "/soap/utf8", request("QueryCards", "<PatientId>P0001</PatientId>"), false, true); !strings.Contains(out,
		"<Cards><Item><CardNo>C0001</CardNo>") {
		t.Fatal(out)
	}
}

func TestFaults(t *testing.T) {
	s := setup(t)
	body := func(no string) string {
		return `{"our_no":"` + no + `","order_no":"R","card_no":"C0001","amount":100,"method":"transfer","channel":"wechat"}`
	}
	s.Faults().Set(sim.Plan{Rules: []sim.Rule{{Match: "debit", No: "A", Fault: sim.TimeoutAfter},
		{Match: "debit", No: "B", Fault: sim.TimeoutBefore},
		{Match: "debit", No: "C", Fault: sim.LateDebit, DelayMS: 60_000}}})
	for _, no := range []string{"A", "B", "C"} {
		if _, err := rest(t, s, "debit", body(no)); err == nil {
			t.Fatalf("%s: the connection must break", no)
		}
	}
	must(t, s, "query_debit", `{"our_no":"A"}`, "0")
	must(t, s, "query_debit", `{"our_no":"B"}`, "1007")
	must(t, s, "query_debit", `{"our_no":"C"}`, "1007")
	s.Clock().Advance(time.Minute)
	must(t, s, "query_debit", `{"our_no":"C"}`, "0")
}
