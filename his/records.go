package his

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"hospay/flow"
	"hospay/refund"
)

var errRows = errors.New("answer has no list where the mapping says")

// unavailable is the error of everything that HIS did not answer properly.
func unavailable(name string, err error) error {
	return flow.NewError(flow.CodeHISUnavailable, name+": "+err.Error())
}

// read sends a call that only reads. A refusal with the code missing becomes an
// error with that code; all else that is no success is unavailable.
func (e *Engine) read(ctx context.Context, name string, values map[string]string, missing flow.Code) (answer, error) {
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
	case verdict == flow.Refused && missing != "" && flow.Code(reason.Code) == missing:
		return a, flow.NewError(missing, a.code)
	case verdict != flow.Done:
		return a, flow.NewError(flow.CodeHISUnavailable, name+": code "+reason.Code)
	}
	if err := a.echoes(); err != nil {
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
		PatientNo: pick(a.doc, f["patient_no"]), Name: pick(a.doc, f["name"]), IDType: pick(a.doc, f["id_type"]), IDNo: pick(a.doc, f["id_no"]), Phone: pick(a.doc, f["phone"]),
	}
	if p.Name == "" || p.IDNo == "" {
		return refund.Person{}, unavailable(OpPerson, errors.New("answer has no name or no ID number"))
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
	c.Deposits, err = e.deposits(ctx, cardNo)
	return c, err
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
	return refund.Card{
		No: pick(row, f["card_no"]), Name: pick(row, f["card_name"]), Balance: balance, Refundable: refundable, IssuedAt: e.mapping.readTime(pick(row, f["issued_at"])),
	}, nil
}

func (e *Engine) deposits(ctx context.Context, cardNo string) ([]refund.Deposit, error) {
	a, err := e.read(ctx, OpDeposits, map[string]string{"card_no": cardNo}, flow.CodeCardNotYours)
	if err != nil {
		return nil, err
	}
	rows, err := a.rows()
	if err != nil {
		return nil, unavailable(OpDeposits, err)
	}
	deposits := make([]refund.Deposit, 0, len(rows))
	for _, row := range rows {
		d, err := e.deposit(a.Operation, row)
		if err != nil {
			return nil, unavailable(OpDeposits, err)
		}
		deposits = append(deposits, d)
	}
	return deposits, nil
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
		No: pick(row, f["deposit_no"]), Amount: amount, Refundable: left, Channel: op.word(pick(row, f["channel"])),
		Payment: refund.Payment{TradeNo: pick(row, f["trade_no"]), ChannelNo: pick(row, f["channel_no"]), Amount: amount, PaidAt: e.mapping.readTime(pick(row, f["paid_at"]))},
	}
	if d.No == "" {
		return d, errors.New("a deposit without number")
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
	p := progress{total: -1}
	for page := 1; page <= maxPages; page++ {
		values := map[string]string{"date": day, "page": fmt.Sprint(page), "page_size": fmt.Sprint(e.mapping.PageSize)}
		a, err := e.read(ctx, OpStatement, values, "")
		if err != nil {
			return err
		}
		rows, err := a.rows()
		if err != nil {
			return unavailable(OpStatement, err)
		}
		if p.first, err = e.lines(a.Operation, rows, each, p.first); err != nil {
			return err
		}
		done, err := p.add(a, len(rows))
		if err != nil {
			return unavailable(OpStatement, err)
		}
		if done {
			return nil
		}
	}
	return unavailable(OpStatement, errors.New("statement has no end"))
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
	for i, row := range rows {
		line, err := e.statementLine(op, row)
		if err != nil {
			return "", unavailable(OpStatement, err)
		}
		if i == 0 {
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

func (e *Engine) statementLine(op Operation, row Document) (refund.StatementLine, error) {
	f := op.Fields
	amount, err := e.amountOf(op, row, "amount")
	return refund.StatementLine{
		OrderNo: pick(row, f["order_no"]), No: pick(row, f["our_no"]), HISNo: pick(row, f["his_no"]), CardNo: pick(row, f["card_no"]), Amount: amount,
		Method: refund.Method(op.word(pick(row, f["method"]))), Channel: op.word(pick(row, f["channel"])), Status: op.word(pick(row, f["status"])),
		At: e.mapping.readTime(pick(row, f["time"])),
	}, err
}

// word turns the HIS's word into ours.
func (op Operation) word(s string) string {
	if w, ok := op.Values[s]; ok {
		return w
	}
	return s
}
