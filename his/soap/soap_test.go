package soap_test

import (
	"encoding/json"
	"encoding/xml"
	"html"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"hospay/flow"
	"hospay/his"
	"hospay/his/histest"
	"hospay/his/soap"
	"hospay/internal/testday"
	"hospay/money"
	"hospay/refund"
	sim "hospay/sim/his"

	"golang.org/x/text/encoding/simplifiedchinese"
)

func mapping(t testing.TB, charset string) string {
	t.Helper()
	raw, err := os.ReadFile("../samples/soap-" + charset + ".json")
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func config(mapping, base string) his.Config {
	return his.Config{
		Kind: "soap", BaseURL: base, Mapping: json.RawMessage(mapping), Timeout: histest.Patience, Now: testday.Now,
		Secrets: map[string]string{"user": sim.SOAPUser, "password": sim.SOAPPassword},
	}
}

func open(t testing.TB, mapping, base string) his.HIS {
	t.Helper()
	h, err := soap.New(config(mapping, base))
	if err != nil {
		t.Fatal(err)
	}
	return h
}

var fieldNames = map[string]string{"code": "ResultCode", "message": "ResultMsg", "our_no": "OurNo", "his_refund_no": "HisRefundNo",
	"his_reverse_no": "HisReverseNo",
	"card_no":        "CardNo", "amount": "Amount", "status": "Status", "time": "Time", "balance": "Balance", "refundable": "Refundable",
	"patient_id": "PatientId",
	"name":       "Name", "id_no": "IdNo", "bill_no": "BillNo", "receipt_no": "ReceiptNo", "reverse_no": "ReverseNo",
	"cancel_bill_no": "CancelBillNo", "cancel_serial_no": "CancelSerialNo", "refund_no": "RefundNo", "his_no": "HisNo",
	"insurance_flag": "InsuranceFlag", "settle_flag": "SettleFlag", "allowed": "Allowed"}

func response(fields map[string]string) string {
	var b strings.Builder
	for k, v := range fields {
		b.WriteString("<" + fieldNames[k] + ">" + html.EscapeString(v) + "</" + fieldNames[k] + ">")
	}
	return "<Response>" + b.String() + "</Response>"
}

func envelope(charset, result string) string {
	return `<?xml version="1.0" encoding="` + charset +
		`"?><soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body>` +
		`<CallResponse xmlns="http://his.demo.hospital/ws">` + result + `</CallResponse></soap:Body></soap:Envelope>`
}

func wrap(charset, inner string) string {
	return envelope(charset, "<CallResult>"+html.EscapeString(inner)+"</CallResult>")
}

func gbk(t testing.TB, s string) string {
	t.Helper()
	out, err := simplifiedchinese.GBK.NewEncoder().String(s)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

const facts = `<OurNo>H1</OurNo><HisRefundNo>HT1</HisRefundNo><HisReverseNo>HC1</HisReverseNo><CardNo>C0001</CardNo><Amount>` +
	`123.45</Amount><Status>done</Status>`

// hostile are answers of the SOAP style that prove nothing.
func hostile(t *testing.T) map[string]string {
	ok := "<ResultCode>0000</ResultCode>"
	good := "<Response>" + ok + facts + "</Response>"
	out := map[string]string{
		"fault":         envelope("utf-8", `<soap:Fault><faultcode>soap:Server</faultcode><faultstring>测试甲乙</faultstring></soap:Fault>`),
		"no result":     envelope("utf-8", good),
		"result as XML": envelope("utf-8", "<CallResult>"+good+"</CallResult>"),
		"two results": envelope("utf-8", "<CallResult>"+html.EscapeString(good)+"</CallResult><CallResult>"+html.EscapeString(good)+
			"</CallResult>"),
		"empty result": envelope("utf-8", "<CallResult/>"),
		"DTD outside": "<!DOCTYPE a [<!ENTITY x \"0000\">]>" + strings.TrimPrefix(wrap("utf-8", good),
			`<?xml version="1.0" encoding="utf-8"?>`),
		"unknown charset": strings.Replace(wrap("utf-8", good), "utf-8", "utf-16", 1),
		"GBK as UTF-8":    gbk(t, wrap("utf-8", "<Response>"+ok+facts+"<ResultMsg>成功</ResultMsg></Response>")),
		"bad GBK": strings.Replace(wrap("GBK", "<Response>"+ok+facts+"<ResultMsg>@@</ResultMsg></Response>"), "@@", "\x81\x20\xff\xff",
			1),
		"half GBK":      wrap("GBK", good) + "\x81",
		"bad UTF-8":     strings.Replace(wrap("utf-8", "<Response>"+ok+facts+"<ResultMsg>@@</ResultMsg></Response>"), "@@", "\xff\xfe", 1),
		"trailing text": wrap("utf-8", good) + "x",
		"two envelopes": wrap("utf-8", good) + wrap("utf-8", good)[len(`<?xml version="1.0" encoding="utf-8"?>`):],
	}
	for name, inner := range map[string]string{
		"code twice":   "<Response><ResultCode>1004</ResultCode>" + ok + facts + "</Response>",
		"amount twice": "<Response>" + ok + facts + "<Amount>1.00</Amount></Response>",
		"two answers":  good + good,
		"code split":   "<Response><ResultCode>00<b>00</b></ResultCode>" + facts + "</Response>",
		"code inside":  "<Response><ResultCode><ResultCode>0000</ResultCode></ResultCode>" + facts + "</Response>",
		"other root":   "<Answer>" + ok + facts + "</Answer>",
		"plain text":   "0000", "JSON": `{"ResultCode":"0000"}`,
		"DTD":           "<!DOCTYPE r [<!ENTITY c SYSTEM \"file:///etc/passwd\">]>" + good,
		"entity":        "<Response><ResultCode>&c;</ResultCode>" + facts + "</Response>",
		"bomb":          `<!DOCTYPE r [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><Response><ResultCode>&b;</ResultCode></Response>`,
		"deep":          strings.Repeat("<a>", 5_000) + strings.Repeat("</a>", 5_000),
		"wide":          "<Response>" + ok + facts + strings.Repeat("<a/>", 310_000) + "</Response>",
		"many attrs":    "<Response>" + ok + facts + strings.Repeat(`<a b="c" d="e" f="g" h="i"/>`, 40_000) + "</Response>",
		"unclosed":      "<Response>" + ok + facts,
		"crossed":       "<Response>" + ok + "<a><b></a></b>" + facts + "</Response>",
		"instruction":   "<Response><?xml version=\"1.0\" encoding=\"gbk\"?>" + ok + facts + "</Response>",
		"control bytes": "<Response>" + ok + facts + "<x>\x01</x></Response>",
		"no lists": "<Response>" + ok + "<Date>2026-11-23</Date><Total>0</Total><CardNo>C0001</CardNo><Balance>1.00</Balance><Refundable>" +
			"1.00</Refundable><CardName>x</CardName></Response>",
	} {
		out["inner "+name] = wrap("utf-8", inner)
	}
	return out
}

func TestContract(t *testing.T) {
	for charset, names := range map[string][]string{
		"utf8": {"买买提·艾力", "测试䶮", "测试𠮷", "测<试>&\"甲'{name}"}, "gbk": {"买买提·艾力", "测试镕", "测试喆", "测<试>&\"甲'"},
	} {
		t.Run(charset, func(t *testing.T) {
			histest.Run(t, histest.Kit{
				New: func(t testing.TB, base string) his.HIS { return open(t, mapping(t, charset), base) },
				Answer: func(f map[string]string) (string, []byte) {
					if charset == "gbk" {
						return "text/xml; charset=GBK", []byte(gbk(t, wrap("GBK", response(f))))
					}
					return "text/xml; charset=utf-8", []byte(wrap("utf-8", response(f)))
				},
				Success: "0000", Amount: money.Fen.Yuan, Names: names, Hostile: hostile(t),
			})
		})
	}
}

// Rare characters: what GBK lacks is refused before it is sent, GB18030 carries
// it, and an answer in GB18030 under the name of GBK is read right.
func TestRareNames(t *testing.T) {
	for charset, canSend := range map[string]bool{"gbk": false, "gb18030": true, "utf-8": true} {
		sent := ""
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			raw, _ := io.ReadAll(r.Body)
			sent = string(raw)
			answer := wrap("GBK", "<Response><ResultCode>0000</ResultCode><PatientId>P1</PatientId><Name>测试𠮷·䶮</Name><IdNo>1</IdNo></Response>")
			out, _ := simplifiedchinese.GB18030.NewEncoder().String(answer)
			w.Header().Set("Content-Type", "text/xml; charset=GBK")
			_, _ = io.WriteString(w, out)
		}))
		h := open(t, strings.Replace(mapping(t, "gbk"), `"gbk"`, `"`+charset+`"`, 1), srv.URL)
		p, err := h.Person(t.Context(), refund.Identity{PatientNo: "P1", Name: "测试𠮷·䶮"})
		if canSend && (err != nil || p.Name != "测试𠮷·䶮" || !strings.Contains(sent, "encoding=\""+strings.ToUpper(charset))) {
			t.Errorf("%s: %q %v", charset, p.Name, err)
		}
		if !canSend && (flow.CodeOf(err) != flow.CodeHISUnavailable || sent != "") {
			t.Errorf("%s: a mangled name was sent: %v", charset, err)
		}
		p, err = h.Person(t.Context(), refund.Identity{PatientNo: "P1"})
		if err != nil || p.Name != "测试𠮷·䶮" {
			t.Errorf("%s: %q %v", charset, p.Name, err)
		}
		srv.Close()
	}
}

