package histest

import (
	"slices"
	"testing"
	"time"

	"hospay/calendar"
	"hospay/flow"
	"hospay/money"
	"hospay/payment"
	"hospay/sim/his"
)

// bills: every demo patient has two, read as the simulator keeps them.
func (k Kit) bills(t *testing.T) {
	s := simulator(t)
	h, ctx := k.New(t, s.URL()), t.Context()
	if can := h.Can(); can != (payment.HISCan{Bills: true, Slots: true, Areas: true, Enrolment: true, Identity: true, Check: true,
		Idempotent: true, Reverse: true, Refunds: true, Charges: true, Bearer: true, Settle: true}) {
		t.Errorf("%+v", can)
	}
	bills, err := h.Bills(ctx, "C0001")
	if err != nil || len(bills) != 2 {
		t.Fatalf("%+v %v", bills, err)
	}
	truth := s.Bills()
	for i, b := range bills {
		want := truth[i]
		if b.No != want.BillNo || b.CardNo != "C0001" || string(b.Kind) != want.Kind || int64(b.Amount) != want.Amount ||
			b.Insurable != want.Insurable || len(b.Unread) > 0 || b.Title == "" || b.Created.IsZero() || b.Visit != nil || len(b.Items) == 0 {
			t.Errorf("%+v, want %+v", b, want)
		}
		k.bill(t, s, b)
	}
	none, err := h.Bills(ctx, "C0001B")
	if err != nil || len(none) != 0 {
		t.Errorf("%+v %v", none, err)
	}
	_, err = h.Bills(ctx, "C9999")
	wantCode(t, err, flow.CodeCardNotYours)
	_, err = h.Bill(ctx, "C0001", "B9999")
	wantCode(t, err, payment.CodeBillGone)
	_, err = h.Bill(ctx, "C0002", bills[0].No)
	wantCode(t, err, payment.CodeBillGone)
	plan(t, s, "bill", "window_paid")
	_, err = h.Bill(ctx, "C0001", bills[0].No)
	wantCode(t, err, payment.CodeBillPaid)
	no, err := s.AddBill(his.Bill{Patient: "P0001", Kind: "outpatient", Amount: 12_345})
	if left, err := h.Bills(ctx, "C0001"); err != nil || len(left) != 2 || left[1].No != no || left[1].Amount != 12_345 ||
		left[1].Reason == "" {
		t.Errorf("%s: %+v %v", no, left, err)
	}
	if err != nil {
		t.Error(err)
	}
}

// bill compares the detail of a bill with its row, and its lines with its amount.
func (k Kit) bill(t *testing.T, s bench, row payment.Bill) {
	t.Helper()
	b, err := k.New(t, s.URL()).Bill(t.Context(), row.CardNo, row.No)
	if err != nil || b.Amount != row.Amount || b.Kind != row.Kind || !slices.Equal(b.Items, row.Items) || len(b.Unread) > 0 ||
		b.Insurable != row.Insurable || b.Insurable != (b.Visit != nil) {
		t.Fatalf("%+v, want %+v: %v", b, row, err)
	}
	if b.Visit == nil {
		return
	}
	v, sum := b.Visit, money.Fen(0)
	for _, f := range v.Fees {
		if f.No == "" || f.ListCode == "" || f.Name == "" || f.Count == "" || f.Price == "" || f.Time.IsZero() {
			t.Errorf("%+v", f)
		}
		sum += f.Sum
	}
	if sum != b.Amount || v.Parts == nil || v.Parts.InScope+v.Parts.Advance != b.Amount || v.No == "" || v.MdtrtID == "" || v.MedType == "" ||
		v.DeptName == "" || v.Begun.IsZero() || len(v.Diseases) != 1 || v.Diseases[0].Name == "" {
		t.Errorf("%+v", v)
	}
}

func plan(t *testing.T, s bench, op, fault string) {
	t.Helper()
	if err := s.Faults().Plan(op, fault); err != nil {
		t.Fatal(err)
	}
}

