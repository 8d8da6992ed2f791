package wechat

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"hospay/sim"
	"hospay/sim/medins"
	"hospay/sim/world"
)

// Partner is what Tencent gives to a hospital for the credential.
type Partner struct {
	PartnerID     string `json:"partner_id"`
	PartnerSecret string `json:"partner_secret"`
	Channel       string `json:"channel"`
	OrgCert       string `json:"org_chnl_crtf_codg"`
	City          string `json:"city_id"`
}

// City is Tencent's code of the demo's city; it is not the area's code.
const City = "440108"

func partner() Partner {
	return Partner{PartnerID: "61000000000000000000000000000001", PartnerSecret: "demo-partner-secret-0123456789abcdef",
		Channel: "AAHOSPAYDEMO", OrgCert: "demo/chnl+crtf/Codg==", City: City}
}

// licence is a code of the page, and what it stands for.
type licence struct {
	payAuthNo    string
	payer        *world.Patient
	family, used bool
	until        time.Time
}

// Insure lets the simulator settle the insurance's part of its orders.
func (s *Server) Insure(i medins.Insurance) { s.insurance = i }

func (s *Server) insuranceRoutes(m *http.ServeMux) {
	m.HandleFunc("GET /oauth/code", s.credentialPage)
	m.HandleFunc("POST /oauth/code", s.credentialPage)
	m.HandleFunc("GET /_sim/authcode", s.issueAuthCode)
	m.HandleFunc("POST /api/mipuserquery/userQuery/{partner}", s.userQuery)
	m.HandleFunc("GET "+payPage, s.showPay)
	m.HandleFunc("POST "+payPage, s.showPay)
}

// wrongAuthorisation says what does not fit in the address of the page.
func (s *Server) wrongAuthorisation(q url.Values) string {
	p := partner()
	code, app := q.Get("orgCodg"), q.Get("orgAppId")
	if s.insurance != nil {
		code, app = s.insurance.Hospital()
	}
	for _, want := range [][2]string{{"authType", "2"}, {"isDepart", "2"}, {"bizType", "04107"}, {"appid", AppID}, {"cityCode", p.City},
		{"channel", p.Channel}, {"orgChnlCrtfCodg", p.OrgCert}, {"orgCodg", code}, {"orgAppId", app}} {
		if q.Get(want[0]) != want[1] || want[1] == "" {
			return want[0]
		}
	}
	return ""
}

// credentialPage lets somebody choose who holds the phone, and that person agree
// or refuse, for themselves or for a relative.
func (s *Server) credentialPage(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	back, err := url.Parse(q.Get("redirectUrl"))
	if wrong := s.wrongAuthorisation(q); wrong != "" || err != nil || !strings.HasPrefix(back.Scheme, "http") {
		sim.Page{Title: "appid校验失败", Lines: []string{"授权链接的参数不正确：" + wrong}}.Show(w, 400)
		return
	}
	p := s.world.Find(q.Get("patient"))
	switch {
	case p == nil:
		page := sim.Page{Title: "医保电子凭证", Lines: []string{"请选择手机在哪位测试用户手里"}}
		for _, p := range firstPatients(s.world) {
			q.Set("patient", p.Code)
			page.Choices = append(page.Choices, sim.Choice{Text: p.Code + " " + p.Name, Href: r.URL.Path + "?" + q.Encode()})
		}
		page.Show(w, 200)
	case r.Method == http.MethodGet:
		s.agreement(p, q.Get("for")).Show(w, 200)
	default:
		v := back.Query()
		if r.FormValue("refuse") == "" {
			v.Set("authCode", s.newLicence(p, s.world.Find(r.FormValue("for"))))
		}
		back.RawQuery = v.Encode()
		http.Redirect(w, r, back.String(), http.StatusFound)
	}
}

// agreement is the page on which the holder of the phone agrees.
func (s *Server) agreement(p *world.Patient, chosen string) sim.Page {
	page := sim.Page{Title: "医保移动支付授权", Button: "同意授权", Refuse: "拒绝",
		Lines:  []string{p.Name + "，医院申请使用医保电子凭证为本次就诊支付。", "授权只用于这一次缴费。"},
		Radios: []sim.Radio{{Name: "for", Value: "", Text: "为本人支付", Checked: chosen == ""}}}
	for _, other := range firstPatients(s.world) {
		if other != p {
			page.Radios = append(page.Radios, sim.Radio{Name: "for", Value: other.Code, Text: "为亲属 " + other.Name + " 支付",
				Checked: other.Code == chosen})
		}
	}
	return page
}

