package staff

import (
	"context"
	"net/http"
	"strings"

	"hospay/calendar"
	"hospay/collections"
	"hospay/flow"
	"hospay/hooks/kit"
	"hospay/internal/idno"
	"hospay/people"
	"hospay/store"

	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
)

func (h *Hooks) bindDeskProxyRoutes(se *core.ServeEvent) {
	g := se.Router.Group("/api/hospay/desk/proxies")
	g.BindFunc(kit.RequireStaff(people.RoleReviewer, people.RoleAuditor))
	g.GET("", h.deskProxies)
	g.GET("/{id}", h.deskProxy)
	se.Router.POST("/api/hospay/proxies/{id}/review", h.reviewProxy).Bind(apis.BodyLimit(16 << 10)).BindFunc(kit.RequireStaff(people.RoleReviewer))
}

// deskProxies lists the applications that were handed in, oldest first.
func (h *Hooks) deskProxies(e *core.RequestEvent) error {
	number, size := page(e)
	recs, total, err := h.Store.DeskProxies(e.Auth.GetString("institution"), e.Request.URL.Query().Get("status"), size, (number-1)*size)
	if err != nil {
		return h.Fail(e, err)
	}
	rows := make([]map[string]any, 0, len(recs))
	for _, rec := range recs {
		row, err := h.proxyRow(e.Request.Context(), rec)
		if err != nil {
			return h.Fail(e, err)
		}
		rows = append(rows, row)
	}
	return e.JSON(http.StatusOK, map[string]any{"rows": rows, "page": number, "perPage": size, "total": total})
}

// proxyRow shows an application with both people masked.
func (h *Hooks) proxyRow(ctx context.Context, rec *core.Record) (map[string]any, error) {
	agent, err := h.App.FindRecordById(collections.Patients, rec.GetString("patient"))
	if err != nil {
		return nil, err
	}
	_, idNo, err := h.Store.OpenPrincipal(ctx, rec)
	if err != nil {
		return nil, err
	}
	out := rec.PublicExport()
	if birth, ok := idno.Birth(idNo, h.Now(), calendar.Beijing); ok {
		out["age"] = idno.Age(birth, h.Now())
	}
	out["agent"] = map[string]any{"name": agent.GetString("name"), "id_no": agent.GetString("id_no")}
	out["principal"] = map[string]any{"name": rec.GetString("principal_name"), "id_no": rec.GetString("principal_id_no")}
	out["case_text"], out["relation_text"] = kit.ProxyText("case", rec.GetString("case")), kit.ProxyText("relation", rec.GetString("relation"))
	out["status_text"] = kit.ProxyText("status", rec.GetString("status"))
	return out, nil
}

// deskProxy shows one application with its materials, what HIS says about the
// principal now, and who has done what with it.
func (h *Hooks) deskProxy(e *core.RequestEvent) error {
	rec, err := e.App.FindRecordById(collections.ProxyApplications, e.Request.PathValue("id"))
	if err != nil || rec.GetString("institution") != e.Auth.GetString("institution") || rec.GetDateTime("submitted_at").IsZero() {
		return kit.Error(http.StatusNotFound, "not_found", "")
	}
	out, err := h.proxyRow(e.Request.Context(), rec)
	if err != nil {
		return h.Fail(e, err)
	}
	recs, err := e.App.FindRecordsByFilter(collections.ProxyMaterials, "application = {:a}", "created", 0, 0, map[string]any{"a": rec.Id})
	if err != nil {
		return h.Fail(e, err)
	}
	materials := []map[string]any{}
	for _, m := range recs {
		materials = append(materials, map[string]any{
			"id": m.Id, "kind": m.GetString("kind"), "text": kit.ProxyText("material", m.GetString("kind")), "file": m.GetString("file"), "sha256": m.GetString("sha256"),
			"width": m.GetInt("width"), "height": m.GetInt("height"),
		})
	}
	out["materials"] = materials
	if out["history"], err = store.AuditOf(e.App, rec.Id, "", 100); err != nil {
		return h.Fail(e, err)
	}
	if out["his"], out["his_error"], err = h.compareHIS(e.Request.Context(), rec); err != nil {
		return h.Fail(e, err)
	}
	return e.JSON(http.StatusOK, out)
}

// compareHIS asks HIS for the principal and compares; it tells no more than
// whether the two are equal.
func (h *Hooks) compareHIS(ctx context.Context, rec *core.Record) (any, string, error) {
	name, idNo, err := h.Store.OpenPrincipal(ctx, rec)
	if err != nil {
		return nil, "", err
	}
	like, err := h.Intake.Compare(ctx, rec.GetString("institution"), name, idNo)
	switch code := flow.CodeOf(err); {
	case err == nil:
		return map[string]any{"found": like.Found, "name_equal": like.Name, "id_no_equal": like.IDNo}, "", nil
	case code == "":
		return nil, "", err
	default:
		return nil, kit.ErrorText(code), nil
	}
}

// reviewProxy decides on an application of the reviewer's institution.
func (h *Hooks) reviewProxy(e *core.RequestEvent) error {
	var body struct {
		Decision string `json:"decision"`
		Note     string `json:"note"`
	}
	if err := e.BindBody(&body); err != nil || (body.Decision != "approve" && body.Decision != "reject") {
		return kit.Error(http.StatusBadRequest, "bad_request", "")
	}
	rec, err := e.App.FindRecordById(collections.ProxyApplications, e.Request.PathValue("id"))
	if err != nil || rec.GetString("institution") != e.Auth.GetString("institution") {
		return kit.Error(http.StatusNotFound, "not_found", "")
	}
	err = h.Store.ReviewProxy(e.Request.Context(), rec.Id, e.Auth.Id, body.Decision == "approve", strings.TrimSpace(body.Note), e.RealIP(), h.Now())
	if err != nil {
		return h.Fail(e, err)
	}
	if rec, err = e.App.FindRecordById(collections.ProxyApplications, rec.Id); err != nil {
		return h.Fail(e, err)
	}
	return e.JSON(http.StatusOK, rec.PublicExport())
}
