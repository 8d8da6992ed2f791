package e2e

import (
	"encoding/json"
	"math/rand/v2"
	"slices"
	"strings"

	"hospay/collections"
	"hospay/lab/testapp"
)

// payments has patients pay bills with their insurance, and keeps the credentials
// by which they did, while the orders hold them.
func (a *aviary) payments() {
	rng := rand.New(rand.NewPCG(1, 5))
	till := newTill(a.t, &day{App: a.App, rng: rng, crash: &crasher{rng: rng}})
	kept := 0
	keep := func() {
		for _, id := range till.orders {
			s := till.one(id).Order.Secrets
			for what, value := range map[string]string{"payAuthNo": s.Auth, "ecToken": s.Ec, "payToken": s.Token, "revsToken": s.Revs} {
				if value != "" && a.values[what+" "+id] == "" {
					a.keep(what+" "+id, value)
					kept++
				}
			}
		}
	}
	for range 12 {
		till.buy()
		till.authorise(false)
		keep()
		till.work()
		keep()
		till.pay()
		till.work()
	}
	if kept < 12 {
		a.t.Errorf("only %d credentials of %d payments", kept, len(till.orders))
	}
}

// acts sends what every route takes that does something, as everybody at night and
// as somebody else from route to route otherwise, and looks at the answers. What
// ends sessions comes last.
func (a *aviary) acts(find *finder) {
	n := 0
	rows := slices.Clone(routeTable)
	slices.SortStableFunc(rows, func(x, y routeRow) int { return strings.Compare(lastOf(x), lastOf(y)) })
	for i, r := range rows {
		method, path, _ := strings.Cut(r.route, " ")
		if method == "GET" || path == "" || strings.HasPrefix(r.route, "POST /api/realtime") {
			continue
		}
		if r.path != "" {
			path = r.path
		}
		for j, v := range visitors {
			if !long() && (i+j)%3 != 0 {
				continue
			}
			res := a.ask(method, a.place(path), a.tokens[v], a.place(r.body))
			n++
			unpacked(r.route, res.Raw, 4, func(name string, data []byte) {
				for _, what := range find.in(data) {
					if !mayTell(v, r.route, what) {
						a.t.Errorf("%s tells %s the %s. Answer with the mask (vault.Mask…), or name it in mayTell with the reason", name, v, what)
					}
				}
			})
		}
	}
	if n < 250 {
		a.t.Errorf("only %d answers", n)
	}
	if a.Order(a.rows[collections.RefundOrders]).Order.No == "" {
		a.t.Error("the order is gone")
	}
}

// lastOf sorts what ends tokens behind everything else.
func lastOf(r routeRow) string {
	if strings.Contains(r.route, "logout") || strings.Contains(r.route, "password") || strings.Contains(r.route, "sessions") {
		return "z"
	}
	return "a"
}

// ask sends a body as it stands in the table.
func (a *aviary) ask(method, path, token, body string) testapp.Answer {
	a.t.Helper()
	if body == "" {
		return a.Call(method, path, token, nil)
	}
	return a.Call(method, path, token, json.RawMessage(body))
}
