package payment

import (
	"context"
	"testing"
	"time"

	"hospay/flow"
	"hospay/people"
)

var asks = Asker{Institution: "I", Patient: "P"}

// TestCreate_NobodyPaysWhatTheyDidNotSee: a bill that HIS never told the patient
// is none, one that costs another amount than they saw is not paid, and what their
// own choice makes HIS price anew is.
func TestCreate_NobodyPaysWhatTheyDidNotSee(t *testing.T) {
	w := calm(t, nil)
	a := Application{ID: "o", Institution: "I", Patient: "P", BillNo: "B9", CardNo: "C1", Channel: "wechat", Terminal: TerminalMini}
	if _, err := w.svc.Create(t.Context(), a); flow.CodeOf(err) != CodeBillGone {
		t.Error("a bill of nobody:", err)
	}
	a.BillNo = "B0"
	bills, err := w.svc.Bills(t.Context(), asks, "C1")
	if err != nil || len(bills) == 0 {
		t.Fatal(bills, err)
	}
	seen := bills[0]
	seen.Amount++
	w.svc.shown.keep(asks, seen, w.clock)
	w.sides.bills[0].CardNo = "C1"
	if _, err := w.svc.Create(t.Context(), a); flow.CodeOf(err) != CodeBillChanged {
		t.Error("another amount than was seen:", err)
	}
	w.svc.shown.forget(asks, "C1", "B0")
	if _, err := w.svc.Create(t.Context(), a); err != nil {
		t.Error("priced anew by the patient's own choice:", err)
	}
	if w.svc.shown.has(Asker{"I", "Q"}, "C1", "B0", w.clock) || w.svc.shown.has(asks, "C1", "B0", w.clock.Add(shownFor)) {
		t.Error("it is remembered for others, or for ever")
	}
}

// TestAreas_OnlyThoseThatTheInstitutionOffers: HIS is asked of no other, and told of
// none.
func TestAreas_OnlyThoseThatTheInstitutionOffers(t *testing.T) {
	w := calm(t, nil)
	w.habits.Areas = []string{"440300"}
	for area, off := range map[string]bool{"440300": false, "440100": true, "4403": true, "": true} {
		if _, err := w.svc.Enrolment(t.Context(), asks, "C1", area); (flow.CodeOf(err) == CodeAreaOff) != off {
			t.Errorf("enrolment in %q: %v", area, err)
		}
		c := Choice{CardNo: "C1", BillNo: "B0", Area: area, Channel: "wechat"}
		if err := w.svc.Choose(t.Context(), asks, c); (flow.CodeOf(err) == CodeAreaOff) != off {
			t.Errorf("choice of %q: %v", area, err)
		}
	}
}

// TestShown_IsBounded: whoever looks at how many bills.
func TestShown_IsBounded(t *testing.T) {
	var m shown
	for i := range mostShown + 5 {
		m.keep(asks, Bill{No: lockNo("p", "s", "c", i), CardNo: "C1"}, noon)
	}
	if len(m.bills) > mostShown {
		t.Errorf("%d are remembered", len(m.bills))
	}
}

// TestExpired_ClosedByTheChannel: an order that nobody has paid in time is expired,
// also where the channel has closed it first.
func TestExpired_ClosedByTheChannel(t *testing.T) {
	w := calm(t, nil)
	w.order(t, false)
	w.sides.pays[w.is(t, StatusPaying, "").TradeNo].state = TradeClosed
	w.run(w.svc.timing.OrderFor + time.Minute)
	w.is(t, StatusExpired, CodeOrderExpired)
}

// TestHeard_NoticeOfTheCentre: one that speaks of another order there, or of other
// amounts, wakes nothing; what is not signed and fits nothing is not even kept.
func TestHeard_NoticeOfTheCentre(t *testing.T) {
	w := calm(t, nil)
	w.order(t, true)
	o := w.store.orders["o"].Order
	if o.PayOrdID == "" {
		t.Fatalf("%+v", o)
	}
	other := o.Split
	other.Cash, other.Fund = other.Cash+1, other.Fund-1
	for i, c := range []struct {
		told Noticed
		want string
		kept bool
	}{
		{Noticed{PayOrdID: o.PayOrdID, Proven: true}, EffectHint, true},
		{Noticed{PayOrdID: o.PayOrdID, Proven: true, Told: true, Split: o.Split}, EffectHint, true},
		{Noticed{PayOrdID: o.PayOrdID, Proven: true, Told: true, Split: other}, EffectMismatch, true},
		{Noticed{PayOrdID: "another", Proven: true}, EffectMismatch, true},
		{Noticed{PayOrdID: "another"}, EffectMismatch, false},
		{Noticed{PayOrdID: o.PayOrdID}, EffectHint, true},
	} {
		id := string(rune('a' + i))
		got, err := w.svc.Heard(context.Background(), flow.Callback{Institution: "I", ID: id, Kind: CallbackSettlement, No: o.MedOrgOrd,
			Told: c.told})
		if err != nil || got != c.want || w.store.seen[id] != c.kept {
			t.Errorf("%d: %s %v, kept %v", i, got, err, w.store.seen[id])
		}
	}
	got, err := w.svc.Heard(context.Background(), flow.Callback{Institution: "I", ID: "z", Kind: CallbackSettlement, No: "none",
		Told: Noticed{}})
	if err != nil || got != EffectUnknownNo || w.store.seen["z"] {
		t.Error(got, err)
	}
}

// TestVerbs_FollowTheOrder: what is safe while it is unpaid, paid, and on its way
// back.
func TestVerbs_FollowTheOrder(t *testing.T) {
	w := calm(t, nil)
	w.order(t, true)
	w.pays(2)
	w.is(t, StatusDone, "")
	check := func(want map[Verb]flow.Code) {
		t.Helper()
		verbs, err := w.svc.Verbs(t.Context(), w.store.read("o"))
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range verbs {
			if v.Why != want[v.Verb] || v.Safe != (v.Why == "") {
				t.Errorf("%s: %v %s, want %q", v.Verb, v.Safe, v.Why, want[v.Verb])
			}
		}
	}
	check(map[Verb]flow.Code{VerbQuery: CodeAtRest, VerbWrite: CodeNoWrite})
	if _, err := w.svc.Refund(t.Context(), "o", RefundWish{Kind: RefundInsurance, Reason: "停诊"}, staff); err != nil {
		t.Fatal(err)
	}
	check(map[Verb]flow.Code{VerbWrite: CodeNoWrite, VerbRefundAll: CodeRefundRunning, VerbRefundInsurance: CodeRefundRunning,
		VerbRefundCash: CodeRefundRunning})
	if err := w.svc.Write(t.Context(), "o", "核对", people.By{Kind: people.ByStaff, ID: "S"}); flow.CodeOf(err) != CodeNoWrite {
		t.Error(err)
	}
}
