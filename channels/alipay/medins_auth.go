package alipay

import (
	"context"
	"encoding/json"
	"strings"

	"hospay/channels"
	"hospay/flow"
	"hospay/internal/wire"
	"hospay/payment"
)

const (
	methodAuth = "alipay.commerce.medical.authinfo.auth.query"
	// onlineBusiness is 医保移动支付 in the list of online businesses.
	onlineBusiness = "04107"
)

// granted is the answer to the question for an authorisation.
type granted struct {
	head
	Result string     `json:"result_code"`
	Data   *authorise `json:"data"`
}

type authorise struct {
	Status    json.RawMessage `json:"auth_stas"`
	URL       string          `json:"auth_url"`
	PayAuthNo string          `json:"pay_auth_no"`
	Area      string          `json:"insu_org"`
	Relative  json.RawMessage `json:"rels_pay_flag"`
	Name      string          `json:"rels_pay_user_name"`
}

// text is a word that may come as a number.
func text(raw json.RawMessage) string { return strings.Trim(string(raw), `"`) }

// Authorisation asks whether the patient lets us use the credential, and where
// they do so. Alipay tells no location: the page brings that.
func (c *Client) Authorisation(ctx context.Context, ask payment.AuthorisationAsk) (a payment.Authorisation) {
	defer channels.RecoverTo(&a, channels.AuthorisationOf)
	lacks := channels.Missing(map[string]string{"渠道认证编码": c.ins.orgCert, "定点医药机构编码": ask.OrgCode, "医保应用编号": ask.AppID,
		"付款人的支付宝标识": ask.Payer, "请求编号": ask.No, "返回地址": ask.Back})
	switch {
	case ask.Terminal == payment.TerminalKiosk:
		return channels.AuthorisationOf(channels.NotSupported("自助机不能打开支付宝的医保授权页，请出示医保码"))
	case len(lacks) > 0:
		return channels.AuthorisationOf(channels.BadTrade(flow.ActorIT, "支付宝医保授权没有配置完整，缺少"+strings.Join(lacks, "、")))
	}
	ctx, cancel := wire.WithDeadline(ctx, c.timeout)
	defer cancel()
	var r granted
	if err := c.call(ctx, methodAuth, c.authBiz(ask), nil, &r); err != nil {
		return channels.AuthorisationOf(noAnswer(err))
	}
	switch { // the payer's name is not known, so nobody's words are repeated
	case r.Code != codeDone:
		return channels.AuthorisationOf(channels.OfQuery(r.refusal(medicalCodes)))
	case r.Data == nil:
		return channels.AuthorisationOf(channels.OfQuery(inner(r.Result, "")))
	}
	return r.Data.authorisation()
}

func (c *Client) authBiz(ask payment.AuthorisationAsk) map[string]any {
	biz := map[string]any{"req_biz_no": ask.No, "ol_biz_type_code": onlineBusiness, "org_code": ask.OrgCode,
		"org_chnl_crtf_code": c.ins.orgCert,
		"org_app_id":         ask.AppID, "call_url": ask.Back}
	user(biz, ask.Payer)
	extend := map[string]any{}
	if c.ins.provider != "" {
		extend["sys_service_provider_id"] = c.ins.provider
	}
	if p := ask.Patient; p != nil {
		extend["patient_name"], extend["patient_cert_type"], extend["patient_cert_no"] = p.Name, firstOf(c.ins.certTypes[p.IDType],
			p.IDType), p.IDNo
	}
	if len(extend) > 0 {
		biz["extend_params"] = extend
	}
	return biz
}

// authorisation reads the state. Only 1 with a number is an authorisation; what
// gives neither number nor page proves nothing.
func (d authorise) authorisation() payment.Authorisation {
	switch {
	case text(d.Status) == "1" && d.PayAuthNo != "":
		family := text(d.Relative) == "1"
		a := payment.Authorisation{Verdict: flow.Done, Granted: true, PayAuthNo: d.PayAuthNo, Family: family, Area: d.Area}
		if family {
			a.Payer, a.Masked = payment.Person{Name: d.Name}, true
		}
		return a
	case text(d.Status) != "1" && d.URL != "":
		return payment.Authorisation{Verdict: flow.Done, URL: d.URL, Area: d.Area}
	}
	return channels.AuthorisationOf(channels.Unclear("支付宝没有给出授权号或授权页"))
}

// Credential asks again, after the patient came back. There is no code.
func (c *Client) Credential(ctx context.Context, ask payment.AuthorisationAsk, _ string) payment.Authorisation {
	return c.Authorisation(ctx, ask)
}
