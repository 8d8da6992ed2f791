package wechat

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"time"

	"hospay/sim"
)

// States of a transfer bill; the spelling is WeChat'm.
const (
	accepted    = "ACCEPTED"
	processing  = "PROCESSING"
	waitConfirm = "WAIT_USER_CONFIRM"
	transfering = "TRANSFERING"
	success     = "SUCCESS"
	fail        = "FAIL"
	canceling   = "CANCELING"
	cancelled   = "CANCELLED"
)

const rfc3339 = "2006-01-02T15:04:05-07:00"

// bill is one merchant transfer (商家转账).
type bill struct {
	m                                                         *merchant
	no, id, appid, scene, openid, userName, remark, notifyURL string
	amount                                                    int64
	hash, state, reason, pkg                                  string
	created, updated                                          time.Time
	funded                                                    bool // money is locked
	nameFault                                                 bool // planned name mismatch
	returned                                                  bool
	fault                                                     sim.Fault
}

// accept stores a new bill and moves it as far as it gets. Callers hold the lock.
func (m *merchant) accept(b *bill) *apiError {
	set := m.settings.Get()
	a := m.accounts[operation]
	if a.balance-a.locked < b.amount && set.NotEnoughMode != "accept" {
		return notEnough(true)
	}
	now := m.Clock().Now()
	day := now.Format(time.DateOnly)
	if e := m.withinDay(set, day, b); e != nil {
		return e
	}
	m.seq++
	b.id = fmt.Sprintf("13300014242603%s%012d", now.Format("060102"), m.seq)
	b.created, b.updated, b.state = now, now, accepted
	m.bills[b.no], m.byID[b.id] = b, b
	m.spent[day] += b.amount
	m.spent[day+b.openid] += b.amount
	close := 24*time.Hour + time.Duration(set.CloseLagMin)*time.Minute
	m.Clock().At(now.Add(close), func() { m.locked(func() { _ = m.expire(b) }) })
	m.fund(b, set)
	return nil
}

func (m *merchant) withinDay(set *Settings, day string, b *bill) *apiError {
	if set.DayLimit > 0 && m.spent[day]+b.amount > set.DayLimit {
		return invalidRequest("超出商户单日转账额度")
	}
	if set.UserDayLimit > 0 && m.spent[day+b.openid]+b.amount > set.UserDayLimit {
		return invalidRequest("超出用户单日收款额度")
	}
	return nil
}

// fund locks the money of an accepted bill when there is enough.
func (m *merchant) fund(b *bill, set *Settings) {
	a := m.accounts[operation]
	if b.state != accepted || b.funded || a.balance-a.locked < b.amount {
		return
	}
	a.locked += b.amount
	b.funded = true
	if set.AcceptMS > 0 {
		m.Clock().After(time.Duration(set.AcceptMS)*time.Millisecond, func() { m.locked(func() { m.offer(b) }) })
		return
	}
	m.offer(b)
}

func (m *merchant) locked(f func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f()
}

// offer asks the payee to confirm, unless the payee cannot be right.
func (m *merchant) offer(b *bill) {
	if b.state != accepted {
		return
	}
	set := m.settings.Get()
	if reason := m.checkPayee(b); reason != "" && (set.NameCheckAt != "confirm" || reason == "OPENID_INVALID") {
		m.end(b, fail, reason)
		return
	}
	b.state, b.updated = waitConfirm, m.Clock().Now()
	m.newPackage(b)
	if set.AutoConfirm {
		m.Clock().After(time.Duration(set.AutoConfirmMS)*time.Millisecond, func() { m.locked(func() { _ = m.confirm(b, "") }) })
	}
}

func (m *merchant) newPackage(b *bill) {
	delete(m.byPackage, b.pkg) // the newest is the only one
	raw := make([]byte, 48)
	rand.Read(raw)
	b.pkg = base64.StdEncoding.EncodeToString(raw)
	m.byPackage[b.pkg] = b
}

// checkPayee compares the openid and the name with the test world.
func (m *merchant) checkPayee(b *bill) string {
	p, known := m.world.Find(b.openid), m.belongs(b.appid, b.openid)
	switch {
	case b.nameFault:
		return "NAME_NOT_CORRECT"
	case m.settings.Get().AnyOpenid && !known:
		return ""
	case !known:
		return "OPENID_INVALID"
	case b.userName != "" && b.userName != p.WechatName:
		return "NAME_NOT_CORRECT"
	}
	return ""
}

