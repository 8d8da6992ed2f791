package demo

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"hospay/payment"
)

// Payer is a test person who pays bills, on their own phone or on a relative's.
type Payer struct {
	*Person
	API   *API
	At    Endpoints
	Phone string // whose phone it is; empty: their own
}

// area is the demo's place of insurance (参保地).
const area = "440100"

// Bill lets HIS write a bill of the person; within is how many seconds there are
// to pay it, 0 for no end.
func (p *Payer) Bill(ctx context.Context, registration, insurable bool, fen int64, within int) (no string, err error) {
	kind := payment.KindOutpatient
	if registration {
		kind = payment.KindRegistration
	}
	body := map[string]any{"patient": p.No, "kind": string(kind), "amount": fen, "insurable": insurable}
	if within > 0 {
		body["pay_within"] = within
	}
	var made struct {
		No string `json:"bill_no"`
	}
	err = ask(ctx, p.At.HIS+"/_sim/bills", body, &made)
	return made.No, err
}

// Identify chooses place and benefit, and lets HIS price the bill by it.
func (p *Payer) Identify(ctx context.Context, bill string) error {
	body := map[string]any{"card_no": p.Cards[0], "area": area, "bill_no": bill, "channel": p.Via}
	var found struct {
		Enrolled bool   `json:"enrolled"`
		Reason   string `json:"reason"`
		Benefits []struct {
			ID      string `json:"id"`
			Enjoyed bool   `json:"enjoyed"`
		} `json:"benefits"`
	}
	if err := p.API.Call(ctx, "POST", "/api/hospay/insurance/enrolment", p.Token, body, &found); err != nil {
		return err
	}
	for _, benefit := range found.Benefits {
		if benefit.Enjoyed {
			body["benefit"] = benefit.ID
			return p.API.Call(ctx, "POST", "/api/hospay/insurance/identity", p.Token, body, nil)
		}
	}
	return &APIError{Code: "not_enrolled", Text: found.Reason}
}

// Authorise walks the channel's page to a credential, which the next order takes.
func (p *Payer) Authorise(ctx context.Context) error {
	code, err := p.Credential(ctx)
	switch {
	case err != nil:
		return err
	case p.Via == "alipay": // it says by itself that the patient has agreed
		return p.API.Call(ctx, "GET", p.authorisation(), p.Token, nil, nil)
	case code == "":
		return nil
	}
	return p.API.Call(ctx, "POST", "/api/hospay/insurance/authorisation", p.Token, map[string]any{"channel": p.Via, "code": code}, nil)
}

func (p *Payer) authorisation() string {
	return "/api/hospay/insurance/authorisation?" + url.Values{"channel": {p.Via}, "terminal": {"h5"}, "back": {p.API.Base + "/"}}.Encode()
}

// browser follows no redirect: what the page sends back is in the address.
var browser = &http.Client{Timeout: 10 * time.Second,
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}

// Credential is what the person comes back with from the channel's page: a code,
// or nothing where the channel is asked instead.
func (p *Payer) Credential(ctx context.Context) (code string, err error) {
	var way struct {
		Authorised bool   `json:"authorised"`
		URL        string `json:"url"`
	}
	if err := p.API.Call(ctx, "GET", p.authorisation(), p.Token, nil, &way); err != nil || way.Authorised {
		return "", err
	}
	page, holder, treated := way.URL, p.No, ""
	if p.Phone != "" {
		holder, treated = p.Phone, p.No
	}
	if p.Via == "wechat" {
		page += "&patient=" + holder
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, page, strings.NewReader(url.Values{"for": {treated}}.Encode()))
	if err != nil {
		return "", err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := browser.Do(req)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, res.Body)
	to, err := res.Location()
	if err != nil {
		return "", fmt.Errorf("授权页应答 %d：%w", res.StatusCode, err)
	}
	return to.Query().Get("authCode"), nil
}

// Order applies for the payment of a bill; the id may be empty.
func (p *Payer) Order(ctx context.Context, id, bill string, insured bool) (o Order, err error) {
	body := map[string]any{"bill_no": bill, "card_no": p.Cards[0], "channel": p.Via, "terminal": "mini", "insured": insured}
	if id != "" {
		body["id"] = id
	}
	if insured {
		body["area"] = area
	}
	err = p.API.Call(ctx, "POST", "/api/collections/payment_orders/records", p.Token, body, &o)
	return o, err
}
