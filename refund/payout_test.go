package refund

import (
	"context"
	"testing"
	"time"

	"hospay/flow"
	"hospay/people"
)

// TestMovement_Against: a payment is believed by what was told of it, and never
// when it was told of another amount, payee, merchant or original payment.
func TestMovement_Against(t *testing.T) {
	transfer := Order{Amount: 1000, Method: MethodTransfer, Payee: Payee{Account: "o", Type: AccountWechatOpenID}}
	original := Order{Amount: 1000, Method: MethodOriginal, Original: &Payment{TradeNo: "P", ChannelNo: "42"}}
	to := func(account string) map[AccountType]string {
		return map[AccountType]string{AccountWechatOpenID: account}
	}
	for name, c := range map[string]struct {
		order   Order
		told    Movement
		differs flow.Code
		enough  bool
	}{
		"all of it":          {transfer, Movement{Told: true, Amount: 1000, Payees: to("o")}, "", true},
		"a fen less":         {transfer, Movement{Told: true, Amount: 999, Payees: to("o")}, flow.CodeAmountMismatch, false},
		"nothing is told 0":  {transfer, Movement{Told: true, Payees: to("o")}, flow.CodeAmountMismatch, false},
		"no amount":          {transfer, Movement{Payees: to("o")}, "", false},
		"another payee":      {transfer, Movement{Told: true, Amount: 1000, Payees: to("x")}, flow.CodePartyMismatch, false},
		"no payee":           {transfer, Movement{Told: true, Amount: 1000}, "", false},
		"another merchant":   {transfer, Movement{Told: true, Amount: 1000, Payees: to("o"), Differs: "商户号不同"}, flow.CodePartyMismatch, false},
		"original":           {original, Movement{Told: true, Amount: 1000, Payment: Payment{TradeNo: "P"}}, "", true},
		"another payment":    {original, Movement{Told: true, Amount: 1000, Payment: Payment{TradeNo: "Q"}}, flow.CodePartyMismatch, false},
		"another channel no": {original, Movement{Told: true, Amount: 1000, Payment: Payment{ChannelNo: "43"}}, flow.CodePartyMismatch, false},
	} {
		differs, enough := c.told.against(c.order)
		if differs.Code != string(c.differs) || enough != c.enough {
			t.Errorf("%s: %q, enough %v", name, differs.Code, enough)
		}
	}
}

// newParties is a directory in which the merchant and the HIS in force are no longer
// those that calls were sent to.
type newParties struct {
	toldDirectory
	t *testing.T
}

// Channel implements Directory.
func (d newParties) Channel(context.Context, string, string) (Channel, error) {
	return foreignChannel{d.ch, d.t}, nil
}

// HIS implements Directory.
func (d newParties) HIS(ctx context.Context, inst string) (HIS, HISTraits, error) {
	his, can, err := d.toldDirectory.HIS(ctx, inst)
	return foreignHIS{his, d.t}, can, err
}

// HISOf implements Directory.
func (d newParties) HISOf(ctx context.Context, _ string) (HIS, HISTraits, error) {
	return d.toldDirectory.HIS(ctx, "")
}

type foreignChannel struct {
	Channel
	t *testing.T
}

// Pay implements Channel.
func (c foreignChannel) Pay(_ context.Context, p Payout) PayoutAnswer {
	c.t.Errorf("%s was sent to the channel in force", p.No)
	return PayoutAnswer{}
}

// Query implements Channel.
func (c foreignChannel) Query(_ context.Context, p Payout) PayoutAnswer {
	c.t.Errorf("%s was asked of the channel in force", p.No)
	return PayoutAnswer{Verdict: flow.Done, State: PayoutNotFound}
}

type foreignHIS struct {
	HIS
	t *testing.T
}

// Debit implements HISLedger.
func (h foreignHIS) Debit(_ context.Context, d Debit) HISAnswer {
	h.t.Errorf("%s was sent to the HIS in force", d.No)
	return HISAnswer{}
}

