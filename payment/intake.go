package payment

import (
	"context"
	"errors"
	"time"

	"hospay/flow"
)

// Application is what a patient asks for: one bill to be paid through one
// channel.
type Application struct {
	ID          string // of the record, often client-made: the same twice is one order
	Institution string
	Patient     string
	BillNo      string
	CardNo      string
	Channel     string
	Terminal    Terminal
	Kiosk       string // which, of an order at a kiosk
	Insured     bool
	Area        string // 参保地, which HIS has been told before
	Benefit     string // the choice of benefit that HIS has been told; may be left out
	IP          string
	Back        string
}

// Create checks an application against what HIS says of the bill at this moment
// and makes its order. A bill has one order that is not at its end.
func (s *Service) Create(ctx context.Context, a Application) (Order, error) {
	if a.ID == "" {
		return Order{}, flow.NewError(flow.CodeBadRequest, "id")
	}
	if o, err := s.made(ctx, a); !errors.Is(err, flow.ErrNotFound) {
		return o, err
	}
	o, err := s.draft(ctx, a)
	if err == nil {
		err = s.store.Create(ctx, o)
	}
	if err != nil { // the same application may have become an order since it was looked for
		if before, again := s.made(ctx, a); !errors.Is(again, flow.ErrNotFound) {
			return before, again
		}
		return Order{}, err
	}
	return o, nil
}

// made is the order that the same application has made before. With any other
// content the id is a conflict.
func (s *Service) made(ctx context.Context, a Application) (Order, error) {
	w, err := s.store.Get(ctx, a.ID)
	o := w.Order
	switch {
	case err != nil:
		return Order{}, err
	case o.Institution != a.Institution || o.Patient != a.Patient || o.BillNo != a.BillNo || o.CardNo != a.CardNo || o.Channel != a.Channel ||
		o.Terminal != a.Terminal || o.Insured != a.Insured || a.Insured && o.Area != a.Area:
		return Order{}, flow.NewError(flow.CodeConflict, "id")
	}
	return o, nil
}

// draft is the order that an application makes, if it may be made.
func (s *Service) draft(ctx context.Context, a Application) (Order, error) {
	now := s.now()
	inst, life, err := s.mayPay(ctx, a)
	if err != nil {
		return Order{}, err
	}
	who, err := s.store.Insured(ctx, a.Patient, a.CardNo)
	if err != nil {
		return Order{}, err
	}
	payer, err := s.store.Payer(ctx, a.Patient, a.Channel, a.Terminal)
	switch {
	case err != nil:
		return Order{}, err
	case payer == "" && a.Terminal != TerminalKiosk:
		return Order{}, flow.NewError(flow.CodeChannelNotBound, a.Channel)
	}
	asker := Asker{a.Institution, a.Patient}
	if err := s.mayPayOf(ctx, asker, a.CardNo, a.BillNo); err != nil {
		return Order{}, err
	}
	bill, err := s.openBill(ctx, a, inst, now)
	switch {
	case err != nil:
		return Order{}, err
	case s.shown.other(asker, bill, now):
		return Order{}, flow.NewError(CodeBillChanged, "")
	}
	o := Order{Patient: a.Patient, Kind: bill.Kind, BillNo: bill.No, CardNo: a.CardNo, Title: bill.title(), Channel: a.Channel,
		Terminal: a.Terminal, Kiosk: a.Kiosk, Created: now, Insured: a.Insured, ExpiresAt: now.Add(life)}
	o.Order = flow.Order{ID: a.ID, No: OrderNo(a.ID, now), Institution: a.Institution, Status: StatusCreated, NextAt: now}
	if before := bill.PayBefore; !before.IsZero() && before.Before(o.ExpiresAt) {
		o.ExpiresAt = before
	}
	o.Total = bill.Amount
	o.Secrets = Secrets{Patient: Person{Name: who.Name, IDType: who.IDType, IDNo: who.IDNo}, Payer: payer, IP: a.IP, Back: a.Back}
	if !a.Insured {
		o.Cash = o.Total
		return o, nil
	}
	o.Insurance, o.Area = InsuranceOpen, a.Area
	o.Insutype, o.MedType = bill.Visit.Insutype, bill.Visit.MedType
	return o, nil
}

// mayPay checks what can be checked without the bill, and says how long the
// order lives.
func (s *Service) mayPay(ctx context.Context, a Application) (Institution, time.Duration, error) {
	inst, err := s.dir.Institution(ctx, a.Institution)
	switch {
	case err != nil:
	case !inst.Active:
		err = flow.NewError(flow.CodeInstitutionOff, "")
	case inst.Restored:
		err = flow.NewError(CodeRestoredCopy, "")
	case !a.Terminal.Valid():
		err = flow.NewError(CodeTerminalInvalid, string(a.Terminal))
	}
	if err != nil {
		return inst, 0, err
	}
	life, err := s.mayPayThrough(ctx, a)
	return inst, life, err
}

// mayPayThrough is the same for the channel and the insurance centre.
func (s *Service) mayPayThrough(ctx context.Context, a Application) (time.Duration, error) {
	ch, err := s.dir.Channel(ctx, a.Institution, a.Channel)
	life := s.timing.OrderFor
	if a.Terminal == TerminalKiosk {
		life = min(life, s.timing.KioskFor)
	}
	if err != nil || !a.Insured {
		return life, err
	}
	centre, err := s.dir.Centre(ctx, a.Institution)
	if err != nil {
		return 0, err
	}
	h := centre.Habits()
	if a.Terminal == TerminalKiosk {
		if err := s.mayInsureAtKiosk(ctx, a); err != nil {
			return 0, err
		}
	}
	switch {
	case ch.MedIns == nil && a.Terminal != TerminalKiosk:
		return 0, flow.NewError(CodeInsuranceOff, a.Channel)
	case !h.areaTaken(a.Area):
		return 0, flow.NewError(CodeAreaOff, a.Area)
	}
	return min(h.OrderFor, life), nil
}

