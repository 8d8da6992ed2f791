// Package histest is the contract test of HIS adapters: against the HIS
// simulator an adapter must tell the truth about every operation, and whatever
// else answers, it must not panic, must not claim what was not proved, must end
// in time and must keep personal data and keys out of its errors.
package histest

import (
	"context"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"hospay/calendar"
	"hospay/flow"
	adapter "hospay/his"
	"hospay/internal/testday"
	"hospay/money"
	"hospay/refund"
	"hospay/sim/his"
	"hospay/sim/world"
)

// Kit is what an adapter brings to its contract test.
type Kit struct {
	// New builds the adapter for a HIS at base, with the demo's mapping and a
	// timeout of Patience.
	New func(t testing.TB, base string) adapter.HIS
	// Answer is a proper answer with these fields: "code" and, beside it, what
	// the simulator's README names, amounts in the unit of the wire.
	Answer func(fields map[string]string) (contentType string, body []byte)
	// Success is the code of success, Amount prints an amount for the wire.
	Success string
	Amount  func(money.Fen) string
	// Hostile are further answers, of the adapter's own format, that prove nothing.
	Hostile map[string]string
	// Names are names of persons that the charset can carry.
	Names []string
}

// Patience is the timeout with which adapters are built for the test.
const Patience = 400 * time.Millisecond

// Run is the contract test.
func Run(t *testing.T, k Kit) {
	t.Run("records", k.records)
	t.Run("names", k.names)
	t.Run("money", k.money)
	t.Run("refusals", k.refusals)
	t.Run("faults", k.faults)
	t.Run("statement", k.statement)
	t.Run("hostile", k.hostile)
	t.Run("hostile records", k.hostileRecords)
	t.Run("transport", k.transport)
	t.Run("bills", k.bills)
	t.Run("bearer", k.bearer)
	t.Run("booking", k.booking)
	t.Run("insurance", k.insurance)
	t.Run("charge", k.charge)
	t.Run("uncharge", k.uncharge)
	t.Run("charge refused", k.chargeRefused)
	t.Run("charge faults", k.chargeFaults)
	t.Run("hostile to bills", k.hostileBills)
}

// bench is a HIS with its people.
type bench struct {
	*his.Server
	people *world.World
}

// simulator starts a HIS with the same people in every test.
func simulator(t testing.TB, change ...func(*world.World)) bench {
	t.Helper()
	w := world.New(1, 20, testday.Now())
	for _, f := range change {
		f(w)
	}
	s := his.New(w)
	s.Clock().Begin(testday.Noon())
	if err := s.Listen("127.0.0.1", 0); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return bench{s, w}
}

func (k Kit) records(t *testing.T) {
	s := simulator(t)
	h, ctx := k.New(t, s.URL()), t.Context()
	want := s.people.Find("P0001")
	p, err := h.Person(ctx, refund.Identity{PatientNo: want.Code, IDType: "01", IDNo: want.IDNo, Name: want.Name})
	if err != nil || p != (refund.Person{PatientNo: want.Code, Name: want.Name, IDType: "01", IDNo: want.IDNo, Phone: want.Phone}) {
		t.Fatalf("%+v %v", p, err)
	}
	cards, err := h.Cards(ctx, p)
	if err != nil || len(cards) != len(want.Cards) {
		t.Fatalf("%+v %v", cards, err)
	}
	for i, c := range cards {
		issued := s.people.Card(c.No).IssuedAt
		if c.No != want.Cards[i] || c.Name != want.Name || int64(c.Balance) != s.Balance(c.No) || c.Refundable != c.Balance ||
			!c.IssuedAt.Equal(issued.Truncate(time.Second)) {
			t.Errorf("%+v issued %s", c, issued)
		}
		k.card(t, h, s, c.No)
	}
	_, err = h.Person(ctx, refund.Identity{PatientNo: want.Code, Name: "别的人"})
	wantCode(t, err, flow.CodePatientNotFound)
	_, err = h.Cards(ctx, refund.Person{PatientNo: "P9999"})
	wantCode(t, err, flow.CodePatientNotFound)
	_, err = h.Card(ctx, "C9999")
	wantCode(t, err, flow.CodeCardNotYours)
}

