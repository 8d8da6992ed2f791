package wechat

import (
	"fmt"
	"time"

	"hospay/sim"
)

// past books movements of the past as if they had happened then: bills, trades
// and refunds can be asked for, and the fund-flow and trade bills of those days
// hold them. The accounts hold afterwards what they held before.
func (s *Server) past(entries []sim.Past) ([]string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range s.accounts { // also when an entry is refused
		defer func(before int64) { a.balance = before }(a.balance)
	}
	for _, p := range entries {
		if p.InBills() && !s.known(p) {
			switch p.Kind {
			case "transfer":
				s.accounts[operation].balance += p.Billed()
			case "refund":
				s.accounts[basic].balance += p.Billed()
			case "pay":
				s.accounts[basic].balance -= p.Billed()
			}
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

func (s *Server) known(p sim.Past) bool {
	return s.bills[p.No] != nil || s.refunds[p.No] != nil || s.trades[p.No] != nil
}

func (s *Server) pastOne(p sim.Past) (string, error) {
	switch known := s.known(p); {
	case known && s.bills[p.No] != nil:
		return s.bills[p.No].id, nil
	case known && s.refunds[p.No] != nil:
		return s.refunds[p.No].id, nil
	case known:
		return s.trades[p.No].id, nil
	case p.Kind == "transfer" || p.Kind == "expired":
		return s.pastTransfer(p), nil
	case p.Kind == "pay" && p.ChannelNo != "":
		return s.pastPay(p), nil
	case p.Kind == "refund" && s.trade(p.Of) != nil:
		return s.pastRefund(p, s.trade(p.Of)), nil
	}
	return "", p.Impossible()
}

// pastTransfer keeps a transfer that was confirmed, or that has expired and
// moved nothing.
func (s *Server) pastTransfer(p sim.Past) string {
	s.seq++
	set := s.settings.Get()
	b := &bill{no: p.No, id: fmt.Sprintf("13300014242603%s%012d", p.At.Format("060102"), s.seq), appid: AppID, scene: "1011", openid: p.Party,
		remark: "预交金退款", amount: p.Amount, state: success, created: p.At, updated: p.At}
	s.bills[b.no], s.byID[b.id] = b, b
	if p.Kind == "expired" {
		b.state, b.reason, b.created = fail, "OVERDUE_CLOSE", p.At.Add(-24*time.Hour)
		return b.id
	}
	if p.InBills() {
		f := flow{at: p.At, bizNo: b.id, name: set.BillTransferName, amount: p.Billed(), out: true, remark: b.remark, voucher: b.voucher(set)}
		s.accounts[operation].post(f, s.flowNo(p.At))
	}
	if p.InLedger() {
		s.Ledger().Add(sim.Entry{At: p.At, Kind: p.Kind, No: p.No, Party: p.Party, Amount: p.Amount, State: success})
	}
	return b.id
}

func (s *Server) pastPay(p sim.Past) string {
	t := &trade{no: p.No, id: p.ChannelNo, openid: p.Party, description: "门诊预交金充值", total: p.Amount, created: p.At, paid: p.At}
	s.trades[t.no], s.trades[t.id] = t, t
	if p.InBills() {
		told := *t
		told.total = p.Billed()
		s.accounts[basic].post(flow{at: p.At, bizNo: t.id, name: "交易", amount: told.total, remark: t.description, voucher: t.no}, s.flowNo(p.At))
		s.noteTrade(p.At, &told, nil)
	}
	if p.InLedger() {
		s.Ledger().Add(sim.Entry{At: p.At, Kind: p.Kind, No: p.No, Party: p.Party, Amount: p.Amount, State: success})
	}
	return t.id
}

func (s *Server) pastRefund(p sim.Past, t *trade) string {
	s.seq++
	r := &refund{no: p.No, id: fmt.Sprintf("503%s%019d", p.At.Format("20060102"), s.seq), reason: "预交金退款", status: success, funds: "AVAILABLE",
		amount: p.Amount, trade: t, created: p.At, done: p.At}
	t.refunded, t.refunds, t.lastRefund = t.refunded+r.amount, t.refunds+1, p.At
	s.refunds[r.no], s.refundIDs[r.id] = r, r
	if p.InBills() {
		told := *r
		told.amount = p.Billed()
		s.accounts[basic].post(flow{at: p.At, bizNo: r.id, name: "退款", amount: told.amount, out: true, remark: r.reason, voucher: r.no}, s.flowNo(p.At))
		s.noteTrade(p.At, t, &told)
	}
	if p.InLedger() {
		s.Ledger().Add(sim.Entry{At: p.At, Kind: p.Kind, No: p.No, Party: t.openid, Amount: p.Amount, State: success})
	}
	return r.id
}
