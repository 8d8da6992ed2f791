package hooks

import (
	"net/http"

	"hospay/people"

	"github.com/pocketbase/pocketbase/core"
)

func (h *Hooks) bindStaffRoutes(se *core.ServeEvent) {
	g := se.Router.Group("/api/hospay")
	g.POST("/refunds/{id}/query", h.queryNow).BindFunc(requireStaff(people.RoleReviewer, people.RoleFinance))
	g.POST("/notifications/{id}/resend", h.resend).BindFunc(requireStaff(people.RoleReviewer, people.RoleFinance))
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

// resend makes a notice due again.
func (h *Hooks) resend(e *core.RequestEvent) error {
	if err := h.Store.Requeue(e.Request.Context(), e.Auth.GetString("institution"), e.Request.PathValue("id")); err != nil {
		return h.fail(e, err)
	}
	return e.JSON(http.StatusOK, map[string]any{"queued": true})
}
