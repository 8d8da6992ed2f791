package staff

import (
	"net/http"
	"strconv"
	"strings"

	"hospay/collections"
	"hospay/config"
	"hospay/exports"
	"hospay/flow"
	"hospay/hooks/kit"
	"hospay/internal/i18n"
	"hospay/people"
	"hospay/store"

	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/router"
)

// settingsBody bounds what a change may hold: a mapping or a notice.
const settingsBody = 512 << 10

func (h *Hooks) bindSettingsRoutes(se *core.ServeEvent) {
	read := kit.RequireStaff(people.RoleConfig, people.RoleFinance, people.RoleAuditor)
	propose := kit.RequireStaff(people.RoleConfig)
	decide := kit.RequireStaff(people.RoleFinance, people.RoleConfig)
	g := se.Router.Group("/api/hospay/config").Bind(apis.BodyLimit(settingsBody))
	g.GET("", h.readSettings).BindFunc(read)
	g.GET("/changes", h.listChanges).BindFunc(read)
	g.POST("/changes", h.proposeChange).BindFunc(propose)
	g.POST("/changes/{id}/confirm", h.decideChange(h.Settings.Confirm)).BindFunc(decide)
	g.POST("/changes/{id}/reject", h.decideChange(h.Settings.Reject)).BindFunc(decide)
	g.POST("/changes/{id}/withdraw", h.withdrawChange).BindFunc(propose)
	g.POST("/preview", h.previewText).BindFunc(propose)
}

func (h *Hooks) readSettings(e *core.RequestEvent) error {
	out, err := h.Settings.Read(e.Request.Context(), e.Auth.GetString("institution"))
	if err != nil {
		return h.Fail(e, err)
	}
	return e.JSON(http.StatusOK, out)
}

// changesPage is how many changes a page holds.
const changesPage = 50

// changesView is a page of changes.
type changesView struct {
	Page    int             `json:"page"`
	PerPage int             `json:"per_page"`
	Total   int             `json:"total"`
	Items   []config.Change `json:"items"`
}

func (h *Hooks) listChanges(e *core.RequestEvent) error {
	q := e.Request.URL.Query()
	f := store.ChangeFilter{State: q.Get("state"), Page: 1, PerPage: changesPage}
	f.Collection, f.Record, _ = strings.Cut(q.Get("target"), "/")
	if n, err := strconv.Atoi(q.Get("page")); err == nil && n > 1 {
		f.Page = n
	}
	rows, total, err := h.Store.Changes(e.Request.Context(), e.Auth.GetString("institution"), f)
	if err != nil {
		return h.Fail(e, err)
	}
	items := make([]config.Change, 0, len(rows))
	for _, c := range rows {
		items = append(items, config.Show(c, h.staffNames(e.App)))
	}
	return e.JSON(http.StatusOK, changesView{Page: f.Page, PerPage: f.PerPage, Total: total, Items: items})
}

// staffNames tells the names of staff; superusers have none.
func (h *Hooks) staffNames(app core.App) func(string) string {
	known := map[string]string{}
	return func(id string) string {
		if name, ok := known[id]; ok {
			return name
		}
		if rec, err := app.FindRecordById(collections.Staff, id); err == nil {
			known[id] = rec.GetString("name")
		}
		return known[id]
	}
}

func (h *Hooks) proposeChange(e *core.RequestEvent) error {
	var body struct {
		Target config.Target `json:"target"`
		Values config.Values `json:"values"`
		Note   string        `json:"note"`
	}
	if err := e.BindBody(&body); err != nil {
		return kit.Error(http.StatusBadRequest, "bad_request", "")
	}
	out, err := h.Settings.Propose(e.Auth.Id, config.Proposal{Target: body.Target, Values: body.Values, Note: body.Note}, e.RealIP())
	return h.changed(e, out, err)
}

func (h *Hooks) decideChange(decide func(staff, id, note, address string) (config.Outcome, error)) func(*core.RequestEvent) error {
	return func(e *core.RequestEvent) error {
		var body struct {
			Note string `json:"note"`
		}
		if err := e.BindBody(&body); err != nil {
			return kit.Error(http.StatusBadRequest, "bad_request", "")
		}
		out, err := decide(e.Auth.Id, e.Request.PathValue("id"), body.Note, e.RealIP())
		return h.changed(e, out, err)
	}
}

func (h *Hooks) withdrawChange(e *core.RequestEvent) error {
	out, err := h.Settings.Withdraw(e.Auth.Id, e.Request.PathValue("id"), e.RealIP())
	return h.changed(e, out, err)
}

// changed answers with the change; a new account's first password is told here
// and nowhere else.
func (h *Hooks) changed(e *core.RequestEvent, out config.Outcome, err error) error {
	if err != nil {
		return h.settingsFail(e, err)
	}
	e.Response.Header().Set("Cache-Control", "no-store")
	item := config.Show(out.ConfigChange, h.staffNames(e.App))
	item.Password = out.Password
	return e.JSON(http.StatusOK, item)
}

// codes are those of settings.
var codes = map[flow.Code]kit.Code{
	config.CodeSelf: kit.Forbidden, config.CodeOwnRoles: kit.Forbidden, config.CodeTestByAnother: kit.Forbidden,
	config.CodeLastConfig: kit.Conflict, config.CodeInvalid: {Told: true}, exports.CodeBadLayout: {Told: true},
}

// settingsFail says in its own words that a setting has moved meanwhile.
func (h *Hooks) settingsFail(e *core.RequestEvent, err error) error {
	if code := flow.CodeOf(err); code == config.CodeMoved {
		text := i18n.Text(i18n.Default, "error.config_conflict")
		return &router.ApiError{Status: http.StatusConflict, Message: text, Data: map[string]any{"code": string(code)}}
	}
	return h.Fail(e, err)
}

func (h *Hooks) previewText(e *core.RequestEvent) error {
	var body struct {
		Kind    string `json:"kind"`
		Title   string `json:"title"`
		Content string `json:"content"`
		Body    string `json:"body"`
	}
	if err := e.BindBody(&body); err != nil {
		return kit.Error(http.StatusBadRequest, "bad_request", "")
	}
	out, err := config.Preview(body.Kind, body.Title, body.Content+body.Body)
	if err != nil {
		return h.Fail(e, err)
	}
	return e.JSON(http.StatusOK, out)
}
