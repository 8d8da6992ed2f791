package alipay

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"hospay/sim"
	"hospay/sim/world"
)

// oauthStore keeps codes and user tokens.
type oauthStore struct {
	mu      sync.Mutex
	codes   map[string]*code
	access  map[string]*grant
	refresh map[string]*grant
}

type code struct {
	patient *world.Patient
	appID   string
	expires time.Time
}

type grant struct {
	patient *world.Patient
	appID   string
	expires time.Time
}

func (o *oauthStore) clear() {
	o.mu.Lock()
	o.codes, o.access, o.refresh = map[string]*code{}, map[string]*grant{}, map[string]*grant{}
	o.mu.Unlock()
}

func itoa(n int) string { return strconv.Itoa(n) }

// whole reads a number that clients send as text or as a JSON number.
func whole(v any, def int) int {
	if v == nil || v == "" {
		return def
	}
	n, err := strconv.Atoi(fmt.Sprint(v))
	if err != nil {
		return -1
	}
	return n
}

// NewCode makes an authorisation code for a patient; it lives 3 minutes and works once.
func (s *Server) NewCode(appID, patient string) (string, error) {
	p := s.world.Find(patient)
	if p == nil || s.app(appID) == nil {
		return "", fmt.Errorf("no patient %s or application %s", patient, appID)
	}
	c := sim.Token(16)
	s.oauth.mu.Lock()
	s.oauth.codes[c] = &code{p, appID, s.Clock().Now().Add(3 * time.Minute)}
	s.oauth.mu.Unlock()
	return c, nil
}

func (s *Server) issueCode(w http.ResponseWriter, r *http.Request) {
	appID := r.URL.Query().Get("app_id")
	if appID == "" {
		appID = CertAppID
	}
	c, err := s.NewCode(appID, r.URL.Query().Get("patient"))
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
	if s.app(q.Get("app_id")) == nil || err != nil || !strings.HasPrefix(back.Scheme, "http") {
		sim.Page{Title: "授权参数错误", Lines: []string{"app_id 或 redirect_uri 不正确"}}.Show(w, 400)
		return
	}
	c, err := s.NewCode(q.Get("app_id"), q.Get("patient"))
	if err != nil {
		page := sim.Page{Title: "支付宝授权", Lines: []string{"请选择以哪位测试用户的身份授权"}}
		all := s.world.Patients()
		for _, p := range all[:min(len(all), 50)] {
			q.Set("patient", p.Code)
			page.Choices = append(page.Choices, sim.Choice{Text: p.Code + " " + p.AlipayName, Href: r.URL.Path + "?" + q.Encode()})
		}
		page.Show(w, 200)
		return
	}
	v := back.Query()
	v.Set("auth_code", c)
	v.Set("app_id", q.Get("app_id"))
	v.Set("scope", q.Get("scope"))
	v.Set("state", q.Get("state"))
	back.RawQuery = v.Encode()
	http.Redirect(w, r, back.String(), http.StatusFound)
}

func oauthError(sub, text string) *answer {
	return &answer{code: "40002", subCode: sub, subMsg: text, outer: "error_response"}
}

func (s *Server) oauthToken(c *call, _ sim.Fault) *answer {
	s.oauth.mu.Lock()
	defer s.oauth.mu.Unlock()
	now := s.Clock().Now()
	switch c.form.Get("grant_type") {
	case "authorization_code":
		code := s.oauth.codes[c.form.Get("code")]
		delete(s.oauth.codes, c.form.Get("code"))
		switch {
		case code == nil || now.After(code.expires):
			return oauthError("isv.code-invalid", "授权码code无效")
		case code.appID != c.app.id:
			return oauthError("isv.unmatched-app-id", "授权码与应用不匹配")
		}
		return s.grant(code.patient, c.app.id, now)
	case "refresh_token":
		g := s.oauth.refresh[c.form.Get("refresh_token")]
		switch {
		case g == nil || g.appID != c.app.id:
			return oauthError("isv.refresh-token-invalid", "刷新令牌refresh_token无效")
		case now.After(g.expires):
			return oauthError("isv.refresh-token-time-out", "刷新令牌refresh_token过期")
		}
		return s.grant(g.patient, c.app.id, now)
	}
	return oauthError("isv.grant-type-invalid", "授权类型无效")
}

const (
	accessLife  = 1296000 // seconds
	refreshLife = 2592000
)

