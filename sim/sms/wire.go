package sms

import (
	"crypto/hmac"
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/text/encoding/simplifiedchinese"

	"hospay/sim"
)

// dialect is one way to answer; the gateway signs nothing.
type dialect struct{ json bool }

var failures = map[string]result{"rate_limited": {code: "7", text: "发送过于频繁"}, "not_enough": {code: "5", text: "余额不足"},
	"unknown_code":     {code: "8765", text: "未知返回"},
	sim.InvalidRequest: {code: "16", text: "内容含有禁用词"}, sim.NoAuth: {code: "4", text: "账号已停用"}, sim.IPNotAllowed: {code: "6", text: "IP未授权"},
	sim.QuotaExceeded: {code: "17", text: "当日条数已用完"}}

// Fail builds planned errors.
func (d dialect) Fail(f sim.Failure) *sim.Reply {
	r, known := failures[f.Kind]
	switch {
	case f.Kind == sim.Refuse:
		return d.reply(max(f.Status, 200), result{code: f.Code, text: f.Message})
	case f.Kind == "500" || !known:
		return d.reply(500, result{code: "1", text: "系统异常"})
	}
	return d.reply(200, r)
}

// Seal sends the body as it is.
func (dialect) Seal(_ http.Header, r *sim.Reply, _ sim.Seal) []byte { return r.Body }

func (d dialect) reply(status int, r result) *sim.Reply {
	if d.json {
		return sim.JSONReply(status, map[string]any{"success": r.code == "0", "code": r.code, "message": r.text, "messageId": r.msgid})
	}
	v := map[string]string{"code": r.code, "msg": r.text}
	if r.msgid != "" {
		v["msgid"] = r.msgid
	}
	return sim.JSONReply(status, v)
}

// form takes account, mobile, content, ts and sign, as a form or as a query,
// and id when the sender has one.
func (s *Server) form(w http.ResponseWriter, r *http.Request) {
	raw, _ := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	kind := strings.ToLower(r.Header.Get("Content-Type"))
	text := string(raw)
	if r.Method == http.MethodGet {
		text = r.URL.RawQuery
	}
	f, err := url.ParseQuery(text)
	d := dialect{}
	switch {
	case err != nil:
		sim.Write(w, d, d.reply(200, result{code: "2", text: "参数无法解析"}), sim.SealGood, false)
		return
	case !signed(f):
		sim.Write(w, d, d.reply(200, result{code: "3", text: "认证失败"}), sim.SealGood, false)
		return
	}
	content := f.Get("content")
	if strings.Contains(kind, "charset=gb") || strings.HasPrefix(strings.ToLower(f.Get("charset")), "gb") {
		content, _ = simplifiedchinese.GB18030.NewDecoder().String(content)
	}
	m := Message{Kind: "form", To: f.Get("mobile"), Text: content, ID: f.Get("id")}
	s.Serve(w, d, m.call(), func(sim.Fault) *sim.Reply { return d.reply(200, s.deliver(m)) })
}

// signed checks account and MD5 of account, password and time stamp, in either case.
func signed(f url.Values) bool {
	sum := md5.Sum([]byte(Account + Password + f.Get("ts")))
	want := hex.EncodeToString(sum[:])
	return f.Get("account") == Account && f.Get("ts") != "" && hmac.Equal([]byte(want), []byte(strings.ToLower(f.Get("sign"))))
}

// json takes {"requestId", "phones":[…], "content"} with a bearer token.
func (s *Server) json(w http.ResponseWriter, r *http.Request) {
	raw, _ := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	d := dialect{json: true}
	var f struct {
		RequestID string   `json:"requestId"`
		Phones    []string `json:"phones"`
		Content   string   `json:"content"`
	}
	switch {
	case r.Header.Get("Authorization") != "Bearer "+Token:
		sim.Write(w, d, d.reply(401, result{code: "3", text: "认证失败"}), sim.SealGood, false)
		return
	case json.Unmarshal(raw, &f) != nil || len(f.Phones) == 0:
		sim.Write(w, d, d.reply(400, result{code: "2", text: "参数无法解析"}), sim.SealGood, false)
		return
	}
	first := Message{Kind: "json", To: f.Phones[0], Text: f.Content, ID: f.RequestID}
	s.Serve(w, d, first.call(), func(sim.Fault) *sim.Reply {
		var last result
		for _, phone := range f.Phones {
			m := first
			m.To = phone
			if last = s.deliver(m); last.code != "0" {
				break
			}
		}
		return d.reply(200, last)
	})
}

// call describes a message for the log and the faults, without phone and text.
func (m Message) call() sim.Call {
	return sim.Call{Op: "send", Alias: "message", No: m.ID, Hash: sim.HashJSON([]string{m.To, m.Text})}
}
