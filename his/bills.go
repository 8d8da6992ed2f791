package his

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"hospay/flow"
	"hospay/money"
	"hospay/payment"
)

// Can says what the mapping offers for bills.
func (e *Engine) Can() payment.HISCan {
	m := e.mapping
	return payment.HISCan{
		Bills: m.has(OpBills, OpBill, OpCharge), Slots: m.has(OpDepartments, OpSlots, OpLock, OpRelease), Areas: m.has(OpAreas),
		Enrolment: m.has(OpEnrolment), Identity: m.has(OpIdentity), Check: m.has(OpTradeCheck),
		Idempotent: m.Operations[OpCharge].Idempotent, Reverse: m.has(OpUncharge, OpUnchargeCheck),
		Refunds: m.has(OpRefundCheck, OpRefundNotice), Charges: m.has(OpCharges), Bearer: m.has(OpBearer), Settle: m.has(OpSettle),
	}
}

// The states of a bill as words of a mapping.
const (
	billOpen = "open"
	billPaid = "paid"
)

// Bills reads the unpaid bills of a card. One that cannot be read in all that
// matters is there with the amount 0; one below zero gives money back and is
// none.
func (e *Engine) Bills(ctx context.Context, cardNo string) ([]payment.Bill, error) {
	a, err := e.read(ctx, OpBills, map[string]string{"card_no": cardNo}, flow.CodeCardNotYours, flow.CodePatientNotFound)
	if err != nil {
		return nil, err
	}
	rows, err := a.rows()
	if err != nil {
		return nil, unavailable(OpBills, err)
	}
	bills, seen := make([]payment.Bill, 0, len(rows)), map[string]bool{}
	for _, row := range rows {
		b, state := e.bill(a.Operation, row)
		switch {
		case b.CardNo != "" && b.CardNo != cardNo:
			return nil, unavailable(OpBills, errors.New("answer is about another card"))
		case b.No != "" && seen[b.No]:
			return nil, unavailable(OpBills, errors.New("two bills have one number"))
		case b.Amount < 0 || state != billOpen:
			continue
		}
		b.CardNo, seen[b.No] = cardNo, true
		bills = append(bills, b)
	}
	return bills, nil
}

// Bill reads one bill with its visit.
func (e *Engine) Bill(ctx context.Context, cardNo, billNo string) (payment.Bill, error) {
	a, err := e.read(ctx, OpBill, map[string]string{"card_no": cardNo, "bill_no": billNo}, flow.CodeCardNotYours, flow.CodePatientNotFound,
		payment.CodeBillPaid, payment.CodeBillGone, payment.CodeSlotLost)
	if err != nil && slices.Contains(e.mapping.NotFound, a.code) {
		return payment.Bill{}, flow.NewError(payment.CodeBillGone, safeCode(a.code))
	}
	if err != nil {
		return payment.Bill{}, err
	}
	b, state := e.bill(a.Operation, a.doc)
	switch {
	case state == billPaid:
		return payment.Bill{}, flow.NewError(payment.CodeBillPaid, OpBill)
	case state != billOpen:
		return payment.Bill{}, flow.NewError(payment.CodeBillGone, OpBill)
	}
	if err := about(b, cardNo, billNo); err != nil {
		return payment.Bill{}, unavailable(OpBill, err)
	}
	b.CardNo = cardNo
	e.visit(a, &b)
	return b, nil
}

// about reports why a bill cannot be that of a card and number, or be paid.
func about(b payment.Bill, cardNo, billNo string) error {
	switch {
	case b.CardNo != "" && b.CardNo != cardNo:
		return errors.New("answer is about another card")
	case billNo != "" && b.No != "" && b.No != billNo:
		return errors.New("answer is about another bill")
	case b.Amount < 0:
		return errors.New("amount is below zero")
	case unusable(b.Unread):
		return errors.New(strings.Join(b.Unread, "; "))
	}
	return nil
}

// farAhead is how far ahead a time of a bill may lie that is believed.
const farAhead = 366 * 24 * time.Hour

// bill reads a bill without its visit, and whether it is open.
func (e *Engine) bill(op Operation, doc Document) (payment.Bill, string) {
	r := e.reader(doc, op.Fields, op.Values)
	b := payment.Bill{
		No: r.must("bill_no"), CardNo: r.number("card_no"), Kind: payment.KindOutpatient, Title: r.text("title"),
		Department: r.text("department"), Doctor: r.text("doctor"), Created: r.time("created", farAhead),
		PayBefore: r.time("pay_before", farAhead),
		Insurable: r.yes("insurable", false), Reason: r.text("reason"),
	}
	if r.mapped("kind") {
		w, ok := r.word("kind", kindWords)
		if !ok {
			r.note("kind", "is a word that is not listed")
		}
		b.Kind = payment.Kind(w)
	}
	state := billOpen
	if r.mapped("status") {
		if state, _ = r.word("status", billWords); state == "" {
			r.note("status", "is a word that is not listed")
			state = billOpen
		}
	}
	b.Amount, _ = r.fen("amount")
	b.Items = r.items(op)
	b.Unread = r.unread
	if unusable(b.Unread) {
		b.Amount = 0
	}
	return b, state
}

