package robot

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"hospay/notify"
)

// group is a chat group that answers as it is told.
type group struct {
	answer string
	status int
	got    *http.Request
	text   string
}

func (g *group) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	g.got = r
	data, _ := io.ReadAll(r.Body)
	var m struct {
		Type string `json:"msgtype"`
		Text struct {
			Content string `json:"content"`
		} `json:"text"`
	}
	if json.Unmarshal(data, &m) == nil && m.Type == "text" {
		g.text = m.Text.Content
	}
	if g.status != 0 {
		w.WriteHeader(g.status)
	}
	_, _ = io.WriteString(w, g.answer)
}

var moment = time.UnixMilli(1_600_000_000_000)

func send(t *testing.T, via, path, secret string, g *group) error {
	t.Helper()
	s := httptest.NewServer(g)
	defer s.Close()
	r, err := New(via, s.URL+path, secret, func() time.Time { return moment })
	if err != nil {
		t.Fatal(err)
	}
	return r.Send(context.Background(), notify.Message{Title: "报警：HIS 没有应答", Body: "自 11-29 08:00。信息科：联系 HIS 厂商。"})
}

func TestRobot_SpeaksBothWireFormats(t *testing.T) {
	g := &group{answer: `{"errcode":0,"errmsg":"ok"}`}
	const path = "/cgi-bin/webhook/send?key=k1"
	if err := send(t, notify.ViaWeCom, path, "", g); err != nil || g.got.URL.String() != path ||
		!strings.HasPrefix(g.text, "报警：HIS 没有应答\n自") {
		t.Errorf("%v %v %q", err, g.got.URL, g.text)
	}
	// The signature was made with openssl: printf '1600000000000\nSECabc' | openssl dgst -sha256 -hmac SECabc -binary | base64
	if err := send(t, notify.ViaDingTalk, "/robot/send?access_token=t1", "SECabc", g); err != nil ||
		g.got.URL.Query().Get("timestamp") != "1600000000000" || g.got.URL.Query().Get("access_token") != "t1" ||
		g.got.URL.Query().Get("sign") != "ABcUcMOwyGGKmiNbHqEbhvKpuIGkMXqT1gAGfAAmnk8=" {
		t.Errorf("%v %v", err, g.got.URL)
	}
}

func TestRobot_WhatIsNoSuccessIsNone(t *testing.T) {
	for name, c := range map[string]struct {
		g    group
		good bool // to be tried again
	}{
		"wrong key": {group{answer: `{"errcode":93000,"errmsg":"invalid webhook url, hint: key=k1"}`}, false},
		"too many":  {group{answer: `{"errcode":45009,"errmsg":"freq out of limit"}`}, true},
		"a page":    {group{answer: `<html>key=k1`}, true},
		"empty":     {group{answer: `{}`}, true},
		"broken":    {group{answer: `{"errcode":0}`, status: 502}, true},
	} {
		err := send(t, notify.ViaWeCom, "/send?key=k1", "", &c.g)
		if err == nil || errors.Is(err, notify.ErrRefused) == c.good || strings.Contains(err.Error(), "k1") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestRobot_GoesNowhereElse(t *testing.T) {
	for _, address := range []string{"", "qyapi.weixin.qq.com/x", "https://example.com/robot",
		"http://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=k",
		"https://oapi.dingtalk.com/robot/send", "https://u:p@qyapi.weixin.qq.com/"} {
		if _, err := New(notify.ViaWeCom, address, "", nil); err == nil {
			t.Errorf("%q is taken", address)
		}
	}
	if _, err := New(notify.ViaWeCom, "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=k", "", nil); err != nil {
		t.Error(err)
	}
}
