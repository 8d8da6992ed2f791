package patient

import (
	"context"
	"net/http"
	"time"

	"hospay/calendar"
	"hospay/collections"
	"hospay/hooks/kit"
	"hospay/internal/idno"
	"hospay/internal/vault"
	"hospay/money"
	"hospay/refund"
	"hospay/store"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

func (h *Hooks) bindPatientRoutes(se *core.ServeEvent) {
	g := se.Router.Group("/api/hospay")
	g.GET("/me", h.me).BindFunc(kit.RequirePatient)
	g.GET("/cards", h.cards).BindFunc(kit.RequirePatient)
	g.GET("/options", h.options).BindFunc(kit.RequirePatient)
	g.POST("/refunds/{id}/cancel", h.cancel).BindFunc(kit.RequirePatient)
	g.GET("/refunds/{id}/confirmation", h.confirmation).BindFunc(kit.RequirePatient)
	g.POST("/refunds/{id}/check", h.check).BindFunc(kit.RequirePatient)
}

// seniorAge is the age from which pages offer care mode (关怀版).
const seniorAge = 60

// me tells the patient's own real-name data (A1), masked.
func (h *Hooks) me(e *core.RequestEvent) error {
	view, err := h.viewMe(e.Request.Context(), e.Auth)
	if err != nil {
		return h.Fail(e, err)
	}
	return e.JSON(http.StatusOK, view)
}

func (h *Hooks) viewMe(ctx context.Context, r *core.Record) (v meView, err error) {
	person, err := h.Store.OpenPerson(ctx, r)
	if err != nil {
		return v, err
	}
	var phone string
	err = h.App.ConcurrentDB().Select("service_phone").From(collections.Institutions).Where(dbx.HashExp{"id": r.GetString("institution")}).
		WithContext(ctx).Row(&phone)
	now := h.Now()
	birth, known := idno.Birth(person.IDNo, now, calendar.Beijing)
	return meView{
		ID: r.Id, PatientNo: r.GetString("patient_no"), Name: r.GetString("name"), IDType: r.GetString("id_type"), IDNo: r.GetString("id_no"),
		Phone: r.GetString("phone"), Via: r.GetString("via"), Senior: known && !birth.AddDate(seniorAge, 0, 0).After(now),
		WechatBound: r.GetBool("wechat_bound"), AlipayBound: r.GetBool("alipay_bound"), Institution: r.GetString("institution"),
		IdleMinutes: int(store.PatientIdle / time.Minute), ServicePhone: phone,
	}, err
}

// meView is the patient's own data, masked.
type meView struct {
	ID          string `json:"id"`
	PatientNo   string `json:"patient_no"`
	Name        string `json:"name"`
	IDType      string `json:"id_type"`
	IDNo        string `json:"id_no"`
	Phone       string `json:"phone"`
	Via         string `json:"via"`
	Senior      bool   `json:"senior"`
	WechatBound bool   `json:"wechat_bound"`
	AlipayBound bool   `json:"alipay_bound"`
	Institution string `json:"institution"`
	IdleMinutes int    `json:"idle_minutes"`

	ServicePhone string `json:"service_phone"` // of the institution; empty: none is told
}

// cardsView is a patient's cards.
type cardsView struct {
	Cards []cardView `json:"cards"`
}

type depositView struct {
	No         string    `json:"deposit_no"`
	Amount     money.Fen `json:"amount"`
	Refundable money.Fen `json:"refundable"`
	Channel    string    `json:"channel"`
	PaidAt     string    `json:"paid_at"`
}

type cardView struct {
	No         string        `json:"card_no"`
	Name       string        `json:"card_name"`
	Balance    money.Fen     `json:"balance"`
	Refundable money.Fen     `json:"refundable"`
	AsOf       string        `json:"as_of"`
	Deposits   []depositView `json:"deposits,omitzero"`
}

// viewCard shows a card; deposits where they are asked for.
func viewCard(c refund.KnownCard, deposits bool) cardView {
	v := cardView{No: c.No, Name: vault.MaskName(c.Name), Balance: c.Balance, Refundable: c.Refundable, AsOf: calendar.Clock(c.AsOf)}
	if !deposits {
		return v
	}
	v.Deposits = []depositView{}
	for _, d := range c.Deposits {
		v.Deposits = append(v.Deposits, depositView{
			No: d.No, Amount: d.Amount, Refundable: d.Refundable, Channel: d.Channel, PaidAt: calendar.Clock(d.Payment.PaidAt),
		})
	}
	return v
}

// cards tells the patient's cards and deposits (A2), fresh from HIS; with a
// proxy application, the principal's one card.
func (h *Hooks) cards(e *core.RequestEvent) error {
	ctx := e.Request.Context()
	ps, err := h.Intake.StandIn(ctx, who(e.Auth), e.Request.URL.Query().Get("proxy"), "")
	if err != nil {
		return h.Fail(e, err)
	}
	if ps.Proxy != nil {
		card, err := h.Intake.PrincipalCard(ctx, *ps.Proxy)
		if err != nil {
			return h.Fail(e, err)
		}
		return e.JSON(http.StatusOK, cardsView{Cards: []cardView{viewCard(card, true)}})
	}
	if err := h.Intake.Refresh(ctx, who(e.Auth)); err != nil {
		return h.Fail(e, err)
	}
	known, err := h.Store.Cards(ctx, e.Auth.Id)
	if err != nil {
		return h.Fail(e, err)
	}
	views := make([]cardView, 0, len(known))
	for _, c := range known {
		views = append(views, viewCard(c, true))
	}
	return e.JSON(http.StatusOK, cardsView{Cards: views})
}
