package payment

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"hospay/flow"
	"hospay/people"
)

// says is what a test has decided of the other sides: the labels are those of the
// draws of a random run; what is not said goes well.
type says map[string]int

// calm is a world in which nothing happens but what a test says.
func calm(t *testing.T, s says, change ...func(*world)) *world {
	t.Helper()
	w := &world{rt: t, clock: noon, inst: Institution{ID: "I", Active: true}, hands: map[string]flow.Action{},
		alone: 1_000_000}
	w.pick = func(label string, n int) int {
		if v, ok := s[label]; ok {
			return min(v, n-1)
		}
		if label == "back" { // the refund of cash is done at once
			return 1
		}
		return n - 1
	}
	w.can = HISCan{Bills: true, Check: true, Idempotent: true, Reverse: true, Refunds: true}
	w.habits = Habits{OrgCode: "H1", WechatCity: "440108", PartialCash: true, AuthFor: 5 * time.Minute, PriceFor: 15 * time.Minute,
		OrderFor: 30 * time.Minute, RefundWait: 7 * 24 * time.Hour}
	w.store, w.depth = newMemStore(w), 2 // nobody acts while a call is under way
	w.sides = newSides(w)
	w.svc = NewService(w.store, w.sides, DefaultTiming(), func() time.Time { return w.clock }, nil)
	for _, f := range change {
		f(w)
	}
	return w
}

