package his

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"hospay/calendar"
	"hospay/flow"
	"hospay/internal/foreign"
	"hospay/money"
)

// The operations of a mapping.
const (
	OpPerson       = "person"
	OpCards        = "cards"
	OpCard         = "card"
	OpDeposits     = "deposits"
	OpDebit        = "debit"
	OpQueryDebit   = "query_debit"
	OpReverse      = "reverse"
	OpQueryReverse = "query_reverse"
	OpStatement    = "statement"

	OpBills         = "bills"
	OpBill          = "bill"
	OpDepartments   = "departments"
	OpSlots         = "slots"
	OpLock          = "lock"
	OpRelease       = "release"
	OpAreas         = "areas"
	OpEnrolment     = "enrolment"
	OpIdentity      = "identity"
	OpBearer        = "bearer"
	OpSettle        = "insurance_settle"
	OpCharge        = "charge"
	OpTradeCheck    = "trade_check"
	OpUncharge      = "uncharge"
	OpUnchargeCheck = "uncharge_check"
	OpRefundCheck   = "refund_check"
	OpRefundNotice  = "refund_notice"
	OpCharges       = "charges"
)

// Mapping says how a HIS is spoken to. Placeholders in templates are {name};
// docs/his.md lists them.
type Mapping struct {
	Charset    string               `json:"charset"`     // utf-8 (where nothing says otherwise), gbk, gb2312, gb18030
	Unit       string               `json:"unit"`        // yuan, fen
	TimeLayout string               `json:"time_layout"` // Go layout, Beijing time; default 2006-01-02 15:04:05
	Headers    map[string]string    `json:"headers"`
	Namespace  string               `json:"namespace"` // soap: {namespace} of the envelope
	Action     string               `json:"action"`    // soap: SOAPAction
	Envelope   string               `json:"envelope"`  // soap: whole envelope with {body}
	Result     string               `json:"result"`    // soap: where the inner text is
	Escape     string               `json:"escape"`    // soap: how {body} goes in: cdata (default), xml
	Code       string               `json:"code"`      // path of the result code
	Message    string               `json:"message"`   // path of its words
	Done       []string             `json:"done"`
	NotFound   []string             `json:"not_found"` // of queries by number
	Refused    map[string]Refusal   `json:"refused"`
	PageSize   int                  `json:"page_size"`
	Operations map[string]Operation `json:"operations"`
}

// Refusal says what a code of the HIS means. Only codes that are listed here,
// and that prove that nothing has moved, are refusals.
type Refusal struct {
	As   string     `json:"as"`  // our code; empty keeps the HIS's
	Who  flow.Actor `json:"who"` // who must act
	Hold bool       `json:"hold"`
}

// Operation is one call. A field that is mapped is promised: an answer without
// it is not understood.
type Operation struct {
	Path    string              `json:"path"` // after the address: empty, /… or ?…
	Body    string              `json:"body"`
	List    string              `json:"list"`    // path of the rows
	Total   string              `json:"total"`   // path of the number of rows on all pages
	Fields  map[string]string   `json:"fields"`  // our name → path, within a row where there is a list
	Lists   map[string]Rows     `json:"lists"`   // lists inside of the answer, or of a row: items, fees …
	Echo    map[string]string   `json:"echo"`    // placeholder → path in the answer that must hold what was sent
	Flags   map[string][]string `json:"flags"`   // path → words: each must hold one of its words, or nothing is proved
	Send    map[string]string   `json:"send"`    // our word → the HIS's, for {method}, {channel}, {way} …
	Values  map[string]string   `json:"values"`  // the HIS's word → ours; "field=word" where fields share words
	Done    []string            `json:"done"`    // words of field "status" that mean done
	Pending []string            `json:"pending"` // … not finished
	Empty   []string            `json:"empty"`   // codes that mean: no rows
	Sign    string              `json:"sign"`    // negative: the HIS tells field "amount" as a negative number
	// Idempotent is declared of charge: the same number twice is one charge.
	Idempotent bool `json:"idempotent"`

	name string // its own, Op…
}

// Rows are a list inside of an answer.
type Rows struct {
	List   string            `json:"list"`
	Fields map[string]string `json:"fields"`
	Values map[string]string `json:"values"`
}

// negative is the sign of operations whose amounts the HIS tells below zero.
const negative = "negative"

// asks reports whether the call only asks. Any other is never sent twice by
// itself.
func (op Operation) asks() bool { return rules[op.name].asks }

// Records reports whether the call reads people, cards, bills or statements: one
// odd character in them concerns its own field only.
func (op Operation) Records() bool { return rules[op.name].records }

// long reports whether the answer may hold many rows.
func (op Operation) long() bool { return op.List != "" || len(op.Lists) > 0 }

// amount prints an amount in the HIS's unit.
func (m Mapping) amount(f money.Fen) string {
	if m.Unit == "fen" {
		return fmt.Sprint(int64(f))
	}
	return f.Yuan()
}

// readAmount reads an amount in the HIS's unit. Its errors do not repeat the
// text, which may be anything where a path is wrong.
func (m Mapping) readAmount(s string) (money.Fen, error) {
	f, err := money.Parse(s)
	if err != nil {
		return 0, fmt.Errorf("amount is not a number in %s", m.Unit)
	}
	if m.Unit == "yuan" {
		return f, nil
	}
	if f%100 != 0 { // read as yuan, so whole fen are whole hundreds
		return 0, fmt.Errorf("amount is not in fen")
	}
	return f / 100, nil
}

// errTime does not repeat the text, which may be anything where a path is wrong.
var errTime = errors.New("time cannot be read")

// readTime reads a Beijing time; zero where the HIS tells none.
func (m Mapping) readTime(s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	at, err := foreign.TimeAs(m.TimeLayout, s)
	if err != nil {
		return time.Time{}, errTime
	}
	return time.Unix(at.Unix, 0).In(calendar.Beijing), nil
}

// reason turns a result code into a verdict: done, refused with its meaning, or
// unknown.
func (m Mapping) reason(code, message string) (flow.Verdict, flow.Reason) {
	r := flow.Reason{Code: code, Message: message}
	if slices.Contains(m.Done, code) {
		return flow.Done, r
	}
	if ref, ok := m.Refused[code]; ok {
		r.Actor, r.Hold = ref.Who, ref.Hold
		if ref.As != "" {
			r.Code = ref.As
		}
		return flow.Refused, r
	}
	r.Code, r.Actor = safeCode(code), flow.ActorIT
	r.Denied = r.Code == code // the HIS has spoken, in a word that no list knows
	return flow.Unknown, r
}
