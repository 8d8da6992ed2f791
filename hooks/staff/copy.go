package staff

import (
	"net/http"

	"hospay/calendar"
	"hospay/collections"
	"hospay/flow"
	"hospay/hooks/kit"
	"hospay/people"
	"hospay/refund"
	"hospay/store"

	"github.com/pocketbase/pocketbase/core"
)

// bindCopyRoutes serves the check of a restored copy and its release by two
// people.
func (h *Hooks) bindCopyRoutes(se *core.ServeEvent) {
	g := se.Router.Group("/api/hospay/restored")
	g.GET("", h.restored).BindFunc(kit.RequireStaff(append(kit.MoneyRoles, people.RoleConfig)...))
	keepers := kit.RequireStaff(people.RoleFinance, people.RoleConfig)
	g.POST("/release", h.releaseCopy(people.Propose)).BindFunc(keepers)
	g.POST("/confirm", h.releaseCopy(people.Confirm)).BindFunc(keepers)
	g.POST("/withdraw", h.releaseCopy(people.Withdraw)).BindFunc(keepers)
}

// restoredView is how a restored copy stands. While Marked, nothing that moves
// money leaves.
type restoredView struct {
	Marked    bool            `json:"marked"`
	Since     string          `json:"since"`
	Why       string          `json:"why"`       // moved, replaced, older, restored
	Open      int             `json:"open"`      // orders under way
	Unchecked int             `json:"unchecked"` // of them those not asked for yet
	Callbacks int             `json:"callbacks"` // notifications about numbers that the copy does not know
	Found     []restoredFound `json:"found"`
	Proposal  *restoredAsked  `json:"proposal"` // null: nobody proposes the release
}

// restoredFound is an order about which HIS or the channel knew more.
type restoredFound struct {
	Kind   string        `json:"kind"` // refund, payment
	Order  string        `json:"order"`
	No     string        `json:"no"`
	Status refund.Status `json:"status"`
	What   string        `json:"what"`
	At     string        `json:"at"`
}

// restoredAsked is the proposal to release the copy.
type restoredAsked struct {
	Name string `json:"name"`
	By   string `json:"by"`
	Note string `json:"note"`
	At   string `json:"at"`
	Mine bool   `json:"mine"`
}

func (h *Hooks) restored(e *core.RequestEvent) error {
	state, err := h.Store.Copy(e.Request.Context())
	if err != nil {
		return h.Fail(e, err)
	}
	out := restoredView{Found: []restoredFound{}}
	if state.Mark == nil {
		return e.JSON(http.StatusOK, out)
	}
	out.Marked, out.Since, out.Why = true, calendar.Clock(state.Mark.Since), state.Mark.Why
	out.Open, out.Unchecked, out.Callbacks = state.Open, state.Unchecked, state.Callbacks
	for _, f := range state.Found {
		if f.Institution != kit.InstitutionOf(e) {
			continue // the folder is everybody's, its orders are not
		}
		out.Found = append(out.Found, restoredFound{string(f.Domain), f.Order, f.No, f.Status, f.What, calendar.Clock(f.At.Time())})
	}
	out.Proposal = viewRelease(e, state.Mark.Proposal)
	return e.JSON(http.StatusOK, out)
}

func viewRelease(e *core.RequestEvent, p *collections.CopyRelease) *restoredAsked {
	if p == nil {
		return nil
	}
	who := store.MemberNow(e.App, people.By{Kind: people.ByStaff, ID: p.By})
	name := ""
	if rec, err := e.App.FindRecordById(collections.Staff, p.By); err == nil {
		name = rec.GetString("name")
	}
	return &restoredAsked{Name: p.Name, By: name, Note: p.Note, At: calendar.Clock(p.At),
		Mine: people.Proposal{By: who}.Ending(kit.ByStaff(e.Auth)) == people.Withdraw}
}

// releaseCopy proposes, confirms or takes back that a restored copy may work.
func (h *Hooks) releaseCopy(act people.Act) func(*core.RequestEvent) error {
	return func(e *core.RequestEvent) error {
		var body struct {
			Seen string `json:"seen"`
			Note string `json:"note"`
		}
		if err := e.BindBody(&body); err != nil {
			return kit.BadRequest()
		}
		note, err := flow.Optional(body.Note)
		if act == people.Propose {
			note, err = flow.Required(body.Note, flow.CodeNoteRequired)
		}
		if err == nil {
			err = h.Store.ReleaseCopy(e.Request.Context(), store.AskRelease{Act: act, By: kit.ByStaff(e.Auth), Seen: body.Seen, Note: note,
				Address: e.RealIP()})
		}
		if err != nil {
			return h.Fail(e, err)
		}
		if act == people.Confirm {
			h.Worker.Kick()
		}
		return h.restored(e)
	}
}
