package wechat

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	"unicode/utf8"

	"hospay/channels"
	"hospay/refund"
)

// The vector of the public-platform documentation.
func TestSignPage_Vector(t *testing.T) {
	got := signPage("sM4AOVdWfPE4DxkXGEs8VMCPGGVi4C3VM0P37wVUCFvkVAy_90u5h9nbSlYy3-Sl-HhTdfl2fzFy1AOcHKP7qg", "Wm3WZYTPz0wzccnW", 1414587457,
		"http://mp.weixin.qq.com?params=value#part")
	if got != "0f9de62fce790f9a083d5c99e95740ceb90c27ed" {
		t.Error(got)
	}
}

// platform is the public-platform API of the tests.
func platform(t *testing.T, answers map[string]func(r *http.Request, body []byte) string) (*Client, *atomic.Int32) {
	t.Helper()
	var tokens atomic.Int32
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if r.URL.Path == "/cgi-bin/stable_token" {
			tokens.Add(1)
			_, _ = io.WriteString(w, `{"access_token":"TOKEN`+string(rune('A'+tokens.Load()-1))+`","expires_in":7200}`)
			return
		}
		f, ok := answers[r.URL.Path]
		if !ok {
			t.Error(r.URL.Path)
			return
		}
		_, _ = io.WriteString(w, f(r, body))
	}))
	t.Cleanup(srv.Close)
	return newClient(t, testConfig(srv.URL)), &tokens
}

func TestAuthorizeURL(t *testing.T) {
	got := newClient(t, testConfig("")).AuthorizeURL("https://h.example/a?b=1", "s t")
	want := "https://open.weixin.qq.com/connect/oauth2/authorize?appid=wx0123456789abcdef&redirect_uri=https%3A%2F%2Fh.example%2Fa%3Fb%3D1&" +
		"response_type=code&scope=snsapi_base&state=s+t#wechat_redirect"
	if got != want {
		t.Error(got)
	}
}

func TestExchange(t *testing.T) {
	var say string
	c, _ := platform(t, map[string]func(*http.Request, []byte) string{
		"/sns/oauth2/access_token": func(r *http.Request, _ []byte) string {
			if q := r.URL.Query(); q.Get("appid") != testApp || q.Get("secret") != testSecret || q.Get("code") != "C1" ||
				q.Get("grant_type") != "authorization_code" {
				t.Error(r.URL)
			}
			return say
		},
	})
	for _, row := range []struct {
		say  string
		want error
	}{
		{`{"access_token":"x","openid":"o1","scope":"snsapi_base"}`, nil},
		{`{"access_token":"x","openid":"o1","is_snapshotuser":1}`, channels.ErrBadCode},
		{`{"errcode":40029,"errmsg":"invalid code"}`, channels.ErrBadCode},
		{`{"errcode":40163,"errmsg":"code been used"}`, channels.ErrBadCode},
		{`{"errcode":-1,"errmsg":"system error"}`, channels.ErrUnavailable},
		{`{"errcode":48001,"errmsg":"api unauthorized"}`, channels.ErrUnavailable},
		{`{}`, channels.ErrUnavailable},
		{`<html>`, channels.ErrUnavailable},
	} {
		say = row.say
		a, err := c.Exchange(t.Context(), "C1")
		if !errors.Is(err, row.want) || (err == nil && a != channels.Account{ID: "o1", Type: refund.AccountWechatOpenID}) {
			t.Errorf("%s: %+v, %v", row.say, a, err)
		}
	}
	bare := testConfig("")
	bare.Secrets["app_secret"] = ""
	if _, err := newClient(t, bare).Exchange(t.Context(), "C1"); !errors.Is(err, channels.ErrNotSupported) {
		t.Error(err)
	}
}

