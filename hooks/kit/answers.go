package kit

import (
	"net/url"
	"strconv"

	"github.com/pocketbase/pocketbase/core"

	"hospay/store"
)

// PageOf reads page and per_page.
func PageOf(q url.Values) (page, perPage int, err error) {
	page, perPage = 1, 50
	for name, to := range map[string]*int{"page": &page, "per_page": &perPage} {
		if v := q.Get(name); v != "" {
			if *to, err = strconv.Atoi(v); err != nil || *to < 1 {
				return 0, 0, BadRequest()
			}
		}
	}
	if perPage > 500 || page > 1_000_000 {
		return 0, 0, BadRequest()
	}
	return page, perPage, nil
}

// XLSX is the type of workbooks.
const XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

// Attach names the download; the name may be Chinese (RFC 5987).
func Attach(e *core.RequestEvent, name string) {
	e.Response.Header().Set("Content-Disposition", "attachment; filename*=UTF-8''"+url.PathEscape(name))
	e.Response.Header().Set("Cache-Control", "no-store")
}

// Audit records an act of the staff member of the request.
func (k *Kit) Audit(e *core.RequestEvent, action, target string, details map[string]any) error {
	return e.App.RunInTransaction(func(tx core.App) error { return AuditIn(tx, e, action, target, details) })
}

// AuditIn is Audit within a transaction of the caller's.
func AuditIn(tx core.App, e *core.RequestEvent, action, target string, details map[string]any) error {
	return store.Audit(tx, store.AuditEntry{
		Institution: InstitutionOf(e), ActorKind: "staff", Actor: e.Auth.Id, Action: action, Target: target,
		Address: e.RealIP(), Details: details,
	})
}
