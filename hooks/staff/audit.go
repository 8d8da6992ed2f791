package staff

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"time"

	"hospay/calendar"
	"hospay/collections"
	"hospay/exports"
	"hospay/hooks/kit"
	"hospay/people"
	"hospay/store"

	"github.com/pocketbase/pocketbase/core"
)

func (h *Hooks) bindAuditRoutes(se *core.ServeEvent) {
	g := se.Router.Group("/api/hospay")
	g.GET("/audit", h.auditList).BindFunc(kit.RequireStaff(people.RoleAuditor))
	g.GET("/audit/verify", h.auditVerify).BindFunc(kit.RequireStaff(people.RoleAuditor))
	g.GET("/audit.xlsx", h.auditReport).BindFunc(kit.RequireStaff(people.RoleAuditor))
	g.GET("/audit.csv", h.auditCSV).BindFunc(kit.RequireStaff(people.RoleAuditor))
}

// auditList reads the audit log of the auditor's institution, newest first.
func (h *Hooks) auditList(e *core.RequestEvent) error {
	q := e.Request.URL.Query()
	f, err := store.ParseAuditFilter(q, e.Auth.GetString("institution"))
	if err != nil {
		return kit.BadRequest()
	}
	page, perPage, err := kit.PageOf(q)
	if err != nil {
		return err
	}
	n, _, err := h.Store.AuditCount(e.Request.Context(), f)
	if err != nil {
		return h.Fail(e, err)
	}
	lines, err := h.Store.AuditPage(e.Request.Context(), f, (page-1)*perPage, perPage)
	if err != nil {
		return h.Fail(e, err)
	}
	return e.JSON(http.StatusOK, kit.Page[store.AuditLine]{Items: lines, Count: n, Page: page, PerPage: perPage})
}

// chainView says whether the chain of the audit log holds.
type chainView struct {
	OK bool `json:"ok"`
	store.AuditState
}

// auditVerify walks the chain of the whole log. It tells no content, so that
// the auditor of one institution may know whether the chain holds.
func (h *Hooks) auditVerify(e *core.RequestEvent) error {
	state, err := h.Store.VerifyAudit(e.Request.Context())
	if err != nil {
		return h.Fail(e, err)
	}
	return e.JSON(http.StatusOK, chainView{OK: state.Break == nil, AuditState: state})
}

// auditCSV sends the rows of a filter as CSV, however many there are, for the
// tools of the auditor. It is on record before the first row leaves.
func (h *Hooks) auditCSV(e *core.RequestEvent) error {
	f, err := store.ParseAuditFilter(e.Request.URL.Query(), kit.InstitutionOf(e))
	if err != nil {
		return kit.BadRequest()
	}
	n, last, err := h.Store.AuditCount(e.Request.Context(), f)
	if err != nil {
		return h.Fail(e, err)
	}
	params := exports.Params(e.Request.URL.Query())
	if err := h.Audit(e, "report.export", "audit.csv", map[string]any{"filter": params, "rows": n}); err != nil {
		return h.Fail(e, err)
	}
	kit.Attach(e, "审计日志-"+h.Now().In(calendar.Beijing).Format("20060102-150405")+".csv")
	e.Response.Header().Set("Content-Type", "text/csv; charset=utf-8")
	e.Response.WriteHeader(http.StatusOK)
	if err := exports.AuditCSV(e.Request.Context(), h.Store, f, last, e.Response); err != nil {
		h.Log.Error("audit.csv", "error", err) // the answer has begun: it ends short
	}
	return nil
}

func (h *Hooks) auditReport(e *core.RequestEvent) error { return h.sendReport(e, exports.Audit) }

func (h *Hooks) bindEvidenceRoutes(se *core.ServeEvent) {
	se.Router.GET("/api/hospay/refunds/{id}/evidence.zip", h.evidence).BindFunc(kit.RequireStaff(exports.EvidenceRoles()...))
	se.Router.GET("/api/hospay/payments/{id}/evidence.zip", h.paymentEvidence).BindFunc(kit.RequireStaff(exports.EvidenceRoles()...))
}

// evidence packs everything about one order for whoever has to prove it.
func (h *Hooks) evidence(e *core.RequestEvent) error {
	order, err := h.StaffOrder(e)
	if err != nil {
		return err
	}
	return h.sendEvidence(e, order, "refund.evidence", "退款证据-", exports.Evidence)
}

// paymentEvidence is evidence of a payment.
func (h *Hooks) paymentEvidence(e *core.RequestEvent) error {
	order, err := e.App.FindRecordById(collections.PaymentOrders, e.Request.PathValue("id"))
	if err != nil || order.GetString("institution") != kit.InstitutionOf(e) {
		return kit.Error(http.StatusNotFound, "not_found", "")
	}
	return h.sendEvidence(e, order, "payment.evidence", "缴费证据-", exports.PaymentEvidence)
}

func (h *Hooks) sendEvidence(e *core.RequestEvent, order *core.Record, action, file string,
	pack func(context.Context, core.App, *store.Store, *core.Record, string, time.Time, io.Writer) error) error {
	var data bytes.Buffer
	if err := pack(e.Request.Context(), e.App, h.Store, order, e.Auth.GetString("name"), h.Now(), &data); err != nil {
		return h.Fail(e, err)
	}
	if err := h.Audit(e, action, order.Id, map[string]any{"no": order.GetString("no")}); err != nil {
		return h.Fail(e, err)
	}
	kit.Attach(e, file+order.GetString("no")+".zip")
	return e.Blob(http.StatusOK, "application/zip", data.Bytes())
}
