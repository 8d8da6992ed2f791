package refund

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"hospay/flow"
	"hospay/people"
)

// everyCall lists the journal rows that one number can have.
func everyCall() []*flow.Call {
	out := []*flow.Call{nil}
	for _, state := range []flow.CallState{flow.CallIntent, flow.CallOpen, flow.CallRefused, flow.CallDone} {
		for _, told := range []HISState{"", HISPending, HISNotFound, HISDone} {
			out = append(out, &flow.Call{State: state, Reported: told})
		}
	}
	return out
}

func everyTransfer() []*Transfer {
	out := []*Transfer{nil}
	for _, state := range []flow.CallState{flow.CallIntent, flow.CallOpen, flow.CallHeld, flow.CallRefused, flow.CallDone} {
		for _, told := range []PayoutState{"", PayoutProcessing, PayoutAwaitingPayee, PayoutSucceeded, PayoutFailed, PayoutReturned,
			PayoutNotFound} {
			out = append(out, &Transfer{State: state, Reported: told})
		}
	}
	return out
}

// moved lists what may be true, or still come true, of a HIS number.
func moved(c *flow.Call, refusalBelieved bool) []bool {
	switch {
	case c == nil:
		return []bool{false}
	case c.State == flow.CallDone || c.Reported == HISDone:
		return []bool{true}
	case c.Reported == HISNotFound, refusalBelieved && c.State == flow.CallRefused && c.Reported == "":
		return []bool{false}
	}
	return []bool{false, true}
}

// pays lists the same of a payout.
func pays(t *Transfer, m Method) []bool {
	over := []PayoutState{PayoutFailed, PayoutNotFound}
	if m == MethodTransfer {
		over = append(over, PayoutReturned)
	}
	switch {
	case t == nil:
		return []bool{false}
	case t.State == flow.CallDone || t.Reported == PayoutSucceeded:
		return []bool{true}
	case t.State == flow.CallRefused && slices.Contains(over, t.Reported), t.Reported == PayoutNotFound:
		return []bool{false}
	}
	return []bool{false, true}
}

// balanced plays an action in a world and compares the books of its end.
func balanced(a Action, debited, reversed, paid bool) bool {
	his, channel := 0, 0
	for _, x := range []struct {
		happened bool
		of       *int
		by       int
	}{{debited, &his, 1}, {reversed, &his, -1}, {paid, &channel, 1}} {
		if x.happened {
			*x.of += x.by
		}
	}
	switch a {
	case ActionRestore, ActionRestoredHand:
		his--
	case ActionPayAgain, ActionPaidByHand:
		channel++
	}
	return his == channel && his >= 0
}

// TestDesk_EveryCombination offers, for every journal that can be, only what
// leaves the books balanced in every world that the journal allows.
func TestDesk_EveryCombination(t *testing.T) {
	n, offered := 0, map[Action]int{}
	for _, code := range []flow.Code{"", flow.CodeUnknownTooLong, flow.CodeHISNoReversal, flow.CodePaidAfterFailure, flow.CodePaidOldNumber,
		flow.CodeAmountMismatch} {
		for _, m := range []Method{MethodTransfer, MethodOriginal} {
			for _, target := range []Status{"", StatusFailed, StatusRejected, StatusCancelled} {
				for _, d := range everyCall() {
					for _, r := range everyCall() {
						for _, p := range everyTransfer() {
							w := Work{Order: Order{Status: StatusSuspense, SuspendedFrom: StatusPaying, FailCode: string(code), Method: m, Target: target},
								Debit: d, Reversal: r, Transfer: p}
							n++
							judgeOffers(t, w, code == flow.CodeHISNoReversal, offered)
						}
					}
				}
			}
		}
	}
	for _, a := range Actions() {
		if offered[a] == 0 || offered[a] == n && a != ActionResume {
			t.Errorf("%s is offered %d times of %d", a, offered[a], n)
		}
	}
}