// QueryDebit implements HISLedger.
func (h foreignHIS) QueryDebit(_ context.Context, d Debit) HISAnswer {
	h.t.Errorf("%s was asked of the HIS in force", d.No)
	return HISAnswer{Verdict: flow.Done, State: HISNotFound}
}

// TestMoved_CallsStayWhereTheyWereSent: a call belongs to its connection, from
// the send to the last question, whoever is in force.
func TestMoved_CallsStayWhereTheyWereSent(t *testing.T) {
	w, ch := calm(t)
	w.svc.dir = newParties{toldDirectory{w.sides, ch}, t}
	no := w.sent(t, ch)
	w.clock = w.clock.Add(time.Hour)
	w.turnAll(t)
	w.sides.progress(no, 4)
	w.clock = w.clock.Add(time.Hour)
	w.turnAll(t)
	if o := w.store.orders["o"].Order; o.Status != StatusSucceeded {
		t.Errorf("order is %s\n%s", o.Status, w.store.story("o"))
	}
}

// TestTold_OnlyWhatHasHappened: the patient hears of success once, after the
// channel has told of it.
func TestTold_OnlyWhatHasHappened(t *testing.T) {
	w, ch := calm(t)
	no := w.sent(t, ch)
	told := func() (n int) {
		for _, notice := range w.store.notices["o"] {
			if notice.Event == NoticeSucceeded {
				n++
			}
		}
		return n
	}
	if told() != 0 {
		t.Error("told before the money has moved")
	}
	w.sides.progress(no, 4)
	for range 3 {
		w.clock = w.clock.Add(time.Hour)
		w.turnAll(t)
	}
	if told() != 1 {
		t.Errorf("told %d times\n%s", told(), w.store.story("o"))
	}
}

// TestAwaiting_DeadlineAndPackageAreTheChannels: the deadline is what the channel
// says, however late we hear it, and a package that was lost is asked for by the
// equal request.
func TestAwaiting_DeadlineAndPackageAreTheChannels(t *testing.T) {
	w, ch := calm(t)
	sends := 0
	ch.pay = func(p Payout) (PayoutAnswer, bool) {
		sends++
		if w.sides.pays[p.No] == nil {
			w.sides.pays[p.No] = &payment{payout: p, state: PayoutAwaitingPayee}
			return PayoutAnswer{}, true // lost
		}
		ans := w.sides.truth(p.No)
		ans.Confirm.Package, ans.Deadline = "package", noon.Add(23*time.Hour)
		return ans, true
	}
	w.approve(t)
	w.turnAll(t)
	w.clock = noon.Add(8 * time.Hour)
	w.turnAll(t)
	tr := w.store.orders["o"].Transfer
	if tr.Confirm.Package != "package" || sends != 2 {
		t.Errorf("package %q after %d sends", tr.Confirm.Package, sends)
	}
	if !tr.ExpiresAt.Equal(noon.Add(23 * time.Hour)) {
		t.Errorf("deadline %s", tr.ExpiresAt)
	}
}

// TestCallback_FailIsAskedFor: one word of a callback restores no balance.
func TestCallback_FailIsAskedFor(t *testing.T) {
	w, ch := calm(t)
	no := w.sent(t, ch)
	if effect := w.told(t, no, PayoutFailed); effect != EffectHint {
		t.Errorf("effect is %s", effect)
	}
	if o := w.store.orders["o"].Order; o.Status != StatusPaying || w.store.orders["o"].Reversal != nil {
		t.Errorf("order is %s", o.Status)
	}
	w.sides.progress(no, 4) // it has paid: the callback was wrong
	w.turnAll(t)
	if o := w.store.orders["o"].Order; o.Status != StatusSucceeded {
		t.Errorf("order is %s\n%s", o.Status, w.store.story("o"))
	}
}

