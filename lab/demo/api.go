package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"
)

// API calls a running hospay as patients and staff do.
type API struct {
	Base string
	http http.Client
}

// NewAPI returns a client of the program at base.
func NewAPI(base string) *API {
	return &API{Base: base, http: http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 256,
		MaxIdleConns: 512}}}
}

// APIError is a refusal by hospay.
type APIError struct {
	Status int
	Code   string
	Text   string
}

// Error implements error.
func (e *APIError) Error() string { return fmt.Sprintf("%d %s %s", e.Status, e.Code, e.Text) }

// Call sends a JSON request and decodes the answer into out, when it is given.
func (a *API) Call(ctx context.Context, method, path, token string, body, out any) error {
	var in io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return err
		}
		in = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, a.Base+path, in)
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	if token != "" {
		req.Header.Set("Authorization", token)
	}
	res, err := a.http.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	if res.StatusCode/100 != 2 {
		var e struct {
			Message string `json:"message"`
			Data    struct {
				Code string `json:"code"`
			} `json:"data"`
		}
		_ = json.Unmarshal(data, &e)
		return &APIError{Status: res.StatusCode, Code: e.Data.Code, Text: e.Message}
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(data, out)
}

// Person is a test person with a session.
type Person struct {
	No     string
	Via    string
	Token  string
	Name   string   `json:"name"`
	IDNo   string   `json:"id_no"`
	Phone  string   `json:"phone"`
	Alipay string   `json:"alipay_account"`
	Cards  []string `json:"cards"`
	Ticket string   `json:"ticket"`
}

// Login brings a test person in with a ticket of the portal.
func (a *API) Login(ctx context.Context, portal, no, via string) (*Person, error) {
	return a.LoginOn(ctx, portal, no, via, no)
}

// LoginOn brings in a test person who uses somebody else's phone.
func (a *API) LoginOn(ctx context.Context, portal, no, via, phone string) (*Person, error) {
	p := &Person{No: no, Via: via}
	if err := get(ctx, fmt.Sprintf("%s/_sim/ticket?patient=%s&via=%s&phone=%s", portal, no, via, phone), p); err != nil {
		return nil, err
	}
	var auth struct {
		Token string `json:"token"`
	}
	if err := a.Call(ctx, "POST", "/api/hospay/auth/ticket", "", map[string]any{"ticket": p.Ticket}, &auth); err != nil {
		return nil, err
	}
	p.Token = auth.Token
	return p, nil
}

// Staff logs a demo account in and returns its token.
func (a *API) Staff(ctx context.Context, name string) (string, error) {
	var auth struct {
		Token string `json:"token"`
	}
	err := a.Call(ctx, "POST", "/api/collections/staff/auth-with-password", "", map[string]any{"identity": name + "@demo.hospay",
		"password": Password}, &auth)
	return auth.Token, err
}

// Order is what the program tells about an order.
type Order struct {
	ID     string `json:"id"`
	No     string `json:"no"`
	Status string `json:"status"`
	Amount int64  `json:"amount"`
}

// Wish is an application.
type Wish struct {
	ID      string // client-made, may be empty
	Card    string // default: the person's first
	Channel string
	Method  string
	Amount  int64
	Changes map[string]any
}

// Apply sends an application.
func (a *API) Apply(ctx context.Context, p *Person, w Wish) (Order, error) {
	if w.Card == "" {
		w.Card = p.Cards[0]
	}
	body := map[string]any{
		"card_no": w.Card, "amount": w.Amount, "method": w.Method, "channel": w.Channel, "payee_name": p.Name, "notify_phone": p.Phone,
		"notice_version": "1",
	}
	if w.ID != "" {
		body["id"] = w.ID
	}
	if w.Channel == "alipay" && w.Method == "transfer" {
		body["payee_account"] = p.Alipay
	}
	for k, v := range w.Changes {
		body[k] = v
	}
	var o Order
	err := a.Call(ctx, "POST", "/api/collections/refund_orders/records", p.Token, body, &o)
	return o, err
}
