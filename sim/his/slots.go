package his

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"hospay/sim"
)

type department struct{ code, name string }

var departments = []department{{"D01", "内科"}, {"D02", "外科"}, {"D03", "儿科"}}

// shifts are the slots of a department on a day.
var shifts = []struct {
	mark, period, doctor, title string
	price                       int64
}{{"A1", "上午", "甲医师", "主任医师", 5_000}, {"P1", "下午", "甲医师", "主任医师", 5_000}, {"A2", "上午", "乙医师", "主治医师", 2_000}}

// places is how many patients take a slot; daysAhead, how far slots are given out.
const (
	places    = 3
	daysAhead = 7
)

// slot is what can be taken.
type slot struct {
	id, dept, name, day, period, doctor, title string
	price                                      int64
	left                                       int
}

// slots lists what a department gives out on a day; callers hold the lock.
func (d *desk) slots(dept, day string) []slot {
	i := slices.IndexFunc(departments, func(x department) bool { return x.code == dept })
	at, err := time.ParseInLocation(time.DateOnly, day, sim.Beijing)
	today, _ := time.ParseInLocation(time.DateOnly, d.clock.Now().In(sim.Beijing).Format(time.DateOnly), sim.Beijing)
	if i < 0 || err != nil || at.Before(today) || at.After(today.AddDate(0, 0, daysAhead)) {
		return nil
	}
	var out []slot
	for _, s := range shifts {
		id := fmt.Sprintf("%s-%s-%s", dept, at.Format("20060102"), s.mark)
		out = append(out, slot{id, dept, departments[i].name, day, s.period, s.doctor, s.title, s.price, d.left(id)})
	}
	return out
}

// left is how many places of a slot are free.
func (d *desk) left(id string) int {
	n := places
	if set, ok := d.spare[id]; ok {
		n = set
	}
	for _, b := range d.order {
		d.fresh(b)
		if b.slot == id && (b.state == billOpen || b.state == billCharged) {
			n--
		}
	}
	return max(n, 0)
}

// slotOf finds a slot by its number.
func (d *desk) slotOf(id string) (slot, bool) {
	dept, rest, _ := strings.Cut(id, "-")
	day, _, _ := strings.Cut(rest, "-")
	at, err := time.Parse("20060102", day)
	if err != nil {
		return slot{}, false
	}
	all := d.slots(dept, at.Format(time.DateOnly))
	i := slices.IndexFunc(all, func(s slot) bool { return s.id == id })
	if i < 0 {
		return slot{}, false
	}
	return all[i], true
}

// lock keeps a slot for a card and makes its bill; the same number again is the
// same lock while it lasts.
func (d *desk) lock(no, id, cardNo string, life time.Duration, f sim.Fault) (bill, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, err := d.card(cardNo); err != nil {
		return bill{}, err
	}
	if b := d.locks[no]; b != nil {
		d.fresh(b)
		switch {
		case b.slot != id || b.cardNo != cardNo:
			return bill{}, errDiffers
		case b.state != billOpen:
			return bill{}, errSlot
		}
		return *b, nil
	}
	s, ok := d.slotOf(id)
	if !ok || s.left == 0 || f.Kind == sim.SlotLost {
		return bill{}, errSlot
	}
	now := d.clock.Now()
	b := &bill{no: d.number("B"), cardNo: cardNo, kind: kindRegistration, title: s.name + " " + s.title + "挂号费", deptCode: s.dept,
		dept:   s.name,
		doctor: s.doctor, created: now, payBefore: now.Add(life).Truncate(time.Second), insurable: true, slot: id,
		lines: []line{{s.title + "诊查费", "", "次", "DEMO-SRV-0004", "SRV004", 1, s.price, 0}}}
	d.add(b)
	d.locks[no] = b
	return *b, nil
}

// release gives a slot back.
func (d *desk) release(no, id, cardNo string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	b := d.locks[no]
	switch {
	case b == nil || b.slot != id || b.cardNo != cardNo:
		return errNotFound
	case b.state == billCharged:
		return errPaid
	case b.state == billOpen:
		b.state = billGone
	}
	return nil
}