func TestSendMessage(t *testing.T) {
	var say []string
	var sent map[string]any
	c, tokens := platform(t, map[string]func(*http.Request, []byte) string{
		"/cgi-bin/message/template/send": func(r *http.Request, body []byte) string {
			if !strings.HasPrefix(r.URL.Query().Get("access_token"), "TOKEN") {
				t.Error(r.URL)
			}
			if err := json.Unmarshal(body, &sent); err != nil {
				t.Error(err)
			}
			next := say[0]
			say = say[1:]
			return next
		},
	})
	m := channels.Message{To: channels.Account{ID: "o1", Type: refund.AccountWechatOpenID}, Template: "TPL", Page: "https://h.example/p",
		ID: "N1", Data: map[string]string{"keyword1": "v<1"}}
	for _, row := range []struct {
		say  []string
		want error
		id   string
	}{
		{[]string{`{"errcode":0,"errmsg":"ok","msgid":200228332}`}, nil, "200228332"},
		{[]string{`{"errcode":40001,"errmsg":"x"}`, `{"errcode":0,"msgid":5}`}, nil, "5"},
		{[]string{`{"errcode":43004,"errmsg":"require subscribe"}`}, channels.ErrMessageRefused, ""},
		{[]string{`{"errcode":40037,"errmsg":"x"}`}, channels.ErrMessageRefused, ""},
		{[]string{`{"errcode":45009,"errmsg":"limit"}`}, channels.ErrUnavailable, ""},
	} {
		say = row.say
		id, err := c.SendMessage(t.Context(), m)
		if !errors.Is(err, row.want) || err == nil && id != row.id {
			t.Errorf("%v: %q, %v", row.say, id, err)
		}
	}
	if text, _ := json.Marshal(sent); string(text) != `{"client_msg_id":"N1","data":{"keyword1":{"value":"v\u003c1"}},"template_id":"TPL",`+
		`"touser":"o1","url":"https://h.example/p"}` {
		t.Error(string(text))
	}
	if tokens.Load() != 2 {
		t.Errorf("%d tokens were fetched, want 2: the first and one after it went stale", tokens.Load())
	}
}

// TestMessage_OpensItsPage by each kind of message, with values that fit.
func TestMessage_OpensItsPage(t *testing.T) {
	m := channels.Message{To: channels.Account{ID: "o1", Type: refund.AccountWechatOpenID}, Template: "TPL", Page: "https://h/?inst=a#/r/1",
		Data: map[string]string{"thing4": strings.Repeat("原因", 15), "time3": "2026-11-24 10:30"}}
	const inMini = "pages/web?u=https%3A%2F%2Fh%2F%3Finst%3Da%23%2Fr%2F1"
	for name, c := range map[string]struct {
		settings        map[string]string
		url, page, mini string
		can             bool
	}{
		"网页":    {nil, m.Page, "", "", true},
		"小程序":   {map[string]string{"mini_appid": "wx1", "message_page": "pages/web?u={url}"}, m.Page, "", inMini, true},
		"订阅消息":  {map[string]string{"message_kind": "subscribe", "message_page": "pages/web?u={url}"}, "", inMini, "", true},
		"订阅没有页": {map[string]string{"message_kind": "subscribe"}, "", "", "", false},
	} {
		cfg := testConfig("")
		for k, v := range c.settings {
			cfg.Settings[k] = v
		}
		client := newClient(t, cfg)
		out := client.message(m)
		mini := ""
		if out.Mini != nil {
			mini = out.Mini.Path
		}
		if out.URL != c.url || out.Page != c.page || mini != c.mini || (client.CanMessage() == nil) != c.can {
			t.Errorf("%s: %+v, %v", name, out, client.CanMessage())
		}
		if n := utf8.RuneCountInString(out.Data["thing4"].Value); client.messages == "subscribe" && n != 20 || out.Data["time3"].Value !=
			m.Data["time3"] {
			t.Errorf("%s: %+v", name, out.Data)
		}
	}
}

func TestSignPage(t *testing.T) {
	c, tokens := platform(t, map[string]func(*http.Request, []byte) string{
		"/cgi-bin/ticket/getticket": func(*http.Request, []byte) string {
			return `{"errcode":0,"errmsg":"ok","ticket":"TICKET","expires_in":7200}`
		},
	})
	for range 3 {
		s, err := c.SignPage(t.Context(), "https://h.example/p#x")
		if err != nil || s.Signature != signPage("TICKET", s.Nonce, s.Timestamp, "https://h.example/p") {
			t.Fatalf("%+v, %v", s, err)
		}
	}
	if tokens.Load() != 1 {
		t.Errorf("%d tokens", tokens.Load())
	}
}

