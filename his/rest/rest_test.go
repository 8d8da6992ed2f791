package rest_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"hospay/flow"
	"hospay/his"
	"hospay/his/histest"
	"hospay/his/rest"
	"hospay/internal/testday"
	"hospay/money"
	"hospay/refund"
	sim "hospay/sim/his"

	"github.com/tidwall/gjson"
)

func mapping(t testing.TB) string {
	t.Helper()
	raw, err := os.ReadFile("../samples/rest.json")
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func config(mapping, base string) his.Config {
	return his.Config{
		Kind: "rest", BaseURL: base, Mapping: json.RawMessage(mapping), Timeout: histest.Patience, Now: testday.Now,
		Secrets: map[string]string{"key": sim.RESTKey, "sign_key": sim.RESTSecret},
	}
}

func open(t testing.TB, base string) his.HIS {
	t.Helper()
	h, err := rest.New(config(mapping(t), base))
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// body writes an answer by hand, so that any text may stand for an amount.
func body(fields map[string]string) string {
	data := []string{}
	top := []string{}
	for k, v := range fields {
		text, _ := json.Marshal(v)
		if k == "amount" && json.Valid([]byte(v)) {
			text = []byte(v)
		}
		pair := fmt.Sprintf("%q:%s", k, text)
		if k == "code" || k == "message" {
			top = append(top, pair)
		} else {
			data = append(data, pair)
		}
	}
	return "{" + strings.Join(append(top, `"data":{`+strings.Join(data, ",")+"}"), ",") + "}"
}

func TestContract(t *testing.T) {
	good := `"our_no":"H1","his_refund_no":"HT1","his_reverse_no":"HC1","card_no":"C0001","status":"done"`
	histest.Run(t, histest.Kit{
		New:     open,
		Answer:  func(f map[string]string) (string, []byte) { return "application/json; charset=utf-8", []byte(body(f)) },
		Success: "0",
		Amount:  func(f money.Fen) string { return fmt.Sprint(int64(f)) },
		Names:   []string{"买买提·艾力", "测试䶮", "测试𠮷", `测"试\甲<&>{name}`},
		Hostile: map[string]string{
			"null": "null", "list": "[]", "text": `"0"`, "number": "0", "two objects": body(map[string]string{"code": "1004"}) + `{"code":"0"}`,
			"code twice":        `{"code":"1004","code":"0","data":{` + good + `,"amount":12345}}`,
			"code twice, other": `{"code":"0","code":"1004","data":{` + good + `,"amount":12345}}`,
			"amount twice":      `{"code":"0","data":{` + good + `,"amount":12345,"amount":1}}`,
			"data twice":        `{"code":"0","data":{` + good + `,"amount":12345},"data":{}}`,
			"escaped twice":     `{"code":"1004","\u0063ode":"0","data":{` + good + `,"amount":12345}}`,
			"code list":         `{"code":["0"],"data":{` + good + `,"amount":12345}}`,
			"code object":       `{"code":{"0":"0"},"data":{` + good + `,"amount":12345}}`,
			"code 0.0":          `{"code":0.0,"data":{` + good + `,"amount":12345}}`,
			"code false":        `{"code":false,"data":{` + good + `,"amount":12345}}`,
			"data text":         `{"code":"0","data":"ok"}`, "data null": `{"code":"0","data":null}`, "data list": `{"code":"0","data":[{` + good +
				`,"amount":12345}]}`,
			"amount list": `{"code":"0","data":{` + good + `,"amount":[12345]}}`,
			"amount true": `{"code":"0","data":{` + good + `,"amount":true}}`,
			"amount -0":   `{"code":"0","data":{` + good + `,"amount":-0}}`,
			"deep": `{"code":"0","data":{` + good + `,"amount":12345},"x":` + strings.Repeat("[", 1_000_000) + strings.Repeat("]",
				1_000_000) + "}",
			"deep open":     strings.Repeat("[", 4_000_000),
			"not UTF-8":     "{\"code\":\"0\",\"message\":\"\xff\xfe\",\"data\":{" + good + ",\"amount\":12345}}",
			"GBK in UTF-8":  "{\"code\":\"0\",\"message\":\"\xb3\xc9\xb9\xa6\",\"data\":{" + good + ",\"amount\":12345}}",
			"lone half":     `{"code":"0","message":"\ud800","data":{` + good + `,"amount":12345}}`,
			"trailing text": body(map[string]string{"code": "0"}) + " x",
			"comment":       `/* */{"code":"0","data":{` + good + `,"amount":12345}}`,
			"rows of text": `{"code":"0","data":{"date":"2026-11-23","total":1,"card_no":"C0001","balance":1,"refundable":1,"rows":["x"],` +
				`"cards":[1],"deposits":[null]}}`,
			"no lists": `{"code":"0","data":{"date":"2026-11-23","total":0,"card_no":"C0001","balance":1,"refundable":1,"card_name":"x"}}`,
			"lists as text": `{"code":"0","data":{"date":"2026-11-23","total":0,"card_no":"C0001","balance":1,"refundable":1,"rows":"x",` +
				`"cards":"x","deposits":"x"}}`,
			"login refused": `{"code":"1401","message":"demo-his-secret-7c1e5a90 is wrong","data":{}}x`,
		},
	})
}

// HISs disagree about types: the same facts as text, with blanks or a byte
// order mark in front, are the same facts.
func TestAnswers_WithOtherTypesSameFacts(t *testing.T) {
	for _, answer := range []string{
		`{"code":0,"data":{"our_no":"H1","his_refund_no":77,"card_no":"C0001","amount":"12345","status":"done"}}`,
		"\xef\xbb\xbf  " + `{"code":"0","data":{"our_no":"H1","his_refund_no":"77","card_no":"C0001","amount":12345.00,"status":"done"}}` +
			"\r\n",
		`{"code":"0","data":{"our_no":"H1","his_refund_no":"77","card_no":"C0001","amount":" 12345 ","status":"done","time":"not a time"}}`,
	} {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(answer)) }))
		ans := open(t, srv.URL).Debit(t.Context(), refund.Debit{No: "H1", CardNo: "C0001", Amount: 12_345})
		srv.Close()
		if ans.Verdict != flow.Done || ans.Amount != 12_345 || ans.HISNo != "77" || !ans.At.IsZero() {
			t.Errorf("%s: %+v", answer, ans)
		}
	}
}

