package payment

import (
	"context"
	"slices"
	"time"

	"hospay/flow"
	"hospay/people"
)

// readBill reads the bill again at HIS: one that was paid at the window meanwhile,
// is gone, or has another price ends the order, and nothing is charged. ok is
// false when the order has moved or waits.
func (t *turn) readBill(ctx context.Context) (ok bool, err error) {
	his, err := t.his(ctx)
	if err != nil {
		return false, err
	}
	o := &t.w.Order
	asking, cancel := context.WithTimeout(ctx, t.timing.Call)
	defer cancel()
	bill, err := his.Bill(asking, o.CardNo, o.BillNo)
	t.At = t.now()
	switch code := flow.CodeOf(err); {
	case err != nil && (code == "" || code == flow.CodeHISUnavailable || flow.Broken(err)):
		t.untilExpiry(flow.Step(t.timing.Unknown, o.Tries))
		o.Tries++
		return false, nil
	case err != nil:
		t.abandon(StatusCancelled, "bill.refused", people.System(), code, flow.DetailOf(err))
	case bill.Amount != o.Total || bill.Kind != o.Kind:
		t.abandon(StatusCancelled, "bill.changed", people.System(), CodeBillChanged, "HIS "+bill.Amount.Yuan())
	case o.Insured && (!bill.Insurable || bill.Visit == nil):
		t.abandon(StatusCancelled, "bill.changed", people.System(), CodeNotInsurable, bill.Reason)
	case o.Insured && bill.Visit.Area != o.Area:
		t.abandon(StatusCancelled, "bill.changed", people.System(), CodeIdentityMissing, "")
	default:
		t.bill, o.Tries = &bill, 0
		return true, nil
	}
	return false, nil
}

// untilExpiry waits, but not beyond the order's life.
func (t *turn) untilExpiry(d time.Duration) {
	t.Wait(d)
	if o := t.w.Order; !o.ExpiresAt.IsZero() && o.NextAt.After(o.ExpiresAt) && t.At.Before(o.ExpiresAt) {
		t.w.Order.NextAt = o.ExpiresAt
	}
}

// stepCreated opens an order without insurance, and waits with one for the
// patient's credential.
func (t *turn) stepCreated(ctx context.Context) (bool, error) {
	o := &t.w.Order
	if target, code := t.unwanted(); target != "" {
		t.abandon(target, "order."+string(target), people.System(), code, "")
		return false, t.commit(ctx, false)
	}
	if o.Insured {
		if !t.authorised() && !t.takeGrant(ctx) {
			o.NextAt = o.ExpiresAt
			return false, t.commit(ctx, false)
		}
		t.Move(StatusIdentified, "order.identified", people.System(), "", "")
		return true, t.commit(ctx, true)
	}
	ok, err := t.readBill(ctx)
	if err != nil || !ok {
		return false, orCommit(err, func() error { return t.commit(ctx, false) })
	}
	t.openTrade()
	t.Move(StatusOpening, "order.opening", people.System(), "", "")
	return true, t.commit(ctx, true)
}

// authorised reports whether the order holds a credential that lives.
func (t *turn) authorised() bool {
	s := t.w.Order.Secrets
	return s.credential().Single() && (s.Until.IsZero() || t.At.Before(s.Until))
}

// takeGrant gives the order the credential that its patient has authorised with.
func (t *turn) takeGrant(ctx context.Context) bool {
	o := &t.w.Order
	g, err := t.store.Credential(ctx, o.Patient, o.grantKey())
	if err != nil || !g.Single() || !t.At.Before(g.Until) || !g.fits(o.Secrets.Patient) {
		return false
	}
	if g, err = t.store.TakeCredential(ctx, o.Patient, o.grantKey()); err != nil || !g.Single() {
		return false
	}
	o.Secrets.grant(g)
	return true
}

func (s *Secrets) grant(g Grant) {
	s.Auth, s.Ec, s.Holder, s.Family, s.Until = g.PayAuthNo, g.EcToken, g.Holder, g.Family, g.Until
	s.Location, s.City = g.Location, g.City
	if s.Holder.IDNo == "" && !g.Family { // a channel that does not tell whose it is: the patient's own
		s.Holder = s.Patient
	}
}