func TestKeeper_OneFetchForMany(t *testing.T) {
	var fetched atomic.Int32
	now := time.Now()
	k := newKeeper(func(context.Context) (string, time.Duration, error) {
		time.Sleep(20 * time.Millisecond)
		fetched.Add(1)
		return "v", 2 * time.Hour, nil
	}, func() time.Time { return now })
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			if v, err := k.get(t.Context()); v != "v" || err != nil {
				t.Error(v, err)
			}
		})
	}
	all.Wait()
	now = now.Add(116 * time.Minute) // within five minutes of its end
	_, _ = k.get(t.Context())
	if fetched.Load() != 2 {
		t.Errorf("%d fetches", fetched.Load())
	}
}

func TestMiniProgram(t *testing.T) {
	var sent map[string]any
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/sns/jscode2session":
			if r.URL.Query().Get("js_code") != "C1" {
				t.Error(r.URL)
			}
			_, _ = io.WriteString(w, `{"openid":"o1","session_key":"k"}`)
		case "/cgi-bin/stable_token":
			_, _ = io.WriteString(w, `{"access_token":"T","expires_in":7200}`)
		case "/cgi-bin/message/subscribe/send":
			if err := json.NewDecoder(r.Body).Decode(&sent); err != nil {
				t.Error(err)
			}
			_, _ = io.WriteString(w, `{"errcode":0,"errmsg":"ok"}`)
		default:
			t.Error(r.URL)
		}
	}))
	defer srv.Close()
	cfg := testConfig("https://api2.mch.weixin.qq.com")
	cfg.Settings = map[string]string{"login": "mini", "message_kind": "subscribe", "message_page": "pages/x?u={url}", "api_host": srv.URL}
	c := newClient(t, cfg)
	if a, err := c.Exchange(t.Context(), "C1"); err != nil || a.ID != "o1" {
		t.Errorf("%+v, %v", a, err)
	}
	m := channels.Message{To: channels.Account{ID: "o1", Type: refund.AccountWechatOpenID}, Template: "TPL", Page: "https://h/p", ID: "N1",
		Data: map[string]string{"thing1": "v"}}
	if _, err := c.SendMessage(t.Context(), m); err != nil {
		t.Error(err)
	}
	if text, _ := json.Marshal(sent); string(text) != `{"data":{"thing1":{"value":"v"}},"page":"pages/x?u=https%3A%2F%2Fh%2Fp",`+
		`"template_id":"TPL","touser":"o1"}` {
		t.Error(string(text))
	}
}

// The token's own trouble must not tell the secret that its URL or body holds.
func TestPlatformErrorsKeepSecrets(t *testing.T) {
	for _, f := range []http.HandlerFunc{
		func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://evil.example/"+r.URL.RawQuery, http.StatusFound)
		},
		func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		func(w http.ResponseWriter, r *http.Request) { http.Error(w, r.URL.RawQuery, http.StatusTeapot) },
		func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, `{"errcode":40125,"errmsg":"invalid `+testSecret+`"}`)
		},
	} {
		srv := httptest.NewServer(f)
		c := newClient(t, testConfig(srv.URL))
		_, login := c.Exchange(t.Context(), "CODE-OF-LOGIN")
		_, page := c.SignPage(t.Context(), "https://h.example/")
		_, send := c.SendMessage(t.Context(), channels.Message{To: channels.Account{ID: "o1", Type: refund.AccountWechatOpenID}, Template: "T"})
		for _, err := range []error{login, page, send} {
			if !errors.Is(err, channels.ErrUnavailable) || strings.Contains(err.Error(), testSecret) ||
				strings.Contains(err.Error(), "CODE-OF-LOGIN") {
				t.Error(err)
			}
		}
		srv.Close()
	}
}