// order makes an order of the first bill and takes it as far as it goes.
func (w *world) order(t *testing.T, insured bool) string {
	t.Helper()
	a := Application{ID: "o", Institution: "I", Patient: "P", BillNo: "B0", CardNo: "C1", Channel: "wechat", Terminal: TerminalMini,
		Insured: insured, Area: "440100"}
	if insured {
		_ = w.store.KeepCredential(context.Background(), "P", "wechat", w.grant())
	}
	if _, err := w.svc.Create(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	w.run(0)
	return a.ID
}

// run lets time pass and the worker work.
func (w *world) run(d time.Duration) {
	w.clock = w.clock.Add(d)
	w.sides.arrive()
	for range 6 {
		works, _ := w.store.Claim(context.Background(), "w", w.clock, w.clock.Add(w.svc.timing.Lease), 10)
		if len(works) == 0 {
			return
		}
		w.advance(works)
	}
}

// runFor lets time pass in small steps.
func (w *world) runFor(d time.Duration) {
	for end := w.clock.Add(d); w.clock.Before(end); {
		w.run(15 * time.Second)
	}
}

func (w *world) is(t *testing.T, want Status, code flow.Code) Order {
	t.Helper()
	o := w.store.orders["o"].Order
	if o.Status != want || o.FailCode != string(code) {
		w.fail("want %s (%s)", want, code)
	}
	return o
}

// pays lets the patient pay: cash, then insurance.
func (w *world) pays(steps int) {
	for range steps {
		w.sides.patientPays()
	}
	w.run(5 * time.Second)
}

// sent counts the calls of a kind.
func (w *world) sent(kind string) (n int) {
	for key := range w.store.journal {
		if strings.HasPrefix(key, kind+" ") {
			n++
		}
	}
	return n
}

var staff = people.By{Kind: people.ByStaff, ID: "s"}

func TestPlain_FromTheBillToTheReceipt(t *testing.T) {
	w := calm(t, nil)
	w.order(t, false)
	o := w.is(t, StatusPaying, "")
	page, ok, err := w.svc.Page(t.Context(), w.store.read("o"))
	if !ok || err != nil || page.Form != "wechat_jsapi" || page.Values["prepay_id"] != "prepay" || o.Next() != NextPay {
		t.Fatal(page, ok, err, o.Next())
	}
	w.pays(1)
	if o = w.is(t, StatusDone, ""); o.ReceiptNo == "" || o.CashLeg != CashPaid || o.Insurance != InsuranceNone || w.sent(CallUpload) != 0 ||
		o.Next() != NextNothing {
		t.Fatalf("%+v", o)
	}
	if _, ok, _ := w.svc.Page(t.Context(), w.store.read("o")); ok {
		t.Error("a paid order has a page to pay it")
	}
}

func TestInsured_FromTheBillToTheReceipt(t *testing.T) {
	for name, c := range map[string]struct {
		split  int
		trades int
		first  bool
	}{"all insurance": {0, 0, false}, "all cash": {1, 1, false}, "both": {2, 1, false}, "family and others": {3, 1, false},
		"delivery": {4, 1, false}, "insurance first": {2, 1, true}} {
		w := calm(t, says{"split": c.split}, func(w *world) { w.habits.InsuranceFirst = c.first })
		w.order(t, true)
		o := w.is(t, StatusPaying, "")
		if o.Insurance != InsurancePriced || o.Split.Misfit(true) != "" || o.MedOrgOrd == "" || len(o.MedOrgOrd) > 20 ||
			w.sent(CallTrade) != c.trades {
			t.Fatalf("%s: %+v", name, o)
		}
		if page, ok, err := w.svc.Page(t.Context(), w.store.read("o")); !ok || err != nil || page.Form != "wechat_medins" {
			t.Errorf("%s: %v %v %v", name, page, ok, err)
		}
		if c.trades == 1 { // one half is no payment
			w.pays(1)
			if o = w.is(t, StatusPaying, ""); o.Next() != NextConfirm {
				t.Errorf("%s: %s", name, o.Next())
			}
		}
		w.pays(2)
		w.run(time.Minute)
		o = w.is(t, StatusDone, "")
		if !w.sides.moved(o).charged || o.Secrets.Auth != "" || o.Secrets.Revs != "" || o.Secrets.Token == "" || o.Settlement.SetlID == "" {
			t.Errorf("%s: %+v", name, o)
		}
	}
}

// TestInsuranceFirst_AsksForTheCashAlone: what the insurance has paid stands, and
// the cash is an ordinary payment.
func TestInsuranceFirst_CashNeverComes(t *testing.T) {
	w := calm(t, says{"split": 2}, func(w *world) { w.habits.InsuranceFirst = true })
	w.order(t, true)
	w.pays(1)
	o := w.is(t, StatusPaying, "")
	if page, ok, err := w.svc.Page(t.Context(), w.store.read("o")); !ok || err != nil || page.Form != "wechat_jsapi" ||
		o.Insurance != InsuranceSettled {
		t.Fatal(page, ok, err, o.Insurance)
	}
	w.runFor(31 * time.Minute)
	if o = w.is(t, StatusWaitAuth, CodeOrderExpired); o.CashLeg != CashClosed || o.Next() != NextAuthorise {
		t.Fatalf("%+v", o)
	}
	if err := w.svc.Authorise(t.Context(), "o", w.grant(), staff); err != nil {
		t.Fatal(err)
	}
	w.runFor(time.Minute)
	o = w.is(t, StatusRefunded, CodeOrderExpired)
	if m := w.sides.moved(o); m.insured != 0 || m.cash != 0 || o.Secrets != (Secrets{}) {
		t.Fatalf("%+v %+v", m, o)
	}
}

// TestCashKept_NeverWhenTheInsuranceFails: F9, and F10 where the channel gives it
// back by itself.
func TestCashKept_NeverWhenTheInsuranceFails(t *testing.T) {
	for name, byItself := range map[string]int{"by us": 1, "by the channel": 0} {
		s := says{"split": 2, "by itself": byItself}
		w := calm(t, s)
		w.order(t, true)
		w.pays(1)
		s["how"] = 0
		w.pays(1)
		w.runFor(2 * time.Minute)
		o := w.store.orders["o"].Order
		if m := w.sides.moved(o); o.Status != StatusRefunded || m.cash != m.back || m.insured != 0 || m.charged {
			w.fail("%s: %+v", name, m)
		}
		if o.FailCode == "" || w.sent(CallCashBack) != byItself {
			w.fail("%s: refunds %d", name, w.sent(CallCashBack))
		}
	}
}

func TestBill_ReadAgainBeforeAnythingIsOpened(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*world)
		code   flow.Code
	}{
		"price changed":      {func(w *world) { w.sides.bills[0].Amount++ }, CodeBillChanged},
		"paid at the window": {func(w *world) { w.sides.window["B0"] = true }, "bill_paid"},
		"gone":               {func(w *world) { w.sides.bills[0].No = "X" }, "bill_gone"},
	} {
		for _, insured := range []bool{false, true} {
			w := calm(t, nil)
			a := Application{ID: "o", Institution: "I", Patient: "P", BillNo: "B0", CardNo: "C1", Channel: "wechat", Terminal: TerminalMini,
				Insured: insured, Area: "440100"}
			if _, err := w.svc.Create(t.Context(), a); err != nil {
				t.Fatal(err)
			}
			if insured {
				_ = w.store.KeepCredential(t.Context(), "P", "wechat", w.grant())
			}
			c.change(w)
			w.run(0)
			w.is(t, StatusCancelled, c.code)
			if len(w.store.journal) != 0 {
				t.Errorf("%s, insured %v: %v was called", name, insured, w.store.journal)
			}
		}
	}
}

