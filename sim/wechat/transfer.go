package wechat

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"time"

	"hospay/sim"
)

// States of a transfer bill; the spelling is WeChat's.
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
func (s *Server) accept(b *bill) *apiError {
	set := s.settings.Get()
	a := s.accounts[operation]
	if a.balance-a.locked < b.amount && set.NotEnoughMode != "accept" {
		return notEnough(true)
	}
	now := s.Clock().Now()
	day := now.Format(time.DateOnly)
	if e := s.withinDay(set, day, b); e != nil {
		return e
	}
	s.seq++
	b.id = fmt.Sprintf("13300014242603%s%012d", now.Format("060102"), s.seq)
	b.created, b.updated, b.state = now, now, accepted
	s.bills[b.no], s.byID[b.id] = b, b
	s.spent[day] += b.amount
	s.spent[day+b.openid] += b.amount
	close := 24*time.Hour + time.Duration(set.CloseLagMin)*time.Minute
	s.Clock().At(now.Add(close), func() { s.Expire(b.no) })
	s.fund(b, set)
	return nil
}

func (s *Server) withinDay(set *Settings, day string, b *bill) *apiError {
	if set.DayLimit > 0 && s.spent[day]+b.amount > set.DayLimit {
		return invalidRequest("超出商户单日转账额度")
	}
	if set.UserDayLimit > 0 && s.spent[day+b.openid]+b.amount > set.UserDayLimit {
		return invalidRequest("超出用户单日收款额度")
	}
	return nil
}

// fund locks the money of an accepted bill when there is enough.
func (s *Server) fund(b *bill, set *Settings) {
	a := s.accounts[operation]
	if b.state != accepted || b.funded || a.balance-a.locked < b.amount {
		return
	}
	a.locked += b.amount
	b.funded = true
	if set.AcceptMS > 0 {
		s.Clock().After(time.Duration(set.AcceptMS)*time.Millisecond, func() { s.locked(func() { s.offer(b) }) })
		return
	}
	s.offer(b)
}

func (s *Server) locked(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
}

// offer asks the payee to confirm, unless the payee cannot be right.
func (s *Server) offer(b *bill) {
	if b.state != accepted {
		return
	}
	set := s.settings.Get()
	if reason := s.checkPayee(b); reason != "" && (set.NameCheckAt != "confirm" || reason == "OPENID_INVALID") {
		s.end(b, fail, reason)
		return
	}
	b.state, b.updated = waitConfirm, s.Clock().Now()
	s.newPackage(b)
	if set.AutoConfirm {
		s.Clock().After(time.Duration(set.AutoConfirmMS)*time.Millisecond, func() { s.ConfirmAs(b.no, "") })
	}
}

func (s *Server) newPackage(b *bill) {
	raw := make([]byte, 48)
	rand.Read(raw)
	b.pkg = base64.StdEncoding.EncodeToString(raw)
	s.byPackage[b.pkg] = b
}

// checkPayee compares the openid and the name with the test world.
func (s *Server) checkPayee(b *bill) string {
	p := s.world.Find(b.openid)
	switch {
	case b.nameFault:
		return "NAME_NOT_CORRECT"
	case s.settings.Get().AnyOpenid && (p == nil || p.Openid != b.openid):
		return ""
	case p == nil || p.Openid != b.openid:
		return "OPENID_INVALID"
	case b.userName != "" && b.userName != p.WechatName:
		return "NAME_NOT_CORRECT"
	}
	return ""
}

// end moves a bill to a final state, settles the money and tells the merchant.
func (s *Server) end(b *bill, state, reason string) {
	a := s.accounts[operation]
	b.state, b.reason, b.updated = state, reason, s.Clock().Now()
	if b.funded {
		a.locked -= b.amount
	}
	set := s.settings.Get()
	f := flow{at: b.updated, bizNo: b.id, name: set.BillTransferName, amount: b.amount, out: true, remark: b.remark, voucher: b.voucher(set)}
	switch {
	case state == success:
		a.post(f, s.flowNo(b.updated))
		s.Ledger().Add(sim.Entry{At: b.updated, Kind: "transfer", No: b.no, Party: b.openid, Amount: b.amount, State: success})
	case set.BillExpiredRows && b.funded:
		a.post(f, s.flowNo(b.updated))
		f.out, f.name = false, set.BillReturnName
		a.post(f, s.flowNo(b.updated))
	}
	b.funded = false
	s.notifyTransfer(b)
}

func (b *bill) voucher(set *Settings) string {
	if set.BillVoucher == "transfer_bill_no" {
		return b.id
	}
	return b.no
}

// ConfirmAs lets a WeChat user confirm a bill; openid "" is the payee.
func (s *Server) ConfirmAs(no, openid string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.bills[no]
	switch {
	case b == nil:
		return fmt.Errorf("no transfer bill %s", no)
	case openid != "" && openid != b.openid:
		return fmt.Errorf("你的微信号与商家指定的微信号不一致")
	case b.state == transfering || b.state == success:
		return nil
	case b.state != waitConfirm:
		return fmt.Errorf("transfer bill %s is %s and cannot be confirmed", no, b.state)
	}
	if reason := s.checkPayee(b); reason != "" {
		s.end(b, fail, reason)
		return nil
	}
	b.state, b.updated = transfering, s.Clock().Now()
	if ms := s.settings.Get().TransferMS; ms > 0 {
		s.Clock().After(time.Duration(ms)*time.Millisecond, func() { s.locked(func() { s.arrive(b) }) })
		return nil
	}
	s.arrive(b)
	return nil
}

// Confirm lets the payee confirm a bill.
func (s *Server) Confirm(no string) error { return s.ConfirmAs(no, "") }

func (s *Server) arrive(b *bill) {
	if b.state == transfering {
		s.end(b, success, "")
	}
}

// Expire closes an unconfirmed bill now, as happens by itself after 24 hours.
func (s *Server) Expire(no string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.bills[no]
	switch {
	case b == nil:
		return fmt.Errorf("no transfer bill %s", no)
	case b.state == accepted || b.state == processing || b.state == waitConfirm:
		s.end(b, fail, "OVERDUE_CLOSE")
		return nil
	}
	return fmt.Errorf("transfer bill %s is %s and cannot expire", no, b.state)
}

// Return brings the money of a successful transfer or refund back to the merchant.
func (s *Server) Return(no string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r := s.refunds[no]; r != nil {
		return s.returnRefund(r)
	}
	b := s.bills[no]
	if b == nil || b.state != success || b.returned {
		return fmt.Errorf("no successful transfer or refund %s that can be returned", no)
	}
	b.returned = true
	now, set := s.Clock().Now(), s.settings.Get()
	s.accounts[operation].post(flow{at: now, bizNo: b.id, name: set.BillReturnName, amount: b.amount, remark: b.remark, voucher: b.voucher(set)}, s.flowNo(now))
	s.Ledger().Add(sim.Entry{At: now, Kind: "return", No: b.no, Party: b.openid, Amount: b.amount, State: success})
	return nil
}

// cancel withdraws an unconfirmed bill; the outcome comes a moment later.
func (s *Server) cancel(b *bill) *apiError {
	switch b.state {
	case canceling, cancelled:
		return nil
	case accepted, processing, waitConfirm:
		b.state, b.updated = canceling, s.Clock().Now()
		s.Clock().After(time.Duration(s.settings.Get().CancelMS)*time.Millisecond, func() {
			s.locked(func() {
				if b.state == canceling {
					s.end(b, cancelled, "")
				}
			})
		})
		return nil
	}
	return invalidRequest("当前单据状态不支持撤销")
}
