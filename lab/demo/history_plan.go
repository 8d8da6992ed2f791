package demo

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"hospay/calendar"
	"hospay/money"
	"hospay/people"
	"hospay/refund"
)

// How an order of the past has ended.
const (
	wayPaid      = "paid"
	wayRejected  = "rejected"
	wayCancelled = "cancelled"
	wayExpired   = "expired" // the payee did not confirm
	wayOpen      = "open"    // still waits for its review
)

// reasons are what reviewers have written to those whom they rejected.
var reasons = []string{"请先结清未缴费用", "就诊卡信息与申请人不一致，请到窗口核实", "住院期间预交金暂不能退", "有待结算的检查项目，请结算后再申请", "重复申请，请以上一笔为准"}

// order is one order of the past with its times and with the numbers that the
// other sides gave it.
type order struct {
	refund.Order
	who                                      *person
	way, note                                string
	back                                     int // days before today
	debited, reviewed, again, started, ended time.Time
	his, restored, channel                   string
	hideHIS                                  bool      // planted: HIS's statement has no line
	tellHIS                                  money.Fen // planted: HIS's statement tells this amount
}

type plan struct {
	h             History
	institution   string
	rng           *rand.Rand
	people        []*person
	first, second people.By
	orders        []*order
	busy          map[string]time.Time // card: until when it has an order
	deposits      map[string]int       // card: deposits that the past has used up
	strangers     []movement           // planted: in bills alone
	planted       []string
}

func newPlan(h History, institution string) *plan {
	return &plan{h: h, institution: institution, rng: rand.New(rand.NewPCG(uint64(h.Seed), 0x68697374)), busy: map[string]time.Time{},
		deposits: map[string]int{}}
}

func (p *plan) midnight(back int) time.Time {
	y, m, d := p.h.Now.In(calendar.Beijing).Date()
	return time.Date(y, m, d-back, 0, 0, 0, 0, calendar.Beijing)
}

// day makes up the orders of one day: about twelve, at the weekend four.
func (p *plan) day(back int) {
	start := p.midnight(back)
	n := 10 + p.rng.IntN(5)
	if w := start.Weekday(); w == time.Saturday || w == time.Sunday {
		n = 3 + p.rng.IntN(3)
	}
	var times []time.Time
	for range n {
		times = append(times, start.Add(8*time.Hour+time.Duration(p.rng.IntN(9*3600))*time.Second))
	}
	slices.SortFunc(times, time.Time.Compare)
	for i, at := range times {
		p.add(back, at, p.way(back, n-i))
	}
}

// way says how an order ends; the last ones of yesterday are still open.
func (p *plan) way(back, left int) string {
	roll := p.rng.IntN(100)
	switch {
	case back == 1 && left <= 3:
		return wayOpen
	case roll < 8:
		return wayRejected
	case roll < 14:
		return wayCancelled
	case roll < 20 && back >= 2:
		return wayExpired
	}
	return wayPaid
}

func (p *plan) add(back int, at time.Time, way string) {
	who := p.pick(at, way == wayOpen)
	if who == nil {
		return
	}
	o := &order{who: who, way: way, back: back}
	sum := sha256.Sum256(fmt.Appendf(nil, "history|%d|%s|%d", p.h.Seed, at.Format(time.DateOnly), len(p.orders)))
	o.ID = hex.EncodeToString(sum[:])[:15]
	o.No, o.Institution, o.CardNo, o.Created = refund.OrderNo(o.ID, at), p.institution, who.Cards[0], at
	o.Status, o.DebitAt = refund.StatusSubmitted, refund.DebitAtApplication
	o.Amount, o.Channel, o.Method = p.amount(way), "wechat", refund.MethodTransfer
	switch {
	case way == wayExpired:
	case p.rng.IntN(10) < 4:
		o.Channel = "alipay"
	}
	if (way == wayPaid || way == wayRejected) && p.rng.IntN(100) < 45 {
		o.Method = refund.MethodOriginal
	}
	p.payee(o)
	p.clock(o)
	p.busy[o.CardNo] = o.ended
	p.orders = append(p.orders, o)
}