// TestBill_ChangedBetweenPriceAndPayment: nothing is charged, and what was
// uploaded is revoked after a fresh 6301.
func TestBill_ChangedBetweenPriceAndPayment(t *testing.T) {
	w := calm(t, nil)
	reads := 0
	w.pick = func(label string, n int) int {
		if label == "price changed" {
			if reads++; reads == 3 { // the application, the upload, the opening
				return 0
			}
		}
		return n - 1
	}
	w.order(t, true)
	w.run(5 * time.Second)
	o := w.is(t, StatusCancelled, CodeBillChanged)
	if o.Insurance != InsuranceUndone || w.sent(CallTrade)+w.sent(CallMixed) != 0 || w.sent(CallUndo) != 1 {
		w.fail("calls %v", w.store.journal)
	}
}

func TestCreate_Refuses(t *testing.T) {
	good := Application{ID: "o", Institution: "I", Patient: "P", BillNo: "B0", CardNo: "C1", Channel: "wechat", Terminal: TerminalMini,
		Insured: true, Area: "440100"}
	for name, c := range map[string]struct {
		change func(*world, *Application)
		code   flow.Code
	}{
		"no id":           {func(_ *world, a *Application) { a.ID = "" }, flow.CodeBadRequest},
		"institution off": {func(w *world, _ *Application) { w.inst.Active = false }, flow.CodeInstitutionOff},
		"restored copy":   {func(w *world, _ *Application) { w.inst.Restored = true }, CodeRestoredCopy},
		"another's card":  {func(_ *world, a *Application) { a.CardNo = "C2" }, flow.CodeCardNotYours},
		"no such bill":    {func(_ *world, a *Application) { a.BillNo = "B9" }, "bill_gone"},
		"terminal":        {func(_ *world, a *Application) { a.Terminal = "fax" }, CodeTerminalInvalid},
		"area":            {func(w *world, _ *Application) { w.habits.Areas = []string{"440300"} }, CodeAreaOff},
		"other area":      {func(_ *world, a *Application) { a.Area = "440300" }, CodeIdentityMissing},
		"not insurable":   {func(w *world, _ *Application) { w.sides.bills[0].Insurable = false }, CodeNotInsurable},
		"insurance shut":  {func(w *world, _ *Application) { w.shut(KindOutpatient, Scene{Off: []string{WayInsured}}) }, CodeWayOff},
		"no amount":       {func(w *world, _ *Application) { w.sides.bills[0].Amount = 0 }, CodeBillUnreadable},
		"out of date":     {func(w *world, _ *Application) { w.sides.bills[0].PayBefore = w.clock }, CodeOrderExpired},
	} {
		w, a := calm(t, nil), good
		c.change(w, &a)
		if _, err := w.svc.Create(t.Context(), a); flow.CodeOf(err) != c.code {
			t.Errorf("%s: %v", name, err)
		}
	}
	w := calm(t, nil)
	first, err := w.svc.Create(t.Context(), good)
	again, err2 := w.svc.Create(t.Context(), good)
	if err != nil || err2 != nil || again.No != first.No || len(w.store.orders) != 1 {
		t.Error("the same id twice is one order:", err, err2)
	}
	other := good
	other.ID = "p"
	if _, err := w.svc.Create(t.Context(), other); flow.CodeOf(err) != CodeBillOrderExists {
		t.Error("a second order of a bill:", err)
	}
	other.ID, other.BillNo = "o", "B1"
	if _, err := w.svc.Create(t.Context(), other); flow.CodeOf(err) != flow.CodeConflict {
		t.Error("another bill under one id:", err)
	}
}