// openBill reads the bill at HIS, as it is to be paid.
func (s *Service) openBill(ctx context.Context, a Application, inst Institution, now time.Time) (Bill, error) {
	his, err := s.dir.HIS(ctx, a.Institution)
	if err != nil {
		return Bill{}, err
	}
	asking, cancel := context.WithTimeout(ctx, s.timing.Call)
	defer cancel()
	bill, err := his.Bill(asking, a.CardNo, a.BillNo)
	switch {
	case err != nil:
		return Bill{}, err
	case bill.Amount <= 0 || !bill.Kind.Valid() || bill.No == "":
		return Bill{}, flow.NewError(CodeBillUnreadable, "")
	case !bill.PayBefore.IsZero() && !now.Before(bill.PayBefore):
		return Bill{}, flow.NewError(CodeOrderExpired, "")
	case inst.Scenes[bill.Kind].shut(a.Insured) != nil:
		return Bill{}, inst.Scenes[bill.Kind].shut(a.Insured)
	case !a.Insured:
		return bill, nil
	case !bill.Insurable || bill.Visit == nil:
		return Bill{}, flow.NewError(CodeNotInsurable, bill.Reason)
	case bill.Visit.Area != a.Area || bill.Visit.PsnNo == "":
		return Bill{}, flow.NewError(CodeIdentityMissing, "")
	case a.Benefit == "":
		return bill, nil
	}
	return bill, s.pricedFor(ctx, a, *bill.Visit)
}

// pricedFor reports whether HIS prices a visit for the benefit that the patient
// has chosen. What HIS does not tell is left to the insurance.
func (s *Service) pricedFor(ctx context.Context, a Application, v Visit) error {
	_, b, err := s.benefit(ctx, Asker{a.Institution, a.Patient}, Choice{CardNo: a.CardNo, Area: a.Area, Benefit: a.Benefit})
	if err != nil {
		return err
	}
	other := func(chosen, priced string) bool { return chosen != "" && priced != "" && chosen != priced }
	if other(b.Insutype, v.Insutype) || other(b.MedType, v.MedType) || other(b.DiseCode, v.DiseCode) {
		return flow.NewError(CodeIdentityMissing, "")
	}
	return nil
}

// title is what the payer reads at the channel.
func (b Bill) title() string {
	switch {
	case b.Title != "":
		return b.Title
	case b.Kind == KindRegistration:
		return "挂号费"
	}
	return "门诊费用"
}

// Page is what the payer's client opens the channel's page with, while the order
// can be paid; ok is false where it cannot. Once the insurance has paid alone, the
// cash is asked for as an ordinary payment.
func (s *Service) Page(ctx context.Context, w Work) (page Page, ok bool, err error) {
	t, err := s.begin(ctx, w)
	if err != nil {
		return Page{}, false, err
	}
	o := t.w.Order
	if o.Status != StatusPaying || o.CancelWish || t.expired() || o.CashLeg == CashPaid || t.inst.Restored {
		return Page{}, false, nil
	}
	ch, err := t.channel(ctx)
	if err != nil {
		return Page{}, false, err
	}
	if o.direct() && o.Insurance != InsuranceSettled { // the cash is asked for once the insurance has paid
		return Page{}, false, nil
	}
	if !o.Insured || o.Insurance == InsuranceSettled && o.CashLeg == CashOpen {
		page, err = ch.TradePage(o.trade())
		return page, err == nil, err
	}
	h, err := t.habits(ctx)
	if err != nil {
		return Page{}, false, err
	}
	page, err = ch.MedIns.MixedPage(o.mixed(h))
	return page, err == nil, err
}

// Next is what an order waits for, in a word that the language files turn into a
// sentence.
type Next string

// What an order waits for.
const (
	NextNothing   Next = ""          // it rests
	NextWait      Next = "wait"      // hospay goes on by itself
	NextAuthorise Next = "authorise" // the patient authorises
	NextAgree     Next = "agree"     // the patient looks at who pays what, at a kiosk
	NextPay       Next = "pay"       // the patient pays
	NextConfirm   Next = "confirm"   // money was received and the hospital is confirming: not to be paid again
	NextPeople    Next = "people"    // the hospital's people
)

// Next says what an order waits for.
func (o Order) Next() Next {
	received := o.CashLeg == CashPaid || o.Insurance == InsuranceSettled
	switch s := o.Status; {
	case Resting(s):
		return NextNothing
	case s == StatusSuspense:
		return NextPeople
	case s == StatusWaitAuth, s == StatusCreated && o.Insured:
		return NextAuthorise
	case s == StatusPriced && o.direct() && !o.Agreed && !o.CancelWish:
		return NextAgree
	case s == StatusPaying && o.direct() && !o.CancelWish && o.CashLeg == CashOpen: // the insurance first
		if o.Insurance == InsuranceSettled {
			return NextPay
		}
		return NextWait
	case s == StatusPaying && !received && !o.CancelWish:
		return NextPay
	case received && (s == StatusPaying || s == StatusSettled || s == StatusWriting):
		return NextConfirm
	}
	return NextWait
}
