package staff

import (
	"errors"
	"maps"
	"net/http"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"hospay/collections"
	"hospay/flow"
	"hospay/hooks/kit"
	"hospay/store"

	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"
	"github.com/pocketbase/pocketbase/tools/router"
)

// bindLoginEvents counts failures of staff logins and locks accounts.
func (h *Hooks) bindLoginEvents() {
	h.App.OnRecordAuthWithPasswordRequest(collections.Staff).BindFunc(h.passwordTried)
}

// passwordTried counts an attempt. An account that nobody has and one that was
// switched off are told like one whose password is wrong, and lock like it.
func (h *Hooks) passwordTried(e *core.RecordAuthWithPasswordRequestEvent) error {
	if e.Record != nil && e.Record.GetBool("active") {
		return h.tried(e.RequestEvent, e.Record, e.Next)
	}
	e.Record = nil
	locked := flow.NewError(store.CodeLocked, "")
	if !h.nobody.begin(e.Identity, h.Now()) {
		return h.Fail(e.RequestEvent, locked)
	}
	err := e.Next() // PocketBase spends the time that a password takes, and refuses
	if h.nobody.fail(e.Identity, h.Now()) {
		return h.Fail(e.RequestEvent, locked)
	}
	return h.Fail(e.RequestEvent, err)
}

// nobodyMost bounds how many names that nobody has are remembered.
const nobodyMost = 10_000

// nobody counts attempts at accounts that do not exist, in memory.
type nobody struct {
	mu    sync.Mutex
	tries map[string]*store.Tries
}

// begin is store.Tries.Begin of a name.
func (n *nobody) begin(name string, now time.Time) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.tries == nil {
		n.tries = map[string]*store.Tries{}
	}
	if n.tries[name] == nil {
		n.makeRoom(now)
		n.tries[name] = &store.Tries{}
	}
	return n.tries[name].Begin(now)
}

// makeRoom forgets what has aged where too many are remembered, and one that has
// not where none has.
func (n *nobody) makeRoom(now time.Time) {
	if len(n.tries) < nobodyMost {
		return
	}
	maps.DeleteFunc(n.tries, func(_ string, t *store.Tries) bool { return t.Aged(now) })
	for name := range n.tries {
		if len(n.tries) < nobodyMost {
			return
		}
		delete(n.tries, name)
	}
}

// fail is store.Tries.Fail of a name.
func (n *nobody) fail(name string, now time.Time) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	t := n.tries[name]
	if t == nil {
		return false
	}
	locked, _ := t.Fail(now)
	return locked
}

// tried surrounds an attempt at a login with the count of failures. A first
// step of two that was right takes its own attempt back and no more.
func (h *Hooks) tried(e *core.RequestEvent, staff *core.Record, next func() error) error {
	now := h.Now()
	kit.Tries(e, staff)
	if err := h.Store.BeginTry(staff, now); err != nil {
		return h.Fail(e, err)
	}
	err := next()
	switch {
	case err == nil, errors.Is(err, apis.ErrMFA):
		return errors.Join(err, h.Store.PassTry(staff, err == nil))
	case !wrong(err):
		return errors.Join(h.Fail(e, err), h.Store.PassTry(staff, false))
	}
	locked, e2 := h.Store.FailTry(staff, e.RealIP(), now)
	if e2 != nil {
		return h.Fail(e, e2)
	}
	if locked {
		return h.Fail(e, flow.NewError(store.CodeLocked, ""))
	}
	return h.Fail(e, err)
}

// wrong reports whether an attempt failed because what was entered is wrong.
func wrong(err error) bool {
	if api, ok := errors.AsType[*router.ApiError](err); ok {
		return api.Status == http.StatusBadRequest
	}
	return flow.CodeOf(err) == store.CodeTOTPInvalid
}

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
