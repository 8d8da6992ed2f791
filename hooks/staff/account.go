package staff

import (
	"net/http"
	"slices"
	"strings"
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
	g.POST("/join", h.joinHouse).Bind(apis.BodyLimit(4 << 10)).BindFunc(kit.RequireStaff())
	g.POST("/switch", h.switchHouse).Bind(apis.BodyLimit(4 << 10)).BindFunc(kit.RequireStaff())
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
	elsewhere, err := h.Store.Elsewhere(e.Auth)
	if err != nil {
		return h.Fail(e, err)
	}
	return e.JSON(http.StatusOK, staffMeView{
		ID: e.Auth.Id, Name: e.Auth.GetString("name"), Email: e.Auth.Email(), Roles: e.Auth.GetStringSlice("roles"),
		Institution:  nameView{ID: inst.Id, Name: inst.GetString("name")},
		SecondFactor: secondFactorView{Policy: policy, Enrolled: row.On, RecoveryLeft: row.RecoveryLeft()},
		IdleMinutes:  int(h.Store.Idle(inst.Id) / time.Minute),
		Identified:   e.Auth.GetString("person_index") != "",
		Elsewhere:    viewElsewhere(elsewhere),
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
	Elsewhere    []elsewhereView  `json:"elsewhere"`
}

// elsewhereView is an account of the same person in another institution.
type elsewhereView struct {
	Account     string   `json:"account"`
	Institution nameView `json:"institution"`
	Roles       []string `json:"roles"`
	Code        bool     `json:"code"` // entering it takes a code of its app
}

func viewElsewhere(all []store.Elsewhere) []elsewhereView {
	out := make([]elsewhereView, 0, len(all))
	for _, p := range all {
		out = append(out, elsewhereView{
			Account: p.Account.Id, Institution: nameView{ID: p.House.Id, Name: p.House.GetString("name")},
			Roles: p.Account.GetStringSlice("roles"), Code: p.Code,
		})
	}
	return out
}

// ofJoins is how often somebody may try to enter another account from their own.
var ofJoins = kit.Budget{Name: "joins", Most: 10, Span: time.Hour}

// joinHouse joins the account that the same person has in another institution: its
// password, and its code where it needs one, are entered once. An account that nobody
// has, one that was switched off and a wrong password are told alike, and lock alike.
func (h *Hooks) joinHouse(e *core.RequestEvent) error {
	var body struct {
		Identity string `json:"identity"`
		Password string `json:"password"`
		Code     string `json:"code"`
	}
	if err := e.BindBody(&body); err != nil {
		return kit.BadRequest()
	}
	if !h.Within(ofJoins, e.Auth.Id) {
		return kit.TooMany()
	}
	wrongPassword := kit.Error(http.StatusBadRequest, "account_or_password_wrong", "")
	other, err := e.App.FindAuthRecordByEmail(collections.Staff, strings.TrimSpace(body.Identity))
	if err != nil || !other.GetBool("active") {
		e.Auth.ValidatePassword(body.Password) // takes the time that a password takes
		if !h.nobody.begin(body.Identity, h.Now()) || h.nobody.fail(body.Identity, h.Now()) {
			return h.Fail(e, flow.NewError(store.CodeLocked, ""))
		}
		return wrongPassword
	}
	return h.tried(e, other, func() error {
		if !other.ValidatePassword(body.Password) {
			return wrongPassword
		}
		if other.GetBool("first_password") {
			return kit.Error(http.StatusForbidden, "password_change_required", "")
		}
		to, err := h.Store.Place(other)
		if err != nil {
			return err
		}
		if err := h.secondFactor(e, to, body.Code); err != nil {
			return err
		}
		if err := h.Store.Join(e.Auth, other, e.RealIP()); err != nil {
			return err
		}
		return e.JSON(http.StatusOK, joinedView{Joined: viewElsewhere([]store.Elsewhere{to})[0]})
	})
}

// joinedView is the account that was joined.
type joinedView struct {
	Joined elsewhereView `json:"joined"`
}

// secondFactor uses the code of an account that needs one.
func (h *Hooks) secondFactor(e *core.RequestEvent, to store.Elsewhere, code string) error {
	switch {
	case !to.Code:
		return nil
	case !to.Coded:
		return kit.Error(http.StatusForbidden, "second_factor_missing", "")
	}
	return h.Store.UseTOTP(to.Account, code, e.RealIP(), h.Now())
}

// switchHouse goes over to the account that the same person has in another
// institution, and ends the session here. Both houses have it on record. Where
// the other house asks for a second factor, it is asked for there, too.
func (h *Hooks) switchHouse(e *core.RequestEvent) error {
	var body struct {
		Account string `json:"account"`
		Code    string `json:"code"`
	}
	if err := e.BindBody(&body); err != nil {
		return kit.BadRequest()
	}
	all, err := h.Store.Elsewhere(e.Auth)
	if err != nil {
		return h.Fail(e, err)
	}
	i := slices.IndexFunc(all, func(p store.Elsewhere) bool { return p.Account.Id == body.Account })
	if i < 0 {
		return kit.Error(http.StatusNotFound, "not_found", "")
	}
	to := all[i]
	return h.tried(e, to.Account, func() error {
		if err := h.secondFactor(e, to, body.Code); err != nil {
			return err
		}
		if err := h.Store.Switched(e.Auth, to.Account, e.RealIP()); err != nil {
			return err
		}
		if err := apis.RecordAuthResponse(e, to.Account, "", nil); err != nil {
			return err
		}
		return h.EndSession(e)
	})
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