// TestReversal_AsksForTheNextNumbers: a folder that was restored does not know
// what was paid after the backup; the balance stays where it is.
func TestReversal_AsksForTheNextNumbers(t *testing.T) {
	w, _ := calm(t)
	w.turnAll(t)
	o := w.store.orders["o"].Order
	lost := o.payout(flow.CallNo(o.No, 'T', 1))
	w.sides.pays[lost.No] = &payment{payout: lost, state: PayoutSucceeded, paid: lost.Amount, ever: true}
	if err := w.svc.Review(t.Context(), "o", Decision{Note: "资料不符"}, people.By{Kind: people.ByStaff, ID: "s"}); err != nil {
		t.Fatal(err)
	}
	w.turnAll(t)
	k := w.store.orders["o"]
	if k.Order.Status != StatusSuspense || flow.Code(k.Order.FailCode) != CodePayoutLost || k.Reversal != nil {
		t.Errorf("order is %s %s\n%s", k.Order.Status, k.Order.FailCode, w.store.story("o"))
	}
}

// TestHIS_OneNumberForTwoDebits: a refund number that HIS has given before is
// another refund's.
func TestHIS_OneNumberForTwoDebits(t *testing.T) {
	w, _ := calm(t)
	w.store.orders["p"] = &Work{Order: Order{ID: "p", Status: StatusSucceeded}, Debit: &flow.Call{Kind: HISDebit, Theirs: "H1"}}
	turn, err := w.svc.load(t.Context(), "o")
	if err != nil {
		t.Fatal(err)
	}
	for no, want := range map[string]flow.Code{"H1": flow.CodeNumberTaken, "H2": "", "": ""} {
		call := &flow.Call{Kind: HISDebit}
		ans := HISAnswer{Verdict: flow.Done, State: HISDone, Amount: 1000, HISNo: no}
		if odd := turn.oddHIS(t.Context(), HISDebit, call, ans); odd.Code != string(want) {
			t.Errorf("%q: %q", no, odd.Code)
		}
	}
}

// changed is a directory in which a channel was changed while the order was under
// way: the present connection knows none of its numbers.
type changed struct {
	toldDirectory
	present Channel
}

// Reached implements Directory.
func (d changed) Reached(context.Context, string, string, time.Time) ([]string, error) {
	return []string{"new", "old"}, nil
}

// ChannelOf implements Directory.
func (d changed) ChannelOf(ctx context.Context, connection string) (Channel, error) {
	if connection == "new" {
		return d.present, nil
	}
	return d.toldDirectory.ChannelOf(ctx, connection)
}

// TestReversal_AsksWhoeverCouldHavePaid: a merchant that the order was never
// sent to does not speak for the one that has paid; one that is silent is waited for.
func TestReversal_AsksWhoeverCouldHavePaid(t *testing.T) {
	for name, present := range map[string]Channel{"knows nothing": unknowing{}, "silent": unknowing{silent: true}} {
		t.Run(name, func(t *testing.T) {
			w, ch := calm(t)
			w.turnAll(t)
			o := w.store.orders["o"].Order
			lost := o.payout(flow.CallNo(o.No, 'T', 1))
			w.sides.pays[lost.No] = &payment{payout: lost, state: PayoutSucceeded, paid: lost.Amount, ever: true}
			w.svc.dir = changed{toldDirectory{w.sides, ch}, present}
			if err := w.svc.Review(t.Context(), "o", Decision{Note: "资料不符"}, people.By{Kind: people.ByStaff, ID: "s"}); err != nil {
				t.Fatal(err)
			}
			w.turnAll(t)
			k := w.store.orders["o"]
			if k.Reversal != nil || (name == "silent") != (k.Order.Status == StatusReversing) {
				t.Errorf("order is %s %s\n%s", k.Order.Status, k.Order.FailCode, w.store.story("o"))
			}
			if name != "silent" && (k.Transfer == nil || k.Transfer.Connection != "old") {
				t.Errorf("taken over from %+v", k.Transfer)
			}
		})
	}
}

// unknowing is a channel that knows no number, or does not answer.
type unknowing struct {
	Channel
	silent bool
}

// Query implements Channel.
func (u unknowing) Query(context.Context, Payout) PayoutAnswer {
	if u.silent {
		return PayoutAnswer{}
	}
	return PayoutAnswer{Verdict: flow.Done, State: PayoutNotFound}
}
