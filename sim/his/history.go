package his

import (
	"fmt"
	"time"

	"hospay/sim"
)

// past books debits and reversals of the past: they can be asked for, and the
// statements of those days hold them. What a card holds today is what its past
// has left, so only a debit that is still held takes from it.
func (b *books) past(entries []sim.Past) ([]string, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	numbers := make([]string, 0, len(entries))
	for _, p := range entries {
		no, err := b.pastOne(p)
		if err != nil {
			return nil, err
		}
		numbers = append(numbers, no)
	}
	return numbers, nil
}

func (b *books) pastOne(p sim.Past) (string, error) {
	d := b.debits[p.No]
	switch {
	case p.Kind == "debit" && d != nil:
		return d.hisNo, nil
	case p.Kind == "debit" && b.account(p.Party) != nil:
		return b.pastDebit(p)
	case p.Kind == "reverse" && d != nil:
		if d.reverseNo == "" {
			b.pastReverse(p, d)
		}
		return d.reverseNo, nil
	}
	return "", p.Impossible()
}

func (b *books) pastDebit(p sim.Past) (string, error) {
	d := &debit{ourNo: p.No, orderNo: p.OrderNo, cardNo: p.Party, method: p.Method, channel: p.Channel, depositNo: p.DepositNo,
		amount: p.Amount, at: p.At, told: p.At}
	if p.Held {
		var err error
		if d.parts, err = b.account(p.Party).take(*d); err != nil {
			return "", err
		}
		for _, part := range d.parts {
			part.from.left -= part.amount
		}
	}
	b.seq++
	d.hisNo = fmt.Sprintf("%sT%s%06d", b.prefix, p.At.Format("20060102"), b.seq)
	b.debits[d.ourNo] = d
	b.notePast(p, d)
	return d.hisNo, nil
}

func (b *books) pastReverse(p sim.Past, d *debit) {
	for _, part := range d.parts {
		part.from.left += part.amount
	}
	b.seq++
	d.reversedAt, d.reversedTold, d.reverseNo = p.At, p.At, fmt.Sprintf("%sC%s%06d", b.prefix, p.At.Format("20060102"), b.seq)
	b.notePast(p, d)
}

// notePast writes a movement to the books that it stands in.
func (b *books) notePast(p sim.Past, d *debit) {
	if p.InBills() {
		told := d
		if p.BillAmount > 0 {
			copied := *d
			copied.amount, told = p.BillAmount, &copied
		}
		day := p.At.Format(time.DateOnly)
		b.days[day] = append(b.days[day], row{told, p.Kind, p.At})
	}
	if p.InLedger() {
		b.ledger.Add(sim.Entry{At: p.At, Kind: p.Kind, No: p.No, Party: d.cardNo, Amount: p.Amount, State: "done"})
	}
}
