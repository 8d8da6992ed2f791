package hooks

import (
	"net/http"
	"strings"

	"hospay/collections"
	"hospay/refund"

	"github.com/pocketbase/pocketbase/core"
)

func (h *Hooks) bindStaffRoutes(se *core.ServeEvent) {
	g := se.Router.Group("/api/hospay")
	g.POST("/refunds/{id}/query", h.queryNow).BindFunc(requireStaff(collections.RoleReviewer, collections.RoleFinance))
	g.POST("/payouts/freeze", h.freeze).BindFunc(requireStaff(collections.RoleFinance, collections.RoleConfig))
	g.POST("/notifications/{id}/resend", h.resend).BindFunc(requireStaff(collections.RoleReviewer, collections.RoleFinance))
}

// queryNow makes an order due, so that its outcome is asked for at once.
func (h *Hooks) queryNow(e *core.RequestEvent) error {
	rec, err := h.houseOrder(e)
	if err != nil {
		return err
	}
	if err := h.Service.Wake(e.Request.Context(), rec.Id, byStaff(e.Auth)); err != nil {
		return h.fail(e, err)
	}
	h.Worker.Kick()
	return h.orderState(e, rec.Id)
}

// freeze stops or releases all payouts of the institution; a note says why.
func (h *Hooks) freeze(e *core.RequestEvent) error {
	var body struct {
		Frozen *bool  `json:"frozen"`
		Note   string `json:"note"`
	}
	if err := e.BindBody(&body); err != nil || body.Frozen == nil {
		return apiError(http.StatusBadRequest, "bad_request", "")
	}
	if strings.TrimSpace(body.Note) == "" {
		return h.fail(e, refund.NewError(refund.CodeNoteRequired, ""))
	}
	inst := e.Auth.GetString("institution")
	err := e.App.RunInTransaction(func(tx core.App) error {
		rec, err := tx.FindRecordById(collections.Institutions, inst)
		if err != nil {
			return err
		}
		rec.Set("payouts_frozen", *body.Frozen)
		rec.Set("freeze_note", body.Note)
		if err := tx.Save(rec); err != nil {
			return err
		}
		return collections.Audit(tx, collections.AuditEntry{
			Institution: inst, ActorKind: "staff", Actor: e.Auth.Id, Action: "payouts.freeze", Target: inst, Address: e.RealIP(),
			Details: map[string]any{"frozen": *body.Frozen, "note": body.Note},
		})
	})
	if err != nil {
		return h.fail(e, err)
	}
	return e.JSON(http.StatusOK, map[string]any{"frozen": *body.Frozen})
}

// resend makes a notice due again.
func (h *Hooks) resend(e *core.RequestEvent) error {
	if err := h.Store.Requeue(e.Request.Context(), e.Auth.GetString("institution"), e.Request.PathValue("id")); err != nil {
		return h.fail(e, err)
	}
	return e.JSON(http.StatusOK, map[string]any{"queued": true})
}
