package payment

import (
	"context"
	"testing"
	"time"

	"hospay/flow"
)

// atKiosk makes an order of the first bill at a kiosk, with the credential that was
// shown where the insurance pays, and takes it as far as it goes.
func (w *world) atKiosk(t *testing.T, insured bool) Order {
	t.Helper()
	a := Application{ID: "o", Institution: "I", Patient: "P", BillNo: "B0", CardNo: "C1", Channel: "wechat", Terminal: TerminalKiosk,
		Kiosk: "K", Insured: insured, Area: "440100"}
	w.can.Settle, w.can.Bearer = true, true
	if insured {
		if err := w.svc.KeepShown(t.Context(), "I", "P", Bearer{Person: patient, EcToken: "EC1"}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.svc.Create(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	w.runFor(time.Minute)
	return w.store.read("o").Order
}

// TestKiosk_NothingIsSettledUnseen: the split is shown first, then the insurance is
// settled, then the cash is asked for.
func TestKiosk_NothingIsSettledUnseen(t *testing.T) {
	w := calm(t, says{"split": 2})
	o := w.atKiosk(t, true)
	if m := w.sides.moved(o); o.Status != StatusPriced || o.Next() != NextAgree || m.insured != 0 || o.Fund+o.Account == 0 {
		t.Fatalf("%s %s %+v", o.Status, o.Next(), m)
	}
	if err := w.svc.Agree(t.Context(), "o", staff); err != nil {
		t.Fatal(err)
	}
	if err := w.svc.Agree(t.Context(), "o", staff); err != nil {
		t.Fatal("twice:", err)
	}
	w.runFor(time.Minute)
	o = w.is(t, StatusPaying, "")
	page, ok, err := w.svc.Page(t.Context(), w.store.read("o"))
	if m := w.sides.moved(o); !ok || err != nil || page.Form == "" || o.Next() != NextPay || m.insured != o.Fund+o.Account || m.cash != 0 {
		t.Fatalf("%v %v %v %s %+v", page, ok, err, o.Next(), m)
	}
	w.pays(1)
	w.runFor(time.Minute)
	w.is(t, StatusDone, "")
}

// TestKiosk_CodeShownOnlyWhenTheInsuranceHasPaid: HIS has not settled, nobody knows
// whether it will; the cash is not asked for, and the order ends without any money.
func TestKiosk_CodeShownOnlyWhenTheInsuranceHasPaid(t *testing.T) {
	w := calm(t, says{"split": 2, "settle": 0, "never": 1})
	w.atKiosk(t, true)
	if err := w.svc.Agree(t.Context(), "o", staff); err != nil {
		t.Fatal(err)
	}
	w.runFor(time.Minute)
	o := w.is(t, StatusPaying, "")
	if _, ok, err := w.svc.Page(t.Context(), w.store.read("o")); ok || err != nil || o.Next() != NextWait || o.Insurance == InsuranceSettled {
		t.Fatal(ok, err, o.Next(), o.Insurance)
	}
	w.runFor(12 * time.Minute)
	o = w.is(t, StatusExpired, CodeOrderExpired)
	if m := w.sides.moved(o); m.insured != 0 || m.cash != 0 || w.sides.settles[o.PayOrdID] > 1 {
		t.Fatalf("%+v", m)
	}
}

// TestKiosk_ACodeEndsWithItsOrder: one channel cannot close a code that nobody has
// scanned; the bill is free soon after the code is over, not a quarter of an hour
// later.
func TestKiosk_ACodeEndsWithItsOrder(t *testing.T) {
	faults := says{"user paying": 0}
	w := calm(t, faults)
	o := w.atKiosk(t, false)
	if o.Status != StatusPaying || o.ExpiresAt.Sub(o.Created) != w.svc.timing.KioskFor {
		t.Fatalf("%s, for %s", o.Status, o.ExpiresAt.Sub(o.Created))
	}
	if err := w.svc.Cancel(t.Context(), "o", staff); err != nil {
		t.Fatal(err)
	}
	w.runFor(o.ExpiresAt.Sub(w.clock) - time.Second)
	w.is(t, StatusUndoing, "")
	delete(faults, "user paying")
	w.runFor(2 * time.Minute)
	w.is(t, StatusCancelled, "")
}

// TestKiosk_WhatNoScannerTells: it does not leave.
func TestKiosk_WhatNoScannerTells(t *testing.T) {
	w := calm(t, says{})
	code := "4240000000000000000000000001"
	for _, s := range []Shown{{ShownCredential, code[:27], KindOutpatient}, {ShownCredential, code + "1", KindOutpatient},
		{ShownCredential, "424000000000000000000000000/", KindOutpatient}, {"id_card", code, KindOutpatient},
		{ShownSocialCard, "1", KindOutpatient}, {ShownCredential, code, "x"}} {
		if _, err := w.svc.Bearer(t.Context(), "I", s); flow.CodeOf(err) != CodeShownUnreadable {
			t.Errorf("%+v: %v", s, err)
		}
	}
	if _, err := w.svc.Bearer(t.Context(), "I", Shown{ShownCredential, code, KindOutpatient}); flow.CodeOf(err) != CodeShownOff {
		t.Error("a HIS that knows nobody by a credential:", err)
	}
	_, err := w.svc.Create(context.Background(), Application{ID: "o", Institution: "I", Patient: "P", BillNo: "B0", CardNo: "C1",
		Channel: "wechat", Terminal: TerminalKiosk, Insured: true, Area: "440100"})
	if flow.CodeOf(err) != CodeInsuranceOff {
		t.Error("insurance at a kiosk without a HIS that settles it:", err)
	}
}
