package wechat

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"hospay/sim"
)

// SentMessage is a message that the patient got.
type SentMessage struct {
	At         time.Time `json:"at"`
	Kind       string    `json:"kind"` // template or subscribe
	Openid     string    `json:"touser"`
	To         string    `json:"to"`      // the same, under the name that all simulators use
	Patient    string    `json:"patient"` // who that is
	TemplateID string    `json:"template_id"`
	Page       string    `json:"page,omitempty"`
	Data       any       `json:"data"`
}

type messageForm struct {
	ToUser     string `json:"touser"`
	TemplateID string `json:"template_id"`
	URL        string `json:"url"`
	Page       string `json:"page"`
	Data       map[string]struct {
		Value any `json:"value"`
	} `json:"data"`
}

// Messages returns what was sent to patients.
func (s *Server) Messages() []SentMessage { rows, _ := s.messages.Since(0); return rows }

func (s *Server) listMessages(w http.ResponseWriter, r *http.Request) {
	from, _ := strconv.Atoi(r.URL.Query().Get("since"))
	rows, next := s.messages.Since(from)
	sim.WriteJSON(w, 200, map[string]any{"messages": rows, "next": next})
}

// tell puts a message on the patient's phone.
func (s *Server) tell(kind string, f messageForm, page string) {
	m := SentMessage{At: s.Clock().Now(), Kind: kind, Openid: f.ToUser, To: f.ToUser, TemplateID: f.TemplateID, Page: page, Data: f.Data}
	if p := s.world.Find(f.ToUser); p != nil {
		m.Patient = p.Code
	}
	s.messages.Add(m)
}

func (s *Server) readMessage(q url.Values, body []byte) (f messageForm, bad any) {
	if bad := s.badToken(q); bad != nil {
		return f, bad
	}
	if json.Unmarshal(body, &f) != nil {
		return f, errcode(47001, "data format error")
	}
	switch p := s.world.Find(f.ToUser); {
	case (p == nil || p.Openid != f.ToUser) && !s.settings.Get().AnyOpenid:
		return f, errcode(40003, "invalid openid")
	case f.TemplateID == "":
		return f, errcode(40037, "invalid template_id")
	case len(f.Data) == 0:
		return f, errcode(47003, "argument invalid! data is empty")
	}
	return f, nil
}

func (s *Server) templateMessage(q url.Values, body []byte) any {
	f, bad := s.readMessage(q, body)
	if bad != nil {
		return bad
	}
	s.tell("template", f, f.URL)
	return map[string]any{"errcode": 0, "errmsg": "ok", "msgid": 200228332}
}

// longest are the limits of subscribe message values by the name of the key.
var longest = map[string]int{"thing": 20, "number": 32, "letter": 32, "symbol": 5, "character_string": 32}

func (s *Server) subscribeMessage(q url.Values, body []byte) any {
	f, bad := s.readMessage(q, body)
	switch {
	case bad != nil:
		return bad
	case s.settings.Get().RefuseMessages:
		return errcode(43101, "user refuse to accept the msg")
	}
	for key, v := range f.Data {
		limit := longest[strings.TrimRight(key, "0123456789")]
		if n := utf8.RuneCountInString(fmt.Sprint(v.Value)); limit > 0 && n > limit || n == 0 {
			return errcode(47003, "argument invalid! data."+key+".value invalid")
		}
	}
	s.tell("subscribe", f, f.Page)
	return map[string]any{"errcode": 0, "errmsg": "ok"}
}

// confirmPage stands in for the page that WeChat shows to the payee.
func (s *Server) confirmPage(w http.ResponseWriter, r *http.Request) {
	b := s.billShown(r.URL.Query().Get("package"))
	if b.no == "" {
		sim.Page{Title: "收款确认", Lines: []string{"单据不存在或已失效"}}.Show(w, 404)
		return
	}
	page := sim.Page{Title: "收款确认", Lines: []string{"付款方：测试医院", "金额：" + sim.Yuan(b.amount) + " 元", "说明：" + b.remark,
		"状态：" + stateName[b.state]}}
	back := r.URL.Query().Get("back")
	if b.state == waitConfirm {
		page.Button, page.Hidden = "确认收款", map[string]string{"package": b.pkg, "back": back}
	}
	page.Choices = wayBack(back)
	page.Show(w, 200)
}

var stateName = map[string]string{accepted: "已受理", processing: "处理中", waitConfirm: "待确认收款", transfering: "转账中", success: "已收款",
	fail: "已失败", canceling: "撤销中", cancelled: "已撤销"}

func (s *Server) billShown(pkg string) bill {
	s.mu.Lock()
	defer s.mu.Unlock()
	if b := s.byPackage[pkg]; b != nil {
		return *b
	}
	return bill{}
}

func (s *Server) confirmPagePost(w http.ResponseWriter, r *http.Request) {
	b := s.billShown(r.FormValue("package"))
	line := "已收款 " + sim.Yuan(b.amount) + " 元"
	if err := s.ConfirmShown(b.no, Shown{Package: r.FormValue("package")}); err != nil {
		line = "无法收款：" + stateName[b.state]
	}
	sim.Page{Title: "收款确认", Lines: []string{line}, Choices: wayBack(r.FormValue("back"))}.Show(w, 200)
}

// confirmShown is the payee's confirmation for tests: by the number alone when
// the body says nothing, else only through the package that a page was given.
func (s *Server) confirmShown(w http.ResponseWriter, r *http.Request) {
	no, q := r.PathValue("no"), r.URL.Query()
	body, err := io.ReadAll(io.LimitReader(r.Body, 1<<16))
	var in Shown
	switch {
	case err != nil:
	case slices.Contains([]string{"", "null", "{}"}, string(bytes.TrimSpace(body))):
		err = s.confirmNo(no, q.Get("merchant"), q.Get("openid"))
	default:
		if err = json.Unmarshal(body, &in); err == nil {
			err = s.ConfirmShown(no, in)
		}
	}
	if err != nil {
		sim.WriteJSON(w, http.StatusConflict, map[string]string{"error": err.Error()})
		return
	}
	sim.WriteJSON(w, 200, map[string]bool{"ok": true})
}

// wayBack leads to the page that opened this one; WeChat itself closes its own.
func wayBack(to string) []sim.Choice {
	if u, err := url.Parse(to); err != nil || !strings.HasPrefix(u.Scheme, "http") || u.Host == "" {
		return nil
	}
	return []sim.Choice{{Text: "返回医院页面", Href: to}}
}
