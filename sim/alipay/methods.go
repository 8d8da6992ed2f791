package alipay

import (
	"encoding/base64"
	"encoding/json"

	"github.com/tidwall/gjson"

	"hospay/sim"
)

// method is one API of the gateway.
type method struct {
	alias   string
	keys    []string // biz_content fields that hold our number, first that is set
	fundOut bool     // pays money out of the merchant's account: needs certificates
	run     func(*merchant, *call, sim.Fault) *answer
}

var methods map[string]method

func init() {
	trade := []string{"out_trade_no", "trade_no"}
	asked := []string{"refund_request_no", "out_request_no", "out_trade_no"}
	methods = map[string]method{
		"alipay.fund.trans.uni.transfer": {"transfer", []string{"out_biz_no"}, true, (*merchant).uniTransfer},
		"alipay.fund.trans.common.query": {"query", []string{"out_biz_no", "order_id", "pay_fund_order_id"}, false,
			(*merchant).commonQuery},
		"alipay.fund.account.query":      {"balance", nil, false, (*merchant).accountQuery},
		"alipay.data.bill.balance.query": {"balance", nil, false, (*merchant).balanceQuery},
		"alipay.trade.create":            {"order", trade, false, (*merchant).tradeCreate},
		"alipay.trade.precreate":         {"order", trade, false, (*merchant).tradePrecreate},
		"alipay.trade.refund.apply":      {"refund", asked, false, (*merchant).refundApply},
		"alipay.trade.pay":               {"pay", trade, false, (*merchant).tradePay},
		"alipay.trade.query":             {"order_query", trade, false, (*merchant).tradeQuery},
		"alipay.trade.refund": {"refund", []string{"out_request_no", "out_trade_no", "trade_no"}, false,
			(*merchant).tradeRefund},
		"alipay.trade.fastpay.refund.query":              {"refund_query", []string{"out_request_no"}, false, (*merchant).refundQuery},
		"alipay.trade.close":                             {"order_close", trade, false, (*merchant).tradeClose},
		"alipay.trade.cancel":                            {"cancel", trade, false, (*merchant).tradeCancel},
		"alipay.commerce.medical.authinfo.auth.query":    {"credential", nil, false, (*merchant).authQuery},
		"alipay.commerce.medical.payment.createandpay":   {"mixed", trade, false, (*merchant).nationalOpen},
		"alipay.commerce.medical.payment.query":          {"mixed_query", trade, false, (*merchant).nationalQuery},
		"alipay.commerce.medical.payment.order.sync":     {"order_sync", []string{"out_biz_no"}, false, (*merchant).orderSync},
		"alipay.commerce.medical.trade.createandpay":     {"mixed", trade, false, (*merchant).platformOpen},
		"alipay.commerce.medical.trade.query":            {"mixed_query", trade, false, (*merchant).platformQuery},
		"alipay.commerce.medical.trade.refund":           {"refund", asked, false, (*merchant).platformRefund},
		"alipay.commerce.medical.trade.refund.query":     {"refund_query", asked, false, (*merchant).platformRefundQuery},
		"alipay.data.dataservice.bill.downloadurl.query": {"bill", []string{"bill_date"}, false, (*merchant).billURL},
		"alipay.data.bill.accountlog.query": {"bill", []string{"merchant_order_no", "alipay_order_no", "start_time"}, false,
			(*merchant).accountLog},
		"alipay.data.bill.ereceipt.apply":           {"receipt", []string{"key"}, false, (*merchant).receiptApply},
		"alipay.data.bill.ereceipt.query":           {"receipt", []string{"file_id"}, false, (*merchant).receiptQuery},
		"alipay.system.oauth.token":                 {"oauth", nil, false, (*merchant).oauthToken},
		"alipay.user.info.share":                    {"oauth", nil, false, (*merchant).userInfo},
		"alipay.open.app.alipaycert.download":       {"certificates", []string{"alipay_cert_sn"}, false, (*merchant).certDownload},
		"alipay.open.app.mini.templatemessage.send": {"message", nil, false, (*merchant).miniMessage},
		"alipay.open.public.message.single.send":    {"message", nil, false, (*merchant).publicMessage},
	}
}

// number finds our number and digests the business fields.
func (m method) number(c *call) (no, hash string) {
	for _, k := range m.keys {
		if no = gjson.GetBytes(c.biz, k).String(); no != "" {
			break
		}
	}
	if len(c.biz) == 0 || !json.Valid(c.biz) {
		return no, ""
	}
	return no, sim.HashJSON(json.RawMessage(c.biz))
}

func (m *merchant) accountQuery(c *call, _ sim.Fault) *answer {
	var f struct {
		UserID string `json:"alipay_user_id"`
		Type   string `json:"account_type"`
	}
	if bad := c.read(&f); bad != nil {
		return bad
	}
	switch {
	case f.Type != "ACCTRANS_ACCOUNT":
		return refuse("INVALID_PARAMETER", "参数有误。account_type")
	case f.UserID != "" && f.UserID != m.pid:
		return refuse("NO_PERMISSION_ACCOUNT", "没有访问账户的权限")
	}
	return done(map[string]string{"available_amount": sim.Yuan(m.Balance(m.pid)), "freeze_amount": "0.00"})
}

func (m *merchant) balanceQuery(*call, sim.Fault) *answer {
	b := sim.Yuan(m.Balance(m.pid))
	return done(map[string]string{"total_amount": b, "available_amount": b, "freeze_amount": "0.00"})
}

func (m *merchant) certDownload(c *call, _ sim.Fault) *answer {
	var f struct {
		SN string `json:"alipay_cert_sn"`
	}
	if bad := c.read(&f); bad != nil {
		return bad
	}
	if f.SN != m.alipayCertSN {
		return &answer{code: "40002", subCode: "isv.alipay-cert-not-exist", subMsg: "支付宝公钥证书不存在"}
	}
	return done(map[string]string{"alipay_cert_content": base64.StdEncoding.EncodeToString([]byte(m.alipayCert.PEM))})
}
