package hooks

import (
	"net/http"

	"hospay/exports"
	"hospay/people"
	"hospay/store"

	"github.com/pocketbase/pocketbase/core"
)

func (h *Hooks) bindAuditRoutes(se *core.ServeEvent) {
	g := se.Router.Group("/api/hospay")
	g.GET("/audit", h.auditList).BindFunc(requireStaff(people.RoleAuditor))
	g.GET("/audit/verify", h.auditVerify).BindFunc(requireStaff(people.RoleAuditor))
	g.GET("/audit.xlsx", h.auditReport).BindFunc(requireStaff(people.RoleAuditor))
}

// auditList reads the audit log of the auditor's institution, newest first.
func (h *Hooks) auditList(e *core.RequestEvent) error {
	q := e.Request.URL.Query()
	f, err := store.ParseAuditFilter(q, e.Auth.GetString("institution"))
	if err != nil {
		return badRequest()
	}
	page, perPage, err := pageOf(q)
	if err != nil {
		return err
	}
	n, _, err := h.Store.AuditCount(e.Request.Context(), f)
	if err != nil {
		return h.fail(e, err)
	}
	lines, err := h.Store.AuditPage(e.Request.Context(), f, (page-1)*perPage, perPage)
	if err != nil {
		return h.fail(e, err)
	}
	return e.JSON(http.StatusOK, map[string]any{"page": page, "per_page": perPage, "count": n, "items": lines})
}

// auditVerify walks the chain of the whole log. It tells no content, so that
// the auditor of one institution may know whether the chain holds.
func (h *Hooks) auditVerify(e *core.RequestEvent) error {
	state, err := h.Store.VerifyAudit(e.Request.Context())
	if err != nil {
		return h.fail(e, err)
	}
	return e.JSON(http.StatusOK, map[string]any{"ok": state.Break == nil, "rows": state.Rows, "head": state.Head, "break": state.Break})
}

func (h *Hooks) auditReport(e *core.RequestEvent) error { return h.sendReport(e, exports.Audit) }
