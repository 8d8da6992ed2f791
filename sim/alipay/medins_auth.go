package alipay

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"hospay/sim"
	"hospay/sim/world"
)

// consentPage is where a patient agrees.
const consentPage = "/p/s/medical-card-online"

// consent is a question for an authorisation, and its answer.
type consent struct {
	token, back, payAuthNo string
	payer, patient         *world.Patient
	until                  time.Time
}

func (c *consent) given(now time.Time) bool {
	return c != nil && c.payAuthNo != "" && now.Before(c.until)
}

type authForm struct {
	UserID   string `json:"alipay_user_id"`
	OpenID   string `json:"open_id"`
	No       string `json:"req_biz_no"`
	Business string `json:"ol_biz_type_code"`
	OrgCode  string `json:"org_code"`
	OrgCert  string `json:"org_chnl_crtf_code"`
	AppID    string `json:"org_app_id"`
	CallURL  string `json:"call_url"`
	Extend   struct {
		Name   string `json:"patient_name"`
		CertNo string `json:"patient_cert_no"`
	} `json:"extend_params"`
}

// authQuery tells whether a patient has agreed, and where they can.
func (m *merchant) authQuery(c *call, _ sim.Fault) *answer {
	var f authForm
	if bad := c.read(&f); bad != nil {
		return bad
	}
	code, app := f.OrgCode, f.AppID
	if m.insurance != nil {
		code, app = m.insurance.Hospital()
	}
	p := m.world.Find(f.UserID + f.OpenID)
	wrong := func(text string) *answer {
		return done(map[string]string{"result_code": "FAIL", "error_message": text})
	}
	switch {
	case p == nil:
		return wrong("用户不存在")
	case f.No == "" || f.Business != "04107" || f.CallURL == "":
		return wrong("缺少req_biz_no、ol_biz_type_code或call_url")
	case f.OrgCode != code || f.AppID != app || f.OrgCert != orgCert:
		return wrong("机构或应用与渠道登记不一致")
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	have := m.consents[p.Code]
	if f.Extend.CertNo != "" && have.given(m.Clock().Now()) && have.patient.IDNo != f.Extend.CertNo {
		have = nil
	}
	data := map[string]any{"auth_stas": "1", "medical_card_inst_id": "NATHSA", "insu_org": cityCode, "rels_pay_flag": "0"}
	if have.given(m.Clock().Now()) {
		data["pay_auth_no"], data["auth_no"], data["auth_time"] = have.payAuthNo, sim.Token(16), m.Clock().Now().Format(time.DateTime)
		if have.payer != have.patient {
			data["rels_pay_flag"], data["rels_pay_user_name"] = "1", masked(have.payer.Name)
		}
	} else {
		ask := &consent{token: sim.Token(16), back: f.CallURL, payer: p, patient: m.world.Find(f.Extend.CertNo)}
		m.consents[ask.token] = ask
		data["auth_stas"], data["auth_url"] = "0", m.URL()+consentPage+"?token="+ask.token
	}
	return done(map[string]any{"result_code": m.settings.Get().MedicalResult, "data": data})
}

func masked(name string) string {
	r := []rune(name)
	return "*" + string(r[len(r)-1:])
}

// consentForm is the page on which a patient agrees or refuses, for themselves or
// for a relative.
func (s *Server) consentForm(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	ask := s.consents[r.FormValue("token")]
	s.mu.Unlock()
	if ask == nil {
		sim.Page{Title: "授权链接已失效"}.Show(w, http.StatusNotFound)
		return
	}
	if r.Method == http.MethodGet {
		s.agreement(ask).Show(w, 200)
		return
	}
	if r.FormValue("refuse") == "" {
		s.agree(ask, r.FormValue("for"))
	}
	if back, err := url.Parse(ask.back); err == nil && strings.HasPrefix(back.Scheme, "http") {
		http.Redirect(w, r, back.String(), http.StatusFound)
		return
	}
	sim.Page{Title: "授权完成", Lines: []string{"请回到医院小程序继续。"}}.Show(w, 200)
}

func (s *Server) agreement(ask *consent) sim.Page {
	p := ask.payer
	own := ask.patient == nil || ask.patient == p
	page := sim.Page{Title: "医保移动支付授权", Button: "同意授权", Refuse: "拒绝", Hidden: map[string]string{"token": ask.token},
		Lines:  []string{p.Name + "，医院申请使用医保电子凭证为本次就诊支付。", "授权只用于这一次缴费。"},
		Radios: []sim.Radio{{Name: "for", Value: p.Code, Text: "为本人支付", Checked: own}}}
	all := s.world.Patients()
	for _, other := range all[:min(len(all), 50)] {
		if other != p {
			page.Radios = append(page.Radios, sim.Radio{Name: "for", Value: other.Code, Text: "为亲属 " + other.Name + " 支付",
				Checked: other == ask.patient})
		}
	}
	return page
}

// agree gives the authorisation that was asked for.
func (s *Server) agree(ask *consent, chosen string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	given := &consent{payer: ask.payer, patient: ask.payer,
		until: s.Clock().Now().Add(time.Duration(s.settings.Get().ConsentMinutes) * time.Minute)}
	if p := s.world.Find(chosen); p != nil {
		given.patient = p
	}
	given.payAuthNo = "AUTH" + cityCode + given.until.Format("20060102150405") + strings.ToUpper(sim.Token(4))
	if s.insurance != nil {
		given.payAuthNo = s.insurance.Issue(given.payer, given.patient)
	}
	delete(s.consents, ask.token)
	s.consents[ask.payer.Code] = given
}