// end moves a bill to a final state, settles the money and tells the merchant.
func (m *merchant) end(b *bill, state, reason string) {
	a := m.accounts[operation]
	b.state, b.reason, b.updated = state, reason, m.Clock().Now()
	if b.funded {
		a.locked -= b.amount
	}
	set := m.settings.Get()
	f := flow{at: b.updated, bizNo: b.id, name: set.BillTransferName, amount: b.amount, out: true, remark: b.remark, voucher: b.voucher(set)}
	switch {
	case state == success:
		a.post(f, m.flowNo(b.updated))
		m.Ledger().Add(sim.Entry{At: b.updated, Kind: "transfer", No: b.no, Merchant: m.id, Party: b.openid, Amount: b.amount, State: success})
	case set.BillExpiredRows && b.funded:
		a.post(f, m.flowNo(b.updated))
		f.out, f.name = false, set.BillReturnName
		a.post(f, m.flowNo(b.updated))
	}
	b.funded = false
	m.notifyTransfer(b)
}

func (b *bill) voucher(set *Settings) string {
	if set.BillVoucher == "transfer_bill_no" {
		return b.id
	}
	return b.no
}

// waits tells whether nobody has confirmed a bill yet.
func (b *bill) waits() bool {
	return b.state == accepted || b.state == processing || b.state == waitConfirm
}

// returnable tells whether a bill's money can come back.
func (b *bill) returnable() bool { return b.state == success && !b.returned }

// confirm lets a WeChat user confirm a bill; openid "" is the payee. Callers hold the lock.
func (m *merchant) confirm(b *bill, openid string) error {
	switch {
	case openid != "" && openid != b.openid:
		return fmt.Errorf("你的微信号与商家指定的微信号不一致")
	case b.state == transfering || b.state == success:
		return nil
	case b.state != waitConfirm:
		return fmt.Errorf("transfer bill %s is %s and cannot be confirmed", b.no, b.state)
	}
	if reason := m.checkPayee(b); reason != "" {
		m.end(b, fail, reason)
		return nil
	}
	b.state, b.updated = transfering, m.Clock().Now()
	if ms := m.settings.Get().TransferMS; ms > 0 {
		m.Clock().After(time.Duration(ms)*time.Millisecond, func() { m.locked(func() { m.arrive(b) }) })
		return nil
	}
	m.arrive(b)
	return nil
}

func (m *merchant) arrive(b *bill) {
	if b.state == transfering {
		m.end(b, success, "")
	}
}

// expire closes an unconfirmed bill. Callers hold the lock.
func (m *merchant) expire(b *bill) error {
	if !b.waits() {
		return fmt.Errorf("transfer bill %s is %s and cannot expire", b.no, b.state)
	}
	m.end(b, fail, "OVERDUE_CLOSE")
	return nil
}

// giveBack brings the money of a successful transfer back to the merchant.
func (m *merchant) giveBack(b *bill) {
	b.returned = true
	now, set := m.Clock().Now(), m.settings.Get()
	m.accounts[operation].post(flow{at: now, bizNo: b.id, name: set.BillReturnName, amount: b.amount, remark: b.remark,
		voucher: b.voucher(set)}, m.flowNo(now))
	m.Ledger().Add(sim.Entry{At: now, Kind: "return", No: b.no, Merchant: m.id, Party: b.openid, Amount: b.amount, State: success})
}

// cancel withdraws an unconfirmed bill; the outcome comes a moment later.
func (m *merchant) cancel(b *bill) *apiError {
	switch b.state {
	case canceling, cancelled:
		return nil
	case accepted, processing, waitConfirm:
		b.state, b.updated = canceling, m.Clock().Now()
		m.Clock().After(time.Duration(m.settings.Get().CancelMS)*time.Millisecond, func() {
			m.locked(func() {
				if b.state == canceling {
					m.end(b, cancelled, "")
				}
			})
		})
		return nil
	}
	return invalidRequest("当前单据状态不支持撤销")
}
