package patient

import (
	"context"
	"net/http"
	"strings"
	"time"

	"hospay/collections"
	"hospay/flow"
	"hospay/hooks/kit"
	"hospay/internal/idno"
	"hospay/internal/vault"
	"hospay/people"
	"hospay/refund"
	"hospay/store"

	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
)

// lookupsPerDay bounds how often an agent may look for a principal in a day,
// found or not: name, number and card together are a secret worth guessing.
const lookupsPerDay = 10

// bindProxyEvents takes an application to act for somebody as the creation of
// a record of proxy_applications, and its photos as records of proxy_materials.
func (h *Hooks) bindProxyEvents() {
	h.App.OnRecordCreateRequest(collections.ProxyApplications).BindFunc(h.applyProxy)
	h.App.OnRecordCreateRequest(collections.ProxyMaterials).BindFunc(h.upload)
	h.App.OnRecordCreate(collections.ProxyMaterials).BindFunc(h.uploaded)
	h.App.OnRecordDeleteRequest(collections.ProxyMaterials).BindFunc(h.deleteMaterial)
	h.App.OnFileDownloadRequest(collections.ProxyMaterials).BindFunc(h.showPhoto)
}

// applyProxy checks an application, asks HIS for the principal and fills in
// everything that is the server's. HIS is asked before the record is saved; a
// request that arrives inside a transaction is refused.
func (h *Hooks) applyProxy(e *core.RecordRequestEvent) error {
	if e.Auth == nil || e.Auth.Collection().Name != collections.Patients || e.App.IsTransactional() {
		return kit.Denied(e.RequestEvent)
	}
	ctx, now := e.Request.Context(), h.Now()
	w, err := h.proxyWish(ctx, e)
	if err != nil {
		return h.Fail(e.RequestEvent, err)
	}
	if e.Record.Id == "" {
		e.Record.Id = core.GenerateDefaultRandomId()
	} else if done, err := h.appliedBefore(e, w); done {
		return err
	}
	inst, err := h.Store.Institution(ctx, e.Auth.GetString("institution"))
	if err == nil {
		err = refund.CheckProxy(w, inst, now)
	}
	if err == nil {
		err = h.Store.Lookup(ctx, e.Auth.Id, e.RealIP(), lookupsPerDay, now)
	}
	if err != nil {
		return h.Fail(e.RequestEvent, err)
	}
	principal, card, err := h.Intake.Principal(ctx, inst.ID, w)
	if err != nil {
		return h.Fail(e.RequestEvent, err)
	}
	if err := h.fillProxy(e, w, inst.ID, principal, now); err != nil {
		return h.Fail(e.RequestEvent, err)
	}
	showCard(e.Record, refund.KnownCard{Card: card, AsOf: now})
	h.Allow(e.Record)
	defer h.Forget(e.Record)
	if err = e.Next(); err != nil {
		if done, again := h.appliedBefore(e, w); done { // the same one at the same moment
			return again
		}
	}
	return err
}

// proxyWish reads the fields that are the agent's to send.
func (h *Hooks) proxyWish(ctx context.Context, e *core.RecordRequestEvent) (refund.ProxyWish, error) {
	agent, err := h.Store.OpenPerson(ctx, e.Auth)
	text := func(field string) string { return strings.TrimSpace(e.Record.GetString(field)) }
	paper := store.PaperOf(e.Record)
	return refund.ProxyWish{
		Claim: refund.Claim{Name: people.WrittenName(text("principal_name")), Paper: paper, IDNo: paper.Form(text("principal_id_no")),
			CardNo: text("card_no")},
		AgentIDNo: idno.Paper(agent.IDType).Form(agent.IDNo),
		Case:      refund.ProxyCase(text("case")), Relation: refund.ProxyRelation(text("relation")), Consent: text("consent_version"),
	}, err
}

// appliedBefore answers a repeated application with the one that is there.
func (h *Hooks) appliedBefore(e *core.RecordRequestEvent, w refund.ProxyWish) (bool, error) {
	have, err := e.App.FindRecordById(collections.ProxyApplications, e.Record.Id)
	if err != nil {
		return false, nil //nolint:nilerr // there is none
	}
	place := vault.Place(collections.ProxyApplications, "principal_name", have.Id)
	name, err := h.Store.Vault().Open(place, have.GetString("principal_name_sealed"))
	if err != nil {
		return true, h.Fail(e.RequestEvent, err)
	}
	same := have.GetString("patient") == e.Auth.Id && have.GetString("principal_id_index") == h.Store.PersonIndex(w.IDNo) &&
		people.SameName(name, w.Name) && store.PaperOf(have) == w.Paper &&
		have.GetString("card_no") == w.CardNo && have.GetString("case") == string(w.Case) && have.GetString("relation") == string(w.Relation) &&
		have.GetString("consent_version") == w.Consent
	if !same {
		return true, kit.Error(http.StatusConflict, string(flow.CodeConflict), "")
	}
	cards, err := h.Store.Cards(e.Request.Context(), have.GetString("principal"))
	if err != nil {
		return true, h.Fail(e.RequestEvent, err)
	}
	for _, c := range cards {
		if c.No == w.CardNo {
			showCard(have, c)
		}
	}
	if err := apis.EnrichRecord(e.RequestEvent, have); err != nil {
		return true, err
	}
	return true, e.JSON(http.StatusOK, have)
}

// showCard adds the principal's card to the answer (A38).
func showCard(rec *core.Record, c refund.KnownCard) {
	rec.WithCustomData(true)
	rec.Set("card", viewCard(c, false))
}

// fillProxy sets every field of the new application; whatever else was sent is
// dropped.
func (h *Hooks) fillProxy(e *core.RecordRequestEvent, w refund.ProxyWish, institution, principal string, now time.Time) error {
	r := e.Record
	clearFields(r)
	if err := h.Store.SealPrincipal(r, w.Name, w.IDNo); err != nil {
		return err
	}
	r.Load(map[string]any{
		"no": refund.ProxyNo(r.Id, now), "institution": institution, "patient": e.Auth.Id, "principal": principal, "case": string(w.Case),
		"principal_id_type": string(w.Paper),
		"relation":          string(w.Relation), "card_no": w.CardNo, "consent_version": w.Consent, "consent_at": now,
		"status": string(refund.ProxyDraft),
	})
	return nil
}

// clearFields empties a new record but for its id.
func clearFields(r *core.Record) {
	for _, f := range r.Collection().Fields {
		if f.GetName() != core.FieldNameId {
			r.Set(f.GetName(), nil)
		}
	}
}
