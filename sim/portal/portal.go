// Package portal simulates the hospital's online portal: it knows who the
// patient is and hands over to hospay with a signed, short-lived ticket.
// README.md describes the ticket.
package portal

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"hospay/sim"
	"hospay/sim/world"
)

// Secret is shared by the portal and hospay; for the demo only.
const Secret = "demo-portal-secret-41d0c9b7e6a25f83"

// Settings can be changed through POST /_sim/settings.
type Settings struct {
	To          string `json:"to"`          // origin of hospay
	Entry       string `json:"entry"`       // path that takes the ticket at its end
	Institution string `json:"institution"` // code of the hospital in the ticket
	TTLSeconds  int    `json:"ttl_seconds"`
}

// Server is the portal.
type Server struct {
	*sim.Core
	world    *world.World
	settings *sim.Settings[Settings]
	kiosk    reader
}

// Claims is the payload of a ticket.
type Claims struct {
	Issuer       string `json:"iss"`
	Institution  string `json:"inst"`
	Subject      string `json:"sub"`
	Name         string `json:"name"`
	IDType       string `json:"id_type"`
	IDNo         string `json:"id_no"`
	Phone        string `json:"phone"`
	Via          string `json:"via"`
	Openid       string `json:"openid,omitempty"`
	AppID        string `json:"app_id,omitempty"`
	AlipayUserID string `json:"alipay_user_id,omitempty"`
	IssuedAt     int64  `json:"iat"`
	Expires      int64  `json:"exp"`
	ID           string `json:"jti"`
}

// Answer is what GET /_sim/ticket gives: the ticket and the person's true data.
type Answer struct {
	Ticket        string   `json:"ticket"`
	Name          string   `json:"name"`
	IDNo          string   `json:"id_no"`
	Phone         string   `json:"phone"`
	AlipayAccount string   `json:"alipay_account"`
	Cards         []string `json:"cards"`
	Openid        string   `json:"openid"`
	AlipayUserID  string   `json:"alipay_user_id"`
	AlipayOpenID  string   `json:"alipay_open_id"`
}

// New makes a portal for the people of w.
func New(w *world.World) *Server {
	s := &Server{Core: sim.NewCore("portal"), world: w,
		settings: sim.NewSettings(Settings{To: "http://127.0.0.1:8090", Entry: "/?ticket=", Institution: "demo", TTLSeconds: 300})}
	m := s.Mux()
	m.HandleFunc("GET /_sim/ticket", s.getTicket)
	m.HandleFunc("GET /_sim/patients", func(w http.ResponseWriter, _ *http.Request) {
		sim.WriteJSON(w, 200, map[string]any{"patients": s.world.Patients()})
	})
	m.HandleFunc("GET /enter", s.enter)
	m.HandleFunc("GET /{$}", s.index)
	s.mountKiosk(m)
	s.MountControl(sim.Control{Config: s.config, Settings: s.settings})
	return s
}

// Settings gives direct access for Go tests.
func (s *Server) Settings() *sim.Settings[Settings] { return s.settings }

func (s *Server) config(url.Values) (any, error) {
	return map[string]any{"secret": Secret, "algorithm": "HMAC-SHA256", "issuer": "portal", "institution": s.settings.Get().Institution,
		"ticket_url": s.URL() + "/_sim/ticket", "ttl_seconds": s.settings.Get().TTLSeconds}, nil
}

// Ticket issues a ticket; via is "wechat", "alipay" or "" for a plain browser.
func (s *Server) Ticket(patient, via string) (Answer, error) {
	return s.TicketOn(patient, via, patient)
}

// TicketOn issues a ticket for a patient who uses somebody else's phone: the
// account at the channel is that person's.
func (s *Server) TicketOn(patient, via, phone string) (Answer, error) {
	return s.issue(patient, via, phone, time.Duration(s.settings.Get().TTLSeconds)*time.Second, Secret)
}

func (s *Server) issue(patient, via, phone string, ttl time.Duration, secret string) (Answer, error) {
	p, holder := s.world.Find(patient), s.world.Find(phone)
	if p == nil || p.Code != patient || holder == nil {
		return Answer{}, fmt.Errorf("no patient %q", patient)
	}
	now := time.Now()
	c := Claims{Issuer: "portal", Institution: s.settings.Get().Institution, Subject: p.Code, Name: p.Name, IDType: "01", IDNo: p.IDNo,
		Phone: p.Phone,
		Via:   via, IssuedAt: now.Unix(), Expires: now.Add(ttl).Unix(), ID: sim.Token(16)}
	switch via {
	case "wechat":
		c.Openid = holder.Openid
	case "alipay":
		c.AlipayUserID = holder.AlipayUserID
	case "", "kiosk":
	default:
		return Answer{}, fmt.Errorf("via must be wechat, alipay, kiosk or empty, got %q", via)
	}
	return Answer{Sign(sim.JSON(c), secret), p.Name, p.IDNo, p.Phone, p.AlipayLogon, p.Cards, p.Openid, p.AlipayUserID, p.AlipayOpenID}, nil
}

// Sign writes payload and HMAC-SHA256 in base64url without padding, joined by a dot.
func Sign(payload []byte, secret string) string {
	first := base64.RawURLEncoding.EncodeToString(payload)
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(first))
	return first + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// getTicket also makes bad tickets for tests: ?expired=1, ?forged=1; ?phone= is
// whose phone the patient uses.
func (s *Server) getTicket(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	ttl, secret := time.Duration(s.settings.Get().TTLSeconds)*time.Second, Secret
	if q.Get("expired") != "" {
		ttl = -time.Minute
	}
	if q.Get("forged") != "" {
		secret = "not the shared secret"
	}
	a, err := s.issue(q.Get("patient"), q.Get("via"), cmp.Or(q.Get("phone"), q.Get("patient")), ttl, secret)
	if err != nil {
		sim.WriteJSON(w, 404, map[string]string{"error": err.Error()})
		return
	}
	no := q.Get("patient")
	s.Requests().Add(sim.Request{Op: "ticket", Alias: "ticket", No: no})
	sim.WriteJSON(w, 200, a)
}

// enter sends a patient to hospay with a fresh ticket.
func (s *Server) enter(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	a, err := s.Ticket(q.Get("patient"), q.Get("via"))
	if err != nil {
		sim.Page{Title: "无法进入", Lines: []string{"没有这位测试患者"}}.Show(w, 404)
		return
	}
	set := s.settings.Get()
	to := q.Get("to")
	if u, err := url.Parse(to); err != nil || u.Host == "" || !strings.HasPrefix(u.Scheme, "http") {
		to = set.To
	}
	http.Redirect(w, r, strings.TrimRight(to, "/")+set.Entry+url.QueryEscape(a.Ticket), http.StatusFound)
}

func (s *Server) index(w http.ResponseWriter, r *http.Request) {
	page := sim.Page{Title: "测试医院线上门户", Lines: []string{"请选择患者，进入“预交金退款”。"}}
	all := s.world.Patients()
	for _, p := range all[:min(len(all), 50)] {
		for _, via := range [][2]string{{"wechat", "微信"}, {"alipay", "支付宝"}} {
			q := url.Values{"patient": {p.Code}, "via": {via[0]}}
			if to := r.URL.Query().Get("to"); to != "" {
				q.Set("to", to)
			}
			page.Choices = append(page.Choices, sim.Choice{Text: p.Code + " " + p.Name + "（" + via[1] + "）", Href: "/enter?" + q.Encode()})
		}
	}
	page.Show(w, 200)
}
