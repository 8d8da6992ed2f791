package his

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"hospay/money"
	"hospay/refund"
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
)

// needed lists the operations that every mapping has; without reversal the
// configuration says that the HIS cannot reverse.
var needed = []string{OpPerson, OpCards, OpCard, OpDeposits, OpDebit}

// Mapping says how a HIS is spoken to. Placeholders in templates are {name};
// docs/his.md lists them.
type Mapping struct {
	Charset    string               `json:"charset"`     // utf-8 (default), gbk, gb18030
	Unit       string               `json:"unit"`        // yuan, fen
	TimeLayout string               `json:"time_layout"` // Go layout, Beijing time; default 2006-01-02 15:04:05
	Headers    map[string]string    `json:"headers"`
	Namespace  string               `json:"namespace"` // soap: of the call
	Action     string               `json:"action"`    // soap: SOAPAction
	Envelope   string               `json:"envelope"`  // soap: whole envelope with {body}
	Result     string               `json:"result"`    // soap: where the inner text is
	Escape     string               `json:"escape"`    // soap: how {body} goes in: cdata (default), xml
	Code       string               `json:"code"`      // path of the result code
	Message    string               `json:"message"`   // path of its words
	Done       []string             `json:"done"`
	NotFound   []string             `json:"not_found"`
	Refused    map[string]Refusal   `json:"refused"`
	PageSize   int                  `json:"page_size"`
	Operations map[string]Operation `json:"operations"`
}

// Refusal says what a code of the HIS means. Only codes that are listed here,
// and that prove that nothing has moved, are refusals.
type Refusal struct {
	As   string       `json:"as"`  // our code; empty keeps the HIS's
	Who  refund.Actor `json:"who"` // who must act
	Hold bool         `json:"hold"`
}

// Operation is one call.
type Operation struct {
	Path    string            `json:"path"`
	Body    string            `json:"body"`
	List    string            `json:"list"`    // path of the rows
	Fields  map[string]string `json:"fields"`  // our name → path, within a row where there is a list
	Values  map[string]string `json:"values"`  // the HIS's word → ours (status, channel)
	Done    []string          `json:"done"`    // words of field "status" that mean done
	Pending []string          `json:"pending"` // … not finished
}

// ParseMapping reads and checks a mapping.
func ParseMapping(raw json.RawMessage) (Mapping, error) {
	m := Mapping{Charset: "utf-8", TimeLayout: time.DateTime, PageSize: 200}
	if err := json.Unmarshal(raw, &m); err != nil {
		return m, fmt.Errorf("HIS 映射不是有效的 JSON：%w", err)
	}
	if m.Unit != "yuan" && m.Unit != "fen" {
		return m, fmt.Errorf("HIS 映射缺少金额单位 unit（yuan 或 fen）")
	}
	if m.Code == "" || len(m.Done) == 0 {
		return m, fmt.Errorf("HIS 映射缺少结果码的位置 code 或成功码 done")
	}
	for _, op := range needed {
		if _, ok := m.Operations[op]; !ok {
			return m, fmt.Errorf("HIS 映射缺少操作 %s", op)
		}
	}
	if m.PageSize <= 0 {
		m.PageSize = 200
	}
	return m, nil
}

// amount prints an amount in the HIS's unit.
func (m Mapping) amount(f money.Fen) string {
	if m.Unit == "fen" {
		return fmt.Sprint(int64(f))
	}
	return f.Yuan()
}

// readAmount reads an amount in the HIS's unit; "" is 0 and was not told.
func (m Mapping) readAmount(s string) (money.Fen, error) {
	if strings.TrimSpace(s) == "" {
		return 0, nil
	}
	if m.Unit == "yuan" {
		return money.Parse(s)
	}
	f, err := money.Parse(s) // fen as a whole number, also "100.0"
	if err != nil || f%100 != 0 {
		return 0, fmt.Errorf("amount %q is not in fen", s)
	}
	return f / 100, nil
}

func (m Mapping) readTime(s string) time.Time {
	for _, layout := range []string{m.TimeLayout, time.RFC3339, time.DateTime, "20060102150405", time.DateOnly} {
		if t, err := time.ParseInLocation(layout, strings.TrimSpace(s), refund.Beijing); err == nil {
			return t
		}
	}
	return time.Time{}
}

// reason turns a result code into a verdict: done, refused with its meaning, or
// unknown.
func (m Mapping) reason(code, message string) (refund.Verdict, refund.Reason) {
	r := refund.Reason{Code: code, Message: message}
	if slices.Contains(m.Done, code) {
		return refund.Done, r
	}
	if ref, ok := m.Refused[code]; ok {
		r.Actor, r.Hold = ref.Who, ref.Hold
		if ref.As != "" {
			r.Code = ref.As
		}
		return refund.Refused, r
	}
	r.Actor = refund.ActorIT
	return refund.Unknown, r
}

// Fill puts values into a template's {places}, each escaped for the format.
func Fill(template string, values map[string]string, escape func(string) string) string {
	pairs := make([]string, 0, 2*len(values))
	for k, v := range values {
		pairs = append(pairs, "{"+k+"}", escape(v))
	}
	return strings.NewReplacer(pairs...).Replace(template)
}
