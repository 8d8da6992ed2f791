package kit

import (
	"net/http"

	"hospay/collections"
	"hospay/people"

	"github.com/pocketbase/pocketbase/core"
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
