package histest

import (
	"bytes"
	"slices"
	"testing"

	"hospay/flow"
	"hospay/his"
	"hospay/money"
	"hospay/payment"
)

// checkAnyBill reads bills, slots and enrolments from an answer: what comes out
// must be usable, whatever went in.
func checkAnyBill(t *testing.T, h his.HIS, data []byte) {
	bills, err := h.Bills(t.Context(), "C1")
	for _, b := range bills {
		if err != nil || b.CardNo != "C1" || b.Amount < 0 || b.Amount > 0 && (b.No == "" || !b.Kind.Valid()) || b.Visit != nil {
			t.Fatalf("%q: %+v %v", data, b, err)
		}
	}
	if b, err := h.Bill(t.Context(), "C1", "B1"); err == nil {
		wantSound(t, data, b)
	}
	b, err := h.LockSlot(t.Context(), "L1", "S1", "C1")
	if err == nil && (b.No == "" || b.CardNo != "C1" || b.Kind != payment.KindRegistration) {
		t.Fatalf("%q: %+v", data, b)
	}
	slots, _ := h.Slots(t.Context(), "D1", "2026-11-30")
	if slices.ContainsFunc(slots, func(s payment.Slot) bool {
		return s.ID == "" || s.Department != "D1" || s.Day != "2026-11-30" || s.Left > 0 && (s.Unread != "" || s.Amount < 0)
	}) {
		t.Fatalf("%q: %+v", data, slots)
	}
	e, err := h.Enrolment(t.Context(), payment.Insured{PatientNo: "P1"}, "440100")
	if err == nil && (e.Enrolled == (e.Reason != "") || !e.Enrolled && len(e.Benefits) > 0 ||
		slices.ContainsFunc(e.Benefits, func(b payment.Benefit) bool { return b.ID == "" || b.Insutype == "" })) {
		t.Fatalf("%q: %+v", data, e)
	}
	_, _ = h.Departments(t.Context())
	_, _ = h.Areas(t.Context())
	_ = h.ReleaseSlot(t.Context(), "L1", "S1", "C1")
	_ = h.SaveIdentity(t.Context(), payment.Identity{BillNo: "B1"})
	who, err := h.Bearer(t.Context(), payment.Shown{Way: payment.ShownSocialCard, No: "1"})
	if err == nil && (who.PatientNo == "" || who.Name == "" || who.IDNo == "") {
		t.Fatalf("%q: %+v", data, who)
	}
}

// wantSound: a bill that may be paid by insurance has all that the insurance
// asks for, and its lines are its amount.
func wantSound(t *testing.T, data []byte, b payment.Bill) {
	t.Helper()
	if b.No != "B1" || b.CardNo != "C1" || b.Amount < 0 || !b.Kind.Valid() || b.Insurable && b.Visit == nil {
		t.Fatalf("%q: %+v", data, b)
	}
	if b.Visit == nil {
		return
	}
	var sum money.Fen
	for _, f := range b.Visit.Fees {
		if f.No == "" || f.ListCode == "" || f.Sum < 0 {
			t.Fatalf("%q: %+v", data, f)
		}
		sum += f.Sum
	}
	if sum != b.Amount {
		t.Fatalf("%q: %d of lines in a bill of %d", data, sum, b.Amount)
	}
}

// checkAnyCharge makes every call about a settlement.
func checkAnyCharge(t *testing.T, h his.HIS, data []byte, success string) {
	c := payment.Charge{No: "H1", ChargeNo: "H1", BillNo: "B1", CardNo: "C1", Total: 5, Cash: 5, HISNo: "1"}
	proved := bytes.Contains(data, []byte(success))
	for name, rec := range map[string]payment.Receipt{"charge": h.WriteCharge(t.Context(), c), "check": h.CheckCharge(t.Context(), c),
		"reverse": h.ReverseCharge(t.Context(), c), "check reverse": h.CheckReverse(t.Context(), c)} {
		switch {
		case rec.Verdict == flow.Done && rec.State == payment.ReceiptDone && (!proved || rec.HISNo == "" && rec.CancelNo == ""):
			t.Fatalf("%s: %q proves nothing: %+v", name, data, rec)
		case rec.Verdict == flow.Done && name == "charge" && rec.State == payment.ReceiptDone && rec.Amount != 5:
			t.Fatalf("%s: %q is about other money: %+v", name, data, rec)
		case rec.Verdict == flow.Refused && !slices.Contains(refusals, rec.Reason.Code):
			t.Fatalf("%s: %q is no refusal: %+v", name, data, rec)
		case rec.Verdict == flow.Unknown && (rec.State != "" || rec.HISNo != "" || rec.Amount != 0):
			t.Fatalf("%s: %q: unknown with facts: %+v", name, data, rec)
		}
	}
	for _, ans := range []flow.Answer{h.MayRefund(t.Context(), c), h.TellRefund(t.Context(), payment.PartRefund{Charge: c, CashBack: 5})} {
		if ans.Verdict == flow.Done && !proved || ans.Verdict == flow.Refused && !slices.Contains(refusals, ans.Reason.Code) {
			t.Fatalf("%q: %+v", data, ans)
		}
	}
}
