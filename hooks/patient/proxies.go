package patient

import (
	"cmp"
	"net/http"

	"hospay/collections"
	"hospay/flow"
	"hospay/hooks/kit"
	"hospay/internal/idno"
	"hospay/internal/photo"
	"hospay/refund"

	"github.com/pocketbase/dbx"
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
	var out proxyOptionsView
	for _, c := range refund.ProxyCases() {
		out.Cases = append(out.Cases, caseView{Case: c, Text: kit.ProxyText("case", string(c)), Required: c.Required(idno.Resident),
			Optional: c.Optional(idno.Resident)})
	}
	for _, p := range idno.Papers() {
		out.Papers = append(out.Papers, paperChoice{Paper: p, Text: kit.ProxyText("paper", string(p)),
			Without: append([]refund.MaterialKind{}, refund.Sideless(p)...)})
	}
	for _, r := range refund.ProxyRelations() {
		out.Relations = append(out.Relations, relationView{Relation: r, Text: kit.ProxyText("relation", string(r))})
	}
	for _, k := range refund.MaterialKinds() {
		out.Materials = append(out.Materials, materialChoice{Kind: k, Text: kit.ProxyText("material", string(k))})
	}
	out.On, out.Consent = inst.Active && inst.Proxy.On && inst.Proxy.Consent != "", h.notice(e, inst, collections.NoticeProxy)
	out.Payee, out.MaxBytes = cmp.Or(inst.Proxy.Payee, refund.PayAgent), photo.MaxBytes
	return e.JSON(http.StatusOK, out)
}

// proxyOptionsView is what an application to act for somebody may consist of.
type proxyOptionsView struct {
	On        bool              `json:"on"`
	Consent   *noticeView       `json:"consent"` // null: none is in force
	Cases     []caseView        `json:"cases"`
	Papers    []paperChoice     `json:"papers"`
	Relations []relationView    `json:"relations"`
	Materials []materialChoice  `json:"materials"`
	Payee     refund.ProxyPayee `json:"payee"`
	MaxBytes  int               `json:"max_bytes"`
}

// caseView is a case with the materials that it demands and takes.
type caseView struct {
	Case     refund.ProxyCase      `json:"case"`
	Text     string                `json:"text"`
	Required []refund.MaterialKind `json:"required"`
	Optional []refund.MaterialKind `json:"optional"`
}

// paperChoice is a paper by which a principal can be known.
type paperChoice struct {
	Paper   idno.Paper            `json:"paper"`
	Text    string                `json:"text"`
	Without []refund.MaterialKind `json:"without"` // materials of a case that this paper does not have
}

// relationView is what an agent can be to a principal.
type relationView struct {
	Relation refund.ProxyRelation `json:"relation"`
	Text     string               `json:"text"`
}

// materialChoice is a kind of supporting documents.
type materialChoice struct {
	Kind refund.MaterialKind `json:"kind"`
	Text string              `json:"text"`
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
	return e.JSON(http.StatusOK, kit.Shown[proxyView]{Record: rec, More: out})
}

// proxyView is what an agent is told of an application beside its record.
type proxyView struct {
	_          struct{}    `record:"proxy_applications"`
	Missing    []string    `json:"missing"`
	Materials  []photoView `json:"materials"`
	Card       *cardView   `json:"card"` // null where the principal's card is not to be shown
	StatusText string      `json:"status_text"`
	Next       string      `json:"next"`
}

// photoView is a photo that the agent has handed in.
type photoView struct {
	ID     string `json:"id"`
	Kind   string `json:"kind"`
	File   string `json:"file"`
	Width  int    `json:"width"`
	Height int    `json:"height"`
}

func (h *Hooks) proxyView(e *core.RequestEvent, rec *core.Record) (out proxyView, err error) {
	p, err := h.Store.Proxy(e.Request.Context(), rec.Id)
	if err != nil {
		return out, err
	}
	recs, err := e.App.FindRecordsByFilter(collections.ProxyMaterials, "application = {:a}", "created", 0, 0, dbx.Params{"a": rec.Id})
	if err != nil {
		return out, err
	}
	out.Materials = make([]photoView, 0, len(recs))
	for _, m := range recs {
		out.Materials = append(out.Materials, photoView{
			ID: m.Id, Kind: m.GetString("kind"), File: m.GetString("file"), Width: m.GetInt("width"), Height: m.GetInt("height"),
		})
	}
	if out.Missing, err = h.Store.Missing(p); err != nil {
		return out, err
	}
	out.StatusText, out.Next = kit.ProxyText("status", string(p.Status)), kit.ProxyText("next", string(p.Status))
	if p.Status == refund.ProxyDraft || p.Usable(h.Now()) {
		card, err := h.Intake.PrincipalCard(e.Request.Context(), p)
		switch {
		case err == nil, flow.CodeOf(err) == flow.CodeHISUnavailable && card.No != "":
			v := viewCard(card, false)
			out.Card = &v
		case flow.CodeOf(err) == "":
			return out, err
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