// card compares a card's deposits with the simulator's.
func (k Kit) card(t *testing.T, h refund.HIS, s bench, no string) {
	t.Helper()
	c, err := h.Card(t.Context(), no)
	if err != nil {
		t.Fatal(err)
	}
	var sum money.Fen
	truth := s.people.Card(no).Deposits
	if len(c.Deposits) != len(truth) {
		t.Fatalf("%d deposits, want %d", len(c.Deposits), len(truth))
	}
	for i, d := range c.Deposits {
		want := truth[i]
		sum += d.Refundable
		if d.No != want.No || int64(d.Amount) != want.Amount || d.Channel != want.Method || d.Payment.TradeNo != want.OutTradeNo ||
			d.Payment.ChannelNo != want.TransactionID || !d.Payment.PaidAt.Equal(want.PaidAt) || d.Payment.Amount != d.Amount {
			t.Errorf("%+v, want %+v", d, want)
		}
	}
	if sum != c.Balance || c.No != no {
		t.Errorf("deposits %d, balance %d", sum, c.Balance)
	}
}

// names must come through the charset unmangled, both ways.
func (k Kit) names(t *testing.T) {
	for _, name := range k.Names {
		s := simulator(t, func(w *world.World) { w.Find("P0002").Name = name })
		p, err := k.New(t, s.URL()).Person(t.Context(), refund.Identity{PatientNo: "P0002", Name: name})
		if err != nil || p.Name != name {
			t.Errorf("%s: %q %v", name, p.Name, err)
		}
	}
}

// debit is a withdrawal of the test.
func debit(no, card string, amount money.Fen) refund.Debit {
	return refund.Debit{No: no, OrderNo: "R" + no, CardNo: card, Amount: amount, Method: refund.MethodTransfer, Channel: "wechat"}
}

func reversal(d refund.Debit, hisNo string) refund.Debit {
	r := d
	r.No, r.DebitNo, r.HISNo = d.No+"V", d.No, hisNo
	return r
}

func (k Kit) money(t *testing.T) {
	s := simulator(t)
	h, ctx := k.New(t, s.URL()), t.Context()
	before := s.Balance("C0001")
	for i, amount := range []money.Fen{1, 10, 99, 12_345, 100_000} {
		d := debit("H"+string(rune('A'+i)), "C0001", amount)
		wantState(t, h.QueryDebit(ctx, d), refund.HISNotFound)
		first := h.Debit(ctx, d)
		wantDone(t, first, d)
		if s.Balance("C0001") != before-int64(amount) {
			t.Fatalf("amount %d changed the balance by %d", amount, before-s.Balance("C0001"))
		}
		again, asked := h.Debit(ctx, d), h.QueryDebit(ctx, d)
		wantDone(t, again, d)
		wantDone(t, asked, d)
		if again.HISNo != first.HISNo || asked.HISNo != first.HISNo || first.At.IsZero() || !asked.At.Equal(first.At) {
			t.Errorf("%+v %+v %+v", first, again, asked)
		}
		other := d
		other.Amount++
		wantUnknown(t, "same number, other amount", h.Debit(ctx, other))
		r := reversal(d, first.HISNo)
		wantState(t, h.QueryReverse(ctx, r), refund.HISNotFound)
		undone := h.Reverse(ctx, r)
		if undone.Verdict != flow.Done || undone.HISNo == "" || undone.Amount != amount {
			t.Fatalf("%+v", undone)
		}
		if repeat, asked := h.Reverse(ctx, r), h.QueryReverse(ctx, r); repeat.HISNo != undone.HISNo || asked.HISNo != undone.HISNo ||
			asked.State != refund.HISDone {
			t.Errorf("%+v %+v", repeat, asked)
		}
		if s.Balance("C0001") != before || len(s.Ledger().Find("debit", d.No)) != 1 || len(s.Ledger().Find("reverse", d.No)) != 1 {
			t.Fatal("the ledger moved more than once")
		}
		wantUnknown(t, "debit after its reversal", h.Debit(ctx, d))
		wantUnknown(t, "query of a reversed debit", h.QueryDebit(ctx, d))
	}
}

func (k Kit) refusals(t *testing.T) {
	s := simulator(t)
	h, ctx := k.New(t, s.URL()), t.Context()
	set := func(card, key, value string) {
		if err := s.SetCard(card, url.Values{key: {value}}); err != nil {
			t.Fatal(err)
		}
	}
	set("C0002", "status", "frozen")
	set("C0003", "unpaid", "true")
	named := debit("N6", "C0004", 1)
	named.DepositNo = "DNONE"
	for code, d := range map[string]refund.Debit{
		"card_not_yours": debit("N1", "C9999", 1), "over_balance": debit("N2", "C0001", 900_000_000), "card_frozen": debit("N3", "C0002", 1),
		"unpaid_bill": debit("N4", "C0003", 1), "deposit_not_found": named,
	} {
		if ans := h.Debit(ctx, d); ans.Verdict != flow.Refused || ans.Reason.Code != code || ans.Reason.Hold {
			t.Errorf("%s: %+v", code, ans)
		}
	}
	if err := s.Faults().Plan("debit", "rate_limited"); err != nil {
		t.Fatal(err)
	}
	if ans := h.Debit(ctx, debit("N7", "C0001", 1)); ans.Verdict != flow.Refused || ans.Reason.Code != "his_busy" || !ans.Reason.Hold {
		t.Errorf("%+v", ans)
	}
	done := debit("N8", "C0001", 1)
	wantDone(t, h.Debit(ctx, done), done)
	if err := s.Settings().Patch([]byte(`{"reverse_supported":false}`)); err != nil {
		t.Fatal(err)
	}
	if ans := h.Reverse(ctx, reversal(done, "")); ans.Verdict != flow.Refused || ans.Reason.Code != "his_no_reversal" {
		t.Errorf("%+v", ans)
	}
	if len(s.Ledger().Entries()) != 1 {
		t.Error("a refused call moved money")
	}
}

