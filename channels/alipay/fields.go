package alipay

import (
	"crypto/x509"
	"strings"

	"hospay/channels"
)

// Fields describes every setting and secret that readConfig reads.
func Fields() []channels.Field {
	text, number, fen, pem := channels.FieldText, channels.FieldNumber, channels.FieldFen, channels.FieldPEM
	secret := func(name string, kind channels.FieldKind, label, help string) channels.Field {
		return channels.Field{Name: name, Label: label, Kind: kind, Help: help, Secret: true}
	}
	return append([]channels.Field{
		{Name: "cashier_url", Label: "演示收银台", Kind: text, Help: "仅演示用：支付宝之外的支付页，含 {no} 和 {back}。"},
		{Name: "methods", Label: "退款方式", Kind: channels.FieldMany, Choices: channels.Methods(), Default: "transfer,original", Help: "这个渠道可用的方式。"},
		{Name: "single_limit", Label: "单笔上限（元）", Kind: fen, Default: "0", Help: "签约的单笔转账限额，0 表示未知。"},
		{Name: "day_limit", Label: "单日额度（元）", Kind: fen, Default: "0", Help: "签约的单日转账额度，0 表示未知；概况页据此显示当日已用多少。"},
		{Name: "min_amount", Label: "单笔下限（元）", Kind: fen, Default: "10", Help: "不低于 0.10 元。"},
		{Name: "original_window_days", Label: "原路退期限（天）", Kind: number, Default: "365", Help: "缴费后多少天内可以原路退。"},
		{Name: "scene_name", Label: "转账场景", Kind: text, Help: "开放平台开通的转账场景名称。"},
		{Name: "report_infos", Label: "场景报备信息", Kind: text, Help: `JSON，例如 [{"info_type":"…","info_content":"…"}]。`},
		{Name: "order_title", Label: "账单标题", Kind: text, Default: "预交金退款", Help: "收款人在账单中看到的标题。"},
		{Name: "transfer_remark", Label: "转账备注", Kind: text, Default: "预交金退款", Help: "大额转账必须有备注。"},
		{Name: "show_alias", Label: "显示商家简称", Kind: channels.FieldBool, Default: "false", Help: "收款人看到简称而不是全称。"},
		{Name: "oauth_scope", Label: "授权范围", Kind: text, Default: "auth_base", Help: "一般不用改。"},
		{Name: "message_kind", Label: "消息类型", Kind: channels.FieldChoice, Choices: []channels.Choice{{"mini", "小程序消息"}, {"public", "生活号消息"}},
			Default: "mini", Help: "用哪种消息通知患者。"},
		{Name: "message_page", Label: "消息打开的小程序页", Kind: text,
			Help: "小程序里打开网页的页面，{url} 是退款页的地址，例如 pages/web/index?url={url}；小程序消息必填，生活号消息直接打开网页。"},
		{Name: "download_hosts", Label: "账单下载主机", Kind: text, Help: "额外允许的主机，用逗号分隔。"},
		{Name: "oauth_base", Label: "授权页地址", Kind: text, Default: oauthBase, Help: "一般不用填。"},
		{Name: "timeout", Label: "调用超时", Kind: text, Default: "10s", Help: "例如 10s，最长 2m。"},
		{Name: "proxy", Label: "代理", Kind: text, Help: "代理地址，或 environment；留空直连。"},
		secret("private_key", pem, "应用私钥", "PKCS#1 或 PKCS#8。"),
		secret("app_cert", pem, "应用公钥证书", "appCertPublicKey 的内容。"),
		secret("alipay_cert", pem, "支付宝公钥证书", "alipayCertPublicKey 的内容。"),
		secret("alipay_root_cert", pem, "支付宝根证书", "alipayRootCert 的内容。"),
		secret("alipay_public_key", pem, "支付宝公钥", "公钥模式才填；转账需要证书模式。"),
		secret("encrypt_key", text, "内容加密密钥", "开启内容加密时填写。"),
	}, insuranceFields()...)
}

// Credentials lists the app's certificate and Alipay's. Issuers in Alipay's
// file are passed over; of the roots the first to expire is told.
func (c *Client) Credentials() []channels.Credential {
	if c.publicKey != "" {
		return []channels.Credential{{What: "public_key"}}
	}
	out := certificates("app_cert", c.appCert)
	for _, cert := range c.alipayCerts {
		out = append(out, certificates("alipay_cert", cert)...)
	}
	var first []channels.Credential
	for _, root := range certificates("alipay_root_cert", c.rootCert) {
		if len(first) == 0 || root.Expires.Before(first[0].Expires) {
			first = []channels.Credential{root}
		}
	}
	return append(out, first...)
}

func certificates(what, text string) []channels.Credential {
	certs, err := channels.Certificates(text)
	if err != nil {
		return nil
	}
	var out []channels.Credential
	for _, cert := range certs {
		out = append(out, channels.Credential{What: what, ID: serialOf(cert), Subject: cert.Subject.CommonName, Expires: cert.NotAfter})
	}
	return out
}

func serialOf(cert *x509.Certificate) string { return strings.ToUpper(cert.SerialNumber.Text(16)) }