// stepIdentified reads the bill as HIS prices it for the insurance and uploads
// it.
func (t *turn) stepIdentified(ctx context.Context) (bool, error) {
	o := &t.w.Order
	if target, code := t.unwanted(); target != "" {
		t.abandon(target, "order."+string(target), people.System(), code, "")
		return false, t.commit(ctx, false)
	}
	if !t.authorised() {
		o.Secrets.forgetCredential()
		t.Move(StatusCreated, "credential.expired", people.System(), string(CodeNotAuthorised), "")
		o.NextAt = o.ExpiresAt
		return false, t.commit(ctx, false)
	}
	ok, err := t.readBill(ctx)
	if err != nil || !ok {
		return false, orCommit(err, func() error { return t.commit(ctx, false) })
	}
	t.intendUpload()
	t.Move(StatusUploading, "order.uploading", people.System(), "", "")
	return true, t.commit(ctx, true)
}

func (t *turn) intendUpload() {
	t.intend(CallUpload, t.w.Order.Total, func(no string) string { return t.upload(no).Hash() })
}

// upload is the bill of this turn under a number.
func (t *turn) upload(no string) Upload {
	o := t.w.Order
	return Upload{No: no, Batch: "B" + no[1:], Credential: o.Secrets.credential(), Person: o.Secrets.Patient, Total: o.Total,
		Location: o.Secrets.Location, Visit: *t.bill.Visit}
}

// stepUploading brings the bill to the centre (6201), then asks for the price
// (6202).
func (t *turn) stepUploading(ctx context.Context) (bool, error) {
	if target, code := t.unwanted(); target != "" {
		t.abandon(target, "order."+string(target), people.System(), code, "")
		return t.w.Order.Status == StatusUndoing, t.commit(ctx, t.w.Order.Status == StatusUndoing)
	}
	switch up := t.w.Calls[CallUpload]; {
	case up.State == flow.CallDone:
		return t.stepPrice(ctx)
	case over(up): // lost; it was harmless
		ok, err := t.readBill(ctx)
		if err != nil || !ok {
			return false, orCommit(err, func() error { return t.commit(ctx, false) })
		}
		t.intendUpload()
		return true, t.commit(ctx, true)
	}
	return t.stepUpload(ctx)
}

func (t *turn) stepUpload(ctx context.Context) (bool, error) {
	centre, err := t.centre(ctx)
	if err != nil {
		return false, err
	}
	o, up := &t.w.Order, t.w.Calls[CallUpload]
	var heard Uploaded
	outcome, ans, err := t.run(ctx, flow.Exchange{
		Call: up, Traits: flow.Traits{Harmless: true},
		Send: func(ctx context.Context) flow.Answer {
			heard = centre.Upload(ctx, t.upload(up.No))
			return flow.Answer{Verdict: heard.Verdict, Reason: heard.Reason, Report: flow.ReportDone, Said: "done", Theirs: heard.PayOrdID}
		},
	})
	switch {
	case err != nil:
		return false, err
	case outcome == flow.OutcomeHeard:
		up.State, up.DoneAt = flow.CallDone, t.At
		v := t.bill.Visit
		o.MedOrgOrd, o.Batch, o.PayOrdID, o.Secrets.Token = up.No, t.upload(up.No).Batch, heard.PayOrdID, heard.PayToken
		o.MdtrtID, o.FeeType, o.Insutype, o.MedType = v.MdtrtID, v.FeeType, v.Insutype, v.MedType
		if heard.MdtrtID != "" {
			o.MdtrtID = heard.MdtrtID
		}
		o.Insurance = InsuranceUploaded
		t.Note("insurance.uploaded", byCentre(), "", "")
		t.intendPrice()
		return true, t.commit(ctx, true)
	case outcome == flow.OutcomeRefused:
		t.refusedByCentre(ans.Reason)
	case outcome == flow.OutcomeLost && up.Attempt >= t.timing.Uploads:
		t.finish(up)
		t.abandon(StatusCancelled, "upload.lost", people.System(), notTaken(ans.Reason), ans.Reason.String())
	case outcome == flow.OutcomeLost:
		t.finish(up)
		t.untilExpiry(flow.Step(t.timing.Unknown, up.Attempt-1))
	}
	return false, t.commit(ctx, false)
}

// notTaken is why an upload came to nothing: the centre said no in words that
// nobody has listed, or was silent.
func notTaken(r flow.Reason) flow.Code {
	if r.Denied {
		return CodeInsuranceRefused
	}
	return CodeCentreUnavailable
}

