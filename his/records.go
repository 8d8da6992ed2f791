package his

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"hospay/flow"
	"hospay/internal/foreign"
	"hospay/refund"
)

var errRows = errors.New("answer has no list where the mapping says")

// unavailable is the error of everything that HIS did not answer properly.
func unavailable(name string, err error) error {
	return flow.NewError(flow.CodeHISUnavailable, name+": "+err.Error())
}

// read sends a call that moves no money. A refusal with one of the codes becomes
// an error with that code; all else that is no success is unavailable.
func (e *Engine) read(ctx context.Context, name string, values map[string]string, told ...flow.Code) (answer, error) {
	a, err := e.call(ctx, name, values)
	if err != nil {
		return a, unavailable(name, err)
	}
	if slices.Contains(a.Empty, a.code) {
		a.doc = nil
		return a, nil
	}
	verdict, reason := e.mapping.reason(a.code, "")
	switch {
	case verdict == flow.Refused && slices.Contains(told, flow.Code(reason.Code)):
		return a, flow.NewError(flow.Code(reason.Code), safeCode(a.code))
	case verdict != flow.Done:
		return a, flow.NewError(flow.CodeHISUnavailable, name+": code "+reason.Code)
	}
	if err := a.sound(); err != nil {
		return a, unavailable(name, err)
	}
	return a, nil
}

// rows are the rows of a list; none when HIS said so by its code.
func (a answer) rows() ([]Document, error) {
	if a.doc == nil {
		return nil, nil
	}
	rows, ok := a.doc.List(a.List)
	if !ok {
		return nil, errRows
	}
	return rows, nil
}

// Person reads a person from the identity source (A1).
func (e *Engine) Person(ctx context.Context, id refund.Identity) (refund.Person, error) {
	values := map[string]string{"patient_no": id.PatientNo, "id_type": id.IDType, "id_no": id.IDNo, "name": id.Name}
	a, err := e.read(ctx, OpPerson, values, flow.CodePatientNotFound)
	if err != nil {
		return refund.Person{}, err
	}
	f := a.Fields
	p := refund.Person{
		PatientNo: pick(a.doc, f["patient_no"]), Name: pick(a.doc, f["name"]), IDType: pick(a.doc, f["id_type"]), IDNo: pick(a.doc, f["id_no"]),
		Phone: pick(a.doc, f["phone"]),
	}
	if p.Name == "" || p.IDNo == "" {
		return refund.Person{}, unavailable(OpPerson, errors.New("answer has no name or no ID number"))
	}
	if broken(p.Name, p.IDNo, p.PatientNo, p.Phone) {
		return refund.Person{}, unavailable(OpPerson, errors.New("a field has bytes that are no characters"))
	}
	return p, nil
}

// Cards reads a person's cards (A2), without deposits.
func (e *Engine) Cards(ctx context.Context, p refund.Person) ([]refund.Card, error) {
	values := map[string]string{"patient_no": p.PatientNo, "id_type": p.IDType, "id_no": p.IDNo, "name": p.Name}
	a, err := e.read(ctx, OpCards, values, flow.CodePatientNotFound)
	if err != nil {
		return nil, err
	}
	rows, err := a.rows()
	if err != nil {
		return nil, unavailable(OpCards, err)
	}
	cards := make([]refund.Card, 0, len(rows))
	for _, row := range rows {
		c, err := e.card(a.Operation, row)
		if err == nil && c.No == "" {
			err = errors.New("a card without number")
		}
		if err != nil {
			return nil, unavailable(OpCards, err)
		}
		cards = append(cards, c)
	}
	return cards, nil
}

// Card reads a card's balance and its deposits.
func (e *Engine) Card(ctx context.Context, cardNo string) (refund.Card, error) {
	a, err := e.read(ctx, OpCard, map[string]string{"card_no": cardNo}, flow.CodeCardNotYours)
	if err != nil {
		return refund.Card{}, err
	}
	c, err := e.card(a.Operation, a.doc)
	if err == nil && a.Fields["card_no"] != "" && c.No != cardNo {
		err = errors.New("answer is about another card")
	}
	if err != nil {
		return refund.Card{}, unavailable(OpCard, err)
	}
	c.No = cardNo
	return c, e.deposits(ctx, &c)
}

func (e *Engine) card(op Operation, row Document) (refund.Card, error) {
	f := op.Fields
	balance, err := e.amountOf(op, row, "balance")
	if err != nil {
		return refund.Card{}, err
	}
	refundable := balance
	if f["refundable"] != "" {
		if refundable, err = e.amountOf(op, row, "refundable"); err != nil {
			return refund.Card{}, err
		}
	}
	c := refund.Card{No: pick(row, f["card_no"]), Name: pick(row, f["card_name"]), Balance: balance, Refundable: refundable}
	if broken(c.No, c.Name) {
		return refund.Card{}, errors.New("card_no or card_name has bytes that are no characters")
	}
	if c.IssuedAt, err = e.mapping.readTime(pick(row, f["issued_at"])); err != nil { // its age is then unknown, and people decide
		c.Unread = append(c.Unread, "issued_at: "+err.Error())
	}
	return c, nil
}

// deposits reads the deposits of a card. One that cannot be read is left out and
// told: the card and its other deposits stay as good as they are.
func (e *Engine) deposits(ctx context.Context, c *refund.Card) error {
	a, err := e.read(ctx, OpDeposits, map[string]string{"card_no": c.No}, flow.CodeCardNotYours)
	if err != nil {
		return err
	}
	rows, err := a.rows()
	if err != nil {
		return unavailable(OpDeposits, err)
	}
	c.Deposits = make([]refund.Deposit, 0, len(rows))
	for i, row := range rows {
		d, err := e.deposit(a.Operation, row)
		switch {
		case err != nil:
			c.Unread = append(c.Unread, fmt.Sprintf("deposits %d: %v", i+1, err))
		case d.Amount >= 0 && d.Refundable >= 0: // a row below zero has taken a deposit back
			c.Deposits = append(c.Deposits, d)
		}
	}
	return nil
}