func TestCredential_OfAnotherPerson(t *testing.T) {
	w := calm(t, nil)
	if _, err := w.svc.Create(t.Context(), Application{ID: "o", Institution: "I", Patient: "P", BillNo: "B0", CardNo: "C1", Channel: "wechat",
		Terminal: TerminalMini, Insured: true, Area: "440100"}); err != nil {
		t.Fatal(err)
	}
	w.run(0)
	o := w.is(t, StatusCreated, "")
	if o.Next() != NextAuthorise {
		t.Error(o.Next())
	}
	relative := w.grant()
	relative.Holder = Person{Name: "司马丙", IDType: "01", IDNo: "440100198001010011"}
	if err := w.svc.Authorise(t.Context(), "o", relative, staff); flow.CodeOf(err) != CodeOtherPerson {
		t.Error("a stranger's credential:", err)
	}
	relative.Family = true
	if err := w.svc.Authorise(t.Context(), "o", relative, staff); err != nil {
		t.Error("a relative's credential:", err)
	}
	w.run(0)
	if o = w.is(t, StatusPaying, ""); !o.Secrets.Family || o.Secrets.Patient != patient || o.mixed(w.habits).Patient == nil ||
		o.mixed(w.habits).Holder.Name != "司马丙" {
		t.Errorf("payer and patient are two persons: %+v", o.Secrets)
	}
}

// TestHISRefuses_MoneyGoesBack: by HIS without the patient, or by credential.
func TestHISRefuses_MoneyGoesBack(t *testing.T) {
	for name, byHIS := range map[string]bool{"by HIS": true, "by credential": false} {
		s := says{"split": 2}
		w := calm(t, s, func(w *world) { w.habits.HISReverses = byHIS })
		w.order(t, true)
		s["write refused"] = 0
		w.pays(3)
		w.runFor(time.Minute)
		if !byHIS { // the credential of the payment still lives
			if w.sent(CallBack) != 1 || w.sent(CallUncharge) != 0 {
				w.fail("%s", name)
			}
		} else if w.sent(CallBack) != 0 || w.sent(CallUncharge) != 1 {
			w.fail("%s", name)
		}
		o := w.is(t, StatusRefunded, CodeHISRefused)
		if m := w.sides.moved(o); m.cash != m.back || m.insured != 0 || m.charged || w.sent(CallTold) != 1 || w.sent(CallToldHIS) != 0 {
			w.fail("%s: %+v", name, m)
		}
	}
}

