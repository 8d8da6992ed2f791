package staff

import (
	"net/http"
	"strings"
	"unicode/utf8"

	"hospay/collections"
	"hospay/hooks/kit"

	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"
)

const (
	passwordRoute = "/api/hospay/staff/password"
	passwordLeast = 10 // characters
)

// bindFirstPassword refuses everything to an account that still has the
// password that others have seen, but to choose another one.
func (h *Hooks) bindFirstPassword(se *core.ServeEvent) {
	se.Router.Bind(&hook.Handler[*core.RequestEvent]{Id: "hospay_first_password", Func: func(e *core.RequestEvent) error {
		path := strings.TrimRight(e.Request.URL.Path, "/")
		if e.Auth == nil || !e.Auth.GetBool("first_password") || path == passwordRoute || strings.Contains(path, "/auth-with-") {
			return e.Next()
		}
		return kit.Error(http.StatusForbidden, "password_change_required", "")
	}})
	se.Router.POST(passwordRoute, h.changePassword).Bind(apis.BodyLimit(4 << 10)).BindFunc(kit.RequireStaff())
}

// changePassword sets a staff member's own password and answers with a new
// session; every other session of the account ends. Wrong old passwords count
// toward the lock.
func (h *Hooks) changePassword(e *core.RequestEvent) error {
	var body struct {
		Old string `json:"old"`
		New string `json:"new"`
	}
	if err := e.BindBody(&body); err != nil {
		return kit.BadRequest()
	}
	if utf8.RuneCountInString(body.New) < passwordLeast || body.New == body.Old {
		return kit.Error(http.StatusBadRequest, "password_weak", "")
	}
	return h.tried(e, e.Auth, func() error {
		if !e.Auth.ValidatePassword(body.Old) {
			return kit.Error(http.StatusBadRequest, "password_wrong", "")
		}
		var staff *core.Record
		err := e.App.RunInTransaction(func(tx core.App) (err error) {
			if staff, err = tx.FindRecordById(collections.Staff, e.Auth.Id); err != nil {
				return err
			}
			staff.SetPassword(body.New)
			staff.Set("first_password", false)
			if err := tx.Save(staff); err != nil {
				return err
			}
			return kit.AuditIn(tx, e, "staff.password", staff.Id, nil)
		})
		if err != nil {
			return err
		}
		return apis.RecordAuthResponse(e, staff, "", nil) // this session has passed its second factor
	})
}
