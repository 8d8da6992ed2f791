// Package sms simulates a hospital's short-message gateway: forms in UTF-8 or
// GBK with an MD5 signature, and JSON with a bearer token. It shows the phones
// of the test persons. README.md is its interface description.
package sms

import (
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"hospay/sim"
	"hospay/sim/world"
)

// The demo's account and token, as GET /_sim/config gives them.
const (
	Account  = "hospay"
	Password = "demo-sms-password"
	Token    = "demo-sms-token-5f0c2b7e"
)

// Settings can be changed through POST /_sim/settings.
type Settings struct {
	Dedupe        bool `json:"dedupe"`         // a request whose id came before is answered and not delivered again
	NeedSignature bool `json:"need_signature"` // a text must begin with 【…】
	MaxRunes      int  `json:"max_runes"`      // longest text
}

// Message is a short message that a phone got.
type Message struct {
	At      time.Time `json:"at"`
	Kind    string    `json:"kind"` // form or json
	To      string    `json:"to"`
	Patient string    `json:"patient,omitempty"` // whose phone it is
	Text    string    `json:"text"`
	ID      string    `json:"id,omitempty"` // the sender's number
	MsgID   string    `json:"msgid"`        // the gateway's number
}

// Server is the gateway and all phones.
type Server struct {
	*sim.Core
	world    *world.World
	settings *sim.Settings[Settings]
	messages sim.Ring[Message]

	mu    sync.Mutex // guards all below
	known map[string]string
	seq   int
}

// New makes a gateway that knows the phones of the people of w.
func New(w *world.World) *Server {
	s := &Server{Core: sim.NewCore("sms"), world: w, settings: sim.NewSettings(Settings{Dedupe: true, MaxRunes: 500})}
	s.clear()
	m := s.Mux()
	m.HandleFunc("/sms/form", s.form)
	m.HandleFunc("POST /sms/json", s.json)
	m.HandleFunc("GET /_sim/messages", s.list)
	m.HandleFunc("GET /phone/{patient}", s.phone)
	m.HandleFunc("GET /{$}", s.index)
	s.MountControl(sim.Control{Config: s.config, Settings: s.settings, Reset: s.clear})
	return s
}

// Settings gives direct access for Go tests.
func (s *Server) Settings() *sim.Settings[Settings] { return s.settings }

// Messages returns what phones got.
func (s *Server) Messages() []Message { rows, _ := s.messages.Since(0); return rows }

func (s *Server) clear() {
	s.mu.Lock()
	s.known, s.seq = map[string]string{}, 0
	s.mu.Unlock()
	s.messages.Clear()
}

func (s *Server) config(url.Values) (any, error) {
	return map[string]string{"form_url": s.URL() + "/sms/form", "json_url": s.URL() + "/sms/json", "account": Account,
		"password": Password, "token": Token,
		"phones": s.URL() + "/phone/"}, nil
}

// result is what the gateway says about one text to one phone.
type result struct{ code, text, msgid string }

var (
	mobile    = regexp.MustCompile(`^(\+?86)?1[3-9][0-9]{9}$`)
	signature = regexp.MustCompile(`^【[^】]{2,20}】`)
)

// deliver puts a text on a phone.
func (s *Server) deliver(m Message) result {
	set := s.settings.Get()
	switch {
	case !mobile.MatchString(m.To):
		return result{code: "12", text: "号码无效"}
	case m.Text == "":
		return result{code: "13", text: "内容为空"}
	case len([]rune(m.Text)) > set.MaxRunes:
		return result{code: "14", text: "内容过长"}
	case set.NeedSignature && !signature.MatchString(m.Text):
		return result{code: "15", text: "缺少短信签名"}
	}
	m.To = strings.TrimPrefix(strings.TrimPrefix(m.To, "+"), "86")
	s.mu.Lock()
	defer s.mu.Unlock()
	key := m.ID + "|" + m.To
	if before, seen := s.known[key]; seen && m.ID != "" && set.Dedupe {
		return result{code: "0", text: "成功", msgid: before}
	}
	s.seq++
	m.At, m.MsgID = s.Clock().Now(), "M"+strconv.Itoa(1_000_000+s.seq)
	if p := s.world.Find(m.To); p != nil {
		m.Patient = p.Code
	}
	s.known[key] = m.MsgID
	s.messages.Add(m)
	return result{code: "0", text: "成功", msgid: m.MsgID}
}

// list serves what was delivered: ?since= is an index, ?phone= and ?patient= narrow.
func (s *Server) list(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	from, _ := strconv.Atoi(q.Get("since"))
	rows, next := s.messages.Since(from)
	out := []Message{}
	for _, m := range rows {
		if (q.Get("phone") == "" || q.Get("phone") == m.To) && (q.Get("patient") == "" || q.Get("patient") == m.Patient) {
			out = append(out, m)
		}
	}
	sim.WriteJSON(w, 200, map[string]any{"messages": out, "next": next})
}

var link = regexp.MustCompile(`https?://[^\s，。；）】]+`)

// phone shows a person's phone, the newest message first.
func (s *Server) phone(w http.ResponseWriter, r *http.Request) {
	p := s.world.Find(r.PathValue("patient"))
	if p == nil {
		sim.Page{Title: "短信", Lines: []string{"没有这位测试用户"}}.Show(w, 404)
		return
	}
	page := sim.Page{Title: p.Name + " 的手机 " + p.Phone}
	rows := s.Messages()
	for i := len(rows) - 1; i >= 0; i-- {
		if m := rows[i]; m.To == p.Phone {
			page.Lines = append(page.Lines, m.At.Format("01-02 15:04")+"　"+m.Text)
			for _, to := range link.FindAllString(m.Text, -1) {
				page.Choices = append(page.Choices, sim.Choice{Text: to, Href: to})
			}
		}
	}
	if len(page.Lines) == 0 {
		page.Lines = []string{"还没有短信"}
	}
	page.Show(w, 200)
}

func (s *Server) index(w http.ResponseWriter, _ *http.Request) {
	page := sim.Page{Title: "短信网关", Lines: []string{"请选择要看谁的手机。"}}
	all := s.world.Patients()
	for _, p := range all[:min(len(all), 50)] {
		page.Choices = append(page.Choices, sim.Choice{Text: p.Code + " " + p.Name + " " + p.Phone, Href: "/phone/" + p.Code})
	}
	page.Show(w, 200)
}
