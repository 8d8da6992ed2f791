package kit

import (
	"errors"
	"net/http"
	"slices"

	"hospay/collections"
	"hospay/store"

	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"
	"github.com/pocketbase/pocketbase/tools/router"
)

// loginRoutes are where somebody proves who they are; of the routes of an auth
// collection the path says which.
var loginRoutes = map[string]string{
	"POST /api/hospay/auth/ticket": collections.Patients, "POST /api/hospay/auth/wechat": collections.Patients,
	"POST /api/hospay/auth/alipay": collections.Patients, "POST /api/hospay/auth/register": collections.Patients,
	"POST /api/hospay/staff/auth-with-totp":                     collections.Staff,
	"POST /api/hospay/staff/totp":                               collections.Staff,
	"POST /api/hospay/staff/join":                               collections.Staff,
	"POST /api/hospay/staff/switch":                             collections.Staff,
	"POST /api/collections/{collection}/auth-with-password":     "",
	"POST /api/collections/{collection}/auth-with-otp":          "",
	"POST /api/collections/{collection}/auth-with-oauth2":       "",
	"POST /api/collections/{collection}/confirm-password-reset": "",
}

// loginTried is where a request keeps the account that it tries to enter.
const loginTried = "hospay.login"

// Tries notes the account that a request tries to enter.
func Tries(e *core.RequestEvent, account *core.Record) { e.Set(loginTried, account) }

// bindLogins puts logins on record: those of superusers before they are let in,
// those of staff once they are, and what has failed.
func (k *Kit) bindLogins(se *core.ServeEvent) {
	k.App.OnRecordAuthWithPasswordRequest(core.CollectionNameSuperusers, collections.Staff).
		Bind(early("hospay_login_tried", func(e *core.RecordAuthWithPasswordRequestEvent) error {
			if e.Record != nil {
				Tries(e.RequestEvent, e.Record)
			}
			return e.Next()
		}))
	k.App.OnRecordAuthRequest(core.CollectionNameSuperusers).BindFunc(k.superuserIn)
	k.App.OnRecordAuthRequest(collections.Staff).Bind(early("hospay_login_staff", k.staffIn))
	se.Router.Bind(&hook.Handler[*core.RequestEvent]{Id: "hospay_logins", Priority: -980, Func: k.loginJudged})
}

// superuserIn writes a superuser's login down before it is answered; one that
// cannot be written down is refused. A token that is renewed is no login.
func (k *Kit) superuserIn(e *core.RecordAuthRequestEvent) error {
	if e.AuthMethod == "" {
		return e.Next()
	}
	if err := k.loginRow(e, "superuser"); err != nil {
		return k.Fail(e.RequestEvent, err)
	}
	return e.Next()
}

// staffIn writes a login of staff down when it is complete: the first of two
// steps is none.
func (k *Kit) staffIn(e *core.RecordAuthRequestEvent) error {
	err := e.Next()
	if err != nil || e.AuthMethod == "" {
		return err
	}
	if err := k.loginRow(e, "staff"); err != nil {
		k.Log.Error("login.audit", "error", err)
	}
	return nil
}

func (k *Kit) loginRow(e *core.RecordAuthRequestEvent, kind string) error {
	return e.App.RunInTransaction(func(tx core.App) error {
		return store.Audit(tx, store.AuditEntry{
			Institution: e.Record.GetString("institution"), ActorKind: kind, Actor: e.Record.Id, Action: kind + ".login", Target: e.Record.Id,
			Address: e.RealIP(), Details: map[string]any{"method": e.AuthMethod},
		})
	})
}

// loginJudged notes the failures of logins.
func (k *Kit) loginJudged(e *core.RequestEvent) error {
	who, is := loginRoutes[e.Request.Pattern]
	if !is {
		return e.Next()
	}
	err := e.Next()
	if !failedLogin(err) {
		return err
	}
	if who == "" {
		if c, err := e.App.FindCachedCollectionByNameOrId(e.Request.PathValue("collection")); err == nil {
			who = c.Name
		}
	}
	kind := map[string]string{core.CollectionNameSuperusers: "superuser", collections.Staff: "staff", collections.Patients: "patient"}[who]
	if kind == "" {
		return err
	}
	account, _ := e.Get(loginTried).(*core.Record)
	if failed := k.Store.LoginFailed(kind, account, e.RealIP()); failed != nil {
		k.Log.Error("login.audit", "error", failed)
	}
	return err
}

// failedLogin reports whether somebody was turned away; a second step that is
// asked for, and trouble of ours, are no failures.
func failedLogin(err error) bool {
	api, ok := errors.AsType[*router.ApiError](err)
	return ok && !errors.Is(err, apis.ErrMFA) && slices.Contains([]int{http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden,
		http.StatusNotFound}, api.Status)
}
