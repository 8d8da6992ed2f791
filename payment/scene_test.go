package payment

import (
	"testing"

	"hospay/flow"
	"hospay/people"
)

func (w *world) shut(kind Kind, s Scene) { w.inst.Scenes = map[Kind]Scene{kind: s} }

// TestScene_ShutsOneWayOfOneKind: what is shut is told on the bill and refused; the other
// way, the other kind and what HIS itself asks for stay.
func TestScene_ShutsOneWayOfOneKind(t *testing.T) {
	bill := Bill{Kind: KindOutpatient, Amount: 100, Insurable: true}
	for _, c := range []struct {
		scene        Scene
		insured, own bool
		reason, why  string
	}{
		{Scene{}, true, true, "", ""},
		{Scene{Off: []string{WayInsured}, Why: "x"}, false, true, "x", ""},
		{Scene{Off: []string{WayOwn}, Why: "x"}, true, false, "", "x"},
		{Scene{Off: []string{WayOwn, WayInsured}, Why: "x"}, false, false, "x", "x"},
	} {
		b := c.scene.on(bill)
		if b.Insurable != c.insured || b.OwnOff == c.own || b.Reason != c.reason || b.OwnReason != c.why {
			t.Errorf("%+v: %+v", c.scene, b)
		}
		if (c.scene.shut(true) == nil) != c.insured || (c.scene.shut(false) == nil) != c.own {
			t.Errorf("%+v", c.scene)
		}
	}
	told := bill
	told.Insurable, told.Reason = false, "自费项目"
	if b := (Scene{Off: []string{WayInsured}, Why: "x"}).on(told); b.Reason != "自费项目" {
		t.Error(b.Reason) // what HIS says of the bill itself is nearer
	}
}

// TestScene_RefundsAreHISs: the staff are told where it is given back, and offered
// nothing; what HIS asks for goes on.
func TestScene_RefundsAreHISs(t *testing.T) {
	w := calm(t, nil)
	w.order(t, true)
	w.pays(2)
	w.is(t, StatusDone, "")
	all := RefundWish{Kind: RefundAll, Reason: "患者要求"}
	w.shut(KindRegistration, Scene{RefundOff: true})
	if verbs, err := w.svc.Verbs(t.Context(), w.store.read("o")); err != nil || !verbs[2].Safe {
		t.Error(verbs, err) // of another kind
	}
	w.shut(KindOutpatient, Scene{RefundOff: true, RefundWhy: "窗口"})
	_, err := w.svc.Refund(t.Context(), "o", all, staff)
	if flow.CodeOf(err) != CodeRefundOff || flow.DetailOf(err) != "窗口" {
		t.Error(err)
	}
	verbs, err := w.svc.Verbs(t.Context(), w.store.read("o"))
	for _, v := range verbs[2:] {
		if err != nil || v.Safe || v.Why != CodeRefundOff || v.Detail != "窗口" {
			t.Error(v, err)
		}
	}
	all.HISRefundID = "H1"
	if _, err := w.svc.Refund(t.Context(), "o", all, people.By{Kind: people.ByHIS, ID: "his"}); err != nil {
		t.Error(err)
	}
}
