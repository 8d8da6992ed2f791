package payments

import (
	"cmp"
	"net/http"
	"strings"
	"time"

	"hospay/calendar"
	"hospay/flow"
	"hospay/hooks/kit"
	"hospay/payment"
	"hospay/refund"
	"hospay/store"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/router"
)

// What a kiosk may try: codes of strangers, by network and by all of them together,
// and people at one device. Wrong ones count; a device that was stolen tries few.
var (
	ofCodes  = kit.Budget{Name: "kiosk_codes", Most: 10, Span: 10 * time.Minute}
	ofGuess  = kit.Budget{Name: "kiosk_guesses", Most: 200, Span: time.Hour}
	ofPeople = kit.Budget{Name: "kiosk_people", Most: 20, Span: time.Minute}
	ofMisses = kit.Budget{Name: "kiosk_misses", Most: 20, Span: 10 * time.Minute}
)

const wayIDCard = "id_card" // the ways besides those of payment.ShownWay

func (h *Hooks) bindKioskRoutes(g *router.RouterGroup[*core.RequestEvent]) {
	g.POST("/kiosk/enrol", h.enrol)
	g.GET("/kiosk", h.device).BindFunc(kit.RequireKiosk)
	g.POST("/kiosk/person", h.person).BindFunc(kit.RequireKiosk)
	g.DELETE("/kiosk/person", h.leave).BindFunc(kit.RequireKiosk)
	g.POST("/payments/{id}/agree", h.agree).BindFunc(kit.RequirePatient, h.withinBudget)
	g.GET("/kiosk/open", h.openAtKiosk).BindFunc(kit.RequireKiosk, kit.RequirePatient)
}

// deviceView is what a kiosk knows of itself. Token is told once, when it is
// entered.
type deviceView struct {
	Token       string   `json:"token,omitempty"`
	Institution string   `json:"institution"` // its name
	Place       string   `json:"place"`
	Ways        []string `json:"ways"`       // credential, id_card, social_card
	ReaderURL   string   `json:"reader_url"` // of the reader's service on the kiosk itself; empty: none
	IdleSeconds int      `json:"idle_seconds"`
	Channels    []string `json:"channels"`  // by which cash is paid
	Insurance   bool     `json:"insurance"` // the insurance can be settled here
}

func (h *Hooks) viewDevice(e *core.RequestEvent, k store.Kiosk, token string) error {
	ctx := e.Request.Context()
	inst, err := h.Store.Payments().Institution(ctx, k.Institution)
	if err != nil {
		return h.fail(e, err)
	}
	insures, err := h.Bills.KioskInsures(ctx, k.Institution)
	if err != nil && flow.CodeOf(err) == "" {
		return h.fail(e, err)
	}
	out := deviceView{Token: token, Institution: inst.Name, Place: k.Place, Ways: k.Ways, ReaderURL: k.ReaderURL,
		IdleSeconds: int(k.Touch / time.Second), Channels: []string{}, Insurance: insures && k.Takes(string(payment.ShownCredential))}
	for _, name := range []string{"wechat", "alipay"} {
		if _, err := h.Store.Payments().Channel(ctx, k.Institution, name); err == nil {
			out.Channels = append(out.Channels, name)
		}
	}
	e.Response.Header().Set("Cache-Control", "no-store")
	return e.JSON(http.StatusOK, out)
}

// enrol makes a kiosk of the device that brings a code. Who guesses is soon not
// heard any more, wherever they sit.
func (h *Hooks) enrol(e *core.RequestEvent) error {
	var body struct {
		Code string `json:"code"`
	}
	if err := e.BindBody(&body); err != nil {
		return kit.BadRequest()
	}
	now, from := h.Now(), e.RealIP()
	if !h.Budgets.Left(ofCodes, from, now) || !h.Budgets.Left(ofGuess, "", now) {
		return kit.TooMany()
	}
	k, token, err := h.Store.EnrolKiosk(strings.TrimSpace(body.Code), from)
	if flow.CodeOf(err) == store.CodeKioskCode {
		h.Budgets.Take(ofCodes, from, now)
		h.Budgets.Take(ofGuess, "", now)
		return kit.Error(http.StatusUnauthorized, string(store.CodeKioskCode), "")
	}
	if err != nil {
		return h.fail(e, err)
	}
	return h.viewDevice(e, k, token)
}

// device tells a kiosk what it is. Nothing of anybody is in it.
func (h *Hooks) device(e *core.RequestEvent) error {
	k, _ := kit.KioskOf(e)
	return h.viewDevice(e, k, "")
}

// standingView is who stands at a kiosk, masked, with the handle that their
// requests carry.
type standingView struct {
	Person     string        `json:"person"`
	Name       string        `json:"name"`
	IDNo       string        `json:"id_no"`
	Until      string        `json:"until"`
	Credential bool          `json:"credential"` // the insurance can be paid with what was shown
	Cards      []cardAtKiosk `json:"cards"`
}

type cardAtKiosk struct {
	CardNo string `json:"card_no"`
	Name   string `json:"card_name"`
}

// shownBody is what somebody shows: the code of a credential, what a reader has
// read of an ID card, a social-security card.
type shownBody struct {
	Way  string       `json:"way"`
	No   string       `json:"no"`
	Name string       `json:"name"` // of an ID card
	Kind payment.Kind `json:"kind"` // what they have come for
}

