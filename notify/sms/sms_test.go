package sms_test

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"hospay/calendar"
	"hospay/notify"
	"hospay/notify/sms"

	"golang.org/x/text/encoding/simplifiedchinese"
)

func noon() time.Time { return time.Date(2026, 11, 23, 12, 0, 0, 0, calendar.Beijing) }

const evil = `退款 ¥1&phone=1"}]</text>]]> <b> \ + % {secret.pwd}` + "\n二"

func parse(t *testing.T, address, settings string) (sms.Config, error) {
	t.Helper()
	cfg, err := sms.ParseConfig(address, json.RawMessage(settings), map[string]string{"user": "u&1", "pwd": "top-secret", "sign_key": "k"})
	cfg.Now = noon
	return cfg, err
}

func gateway(t *testing.T, address, settings string) *sms.Gateway {
	t.Helper()
	cfg, err := parse(t, address, settings)
	if err != nil {
		t.Fatal(err)
	}
	g, err := sms.NewGateway(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

type request struct {
	*http.Request
	body string
}

func server(t *testing.T, answer string) (*httptest.Server, *request) {
	t.Helper()
	got := &request{}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		raw, _ := io.ReadAll(r.Body)
		*got = request{r, string(raw)}
		_, _ = io.WriteString(w, answer)
	}))
	t.Cleanup(srv.Close)
	return srv, got
}

const form = `{"body":"user={secret.user}&mobile={phone}&msg=【演示医院】{text}&id={id}&ts={time}&sign={sign.md5}",` +
	`"sign":"{secret.user}{secret.pwd}{time}","success":{"path":"code","values":["0"],"refused":["12"],"id":"sid"}}`

func TestForm(t *testing.T) {
	for _, charset := range []string{"utf-8", "gbk"} {
		srv, got := server(t, `{"code":0,"sid":"A1"}`)
		id, err := gateway(t, srv.URL+"/send", strings.Replace(form, "{", `{"charset":"`+charset+`",`, 1)).Send(t.Context(), "N1", "13900001234",
			evil)
		if err != nil || id != "A1" {
			t.Fatal(id, err)
		}
		v, err := url.ParseQuery(got.body)
		if err != nil || len(v) != 6 {
			t.Fatal(got.body, err)
		}
		text := v.Get("msg")
		if charset == "gbk" {
			text, _ = simplifiedchinese.GBK.NewDecoder().String(text)
			text = strings.ReplaceAll(text, "￥", "¥") // GBK has only the wide one
		}
		if text != "【演示医院】"+evil || v.Get("mobile") != "13900001234" || v.Get("user") != "u&1" || v.Get("id") != "N1" ||
			v.Get("ts") != "20261123120000" || v.Get("sign") != "b0005200a216787a81b589a5f83f545f" {
			t.Errorf("%s: %q", charset, v)
		}
	}
}

func TestGet(t *testing.T) {
	srv, got := server(t, "OK:123")
	_, err := gateway(t, srv.URL, `{"method":"get","body":"m={phone}&t={text}","success":{"match":"^OK"}}`).Send(t.Context(), "N1",
		"+8613900001234", evil)
	if err != nil || got.Method != http.MethodGet || got.URL.Query().Get("t") != evil || got.URL.Query().Get("m") != "+8613900001234" ||
		len(got.URL.Query()) != 2 {
		t.Error(got.URL, err)
	}
}

