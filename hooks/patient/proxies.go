package patient

import (
	"net/http"

	"hospay/collections"
	"hospay/flow"
	"hospay/hooks/kit"
	"hospay/internal/photo"
	"hospay/refund"

	"github.com/pocketbase/pocketbase/core"
)

func (h *Hooks) bindProxyRoutes(se *core.ServeEvent) {
	g := se.Router.Group("/api/hospay/proxies")
	g.GET("/options", h.proxyOptions).BindFunc(kit.RequirePatient)
	g.GET("/{id}", h.proxyDetail).BindFunc(kit.RequirePatient)
	g.POST("/{id}/submit", h.submitProxy).BindFunc(kit.RequirePatient)
	g.POST("/{id}/close", h.closeProxy).BindFunc(kit.RequirePatient)
}

// proxyOptions tells what an application may consist of.
func (h *Hooks) proxyOptions(e *core.RequestEvent) error {
	inst, err := h.Store.Institution(e.Request.Context(), e.Auth.GetString("institution"))
	if err != nil {
		return h.Fail(e, err)
	}
	var cases, relations, materials []map[string]any
	for _, c := range refund.ProxyCases() {
		cases = append(cases, map[string]any{"case": c, "text": kit.ProxyText("case", string(c)), "required": c.Required(), "optional": c.Optional()})
	}
	for _, r := range refund.ProxyRelations() {
		relations = append(relations, map[string]any{"relation": r, "text": kit.ProxyText("relation", string(r))})
	}
	for _, k := range refund.MaterialKinds() {
		materials = append(materials, map[string]any{"kind": k, "text": kit.ProxyText("material", string(k))})
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
		return nil, kit.Error(http.StatusNotFound, "not_found", "")
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
		return h.Fail(e, err)
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
	out["status_text"], out["next"] = kit.ProxyText("status", string(p.Status)), kit.ProxyText("next", string(p.Status))
	if p.Status == refund.ProxyDraft || p.Usable(h.Now()) {
		card, err := h.Intake.PrincipalCard(e.Request.Context(), p)
		switch {
		case err == nil, flow.CodeOf(err) == flow.CodeHISUnavailable && card.No != "":
			out["card"] = viewCard(card, false)
		case flow.CodeOf(err) == "":
			return nil, err
		}
	}
	return out, nil
}

// submitProxy hands the agent's application in.
func (h *Hooks) submitProxy(e *core.RequestEvent) error {
	return h.moveProxy(e, func(id string) error { return h.Store.SubmitProxy(e.Request.Context(), id, h.Now()) })
}

// closeProxy ends the agent's application.
func (h *Hooks) closeProxy(e *core.RequestEvent) error {
	return h.moveProxy(e, func(id string) error { return h.Store.CloseProxy(e.Request.Context(), id, h.Now()) })
}

func (h *Hooks) moveProxy(e *core.RequestEvent, move func(id string) error) error {
	rec, err := h.ownProxy(e)
	if err != nil {
		return err
	}
	if err := move(rec.Id); err != nil {
		return h.Fail(e, err)
	}
	return h.proxyDetail(e)
}
