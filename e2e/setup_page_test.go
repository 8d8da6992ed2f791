package e2e

import (
	"context"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"hospay/hooks/it"
	"hospay/lab/demo"
)

// reader is a superuser at the page of the first installation.
type reader struct {
	*machine
	api   *demo.API
	token string
}

func (r *reader) call(method string, body any) it.SetupState {
	r.Helper()
	var out it.SetupState
	if err := r.api.Call(context.Background(), method, "/api/hospay/setup", r.token, body, &out); err != nil {
		r.Fatal(err)
	}
	return out
}

// asked waits until something is asked, or the setup has ended.
func (r *reader) asked() (state it.SetupState) {
	r.Helper()
	within(r.T, func() bool {
		state = r.call("GET", nil)
		return state.Question != nil || !state.UnderWay
	})
	return state
}

// sent is an answer as the page sends it: of a file its text, with the name where
// it counts.
func (r *reader) sent(q *it.SetupQuestion) string {
	r.Helper()
	text := r.answers[q.Key]
	path, is := strings.CutPrefix(text, "@")
	switch {
	case q.Named && text != "":
		return filepath.Base(text) + "\n" + string(must(os.ReadFile(text)))
	case q.File && is:
		return string(must(os.ReadFile(path)))
	}
	return text
}

// answerAll answers until the setup ends, or until the question with a key.
func (r *reader) answerAll(until string) it.SetupState {
	r.Helper()
	for {
		state := r.asked()
		if state.Question == nil || state.Question.Key == until {
			return state
		}
		r.call("POST", map[string]any{"key": state.Question.Key, "answer": r.sent(state.Question)})
	}
}

// TestSetup_OnThePage: the terminal makes settings, keys and IT's account; a page
// does the rest with the same questions. It is left in the middle and gone on
// with, a wrong password of the HIS is told and mended, no file of the server is
// read for whoever writes its name, and the first yuan is paid back.
func TestSetup_OnThePage(t *testing.T) {
	m := newMachine(t)
	m.prepare()
	l := must(net.Listen("tcp", "127.0.0.1:0"))
	m.answers["place.admin"], m.answers["superuser.password"] = l.Addr().String(), "a long password of IT"
	l.Close()
	all := m.answers
	m.answers = map[string]string{}
	for k, v := range all {
		if strings.HasPrefix(k, "place.") || strings.HasPrefix(k, "superuser.") {
			m.answers[k] = v
		}
	}
	if out, err := m.setup("--page"); err != nil || !strings.Contains(out, "http://"+all["place.admin"]+"/_/#/hospay-setup") {
		t.Fatalf("%v\n%s", err, out)
	}
	m.answers = all
	m.serve()
	r := &reader{machine: m, api: demo.NewAPI("http://" + all["place.admin"])}
	var auth struct {
		Token string `json:"token"`
	}
	if err := r.api.Call(context.Background(), "POST", "/api/collections/_superusers/auth-with-password", "",
		map[string]any{"identity": all["superuser.email"], "password": all["superuser.password"]}, &auth); err != nil {
		t.Fatal(err)
	}
	r.token = auth.Token
	for _, base := range []string{"http://" + m.http, "http://" + all["place.admin"]} {
		res := must(http.Get(base + "/api/hospay/setup"))
		res.Body.Close()
		if res.StatusCode != 404 && res.StatusCode != 401 {
			t.Errorf("%s answers anybody: %d", base, res.StatusCode)
		}
	}

	state := r.call("GET", nil)
	if !state.Open || state.UnderWay || len(state.Steps) != 6 || state.Steps[0].Title != "机构" || state.Steps[0].Done != "" {
		t.Fatalf("before anything: %+v", state)
	}
	r.call("POST", map[string]any{})
	if err := r.api.Call(context.Background(), "POST", "/api/hospay/setup", r.token, map[string]any{"key": "his.base_url", "answer": "x"},
		nil); err == nil {
		t.Error("an answer to what was not asked is taken")
	}
	state = r.answerAll("staff.finance.email")
	if state.Steps[0].Done == "" || !strings.Contains(state.Said, "初始密码") {
		t.Fatalf("%+v", state)
	}
	said := state.Said
	if state = r.call("DELETE", nil); state.UnderWay || state.Said != "" || !state.Open {
		t.Errorf("left: %+v", state)
	}

	good := all["his.password"]
	all["his.password"] = "not the password"
	r.call("POST", map[string]any{})
	state = r.answerAll("wechat.private_key")
	r.call("POST", map[string]any{"key": "wechat.private_key", "answer": "@" + m.settings})
	if state = r.asked(); state.Question.Key != "wechat.private_key" || !strings.Contains(state.Said, "✗ 请选择文件") {
		t.Errorf("a file of the server: %+v", state)
	}
	state = r.answerAll("his.keep")
	said += state.Said
	if !strings.Contains(said, "收到：") || strings.Contains(said, "not the password") || strings.Contains(said, all["his.test_id_no"]) {
		t.Errorf("%s", said)
	}
	all["his.password"] = good
	state = r.answerAll("")
	if state.Open || state.UnderWay || !strings.Contains(state.Said, "检查全部通过") {
		t.Fatalf("%+v", state)
	}
	if err := r.api.Call(context.Background(), "POST", "/api/hospay/setup", r.token, map[string]any{}, nil); err == nil ||
		!strings.Contains(err.Error(), "setup_done") {
		t.Errorf("once more: %v", err)
	}
	passwords := regexp.MustCompile(`(\S+@example-hospital.cn)，初始密码 (\S+)`).FindAllStringSubmatch(said, -1)
	if len(passwords) != 3 {
		t.Fatalf("%d first passwords\n%s", len(passwords), said)
	}
	m.refundOfOneYuan(passwords[2][2])
}
