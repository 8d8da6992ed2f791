package wechat

import (
	"crypto/x509"
	"strings"

	"hospay/channels"
)

// Fields describes every setting and secret that readConfig reads.
func Fields() []channels.Field {
	text, number, fen, choice, pem := channels.FieldText, channels.FieldNumber, channels.FieldFen, channels.FieldChoice, channels.FieldPEM
	secret := func(name string, kind channels.FieldKind, label, help string) channels.Field {
		return channels.Field{Name: name, Label: label, Kind: kind, Help: help, Secret: true}
	}
	return append([]channels.Field{
		{Name: "methods", Label: "退款方式", Kind: channels.FieldMany, Choices: channels.Methods(), Default: "transfer,original", Help: "这个渠道可用的方式。"},
		{Name: "single_limit", Label: "单笔上限（元）", Kind: fen, Default: "0", Help: "商户平台上的单笔转账限额，0 表示未知。"},
		{Name: "day_limit", Label: "单日额度（元）", Kind: fen, Default: "0", Help: "商户平台上的单日转账额度，0 表示未知；概况页据此显示当日已用多少。"},
		{Name: "min_amount", Label: "单笔下限（元）", Kind: fen, Default: "10", Help: "不低于 0.10 元。"},
		{Name: "original_window_days", Label: "原路退期限（天）", Kind: number, Default: "365", Help: "缴费后多少天内可以原路退。"},
		{Name: "scene_id", Label: "转账场景", Kind: text, Default: "1011", Help: "商户平台开通的转账场景编号。"},
		{Name: "perception", Label: "收款感知", Kind: text, Default: "退款", Help: "收款人在微信中看到的名目。"},
		{Name: "report_infos", Label: "场景报备信息", Kind: text, Help: `JSON，例如 [{"info_type":"赔付原因","info_content":"预交金退款"}]。`},
		{Name: "transfer_remark", Label: "转账备注", Kind: text, Default: "预交金退款", Help: "收款人看到的备注，32 字以内。"},
		{Name: "funds_account", Label: "退款资金来源", Kind: choice, Choices: []channels.Choice{{"", "按合同"}, {"AVAILABLE", "可用余额"},
			{"UNSETTLED", "未结算资金"}}, Help: "原路退从哪个账户出款，按合同即不指定。"},
		{Name: "login", Label: "登录方式", Kind: choice, Choices: []channels.Choice{{"h5", "公众号网页"}, {"mini", "小程序"}}, Default: "h5",
			Help: "患者从哪里进入。"},
		{Name: "message_kind", Label: "消息类型", Kind: choice, Choices: []channels.Choice{{"template", "服务号模板消息"}, {"subscribe", "订阅消息"}},
			Default: "template", Help: "用哪种消息通知患者。"},
		{Name: "mini_appid", Label: "小程序 AppID", Kind: text,
			Help: "公众号之外另有小程序时填写：消息点开后进入它，患者也可以从它进入、收款、缴费。须与公众号绑定同一商户号。"},
		{Name: "message_page", Label: "消息打开的小程序页", Kind: text,
			Help: "小程序里打开网页的页面，{url} 是退款页的地址，例如 pages/web/index?url={url}；订阅消息必填，模板消息不填则直接打开网页。"},
		{Name: "cashier_url", Label: "演示收银台", Kind: text, Help: "仅演示用：微信之外的支付页，含 {no} 和 {back}。"},
		{Name: "confirm_url", Label: "演示确认页", Kind: text, Help: "仅演示用：微信之外的确认收款页，含 {package} 和 {back}。"},
		{Name: "api_host", Label: "公众平台接口地址", Kind: text, Default: mpBase, Help: "一般不用填。"},
		{Name: "oauth_base", Label: "授权页地址", Kind: text, Default: oauthBase, Help: "一般不用填。"},
		{Name: "timeout", Label: "调用超时", Kind: text, Default: "10s", Help: "例如 10s，最长 2m。"},
		{Name: "proxy", Label: "代理", Kind: text, Help: "代理地址，或 environment；留空直连。"},
		secret("private_key", pem, "商户私钥", "apiclient_key.pem 的内容。"),
		secret("serial_no", text, "商户证书序列号", "商户平台 → API 安全。"),
		secret("merchant_cert", pem, "商户证书", "apiclient_cert.pem 的内容；可不填，填了才能提前提醒到期。"),
		secret("api_v3_key", text, "APIv3 密钥", "32 个字符。"),
		secret("public_key", pem, "微信支付公钥", "PEM。"),
		secret("public_key_id", text, "微信支付公钥 ID", "以 PUB_KEY_ID_ 开头。"),
		secret("platform_certs", pem, "平台证书", "PEM，可含多张；已改用公钥的商户不用填。"),
		secret("app_secret", text, "AppSecret", "公众号或小程序的密钥，登录和发消息用。"),
		secret("mini_secret", text, "小程序 AppSecret", "公众号之外另有小程序时填写，从小程序登录用。"),
	}, insuranceFields()...)
}

// Credentials lists the merchant's certificate and WeChat's keys.
func (c *Client) Credentials() []channels.Credential {
	own := channels.Credential{What: "merchant_cert", ID: c.serial}
	if c.merchantCert != nil {
		own.Subject, own.Expires = c.merchantCert.Subject.CommonName, c.merchantCert.NotAfter
	}
	out := []channels.Credential{own}
	if c.publicID != "" {
		out = append(out, channels.Credential{What: "public_key", ID: c.publicID})
	}
	for _, cert := range c.certs {
		out = append(out, channels.Credential{What: "platform_cert", ID: serialOf(cert), Subject: cert.Subject.CommonName,
			Expires: cert.NotAfter})
	}
	return out
}

// serialOf is a certificate's serial number as WeChat writes it.
func serialOf(cert *x509.Certificate) string { return strings.ToUpper(cert.SerialNumber.Text(16)) }
