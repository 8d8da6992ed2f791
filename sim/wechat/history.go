package wechat

import (
	"fmt"
	"time"

	"hospay/sim"
)

// forego puts aside what a movement of the past will take or bring, so that the
// accounts hold afterwards what they held before. Bills, trades and refunds can
// be asked for, and the fund-flow and trade bills of those days hold them.
func (m *merchant) forego(p sim.Past) {
	if !p.InBills() || m.known(p) {
		return
	}
	switch p.Kind {
	case "transfer":
		m.accounts[operation].balance += p.Billed()
	case "refund":
		m.accounts[basic].balance += p.Billed()
	case "pay":
		m.accounts[basic].balance -= p.Billed()
	}
}

func (m *merchant) known(p sim.Past) bool {
	return m.bills[p.No] != nil || m.refunds[p.No] != nil || m.trades[p.No] != nil
}

func (m *merchant) pastOne(p sim.Past) (string, error) {
	switch known := m.known(p); {
	case known && m.bills[p.No] != nil:
		return m.bills[p.No].id, nil
	case known && m.refunds[p.No] != nil:
		return m.refunds[p.No].id, nil
	case known:
		return m.trades[p.No].id, nil
	case p.Kind == "transfer" || p.Kind == "expired":
		return m.pastTransfer(p), nil
	case p.Kind == "pay" && p.ChannelNo != "":
		return m.pastPay(p), nil
	case p.Kind == "refund" && m.trade(p.Of) != nil:
		return m.pastRefund(p, m.trade(p.Of)), nil
	}
	return "", p.Impossible()
}

// pastTransfer keeps a transfer that was confirmed, or that has expired and
// moved nothing.
func (m *merchant) pastTransfer(p sim.Past) string {
	m.seq++
	set := m.settings.Get()
	b := &bill{m: m, no: p.No, id: fmt.Sprintf("13300014242603%s%012d", p.At.Format("060102"), m.seq), appid: AppID, scene: "1011",
		openid: p.Party,
		remark: "预交金退款", amount: p.Amount, state: success, created: p.At, updated: p.At}
	m.bills[b.no], m.byID[b.id] = b, b
	if p.Kind == "expired" {
		b.state, b.reason, b.created = fail, "OVERDUE_CLOSE", p.At.Add(-24*time.Hour)
		return b.id
	}
	if p.InBills() {
		f := flow{at: p.At, bizNo: b.id, name: set.BillTransferName, amount: p.Billed(), out: true, remark: b.remark, voucher: b.voucher(set)}
		m.accounts[operation].post(f, m.flowNo(p.At))
	}
	if p.InLedger() {
		m.Ledger().Add(sim.Entry{At: p.At, Kind: p.Kind, No: p.No, Merchant: m.id, Party: p.Party, Amount: p.Amount, State: success})
	}
	return b.id
}

func (m *merchant) pastPay(p sim.Past) string {
	t := &trade{m: m, no: p.No, id: p.ChannelNo, app: AppID, openid: p.Party, description: "门诊预交金充值",
		total: p.Amount, created: p.At, paid: p.At}
	m.trades[t.no], m.trades[t.id] = t, t
	if p.InBills() {
		told := *t
		told.total = p.Billed()
		m.accounts[basic].post(flow{at: p.At, bizNo: t.id, name: "交易", amount: told.total, remark: t.description, voucher: t.no}, m.flowNo(p.At))
		m.noteTrade(p.At, &told, nil)
	}
	if p.InLedger() {
		m.Ledger().Add(sim.Entry{At: p.At, Kind: p.Kind, No: p.No, Merchant: m.id, Party: p.Party, Amount: p.Amount, State: success})
	}
	return t.id
}

func (m *merchant) pastRefund(p sim.Past, t *trade) string {
	m.seq++
	r := &refund{no: p.No, id: fmt.Sprintf("503%s%019d", p.At.Format("20060102"), m.seq), reason: "预交金退款", status: success, funds: "AVAILABLE",
		amount: p.Amount, trade: t, created: p.At, done: p.At}
	t.refunded, t.refunds, t.lastRefund = t.refunded+r.amount, t.refunds+1, p.At
	m.refunds[r.no], m.refundIDs[r.id] = r, r
	if p.InBills() {
		told := *r
		told.amount = p.Billed()
		m.accounts[basic].post(flow{at: p.At, bizNo: r.id, name: "退款", amount: told.amount, out: true, remark: r.reason, voucher: r.no},
			m.flowNo(p.At))
		m.noteTrade(p.At, t, &told)
	}
	if p.InLedger() {
		m.Ledger().Add(sim.Entry{At: p.At, Kind: p.Kind, No: p.No, Merchant: m.id, Party: t.openid, Amount: p.Amount, State: success})
	}
	return r.id
}
