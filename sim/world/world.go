// Package world makes the people of the simulators: the same seed always gives
// the same patients, cards, deposits and channel accounts. Nobody in it is real.
package world

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"strings"
	"sync"
	"time"
)

// Ways in which a deposit was paid.
const (
	Cash   = "cash"
	Wechat = "wechat"
	Alipay = "alipay"
)

// Patient is a test person with the true data of every side.
type Patient struct {
	Code         string   `json:"code"` // P0001
	Name         string   `json:"name"`
	IDType       string   `json:"id_type,omitempty"` // empty: a resident card
	IDNo         string   `json:"id_no"`
	Birth        string   `json:"birth"`
	Phone        string   `json:"phone"`
	Openid       string   `json:"openid"`      // in the official account
	MiniOpenid   string   `json:"mini_openid"` // in the mini program
	Unionid      string   `json:"unionid"`
	WechatName   string   `json:"wechat_name"`    // real name behind the openid
	AlipayUserID string   `json:"alipay_user_id"` // 2088…
	AlipayOpenID string   `json:"alipay_open_id"`
	AlipayLogon  string   `json:"alipay_account"` // phone or e-mail
	AlipayEmail  string   `json:"-"`
	AlipayName   string   `json:"alipay_name"` // real name behind the account
	Cards        []string `json:"cards"`
}

// Credential is what the person's 医保码 says to a scanner: 28 digits.
func (p *Patient) Credential() string {
	return "424" + strings.Repeat("0", 25-len(p.Code[1:])) + p.Code[1:]
}

// SocialCard is the number of the person's social-security card, as a reader tells it.
func (p *Patient) SocialCard() string { return "SC440100" + p.Code[1:] }

// Card is a card (就诊卡) at the HIS.
type Card struct {
	No       string
	Patient  *Patient
	IssuedAt time.Time
	Deposits []*Deposit
}

// Deposit is one prepayment (预交金). Amount is in fen. Channel deposits carry
// the numbers of their payment.
type Deposit struct {
	No            string
	Card          string
	Amount        int64
	Method        string
	OutTradeNo    string
	TransactionID string
	PaidAt        time.Time
	Patient       *Patient
}

// World finds people and payments by every number that the other sides use.
type World struct {
	seed     int64
	base     time.Time
	mu       sync.RWMutex
	patients []*Patient
	index    map[string]*Patient // code, openid, user id, open id, logon, id number
	cards    map[string]*Card
	trades   map[string]*Deposit // out_trade_no and transaction_id
}

// New makes n patients (0 = 20). base is the day on which deposits are counted back; zero = today.
func New(seed int64, n int, base time.Time) *World {
	if base.IsZero() {
		base = time.Now()
	}
	zone := time.FixedZone("CST", 8*3600)
	y, m, d := base.In(zone).Date()
	w := &World{seed: seed, base: time.Date(y, m, d, 0, 0, 0, 0, zone), index: map[string]*Patient{}, cards: map[string]*Card{},
		trades: map[string]*Deposit{}}
	if n <= 0 {
		n = 20
	}
	w.Grow(n)
	return w
}

// Base is the day from which the deposits were counted back.
func (w *World) Base() time.Time { return w.base }

// Grow makes sure that there are at least n patients; it never changes those that exist.
func (w *World) Grow(n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i := len(w.patients) + 1; i <= n; i++ {
		w.add(i)
	}
}

// Patients returns all people in order.
func (w *World) Patients() []*Patient {
	w.mu.RLock()
	defer w.mu.RUnlock()
	return append([]*Patient{}, w.patients...)
}

// Find looks a person up by code, openid, Alipay id, Alipay account or ID number; nil if nobody.
func (w *World) Find(key string) *Patient {
	w.mu.RLock()
	defer w.mu.RUnlock()
	return w.index[strings.ToLower(key)]
}

// Reissue gives a person another identity document.
func (w *World) Reissue(code, idType, no string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	p := w.index[strings.ToLower(code)]
	delete(w.index, strings.ToLower(p.IDNo))
	p.IDType, p.IDNo = idType, no
	w.index[strings.ToLower(no)] = p
}

// Card looks a card up; nil if there is none.
func (w *World) Card(no string) *Card {
	w.mu.RLock()
	defer w.mu.RUnlock()
	return w.cards[no]
}

// Bearer finds who shows a credential or a social-security card, or nil.
func (w *World) Bearer(no string) *Patient {
	for _, p := range w.Patients() {
		if no == p.Credential() || no == p.SocialCard() {
			return p
		}
	}
	return nil
}

// Trade finds a deposit paid through a channel by either number; nil if none.
func (w *World) Trade(channel, no string) *Deposit {
	w.mu.RLock()
	defer w.mu.RUnlock()
	if d := w.trades[no]; d != nil && d.Method == channel {
		return d
	}
	return nil
}

func (w *World) add(i int) {
	rng := rand.New(rand.NewPCG(uint64(w.seed)+1, uint64(i)))
	p := w.person(i, rng)
	w.patients = append(w.patients, p)
	for _, key := range []string{p.Code, p.Openid, p.MiniOpenid, p.AlipayUserID, p.AlipayOpenID, p.Phone, p.AlipayEmail, p.IDNo} {
		w.index[strings.ToLower(key)] = p
	}
	w.addCard(p, fmt.Sprintf("C%04d", i), i, rng)
	if i%4 == 1 {
		w.addCard(p, fmt.Sprintf("C%04dB", i), i, rng)
	}
}