// pick chooses somebody without an order under way. Open orders belong to
// people whom the scripted day leaves alone.
func (p *plan) pick(at time.Time, open bool) *person {
	for range 200 {
		who := p.people[p.rng.IntN(len(p.people))]
		if (!open || who.Code > "P0020") && !at.Before(p.busy[who.Cards[0]]) {
			return who
		}
	}
	return nil
}

// amount is what is left of a deposit: mostly small, sometimes large. What a
// person stops has not been approved by the rules before.
func (p *plan) amount(way string) money.Fen {
	from, to := int64(3_000), int64(20_000)
	switch roll := p.rng.IntN(100); {
	case way == wayOpen:
		from, to = 20_100, 60_000
	case roll < 18:
		from, to = 50_000, 300_000
	case roll < 45 || way == wayRejected || way == wayCancelled:
		from, to = 20_100, 50_000
	}
	unit := []int64{10, 50, 1_000}[p.rng.IntN(3)]
	return money.Fen(max(from, (from+p.rng.Int64N(to-from))/unit*unit))
}

// payee names who gets the money: the account, or the payment that goes back.
func (p *plan) payee(o *order) {
	o.Payee.Name = o.who.Name
	switch {
	case o.Method == refund.MethodOriginal:
		p.deposits[o.CardNo]++
		o.DepositNo = fmt.Sprintf("D%s%02d", o.CardNo[1:], 20+p.deposits[o.CardNo])
		paid := o.Created.AddDate(0, 0, -3-p.rng.IntN(80)).Add(-time.Duration(p.rng.IntN(3600)) * time.Second)
		pay := &refund.Payment{TradeNo: fmt.Sprintf("YJ%s%s", o.DepositNo[1:], o.ID[:8]), Amount: o.Amount + money.Fen(1_000*p.rng.Int64N(100)),
			PaidAt: paid}
		pay.ChannelNo = fmt.Sprintf("4200%024d", p.rng.Int64N(1e18))
		if o.Channel == "alipay" {
			pay.ChannelNo = fmt.Sprintf("%s22%018d", paid.In(calendar.Beijing).Format("20060102"), p.rng.Int64N(1e18))
		}
		o.Original = pay
	case o.Channel == "wechat":
		o.Payee.Account, o.Payee.Type = o.who.Openid, refund.AccountWechatOpenID
	default:
		o.Payee.Account, o.Payee.Type = o.who.AlipayLogon, refund.AccountAlipayLogonID
	}
}

// clock gives an order its times: all on its day but for a confirmation that
// expires.
func (p *plan) clock(o *order) {
	between := func(at time.Time, lo, hi int) time.Time {
		return at.Add(time.Duration(lo+p.rng.IntN(hi-lo)) * time.Second)
	}
	o.debited = o.Created.Add(2 * time.Second)
	o.reviewed = o.debited.Add(time.Second)
	if outcome, _ := p.rules(o); outcome != refund.OutcomeApprove {
		o.reviewed = between(o.debited, 300, 5_400)
	}
	o.started = o.reviewed
	if p.h.Review.NeedsSecond(o.Order) {
		o.again = between(o.reviewed, 300, 3_600)
		o.started = o.again
	}
	switch {
	case o.way == wayOpen:
		o.ended = p.h.Now
	case o.way == wayRejected:
		o.note = reasons[p.rng.IntN(len(reasons))]
		o.ended = o.reviewed.Add(2 * time.Second)
	case o.way == wayCancelled:
		o.reviewed = between(o.debited, 120, 2_400)
		o.ended = o.reviewed.Add(2 * time.Second)
	case o.way == wayExpired:
		o.ended = o.started.Add(24*time.Hour + 10*time.Minute)
	case o.Channel == "wechat" && o.Method == refund.MethodTransfer:
		o.ended = between(o.started, 60, 6_000)
	default:
		o.ended = between(o.started, 2, 60)
	}
}

// rules is what the automatic review says about an order.
func (p *plan) rules(o *order) (refund.Outcome, []refund.RuleVerdict) {
	return refund.Evaluate(p.h.Review.Rules, refund.Facts{
		Amount: o.Amount, CardName: o.who.Name, PayeeName: o.who.Name, CardIssued: o.Created.AddDate(-1, -1, 0), OrdersToday: 1, PayeeCards: 1,
		LastTopUp: o.Created.AddDate(0, 0, -3), Applied: o.Created, Second: p.h.Review.NeedsSecond(o.Order),
	})
}
