package his

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"hospay/calendar"
	"hospay/flow"
	"hospay/money"
	"hospay/people"
	"hospay/refund"
)

// Document is a parsed answer, or one row of it.
type Document interface {
	// Text returns the text at a path; "" when there is none, or more than one.
	Text(path string) string
	// List returns the rows at a path and whether there is a list at all.
	List(path string) ([]Document, bool)
}

// Exchange sends one filled operation and parses the answer. Any error means
// that the outcome is unknown.
type Exchange func(ctx context.Context, op Operation, values map[string]string) (Document, error)

// Engine speaks to a HIS by its mapping over an adapter's exchange. It
// implements refund.HIS and payment.HIS.
type Engine struct {
	mapping  Mapping
	secrets  map[string]string
	now      func() time.Time
	exchange Exchange
}

var _ HIS = (*Engine)(nil)

// Features says what of bills the mapping offers.
func (e *Engine) Features() []Feature { return e.mapping.Features() }

// NewEngine returns an engine of a checked mapping.
func NewEngine(cfg Config, m Mapping, exchange Exchange) *Engine {
	return &Engine{mapping: m, secrets: cfg.Secrets, now: cfg.clock(), exchange: exchange}
}

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

// answer is what came back from one call, with what was sent.
type answer struct {
	Operation
	doc  Document
	code string
	sent map[string]string
}

func (e *Engine) debitValues(d refund.Debit) map[string]string {
	return map[string]string{
		"our_no": d.No, "order_no": d.OrderNo, "card_no": d.CardNo, "amount": e.mapping.amount(d.Amount), "method": string(d.Method),
		"channel": d.Channel, "deposit_no": d.DepositNo, "debit_no": d.DebitNo, "his_no": d.HISNo,
	}
}

// words are the placeholders whose values a mapping may put in the HIS's words.
var words = []string{"method", "channel", "way", "kind", "terminal", "whole", "insutype", "med_type"}

func (e *Engine) call(ctx context.Context, name string, values map[string]string) (answer, error) {
	op, ok := e.mapping.Operations[name]
	if !ok {
		return answer{}, fmt.Errorf("HIS 映射没有操作 %s", name)
	}
	sent := maps.Clone(values)
	for _, k := range words {
		if w, ok := op.Send[sent[k]]; ok {
			sent[k] = w
		}
	}
	if info, ok := sent["setl_info"]; ok {
		settled(sent, []byte(info), op.Body)
	}
	sent["now"] = e.now().In(calendar.Beijing).Format(e.mapping.TimeLayout)
	doc, err := e.exchange(ctx, op, secretValues(sent, e.secrets))
	if err != nil {
		return answer{}, err
	}
	return answer{Operation: op, doc: doc, code: doc.Text(e.mapping.Code), sent: sent}, nil
}

func (e *Engine) message(a answer) string {
	return safeMessage(pick(a.doc, e.mapping.Message), a.sent)
}

// move sends a call that moves money. What is not understood is unknown, and so
// is an answer about other money: the query under our number tells.
func (e *Engine) move(ctx context.Context, name string, d refund.Debit) refund.HISAnswer {
	a, err := e.call(ctx, name, e.debitValues(d))
	if err != nil {
		return unknown(err)
	}
	verdict, reason := e.mapping.reason(a.code, e.message(a))
	if verdict != flow.Done {
		return refund.HISAnswer{Verdict: verdict, Reason: reason}
	}
	ans := e.facts(a, reason)
	if ans.Verdict == flow.Done && ans.State == refund.HISDone && (ans.Amount != d.Amount || ans.CardNo != "" && ans.CardNo != d.CardNo) {
		return refund.HISAnswer{Reason: flow.Reason{Code: string(flow.CodeAmountMismatch), Message: "answer is about another amount or card",
			Actor: flow.ActorIT}}
	}
	return ans
}