func judgeOffers(t *testing.T, w Work, believed bool, offered map[Action]int) {
	t.Helper()
	for _, o := range w.Offers(HISTraits{Queryable: true, Idempotent: true, Reversible: true}, true) {
		if o.Safe {
			offered[o.Action]++
		}
		if !o.Safe || o.Action == ActionResume || o.Why == WhyLooked || o.Why == WhyNothing {
			continue
		}
		for _, d := range moved(w.Debit, false) {
			for _, r := range moved(w.Reversal, believed) {
				for _, p := range pays(w.Transfer, w.Order.Method) {
					if !balanced(o.Action, d, r, p) {
						t.Fatalf("%s is offered with debit %+v, reversal %+v, payout %+v", o.Action, w.Debit, w.Reversal, w.Transfer)
					}
				}
			}
		}
		if pay := o.Action == ActionPayAgain || o.Action == ActionPaidByHand; pay && (w.Transfer == nil || w.Order.Target == StatusRejected ||
			w.Order.Target == StatusCancelled) {
			t.Fatalf("%s is offered for what nobody approved: target %s", o.Action, w.Order.Target)
		}
		if w.Order.FailCode == string(flow.CodeAmountMismatch) {
			t.Fatalf("%s is offered although the amounts differ", o.Action)
		}
	}
}

// TestDesk_WhatIsOffered names the cases that finance meets.
func TestDesk_WhatIsOffered(t *testing.T) {
	done, open, refused := &flow.Call{State: flow.CallDone}, &flow.Call{State: flow.CallOpen}, &flow.Call{State: flow.CallRefused}
	failed, unknown := &Transfer{State: flow.CallRefused, Reported: PayoutFailed}, &Transfer{State: flow.CallOpen}
	all := HISTraits{Queryable: true, Idempotent: true, Reversible: true}
	for _, c := range []struct {
		name string
		from Status
		code flow.Code
		work Work
		can  HISTraits
		want string
	}{
		{"扣款未知", StatusDebiting, flow.CodeUnknownTooLong, Work{Debit: open}, all, "resume"},
		{"扣款未知，HIS 不能查询", StatusDebiting, flow.CodeHISNotQueryable, Work{Debit: open}, HISTraits{}, "resume restored_by_hand"},
		{"付款未知", StatusPaying, flow.CodeUnknownTooLong, Work{Debit: done, Transfer: unknown}, all, "resume"},
		{"付款已证实失败", StatusPaying, flow.CodeUnknownTooLong, Work{Debit: done, Transfer: failed}, all,
			"resume restore pay_again paid_by_hand restored_by_hand"},
		{"HIS 不支持撤销", StatusReversing, flow.CodeHISNoReversal, Work{Debit: done, Transfer: failed}, HISTraits{Queryable: true},
			"resume pay_again paid_by_hand restored_by_hand"},
		{"驳回后 HIS 拒绝撤销", StatusReversing, flow.CodeHISNoReversal, Work{Order: Order{Target: StatusRejected}, Debit: done, Reversal: refused}, all,
			"resume restore restored_by_hand"},
		{"撤销未知", StatusReversing, flow.CodeUnknownTooLong, Work{Debit: done, Reversal: open, Transfer: failed}, all, "resume"},
		{"撤销未知，HIS 不能查询", StatusReversing, flow.CodeHISNotQueryable, Work{Debit: done, Reversal: open, Transfer: failed}, HISTraits{},
			"resume restored_by_hand"},
		{"失败后又到账，撤销未知", StatusReversing, flow.CodePaidAfterFailure,
			Work{Debit: done, Reversal: open, Transfer: &Transfer{State: flow.CallOpen, Reported: PayoutSucceeded}}, all, ""},
		{"失败后又到账，尚未撤销", StatusReversing, flow.CodePaidAfterFailure,
			Work{Debit: done, Transfer: &Transfer{State: flow.CallOpen, Reported: PayoutSucceeded}}, all, "resume"},
		{"失败后又在处理", StatusReversing, flow.CodeUnknownTooLong, Work{Debit: done, Reversal: open, Transfer: unknown}, all, ""},
		{"原路退被退回", StatusPaying, CodePayoutReturned, Work{Order: Order{Method: MethodOriginal}, Debit: done,
			Transfer: &Transfer{State: flow.CallOpen, Reported: PayoutReturned}}, all, "resume paid_by_hand restored_by_hand"},
		{"金额不符", StatusPaying, flow.CodeAmountMismatch, Work{Debit: done, Transfer: failed}, all,
			"resume paid_by_hand restored_by_hand"},
		{"患者已撤销", StatusReversing, flow.CodeHISNoReversal, Work{Order: Order{CancelAsked: true, Target: StatusCancelled}, Debit: done,
			Reversal: refused, Transfer: failed}, all, "resume restore restored_by_hand"},
	} {
		w := c.work
		w.Order.Status, w.Order.SuspendedFrom, w.Order.FailCode = StatusSuspense, c.from, string(c.code)
		var got []string
		for _, o := range w.Offers(c.can, false) {
			if o.Safe {
				got = append(got, string(o.Action))
			} else if o.Why == WhySafe {
				t.Errorf("%s: %s is refused without a reason", c.name, o.Action)
			}
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: offered %v, want %q", c.name, got, c.want)
		}
	}
	for _, o := range (Work{Order: Order{Status: StatusPaying}}).Offers(all, false) {
		if o.Safe || o.Why != WhyState {
			t.Errorf("%s is offered for an order that is not suspended", o.Action)
		}
	}
}