// The charset comes from the prolog, else from the content type, else from the
// mapping.
func TestAnswers_Charsets(t *testing.T) {
	inner := "<Response><ResultCode>0000</ResultCode><PatientId>P1</PatientId><Name>测试甲</Name><IdNo>1</IdNo></Response>"
	bare := strings.TrimPrefix(wrap("", inner), `<?xml version="1.0" encoding=""?>`)
	for name, c := range map[string][3]string{
		"prolog wins":        {"gbk", "text/xml; charset=GBK", wrap("utf-8", inner)},
		"content type":       {"utf8", `text/xml; charset="gbk"; x=y`, gbk(t, bare)},
		"mapping":            {"gbk", "text/xml", gbk(t, bare)},
		"BOM":                {"gbk", "text/xml", "\xef\xbb\xbf" + wrap("utf-8", inner)},
		"inner with prolog":  {"utf8", "text/xml", wrap("utf-8", `<?xml version="1.0" encoding="GBK"?>`+"\n"+inner)},
		"prolog in quotes '": {"gbk", "text/xml", strings.Replace(wrap("utf-8", inner), `"utf-8"`, `'UTF-8' standalone='yes'`, 1)},
	} {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", c[1])
			_, _ = io.WriteString(w, c[2])
		}))
		p, err := open(t, mapping(t, c[0]), srv.URL).Person(t.Context(), refund.Identity{PatientNo: "P1"})
		srv.Close()
		if err != nil || p.Name != "测试甲" {
			t.Errorf("%s: %q %v", name, p.Name, err)
		}
	}
}

