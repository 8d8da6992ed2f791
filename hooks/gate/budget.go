package gate

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"hospay/collections"
	"hospay/hooks/kit"

	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/router"
)

// The budgets of people. Those of networks are PocketBase's rate limits, which
// are wide, because a whole ward may share one address. Whoever is known has a
// budget of their own wherever they sit; of the others only those attempts to
// log in count that were wrong.
var (
	ofAccount = kit.Budget{Name: "account", Most: 300, Span: 10 * time.Second}
	ofWrong   = kit.Budget{Name: "wrong_logins", Most: 30, Span: time.Minute} // of a network
	ofStatus  = kit.Budget{Name: "wrong_status", Most: 30, Span: time.Minute} // of a network
	ofLogins  = kit.Budget{Name: "logins", Most: 10, Span: time.Minute}       // of an account, from a network
	ofOrders  = kit.Budget{Name: "orders", Most: 20, Span: time.Minute}       // of a patient
	ofBills   = kit.Budget{Name: "payments", Most: 20, Span: time.Minute}     // of a patient
	ofProxies = kit.Budget{Name: "proxies", Most: 10, Span: time.Minute}      // of a patient
	ofPhotos  = kit.Budget{Name: "photos", Most: 30, Span: time.Minute}       // of a patient
)

var created = map[string]kit.Budget{
	collections.RefundOrders: ofOrders, collections.PaymentOrders: ofBills, collections.ProxyApplications: ofProxies,
	collections.ProxyMaterials: ofPhotos,
}

// budget keeps people from asking without end, and strangers from trying.
func (g *Gate) budget(e *core.RequestEvent) error {
	if !g.Limited || e.HasSuperuserAuth() || !strings.HasPrefix(e.Request.URL.Path, "/api/") {
		return e.Next()
	}
	if e.Auth != nil && !g.known(e) {
		return kit.TooMany()
	}
	who := Network(e.RealIP())
	if e.Auth != nil {
		who = e.Auth.Id
	}
	switch {
	case login(e):
		return g.tried(e, ofWrong, who)
	case e.Request.Pattern == "POST /api/hospay/status":
		return g.tried(e, ofStatus, who)
	}
	return e.Next()
}

// known spends of the budgets of an account.
func (g *Gate) known(e *core.RequestEvent) bool {
	if !g.Budgets.Take(ofAccount, e.Auth.Id, g.Now()) {
		return false
	}
	for name, budget := range created {
		if kit.Creates(e, name) && !g.Budgets.Take(budget, e.Auth.Id, g.Now()) {
			return false
		}
	}
	return true
}

// login knows the routes on which somebody may try who they are, or have mail
// sent.
func login(e *core.RequestEvent) bool {
	if e.Request.Method != http.MethodPost {
		return false
	}
	_, pattern, _ := strings.Cut(e.Request.Pattern, " ")
	for _, p := range []string{"/auth-with-", "/request-", "/confirm-"} {
		if strings.Contains(pattern, p) {
			return true
		}
	}
	return strings.HasPrefix(pattern, "/api/hospay/auth/") || pattern == "/api/hospay/staff/totp"
}

// tried counts an attempt that was wrong: a login, or a guess at an order. Where too many were, nobody of that
// network may try any more, but who brings a ticket: it costs little to judge,
// and a right one is the person's own.
func (g *Gate) tried(e *core.RequestEvent, of kit.Budget, who string) error {
	ticket := strings.HasSuffix(e.Request.Pattern, "/auth/ticket")
	left := g.Budgets.Left(of, who, g.Now())
	if !left && !ticket || !g.account(e, who) {
		return kit.TooMany()
	}
	err := e.Next()
	if !wrong(e, err) {
		return err
	}
	if !g.Budgets.Take(of, who, g.Now()) && !e.Written() {
		return kit.TooMany()
	}
	return err
}

// account spends of the attempts at one account from one place.
func (g *Gate) account(e *core.RequestEvent, who string) bool {
	var body struct {
		Identity string `json:"identity" form:"identity"`
	}
	if !strings.HasSuffix(e.Request.Pattern, "/auth-with-password") || e.BindBody(&body) != nil || body.Identity == "" {
		return true
	}
	return g.Budgets.Take(ofLogins, who+" "+strings.ToLower(kit.Cut(body.Identity, 200)), g.Now())
}

// wrong reports whether an attempt was refused for what it brought. The first
// of two steps is answered like a refusal and is none; a letter that was asked
// for counts whatever is answered.
func wrong(e *core.RequestEvent, err error) bool {
	if strings.Contains(e.Request.Pattern, "/request-") {
		return true
	}
	if err == nil || errors.Is(err, apis.ErrMFA) {
		return false
	}
	api, ok := errors.AsType[*router.ApiError](err)
	return ok && api.Status >= http.StatusBadRequest && api.Status < http.StatusInternalServerError
}