// stranded is an order whose payout has failed and which HIS does not take back.
func stranded(t *testing.T) *world {
	t.Helper()
	w, ch := calm(t)
	w.traits.Reversible = false
	w.approve(t)
	ch.pay = func(p Payout) (PayoutAnswer, bool) {
		w.sides.pays[p.No] = &payment{payout: p, state: PayoutFailed}
		ch.pay = nil
		return PayoutAnswer{Verdict: flow.Done, State: PayoutFailed, Reason: flow.Reason{Code: "FAIL"}}, true
	}
	w.turnAll(t)
	if o := w.store.orders["o"].Order; o.Status != StatusSuspense {
		t.Fatalf("order is %s\n%s", o.Status, w.store.story("o"))
	}
	return w
}

func (w *world) twoDo(t *testing.T, a Action) error {
	t.Helper()
	if err := w.svc.Propose(t.Context(), "o", flow.Proposal{Action: a, By: people.By{Kind: people.ByStaff, ID: "s"}, Reason: "核对"},
		"V1"); err != nil {
		return err
	}
	return w.svc.Confirm(t.Context(), "o", flow.Seen{Action: a}, people.By{Kind: people.ByStaff, ID: "t"}, "")
}

// TestDesk_EachActionComesToItsEnd carries every safe action out and compares
// the books.
func TestDesk_EachActionComesToItsEnd(t *testing.T) {
	for a, want := range map[Action]Status{
		ActionRestore: StatusFailed, ActionPayAgain: StatusSucceeded, ActionPaidByHand: StatusSucceeded, ActionRestoredHand: StatusFailed,
	} {
		w := stranded(t)
		w.clock = w.clock.Add(time.Hour)
		w.traits.Reversible = a == ActionRestore // the hospital's IT has switched it on
		if err := w.twoDo(t, a); err != nil {
			t.Fatalf("%s: %v", a, err)
		}
		for range 4 {
			w.clock = w.clock.Add(time.Hour)
			w.turnAll(t)
		}
		his, channel, _ := w.net("o")
		if o := w.store.orders["o"].Order; o.Status != want || his != channel {
			t.Errorf("%s: order is %s, HIS %d, channel %d\n%s", a, o.Status, his, channel, w.store.story("o"))
		}
		if n := fmt.Sprint(w.store.orders["o"].Transfer.Attempt); (n == "2") != (a == ActionPayAgain) {
			t.Errorf("%s: attempt %s", a, n)
		}
	}
}

