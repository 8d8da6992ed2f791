package hooks

import (
	"bytes"
	"net/http"

	"hospay/exports"

	"github.com/pocketbase/pocketbase/core"
)

func (h *Hooks) bindEvidenceRoutes(se *core.ServeEvent) {
	se.Router.GET("/api/hospay/refunds/{id}/evidence.zip", h.evidence).BindFunc(requireStaff(exports.EvidenceRoles()...))
}

// evidence packs everything about one order for whoever has to prove it.
func (h *Hooks) evidence(e *core.RequestEvent) error {
	order, err := h.houseOrder(e)
	if err != nil {
		return err
	}
	var file bytes.Buffer
	if err := exports.Evidence(e.Request.Context(), e.App, order, e.Auth.GetString("name"), h.now(), &file); err != nil {
		return h.fail(e, err)
	}
	if err := h.audit(e, "refund.evidence", order.Id, map[string]any{"no": order.GetString("no")}); err != nil {
		return h.fail(e, err)
	}
	attach(e, "退款证据-"+order.GetString("no")+".zip")
	return e.Blob(http.StatusOK, "application/zip", file.Bytes())
}
