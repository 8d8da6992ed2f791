package his

import (
	"fmt"
	"sync"
	"time"

	"hospay/sim"
	"hospay/sim/world"
)

// refusal is a business answer other than success.
type refusal struct{ code, message string }

// Error joins code and message.
func (r *refusal) Error() string { return r.code + " " + r.message }

// The refusals of README.md.
var (
	errPatient    = &refusal{"1001", "患者不存在"}
	errCard       = &refusal{"1002", "就诊卡不存在"}
	errFrozen     = &refusal{"1003", "就诊卡已冻结"}
	errBalance    = &refusal{"1004", "余额不足"}
	errUnpaid     = &refusal{"1005", "存在未结费用"}
	errDiffers    = &refusal{"1006", "流水号重复且内容不一致"}
	errNotFound   = &refusal{"1007", "记录不存在"}
	errDeposit    = &refusal{"1008", "预交金记录不存在"}
	errReversed   = &refusal{"1009", "该退款已撤销"}
	errNoReversal = &refusal{"1010", "不支持撤销"}
)

// account is the state of one card.
type account struct {
	card     *world.Card
	deposits []*deposit
	frozen   bool
	unpaid   bool
}

type deposit struct {
	*world.Deposit
	left int64
}

// taken is money out of one deposit, so that a reversal puts it back there.
type taken struct {
	from   *deposit
	amount int64
}

// debit is one 退预交金 and, later, its reversal (撤销).
type debit struct {
	ourNo, orderNo, hisNo, cardNo, method, channel, depositNo string
	amount                                                    int64
	at, told                                                  time.Time // when it was, and when answers say that it was
	parts                                                     []taken
	reverseNo                                                 string
	reversedAt, reversedTold                                  time.Time
	odd                                                       string // planned: SameNumber or FutureTime
}

func (d *debit) status() string {
	if d.reverseNo != "" {
		return "reversed"
	}
	return "done"
}

// row is a line of the statement.
type row struct {
	*debit
	kind string
	at   time.Time
}

// books are the deposits of the hospital.
type books struct {
	mu       sync.Mutex
	world    *world.World
	clock    *sim.Clock
	ledger   *sim.Ledger
	accounts map[string]*account
	debits   map[string]*debit
	days     map[string][]row
	prefix   string // of all numbers of this HIS
	seq      int
	last     string // number of the debit before
}

func newBooks(w *world.World, c *sim.Clock, l *sim.Ledger, prefix string) *books {
	b := &books{world: w, clock: c, ledger: l, prefix: prefix}
	b.clear()
	return b
}

func (b *books) clear() {
	b.mu.Lock()
	b.accounts, b.debits, b.days, b.seq, b.last = map[string]*account{}, map[string]*debit{}, map[string][]row{}, 0, ""
	b.mu.Unlock()
}

// account loads a card on first use; callers hold the lock.
func (b *books) account(cardNo string) *account {
	if a := b.accounts[cardNo]; a != nil {
		return a
	}
	c := b.world.Card(cardNo)
	if c == nil {
		return nil
	}
	a := &account{card: c}
	for _, d := range c.Deposits {
		a.deposits = append(a.deposits, &deposit{d, d.Amount})
	}
	b.accounts[cardNo] = a
	return a
}

func (a *account) balance() (sum int64) {
	for _, d := range a.deposits {
		sum += d.left
	}
	return sum
}

func (a *account) refundable() int64 {
	if a.frozen || a.unpaid {
		return 0
	}
	return a.balance()
}

func (a *account) status() string {
	if a.frozen {
		return "frozen"
	}
	return "normal"
}