func (s *Server) grant(p *world.Patient, appID string, now time.Time) *answer {
	access, refresh := "authusr"+sim.Token(16), "authusr"+sim.Token(16)
	s.oauth.access[access] = &grant{p, appID, now.Add(accessLife * time.Second)}
	s.oauth.refresh[refresh] = &grant{p, appID, now.Add(refreshLife * time.Second)}
	v := map[string]any{"access_token": access, "expires_in": accessLife, "refresh_token": refresh, "re_expires_in": refreshLife,
		"auth_start": now.Format(time.DateTime), "union_id": p.Unionid}
	s.identify(v, p)
	return &answer{code: "10000", fields: v, bare: true}
}

// identify adds the id that this kind of application sees.
func (s *Server) identify(v map[string]any, p *world.Patient) {
	if s.settings.Get().IDMode == "open_id" {
		v["open_id"] = p.AlipayOpenID
		return
	}
	v["user_id"] = p.AlipayUserID
}

func (s *Server) userInfo(c *call, _ sim.Fault) *answer {
	s.oauth.mu.Lock()
	g := s.oauth.access[c.form.Get("auth_token")]
	s.oauth.mu.Unlock()
	switch {
	case g == nil || g.appID != c.app.id:
		return &answer{code: "20001", subCode: "aop.invalid-auth-token", subMsg: "无效的访问令牌"}
	case s.Clock().Now().After(g.expires):
		return &answer{code: "20001", subCode: "aop.auth-token-time-out", subMsg: "访问令牌已过期"}
	}
	p := g.patient
	v := map[string]any{"nick_name": "支付宝用户", "avatar": "https://tfs.alipayobjects.com/images/partner/simulated", "province": "北京",
		"city": "北京市"}
	s.identify(v, p)
	if s.settings.Get().GrantIdentity {
		v["user_name"], v["mobile"], v["cert_no"], v["cert_type"] = p.AlipayName, p.Phone, p.IDNo, "0"
		v["is_certified"], v["user_status"], v["user_type"] = "T", "T", "2"
	}
	return done(v)
}

// SentMessage is a message that the patient got.
type SentMessage struct {
	At         time.Time `json:"at"`
	Kind       string    `json:"kind"` // mini or public
	To         string    `json:"to"`
	Patient    string    `json:"patient"` // who that is
	TemplateID string    `json:"template_id"`
	Page       string    `json:"page,omitempty"`
	Data       any       `json:"data"`
}

// Messages returns what was sent to patients.
func (s *Server) Messages() []SentMessage { rows, _ := s.messages.Since(0); return rows }

func (s *Server) miniMessage(c *call, _ sim.Fault) *answer {
	var f struct {
		ToUser   string `json:"to_user_id"`
		ToOpen   string `json:"to_open_id"`
		FormID   string `json:"form_id"`
		Template string `json:"user_template_id"`
		Page     string `json:"page"`
		Data     string `json:"data"`
	}
	if bad := c.read(&f); bad != nil {
		return bad
	}
	var data map[string]any
	switch {
	case json.Unmarshal([]byte(f.Data), &data) != nil || len(data) == 0:
		return refuse("USER_TEMPLATE_LACK_KEYWORD", "模板缺少关键词")
	case f.Template == "":
		return refuse("USER_TEMPLATE_ILLEGAL", "模板不合法")
	}
	return s.deliver(SentMessage{s.Clock().Now(), "mini", f.ToUser + f.ToOpen, "", f.Template, f.Page, data})
}

func (s *Server) publicMessage(c *call, _ sim.Fault) *answer {
	var f struct {
		ToUser   string `json:"to_user_id"`
		ToOpen   string `json:"to_open_id"`
		Template struct {
			ID      string         `json:"template_id"`
			Context map[string]any `json:"context"`
		} `json:"template"`
	}
	if bad := c.read(&f); bad != nil {
		return bad
	}
	if f.Template.ID == "" {
		return refuse("TEMPLATE_ID_NULL", "模板ID为空")
	}
	link, _ := f.Template.Context["url"].(string)
	return s.deliver(SentMessage{s.Clock().Now(), "public", f.ToUser + f.ToOpen, "", f.Template.ID, link, f.Template.Context})
}

func (s *Server) deliver(m SentMessage) *answer {
	p := s.world.Find(m.To)
	switch {
	case p == nil || m.To != p.AlipayUserID && m.To != p.AlipayOpenID:
		return refuse("TRADE_NO_NOT_MATCH_USERID", "用户不存在或不匹配")
	case s.settings.Get().RefuseMessages && m.Kind == "mini":
		return refuse("MSG_UNSUBSCRIBED", "用户未订阅消息")
	case s.settings.Get().RefuseMessages:
		return refuse("MSG_SD_NOFOLLOW", "用户未关注生活号")
	}
	m.Patient = p.Code
	s.messages.Add(m)
	return done(map[string]string{"msg_id": sim.Token(16)})
}
