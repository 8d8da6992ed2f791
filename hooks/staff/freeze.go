package staff

import (
	"encoding/json"
	"net/http"

	"hospay/calendar"
	"hospay/collections"
	"hospay/flow"
	"hospay/hooks/kit"
	"hospay/people"
	"hospay/store"

	"github.com/pocketbase/pocketbase/core"
)

const (
	freezeHistory = 50
	freezeNote    = 500 // characters that are kept
)

// freezeRule says who stops payouts and who ends a stop.
var freezeRule = people.Rule{
	Propose: []string{people.RoleFinance, people.RoleConfig}, Confirm: []string{people.RoleFinance, people.RoleConfig},
}

func (h *Hooks) bindFreezeRoutes(se *core.ServeEvent) {
	g := se.Router.Group("/api/hospay/payouts")
	g.GET("", h.payouts).BindFunc(kit.RequireStaff(append(kit.MoneyRoles, people.RoleConfig)...))
	g.POST("/freeze", h.freeze).BindFunc(kit.RequireStaff(freezeRule.Propose...))
}

// frozenView is an entry of the freeze's history.
type frozenView struct {
	Frozen bool   `json:"frozen"`
	Note   string `json:"note"`
	By     string `json:"by"`
	At     string `json:"at"`
}

// payoutsView is how payouts stand, with the history.
type payoutsView struct {
	frozenView
	History []frozenView `json:"history"`
}

// freezeView says what a request has brought about.
type freezeView struct {
	Frozen bool `json:"frozen"`
}

func frozenHistory(app core.App, inst string) ([]frozenView, error) {
	rows, err := store.AuditOf(app, inst, store.FreezeAction, freezeHistory)
	out := make([]frozenView, 0, len(rows))
	for _, r := range rows {
		v := frozenView{By: r.Actor, At: calendar.Clock(r.At.Time())}
		if err := json.Unmarshal(r.Details, &v); err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, err
}

// payouts tells whether payouts are frozen, by whom and why, and the history
// from the audit log.
func (h *Hooks) payouts(e *core.RequestEvent) error {
	inst, err := e.App.FindRecordById(collections.Institutions, e.Auth.GetString("institution"))
	if err != nil {
		return h.Fail(e, err)
	}
	history, err := frozenHistory(e.App, inst.Id)
	if err != nil {
		return h.Fail(e, err)
	}
	out := payoutsView{frozenView: frozenView{Frozen: inst.GetBool("payouts_frozen"), Note: inst.GetString("freeze_note")}, History: history}
	if len(history) > 0 && history[0].Frozen == out.Frozen {
		out.By, out.At = history[0].By, history[0].At
	}
	return e.JSON(http.StatusOK, out)
}

// freeze stops or releases all payouts of the institution; a note says why.
// One person can stop them, but not release what they have stopped.
func (h *Hooks) freeze(e *core.RequestEvent) error {
	var body struct {
		Frozen *bool  `json:"frozen"`
		Note   string `json:"note"`
	}
	if err := e.BindBody(&body); err != nil || body.Frozen == nil {
		return kit.Error(http.StatusBadRequest, "bad_request", "")
	}
	why, err := flow.Required(body.Note, flow.CodeNoteRequired)
	if err != nil {
		return h.Fail(e, err)
	}
	inst, note := e.Auth.GetString("institution"), []rune(why)
	err = e.App.RunInTransaction(func(tx core.App) error {
		rec, err := tx.FindRecordById(collections.Institutions, inst)
		if err != nil {
			return err
		}
		if err := mayFreeze(tx, rec, *body.Frozen, kit.ByStaff(e.Auth)); err != nil {
			return err
		}
		rec.Set("payouts_frozen", *body.Frozen)
		rec.Set("freeze_note", string(note[:min(len(note), freezeNote)])) // no note is too long to stop payments
		if err := tx.Save(rec); err != nil {
			return err
		}
		return store.AuditFreeze(tx, rec, "staff", e.Auth.Id, e.RealIP())
	})
	if err != nil {
		return h.Fail(e, err)
	}
	return e.JSON(http.StatusOK, freezeView{Frozen: *body.Frozen})
}

// mayFreeze refuses a thaw by anybody who has frozen since payouts last ran:
// ending a stop is another person's, also after its author has left.
func mayFreeze(tx core.App, inst *core.Record, frozen bool, by people.By) error {
	who := store.MemberNow(tx, by)
	switch {
	case !who.Holds(inst.Id, freezeRule.Propose...):
		return people.NotAllowed
	case frozen || !inst.GetBool("payouts_frozen"):
		return nil
	}
	history, err := frozenHistory(tx, inst.Id)
	if err != nil {
		return err
	}
	for _, v := range history {
		if !v.Frozen {
			break
		}
		stop := people.Proposal{Institution: inst.Id, By: store.MemberNow(tx, people.By{ID: v.By})}
		if err := freezeRule.May(people.Refuse, stop, who, people.Seen{}); err != nil {
			return err
		}
	}
	return nil
}