func (e *Engine) deposit(op Operation, row Document) (refund.Deposit, error) {
	f := op.Fields
	amount, err := e.amountOf(op, row, "amount")
	if err != nil {
		return refund.Deposit{}, err
	}
	left, err := e.amountOf(op, row, "refundable")
	if err != nil {
		return refund.Deposit{}, err
	}
	d := refund.Deposit{
		No: pick(row, f["deposit_no"]), Amount: amount, Refundable: left, Channel: op.word(foreign.Channel, pick(row, f["channel"])),
		Payment: refund.Payment{TradeNo: pick(row, f["trade_no"]), ChannelNo: pick(row, f["channel_no"]), Amount: amount},
	}
	if d.No == "" {
		return d, errors.New("a deposit without number")
	}
	if broken(d.No, d.Payment.TradeNo, d.Payment.ChannelNo) {
		return d, errors.New("a number has bytes that are no characters")
	}
	if d.Payment.PaidAt, err = e.mapping.readTime(pick(row, f["paid_at"])); err != nil {
		return d, fmt.Errorf("paid_at: %w", err)
	}
	return d, nil
}

// maxPages ends a statement that never ends.
const maxPages = 10_000

// Statement reads the lines of a business day, page by page. It ends when as
// many rows as the HIS's total have come or, without a total, with the first
// page that has none; a short page proves nothing, since the HIS may cap it.
// After an error the lines so far are not the whole day.
func (e *Engine) Statement(ctx context.Context, day string, each func(refund.StatementLine) error) error {
	return e.pages(ctx, OpStatement, day, func(op Operation, rows []Document, before string) (string, error) {
		return e.lines(op, rows, each, before)
	})
}

// pages asks for the rows of a day until their end; lines hands the rows of a page
// on and tells what its first one says.
func (e *Engine) pages(ctx context.Context, name, day string, lines func(op Operation, rows []Document, before string) (string,
	error)) error {
	p := progress{total: -1}
	for page := 1; page <= maxPages; page++ {
		values := map[string]string{"date": day, "page": fmt.Sprint(page), "page_size": fmt.Sprint(e.mapping.PageSize)}
		a, err := e.read(ctx, name, values)
		if err != nil {
			return err
		}
		rows, err := a.rows()
		if err != nil {
			return unavailable(name, err)
		}
		if p.first, err = lines(a.Operation, rows, p.first); err != nil {
			return err
		}
		done, err := p.add(a, len(rows))
		if err != nil {
			return unavailable(name, err)
		}
		if done {
			return nil
		}
	}
	return unavailable(name, errors.New("statement has no end"))
}

// progress is how much of a statement has come.
type progress struct {
	read  int
	total int // -1 = not told
	first string
}

// add counts a page and tells whether it was the last one.
func (p *progress) add(a answer, rows int) (bool, error) {
	p.read += rows
	if a.Total != "" && a.doc != nil {
		n, err := strconv.Atoi(a.doc.Text(a.Total))
		if err != nil || n < 0 {
			return false, errors.New("statement has no total")
		}
		p.total = n
	}
	last := rows == 0 || !strings.Contains(a.Body, "{page}")
	switch {
	case p.total < 0:
		return last, nil
	case p.read > p.total:
		return false, errors.New("statement has more rows than its total")
	case p.read < p.total && last:
		return false, errors.New("statement has fewer rows than its total")
	}
	return p.read == p.total, nil
}

// lines hands the rows of one page on and returns what its first row says, by
// which a HIS is found out that gives the same page again and again.
func (e *Engine) lines(op Operation, rows []Document, each func(refund.StatementLine) error, before string) (string, error) {
	first := ""
	for _, row := range rows {
		line := e.statementLine(op, row)
		if op.Sign == negative && line.Amount < 0 { // money that came in, where the HIS tells refunds below zero
			continue
		}
		if first == "" {
			first = fmt.Sprint(line)
			if first == before {
				return "", unavailable(OpStatement, errors.New("statement repeats a page: the HIS does not page"))
			}
		}
		if err := each(line); err != nil {
			return "", err
		}
	}
	return first, nil
}

// statementLine reads a row. A field that cannot be read stays empty and is
// told: the book that is made of the rows then rejects this one line.
func (e *Engine) statementLine(op Operation, row Document) refund.StatementLine {
	f := op.Fields
	l := refund.StatementLine{
		OrderNo: pick(row, f["order_no"]), No: pick(row, f["our_no"]), HISNo: pick(row, f["his_no"]), CardNo: pick(row, f["card_no"]),
		Method: refund.Method(op.word(foreign.Method, pick(row, f["method"]))), Channel: op.word(foreign.Channel, pick(row, f["channel"])),
		Status: op.word(-1, pick(row, f["status"])),
	}
	var err error
	if l.Amount, err = e.amountOf(op, row, "amount"); err != nil {
		l.Unread = err.Error()
	}
	if l.At, err = e.mapping.readTime(pick(row, f["time"])); err != nil {
		l.Unread = "time: " + err.Error()
	}
	return l
}

// word turns the HIS's word into ours: by the mapping, else by the words that
// everybody writes. States have no other words than the mapping's.
func (op Operation) word(kind foreign.Kind, s string) string {
	if w, ok := op.Values[s]; ok {
		return w
	}
	if kind >= 0 {
		if w, ok := (*foreign.Words)(nil).Word(kind, s); ok {
			return w
		}
	}
	return s
}