// booking: a slot is locked once per number, while its lock lives.
func (k Kit) booking(t *testing.T) {
	s := simulator(t)
	h, ctx := k.New(t, s.URL()), t.Context()
	depts, err := h.Departments(ctx)
	if err != nil || len(depts) == 0 || depts[0].Name == "" {
		t.Fatalf("%+v %v", depts, err)
	}
	day := s.Clock().Now().In(calendar.Beijing).Format(time.DateOnly)
	free := func() payment.Slot {
		slots, err := h.Slots(ctx, depts[0].Code, day)
		if err != nil || len(slots) < 2 || slots[0].Day != day || slots[0].Amount <= 0 || slots[0].Doctor == "" || slots[0].Unread != "" {
			t.Fatalf("%+v %v", slots, err)
		}
		return slots[0]
	}
	first := free()
	b, err := h.LockSlot(ctx, "L1", first.ID, "C0001")
	if err != nil || b.Kind != payment.KindRegistration || b.Amount != first.Amount || b.CardNo != "C0001" || b.PayBefore.IsZero() {
		t.Fatalf("%+v %v", b, err)
	}
	again, err := h.LockSlot(ctx, "L1", first.ID, "C0001")
	if err != nil || again.No != b.No || free().Left != first.Left-1 {
		t.Fatalf("the same number is another lock: %+v %v", again, err)
	}
	if err := h.ReleaseSlot(ctx, "L1", first.ID, "C0001"); err != nil || free().Left != first.Left {
		t.Error(err)
	}
	if err := h.ReleaseSlot(ctx, "L1", first.ID, "C0001"); err != nil {
		t.Error("released twice:", err)
	}
	if err := h.ReleaseSlot(ctx, "L9", first.ID, "C0001"); err != nil {
		t.Error("nothing was locked under the number:", err)
	}
	plan(t, s, "lock", "slot_lost")
	_, err = h.LockSlot(ctx, "L2", first.ID, "C0001")
	wantCode(t, err, payment.CodeSlotLost)
	late, err := h.LockSlot(ctx, "L3", first.ID, "C0002")
	if err != nil {
		t.Fatal(err)
	}
	s.Clock().Advance(21 * time.Minute)
	_, err = h.Bill(ctx, "C0002", late.No)
	if code := flow.CodeOf(err); code != payment.CodeBillGone && code != payment.CodeSlotLost {
		t.Error("a lock outlives its time:", err)
	}
	_, err = h.LockSlot(ctx, "L4", first.ID, "C9999")
	wantCode(t, err, flow.CodeCardNotYours)
}

// insurance: areas, enrolments of all sorts, and the choice that is written back.
func (k Kit) insurance(t *testing.T) {
	s := simulator(t)
	h, ctx := k.New(t, s.URL()), t.Context()
	areas, err := h.Areas(ctx)
	if err != nil || len(areas) < 2 || !areas[0].Own || areas[1].Own || areas[0].Code != "440100" {
		t.Fatalf("%+v %v", areas, err)
	}
	who := func(code string) payment.Insured {
		p := s.people.Find(code)
		return payment.Insured{PatientNo: p.Code, CardNo: p.Cards[0], IDType: "01", IDNo: p.IDNo, Name: p.Name}
	}
	for _, c := range []struct {
		patient, area   string
		enrolled        bool
		benefits, enjoy int
		reason          bool
	}{
		{"P0001", "440100", true, 2, 2, false},
		{"P0004", "440100", false, 0, 0, true}, // nowhere
		{"P0006", "440100", true, 4, 2, false}, // paused as an employee, valid as a resident
		{"P0009", "440100", false, 0, 0, true}, // not here
		{"P0009", "440300", true, 2, 2, false}, // but there
		{"P0010", "440100", false, 0, 0, true}, // only rows that are none
		{"P0011", "440600", true, 2, 2, false}, // in two places
		{"P0012", "440100", false, 0, 0, true}, // ended
		{"P0016", "440100", true, 2, 0, false}, // nothing is enjoyed, with a reason
		{"P0005", "440100", true, 3, 3, false}, // with a chronic disease
		{"P0001", "440300", false, 0, 0, true}, // insured elsewhere
	} {
		e, err := h.Enrolment(ctx, who(c.patient), c.area)
		enjoyed := 0
		for _, b := range e.Benefits {
			if b.Enjoyed {
				enjoyed++
			}
			if !b.Enjoyed && b.Reason == "" || b.InsutypeName == "" || !b.BalanceTold {
				t.Errorf("%s: %+v", c.patient, b)
			}
		}
		if err != nil || e.Enrolled != c.enrolled || len(e.Benefits) != c.benefits || enjoyed != c.enjoy || (e.Reason != "") != c.reason ||
			e.Enrolled && e.PsnNo == "" {
			t.Errorf("%+v: %+v %v", c, e, err)
		}
	}
	_, err = h.Enrolment(ctx, who("P0001"), "110000")
	wantCode(t, err, payment.CodeAreaOff)
	plan(t, s, "enrolment", "not_enrolled")
	if e, err := h.Enrolment(ctx, who("P0001"), "440100"); err != nil || e.Enrolled || e.Reason == "" {
		t.Errorf("%+v %v", e, err)
	}
	k.identity(t, s, who("P0001"))
}

