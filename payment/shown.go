package payment

import (
	"sync"
	"time"

	"hospay/money"
)

// shownFor is how long it is remembered what a bill has cost when a patient saw
// it.
const shownFor = 2 * time.Hour

// mostShown bounds what is remembered; where so many bills are looked at, it
// begins anew.
const mostShown = 200_000

// shown remembers which bills patients have seen, and with which amount, so that
// nobody names a bill of others and nobody pays another amount than they saw. It
// is held in memory: what it has forgotten is read from HIS again.
type shown struct {
	mu    sync.Mutex
	bills map[shownBill]shownAmount
	slots map[shownSlot]string // the card that a slot was taken for last
}

type shownSlot struct {
	asker Asker
	slot  string
}

type shownBill struct {
	asker        Asker
	card, billNo string
}

type shownAmount struct {
	amount money.Fen // 0: HIS prices it anew
	until  time.Time
}

func (m *shown) put(k shownBill, v shownAmount) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.bills == nil || len(m.bills) >= mostShown {
		m.bills = map[shownBill]shownAmount{}
	}
	m.bills[k] = v
}

// keep notes a bill as a patient sees it now.
func (m *shown) keep(a Asker, b Bill, now time.Time) {
	m.put(shownBill{a, b.CardNo, b.No}, shownAmount{b.Amount, now.Add(shownFor)})
}

func (m *shown) get(a Asker, card, billNo string, now time.Time) (shownAmount, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	v, ok := m.bills[shownBill{a, card, billNo}]
	return v, ok && now.Before(v.until)
}

// has reports whether a patient has seen a bill.
func (m *shown) has(a Asker, card, billNo string, now time.Time) bool {
	_, ok := m.get(a, card, billNo, now)
	return ok
}

// forget lets HIS price a bill anew, as the patient's own choice makes it do.
func (m *shown) forget(a Asker, card, billNo string) {
	k := shownBill{a, card, billNo}
	m.mu.Lock()
	defer m.mu.Unlock()
	if v, ok := m.bills[k]; ok {
		v.amount = 0
		m.bills[k] = v
	}
}

// other reports whether a bill costs another amount than the patient saw.
func (m *shown) other(a Asker, b Bill, now time.Time) bool {
	v, ok := m.get(a, b.CardNo, b.No, now)
	return ok && v.amount > 0 && v.amount != b.Amount
}

// took notes for which card a patient has taken a slot.
func (m *shown) took(a Asker, slot, card string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.slots == nil || len(m.slots) >= mostShown {
		m.slots = map[shownSlot]string{}
	}
	m.slots[shownSlot{a, slot}] = card
}

// takenFor is the card that a patient has taken a slot for; empty where that is
// not known.
func (m *shown) takenFor(a Asker, slot string) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.slots[shownSlot{a, slot}]
}
