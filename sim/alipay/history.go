package alipay

import "hospay/sim"

// past books movements of the past as if they had happened then: transfers and
// trades can be asked for, and the account and business bills of those days
// hold them. The balance is afterwards what it was before.
func (s *Server) past(entries []sim.Past) ([]string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer func(before int64) { s.balance = before }(s.balance) // also when an entry is refused
	for _, p := range entries {
		switch {
		case !p.InBills() || s.knownNo(p) != "":
		case p.Kind == "pay":
			s.balance -= p.Billed()
		default:
			s.balance += p.Billed()
		}
	}
	numbers := make([]string, 0, len(entries))
	for _, p := range entries {
		id, err := s.pastOne(p)
		if err != nil {
			return nil, err
		}
		numbers = append(numbers, id)
	}
	return numbers, nil
}

// knownNo is Alipay's own number of a movement that it knows, or empty.
func (s *Server) knownNo(p sim.Past) string {
	switch t := s.trade(p.Of, ""); {
	case s.transfers[p.No] != nil:
		return s.transfers[p.No].orderID
	case p.Kind == "refund" && t != nil && t.refunds[p.No] != nil:
		return t.id
	case p.Kind == "pay" && s.trades[p.No] != nil:
		return s.trades[p.No].id
	}
	return ""
}

func (s *Server) pastOne(p sim.Past) (string, error) {
	known, t := s.knownNo(p), s.trade(p.Of, "")
	switch {
	case known != "":
		return known, nil
	case p.Kind == "transfer":
		return s.pastTransfer(p), nil
	case p.Kind == "pay" && p.ChannelNo != "":
		return s.pastPay(p), nil
	case p.Kind == "refund" && t != nil:
		return s.pastRefund(p, t), nil
	}
	return "", p.Impossible()
}

func (s *Server) pastTransfer(p sim.Past) string {
	t := &transfer{no: p.No, party: p.Party, title: "预交金退款", remark: "预交金退款", appID: CertAppID, status: "SUCCESS", amount: p.Amount, at: p.At}
	if who := s.world.Find(p.Party); who != nil {
		t.userID = who.AlipayUserID
	}
	s.name(t)
	if p.InBills() {
		s.post(&logRow{at: p.At, bizNo: t.orderID, merchantNo: t.no, title: t.title, other: t.party, amount: -p.Billed(), kind: s.settings.Get().BillTransferType, memo: t.remark})
	}
	s.pastLedger(p, p.Party)
	return t.orderID
}

func (s *Server) pastPay(p sim.Past) string {
	t := &trade{no: p.No, id: p.ChannelNo, appID: CertAppID, subject: "门诊预交金充值", buyer: p.Party, total: p.Amount, created: p.At, paid: p.At, refunds: map[string]*refund{}}
	s.trades[t.no], s.trades[t.id] = t, t
	if p.InBills() {
		told := *t
		told.total = p.Billed()
		s.post(&logRow{at: p.At, bizNo: t.id, merchantNo: t.no, title: t.subject, other: t.buyer, amount: told.total, kind: "在线支付"})
		s.noteTrade(tradeRow{p.At, &told, nil})
	}
	s.pastLedger(p, t.buyer)
	return t.id
}

func (s *Server) pastRefund(p sim.Past, t *trade) string {
	r := &refund{p.No, p.Amount, p.At}
	t.refunds[r.no] = r
	t.refunded += r.amount
	if p.InBills() {
		told := &refund{p.No, p.Billed(), p.At}
		s.post(&logRow{at: p.At, bizNo: t.id, merchantNo: t.no, requestNo: r.no, title: t.subject, other: t.buyer, amount: -told.amount, kind: "交易退款", memo: "预交金退款"})
		s.noteTrade(tradeRow{p.At, t, told})
	}
	s.pastLedger(p, t.buyer)
	return t.id
}

func (s *Server) pastLedger(p sim.Past, party string) {
	if p.InLedger() {
		s.Ledger().Add(sim.Entry{At: p.At, Kind: p.Kind, No: p.No, Party: party, Amount: p.Amount, State: "SUCCESS"})
	}
}
