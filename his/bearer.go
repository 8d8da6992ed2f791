package his

import (
	"context"
	"errors"

	"hospay/flow"
	"hospay/payment"
)

// certTypes are the insurance's words (mdtrt_cert_type) for what is shown, and
// businesses those for what somebody has come for.
var (
	certTypes  = map[payment.ShownWay]string{payment.ShownCredential: "01", payment.ShownSocialCard: "03"}
	businesses = map[payment.Kind]string{payment.KindRegistration: "01101", payment.KindOutpatient: "01301"}
)

// Bearer asks who has shown a credential or a card at a kiosk. An answer without
// the person's number, name and ID number is nobody.
func (e *Engine) Bearer(ctx context.Context, s payment.Shown) (payment.Bearer, error) {
	values := map[string]string{"cert_type": certTypes[s.Way], "cert_no": s.No, "business": businesses[s.Kind]}
	a, err := e.read(ctx, OpBearer, values, flow.CodePatientNotFound)
	if err != nil {
		return payment.Bearer{}, err
	}
	text := func(field string) string { return pick(a.doc, a.Fields[field]) }
	b := payment.Bearer{PatientNo: text("patient_no"), Phone: text("phone"), EcToken: text("ec_token"),
		Person: payment.Person{Name: text("name"), IDType: text("id_type"), IDNo: text("id_no")}}
	switch {
	case b.PatientNo == "" || b.Name == "" || b.IDNo == "":
		return payment.Bearer{}, unavailable(OpBearer, errors.New("answer has no patient number, no name or no ID number"))
	case broken(b.PatientNo, b.Name, b.IDNo, b.Phone, b.EcToken):
		return payment.Bearer{}, unavailable(OpBearer, errors.New("a field has bytes that are no characters"))
	}
	return b, nil
}

// SettleInsurance has the HIS settle the insurance's part of a payment at a kiosk.
// Done says that it has taken it, and no more.
func (e *Engine) SettleInsurance(ctx context.Context, s payment.InsuranceSettle) flow.Answer {
	m := e.mapping
	a, err := e.call(ctx, OpSettle, map[string]string{"order_no": s.OrderNo, "bill_no": s.BillNo, "card_no": s.CardNo,
		"business": businesses[s.Kind], "pay_ord_id": s.PayOrdID, "med_org_ord": s.MedOrgOrd, "mdtrt_id": s.MdtrtID, "ec_token": s.EcToken,
		"total": m.amount(s.Total), "fund": m.amount(s.Fund), "account": m.amount(s.Account), "other": m.amount(s.Other),
		"cash": m.amount(s.Cash)})
	if err != nil {
		return flow.Answer{Reason: unknown(err).Reason}
	}
	verdict, reason := m.reason(a.code, e.message(a))
	if verdict == flow.Done {
		if err := a.sound(); err != nil {
			return flow.Answer{Reason: unknown(err).Reason}
		}
	}
	return flow.Answer{Verdict: verdict, Reason: reason, Said: "taken"}
}
