package kit

import (
	"context"
	"net/http"
	"strings"

	"hospay/collections"
	"hospay/flow"
	"hospay/people"
	"hospay/store"

	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"
)

// MoneyRoles read orders, statistics and reports.
var MoneyRoles = []string{people.RoleReviewer, people.RoleFinance, people.RoleCashier, people.RoleAuditor}

// RequirePatient admits patients only.
func RequirePatient(e *core.RequestEvent) error {
	if e.Auth == nil || e.Auth.Collection().Name != collections.Patients {
		return Denied(e)
	}
	return e.Next()
}

// RequireStaff admits active staff with one of the roles; without roles, any
// active staff.
func RequireStaff(roles ...string) func(*core.RequestEvent) error {
	return func(e *core.RequestEvent) error {
		if !HasRole(e.Auth, roles...) {
			return Denied(e)
		}
		return e.Next()
	}
}

// HasRole reports whether auth is active staff with one of the roles; without
// roles, any active staff.
func HasRole(auth *core.Record, roles ...string) bool {
	if auth == nil || auth.Collection().Name != collections.Staff || !auth.GetBool("active") {
		return false
	}
	if len(roles) == 0 {
		return true
	}
	for _, have := range auth.GetStringSlice("roles") {
		for _, want := range roles {
			if have == want {
				return true
			}
		}
	}
	return false
}

// Denied refuses whoever is known and asks the others to log in.
func Denied(e *core.RequestEvent) error {
	if e.Auth == nil {
		return Error(http.StatusUnauthorized, "not_allowed", "")
	}
	return Error(http.StatusForbidden, "not_allowed", "")
}

// ByStaff names a staff member as the actor, with the natural person behind
// the account.
func ByStaff(auth *core.Record) people.By {
	return people.By{Kind: people.ByStaff, ID: auth.Id, Person: auth.GetString("person_index")}
}

// ByRequest is ByStaff with the address of the request.
func ByRequest(e *core.RequestEvent) people.By {
	by := ByStaff(e.Auth)
	by.Address = e.RealIP()
	return by
}

// InstitutionOf is the caller's institution.
func InstitutionOf(e *core.RequestEvent) string { return e.Auth.GetString("institution") }

// A kiosk shows the token of its device; with the handle of who stands there
// (PersonHeader) its requests are that patient's, on the routes of atKiosk alone.
const (
	PersonHeader = "X-Kiosk-Person"
	kioskKey     = "hospay_kiosk"
)

// atKiosk are the patients' routes that a kiosk needs: bills, registration,
// insurance, the payment itself. Nothing else of a patient is told there.
var atKiosk = map[string]bool{
	"GET /api/hospay/bills": true, "GET /api/hospay/departments": true, "GET /api/hospay/slots": true,
	"POST /api/hospay/slots/{id}/lock": true, "DELETE /api/hospay/slots/{id}/lock": true, "GET /api/hospay/insurance/areas": true,
	"POST /api/hospay/insurance/enrolment": true, "POST /api/hospay/insurance/identity": true,
	"GET /api/hospay/insurance/authorisation": true, "GET /api/hospay/payments/{id}": true, "POST /api/hospay/payments/{id}/check": true,
	"POST /api/hospay/payments/{id}/cancel": true, "POST /api/hospay/payments/{id}/agree": true, "GET /api/hospay/kiosk/open": true,
}

// bindKiosks stands behind the reading of tokens and before all that counts or
// judges who asks.
func (k *Kit) bindKiosks(se *core.ServeEvent) {
	se.Router.Bind(&hook.Handler[*core.RequestEvent]{Id: "hospay_kiosks", Priority: apis.DefaultLoadAuthTokenMiddlewarePriority + 2,
		Func: k.fromKiosk})
}

// fromKiosk knows the device of a request and, where there is one, who stands at
// it. A token that is worth nothing any more is told as such: the device is to be
// entered anew.
func (k *Kit) fromKiosk(e *core.RequestEvent) error {
	token := tokenOf(e)
	if e.Auth != nil || !strings.HasPrefix(token, store.KioskToken) || e.Request.Pattern == "POST /api/hospay/kiosk/enrol" {
		return e.Next()
	}
	device, err := k.Store.UseKiosk(token)
	if err != nil {
		return k.turnedAway(e, err)
	}
	e.Set(kioskKey, device)
	handle := e.Request.Header.Get(PersonHeader)
	if handle == "" || !atKiosk[e.Request.Pattern] && !Creates(e, collections.PaymentOrders) {
		return e.Next()
	}
	if e.Auth, err = k.Store.UseAtKiosk(device, handle); err != nil {
		e.Auth = nil
		return k.turnedAway(e, err)
	}
	return e.Next()
}

func (k *Kit) turnedAway(e *core.RequestEvent, err error) error {
	if code := flow.CodeOf(err); code != "" {
		return Error(http.StatusUnauthorized, string(code), "")
	}
	return k.Fail(e, err)
}

// KioskOf is the device of a request.
func KioskOf(e *core.RequestEvent) (store.Kiosk, bool) {
	d, is := e.Get(kioskKey).(store.Kiosk)
	return d, is
}

// RequireKiosk admits devices that were entered, with or without somebody at them.
func RequireKiosk(e *core.RequestEvent) error {
	if _, is := KioskOf(e); !is {
		return Denied(e)
	}
	return e.Next()
}

type adminKey struct{}

// Admin marks the context of a listener as that of IT.
func Admin(ctx context.Context) context.Context { return context.WithValue(ctx, adminKey{}, true) }

// OnAdmin reports whether a request has come by the listener of IT.
func OnAdmin(r *http.Request) bool { return r.Context().Value(adminKey{}) != nil }
