package wechat

import (
	"strings"

	"hospay/channels"
)

// Tencent's addresses of the credential.
const (
	authBase  = "https://card.wecity.qq.com"
	queryBase = "https://mip-receiver.tengmed.com"
	authApp   = "wxe183cd55df4b4369"
	authPage  = "auth/pages/bindcard/auth/index"
)

// insurance are the settings of payments with insurance (医保移动支付):
//
//	medins_channel        channel number of the authorisation (渠道号), from Tencent
//	medins_org_cert       certificate code of the institution (orgChnlCrtfCodg), as it was given, not escaped
//	medins_city           WeChat's own code of the city, where the region brings none
//	medins_channel_no     channel_no of orders; empty = left out
//	medins_partner_id     partner of userQuery; its secret is medins_partner_secret
//	medins_auth_base      page of the authorisation, default https://card.wecity.qq.com
//	medins_query_base     host of userQuery, default https://mip-receiver.tengmed.com
//	medins_mini_appid     Tencent's mini program, default wxe183cd55df4b4369
//	medins_mini_path      its page; unconfirmed
//	medins_passthrough    numbers (default): payAuthNo, payOrdId, setlLatlnt are repeated in
//	                      passthrough_request_content; none: they are not. Unconfirmed
//	medins_refund_fields  single (default): med_refund_gov_fee; double: med_refund__gov_fee. Unconfirmed
//	medins_card_types     JSON, papers of ours → card types of WeChat; only 01 is confirmed
//	medins_test_env       true: the insurance books in its test system, while the cash is real
//
// When api_base is not the vendor's, both bases follow it unless they are set.
type insurance struct {
	channel, orgCert, city, channelNo, partnerID, partnerSecret string
	authBase, queryBase, miniApp, miniPath                      string
	passThrough, testEnv                                        bool
	refundScore                                                 string // what is doubled in the notice of a refund
	cardTypes                                                   map[string]string
}

func (c *config) readInsurance(s *channels.Settings) {
	c.ins = insurance{
		channel: s.Text("medins_channel", ""), orgCert: s.Text("medins_org_cert", ""), city: s.Text("medins_city", ""),
		channelNo: s.Text("medins_channel_no", ""), partnerID: s.Text("medins_partner_id", ""), partnerSecret: s.Secret("medins_partner_secret"),
		authBase: s.Base("medins_auth_base", c.follow(authBase)), queryBase: s.Base("medins_query_base", c.follow(queryBase)),
		miniApp: s.Text("medins_mini_appid", authApp), miniPath: strings.TrimPrefix(s.Text("medins_mini_path", authPage), "/"),
		passThrough: s.OneOf("medins_passthrough", "numbers", "none") == "numbers",
		testEnv:     s.OneOf("medins_test_env", "false", "true") == "true",
		cardTypes:   map[string]string{"01": "ID_CARD"},
	}
	if s.OneOf("medins_refund_fields", "single", "double") == "double" {
		c.ins.refundScore = "_"
	}
	s.JSON("medins_card_types", &c.ins.cardTypes)
	if c.ins.channelNo != "" && len(c.ins.channelNo) > 32 || len(c.ins.city) > 8 {
		s.Wrong("设置 medins_channel_no 最长 32 位，medins_city 最长 8 位")
	}
}

// insuranceFields describes them for pages.
func insuranceFields() []channels.Field {
	text, choice := channels.FieldText, channels.FieldChoice
	return []channels.Field{
		{Name: "medins_channel", Label: "医保授权渠道号", Kind: text, Help: "腾讯分配的渠道号，医保授权页用。"},
		{Name: "medins_org_cert", Label: "渠道认证编码", Kind: text, Help: "orgChnlCrtfCodg，按医保给的原样填写，不要转义。"},
		{Name: "medins_city", Label: "医保城市编码", Kind: text, Help: "微信自己的城市编码，与行政区划代码可能不同；参保地区没有配置时才用这里的。"},
		{Name: "medins_channel_no", Label: "医保下单渠道号", Kind: text, Help: "channel_no，一般不填。"},
		{Name: "medins_partner_id", Label: "医保授权合作方编号", Kind: text, Help: "腾讯分配的 partnerId，换取授权号用。"},
		{Name: "medins_auth_base", Label: "医保授权页地址", Kind: text, Default: authBase, Help: "一般不用填。"},
		{Name: "medins_query_base", Label: "医保授权查询地址", Kind: text, Default: queryBase, Help: "一般不用填。"},
		{Name: "medins_mini_appid", Label: "医保授权小程序", Kind: text, Default: authApp, Help: "小程序里跳转去授权的目标，一般不用填。"},
		{Name: "medins_mini_path", Label: "医保授权小程序页", Kind: text, Default: authPage, Help: "公开资料未证实，以腾讯提供的为准。"},
		{Name: "medins_passthrough", Label: "医保透传内容", Kind: choice, Choices: []channels.Choice{{"numbers", "带授权号、订单号和位置"}, {"none", "不带"}},
			Default: "numbers", Help: "各地不同，公开资料互相矛盾，以当地要求为准。"},
		{Name: "medins_refund_fields", Label: "医保退款通知字段", Kind: choice, Choices: []channels.Choice{{"single", "单下划线"}, {"double", "双下划线"}},
			Default: "single", Help: "公开资料互相矛盾，官方示例是单下划线。"},
		{Name: "medins_card_types", Label: "证件类型对照", Kind: text, Default: `{"01":"ID_CARD"}`, Help: "JSON，医保证件类型对应微信的类型；只有身份证已证实。"},
		{Name: "medins_test_env", Label: "医保测试环境", Kind: channels.FieldBool, Default: "false",
			Help: "打开后医保记在测试系统，而现金是真的；正式运行必须关闭。"},
		{Name: "medins_partner_secret", Label: "医保授权合作方密钥", Kind: text, Help: "腾讯分配的 partnerSecret。", Secret: true},
	}
}
