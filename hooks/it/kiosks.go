package it

import (
	"net/http"

	"hospay/calendar"
	"hospay/hooks/kit"
	"hospay/people"
	"hospay/store"

	"github.com/pocketbase/pocketbase/core"
)

// bindKioskRoutes: what is set of a kiosk is configuration, decided as such. Its
// code and its end are acts of one person: the code is worth nothing without the
// device at its place, and what is withdrawn harms nobody.
func (h *Hooks) bindKioskRoutes(se *core.ServeEvent) {
	g := se.Router.Group("/api/hospay")
	g.POST("/kiosks/{id}/code", h.kioskCode).BindFunc(kit.RequireStaff(people.RoleConfig))
	g.POST("/kiosks/{id}/withdraw", h.kioskWithdraw).BindFunc(kit.RequireStaff(people.RoleConfig))
}

func byStaff(e *core.RequestEvent) store.AuditEntry {
	return store.AuditEntry{Institution: kit.InstitutionOf(e), ActorKind: "staff", Actor: e.Auth.Id, Address: e.RealIP()}
}

// kioskCodeView is the code with which a kiosk is entered. It is shown once.
type kioskCodeView struct {
	Code  string `json:"code"`
	Until string `json:"until"`
}

func (h *Hooks) kioskCode(e *core.RequestEvent) error {
	code, until, err := h.Store.KioskCode(e.Request.PathValue("id"), byStaff(e))
	if err != nil {
		return h.Fail(e, err)
	}
	e.Response.Header().Set("Cache-Control", "no-store")
	return e.JSON(http.StatusOK, kioskCodeView{Code: code, Until: calendar.Clock(until)})
}

// withdrawnView says that a kiosk is out.
type withdrawnView struct {
	Withdrawn bool `json:"withdrawn"`
}

func (h *Hooks) kioskWithdraw(e *core.RequestEvent) error {
	if err := h.Store.WithdrawKiosk(e.Request.PathValue("id"), byStaff(e)); err != nil {
		return h.Fail(e, err)
	}
	return e.JSON(http.StatusOK, withdrawnView{Withdrawn: true})
}
