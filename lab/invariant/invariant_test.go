package invariant

import (
	"strings"
	"testing"
)

// TestCheck_SettledByHandCountsOnce: what two people settled outside counts
// beside what the ledgers say, and a second payment or restoration shows.
func TestCheck_SettledByHandCountsOnce(t *testing.T) {
	debit := Entry{Kind: "debit", No: "D", Amount: 100}
	paid, reversed := Entry{Kind: "transfer", No: "T", Amount: 100}, Entry{Kind: "reverse", No: "D", Amount: 100}
	for _, c := range []struct {
		name     string
		change   func(*Order)
		his      []Entry
		channels []Entry
		want     string
	}{
		{"线下付款", func(o *Order) { o.PaidByHand = true }, []Entry{debit}, nil, ""},
		{"线下付款后渠道又付", func(o *Order) { o.PaidByHand = true }, []Entry{debit}, []Entry{paid}, NoDoublePay},
		{"线下付款但没有扣款", func(o *Order) { o.PaidByHand = true }, nil, nil, NoLoss},
		{"线下付款后 HIS 又退回", func(o *Order) { o.PaidByHand = true }, []Entry{debit, reversed}, nil, NoLoss},
		{"线下退回", func(o *Order) { o.Status, o.RestoredByHand = "failed", true }, []Entry{debit}, nil, ""},
		{"线下退回后 HIS 又退回", func(o *Order) { o.Status, o.RestoredByHand = "failed", true }, []Entry{debit, reversed}, nil, NoLoss},
		{"核对后发现 HIS 已退回", func(o *Order) { o.Status, o.RestoredByHand, o.LookedUp = "failed", true, true }, []Entry{debit, reversed}, nil, ""},
		{"线下退回后渠道又付", func(o *Order) { o.Status, o.RestoredByHand = "failed", true }, []Entry{debit}, []Entry{paid}, NoLoss},
		{"没有线下也没有付款", func(*Order) {}, []Entry{debit}, nil, NoLoss},
		{"渠道付款", func(*Order) {}, []Entry{debit}, []Entry{paid}, ""},
		{"渠道付两次", func(*Order) {}, []Entry{debit}, []Entry{paid, paid}, NoDoublePay},
	} {
		o := Order{ID: "o", No: "R", Status: "succeeded", Amount: 100, Debits: []Call{{No: "D"}}, Payouts: []Call{{No: "T"}}}
		c.change(&o)
		o.Events = []Event{{Seq: 1, To: o.Status}}
		var got []string
		for _, v := range Check(Books{Orders: []Order{o}}, Ledgers{HIS: c.his, Channels: c.channels}, false) {
			got = append(got, v.Invariant)
		}
		if told := strings.Join(got, ","); (c.want == "") != (told == "") || !strings.Contains(told, c.want) {
			t.Errorf("%s: %q, want %q", c.name, told, c.want)
		}
	}
}