// debit takes money off a card; repeated tells that this number was done before.
func (b *books) debit(in debit) (out debit, balance int64, repeated bool, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	a := b.account(in.cardNo)
	if old := b.debits[in.ourNo]; old != nil {
		if !old.same(in) {
			return debit{}, 0, false, errDiffers
		}
		if old.reverseNo != "" {
			return debit{}, 0, false, errReversed
		}
		return *old, a.balance(), true, nil
	}
	if in.parts, err = a.take(in); err != nil {
		return debit{}, 0, false, err
	}
	for _, p := range in.parts {
		p.from.left -= p.amount
	}
	b.seq++
	in.at = b.clock.Now()
	in.told = tell(in.at, in.odd)
	in.hisNo = fmt.Sprintf("%sT%s%06d", b.prefix, in.at.Format("20060102"), b.seq)
	if in.odd == sim.SameNumber && b.last != "" {
		in.hisNo = b.last
	}
	b.last = in.hisNo
	b.debits[in.ourNo] = &in
	b.note(row{&in, "debit", in.at})
	return in, a.balance(), false, nil
}

// tell is the time that answers give for a moment.
func tell(at time.Time, odd string) time.Time {
	if odd == sim.FutureTime {
		return time.Date(2099, 12, 31, 23, 59, 59, 0, sim.Beijing)
	}
	return at
}

func (d *debit) same(in debit) bool {
	return d.orderNo == in.orderNo && d.cardNo == in.cardNo && d.amount == in.amount && d.method == in.method && d.channel == in.channel &&
		d.depositNo == in.depositNo
}

// take decides which deposits pay for a debit, oldest first unless one is named.
func (a *account) take(in debit) ([]taken, error) {
	switch {
	case a == nil:
		return nil, errCard
	case a.frozen:
		return nil, errFrozen
	case a.unpaid:
		return nil, errUnpaid
	}
	var parts []taken
	need, named := in.amount, false
	for _, d := range a.deposits {
		if in.depositNo != "" && d.No != in.depositNo {
			continue
		}
		named = true
		if part := min(need, d.left); part > 0 {
			parts = append(parts, taken{d, part})
			need -= part
		}
	}
	switch {
	case !named && in.depositNo != "":
		return nil, errDeposit
	case need > 0:
		return nil, errBalance
	}
	return parts, nil
}

// reverse puts a debit back.
func (b *books) reverse(ourNo, odd string) (out debit, balance int64, repeated bool, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	d := b.debits[ourNo]
	if d == nil {
		return debit{}, 0, false, errNotFound
	}
	if d.reverseNo == "" {
		for _, p := range d.parts {
			p.from.left += p.amount
		}
		b.seq++
		d.reversedAt = b.clock.Now()
		d.reversedTold = tell(d.reversedAt, odd)
		d.reverseNo = fmt.Sprintf("%sC%s%06d", b.prefix, d.reversedAt.Format("20060102"), b.seq)
		b.note(row{d, "reverse", d.reversedAt})
	} else {
		repeated = true
	}
	return *d, b.account(d.cardNo).balance(), repeated, nil
}

// note writes a movement to the day's statement and to the ledger.
func (b *books) note(r row) {
	day := r.at.Format(time.DateOnly)
	b.days[day] = append(b.days[day], r)
	b.ledger.Add(sim.Entry{At: r.at, Kind: r.kind, No: r.ourNo, Party: r.cardNo, Amount: r.amount, State: "done"})
}

// find returns a copy of a debit.
func (b *books) find(ourNo string) (debit, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	d := b.debits[ourNo]
	if d == nil {
		return debit{}, false
	}
	return *d, true
}

// page cuts one page out of a day's statement.
func (b *books) page(day string, all bool, page, size int) (rows []row, total int, sum int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	first := (page - 1) * size
	for _, r := range b.days[day] {
		if r.kind != "debit" && !all {
			continue
		}
		if total >= first && total < first+size {
			copied := *r.debit
			rows = append(rows, row{&copied, r.kind, r.at})
		}
		total++
		sum += r.amount
	}
	return rows, total, sum
}

// with runs f on a card under the lock.
func (b *books) with(cardNo string, f func(*account)) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	a := b.account(cardNo)
	if a == nil {
		return errCard
	}
	f(a)
	return nil
}