func (w *World) person(i int, rng *rand.Rand) *Patient {
	birth := w.base.AddDate(-20-rng.IntN(39), -rng.IntN(12), -rng.IntN(28))
	switch i {
	case 3, 8: // aged 60 and over
		birth = w.base.AddDate(-72, -i, -i)
	case 7: // a minor
		birth = w.base.AddDate(-9, -2, -3)
	}
	code := fmt.Sprintf("P%04d", i)
	p := &Patient{Code: code, Name: nameOf(i), Birth: birth.Format("2006-01-02"), IDNo: idNo(birth, i), Phone: fmt.Sprintf("199%08d", i),
		Openid: "oSIM" + letters(w.seed, code+"openid", 24), MiniOpenid: "oMINI" + letters(w.seed, code+"mini", 23),
		Unionid:      "oUNI" + letters(w.seed, code+"unionid", 24),
		AlipayUserID: fmt.Sprintf("2088%012d", 900000000000+int64(i)), AlipayOpenID: letters(w.seed, code+"alipay", 32),
		AlipayEmail: strings.ToLower(code) + "@alipay.test"}
	p.WechatName, p.AlipayName, p.AlipayLogon = p.Name, p.Name, p.Phone
	if i%2 == 0 {
		p.AlipayLogon = p.AlipayEmail
	}
	switch i { // accounts that belong to somebody else
	case 19:
		p.AlipayName = strangerAtAlipay
	case 20:
		p.WechatName = strangerAtWechat
	}
	return p
}

// idNo builds an 18-digit ID number with a valid checksum (GB 11643).
func idNo(birth time.Time, i int) string {
	body := fmt.Sprintf("%06d%s%03d", 110101+i/1000*100, birth.Format("20060102"), i%1000)
	sum := 0
	for k, weight := range []int{7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2} {
		sum += int(body[k]-'0') * weight
	}
	return body + string("10X98765432"[sum%11])
}

func letters(seed int64, what string, n int) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	h := fnv.New64a()
	fmt.Fprintf(h, "%d|%s", seed, what)
	rng := rand.New(rand.NewPCG(h.Sum64(), 7))
	b := make([]byte, n)
	for i := range b {
		b[i] = alphabet[rng.IntN(len(alphabet))]
	}
	return string(b)
}

// plan is how the deposits of a card were paid: method and age in days.
var plan = []struct {
	method   string
	min, max int
}{
	{Wechat, 400, 900}, {Cash, 380, 800}, {Alipay, 20, 300}, {Wechat, 5, 200}, {Cash, 3, 250}, {Alipay, 390, 700}, {Wechat, 1, 40},
}

func (w *World) addCard(p *Patient, no string, i int, rng *rand.Rand) {
	c := &Card{No: no, Patient: p}
	for k, how := range plan[:5+rng.IntN(3)] {
		d := &Deposit{No: fmt.Sprintf("D%s%02d", no[1:], k+1), Card: no, Method: how.method, Patient: p, Amount: amount(i, k, rng)}
		d.PaidAt = w.base.AddDate(0, 0, -how.min-rng.IntN(how.max-how.min)).Add(time.Duration(8*3600+rng.IntN(9*3600)) * time.Second)
		w.pay(d, rng)
		c.Deposits = append(c.Deposits, d)
	}
	c.IssuedAt = w.issued(c, i)
	w.cards[no] = c
	p.Cards = append(p.Cards, no)
}

// issued is when a card was given out: before its first deposit, which is more
// than a year ago. P0014 and P0018 got theirs anew (补卡) in this week.
func (w *World) issued(c *Card, i int) time.Time {
	switch i {
	case 14:
		return w.base.AddDate(0, 0, -2).Add(9 * time.Hour)
	case 18:
		return w.base.AddDate(0, 0, -5).Add(15 * time.Hour)
	}
	first := w.base
	for _, d := range c.Deposits {
		if d.PaidAt.Before(first) {
			first = d.PaidAt
		}
	}
	return first.AddDate(0, 0, -i%400).Add(-time.Hour)
}

// amount is mostly between 50 and 3,000 yuan; a few deposits are tiny or very large.
func amount(i, k int, rng *rand.Rand) int64 {
	usual := 5_000 + rng.Int64N(295_001)
	switch {
	case i == 2 && k == 1:
		return 6_000_000
	case i == 5 && k == 0:
		return 3_280_000
	case i%6 == 4 && k == 4:
		return 1_000
	}
	return usual
}

func (w *World) pay(d *Deposit, rng *rand.Rand) {
	switch d.Method {
	case Wechat:
		d.TransactionID = fmt.Sprintf("4200%024d", rng.Int64N(1e18))
	case Alipay:
		d.TransactionID = fmt.Sprintf("%s22%018d", d.PaidAt.Format("20060102"), rng.Int64N(1e18))
	default:
		return
	}
	d.OutTradeNo = "YJ" + d.No[1:] + letters(w.seed, d.No, 8)
	w.trades[d.OutTradeNo], w.trades[d.TransactionID] = d, d
}