// unusable reports whether what could not be read is what a payment needs.
func unusable(unread []string) bool {
	r := reader{unread: unread}
	return r.failed("bill_no", "card_no", "kind", "status", "amount")
}

// items are the lines that the patient reads. They decide nothing.
func (r *reader) items(op Operation) (out []payment.Item) {
	rows, _ := r.rows("items", op.Lists)
	for i, row := range rows {
		it := payment.Item{Name: row.text("name"), Spec: row.text("spec"), Unit: row.text("unit"), Count: row.decimal("count"),
			Price: row.price("price")}
		it.Amount, _ = row.fen("amount")
		r.take("items", i, row)
		out = append(out, it)
	}
	return out
}

// visit reads what the insurance wants to know of a bill. Where something of it
// cannot be read, or does not add up, the bill can only be paid without.
func (e *Engine) visit(a answer, b *payment.Bill) {
	if !b.Insurable {
		return
	}
	r := e.reader(a.doc, a.Fields, a.Values)
	fees, ok := r.rows("fees", a.Lists)
	if !ok || len(fees) == 0 {
		b.Insurable, b.Unread = false, append(b.Unread, r.unread...)
		return
	}
	v := &payment.Visit{
		No: r.number("visit_no"), MdtrtID: r.number("mdtrt_id"), PsnNo: r.number("psn_no"), Insutype: r.number("insutype"),
		Area: r.number("area"), MedType: r.number("med_type"), FeeType: r.number("fee_type"), Begun: r.time("begun", farAhead),
		DeptCode: r.number("dept_code"), DeptName: r.name("dept_name"), Caty: r.number("caty"), DocNo: r.number("doc_no"),
		DocName: r.name("doc_name"), DiseCode: r.number("dise_code"), DiseName: r.name("dise_name"), SetlWay: r.number("setl_way"),
		Reform: r.number("reform"), Parts: r.parts(b), Diseases: r.diseases(a.Operation), Fees: r.fees(fees, b),
	}
	if len(r.unread) > 0 {
		b.Insurable, b.Unread = false, append(b.Unread, r.unread...)
		return
	}
	b.Visit = v
}

// name is a text that goes to the insurance: it must be whole.
func (r *reader) name(field string) string {
	s := r.text(field)
	if broken(s) {
		r.note(field, "has bytes that are no characters")
	}
	return s
}

// parts are the four parts of a bill, where the mapping has them all.
func (r *reader) parts(b *payment.Bill) *payment.Parts {
	var p payment.Parts
	told := 0
	for field, into := range map[string]*money.Fen{"self_pay": &p.SelfPay, "over_limit": &p.OverLimit, "advance": &p.Advance,
		"in_scope": &p.InScope} {
		f, ok := r.fen(field)
		if ok {
			*into, told = f, told+1
		}
		if f < 0 {
			r.note(field, "is below zero")
		}
	}
	if told < 4 {
		return nil
	}
	if p.SelfPay+p.OverLimit+p.Advance+p.InScope != b.Amount {
		r.note("in_scope", "the four parts are not the amount")
	}
	return &p
}

func (r *reader) diseases(op Operation) (out []payment.Disease) {
	rows, _ := r.rows("diseases", op.Lists)
	for i, row := range rows {
		d := payment.Disease{Type: row.number("type"), No: row.number("no"), Code: row.must("code"), Name: row.name("name"),
			Time: row.time("time", farAhead)}
		r.take("diseases", i, row)
		out = append(out, d)
	}
	return out
}

// fees are the lines as the insurance reads them: each with a number of its own,
// none below zero, and together the amount of the bill.
func (r *reader) fees(rows []*reader, b *payment.Bill) (out []payment.Fee) {
	seen := map[string]bool{}
	sum := b.Amount
	for i, row := range rows {
		f := payment.Fee{No: row.must("no"), RxNo: row.number("rx_no"), Time: row.time("time", farAhead), ListCode: row.must("list_code"),
			OwnCode: row.number("own_code"), Name: row.name("name"), Spec: row.name("spec"), Count: row.decimal("count"),
			Price: row.price("price"), Approved: row.number("approved")}
		f.Sum, _ = row.fen("sum")
		switch {
		case f.Sum < 0:
			row.note("sum", "is below zero")
		case f.No != "" && seen[f.No]:
			row.note("no", "is the number of another line")
		}
		seen[f.No], sum = true, sum-f.Sum
		r.take("fees", i, row)
		out = append(out, f)
	}
	if sum != 0 {
		r.note("fees", fmt.Sprintf("%d lines are not the amount", len(rows)))
	}
	return out
}