// faults of the simulator leave the outcome open, and the query tells it.
func (k Kit) faults(t *testing.T) {
	s := simulator(t)
	h, ctx := k.New(t, s.URL()), t.Context()
	for _, fault := range []string{"timeout_before", "timeout_after", "500_before", "500_after", "html_502_after", "truncated_after",
		"unknown_code",
		"unknown_code_after", "system_error_before", "system_error_after"} {
		d := debit("F"+strings.ReplaceAll(fault, "_", ""), "C0001", 100)
		if err := s.Faults().Plan("debit", fault); err != nil {
			t.Fatal(err)
		}
		wantUnknown(t, fault, h.Debit(ctx, d))
		moved := len(s.Ledger().Find("debit", d.No)) == 1
		asked := h.QueryDebit(ctx, d)
		if moved {
			wantDone(t, asked, d)
		} else {
			wantState(t, asked, refund.HISNotFound)
		}
		s.Faults().Clear()
	}
}

// statement must be whole although the HIS caps its pages.
func (k Kit) statement(t *testing.T) {
	s := simulator(t)
	h, ctx := k.New(t, s.URL()), t.Context()
	if err := s.Settings().Patch([]byte(`{"page_max":3}`)); err != nil {
		t.Fatal(err)
	}
	today := s.Clock().Now().In(calendar.Beijing).Format(time.DateOnly)
	for n := range 10 {
		got := []string{}
		err := h.Statement(ctx, today, func(l refund.StatementLine) error {
			if l.CardNo != "C0001" || l.Method != refund.MethodTransfer || l.Channel != "wechat" || l.Status != "succeeded" || l.HISNo == "" ||
				l.At.IsZero() || l.OrderNo != "R"+l.No {
				t.Errorf("%+v", l)
			}
			if int(l.Amount) != len(got)+1 {
				t.Errorf("row %d has %d fen", len(got), l.Amount)
			}
			got = append(got, l.No)
			return nil
		})
		slices.Sort(got)
		if err != nil || len(slices.Compact(got)) != n {
			t.Fatalf("%d lines, want %d, %v", len(got), n, err)
		}
		d := debit("S"+string(rune('0'+n)), "C0001", money.Fen(n+1))
		wantDone(t, h.Debit(ctx, d), d)
	}
	stop := context.Canceled
	if err := h.Statement(ctx, today, func(refund.StatementLine) error { return stop }); err != stop {
		t.Error(err)
	}
	if err := s.Faults().Plan("statement", "truncated_after"); err != nil {
		t.Fatal(err)
	}
	wantCode(t, h.Statement(ctx, today, func(refund.StatementLine) error { return nil }), flow.CodeHISUnavailable)
}

func wantDone(t *testing.T, ans refund.HISAnswer, d refund.Debit) {
	t.Helper()
	if ans.Verdict != flow.Done || ans.State != refund.HISDone || ans.Amount != d.Amount || ans.CardNo != d.CardNo || ans.HISNo == "" {
		t.Fatalf("%+v, want done", ans)
	}
}

func wantState(t *testing.T, ans refund.HISAnswer, state refund.HISState) {
	t.Helper()
	if ans.Verdict != flow.Done || ans.State != state {
		t.Fatalf("%+v, want %s", ans, state)
	}
}

func wantUnknown(t *testing.T, what string, ans refund.HISAnswer) {
	t.Helper()
	if ans.Verdict != flow.Unknown || ans.State != "" || ans.HISNo != "" || ans.Amount != 0 {
		t.Errorf("%s: %+v, want unknown", what, ans)
	}
}

func wantCode(t *testing.T, err error, code flow.Code) {
	t.Helper()
	if flow.CodeOf(err) != code {
		t.Errorf("%v, want %s", err, code)
	}
}
