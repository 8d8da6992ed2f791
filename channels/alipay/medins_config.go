package alipay

import (
	"strings"

	"hospay/channels"
)

// insurance are the settings of payments with insurance (医保移动支付):
//
//	medins_form       national (default): medical.payment.*, the cash is a trade of its own;
//	                  platform: medical.trade.*, one call collects both
//	medins_refund     trade (default): the cash goes back by alipay.trade.refund; asset: by trade.refund.apply
//	                  with DESIGNATED_REFUND_ASSET. Unconfirmed
//	medins_org_cert   certificate code of the institution (org_chnl_crtf_code)
//	medins_city       Alipay's code of the city, where the region brings none
//	medins_channel    channel_code of orders; empty = left out
//	medins_provider   sys_service_provider_id; empty = left out
//	medins_store      store_id of the platform form
//	medins_subsidy    subsidy_type of what the hospital takes off the cash; empty = not told. Unconfirmed
//	medins_words      JSON, words of medical_pay_status, own_pay_status and of the platform's refund_status → open,
//	                  paying, paid, failed, refunded. None is published: without them every order is unclear
//	                  and the centre decides
//	medins_missing    codes that mean that an order is not known. Unconfirmed
//	medins_cert_types JSON, papers of ours → patient_cert_type. Unconfirmed
//
// and of ordinary payments:
//
//	trade_product     product_code of alipay.trade.create; empty = Alipay's default. JSAPI_PAY for mini programs is
//	                  customary and unconfirmed
//	trade_op_app      op_app_id, the mini program that the contract names
type insurance struct {
	platform, byAsset                                bool
	orgCert, city, channel, provider, store, subsidy string
	words                                            statusWords
	missing                                          []string
	certTypes                                        map[string]string
}

func (c *config) readInsurance(s *channels.Settings) {
	c.tradeProduct, c.opApp = s.Text("trade_product", ""), s.Text("trade_op_app", "")
	c.ins = insurance{
		platform: s.OneOf("medins_form", "national", "platform") == "platform", byAsset: s.OneOf("medins_refund", "trade", "asset") == "asset",
		orgCert: s.Text("medins_org_cert", ""), city: s.Text("medins_city", ""), channel: s.Text("medins_channel", ""),
		provider: s.Text("medins_provider", ""), store: s.Text("medins_store", ""), subsidy: s.Text("medins_subsidy", ""),
		missing: strings.FieldsFunc(s.Text("medins_missing", missingCodes), func(r rune) bool { return r == ',' || r == ' ' }),
	}
	s.JSON("medins_words", &c.ins.words)
	s.JSON("medins_cert_types", &c.ins.certTypes)
	if !c.ins.words.valid() {
		s.Wrong("设置 medins_words 的含义只能是 open、paying、paid、failed、refunded")
	}
}

// missingCodes are what other methods of the gateway say of an unknown number.
const missingCodes = "ORDER_NOT_EXIST,TRADE_NOT_EXIST,ACQ.TRADE_NOT_EXIST"

// insuranceFields describes them for pages.
func insuranceFields() []channels.Field {
	text, choice := channels.FieldText, channels.FieldChoice
	return []channels.Field{
		{Name: "trade_product", Label: "支付产品码", Kind: text, Help: "留空按支付宝默认；小程序一般是 JSAPI_PAY，以签约为准。"},
		{Name: "trade_op_app", Label: "收款小程序", Kind: text, Help: "签约要求时填写小程序的 AppID。"},
		{Name: "medins_form", Label: "医保下单方式", Kind: choice, Choices: []channels.Choice{{"national", "国家医保业务"}, {"platform", "平台一次下单"}},
			Default: "national", Help: "以支付宝的签约为准。"},
		{Name: "medins_refund", Label: "医保订单的现金退款", Kind: choice, Choices: []channels.Choice{{"trade", "按普通交易退"}, {"asset", "按资产退"}},
			Default: "trade", Help: "公开资料未证实，以支付宝的签约为准。"},
		{Name: "medins_org_cert", Label: "渠道认证编码", Kind: text, Help: "org_chnl_crtf_code，医保分配。"},
		{Name: "medins_city", Label: "医保城市编码", Kind: text, Help: "参保地区没有配置时才用这里的。"},
		{Name: "medins_channel", Label: "医保渠道编码", Kind: text, Help: "channel_code，一般不填。"},
		{Name: "medins_provider", Label: "服务商编号", Kind: text, Help: "sys_service_provider_id，没有服务商不填。"},
		{Name: "medins_store", Label: "门店编号", Kind: text, Help: "平台一次下单时按支付宝要求填写。"},
		{Name: "medins_subsidy", Label: "医院减免类型", Kind: text, Help: "subsidy_type，公开资料未证实；留空则不上送减免。"},
		{Name: "medins_words", Label: "医保状态对照", Kind: text,
			Help: `JSON，状态词对应 open、paying、paid、failed、refunded；支付宝没有公开状态词，留空则以医保中心为准。`},
		{Name: "medins_missing", Label: "订单不存在的代码", Kind: text, Default: missingCodes, Help: "公开资料未证实，用逗号分隔。"},
		{Name: "medins_cert_types", Label: "证件类型对照", Kind: text, Help: "JSON，医保证件类型对应支付宝的类型；公开资料未证实，留空按原样上送。"},
	}
}