func TestJSONAndXML(t *testing.T) {
	srv, got := server(t, "")
	g := gateway(t, srv.URL, `{"content_type":"json","headers":{"X-Sign":"{sign.hmac_sha256}","Authorization":"Bearer {secret.pwd}"},`+
		`"sign":"{phone}","sign_upper":true,"body":"{\"to\":[\"{phone}\"],\"text\":\"{text}\"}"}`)
	if _, err := g.Send(t.Context(), "N1", "13900001234", evil); err != nil {
		t.Fatal(err)
	}
	var j struct {
		To   []string
		Text string
	}
	if err := json.Unmarshal([]byte(got.body), &j); err != nil || j.Text != evil || j.To[0] != "13900001234" ||
		got.Header.Get("Authorization") != "Bearer top-secret" ||
		got.Header.Get("X-Sign") != strings.ToUpper(got.Header.Get("X-Sign")) || len(got.Header.Get("X-Sign")) != 64 ||
		got.Header.Get("Content-Type") != "application/json; charset=utf-8" {
		t.Errorf("%v %s %v", err, got.body, got.Header)
	}
	g = gateway(t, srv.URL, `{"content_type":"xml","charset":"gbk","body":"<r><to>{phone}</to><text>{text}</text></r>"}`)
	if _, err := g.Send(t.Context(), "N1", "13900001234", evil); err != nil {
		t.Fatal(err)
	}
	var x struct {
		To   []string `xml:"to"`
		Text []string `xml:"text"`
	}
	text, _ := simplifiedchinese.GBK.NewDecoder().String(got.body)
	text = strings.ReplaceAll(text, "￥", "¥")
	if err := xml.Unmarshal([]byte(text), &x); err != nil || len(x.Text) != 1 || x.Text[0] != evil || len(x.To) != 1 {
		t.Errorf("%v %s", err, text)
	}
	if _, err := g.Send(t.Context(), "N1", "13900001234", "𠮷"); !errors.Is(err, notify.ErrRefused) {
		t.Errorf("what GBK lacks must not be sent mangled: %v", err)
	}
}

func TestAnswers(t *testing.T) {
	for answer, want := range map[string]string{
		`{"code":"0"}`: "", `{"code":0}`: "", `{"code":"12"}`: "refused", `{"code":"7"}`: "again", `{}`: "again", ``: "again", `<html>`: "again",
		`{"code":"13900001234"}`: "again",
		`{"code":"0"`:            "again", strings.Repeat(" ", 70<<10) + `{"code":"0"}`: "again",
	} {
		srv, _ := server(t, answer)
		_, err := gateway(t, srv.URL, form).Send(t.Context(), "N1", "13900001234", "text")
		got := map[bool]string{true: "refused", false: "again"}[errors.Is(err, notify.ErrRefused)]
		if err == nil {
			got = ""
		}
		if got != want {
			t.Errorf("%.40q: %v, want %q", answer, err, want)
		}
		if err != nil && (strings.Contains(err.Error(), "13900001234") || strings.Contains(err.Error(), "top-secret")) {
			t.Error(err)
		}
	}
}

func TestTransport(t *testing.T) {
	var strayed atomic.Int32
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { strayed.Add(1) }))
	defer other.Close()
	answers := map[string]http.HandlerFunc{
		"redirect": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, other.URL, http.StatusTemporaryRedirect)
		},
		"500": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(500)
			_, _ = io.WriteString(w, `{"code":"0"}`)
		},
		"reset":   func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"silence": func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body); <-r.Context().Done() },
	}
	for name, h := range answers {
		srv := httptest.NewServer(h)
		start := time.Now()
		_, err := gateway(t, srv.URL, strings.Replace(form, "{", `{"timeout_ms":200,`, 1)).Send(t.Context(), "N1", "13900001234", "机密文字")
		if err == nil || errors.Is(err, notify.ErrRefused) || time.Since(start) > 3*time.Second || strings.Contains(err.Error(), "139") ||
			strings.Contains(err.Error(), "%E6") {
			t.Errorf("%s: %v", name, err)
		}
		srv.CloseClientConnections()
		srv.Close()
	}
	if strayed.Load() != 0 {
		t.Error("a redirect was followed")
	}
}