// What a value holds stays inside of its place.
func TestValues_CannotBreakOut(t *testing.T) {
	for _, charset := range []string{"utf8", "gbk"} {
		var inner string
		calls := 0
		srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			calls++
			raw, _ := io.ReadAll(r.Body)
			if charset == "gbk" {
				text, _ := simplifiedchinese.GBK.NewDecoder().String(string(raw))
				raw = []byte(strings.Replace(text, `encoding="GBK"`, `encoding="utf-8"`, 1))
			}
			var env struct {
				Text string `xml:"Body>Call>requestXml"`
			}
			if err := xml.Unmarshal(raw, &env); err != nil {
				t.Error(err)
			}
			inner = env.Text
		}))
		h := open(t, mapping(t, charset), srv.URL)
		for _, evil := range []string{"</OurNo><Amount>999.00</Amount><OurNo>", "]]>", "]]&gt;<x/>", "&amp;<![CDATA[", "<!--",
			"{secret.password}", "{body}", `"'`, "a\nb"} {
			h.Debit(t.Context(), refund.Debit{No: evil, OrderNo: evil, CardNo: evil, Amount: 7, DepositNo: evil})
			var got struct {
				Our    []string `xml:"OurNo"`
				Card   []string `xml:"CardNo"`
				Amount []string `xml:"Amount"`
				User   []string `xml:"UserID"`
			}
			if err := xml.Unmarshal([]byte(inner), &got); err != nil || len(got.Our) != 1 || got.Our[0] != evil || len(got.Card) != 1 ||
				got.Card[0] != evil ||
				len(got.Amount) != 1 || got.Amount[0] != "0.07" || got.User[0] != sim.SOAPUser {
				t.Errorf("%q: %v %+v in %s", evil, err, got, inner)
			}
		}
		srv.Close()
		if calls != 9 {
			t.Error(calls)
		}
	}
}

