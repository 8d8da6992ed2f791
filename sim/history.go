package sim

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"
)

// Where a movement of the past stands when it does not stand everywhere. They
// plant differences between a ledger and what the bills of a day tell.
const (
	OnlyLedger = "ledger" // it happened, no bill or statement tells it
	OnlyBill   = "bill"   // a bill tells it, it is in no ledger
)

// Past is one movement of the past, as POST /_sim/history brings it.
type Past struct {
	At     time.Time `json:"at"`
	Kind   string    `json:"kind"` // channels: pay, transfer, refund, WeChat also expired; HIS: debit, reverse
	No     string    `json:"no"`   // the number that the product sent; reverse: of the debit
	Party  string    `json:"party"`
	Amount int64     `json:"amount"`

	Merchant   string `json:"merchant,omitempty"`    // channels: whose movement it was; the first merchant's without
	Of         string `json:"of,omitempty"`          // refund: merchant's number of the payment
	ChannelNo  string `json:"channel_no,omitempty"`  // pay: the channel's number of the payment
	OrderNo    string `json:"order_no,omitempty"`    // HIS, and the rest of what a debit says
	Method     string `json:"method,omitempty"`      //
	Channel    string `json:"channel,omitempty"`     //
	DepositNo  string `json:"deposit_no,omitempty"`  //
	Held       bool   `json:"held,omitempty"`        // debit: it is taken from what the card holds now, because its order is still open
	Only       string `json:"only,omitempty"`        // "", OnlyLedger or OnlyBill
	BillAmount int64  `json:"bill_amount,omitempty"` // what bills tell instead of the amount
}

// InLedger reports whether the movement stands in the ledger.
func (p Past) InLedger() bool { return p.Only != OnlyBill }

// InBills reports whether the movement stands in bills and statements.
func (p Past) InBills() bool { return p.Only != OnlyLedger }

// Billed is the amount that bills and statements tell.
func (p Past) Billed() int64 {
	if p.BillAmount > 0 {
		return p.BillAmount
	}
	return p.Amount
}

// Impossible says that a movement does not fit what the simulator knows.
func (p Past) Impossible() error { return fmt.Errorf("no such past: %s %s", p.Kind, p.No) }

// mountHistory serves POST /_sim/history: movements in the order of their
// times, none of them later than now. The answer lists the other side's own
// numbers in the same order. A number that is known already stays as it is.
func (c *Core) mountHistory(add func([]Past) ([]string, error)) {
	if add == nil {
		return
	}
	c.mux.HandleFunc("POST /_sim/history", func(w http.ResponseWriter, r *http.Request) {
		var in struct {
			Entries []Past `json:"entries"`
		}
		err := json.NewDecoder(io.LimitReader(r.Body, 16<<20)).Decode(&in)
		if err == nil {
			err = inOrder(in.Entries, c.clock.Now())
		}
		var numbers []string
		if err == nil {
			numbers, err = add(in.Entries)
		}
		if err != nil {
			bad(w, err)
			return
		}
		WriteJSON(w, 200, map[string]any{"numbers": numbers})
	})
}

func inOrder(entries []Past, now time.Time) error {
	var last time.Time
	for i := range entries {
		p := &entries[i]
		switch {
		case p.At.Before(last) || p.At.After(now):
			return fmt.Errorf("%s %s at %s: the past comes in its order and ends now", p.Kind, p.No, p.At.Format(time.RFC3339))
		case p.No == "" || p.Amount <= 0 || p.BillAmount < 0:
			return p.Impossible()
		case p.Only != "" && p.Only != OnlyLedger && p.Only != OnlyBill:
			return fmt.Errorf("%s: no such books: %q", p.No, p.Only)
		}
		last = p.At
		p.At = p.At.In(Beijing)
	}
	return nil
}
