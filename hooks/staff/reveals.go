package staff

import (
	"net/http"

	"hospay/calendar"
	"hospay/collections"
	"hospay/hooks/kit"
	"hospay/people"
	"hospay/store"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
)

func (h *Hooks) bindRevealRoutes(se *core.ServeEvent) {
	look := se.Router.POST("/api/hospay/desk/proxies/{id}/look", h.lookAtProxy)
	look.Bind(apis.BodyLimit(4 << 10)).BindFunc(kit.RequireStaff(people.RoleReviewer, people.RoleAuditor))
	g := se.Router.Group("/api/hospay/reveals").Bind(apis.BodyLimit(4 << 10))
	g.GET("", h.reveals).BindFunc(kit.RequireStaff(people.RoleReviewer, people.RoleFinance, people.RoleAuditor, people.RoleConfig))
	g.POST("", h.askReveals).BindFunc(kit.RequireStaff(store.RevealRule.Propose...))
	g.POST("/{id}/release", h.decideReveals(true)).BindFunc(kit.RequireStaff(store.RevealRule.Confirm...))
	g.POST("/{id}/refuse", h.decideReveals(false)).BindFunc(kit.RequireStaff())
}

// personView is a person in clear, for a look that is on record.
type personView struct {
	Name string `json:"name"`
	IDNo string `json:"id_no"`
}

// lookView is what has to be compared with the photos of an application, which
// stay open for a while.
type lookView struct {
	Agent     personView `json:"agent"`
	Principal personView `json:"principal"`
	Left      int        `json:"left"` // fields that may still be looked at today
}

// lookFields are the names and numbers of agent and principal.
const lookFields = 4

// lookAtProxy opens both people and the photos of an application for whoever
// tells why.
func (h *Hooks) lookAtProxy(e *core.RequestEvent) error {
	var body struct {
		Reason string `json:"reason"`
	}
	if err := e.BindBody(&body); err != nil {
		return kit.BadRequest()
	}
	rec, err := h.proxyOfDesk(e)
	if err != nil {
		return err
	}
	photos, err := e.App.CountRecords(collections.ProxyMaterials, dbx.HashExp{"application": rec.Id}, dbx.NewExp("file != ''"))
	if err != nil {
		return h.Fail(e, err)
	}
	err = h.Store.Look(store.Look{By: kit.ByRequest(e), Action: store.AuditLook, Target: rec.Id, Reason: body.Reason,
		Fields: lookFields + int(photos), Details: map[string]any{"no": rec.GetString("no")}})
	if err != nil {
		return h.Fail(e, err)
	}
	out, err := h.looked(e, rec)
	if err != nil {
		return h.Fail(e, err)
	}
	e.Response.Header().Set("Cache-Control", "no-store")
	return e.JSON(http.StatusOK, out)
}

func (h *Hooks) looked(e *core.RequestEvent, rec *core.Record) (out lookView, err error) {
	agent, err := h.Store.Person(e.Request.Context(), rec.GetString("patient"))
	if err != nil {
		return out, err
	}
	out.Agent = personView{Name: agent.Name, IDNo: agent.IDNo}
	if out.Principal.Name, out.Principal.IDNo, err = h.Store.OpenPrincipal(e.Request.Context(), rec); err != nil {
		return out, err
	}
	r, err := h.Store.RevealsOf(kit.ByStaff(e.Auth))
	out.Left = max(0, r.Limit-r.Used)
	return out, err
}

// revealsView is how much one may look at today, and who asks for more.
type revealsView struct {
	Limit   int             `json:"limit"`
	Used    int             `json:"used"`
	Waiting []revealAskView `json:"waiting"`
}

// revealAskView is a wish to look at more.
type revealAskView struct {
	ID   string `json:"id"`
	By   string `json:"by"`
	At   string `json:"at"`
	Note string `json:"note"`
}

// reveals tells how much one may look at today. Wishes are told to those who may
// release them, and to who made them.
func (h *Hooks) reveals(e *core.RequestEvent) error {
	r, err := h.Store.RevealsOf(kit.ByStaff(e.Auth))
	if err != nil {
		return h.Fail(e, err)
	}
	asks, err := h.Store.RevealAsks(e.Request.Context(), kit.InstitutionOf(e))
	if err != nil {
		return h.Fail(e, err)
	}
	out := revealsView{Limit: r.Limit, Used: r.Used, Waiting: []revealAskView{}}
	for _, a := range asks {
		if a.By == e.Auth.Id || kit.HasRole(e.Auth, store.RevealRule.Confirm...) {
			out.Waiting = append(out.Waiting, revealAskView{ID: a.ID, By: a.By, At: calendar.Clock(a.At.Time()), Note: a.Note})
		}
	}
	return e.JSON(http.StatusOK, out)
}

func (h *Hooks) askReveals(e *core.RequestEvent) error {
	return h.onReveals(e, func(note string) error { return h.Store.AskReveals(e.Request.Context(), kit.ByRequest(e), note) })
}

func (h *Hooks) decideReveals(release bool) func(*core.RequestEvent) error {
	return func(e *core.RequestEvent) error {
		return h.onReveals(e, func(note string) error {
			return h.Store.DecideReveals(e.Request.Context(), kit.ByRequest(e), e.Request.PathValue("id"), release, note)
		})
	}
}

// onReveals reads a note, does what is asked and answers with what is so now.
func (h *Hooks) onReveals(e *core.RequestEvent, do func(note string) error) error {
	var body struct {
		Note string `json:"note"`
	}
	if err := e.BindBody(&body); err != nil {
		return kit.BadRequest()
	}
	if err := do(body.Note); err != nil {
		return h.Fail(e, err)
	}
	return h.reveals(e)
}
