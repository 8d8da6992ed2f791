package payment

import (
	"context"
	"regexp"

	"hospay/flow"
	"hospay/people"
)

// Shown is what somebody shows at a kiosk to say who they are.
type Shown struct {
	Way  ShownWay
	No   string // of the way; a secret
	Kind Kind   // what they have come for
}

// ShownWay is a way to say who one is.
type ShownWay string

// The ways that HIS is asked about.
const (
	ShownCredential ShownWay = "credential"  // 医保码, as a scanner types it
	ShownSocialCard ShownWay = "social_card" // 社会保障卡, as a reader tells it
)

// Bearer is who has shown something, as HIS knows them.
type Bearer struct {
	Person
	PatientNo string
	Phone     string
	EcToken   string // what the insurance is paid with, where HIS gives it; a secret
}

// GrantOfKiosk is where a credential is kept that was shown at a kiosk: no channel
// has given it, and none takes it.
const GrantOfKiosk = "kiosk"

// shownForms are what scanners and readers tell.
var shownForms = map[ShownWay]*regexp.Regexp{
	ShownCredential: regexp.MustCompile(`^[0-9A-Za-z]{28}$`), ShownSocialCard: regexp.MustCompile(`^[0-9A-Za-z]{6,40}$`),
}

// Bearer asks HIS who has shown something at a kiosk. What no scanner or reader
// would tell does not leave.
func (s *Service) Bearer(ctx context.Context, institution string, shown Shown) (Bearer, error) {
	form := shownForms[shown.Way]
	if form == nil || !form.MatchString(shown.No) || !shown.Kind.Valid() {
		return Bearer{}, flow.NewError(CodeShownUnreadable, "")
	}
	return answer(ctx, s, Asker{Institution: institution}, func(c HISCan) bool { return c.Bearer }, CodeShownOff,
		func(ctx context.Context, h HIS) (Bearer, error) { return h.Bearer(ctx, shown) })
}

// KeepShown keeps the credential that a patient has shown at a kiosk for their next
// order there. A region without insurance, and a HIS that settles none, has no use
// for it.
func (s *Service) KeepShown(ctx context.Context, institution, patient string, b Bearer) error {
	can, err := s.KioskInsures(ctx, institution)
	if err != nil || !can || b.EcToken == "" {
		return err
	}
	h, err := s.habitsOf(ctx, institution)
	if err != nil {
		return err
	}
	return s.store.KeepCredential(ctx, patient, GrantOfKiosk,
		Grant{Credential: Credential{EcToken: b.EcToken}, Holder: b.Person, Until: s.now().Add(h.AuthFor)})
}

// KioskInsures reports whether a kiosk takes insurance here.
func (s *Service) KioskInsures(ctx context.Context, institution string) (bool, error) {
	if _, err := s.dir.Centre(ctx, institution); err != nil {
		return false, orNone(err, CodeInsuranceOff)
	}
	his, err := s.dir.HIS(ctx, institution)
	return err == nil && his.Can().Settle, err
}

// orNone takes a code that says that there is none for no error.
func orNone(err error, none flow.Code) error {
	if flow.CodeOf(err) == none {
		return nil
	}
	return err
}

// GrantedAtKiosk is the credential that a patient has shown at a kiosk and no order
// has taken yet; ok is false where there is none.
func (s *Service) GrantedAtKiosk(ctx context.Context, patient string) (g Grant, ok bool, err error) {
	return s.Granted(ctx, AuthoriseAsk{Patient: patient, Channel: GrantOfKiosk})
}

// mayInsureAtKiosk wants the credential before the order: nobody authorises
// afterwards at a kiosk.
func (s *Service) mayInsureAtKiosk(ctx context.Context, a Application) error {
	can, err := s.KioskInsures(ctx, a.Institution)
	if err == nil && !can {
		err = flow.NewError(CodeInsuranceOff, "")
	}
	if err != nil {
		return err
	}
	_, ok, err := s.GrantedAtKiosk(ctx, a.Patient)
	if err == nil && !ok {
		err = flow.NewError(CodeNotAuthorised, "")
	}
	return err
}

// Agree lets the insurance be settled whose split the patient has seen at a kiosk.
// Twice is once.
func (s *Service) Agree(ctx context.Context, id string, by people.By) error {
	return flow.Retry(func() error {
		t, err := s.load(ctx, id)
		if err != nil {
			return err
		}
		o := &t.w.Order
		switch {
		case o.direct() && o.Agreed:
			return nil
		case !o.direct() || o.Status != StatusPriced || o.CancelWish:
			return flow.NewError(flow.CodeConflict, string(o.Status))
		case t.expired():
			return flow.NewError(CodeOrderExpired, "")
		}
		o.Agreed = true
		t.DueNow()
		t.Note("insurance.agreed", by, "", "")
		return t.commit(ctx, false)
	})
}

// direct reports whether the insurance of an order is settled without a channel.
func (o Order) direct() bool { return o.Insured && o.Terminal == TerminalKiosk }

// grantKey is where the credential of an order is kept.
func (o Order) grantKey() string {
	if o.direct() {
		return GrantOfKiosk
	}
	return o.Channel
}