func TestRefund_ByPart(t *testing.T) {
	s := says{"split": 2}
	w := calm(t, s)
	w.order(t, true)
	w.pays(3)
	w.is(t, StatusDone, "")
	ask := func(wish RefundWish) error {
		wish.Reason = "多收"
		_, err := w.svc.Refund(t.Context(), "o", wish, staff)
		return err
	}
	if err := ask(RefundWish{Kind: RefundCash, Cash: 600}); flow.CodeOf(err) != CodeOverPaid {
		t.Error("more than the cash:", err)
	}
	if err := ask(RefundWish{Kind: RefundCash, Cash: 100, HISRefundID: "H1"}); err != nil {
		t.Fatal(err)
	}
	w.runFor(time.Minute)
	o := w.is(t, StatusPartRefunded, "")
	if m := w.sides.moved(o); m.back != 100 || m.insured != 500 || o.CashKept() != 400 || w.sent(CallBack) != 0 {
		w.fail("%+v", m)
	}
	if err := ask(RefundWish{Kind: RefundCash, Cash: 100, HISRefundID: "H1"}); err != nil {
		t.Error("the same again:", err)
	}
	if err := ask(RefundWish{Kind: RefundCash, Cash: 200, HISRefundID: "H1"}); flow.CodeOf(err) != CodeRefundIDTaken {
		t.Error("other amounts under one number:", err)
	}
	if err := ask(RefundWish{Kind: RefundAll}); err != nil {
		t.Fatal(err)
	}
	w.runFor(time.Minute)
	w.is(t, StatusWaitAuth, "")
	if err := ask(RefundWish{Kind: RefundAll}); flow.CodeOf(err) != CodeRefundRunning {
		t.Error("a second one beside it:", err)
	}
	_ = w.svc.Authorise(t.Context(), "o", w.grant(), staff)
	w.runFor(time.Minute)
	o = w.is(t, StatusRefunded, "")
	if m := w.sides.moved(o); m.back != 500 || m.insured != 0 || m.charged || w.sent(CallBack) != 1 || w.sent(CallCashBack) != 2 ||
		w.sent(CallTold) != 1 || w.sent(CallToldHIS) != 2 {
		w.fail("%+v", m)
	}
}

func TestRefund_NobodyAuthorises(t *testing.T) {
	w := calm(t, says{"split": 0})
	w.order(t, true)
	w.pays(2)
	w.is(t, StatusDone, "")
	if _, err := w.svc.Refund(t.Context(), "o", RefundWish{Kind: RefundAll, Reason: "退费"}, staff); err != nil {
		t.Fatal(err)
	}
	w.run(0)
	w.is(t, StatusWaitAuth, "")
	w.run(8 * 24 * time.Hour)
	w.is(t, StatusSuspense, CodeRefundNoAuth)
	w.run(2 * time.Minute)
	p := flow.Proposal{Action: ActionKeep, By: staff, Reason: "患者不退了"}
	if err := w.svc.Propose(t.Context(), "o", p, ""); err != nil {
		t.Fatal(err)
	}
	if err := w.svc.Confirm(t.Context(), "o", flow.Seen{Action: ActionKeep}, staff, ""); flow.CodeOf(err) != flow.CodeSamePerson {
		t.Error("one person:", err)
	}
	if err := w.svc.Confirm(t.Context(), "o", flow.Seen{Action: ActionKeep}, people.By{Kind: people.ByStaff, ID: "t"}, ""); err != nil {
		t.Fatal(err)
	}
	if o := w.is(t, StatusDone, ""); o.Next() != NextNothing || w.sent(CallBack) != 0 {
		t.Errorf("%+v", o)
	}
}

func TestCancel_ClosesThenAsksThenRevokes(t *testing.T) {
	w := calm(t, says{"split": 2})
	w.order(t, true)
	if err := w.svc.Cancel(t.Context(), "o", people.By{Kind: people.ByPatient}); err != nil {
		t.Fatal(err)
	}
	w.runFor(time.Minute)
	o := w.is(t, StatusCancelled, "")
	if o.CashLeg != CashClosed || o.Insurance != InsuranceUndone || o.Secrets != (Secrets{}) {
		t.Fatalf("%+v", o)
	}
	if err := w.svc.Cancel(t.Context(), "o", staff); flow.CodeOf(err) != flow.CodeConflict {
		t.Error("a second time:", err)
	}
}

// TestCancel_PaidMeanwhile: F13, the payer had entered the password.
func TestCancel_PaidMeanwhile(t *testing.T) {
	s := says{"user paying": 0}
	w := calm(t, s)
	w.order(t, false)
	if err := w.svc.Cancel(t.Context(), "o", people.By{Kind: people.ByPatient}); err != nil {
		t.Fatal(err)
	}
	w.run(0)
	w.is(t, StatusUndoing, "")
	w.pays(1)
	w.runFor(time.Minute)
	w.is(t, StatusDone, "")
}