// newLicence makes a code; patient nil is the holder of the phone.
func (s *Server) newLicence(payer, patient *world.Patient) string {
	l := &licence{payer: payer, family: patient != nil && patient != payer,
		until: s.Clock().Now().Add(time.Duration(s.settings.Get().CodeMinutes) * time.Minute)}
	if patient == nil {
		patient = payer
	}
	l.payAuthNo = "AUTH" + City + l.until.Format("20060102150405") + strings.ToUpper(sim.Token(4))
	if s.insurance != nil {
		l.payAuthNo = s.insurance.Issue(payer, patient)
	}
	code := "AC" + sim.Token(16)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.licences[code] = l
	return code
}

// issueAuthCode is the way of a mini program, which has no page in a browser:
// ?patient=P0013, and &for=P0007 for a relative.
func (s *Server) issueAuthCode(w http.ResponseWriter, r *http.Request) {
	p := s.world.Find(r.URL.Query().Get("patient"))
	if p == nil {
		sim.WriteJSON(w, 404, map[string]string{"error": "no such patient"})
		return
	}
	sim.WriteJSON(w, 200, map[string]string{"auth_code": s.newLicence(p, s.world.Find(r.URL.Query().Get("for")))})
}

// portalDialect speaks the credential's host: HTTP 200 and code, never signed.
type portalDialect struct{}

// Fail builds its errors; no table of them is public.
func (portalDialect) Fail(f sim.Failure) *sim.Reply {
	status := 200
	if f.Kind == "500" {
		status = 500
	}
	return portalError(status, 50001, "系统繁忙")
}

// Seal sends the body as it is.
func (portalDialect) Seal(_ http.Header, r *sim.Reply, _ sim.Seal) []byte { return r.Body }

func portalError(status, code int, message string) *sim.Reply {
	return sim.JSONReply(status, map[string]any{"code": code, "message": message})
}

// userQuery turns a code into the payment authorisation.
func (s *Server) userQuery(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(io.LimitReader(r.Body, 1<<16))
	if !signedByPartner(r) {
		sim.Write(w, portalDialect{}, portalError(200, 40101, "签名错误"), sim.SealGood, false)
		return
	}
	var in struct {
		Code   string `json:"qrcode"`
		Openid string `json:"openid"`
	}
	_ = json.Unmarshal(body, &in)
	call := sim.Call{Op: "userquery", Alias: "credential", Hash: sim.HashJSON(map[string]string{"openid": in.Openid})}
	s.Serve(w, portalDialect{}, call, func(f sim.Fault) *sim.Reply { return s.redeemLicence(in.Code, in.Openid, f) })
}

// signedByPartner checks partner, time, request number and HMAC.
func signedByPartner(r *http.Request) bool {
	p, stamp := partner(), r.Header.Get("god-portal-timestamp")
	ms, err := strconv.ParseInt(stamp, 10, 64)
	mac := hmac.New(sha256.New, []byte(p.PartnerSecret))
	mac.Write([]byte(p.PartnerID + stamp))
	return err == nil && time.Since(time.UnixMilli(ms)).Abs() < 5*time.Minute && r.PathValue("partner") == p.PartnerID &&
		len(r.Header.Get("god-portal-request-id")) == 32 && r.Header.Get("god-portal-signature") == hex.EncodeToString(mac.Sum(nil))
}

func (s *Server) redeemLicence(code, openid string, f sim.Fault) *sim.Reply {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.licences[code]
	switch {
	case l == nil || s.Clock().Now().After(l.until):
		return portalError(200, 40001, "授权码无效或已过期")
	case l.used:
		return portalError(200, 40002, "授权码已使用")
	case openid != l.payer.Openid && openid != l.payer.MiniOpenid:
		return portalError(200, 40003, "授权码与用户不匹配")
	}
	l.used = true
	v := map[string]any{"code": 0, "message": "ok", "user_name": l.payer.Name, "user_card_no": l.payer.IDNo, "pay_auth_no": l.payAuthNo,
		"family_pay_auth_no": "", "auth_no": sim.Token(16), "city_id": City}
	if l.family {
		v["pay_auth_no"], v["family_pay_auth_no"] = "", l.payAuthNo
	}
	if f.Kind == sim.OddCredential {
		both := l.payAuthNo
		if f.Code == "none" {
			both = ""
		}
		v["pay_auth_no"], v["family_pay_auth_no"] = both, both
	}
	s.place(v)
	return sim.JSONReply(200, v)
}

// place tells where the patient is; the sources have it in three forms.
func (s *Server) place(v map[string]any) {
	at := map[string]string{"longitude": "113.264400", "latitude": "23.129100"}
	switch s.settings.Get().LocationForm {
	case "object":
		v["user_longitude_latitude"] = at
	case "camel":
		v["userLongitudeLatitude"], v["cityId"] = string(sim.JSON(at)), City
		delete(v, "city_id")
	default:
		v["user_longitude_latitude"] = string(sim.JSON(at))
	}
}