// TestDesk_TwoPeopleAndProof refuses everything that is not another person's
// confirmation of what is proved at that moment.
func TestDesk_TwoPeopleAndProof(t *testing.T) {
	w := stranded(t)
	propose := func(p flow.Proposal, evidence string) error { return w.svc.Propose(t.Context(), "o", p, evidence) }
	again := flow.Proposal{Action: ActionPayAgain, By: people.By{Kind: people.ByStaff, ID: "s", Person: "x"}, Reason: "核对"}
	want := func(name string, err error, code flow.Code) {
		t.Helper()
		if flow.CodeOf(err) != code || (err != nil) != (code != "") {
			t.Errorf("%s: %v, want %q", name, err, code)
		}
	}
	want("刚刚挂账", propose(again, ""), flow.CodeActionUnsafe)
	w.clock = w.clock.Add(w.svc.timing.Settle)
	want("没有理由", propose(flow.Proposal{Action: ActionPayAgain, By: again.By}, ""), flow.CodeNoteRequired)
	want("没有凭证", propose(flow.Proposal{Action: ActionPaidByHand, By: again.By, Reason: "核对"}, " "), flow.CodeEvidenceRequired)
	want("没有的动作", propose(flow.Proposal{Action: "steal", By: again.By, Reason: "核对"}, ""), flow.CodeBadRequest)
	want("HIS 不支持撤销", propose(flow.Proposal{Action: ActionRestore, By: again.By, Reason: "核对"}, ""), flow.CodeActionUnsafe)
	want("没有提议", w.svc.Confirm(t.Context(), "o", flow.Seen{}, people.By{ID: "t"}, ""), flow.CodeNoProposal)
	want("提议", propose(again, ""), "")
	want("第二个提议", propose(again, ""), flow.CodeProposalExists)
	want("本人确认", w.svc.Confirm(t.Context(), "o", flow.Seen{}, people.By{ID: "s"}, ""), flow.CodeSamePerson)
	want("同一自然人", w.svc.Confirm(t.Context(), "o", flow.Seen{}, people.By{ID: "t", Person: "x"}, ""), flow.CodeSamePerson)
	want("看到的是别的动作", w.svc.Confirm(t.Context(), "o", flow.Seen{Action: ActionPaidByHand}, people.By{ID: "t"}, ""), flow.CodeConflict)
	for no := range w.sides.pays { // the channel takes back what it had said
		w.sides.pays[no].state = PayoutProcessing
	}
	want("证据已经变化", w.svc.Confirm(t.Context(), "o", flow.Seen{}, people.By{ID: "t"}, ""), flow.CodeActionUnsafe)
	want("撤回", w.svc.Withdraw(t.Context(), "o", people.By{ID: "t"}, ""), "")
	want("再次撤回", w.svc.Withdraw(t.Context(), "o", people.By{ID: "t"}, ""), flow.CodeNoProposal)
	if o := w.store.orders["o"].Order; o.Status != StatusSuspense {
		t.Errorf("order is %s", o.Status)
	}
	if len(w.sides.pays) != 1 {
		t.Errorf("%d payouts", len(w.sides.pays))
	}
}

// TestDesk_ADailyQueryLeavesAProposal: what two people are about to decide does
// not move under them; once the proposal is withdrawn, the proof counts.
func TestDesk_ADailyQueryLeavesAProposal(t *testing.T) {
	w, ch := calm(t)
	no := w.sent(t, ch)
	for range 400 {
		if w.store.orders["o"].Order.Status == StatusSuspense {
			break
		}
		w.clock = w.clock.Add(6 * time.Hour)
		w.turnAll(t)
	}
	w.clock = w.clock.Add(w.svc.timing.Settle)
	by := people.By{Kind: people.ByStaff, ID: "s"}
	if err := w.svc.Propose(t.Context(), "o", flow.Proposal{Action: ActionResume, By: by, Reason: "核对"}, ""); err != nil {
		t.Fatalf("%v\n%s", err, w.store.story("o"))
	}
	w.sides.progress(no, 4)
	for range 3 {
		w.clock = w.clock.Add(25 * time.Hour)
		w.turnAll(t)
	}
	if k := w.store.read("o"); k.Order.Status != StatusSuspense || k.Proposal == nil {
		t.Errorf("order is %s, proposal %v\n%s", k.Order.Status, k.Proposal, w.store.story("o"))
	}
	if err := w.svc.Withdraw(t.Context(), "o", by, "不再需要"); err != nil {
		t.Fatal(err)
	}
	w.turnAll(t)
	if o := w.store.orders["o"].Order; o.Status != StatusSucceeded {
		t.Errorf("order is %s\n%s", o.Status, w.store.story("o"))
	}
}