// InsuranceSettle is what HIS settles at the insurance with a credential that was
// shown.
type InsuranceSettle struct {
	OrderNo, BillNo, CardNo      string
	Kind                         Kind
	PayOrdID, MedOrgOrd, MdtrtID string
	EcToken                      string
	Split
}

// kioskInsurance stands in the place of a channel's insurance for an order at a
// kiosk: HIS settles it with the credential that was shown, the centre proves it,
// and the cash is an ordinary payment afterwards. Who settles at a kiosk, and how,
// stands in no public text; a HIS whose mapping does not offer it has no insurance
// at kiosks.
type kioskInsurance struct {
	his    func(context.Context) (HIS, error)
	centre func(context.Context) (Centre, error)
	order  Order
}

// insured puts the kiosk's way in the place of the channel's, where the order is
// one of a kiosk.
func (t *turn) insured(ch Channel) Channel {
	if t.w.Order.direct() {
		ch.MedIns = kioskInsurance{t.his, t.centre, t.w.Order}
	}
	return ch
}

var notHere = flow.Reason{Code: "not_supported", Message: "自助机的医保结算不经过支付渠道"}

// Authorisation implements MedIns.
func (kioskInsurance) Authorisation(context.Context, AuthorisationAsk) Authorisation {
	return Authorisation{Verdict: flow.Refused, Reason: notHere}
}

// Credential implements MedIns.
func (kioskInsurance) Credential(context.Context, AuthorisationAsk, string) Authorisation {
	return Authorisation{Verdict: flow.Refused, Reason: notHere}
}

// OpenMixed has HIS settle the insurance's part, unless the centre says that it is
// settled, or does not answer. What HIS says counts only where it refuses; that
// something was settled is the centre's to say.
func (k kioskInsurance) OpenMixed(ctx context.Context, m Mixed) MixedAnswer {
	if before := k.QueryMixed(ctx, m); before.Verdict != flow.Done || before.State != MixedOpen {
		return before
	}
	his, err := k.his(ctx)
	if err != nil {
		return MixedAnswer{Reason: flow.Reason{Code: string(flow.CodeOf(err))}}
	}
	o := k.order
	if o.Secrets.Ec == "" { // nothing was shown
		return MixedAnswer{Verdict: flow.Refused, Reason: flow.Reason{Code: string(CodeNotAuthorised), Actor: flow.ActorPatient}}
	}
	ans := his.SettleInsurance(ctx, InsuranceSettle{OrderNo: o.No, BillNo: o.BillNo, CardNo: o.CardNo, Kind: o.Kind, PayOrdID: o.PayOrdID,
		MedOrgOrd: o.MedOrgOrd, MdtrtID: o.MdtrtID, EcToken: o.Secrets.Ec, Split: o.Split})
	if ans.Verdict != flow.Done {
		return MixedAnswer{Verdict: ans.Verdict, Reason: ans.Reason}
	}
	return k.QueryMixed(ctx, m)
}

// QueryMixed asks the centre (6301).
func (k kioskInsurance) QueryMixed(ctx context.Context, _ Mixed) MixedAnswer {
	if k.order.PayOrdID == "" {
		return MixedAnswer{Verdict: flow.Done, State: MixedNotFound}
	}
	centre, err := k.centre(ctx)
	if err != nil {
		return MixedAnswer{Reason: flow.Reason{Code: string(flow.CodeOf(err))}}
	}
	a := centre.Query(ctx, k.order.ref())
	if a.Verdict != flow.Done {
		return MixedAnswer{Verdict: a.Verdict, Reason: a.Reason}
	}
	out := MixedAnswer{Verdict: flow.Done, Reason: a.Reason, State: MixedUnclear, MixNo: k.order.PayOrdID, Told: a.Told, Total: a.Total,
		Fund: a.Fund, Account: a.Account, Cash: a.Cash}
	switch g := a.Stas.Group(); {
	case g == Settled, a.Stas == StasInsuranceDone, a.Stas == StasRefundedCash, a.Stas == StasRefundedPart:
		out.State = MixedPaid
	case g == Processing, g == Candidate:
		out.State = MixedOpen
	case g == Refunded:
		out.State = MixedRefunded
	case g == Cancelled, g == Failed:
		out.State = MixedFailed
	}
	return out
}

// CloseMixed implements MedIns: the centre's own 6401 undoes what is not settled.
func (kioskInsurance) CloseMixed(context.Context, Mixed) MixedAnswer {
	return MixedAnswer{Verdict: flow.Refused, Reason: notHere}
}

// TellRefund implements MedIns: no channel had a part in it.
func (kioskInsurance) TellRefund(context.Context, MixedRefund) flow.Answer {
	return flow.Answer{Verdict: flow.Done, Report: flow.ReportDone, Said: "nobody"}
}

// MixedPage implements MedIns: there is no page of a channel to open. The cash is
// shown as an ordinary payment (Service.Page).
func (kioskInsurance) MixedPage(Mixed) (Page, error) { return Page{}, nil }

// MixedTraits implements MedIns.
func (kioskInsurance) MixedTraits() flow.Traits { return flow.Traits{Queryable: true} }