// What a value holds stays inside of its place.
func TestValues_CannotBreakOut(t *testing.T) {
	var got gjson.Result
	var sign, key string
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b := make([]byte, r.ContentLength)
		_, _ = r.Body.Read(b)
		got, sign, key = gjson.ParseBytes(b), r.Header.Get("X-His-Sign"), r.Header.Get("X-His-Key")
	}))
	defer srv.Close()
	h := open(t, srv.URL)
	for _, evil := range []string{`","amount":1,"x":"`, `\`, `\"`, "{secret.key}", "{amount}", "a\nb\x00c", "</script>", "\u2028", `"}]}`} {
		h.Debit(t.Context(), refund.Debit{No: evil, OrderNo: evil, CardNo: evil, Amount: 7, DepositNo: evil, Channel: evil,
			Method: refund.Method(evil)})
		if got.Get("amount").Raw != "7" || got.Get("our_no").String() != evil || got.Get("deposit_no").String() != evil || len(got.Map()) != 7 {
			t.Errorf("%q: %s", evil, got.Raw)
		}
		if len(sign) != 64 || key != sim.RESTKey {
			t.Error("headers", sign, key)
		}
	}
}

func TestNew_RefusesBadMappings(t *testing.T) {
	good := mapping(t)
	for name, change := range map[string][2]string{
		"unknown placeholder":  {`{card_no}`, `{card_nr}`},
		"secret not held":      {`{secret.key}`, `{secret.other}`},
		"place of another op":  {`{"card_no":"C`, ``},
		"text outside quotes":  {`\"{our_no}\"`, `{our_no}`},
		"not JSON":             {`{\"our_no\":\"{our_no}\"}`, `our_no={our_no}`},
		"no debit amount":      {`"his_no": "data.his_refund_no", "amount": "data.amount"`, `"his_no": "data.his_refund_no"`},
		"no HIS number":        {`"his_no": "data.his_refund_no", `, ``},
		"unit":                 {`"unit": "fen"`, `"unit": "jiao"`},
		"no code":              {`"code": "code"`, `"code": ""`},
		"empty success code":   {`"done": ["0"]`, `"done": [""]`},
		"code with two senses": {`"not_found": ["1007"]`, `"not_found": ["1004"]`},
		"who":                  {`"who": "finance"`, `"who": "boss"`},
		"unknown setting":      {`"refused"`, `"refuse"`},
		"unknown operation":    {`"query_debit": {`, `"ask_debit": {`},
		"missing operation":    {`"deposits": {`, `"reverse2": {`},
		"unknown field":        {`"trade_no": "out_trade_no"`, `"tradeno": "out_trade_no"`},
		"path to another host": {`"/rest/debit"`, `"@evil.example/rest/debit"`},
		"path with a place":    {`"/rest/debit"`, `"/rest/debit/{card_no}"`},
		"echo":                 {`"echo": {"our_no"`, `"echo": {"number"`},
		"status without done":  {`"status": "data.status"}, "done": ["done"]`, `"status": "data.status"}`},
		"empty done word":      {`"done": ["done"]`, `"done": [""]`},
		"list":                 {`"list": "data.cards"`, `"list": ""`},
		"charset":              {`"unit": "fen"`, `"unit": "fen", "charset": "big5"`},
		"wrong type":           {`"done": ["0"]`, `"done": "0"`},
		"header place":         {`{sign.hmac_sha256}`, `{sign.md5}`},
		"no our number":        {`\"our_no\":\"{our_no}\",\"order_no\"`, `\"order_no\"`},
	} {
		changed := strings.ReplaceAll(good, change[0], change[1])
		if name == "place of another op" {
			changed = strings.Replace(good, `{\"card_no\":\"{card_no}\"}`, `{\"card_no\":\"{card_no}\",\"d\":\"{date}\"}`, 1)
		}
		if changed == good {
			t.Fatalf("%s: nothing changed", name)
		}
		_, err := rest.New(config(changed, "http://127.0.0.1:1"))
		if err == nil || !strings.ContainsFunc(err.Error(), func(r rune) bool { return r > 0x4e00 }) {
			t.Errorf("%s: %v, want an error in Chinese", name, err)
		}
	}
	cfg := config(good, "http://127.0.0.1:1")
	cfg.Secrets = map[string]string{"key": "k"}
	if _, err := rest.New(cfg); err == nil {
		t.Error("a signature without its key")
	}
	for _, base := range []string{"", "127.0.0.1:9103", "ftp://h", "http://", "http://u:p@h", "http://h/?a=b", "http://h#x", "http://:80",
		"http://h:99999999"} {
		if _, err := rest.New(config(good, base)); err == nil && base != "http://h:99999999" {
			t.Errorf("%q is no address", base)
		}
	}
}

func FuzzAnswer(f *testing.F) {
	f.Add([]byte(body(map[string]string{"code": "0", "our_no": "H1", "his_refund_no": "1", "card_no": "C1", "amount": "5", "status": "done"})))
	f.Add([]byte(`{"code":"1004","message":"x"}`))
	f.Add([]byte(`{"code":"0","data":{"date":"2026-11-23","total":1,"rows":[{"our_no":"1","amount":5}]}}`))
	var answer []byte
	cfg := config(mapping(f), "http://his.test")
	cfg.Transport = histest.Answers(&answer, "application/json")
	h, err := rest.New(cfg)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		answer = data
		histest.CheckAny(t, h, data, "0")
	})
}