// person finds out who stands at the kiosk (B37 B38).
func (h *Hooks) person(e *core.RequestEvent) error {
	var body shownBody
	if err := e.BindBody(&body); err != nil {
		return kit.BadRequest()
	}
	k, _ := kit.KioskOf(e)
	now := h.Now()
	switch {
	case !k.Takes(body.Way):
		return kit.Error(http.StatusForbidden, "not_allowed", "")
	case !h.Budgets.Left(ofMisses, k.ID, now) || !h.Budgets.Take(ofPeople, k.ID, now):
		return kit.TooMany()
	}
	body.Kind = cmp.Or(body.Kind, payment.KindOutpatient)
	b, err := h.shown(e, k, body)
	if err != nil {
		if code := flow.CodeOf(err); code != "" && code != flow.CodeHISUnavailable {
			h.Budgets.Take(ofMisses, k.ID, now)
		}
		return h.fail(e, err)
	}
	ctx := e.Request.Context()
	patient, err := h.Store.SaveVisitor(k.Institution, store.Visitor{Person: refund.Person{PatientNo: b.PatientNo, Name: b.Name,
		IDType: cmp.Or(b.IDType, "01"), IDNo: b.IDNo, Phone: b.Phone}})
	if err != nil {
		return h.fail(e, err)
	}
	handle, until, err := h.Store.BeginAtKiosk(k, patient.Id, body.Way, e.RealIP())
	if err != nil {
		return h.fail(e, err)
	}
	if err := h.Bills.KeepShown(ctx, k.Institution, patient.Id, b); flow.CodeOf(err) != "" { // cash is taken all the same
		h.Log.Warn("kiosk.credential", "kiosk", k.ID, "code", flow.CodeOf(err))
	} else if err != nil {
		return h.fail(e, err)
	}
	out := standingView{Person: handle, Name: patient.GetString("name"), IDNo: patient.GetString("id_no"), Until: calendar.Clock(until),
		Cards: []cardAtKiosk{}}
	return h.viewStanding(e, patient, out)
}

// shown asks who has shown something. What is read of an ID card is compared with
// what HIS knows under the number.
func (h *Hooks) shown(e *core.RequestEvent, k store.Kiosk, body shownBody) (payment.Bearer, error) {
	ctx := e.Request.Context()
	if body.Way != wayIDCard {
		return h.Bills.Bearer(ctx, k.Institution, payment.Shown{Way: payment.ShownWay(body.Way), No: strings.TrimSpace(body.No), Kind: body.Kind})
	}
	p, err := h.Intake.Present(ctx, k.Institution, body.No, strings.TrimSpace(body.Name))
	return payment.Bearer{PatientNo: p.PatientNo, Phone: p.Phone, Person: payment.Person{Name: p.Name, IDType: p.IDType, IDNo: p.IDNo}}, err
}

// viewStanding adds the cards, and whether a credential is in hand.
func (h *Hooks) viewStanding(e *core.RequestEvent, patient *core.Record, out standingView) error {
	ctx := e.Request.Context()
	if err := h.Intake.Refresh(ctx, refund.Patient{ID: patient.Id, Institution: patient.GetString("institution")}); err != nil {
		return h.fail(e, err)
	}
	cards, err := h.Store.Cards(ctx, patient.Id)
	if err != nil {
		return h.fail(e, err)
	}
	for _, c := range cards {
		out.Cards = append(out.Cards, cardAtKiosk{CardNo: c.No, Name: c.Name})
	}
	if _, out.Credential, err = h.Bills.GrantedAtKiosk(ctx, patient.Id); err != nil {
		return h.fail(e, err)
	}
	e.Response.Header().Set("Cache-Control", "no-store")
	return e.JSON(http.StatusOK, out)
}

// goneView says that nobody stands at the kiosk any more.
type goneView struct {
	Gone bool `json:"gone"`
}

// leave ends whoever stands at the kiosk.
func (h *Hooks) leave(e *core.RequestEvent) error {
	k, _ := kit.KioskOf(e)
	if err := h.Store.LeaveKiosk(k); err != nil {
		return h.fail(e, err)
	}
	return e.JSON(http.StatusOK, goneView{Gone: true})
}

// agree lets the insurance of an order at a kiosk be settled, once the person has
// seen who pays what.
func (h *Hooks) agree(e *core.RequestEvent) error {
	w, err := h.mine(e)
	if err == nil {
		err = h.Bills.Agree(e.Request.Context(), w.Order.ID, byPatient(e))
	}
	if err != nil {
		return h.fail(e, err)
	}
	h.Worker.Kick()
	return h.order(e)
}

// openView are orders of the person that are not at their end, newest first.
type openView struct {
	Payments []paymentView `json:"payments"`
}

// openAtKiosk tells what the person has begun at a kiosk, so that a kiosk that was
// without power goes on where it was.
func (h *Hooks) openAtKiosk(e *core.RequestEvent) error {
	k, _ := kit.KioskOf(e)
	ctx := e.Request.Context()
	ids, err := h.Store.Payments().OpenAtKiosk(ctx, k, e.Auth.Id)
	if err != nil {
		return h.fail(e, err)
	}
	out := openView{Payments: []paymentView{}}
	for _, id := range ids {
		w, err := h.Store.Payments().Get(ctx, id)
		if err != nil {
			return h.fail(e, err)
		}
		out.Payments = append(out.Payments, viewPayment(w))
	}
	return e.JSON(http.StatusOK, out)
}
