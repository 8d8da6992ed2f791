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
	run     func(*Server, *call, sim.Fault) *answer
}

var methods map[string]method

func init() {
	trade := []string{"out_trade_no", "trade_no"}
	methods = map[string]method{
		"alipay.fund.trans.uni.transfer":                 {"transfer", []string{"out_biz_no"}, true, (*Server).uniTransfer},
		"alipay.fund.trans.common.query":                 {"query", []string{"out_biz_no", "order_id", "pay_fund_order_id"}, false, (*Server).commonQuery},
		"alipay.fund.account.query":                      {"balance", nil, false, (*Server).accountQuery},
		"alipay.data.bill.balance.query":                 {"balance", nil, false, (*Server).balanceQuery},
		"alipay.trade.create":                            {"order", trade, false, (*Server).tradeCreate},
		"alipay.trade.pay":                               {"pay", trade, false, (*Server).tradePay},
		"alipay.trade.query":                             {"order_query", trade, false, (*Server).tradeQuery},
		"alipay.trade.refund":                            {"refund", []string{"out_request_no", "out_trade_no", "trade_no"}, false, (*Server).tradeRefund},
		"alipay.trade.fastpay.refund.query":              {"refund_query", []string{"out_request_no"}, false, (*Server).refundQuery},
		"alipay.trade.close":                             {"order_close", trade, false, (*Server).tradeClose},
		"alipay.trade.cancel":                            {"cancel", trade, false, (*Server).tradeCancel},
		"alipay.data.dataservice.bill.downloadurl.query": {"bill", []string{"bill_date"}, false, (*Server).billURL},
		"alipay.data.bill.accountlog.query":              {"bill", []string{"merchant_order_no", "alipay_order_no", "start_time"}, false, (*Server).accountLog},
		"alipay.data.bill.ereceipt.apply":                {"receipt", []string{"key"}, false, (*Server).receiptApply},
		"alipay.data.bill.ereceipt.query":                {"receipt", []string{"file_id"}, false, (*Server).receiptQuery},
		"alipay.system.oauth.token":                      {"oauth", nil, false, (*Server).oauthToken},
		"alipay.user.info.share":                         {"oauth", nil, false, (*Server).userInfo},
		"alipay.open.app.alipaycert.download":            {"certificates", []string{"alipay_cert_sn"}, false, (*Server).certDownload},
		"alipay.open.app.mini.templatemessage.send":      {"message", nil, false, (*Server).miniMessage},
		"alipay.open.public.message.single.send":         {"message", nil, false, (*Server).publicMessage},
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

func (s *Server) accountQuery(c *call, _ sim.Fault) *answer {
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
	case f.UserID != "" && f.UserID != PID:
		return refuse("NO_PERMISSION_ACCOUNT", "没有访问账户的权限")
	}
	return done(map[string]string{"available_amount": sim.Yuan(s.Balance("")), "freeze_amount": "0.00"})
}

func (s *Server) balanceQuery(*call, sim.Fault) *answer {
	b := sim.Yuan(s.Balance(""))
	return done(map[string]string{"total_amount": b, "available_amount": b, "freeze_amount": "0.00"})
}

func (s *Server) certDownload(c *call, _ sim.Fault) *answer {
	var f struct {
		SN string `json:"alipay_cert_sn"`
	}
	if bad := c.read(&f); bad != nil {
		return bad
	}
	if f.SN != s.alipayCertSN {
		return &answer{code: "40002", subCode: "isv.alipay-cert-not-exist", subMsg: "支付宝公钥证书不存在"}
	}
	return done(map[string]string{"alipay_cert_content": base64.StdEncoding.EncodeToString([]byte(s.alipayCert.PEM))})
}
