package alipay

import "hospay/sim"

// forego puts aside what a movement of the past will take or bring, so that the
// balance is afterwards what it was. Transfers and trades can be asked for, and
// the account and business bills of those days hold them.
func (m *merchant) forego(p sim.Past) {
	switch {
	case !p.InBills() || m.knownNo(p) != "":
	case p.Kind == "pay":
		m.balance -= p.Billed()
	default:
		m.balance += p.Billed()
	}
}

// knownNo is Alipay's own number of a movement that it knows, or empty.
func (m *merchant) knownNo(p sim.Past) string {
	switch t := m.trade(p.Of, ""); {
	case m.transfers[p.No] != nil:
		return m.transfers[p.No].orderID
	case p.Kind == "refund" && t != nil && t.refunds[p.No] != nil:
		return t.id
	case p.Kind == "pay" && m.trades[p.No] != nil:
		return m.trades[p.No].id
	}
	return ""
}

func (m *merchant) pastOne(p sim.Past) (string, error) {
	known, t := m.knownNo(p), m.trade(p.Of, "")
	switch {
	case known != "":
		return known, nil
	case p.Kind == "transfer":
		return m.pastTransfer(p), nil
	case p.Kind == "pay" && p.ChannelNo != "":
		return m.pastPay(p), nil
	case p.Kind == "refund" && t != nil:
		return m.pastRefund(p, t), nil
	}
	return "", p.Impossible()
}

func (m *merchant) pastTransfer(p sim.Past) string {
	t := &transfer{no: p.No, party: p.Party, title: "预交金退款", remark: "预交金退款", appID: m.certApp, status: "SUCCESS", amount: p.Amount, at: p.At}
	if who := m.world.Find(p.Party); who != nil {
		t.userID = who.AlipayUserID
	}
	m.name(t)
	if p.InBills() {
		m.post(&logRow{at: p.At, bizNo: t.orderID, merchantNo: t.no, title: t.title, other: t.party, amount: -p.Billed(),
			kind: m.settings.Get().BillTransferType, memo: t.remark})
	}
	m.pastLedger(p, p.Party)
	return t.orderID
}

func (m *merchant) pastPay(p sim.Past) string {
	t := &trade{no: p.No, id: p.ChannelNo, appID: m.certApp, subject: "门诊预交金充值", buyer: p.Party, total: p.Amount, created: p.At, paid: p.At,
		refunds: map[string]*refund{}}
	m.trades[t.no], m.trades[t.id] = t, t
	if p.InBills() {
		told := *t
		told.total = p.Billed()
		m.post(&logRow{at: p.At, bizNo: t.id, merchantNo: t.no, title: t.subject, other: t.buyer, amount: told.total, kind: "在线支付"})
		m.noteTrade(tradeRow{p.At, &told, nil})
	}
	m.pastLedger(p, t.buyer)
	return t.id
}

func (m *merchant) pastRefund(p sim.Past, t *trade) string {
	r := &refund{p.No, p.Amount, p.At}
	t.refunds[r.no] = r
	t.refunded += r.amount
	if p.InBills() {
		told := &refund{p.No, p.Billed(), p.At}
		m.post(&logRow{at: p.At, bizNo: t.id, merchantNo: t.no, requestNo: r.no, title: t.subject, other: t.buyer, amount: -told.amount,
			kind: "交易退款", memo: "预交金退款"})
		m.noteTrade(tradeRow{p.At, t, told})
	}
	m.pastLedger(p, t.buyer)
	return t.id
}

func (m *merchant) pastLedger(p sim.Past, party string) {
	if p.InLedger() {
		m.Ledger().Add(sim.Entry{At: p.At, Kind: p.Kind, No: p.No, Merchant: m.pid, Party: party, Amount: p.Amount, State: "SUCCESS"})
	}
}