// refusedByCentre ends an order that the insurance does not take; nothing is
// charged.
func (t *turn) refusedByCentre(r flow.Reason) {
	code := CodeInsuranceRefused
	if r.Actor == flow.ActorPatient {
		code = CodeNotAuthorised
	}
	t.abandon(StatusCancelled, "insurance.refused", people.System(), code, r.String())
}

func (t *turn) intendPrice() {
	t.intend(CallPrice, t.w.Order.Total, func(no string) string { return t.w.Order.price(no).Hash() })
}

// stepPrice asks who pays what. A serial is sent once; after an unknown outcome
// 6301 is asked, and where it tells no amounts a new serial may be sent: the
// question moves nothing.
func (t *turn) stepPrice(ctx context.Context) (bool, error) {
	centre, err := t.centre(ctx)
	if err != nil {
		return false, err
	}
	p := t.w.Calls[CallPrice]
	if p == nil || over(p) {
		t.intendPrice()
		return true, t.commit(ctx, true)
	}
	var split *Split
	outcome, ans, err := t.run(ctx, flow.Exchange{
		Call: p, Traits: flow.Traits{Queryable: true},
		Send: func(ctx context.Context) flow.Answer {
			a := centre.Price(ctx, t.w.Order.price(p.No))
			split = &a.Split
			return flow.Answer{Verdict: a.Verdict, Reason: a.Reason, Report: flow.ReportDone, Said: "priced"}
		},
		Ask: func(ctx context.Context) flow.Answer {
			a := centre.Query(ctx, t.w.Order.ref())
			split = &a.Split
			return a.price()
		},
	})
	switch {
	case err != nil:
		return false, err
	case outcome == flow.OutcomeHeard && ans.Report == flow.ReportDone:
		return t.priced(ctx, centre.Habits(), *split)
	case outcome == flow.OutcomeHeard && ans.Said == "beyond":
		t.abandon(StatusCancelled, "price.beyond", people.System(), CodeAmountsOdd, ans.Reason.Message)
	case outcome == flow.OutcomeHeard && p.Attempt >= t.timing.Prices:
		t.abandon(StatusCancelled, "price.untold", people.System(), CodeAmountsOdd, p.Message)
	case outcome == flow.OutcomeHeard:
		t.finish(p)
		t.untilExpiry(flow.Step(t.timing.Unknown, p.Attempt-1))
	case outcome == flow.OutcomeRefused:
		t.refusedByCentre(ans.Reason)
	case t.w.Order.Status == StatusUploading:
		t.untilExpiry(t.w.Order.NextAt.Sub(t.At))
	}
	undoing := t.w.Order.Status == StatusUndoing
	return undoing, t.commit(ctx, undoing)
}

// price is what 6301 says of an order whose price is open.
func (a AtCentre) price() flow.Answer {
	out := flow.Answer{Verdict: a.Verdict, Reason: a.Reason}
	switch {
	case a.Stas.Group() != Processing:
		out.Report, out.Said = flow.ReportFailed, "beyond"
	case a.Stas != StasSaved && a.Told:
		out.Report, out.Said = flow.ReportDone, "priced"
	default:
		out.Report, out.Said = flow.ReportFailed, "unpriced"
	}
	return out
}

// priced books who pays what.
func (t *turn) priced(ctx context.Context, h Habits, s Split) (bool, error) {
	o, p := &t.w.Order, t.w.Calls[CallPrice]
	added, reduced := s.Delivery, s.Deposit
	if h.HospPartAsReduce {
		reduced += s.HospitalPart
	}
	if s.Total != o.Total || s.Cash+added < reduced {
		t.abandon(StatusCancelled, "price.odd", people.System(), CodeAmountsOdd, "总额 "+s.Total.Yuan()+"，现金 "+s.Cash.Yuan())
		return true, t.commit(ctx, true)
	}
	p.State, p.DoneAt = flow.CallDone, t.At
	o.Split, o.Added, o.Reduced = s, added, reduced
	o.Insurance = InsurancePriced
	if until := t.At.Add(h.PriceFor); h.PriceFor > 0 && until.Before(o.ExpiresAt) {
		o.ExpiresAt = until
	}
	t.Move(StatusPriced, "insurance.priced", byCentre(), "", "")
	return true, t.commit(ctx, true)
}

// areaTaken reports whether people insured in an area are taken.
func (h Habits) areaTaken(area string) bool {
	return len(h.Areas) == 0 || slices.Contains(h.Areas, area)
}

// orCommit commits unless something has failed before.
func orCommit(err error, commit func() error) error {
	if err != nil {
		return err
	}
	return commit()
}
