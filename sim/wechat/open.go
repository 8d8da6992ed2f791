package wechat

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"hospay/sim"
	"hospay/sim/world"
)

// oauthStore keeps codes and tokens of the open platform.
type oauthStore struct {
	mu     sync.Mutex
	codes  map[string]*code
	tokens map[string]time.Time // access tokens of the application
	stable string
	users  map[string]*world.Patient // access tokens of users
}

type code struct {
	patient    *world.Patient
	app, scope string
	expires    time.Time
	used       bool
}

func (o *oauthStore) clear() {
	o.mu.Lock()
	o.codes, o.tokens, o.users, o.stable = map[string]*code{}, map[string]time.Time{}, map[string]*world.Patient{}, ""
	o.mu.Unlock()
}

func (s *Server) openRoutes(m *http.ServeMux) {
	m.HandleFunc("GET /connect/oauth2/authorize", s.authorize)
	m.HandleFunc("GET /sns/oauth2/access_token", s.open("oauth", s.accessToken))
	m.HandleFunc("GET /sns/userinfo", s.open("oauth", s.userInfo))
	m.HandleFunc("GET /sns/jscode2session", s.open("oauth", s.session))
	m.HandleFunc("POST /cgi-bin/stable_token", s.open("token", s.stableToken))
	m.HandleFunc("GET /cgi-bin/token", s.open("token", s.token))
	m.HandleFunc("GET /cgi-bin/ticket/getticket", s.open("token", s.ticket))
	m.HandleFunc("POST /cgi-bin/message/template/send", s.open("message", s.templateMessage))
	m.HandleFunc("POST /cgi-bin/message/subscribe/send", s.open("message", s.subscribeMessage))
	m.HandleFunc("GET /_sim/code", s.issueCode)
}

// openDialect speaks the open platform: HTTP 200 and errcode, never signed.
type openDialect struct{}

// Fail builds the errors of the open platform.
func (openDialect) Fail(f sim.Failure) *sim.Reply {
	switch f.Kind {
	case "rate_limited":
		return sim.JSONReply(200, errcode(45011, "api minute-quota reach limit"))
	case "unknown_code":
		return sim.JSONReply(200, errcode(99887, "code in no list"))
	case "500":
		return sim.JSONReply(500, errcode(-1, "system error"))
	}
	return sim.JSONReply(200, errcode(-1, "system error"))
}

// Seal sends the body as it is.
func (openDialect) Seal(_ http.Header, r *sim.Reply, _ sim.Seal) []byte { return r.Body }

func errcode(code int, message string) map[string]any {
	return map[string]any{"errcode": code, "errmsg": message + " rid: " + sim.Token(8)}
}

// open wraps an unsigned path. Secrets never reach the request log.
func (s *Server) open(alias string, h func(url.Values, []byte) any) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(io.LimitReader(r.Body, 1<<20))
		op := strings.TrimPrefix(strings.TrimPrefix(r.URL.Path, "/cgi-bin/"), "/sns/")
		s.Serve(w, openDialect{}, sim.Call{Op: op, Alias: alias, Hash: sim.HashJSON(json.RawMessage(body))}, func(sim.Fault) *sim.Reply {
			return sim.JSONReply(200, h(r.URL.Query(), body))
		})
	}
}

// NewCode makes a login code of the official account for a patient; it lives 5 minutes and works once.
func (s *Server) NewCode(patient string) (string, error) { return s.codeIn(AppID, patient) }

// NewMiniCode makes one of the mini program.
func (s *Server) NewMiniCode(patient string) (string, error) { return s.codeIn(MiniAppID, patient) }

func (s *Server) codeIn(app, patient string) (string, error) {
	p := s.world.Find(patient)
	if p == nil {
		return "", fmt.Errorf("no patient %s", patient)
	}
	return s.newCode(p, app, "snsapi_base"), nil
}

func (s *Server) newCode(p *world.Patient, app, scope string) string {
	c := "0" + sim.Token(16)
	s.oauth.mu.Lock()
	s.oauth.codes[c] = &code{patient: p, app: app, scope: scope, expires: s.Clock().Now().Add(5 * time.Minute)}
	s.oauth.mu.Unlock()
	return c
}

func (s *Server) issueCode(w http.ResponseWriter, r *http.Request) {
	app := AppID
	if r.URL.Query().Get("app") == "mini" {
		app = MiniAppID
	}
	c, err := s.codeIn(app, r.URL.Query().Get("patient"))
	if err != nil {
		sim.WriteJSON(w, 404, map[string]string{"error": err.Error()})
		return
	}
	sim.WriteJSON(w, 200, map[string]string{"code": c})
}

// authorize redirects with a code, or lets somebody choose who is holding the phone.
func (s *Server) authorize(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	back, err := url.Parse(q.Get("redirect_uri"))
	if q.Get("appid") != AppID || err != nil || !strings.HasPrefix(back.Scheme, "http") || q.Get("response_type") != "code" {
		sim.Page{Title: "授权参数错误", Lines: []string{"appid、redirect_uri 或 response_type 不正确"}}.Show(w, 400)
		return
	}
	p := s.world.Find(q.Get("patient"))
	if p == nil {
		page := sim.Page{Title: "微信授权登录", Lines: []string{"请选择以哪位测试用户的身份授权"}}
		for _, p := range firstPatients(s.world) {
			q.Set("patient", p.Code)
			page.Choices = append(page.Choices, sim.Choice{Text: p.Code + " " + p.WechatName, Href: r.URL.Path + "?" + q.Encode()})
		}
		page.Show(w, 200)
		return
	}
	v := back.Query()
	v.Set("code", s.newCode(p, AppID, q.Get("scope")))
	v.Set("state", q.Get("state"))
	back.RawQuery = v.Encode()
	http.Redirect(w, r, back.String(), http.StatusFound)
}

