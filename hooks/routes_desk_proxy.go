package hooks

import (
	"context"
	"net/http"

	"hospay/collections"
	"hospay/internal/idno"
	"hospay/refund"

	"github.com/pocketbase/pocketbase/core"
)

func (h *Hooks) bindDeskProxyRoutes(se *core.ServeEvent) {
	g := se.Router.Group("/api/hospay/desk/proxies")
	g.BindFunc(requireStaff(collections.RoleReviewer, collections.RoleAuditor))
	g.GET("", h.deskProxies)
	g.GET("/{id}", h.deskProxy)
}

// deskProxies lists the applications that were handed in, oldest first.
func (h *Hooks) deskProxies(e *core.RequestEvent) error {
	number, size := page(e)
	recs, total, err := h.Store.DeskProxies(e.Auth.GetString("institution"), e.Request.URL.Query().Get("status"), size, (number-1)*size)
	if err != nil {
		return h.fail(e, err)
	}
	rows := make([]map[string]any, 0, len(recs))
	for _, rec := range recs {
		row, err := h.proxyRow(e.Request.Context(), rec)
		if err != nil {
			return h.fail(e, err)
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
	if birth, ok := idno.Birth(idNo, h.now(), refund.Beijing); ok {
		out["age"] = idno.Age(birth, h.now())
	}
	out["agent"] = map[string]any{"name": agent.GetString("name"), "id_no": agent.GetString("id_no")}
	out["principal"] = map[string]any{"name": rec.GetString("principal_name"), "id_no": rec.GetString("principal_id_no")}
	out["case_text"], out["relation_text"] = proxyText("case", rec.GetString("case")), proxyText("relation", rec.GetString("relation"))
	out["status_text"] = proxyText("status", rec.GetString("status"))
	return out, nil
}

// deskProxy shows one application with its materials, what HIS says about the
// principal now, and who has done what with it.
func (h *Hooks) deskProxy(e *core.RequestEvent) error {
	rec, err := e.App.FindRecordById(collections.ProxyApplications, e.Request.PathValue("id"))
	if err != nil || rec.GetString("institution") != e.Auth.GetString("institution") || rec.GetDateTime("submitted_at").IsZero() {
		return apiError(http.StatusNotFound, "not_found", "")
	}
	out, err := h.proxyRow(e.Request.Context(), rec)
	if err != nil {
		return h.fail(e, err)
	}
	recs, err := e.App.FindRecordsByFilter(collections.ProxyMaterials, "application = {:a}", "created", 0, 0, map[string]any{"a": rec.Id})
	if err != nil {
		return h.fail(e, err)
	}
	materials := []map[string]any{}
	for _, m := range recs {
		materials = append(materials, map[string]any{
			"id": m.Id, "kind": m.GetString("kind"), "text": proxyText("material", m.GetString("kind")), "file": m.GetString("file"), "sha256": m.GetString("sha256"),
			"width": m.GetInt("width"), "height": m.GetInt("height"),
		})
	}
	out["materials"] = materials
	if out["history"], err = collections.AuditOf(e.App, rec.Id, "", 100); err != nil {
		return h.fail(e, err)
	}
	if out["his"], out["his_error"], err = h.compareHIS(e.Request.Context(), rec); err != nil {
		return h.fail(e, err)
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
	his, _, err := h.Store.HIS(ctx, rec.GetString("institution"))
	if err != nil {
		return nil, "", err
	}
	ctx, cancel := context.WithTimeout(ctx, 2*loginHIS)
	defer cancel()
	person, err := his.Person(ctx, refund.Identity{IDType: "01", IDNo: idNo, Name: name})
	if err == nil {
		same := refund.SameName(person.Name, name)
		return map[string]any{"found": true, "name_equal": same, "id_no_equal": person.IDNo == "" || idno.Normalize(person.IDNo) == idNo}, "", nil
	}
	switch code := refund.CodeOf(err); code {
	case "":
		return nil, "", err
	case refund.CodePatientNotFound:
		return map[string]any{"found": false, "name_equal": false, "id_no_equal": false}, "", nil
	default:
		return nil, errorText(code), nil
	}
}
