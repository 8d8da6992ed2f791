package alipay

import "hospay/sim"

// liar says where answers and notifications tell what.
func (s *Server) liar() sim.Liar {
	return sim.Liar{Payee: []string{"receiver_user_id", "receiver_open_id", "buyer_user_id", "buyer_open_id", "buyer_id"},
		App:      []string{"app_id", "auth_app_id"},
		Merchant: []string{"seller_id"}, Number: []string{"out_biz_no", "out_request_no", "out_trade_no", "refund_request_no"},
		Amount: []string{"trans_amount", "refund_amount", "refund_fee", "send_back_fee", "total_amount"}, Other: s.other}
}

// other is somebody or something else than what is true.
func (s *Server) other(field, value string) string {
	switch field {
	case "app_id", "auth_app_id":
		return "2021000199999999"
	case "seller_id":
		return "2088999999999999"
	case "receiver_open_id", "buyer_open_id", "receiver_user_id", "buyer_user_id", "buyer_id":
		for _, p := range s.world.Patients() {
			if value == p.AlipayOpenID || value == p.AlipayUserID {
				continue
			}
			if field == "receiver_open_id" || field == "buyer_open_id" {
				return p.AlipayOpenID
			}
			return p.AlipayUserID
		}
	}
	return "OTHER" + value
}