func firstPatients(w *world.World) []*world.Patient {
	all := w.Patients()
	return all[:min(len(all), 50)]
}

// redeem uses a code up.
func (s *Server) redeem(q url.Values, field string) (*code, any) {
	switch {
	case apps[q.Get("appid")] == "":
		return nil, errcode(40013, "invalid appid")
	case q.Get("secret") != apps[q.Get("appid")]:
		return nil, errcode(40125, "invalid appsecret")
	case q.Get("grant_type") != "authorization_code":
		return nil, errcode(40002, "invalid grant_type")
	}
	s.oauth.mu.Lock()
	defer s.oauth.mu.Unlock()
	c := s.oauth.codes[q.Get(field)]
	switch {
	case c == nil || c.app != q.Get("appid") || s.Clock().Now().After(c.expires):
		return nil, errcode(40029, "invalid code")
	case c.used:
		return nil, errcode(40163, "code been used")
	}
	c.used = true
	return c, nil
}

func (s *Server) accessToken(q url.Values, _ []byte) any {
	c, bad := s.redeem(q, "code")
	if bad != nil {
		return bad
	}
	token := sim.Token(32)
	s.oauth.mu.Lock()
	s.oauth.users[token] = c.patient
	s.oauth.mu.Unlock()
	v := map[string]any{"access_token": token, "expires_in": 7200, "refresh_token": sim.Token(32), "openid": openidIn(c.app, c.patient),
		"scope": c.scope}
	if !s.settings.Get().NoUnionid {
		v["unionid"] = c.patient.Unionid
	}
	if s.settings.Get().SnapshotUser {
		v["is_snapshotuser"] = 1
	}
	return v
}

func (s *Server) userInfo(q url.Values, _ []byte) any {
	s.oauth.mu.Lock()
	p := s.oauth.users[q.Get("access_token")]
	s.oauth.mu.Unlock()
	if p == nil || p.Openid != q.Get("openid") {
		return errcode(40001, "invalid credential, access_token is invalid or not latest")
	}
	return map[string]any{"openid": p.Openid, "nickname": "微信用户", "sex": 0, "province": "", "city": "", "country": "", "headimgurl": "",
		"privilege": []string{}, "unionid": p.Unionid}
}

func (s *Server) session(q url.Values, _ []byte) any {
	c, bad := s.redeem(q, "js_code")
	if bad != nil {
		return bad
	}
	v := map[string]any{"openid": openidIn(c.app, c.patient), "session_key": "c2ltdWxhdGVkLXNlc3Npb24ta2V5"}
	if !s.settings.Get().NoUnionid {
		v["unionid"] = c.patient.Unionid
	}
	return v
}

func (s *Server) stableToken(_ url.Values, body []byte) any {
	var f struct {
		GrantType string `json:"grant_type"`
		AppID     string `json:"appid"`
		Secret    string `json:"secret"`
		Force     bool   `json:"force_refresh"`
	}
	if json.Unmarshal(body, &f) != nil {
		return errcode(47001, "data format error")
	}
	if bad := credentials(f.GrantType, f.AppID, f.Secret); bad != nil {
		return bad
	}
	s.oauth.mu.Lock()
	defer s.oauth.mu.Unlock()
	now := s.Clock().Now()
	left := s.oauth.tokens[s.oauth.stable].Sub(now)
	if s.oauth.stable == "" || left < 5*time.Minute || f.Force {
		s.oauth.stable, left = sim.Token(64), 2*time.Hour
		s.oauth.tokens[s.oauth.stable] = now.Add(left)
	}
	return map[string]any{"access_token": s.oauth.stable, "expires_in": int(left.Seconds())}
}

func credentials(grant, appid, secret string) any {
	switch {
	case grant != "client_credential":
		return errcode(40002, "invalid grant_type")
	case appid != AppID:
		return errcode(40013, "invalid appid")
	case secret != AppSecret:
		return errcode(40125, "invalid appsecret")
	}
	return nil
}

func (s *Server) token(q url.Values, _ []byte) any {
	if bad := credentials(q.Get("grant_type"), q.Get("appid"), q.Get("secret")); bad != nil {
		return bad
	}
	token := sim.Token(64)
	s.oauth.mu.Lock()
	s.oauth.tokens[token] = s.Clock().Now().Add(2 * time.Hour)
	s.oauth.mu.Unlock()
	return map[string]any{"access_token": token, "expires_in": 7200}
}

// badToken answers why an application token does not work, nil if it does.
func (s *Server) badToken(q url.Values) any {
	s.oauth.mu.Lock()
	defer s.oauth.mu.Unlock()
	if s.Clock().Now().After(s.oauth.tokens[q.Get("access_token")]) {
		return errcode(40001, "invalid credential, access_token is invalid or not latest")
	}
	return nil
}

func (s *Server) ticket(q url.Values, _ []byte) any {
	if bad := s.badToken(q); bad != nil {
		return bad
	}
	return map[string]any{"errcode": 0, "errmsg": "ok",
		"ticket": "sM4AOVdWfPE4DxkXGEs8VMCPGGVi4C3VM0P37wVUCFvkVAy_90u5h9nbSlYy3-Sl-HhTdfl2fzFy1AOcHKP7qg", "expires_in": 7200}
}
