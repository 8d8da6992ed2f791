package his

import (
	"context"
	"fmt"
	"slices"
	"time"

	"hospay/money"
	"hospay/refund"
)

// Document is a parsed answer, or one row of it.
type Document interface {
	Text(path string) string
	List(path string) []Document
}

// Exchange sends one filled operation and parses the answer. Any error means
// that the outcome is unknown.
type Exchange func(ctx context.Context, op Operation, values map[string]string) (Document, error)

// Engine speaks to a HIS by its mapping over an adapter's exchange. It
// implements refund.HIS.
type Engine struct {
	Mapping  Mapping
	Exchange Exchange
}

var _ refund.HIS = (*Engine)(nil)

// Debit withdraws a deposit (退预交金).
func (e *Engine) Debit(ctx context.Context, d refund.Debit) refund.HISAnswer {
	return e.move(ctx, OpDebit, d)
}

// QueryDebit asks for a debit by our number.
func (e *Engine) QueryDebit(ctx context.Context, d refund.Debit) refund.HISAnswer {
	return e.ask(ctx, OpQueryDebit, d)
}

// Reverse undoes a debit (撤销).
func (e *Engine) Reverse(ctx context.Context, d refund.Debit) refund.HISAnswer {
	return e.move(ctx, OpReverse, d)
}

// QueryReverse asks for a reversal.
func (e *Engine) QueryReverse(ctx context.Context, d refund.Debit) refund.HISAnswer {
	return e.ask(ctx, OpQueryReverse, d)
}

func (e *Engine) debitValues(d refund.Debit) map[string]string {
	return map[string]string{
		"our_no": d.No, "order_no": d.OrderNo, "card_no": d.CardNo, "amount": e.Mapping.amount(d.Amount), "method": string(d.Method),
		"channel": d.Channel, "deposit_no": d.DepositNo, "debit_no": d.DebitNo, "his_no": d.HISNo,
	}
}

func (e *Engine) call(ctx context.Context, name string, values map[string]string) (Operation, Document, string, error) {
	op, ok := e.Mapping.Operations[name]
	if !ok {
		return op, nil, "", fmt.Errorf("HIS 映射没有操作 %s", name)
	}
	doc, err := e.Exchange(ctx, op, values)
	if err != nil {
		return op, nil, "", err
	}
	return op, doc, doc.Text(e.Mapping.Code), nil
}

// move sends a call that moves money. What is not understood is unknown.
func (e *Engine) move(ctx context.Context, name string, d refund.Debit) refund.HISAnswer {
	op, doc, code, err := e.call(ctx, name, e.debitValues(d))
	if err != nil {
		return unknown(err)
	}
	verdict, reason := e.Mapping.reason(code, doc.Text(e.Mapping.Message))
	if verdict != refund.Done {
		return refund.HISAnswer{Verdict: verdict, Reason: reason}
	}
	return e.facts(op, doc, reason)
}

// ask sends a query. Its not-found codes are a fact; refusals of a question
// are unknown.
func (e *Engine) ask(ctx context.Context, name string, d refund.Debit) refund.HISAnswer {
	op, doc, code, err := e.call(ctx, name, e.debitValues(d))
	if err != nil {
		return unknown(err)
	}
	if slices.Contains(e.Mapping.NotFound, code) {
		return refund.HISAnswer{Verdict: refund.Done, State: refund.HISNotFound, Reason: refund.Reason{Code: code}}
	}
	verdict, reason := e.Mapping.reason(code, doc.Text(e.Mapping.Message))
	if verdict != refund.Done {
		return refund.HISAnswer{Reason: reason}
	}
	return e.facts(op, doc, reason)
}

// facts reads what a successful answer says about the number.
func (e *Engine) facts(op Operation, doc Document, reason refund.Reason) refund.HISAnswer {
	at := func(field string) string {
		if op.Fields[field] == "" {
			return ""
		}
		return doc.Text(op.Fields[field])
	}
	amount, err := e.Mapping.readAmount(at("amount"))
	if err != nil {
		return unknown(err)
	}
	ans := refund.HISAnswer{
		Verdict: refund.Done, State: refund.HISDone, Reason: reason, HISNo: at("his_no"), Amount: amount, CardNo: at("card_no"), At: e.Mapping.readTime(at("time")),
	}
	if op.Fields["status"] == "" {
		return ans
	}
	switch status := at("status"); {
	case slices.Contains(op.Done, status):
		return ans
	case slices.Contains(op.Pending, status):
		ans.State = refund.HISPending
		return ans
	default:
		return refund.HISAnswer{Reason: refund.Reason{Code: "status:" + status, Actor: refund.ActorIT}}
	}
}

func unknown(err error) refund.HISAnswer {
	return refund.HISAnswer{Reason: refund.Reason{Message: err.Error(), Actor: refund.ActorIT}}
}

// read sends a call that only reads.
func (e *Engine) read(ctx context.Context, name string, values map[string]string, missing refund.Code) (Operation, Document, error) {
	op, doc, code, err := e.call(ctx, name, values)
	if err != nil {
		return op, nil, refund.NewError(refund.CodeHISUnavailable, err.Error())
	}
	verdict, reason := e.Mapping.reason(code, "")
	switch {
	case verdict == refund.Done:
		return op, doc, nil
	case verdict == refund.Refused && refund.Code(reason.Code) == missing:
		return op, nil, refund.NewError(missing, code)
	}
	return op, nil, refund.NewError(refund.CodeHISUnavailable, name+": code "+code)
}

