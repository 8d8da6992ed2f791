package staff

import (
	"net/http"
	"time"

	"hospay/collections"
	"hospay/flow"
	"hospay/hooks/kit"
	"hospay/internal/totp"
	"hospay/people"
	"hospay/store"

	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
)

func (h *Hooks) bindAccountRoutes(se *core.ServeEvent) {
	g := se.Router.Group("/api/hospay/staff")
	g.GET("/me", h.staffMe).BindFunc(kit.RequireStaff())
	g.GET("/todo", h.todo).BindFunc(kit.RequireStaff())
	g.GET("/names", h.namesOfStaff).BindFunc(kit.RequireStaff())
	g.GET("/totp", h.totpSecret)
	g.POST("/totp", h.totpConfirm).Bind(apis.BodyLimit(4 << 10))
	g.POST("/auth-with-totp", h.authWithTOTP).Bind(apis.BodyLimit(4 << 10))
	g.POST("/{id}/unlock", h.unlock).Bind(apis.BodyLimit(4 << 10)).BindFunc(kit.RequireStaff(people.RoleConfig))
}

// staffMe tells who is logged in.
func (h *Hooks) staffMe(e *core.RequestEvent) error {
	inst, err := e.App.FindRecordById(collections.Institutions, e.Auth.GetString("institution"))
	if err != nil {
		return h.Fail(e, err)
	}
	row, err := h.Store.SecurityOf(e.Auth.Id)
	if err != nil {
		return h.Fail(e, err)
	}
	policy := inst.GetString("second_factor")
	if policy == "" {
		policy = "off"
	}
	return e.JSON(http.StatusOK, staffMeView{
		ID: e.Auth.Id, Name: e.Auth.GetString("name"), Email: e.Auth.Email(), Roles: e.Auth.GetStringSlice("roles"),
		Institution:  nameView{ID: inst.Id, Name: inst.GetString("name")},
		SecondFactor: secondFactorView{Policy: policy, Enrolled: row.On, RecoveryLeft: row.RecoveryLeft()},
		IdleMinutes:  int(h.Store.Idle(inst.Id) / time.Minute),
		Identified:   e.Auth.GetString("person_index") != "",
	})
}

// staffMeView is who is logged in.
type staffMeView struct {
	ID           string           `json:"id"`
	Name         string           `json:"name"`
	Email        string           `json:"email"`
	Roles        []string         `json:"roles"`
	Institution  nameView         `json:"institution"`
	SecondFactor secondFactorView `json:"second_factor"`
	IdleMinutes  int              `json:"idle_minutes"`
	Identified   bool             `json:"identified"` // its person is known, so that it counts as one of two
}

// nameView names a record.
type nameView struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// secondFactorView is what an account's second factor must be and is.
type secondFactorView struct {
	Policy       string `json:"policy"`
	Enrolled     bool   `json:"enrolled"`
	RecoveryLeft int    `json:"recovery_left"`
}

// todoView is what waits for whoever asks.
type todoView struct {
	Items []todoItem `json:"items"`
}

// todoItem is how much of a kind waits; kinds are those of store.Todos.
type todoItem struct {
	Kind  string `json:"kind"`
	Count int    `json:"count"`
}

// todo lists what waits for the staff member who asks.
func (h *Hooks) todo(e *core.RequestEvent) error {
	all, err := h.Store.Todos(e.Request.Context(), store.MemberOf(e.Auth))
	if err != nil {
		return h.Fail(e, err)
	}
	out := todoView{Items: []todoItem{}}
	for _, t := range all {
		out.Items = append(out.Items, todoItem{Kind: t.Kind, Count: t.Count})
	}
	return e.JSON(http.StatusOK, out)
}

// namesView tells the names of staff by id.
type namesView struct {
	Names map[string]string `json:"names"`
}

// namesOfStaff tells the names of the house's staff by id, for pages that show
// who did what.
func (h *Hooks) namesOfStaff(e *core.RequestEvent) error {
	names, err := h.Store.StaffNames(e.Request.Context(), kit.InstitutionOf(e))
	if err != nil {
		return h.Fail(e, err)
	}
	return e.JSON(http.StatusOK, namesView{Names: names})
}

// firstStep finds the staff member of a login whose password was right and
// whose second step is open.
func (h *Hooks) firstStep(e *core.RequestEvent, mfaID string) (*core.Record, error) {
	mfa, err := e.App.FindMFAById(mfaID)
	if err != nil {
		return nil, kit.Error(http.StatusUnauthorized, "login_expired", "")
	}
	staff, err := e.App.FindRecordById(mfa.CollectionRef(), mfa.RecordRef())
	if err != nil || staff.Collection().Name != collections.Staff || mfa.Method() != core.MFAMethodPassword ||
		mfa.HasExpired(staff.Collection().MFA.DurationTime()) {
		return nil, kit.Error(http.StatusUnauthorized, "login_expired", "")
	}
	return staff, nil
}