func TestNew_RefusesBadMappings(t *testing.T) {
	good := mapping(t, "utf8")
	for name, change := range map[string][2]string{
		"no body":             {"{body}", "body"},
		"two bodies":          {"{body}", "{body}{body}"},
		"CDATA in envelope":   {"{body}", "<![CDATA[{body}]]>"},
		"CDATA in a body":     {"<OurNo>{our_no}</OurNo>", "<OurNo><![CDATA[{our_no}]]></OurNo>"},
		"place as element":    {"<OurNo>{our_no}</OurNo>", "<{our_no}>x</{our_no}>"},
		"place as attribute":  {"<OurNo>{our_no}</OurNo>", "<OurNo {our_no}=\\\"1\\\"/>"},
		"not XML":             {"<OurNo>{our_no}</OurNo>", "<OurNo>{our_no}"},
		"bad path":            {"/Response/ResultCode", "/Response/["},
		"bad envelope":        {"</soap:Envelope>", ""},
		"unknown in envelope": {`{charset}`, `{encoding}`},
		"escape":              {`"cdata"`, `"base64"`},
		"no result":           {`"//*[local-name()='CallResult']"`, `""`},
		"secret not held":     {`{secret.user}`, `{secret.nobody}`},
	} {
		changed := strings.ReplaceAll(good, change[0], change[1])
		if changed == good {
			t.Fatalf("%s: nothing changed", name)
		}
		_, err := soap.New(config(changed, "http://127.0.0.1:1"))
		if err == nil || !strings.ContainsFunc(err.Error(), func(r rune) bool { return r > 0x4e00 }) {
			t.Errorf("%s: %v, want an error in Chinese", name, err)
		}
	}
}

func FuzzAnswer(f *testing.F) {
	ok := "<Response><ResultCode>0000</ResultCode>" + facts + "</Response>"
	f.Add(false, []byte(wrap("utf-8", ok)), "")
	f.Add(true, []byte(gbk(f, wrap("GBK", "<Response><ResultCode>1004</ResultCode><ResultMsg>余额不足</ResultMsg></Response>"))), "")
	f.Add(true, []byte(nil), "<Response><ResultCode>0000</ResultCode><Rows><Item><OurNo>1</OurNo><Amount>1.00</Amount></Item></Rows>"+
		"</Response>")
	var answer []byte
	hs := map[bool]his.HIS{}
	for isGBK, name := range map[bool]string{false: "utf8", true: "gbk"} {
		cfg := config(mapping(f, name), "http://his.test")
		cfg.Transport = histest.Answers(&answer, "text/xml")
		h, err := soap.New(cfg)
		if err != nil {
			f.Fatal(err)
		}
		hs[isGBK] = h
	}
	f.Fuzz(func(t *testing.T, isGBK bool, raw []byte, inner string) {
		answer = raw
		if inner != "" {
			answer = []byte(wrap("utf-8", inner))
		}
		histest.CheckAny(t, hs[isGBK], answer, "")
	})
}
