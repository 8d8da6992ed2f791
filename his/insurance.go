package his

import (
	"context"
	"errors"
	"strings"

	"hospay/flow"
	"hospay/payment"
)

// Areas reads where a patient may be insured (参保地). A row without code or
// name is left out.
func (e *Engine) Areas(ctx context.Context) ([]payment.Area, error) {
	a, err := e.read(ctx, OpAreas, map[string]string{})
	if err != nil {
		return nil, err
	}
	rows, err := a.rows()
	if err != nil {
		return nil, unavailable(OpAreas, err)
	}
	out := make([]payment.Area, 0, len(rows))
	for _, row := range rows {
		r := e.reader(row, a.Fields, a.Values)
		if area := (payment.Area{Code: r.must("code"), Name: r.text("name"), Own: r.yes("own", false)}); area.Code != "" && area.Name != "" {
			out = append(out, area)
		}
	}
	return out, nothing(OpAreas, len(rows), len(out))
}

func insuredValues(who payment.Insured, area string) map[string]string {
	return map[string]string{"patient_no": who.PatientNo, "card_no": who.CardNo, "id_type": who.IDType, "id_no": who.IDNo, "name": who.Name,
		"area": area}
}

// Enrolment asks whether a patient is insured in an area, and how a visit can be
// settled there. A HIS may say "no" by a code, by a flag, or by the states of
// the insurances that it lists.
func (e *Engine) Enrolment(ctx context.Context, who payment.Insured, area string) (payment.Enrolment, error) {
	a, err := e.read(ctx, OpEnrolment, insuredValues(who, area), flow.CodePatientNotFound, flow.CodeCardNotYours, payment.CodeAreaOff,
		payment.CodeNotEnrolled)
	switch {
	case flow.CodeOf(err) == payment.CodeNotEnrolled:
		return payment.Enrolment{Reason: e.message(a)}, nil
	case err != nil:
		return payment.Enrolment{}, err
	}
	r := e.reader(a.doc, a.Fields, a.Values)
	said := enrolled{reason: r.text("reason"), psnNo: r.number("psn_no"), area: area}
	if no := !r.yes("enrolled", true); no && len(r.unread) == 0 {
		return said.judge()
	}
	rows, ok := r.rows("benefits", a.Lists)
	if !ok || len(r.unread) > 0 {
		return payment.Enrolment{}, unavailable(OpEnrolment, errors.New(strings.Join(r.unread, "; ")))
	}
	for _, row := range rows {
		b, err := row.insurance()
		if err != nil {
			return payment.Enrolment{}, unavailable(OpEnrolment, err)
		}
		said.rows = append(said.rows, b)
	}
	out, err := said.judge()
	if err != nil {
		return payment.Enrolment{}, unavailable(OpEnrolment, err)
	}
	return out, nil
}

// insurance is a row of an enrolment: an insurance with one way to settle.
type insurance struct {
	payment.Benefit
	area, psnNo, state string
}

// What a patient reads where the HIS gives no words.
const (
	wordsPaused  = "该险种已暂停参保"
	wordsEnded   = "该险种已终止参保"
	wordsUnclear = "医院系统没有说明该险种的参保状态"
	wordsNone    = "在该参保地没有查到有效的参保"
)

// insurance reads a row. A state that nobody knows is none that pays.
func (r *reader) insurance() (insurance, error) {
	b := insurance{area: r.number("area"), psnNo: r.number("psn_no"), state: "valid", Benefit: payment.Benefit{ID: r.number("id"),
		Insutype: r.must("insutype"), InsutypeName: r.text("insutype_name"), MedType: r.number("med_type"),
		MedTypeName: r.text("med_type_name"), DiseCode: r.number("dise_code"), Disease: r.name("disease"), Reason: r.text("reason")}}
	if len(r.unread) > 0 { // it goes back to HIS and on to the insurance
		return b, errors.New("benefits: " + strings.Join(r.unread, "; "))
	}
	if r.mapped("state") {
		b.state, _ = r.word("state", stateWords)
	}
	b.Enjoyed = r.yes("enjoyed", true)
	if f, told := r.fen("balance"); told && f >= 0 {
		b.Balance, b.BalanceTold = f, true
	}
	if b.ID == "" {
		b.ID = strings.Trim(strings.Join([]string{b.Insutype, b.MedType, b.DiseCode}, "-"), "-")
	}
	if words := map[string]string{"paused": wordsPaused, "ended": wordsEnded, "": wordsUnclear}[b.state]; words != "" {
		b.Enjoyed = false
		if b.Reason == "" {
			b.Reason = words
		}
	}
	return b, nil
}

// enrolled is all that a HIS said of a patient and an area.
type enrolled struct {
	reason string
	psnNo  string
	area   string
	rows   []insurance
}

// judge decides. Rows of another area, and insurances that a person has not
// (state none), count for nothing; a paused or ended one is shown with its
// reason and does not pay; one valid insurance is enough.
func (s enrolled) judge() (payment.Enrolment, error) {
	out := payment.Enrolment{Reason: s.reason, PsnNo: s.psnNo}
	seen, why := map[string]bool{}, ""
	for _, row := range s.rows {
		if row.state == "none" || row.area != "" && row.area != s.area || seen[row.ID] {
			continue
		}
		seen[row.ID] = true
		if row.state == "valid" {
			out.Enrolled = true
			if row.psnNo != "" && out.PsnNo != "" && row.psnNo != out.PsnNo {
				return payment.Enrolment{}, errors.New("two personal numbers in one area")
			}
			if row.psnNo != "" {
				out.PsnNo = row.psnNo
			}
		} else if why == "" {
			why = row.Reason
		}
		out.Benefits = append(out.Benefits, row.Benefit)
	}
	switch {
	case out.Enrolled:
		out.Reason = ""
	case out.Reason == "" && why != "":
		out.Reason = why
	case out.Reason == "":
		out.Reason = wordsNone
	}
	if !out.Enrolled {
		out.Benefits = nil
	}
	return out, nil
}

// SaveIdentity tells HIS what the patient has chosen (身份回写). Nil means that
// it was saved; the bill is to be read again, since HIS prices it anew.
func (e *Engine) SaveIdentity(ctx context.Context, id payment.Identity) error {
	values := insuredValues(id.Insured, id.Area)
	for k, v := range map[string]string{"bill_no": id.BillNo, "psn_no": id.PsnNo, "benefit": id.Benefit.ID, "insutype": id.Benefit.Insutype,
		"med_type": id.Benefit.MedType, "dise_code": id.Benefit.DiseCode, "disease": id.Benefit.Disease, "channel": id.Channel} {
		values[k] = v
	}
	_, err := e.read(ctx, OpIdentity, values, flow.CodePatientNotFound, flow.CodeCardNotYours, payment.CodeAreaOff, payment.CodeNotEnrolled,
		payment.CodeBenefitOff, payment.CodeBillPaid, payment.CodeBillGone)
	return err
}