// enrolling is who enrols a second factor: a session, or a login in its second
// step. The step's id is told in a header, because addresses are logged.
func (h *Hooks) enrolling(e *core.RequestEvent, mfaID string) (*core.Record, error) {
	if kit.HasRole(e.Auth) {
		return e.Auth, nil
	}
	if e.Auth != nil {
		return nil, kit.Denied(e)
	}
	return h.firstStep(e, mfaID)
}

// totpSecret gives the secret to enrol, until it is confirmed.
func (h *Hooks) totpSecret(e *core.RequestEvent) error {
	staff, err := h.enrolling(e, e.Request.Header.Get("X-Mfa-Id"))
	if err != nil {
		return err
	}
	secret, err := h.Store.TOTPSecret(staff)
	if err != nil {
		return h.Fail(e, err)
	}
	issuer := "hospay"
	if inst, err := e.App.FindRecordById(collections.Institutions, staff.GetString("institution")); err == nil {
		issuer = inst.GetString("name")
	}
	e.Response.Header().Set("Cache-Control", "no-store")
	return e.JSON(http.StatusOK, enrolmentView{Secret: secret, URI: totp.URI(secret, issuer, staff.Email())})
}

// enrolmentView is the secret of a second factor and the address that an app
// reads it from.
type enrolmentView struct {
	Secret string `json:"secret"`
	URI    string `json:"uri"`
}

// recoveryView is the codes that open an account without its app, told once.
type recoveryView struct {
	Codes []string `json:"recovery_codes"`
}

// secondStep is the body of the routes that take a code.
type secondStep struct {
	MFAID string `json:"mfaId"`
	Code  string `json:"code"`
}

// totpConfirm turns the second factor on. In the second step of a login it
// also completes the login; the recovery codes are in the answer's meta.
func (h *Hooks) totpConfirm(e *core.RequestEvent) error {
	var body secondStep
	if err := e.BindBody(&body); err != nil {
		return kit.BadRequest()
	}
	staff, err := h.enrolling(e, body.MFAID)
	if err != nil {
		return err
	}
	return h.tried(e, staff, func() error {
		codes, err := h.Store.ConfirmTOTP(staff, body.Code, e.RealIP(), h.Now())
		if err != nil {
			return err
		}
		if e.Auth != nil {
			return e.JSON(http.StatusOK, recoveryView{Codes: codes})
		}
		return apis.RecordAuthResponse(e, staff, store.SecondFactorTOTP, recoveryView{Codes: codes})
	})
}

// authWithTOTP is the second step of a login: the code of the app, or a
// recovery code.
func (h *Hooks) authWithTOTP(e *core.RequestEvent) error {
	var body secondStep
	if err := e.BindBody(&body); err != nil {
		return kit.BadRequest()
	}
	staff, err := h.firstStep(e, body.MFAID)
	if err != nil {
		return err
	}
	return h.tried(e, staff, func() error {
		if err := h.Store.UseTOTP(staff, body.Code, e.RealIP(), h.Now()); err != nil {
			return err
		}
		return apis.RecordAuthResponse(e, staff, store.SecondFactorTOTP, nil)
	})
}

// unlockedView says that an account can be entered again.
type unlockedView struct {
	Unlocked bool `json:"unlocked"`
}

// unlock ends the lock of an account; a note says why. Nobody takes away their
// own second factor, through whichever account.
func (h *Hooks) unlock(e *core.RequestEvent) error {
	var body struct {
		Note  string `json:"note"`
		Reset bool   `json:"reset_second_factor"`
	}
	if err := e.BindBody(&body); err != nil {
		return kit.BadRequest()
	}
	staff, err := e.App.FindRecordById(collections.Staff, e.Request.PathValue("id"))
	if err != nil || staff.GetString("institution") != e.Auth.GetString("institution") {
		return kit.Error(http.StatusNotFound, "not_found", "")
	}
	note, err := flow.Required(body.Note, flow.CodeNoteRequired)
	if err != nil {
		return h.Fail(e, err)
	}
	if body.Reset && store.MemberOf(staff).Same(store.MemberNow(e.App, kit.ByStaff(e.Auth)).By) {
		return kit.Denied(e)
	}
	err = h.Store.Unlock(staff, body.Reset, store.AuditEntry{
		Institution: e.Auth.GetString("institution"), ActorKind: "staff", Actor: e.Auth.Id, Action: "staff.unlock", Target: staff.Id,
		Address: e.RealIP(),
		Details: map[string]any{"note": note, "reset_second_factor": body.Reset},
	})
	if err != nil {
		return h.Fail(e, err)
	}
	return e.JSON(http.StatusOK, unlockedView{Unlocked: true})
}