// bearer: who shows a code or a card at a kiosk is who it was issued to.
func (k Kit) bearer(t *testing.T) {
	s, behind := simulator(t), &centre{}
	s.Behind(behind)
	h, ctx := k.New(t, s.URL()), t.Context()
	p := s.people.Find("P0005")
	for _, shown := range []payment.Shown{{Way: payment.ShownCredential, No: p.Credential(), Kind: payment.KindOutpatient},
		{Way: payment.ShownSocialCard, No: p.SocialCard(), Kind: payment.KindRegistration}} {
		b, err := h.Bearer(ctx, shown)
		if err != nil || b.PatientNo != "P0005" || b.Name != p.Name || b.IDNo != p.IDNo || b.IDType != "01" || b.Phone != p.Phone {
			t.Errorf("%+v: %+v %v", shown, b, err)
		}
	}
	b, err := h.Bearer(ctx, payment.Shown{Way: payment.ShownCredential, No: p.Credential()})
	if err != nil || b.EcToken != "ECP0005" {
		t.Errorf("%+v %v", b, err)
	}
	settle := payment.InsuranceSettle{BillNo: "B1", PayOrdID: "ORD1", MedOrgOrd: "M1", EcToken: b.EcToken}
	if ans := h.SettleInsurance(ctx, settle); ans.Verdict != flow.Done || !slices.Equal(behind.settled, []string{"ORD1"}) {
		t.Errorf("%+v %v", ans, behind.settled)
	}
	plan(t, s, "insurance_settle", "timeout_after")
	if ans := h.SettleInsurance(ctx, settle); ans.Verdict != flow.Unknown {
		t.Errorf("%+v", ans)
	}
	behind.refuse = true
	if ans := h.SettleInsurance(ctx, settle); ans.Verdict != flow.Refused {
		t.Errorf("%+v", ans)
	}
	for _, shown := range []payment.Shown{{Way: payment.ShownSocialCard, No: p.Credential()},
		{Way: payment.ShownCredential, No: p.SocialCard()}, {Way: payment.ShownCredential, No: "4249999999999999999999999999"}} {
		_, err := h.Bearer(ctx, shown)
		wantCode(t, err, flow.CodePatientNotFound)
	}
}

// identity: the bill costs another amount once HIS knows how it is settled.
func (k Kit) identity(t *testing.T, s bench, who payment.Insured) {
	t.Helper()
	h, ctx := k.New(t, s.URL()), t.Context()
	bills, err := h.Bills(ctx, who.CardNo)
	e, err2 := h.Enrolment(ctx, who, "440100")
	if err != nil || err2 != nil {
		t.Fatal(err, err2)
	}
	id := payment.Identity{Insured: who, BillNo: bills[0].No, Area: "440100", PsnNo: e.PsnNo, Benefit: e.Benefits[0], Channel: "wechat"}
	if err := h.SaveIdentity(ctx, id); err != nil {
		t.Fatal(err)
	}
	b, err := h.Bill(ctx, who.CardNo, bills[0].No)
	if err != nil || b.Amount >= bills[0].Amount || b.Visit == nil || b.Visit.PsnNo != e.PsnNo || b.Visit.Insutype != e.Benefits[0].Insutype ||
		b.Visit.MedType != e.Benefits[0].MedType {
		t.Errorf("%+v %v", b, err)
	}
	other := id
	other.Benefit.MedType = "14"
	wantCode(t, h.SaveIdentity(ctx, other), payment.CodeBenefitOff)
	other = id
	other.BillNo = "B9999"
	wantCode(t, h.SaveIdentity(ctx, other), payment.CodeBillGone)
	plan(t, s, "save_identity", "window_paid")
	wantCode(t, h.SaveIdentity(ctx, id), payment.CodeBillPaid)
}