func TestPrice_AfterAnUnknownOutcomeIsAskedFor(t *testing.T) {
	for name, told := range map[string]int{"with amounts": 0, "without amounts": 1} {
		first := true
		w := calm(t, nil)
		w.pick = func(label string, n int) int {
			switch {
			case label == "price" && first: // its answer is lost
				first = false
				return 1
			case label == "amounts told":
				return told
			}
			return n - 1
		}
		w.order(t, true)
		w.runFor(time.Minute)
		w.is(t, StatusPaying, "")
		if n := w.sent(CallPrice); n != 1+told {
			t.Errorf("%s: %d times 6202", name, n)
		}
	}
}

func TestUpload_LostIsLost(t *testing.T) {
	lost := 0
	w := calm(t, nil)
	w.pick = func(label string, n int) int {
		if label == "upload" && lost < 2 {
			lost++
			return 1
		}
		return n - 1
	}
	w.order(t, true)
	w.runFor(2 * time.Minute)
	if o := w.is(t, StatusPaying, ""); w.sent(CallUpload) != 3 || !strings.HasSuffix(o.MedOrgOrd, "M03") {
		w.fail("%d uploads", w.sent(CallUpload))
	}
}

// TestUpload_NotTakenIsToldAsWhatItWas: words of the centre that nobody has listed
// prove nothing, but the patient is not told that the centre was silent.
func TestUpload_NotTakenIsToldAsWhatItWas(t *testing.T) {
	for want, denied := range map[flow.Code]flow.Reason{CodeCentreUnavailable: {},
		CodeInsuranceRefused: {Code: "2007", Message: "人员信息不一致", Denied: true}} {
		w := calm(t, nil)
		w.pick = func(label string, n int) int {
			if label == "upload" {
				return 0
			}
			return n - 1
		}
		w.denied = denied
		w.order(t, true)
		w.runFor(20 * time.Minute)
		if o := w.is(t, StatusCancelled, want); !strings.Contains(o.FailReason, denied.Message) {
			t.Errorf("%s: %q", want, o.FailReason)
		}
	}
}

// TestHalves_BelievesNothingElse is the table of what settles, what is lost and
// what waits.
func TestHalves_BelievesNothingElse(t *testing.T) {
	settled := 0
	for _, cash := range []CashState{CashOpen, CashPaid, CashClosed, CashReturned} {
		for _, ins := range []InsuranceState{InsurancePriced, InsuranceSettled, InsuranceFailed, InsuranceUndone, InsuranceReturned} {
			for _, mixed := range []MixedState{"", MixedOpen, MixedPaying, MixedPaid, MixedFailed, MixedRefunded} {
				o := Order{Insured: true, Split: Split{Total: 100, Fund: 50, Cash: 50}, CashLeg: cash, Insurance: ins}
				tn := &turn{w: Work{Order: o}}
				if mixed != "" {
					tn.saw.mixed, tn.saw.centre = &MixedAnswer{State: mixed}, &AtCentre{}
				}
				h := tn.halves()
				if h.cash && h.insurance {
					settled++
				}
				if (h.cash && h.insurance) != (cash == CashPaid && ins == InsuranceSettled) {
					t.Errorf("%s %s %s: %+v", cash, ins, mixed, h)
				}
				if h.insurance && h.insuranceLost || h.cash && h.cashLost {
					t.Errorf("%s %s %s: paid and lost", cash, ins, mixed)
				}
				if h.insuranceLost && ins == InsurancePriced && mixed != MixedFailed && mixed != MixedRefunded {
					t.Errorf("%s %s: lost by nothing", ins, mixed)
				}
			}
		}
	}
	if settled == 0 {
		t.Error("nothing settles")
	}
}

func TestMachine_Table(t *testing.T) {
	for _, s := range Machine.States() {
		for _, to := range Machine.Next(s) {
			if !Machine.Valid(to) {
				t.Errorf("%s leads to %s, which is no state", s, to)
			}
		}
		if !Resting(s) && s != StatusSuspense && !slices.Contains(Machine.Next(s), StatusSuspense) {
			t.Errorf("%s cannot be given to people", s)
		}
		if !Resting(s) && s != StatusSuspense && !Machine.Can(StatusSuspense, s) {
			t.Errorf("%s cannot be come back to", s)
		}
	}
}