// ask sends a query. Its not-found codes are a fact; refusals of a question are
// unknown. What HIS says about the amount and the card is handed on as it is,
// so that an order whose number stands for other money is frozen.
func (e *Engine) ask(ctx context.Context, name string, d refund.Debit) refund.HISAnswer {
	a, err := e.call(ctx, name, e.debitValues(d))
	if err != nil {
		return unknown(err)
	}
	if slices.Contains(e.mapping.NotFound, a.code) {
		return refund.HISAnswer{Verdict: flow.Done, State: refund.HISNotFound, Reason: flow.Reason{Code: a.code}}
	}
	verdict, reason := e.mapping.reason(a.code, e.message(a))
	if verdict != flow.Done {
		return refund.HISAnswer{Reason: reason}
	}
	return e.facts(a, reason)
}

// facts reads what a successful answer says about the number. Success without
// the fields that the mapping promises proves nothing.
func (e *Engine) facts(a answer, reason flow.Reason) refund.HISAnswer {
	if err := a.sound(); err != nil {
		return unknown(err)
	}
	state, err := a.state()
	if err != nil {
		return unknown(err)
	}
	if state == refund.HISPending {
		return refund.HISAnswer{Verdict: flow.Done, State: state, Reason: reason}
	}
	amount, err := e.amountOf(a.Operation, a.doc, "amount")
	if err != nil {
		return unknown(err)
	}
	if amount == 0 { // 0 would pass for "not told"
		return unknown(errors.New("answer has an amount of 0"))
	}
	ans := refund.HISAnswer{Verdict: flow.Done, State: state, Reason: reason, Amount: amount}
	if ans.At, err = e.mapping.readTime(pick(a.doc, a.Fields["time"])); err != nil { // it proves nothing about the money
		ans.Unread = "time: " + err.Error()
	}
	for name, into := range map[string]*string{"his_no": &ans.HISNo, "card_no": &ans.CardNo} {
		if *into, err = a.number(name); err != nil {
			return unknown(err)
		}
	}
	return ans
}

// sound reports what an answer that claims success must repeat or say besides:
// what was sent, and every flag.
func (a answer) sound() error {
	for path, words := range a.Flags {
		if !slices.Contains(words, a.doc.Text(path)) {
			return errors.New("one of the flags does not say success")
		}
	}
	for name, path := range a.Echo {
		sent, told := a.sent[name], a.doc.Text(path)
		if sent != "" && !strings.EqualFold(told, sent) && !(name == "name" && people.SameName(told, sent)) {
			return fmt.Errorf("answer does not repeat %s", name)
		}
	}
	return nil
}

// state reads field "status"; without one, success means done.
func (a answer) state() (refund.HISState, error) {
	if a.Fields["status"] == "" {
		return refund.HISDone, nil
	}
	status := a.doc.Text(a.Fields["status"])
	switch {
	case slices.Contains(a.Done, status):
		return refund.HISDone, nil
	case slices.Contains(a.Pending, status):
		return refund.HISPending, nil
	}
	return "", fmt.Errorf("status %s is not listed", safeCode(status))
}

// number reads a number that the mapping promises.
func (a answer) number(name string) (string, error) {
	if a.Fields[name] == "" {
		return "", nil
	}
	no := a.doc.Text(a.Fields[name])
	if no == "" || len(no) > 64 || strings.ContainsFunc(no, unicode.IsControl) {
		return "", fmt.Errorf("answer has no usable %s", name)
	}
	return no, nil
}

// amountOf reads an amount that the mapping promises; 0 where it does not.
func (e *Engine) amountOf(op Operation, doc Document, name string) (money.Fen, error) {
	if op.Fields[name] == "" {
		return 0, nil
	}
	text := doc.Text(op.Fields[name])
	if text == "" {
		return 0, fmt.Errorf("answer has no %s", name)
	}
	f, err := e.mapping.readAmount(text)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", name, err)
	}
	if op.Sign == negative && name == "amount" {
		f = -f
	}
	return f, nil
}

func unknown(err error) refund.HISAnswer {
	return refund.HISAnswer{Reason: flow.Reason{Message: err.Error(), Actor: flow.ActorIT}}
}

// broken reports whether a text holds bytes that were no characters.
func broken(texts ...string) bool {
	return slices.ContainsFunc(texts, func(s string) bool { return strings.ContainsRune(s, utf8.RuneError) })
}

func pick(doc Document, path string) string {
	if path == "" {
		return ""
	}
	return doc.Text(path)
}
