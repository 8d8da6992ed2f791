package hooks

import (
	"net/http"
	"strings"

	"hospay/collections"
	"hospay/internal/i18n"
	"hospay/internal/photo"
	"hospay/refund"

	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
)

func (h *Hooks) bindProxyRoutes(se *core.ServeEvent) {
	g := se.Router.Group("/api/hospay/proxies")
	g.GET("/options", h.proxyOptions).BindFunc(requirePatient)
	g.GET("/{id}", h.proxyDetail).BindFunc(requirePatient)
	g.POST("/{id}/submit", h.submitProxy).BindFunc(requirePatient)
	g.POST("/{id}/close", h.closeProxy).BindFunc(requirePatient)
	g.POST("/{id}/review", h.reviewProxy).Bind(apis.BodyLimit(16 << 10)).BindFunc(requireStaff(collections.RoleReviewer))
}

func proxyText(group, name string) string {
	return i18n.Text(i18n.Default, "proxy."+group+"."+name)
}

// proxyOptions tells what an application may consist of.
func (h *Hooks) proxyOptions(e *core.RequestEvent) error {
	inst, err := h.Store.Institution(e.Request.Context(), e.Auth.GetString("institution"))
	if err != nil {
		return h.fail(e, err)
	}
	var cases, relations, materials []map[string]any
	for _, c := range refund.ProxyCases() {
		cases = append(cases, map[string]any{"case": c, "text": proxyText("case", string(c)), "required": c.Required(), "optional": c.Optional()})
	}
	for _, r := range refund.ProxyRelations() {
		relations = append(relations, map[string]any{"relation": r, "text": proxyText("relation", string(r))})
	}
	for _, k := range refund.MaterialKinds() {
		materials = append(materials, map[string]any{"kind": k, "text": proxyText("material", string(k))})
	}
	payee := inst.Proxy.Payee
	if payee == "" {
		payee = refund.PayAgent
	}
	return e.JSON(http.StatusOK, map[string]any{
		"on": inst.Active && inst.Proxy.On && inst.Proxy.Consent != "", "consent": h.notice(e, inst, collections.NoticeProxy), "cases": cases,
		"relations": relations, "materials": materials, "payee": payee, "max_bytes": photo.MaxBytes,
	})
}

// ownProxy returns the agent's application of the path, or a 404 that does not
// tell whether it is somebody else's.
func (h *Hooks) ownProxy(e *core.RequestEvent) (*core.Record, error) {
	rec, err := e.App.FindRecordById(collections.ProxyApplications, e.Request.PathValue("id"))
	if err != nil || rec.GetString("patient") != e.Auth.Id {
		return nil, apiError(http.StatusNotFound, "not_found", "")
	}
	return rec, nil
}

// proxyDetail tells the agent where an application stands and what comes next.
func (h *Hooks) proxyDetail(e *core.RequestEvent) error {
	rec, err := h.ownProxy(e)
	if err != nil {
		return err
	}
	out, err := h.proxyView(e, rec)
	if err != nil {
		return h.fail(e, err)
	}
	return e.JSON(http.StatusOK, out)
}

func (h *Hooks) proxyView(e *core.RequestEvent, rec *core.Record) (map[string]any, error) {
	p, err := h.Store.Proxy(e.Request.Context(), rec.Id)
	if err != nil {
		return nil, err
	}
	out := rec.PublicExport()
	recs, err := e.App.FindRecordsByFilter(collections.ProxyMaterials, "application = {:a}", "created", 0, 0, map[string]any{"a": rec.Id})
	if err != nil {
		return nil, err
	}
	materials := []map[string]any{}
	for _, m := range recs {
		materials = append(materials, map[string]any{
			"id": m.Id, "kind": m.GetString("kind"), "file": m.GetString("file"), "width": m.GetInt("width"), "height": m.GetInt("height"),
		})
	}
	if out["missing"], err = h.Store.Missing(p); err != nil {
		return nil, err
	}
	out["materials"], out["card"] = materials, nil
	out["status_text"], out["next"] = proxyText("status", string(p.Status)), proxyText("next", string(p.Status))
	if p.Status == refund.ProxyDraft || p.Usable(h.now()) {
		card, err := h.freshPrincipalCard(e.Request.Context(), p)
		switch {
		case err == nil, refund.CodeOf(err) == refund.CodeHISUnavailable && card.No != "":
			out["card"] = viewCard(card, false)
		case refund.CodeOf(err) == "":
			return nil, err
		}
	}
	return out, nil
}

// submitProxy hands the agent's application in.
func (h *Hooks) submitProxy(e *core.RequestEvent) error {
	return h.moveProxy(e, func(id string) error { return h.Store.SubmitProxy(e.Request.Context(), id, h.now()) })
}

// closeProxy ends the agent's application.
func (h *Hooks) closeProxy(e *core.RequestEvent) error {
	return h.moveProxy(e, func(id string) error { return h.Store.CloseProxy(e.Request.Context(), id, h.now()) })
}

func (h *Hooks) moveProxy(e *core.RequestEvent, move func(id string) error) error {
	rec, err := h.ownProxy(e)
	if err != nil {
		return err
	}
	if err := move(rec.Id); err != nil {
		return h.fail(e, err)
	}
	return h.proxyDetail(e)
}

// reviewProxy decides on an application of the reviewer's institution.
func (h *Hooks) reviewProxy(e *core.RequestEvent) error {
	var body struct {
		Decision string `json:"decision"`
		Note     string `json:"note"`
	}
	if err := e.BindBody(&body); err != nil || (body.Decision != "approve" && body.Decision != "reject") {
		return apiError(http.StatusBadRequest, "bad_request", "")
	}
	rec, err := e.App.FindRecordById(collections.ProxyApplications, e.Request.PathValue("id"))
	if err != nil || rec.GetString("institution") != e.Auth.GetString("institution") {
		return apiError(http.StatusNotFound, "not_found", "")
	}
	err = h.Store.ReviewProxy(e.Request.Context(), rec.Id, e.Auth.Id, body.Decision == "approve", strings.TrimSpace(body.Note), e.RealIP(), h.now())
	if err != nil {
		return h.fail(e, err)
	}
	if rec, err = e.App.FindRecordById(collections.ProxyApplications, rec.Id); err != nil {
		return h.fail(e, err)
	}
	return e.JSON(http.StatusOK, rec.PublicExport())
}
