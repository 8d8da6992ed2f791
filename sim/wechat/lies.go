package wechat

import "hospay/sim"

// liar says where the answers and callbacks of an operation tell what. Orders
// name the payer where transfers name the payee, and their amount is the total.
func (s *Server) liar(alias string) sim.Liar {
	l := sim.Liar{Payee: []string{"openid"}, App: []string{"appid"}, Merchant: []string{"mch_id", "mchid"},
		Number: []string{"out_bill_no", "out_refund_no"}, Amount: []string{"transfer_amount", "refund", "payer_refund",
			"settlement_refund"}, Other: s.other}
	if alias == "order" || alias == "order_query" {
		l.Number, l.Amount = []string{"out_trade_no"}, []string{"total", "payer_total"}
	}
	if alias == "mixed" || alias == "mixed_query" {
		l.Number, l.Amount = []string{"out_trade_no"}, []string{"total_fee", "wechat_pay_cash_fee"}
	}
	return l
}

// other is somebody or something else than what is true.
func (s *Server) other(field, value string) string {
	switch field {
	case "appid":
		return "wxother00000000000"
	case "mch_id", "mchid":
		return "1900000999"
	case "openid":
		for _, p := range s.world.Patients() {
			if p.Openid != value {
				return p.Openid
			}
		}
	}
	return "OTHER" + value
}