// Person reads a person from the identity source (A1).
func (e *Engine) Person(ctx context.Context, id refund.Identity) (refund.Person, error) {
	values := map[string]string{"patient_no": id.PatientNo, "id_type": id.IDType, "id_no": id.IDNo, "name": id.Name}
	op, doc, err := e.read(ctx, OpPerson, values, refund.CodePatientNotFound)
	if err != nil {
		return refund.Person{}, err
	}
	f := op.Fields
	return refund.Person{
		PatientNo: pick(doc, f["patient_no"]), Name: pick(doc, f["name"]), IDType: pick(doc, f["id_type"]), IDNo: pick(doc, f["id_no"]), Phone: pick(doc, f["phone"]),
	}, nil
}

// Cards reads a person's cards (A2), without deposits.
func (e *Engine) Cards(ctx context.Context, p refund.Person) ([]refund.Card, error) {
	values := map[string]string{"patient_no": p.PatientNo, "id_type": p.IDType, "id_no": p.IDNo, "name": p.Name}
	op, doc, err := e.read(ctx, OpCards, values, refund.CodePatientNotFound)
	if err != nil {
		return nil, err
	}
	cards := []refund.Card{}
	for _, row := range doc.List(op.List) {
		c, err := e.card(op, row)
		if err != nil {
			return nil, err
		}
		if c.No != "" {
			cards = append(cards, c)
		}
	}
	return cards, nil
}

// Card reads a card's balance and its deposits.
func (e *Engine) Card(ctx context.Context, cardNo string) (refund.Card, error) {
	op, doc, err := e.read(ctx, OpCard, map[string]string{"card_no": cardNo}, refund.CodeCardNotYours)
	if err != nil {
		return refund.Card{}, err
	}
	c, err := e.card(op, doc)
	if err != nil {
		return c, err
	}
	c.No = cardNo
	c.Deposits, err = e.deposits(ctx, cardNo)
	return c, err
}

func (e *Engine) card(op Operation, row Document) (refund.Card, error) {
	f := op.Fields
	balance, err := e.amountOf(row, f["balance"])
	if err != nil {
		return refund.Card{}, err
	}
	refundable := balance
	if f["refundable"] != "" {
		if refundable, err = e.amountOf(row, f["refundable"]); err != nil {
			return refund.Card{}, err
		}
	}
	return refund.Card{No: pick(row, f["card_no"]), Name: pick(row, f["card_name"]), Balance: balance, Refundable: refundable, IssuedAt: e.Mapping.readTime(pick(row, f["issued_at"]))}, nil
}

func (e *Engine) deposits(ctx context.Context, cardNo string) ([]refund.Deposit, error) {
	op, doc, err := e.read(ctx, OpDeposits, map[string]string{"card_no": cardNo}, refund.CodeCardNotYours)
	if err != nil {
		return nil, err
	}
	deposits := []refund.Deposit{}
	for _, row := range doc.List(op.List) {
		f := op.Fields
		amount, err := e.amountOf(row, f["amount"])
		if err != nil {
			return nil, err
		}
		left, err := e.amountOf(row, f["refundable"])
		if err != nil {
			return nil, err
		}
		deposits = append(deposits, refund.Deposit{
			No: pick(row, f["deposit_no"]), Amount: amount, Refundable: left, Channel: e.word(op, pick(row, f["channel"])),
			Payment: refund.Payment{TradeNo: pick(row, f["trade_no"]), ChannelNo: pick(row, f["channel_no"]), Amount: amount, PaidAt: e.Mapping.readTime(pick(row, f["paid_at"]))},
		})
	}
	return deposits, nil
}

// Statement reads the lines of a business day, page by page.
func (e *Engine) Statement(ctx context.Context, day string, each func(refund.StatementLine) error) error {
	for page := 1; page < 100_000; page++ {
		values := map[string]string{"date": day, "page": fmt.Sprint(page), "page_size": fmt.Sprint(e.Mapping.PageSize)}
		op, doc, err := e.read(ctx, OpStatement, values, "")
		if err != nil {
			return err
		}
		rows := doc.List(op.List)
		for _, row := range rows {
			line, err := e.statementLine(op, row)
			if err != nil {
				return err
			}
			if err := each(line); err != nil {
				return err
			}
		}
		if len(rows) < e.Mapping.PageSize {
			return nil
		}
	}
	return refund.NewError(refund.CodeHISUnavailable, "statement has no end")
}

func (e *Engine) statementLine(op Operation, row Document) (refund.StatementLine, error) {
	f := op.Fields
	amount, err := e.amountOf(row, f["amount"])
	return refund.StatementLine{
		OrderNo: pick(row, f["order_no"]), No: pick(row, f["our_no"]), HISNo: pick(row, f["his_no"]), CardNo: pick(row, f["card_no"]), Amount: amount,
		Method: refund.Method(e.word(op, pick(row, f["method"]))), Channel: e.word(op, pick(row, f["channel"])), Status: e.word(op, pick(row, f["status"])),
		At: e.Mapping.readTime(pick(row, f["time"])),
	}, err
}

func (e *Engine) amountOf(doc Document, path string) (money.Fen, error) {
	f, err := e.Mapping.readAmount(pick(doc, path))
	if err != nil {
		return 0, refund.NewError(refund.CodeHISUnavailable, err.Error())
	}
	return f, nil
}

func (e *Engine) word(op Operation, s string) string {
	if w, ok := op.Values[s]; ok {
		return w
	}
	return s
}

func pick(doc Document, path string) string {
	if path == "" {
		return ""
	}
	return doc.Text(path)
}

// Deadline is the timeout of a call.
func Deadline(cfg Config) time.Duration {
	if cfg.Timeout > 0 {
		return cfg.Timeout
	}
	return 8 * time.Second
}
