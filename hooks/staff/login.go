package staff

import (
	"errors"
	"net/http"
	"strings"

	"hospay/collections"
	"hospay/flow"
	"hospay/hooks/kit"
	"hospay/store"

	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"
	"github.com/pocketbase/pocketbase/tools/router"
)

// bindLoginEvents counts failures of staff logins, locks accounts, and lets
// one-time passwords by e-mail in as a second step only.
func (h *Hooks) bindLoginEvents() {
	h.App.OnRecordAuthWithPasswordRequest(collections.Staff).BindFunc(h.passwordTried)
	h.App.OnRecordRequestOTPRequest(collections.Staff).BindFunc(func(e *core.RecordCreateOTPRequestEvent) error {
		if !e.App.Settings().SMTP.Enabled || e.Record == nil || !h.Store.NeedsSecondFactor(e.Record) {
			return kit.Error(http.StatusForbidden, "otp_off", "")
		}
		return e.Next()
	})
	h.App.OnRecordAuthWithOTPRequest(collections.Staff).BindFunc(func(e *core.RecordAuthWithOTPRequestEvent) error {
		if !h.Store.NeedsSecondFactor(e.Record) {
			return kit.Error(http.StatusForbidden, "otp_off", "")
		}
		return e.Next() // bindMailedCodes has counted it
	})
}

// bindMailedCodes counts attempts with a one-time code by e-mail, in front of
// PocketBase's route: that judges the code before any hook runs.
func (h *Hooks) bindMailedCodes(se *core.ServeEvent) {
	se.Router.Bind(&hook.Handler[*core.RequestEvent]{Id: "hospay_mailed_codes", Func: func(e *core.RequestEvent) error {
		if e.Request.Method != http.MethodPost || !strings.HasSuffix(strings.TrimRight(e.Request.URL.Path, "/"), "/auth-with-otp") {
			return e.Next()
		}
		var body struct {
			OTP string `json:"otpId" form:"otpId"`
		}
		if err := e.BindBody(&body); err != nil {
			return kit.BadRequest()
		}
		otp, err := e.App.FindOTPById(body.OTP)
		if err != nil {
			return e.Next()
		}
		staff, err := e.App.FindRecordById(otp.CollectionRef(), otp.RecordRef())
		if err != nil || staff.Collection().Name != collections.Staff {
			return e.Next()
		}
		return h.tried(e, staff, e.Next)
	}})
}

func (h *Hooks) passwordTried(e *core.RecordAuthWithPasswordRequestEvent) error {
	if e.Record == nil {
		return e.Next()
	}
	return h.tried(e.RequestEvent, e.Record, e.Next)
}

// tried surrounds an attempt at a login with the count of failures. A first
// step of two that was right takes its own attempt back and no more.
func (h *Hooks) tried(e *core.RequestEvent, staff *core.Record, next func() error) error {
	now := h.Now()
	if err := h.Store.BeginTry(staff, now); err != nil {
		return h.Fail(e, err)
	}
	err := next()
	switch {
	case err == nil, errors.Is(err, apis.ErrMFA):
		return errors.Join(err, h.Store.PassTry(staff, err == nil, now))
	case !wrong(err):
		return errors.Join(err, h.Store.PassTry(staff, false, now))
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

// restless are requests that pages make by themselves; they keep no session
// alive.
func restless(method, path string) bool {
	return path == "/api/realtime" || strings.HasSuffix(path, "/auth-refresh") ||
		(method == http.MethodGet && (path == "/api/hospay/queue/counts" || strings.HasPrefix(path, "/api/hospay/exports")))
}

// bindIdle ends staff sessions that have rested too long, whatever their token
// says.
func (h *Hooks) bindIdle(se *core.ServeEvent) {
	se.Router.Bind(&hook.Handler[*core.RequestEvent]{Id: "hospay_idle", Func: func(e *core.RequestEvent) error {
		if e.Auth == nil || e.Auth.Collection().Name != collections.Staff || strings.Contains(e.Request.URL.Path, "/auth-with-") {
			return e.Next()
		}
		alive, err := h.Store.Seen(e.Auth, h.Store.Idle(e.Auth.GetString("institution")), !restless(e.Request.Method, e.Request.URL.Path),
			h.Now())
		if err != nil {
			return h.Fail(e, err)
		}
		if !alive {
			return kit.Error(http.StatusUnauthorized, "idle", "")
		}
		return e.Next()
	}})
}