func TestQuietHours(t *testing.T) {
	srv, got := server(t, `{"code":0}`)
	for _, c := range []struct {
		settings, at, until string
	}{
		{`{`, "2026-11-23 22:00", "2026-11-24 08:00"}, {`{`, "2026-11-23 23:59", "2026-11-24 08:00"},
		{`{`, "2026-11-30 03:00", "2026-11-30 08:00"}, {`{`, "2026-12-31 22:30", "2027-01-01 08:00"},
		{`{`, "2026-11-23 08:00", ""}, {`{`, "2026-11-23 21:59", ""}, {`{"quiet_from":"12:00","quiet_to":"14:30",`, "2026-11-23 13:00",
			"2026-11-23 14:30"},
		{`{"quiet_from":"12:00","quiet_to":"14:30",`, "2026-11-23 23:00", ""}, {`{"quiet_from":"00:00","quiet_to":"00:00",`, "2026-11-23 00:00",
			""},
	} {
		cfg, err := parse(t, srv.URL, strings.Replace(form, "{", c.settings, 1))
		if err != nil {
			t.Fatal(err)
		}
		at, _ := time.ParseInLocation("2006-01-02 15:04", c.at, calendar.Beijing)
		cfg.Now = func() time.Time { return at.UTC() }
		g, err := sms.NewGateway(cfg)
		if err != nil {
			t.Fatal(err)
		}
		got.Request = nil
		_, err = g.Send(t.Context(), "N1", "13900001234", "x")
		later, isLater := errors.AsType[*notify.Later](err)
		if c.until == "" && (err != nil || got.Request == nil) || c.until != "" &&
			(!isLater || got.Request != nil || later.At.In(calendar.Beijing).Format("2006-01-02 15:04") != c.until) {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

func TestNewGateway_RefusesBadSettings(t *testing.T) {
	for name, s := range map[string][2]string{
		"no phone": {"http://h", `{"body":"t={text}"}`}, "unknown place": {"http://h", `{"body":"{phone}{text}{name}"}`},
		"secret":            {"http://h", `{"body":"{phone}{text}{secret.none}"}`},
		"sign without text": {"http://h", `{"body":"{phone}{text}{sign.md5}"}`},
		"JSON":              {"http://h", `{"content_type":"json","body":"{\"a\":{text},\"b\":\"{phone}\"}"}`},
		"XML":               {"http://h", `{"content_type":"xml","body":"<a>{phone}<{text}/></a>"}`},
		"CDATA":             {"http://h", `{"content_type":"xml","body":"<a>{phone}<![CDATA[{text}]]></a>"}`},
		"content type":      {"http://h", `{"content_type":"yaml","body":"{phone}{text}"}`},
		"charset":           {"http://h", `{"charset":"big5","body":"{phone}{text}"}`},
		"quiet":             {"http://h", `{"quiet_from":"10pm","body":"{phone}{text}"}`},
		"method":            {"http://h", `{"method":"PUT","body":"{phone}{text}"}`},
		"match":             {"http://h", `{"body":"{phone}{text}","success":{"match":"("}}`},
		"values":            {"http://h", `{"body":"{phone}{text}","success":{"path":"code"}}`},
		"address":           {"h", `{"body":"{phone}{text}"}`}, "user": {"http://u:p@h", `{"body":"{phone}{text}"}`},
		"place in address": {"http://h/{phone}", `{"body":"{phone}{text}"}`},
		"GET with query":   {"http://h?a=b", `{"method":"GET","body":"{phone}{text}"}`}, "unknown setting": {"http://h", `{"bodi":""}`},
		"empty":            {"http://h", ``},
		"template charset": {"http://h", `{"charset":"gbk","body":"{phone}{text}𠮷"}`},
	} {
		cfg, err := parse(t, s[0], s[1])
		if err == nil {
			_, err = sms.NewGateway(cfg)
		}
		if err == nil || !strings.Contains(err.Error(), "短信") {
			t.Errorf("%s: %v, want an error in Chinese", name, err)
		}
	}
}

type directory struct {
	gateway *sms.Gateway
	phone   string
}

// SMSGateway returns the test's gateway.
func (d directory) SMSGateway(context.Context, string) (*sms.Gateway, error) { return d.gateway, nil }

// Phone returns the test's number.
func (d directory) Phone(context.Context, string, string) (string, error) { return d.phone, nil }

func TestSender(t *testing.T) {
	srv, got := server(t, `{"code":0,"sid":"A1"}`)
	g := gateway(t, srv.URL, form)
	m := notify.Message{ID: "N9", Institution: "I", Order: "O", Patient: "P", Body: "已到账"}
	for name, c := range map[string]struct {
		directory
		err error
	}{"sent": {directory{g, "13900001234"}, nil}, "no gateway": {directory{nil, "13900001234"}, notify.ErrSkip},
		"no phone": {directory{g, ""}, notify.ErrSkip}, "bad phone": {directory{g, "139 0000"}, notify.ErrRefused}} {
		id, err := sms.New(c.directory).Send(t.Context(), m)
		if !errors.Is(err, c.err) || err == nil && (id != "A1" || !strings.Contains(got.body, "id=N9")) {
			t.Errorf("%s: %v %v", name, id, err)
		}
	}
}
