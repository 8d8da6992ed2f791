package e2e

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"

	"hospay/lab/demo"

	"github.com/pocketbase/pocketbase/core"
)

// killBill is a payment that the server has acknowledged.
type killBill struct {
	who  *demo.Payer
	id   string
	over bool
}

// killTill is what patients pay while the server is being killed.
type killTill struct {
	mu      sync.Mutex
	bills   []*killBill
	ordered atomic.Int64
	finance string
	open    int // tills; 0 where a test is about refunds alone
}

// shop lets a patient make an order, with insurance or without it, and then do
// what patients do with those that they have.
func (k *killRun) shop(ctx context.Context, who *demo.Person, rng *rand.Rand) {
	p := &demo.Payer{Person: who, API: k.api, At: k.at}
	insured := rng.IntN(2) == 0
	no, err := p.Bill(ctx, rng.IntN(2) == 0, insured, int64(1000+rng.IntN(20_000)), 0)
	if err == nil && insured {
		if err = p.Identify(ctx, no); err == nil {
			err = p.Authorise(ctx)
		}
	}
	if err != nil {
		return
	}
	// What the server made before it died is an order, too, though nobody was told.
	b := &killBill{who: p, id: core.GenerateDefaultRandomId()}
	if _, err = p.Order(ctx, b.id, no, insured); err == nil {
		k.till.ordered.Add(1)
	} else if refused := (*demo.APIError)(nil); errors.As(err, &refused) {
		return
	}
	k.till.mu.Lock()
	k.till.bills = append(k.till.bills, b)
	k.till.mu.Unlock()
}

// look goes on with a payment of before: it is paid, cancelled, or given back.
func (k *killRun) look(ctx context.Context, b *killBill, rng *rand.Rand, last bool) {
	var shown struct {
		No     string `json:"no"`
		Status string `json:"status"`
		Pay    *struct {
			Form string `json:"form"`
		} `json:"pay"`
	}
	path := "/api/hospay/payments/" + b.id
	if err := k.api.Call(ctx, "GET", path, b.who.Token, nil, &shown); err != nil {
		if refused := (*demo.APIError)(nil); last && errors.As(err, &refused) && refused.Status == http.StatusNotFound {
			b.over = true // it was never made
		}
		return
	}
	switch {
	case shown.Status == "done" && rng.IntN(6) == 0 && !last:
		kind := []string{"all", "insurance", "cash"}[rng.IntN(3)]
		_ = k.api.Call(ctx, "POST", path+"/refund", k.till.finance, map[string]any{"kind": kind, "reason": "停诊"}, nil)
	case shown.Status == "done", shown.Status == "part_refunded", shown.Status == "refunded", shown.Status == "cancelled",
		shown.Status == "expired", shown.Status == "suspense":
		b.over = true
	case shown.Status == "refund_wait_auth":
		if code, err := b.who.Credential(ctx); err == nil {
			_ = k.api.Call(ctx, "POST", path+"/authorise", b.who.Token, map[string]any{"channel": b.who.Via, "code": code}, nil)
		}
	case shown.Pay != nil && (last || rng.IntN(4) > 0):
		base := k.at.WeChat
		if b.who.Via == "alipay" {
			base = k.at.Alipay
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, base+"/_sim/pay/"+shown.No+"C01", nil)
		if err != nil {
			return
		}
		if res, err := http.DefaultClient.Do(req); err == nil {
			res.Body.Close()
		}
	case last || rng.IntN(10) == 0:
		_ = k.api.Call(ctx, "POST", path+"/cancel", b.who.Token, nil, nil)
	}
}

// some are payments that are not known to be over.
func (k *killRun) some(all bool) (out []*killBill) {
	k.till.mu.Lock()
	defer k.till.mu.Unlock()
	for i := len(k.till.bills) - 1; i >= 0 && (all || len(out) < 4); i-- {
		if b := k.till.bills[i]; !b.over {
			out = append(out, b)
		}
	}
	return out
}

// pays lets the patients of a load pay until it ends.
func (k *killRun) pays(ctx context.Context, seed uint64, who []*demo.Person) error {
	rng := rand.New(rand.NewPCG(seed, 3))
	for n := 0; ctx.Err() == nil; n++ {
		k.shop(ctx, who[n%len(who)], rng)
		for _, b := range k.some(false) {
			k.look(ctx, b, rng, false)
		}
	}
	return nil
}

// settlePayments lets everything that is open be paid or cancelled.
func (k *killRun) settlePayments(ctx context.Context, rng *rand.Rand) (open int) {
	for _, b := range k.some(true) {
		k.look(ctx, b, rng, true)
	}
	return len(k.some(true))
}
