package patient

import (
	"cmp"
	"net/http"
	"strconv"

	"hospay/calendar"
	"hospay/collections"
	"hospay/flow"
	"hospay/hooks/kit"
	"hospay/internal/i18n"
	"hospay/internal/idno"
	"hospay/internal/richtext"
	"hospay/internal/vault"
	"hospay/money"
	"hospay/refund"

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
	r := e.Auth
	person, err := h.Store.OpenPerson(e.Request.Context(), r)
	if err != nil {
		return h.Fail(e, err)
	}
	now := h.Now()
	birth, known := idno.Birth(person.IDNo, now, calendar.Beijing)
	return e.JSON(http.StatusOK, map[string]any{
		"id": r.Id, "patient_no": r.GetString("patient_no"), "name": r.GetString("name"), "id_type": r.GetString("id_type"),
		"id_no": r.GetString("id_no"), "phone": r.GetString("phone"), "via": r.GetString("via"), "senior": known && !birth.AddDate(seniorAge, 0, 0).After(now),
		"wechat_bound": r.GetBool("wechat_bound"), "alipay_bound": r.GetBool("alipay_bound"), "institution": r.GetString("institution"),
	})
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
		v.Deposits = append(v.Deposits, depositView{No: d.No, Amount: d.Amount, Refundable: d.Refundable, Channel: d.Channel, PaidAt: calendar.Clock(d.Payment.PaidAt)})
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
		return e.JSON(http.StatusOK, map[string]any{"cards": []cardView{viewCard(card, true)}})
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
	return e.JSON(http.StatusOK, map[string]any{"cards": views})
}

// options tells what the patient may choose for a card, with the reasons for
// what is off and the suggested split: of the whole refundable balance or of
// an amount, with the transfers through the preferred channel.
func (h *Hooks) options(e *core.RequestEvent) error {
	ctx := e.Request.Context()
	inst, err := h.Store.Institution(ctx, e.Auth.GetString("institution"))
	if err != nil {
		return h.Fail(e, err)
	}
	offers, err := h.Store.Offers(ctx, inst.ID)
	if err != nil {
		return h.Fail(e, err)
	}
	cardNo := e.Request.URL.Query().Get("card_no")
	ps, err := h.Intake.StandIn(ctx, who(e.Auth), e.Request.URL.Query().Get("proxy"), cardNo)
	if err != nil {
		return h.Fail(e, err)
	}
	payee, err := e.App.FindRecordById(collections.Patients, ps.Payee)
	if err != nil {
		return h.Fail(e, err)
	}
	out := map[string]any{
		"notice": h.notice(e, inst, collections.NoticeRefund), "methods": inst.Methods, "channels": h.channelViews(payee, inst, offers), "open": inst.Active,
		"min_amount": inst.MinAmount, "day_limit": inst.DayLimit, "payee": map[string]any{"who": ps.Who, "name": payee.GetString("name")},
	}
	if cardNo == "" {
		return e.JSON(http.StatusOK, out)
	}
	if err := h.Intake.Fresh(ctx, who(e.Auth), cardNo, e.Request.URL.Query().Get("proxy")); err != nil {
		return h.Fail(e, err)
	}
	card, err := h.Store.Card(ctx, ps.Owner, cardNo)
	if err != nil || card == nil {
		return h.Fail(e, orElse(err, flow.NewError(flow.CodeCardNotYours, "")))
	}
	out["card_no"], out["refundable"] = card.No, card.Refundable
	wish := *card
	if amount := e.Request.URL.Query().Get("amount"); amount != "" {
		n, err := strconv.ParseInt(amount, 10, 64)
		if err != nil || n <= 0 || money.Fen(n) > card.Refundable {
			return h.Fail(e, flow.NewError(flow.CodeAmountInvalid, ""))
		}
		wish.Refundable = money.Fen(n)
	}
	prefer := cmp.Or(e.Request.URL.Query().Get("prefer"), e.Auth.GetString("via"))
	out["suggestion"] = advice(refund.Advise(wish, inst.Methods, offers, prefer, h.Now()))
	return e.JSON(http.StatusOK, out)
}

// advice adds the sentence to every suggested route.
func advice(a refund.Advice) map[string]any {
	routes := []map[string]any{}
	for _, r := range a.Routes {
		routes = append(routes, map[string]any{
			"method": r.Method, "channel": r.Channel, "amount": r.Amount, "deposit_no": r.DepositNo,
			"why": i18n.Text(i18n.Default, "route."+r.Why), "why_code": r.Why,
		})
	}
	out := map[string]any{"routes": routes, "left": a.Left}
	if a.Why != "" {
		out["why"], out["why_code"] = i18n.Text(i18n.Default, "route."+a.Why), a.Why
	}
	return out
}

// notice tells the text of a kind that is in force.
func (h *Hooks) notice(e *core.RequestEvent, inst refund.Institution, kind string) any {
	rec, err := e.App.FindFirstRecordByFilter(collections.Notices, "institution = {:i} && kind = {:k} && active = true", map[string]any{"i": inst.ID, "k": kind})
	if err != nil {
		return nil
	}
	return map[string]any{"version": rec.GetString("version"), "title": rec.GetString("title"), "content": richtext.Sanitize(rec.GetString("content"))}
}

func (h *Hooks) channelViews(payee *core.Record, inst refund.Institution, offers []refund.Offer) []map[string]any {
	can := map[string]refund.Capabilities{}
	for _, o := range offers {
		can[o.Name] = o.Can
	}
	out := []map[string]any{}
	for _, name := range []string{"wechat", "alipay"} {
		c, on := can[name]
		v := map[string]any{"channel": name, "name": i18n.Text(i18n.Default, "channel."+name), "on": on, "bound": payee.GetBool(name + "_bound")}
		if !on {
			v["reason"] = i18n.Text(i18n.Default, "error.channel_off")
			v["code"] = flow.CodeChannelOff
		} else {
			v["methods"], v["min_amount"], v["single_limit"], v["payee_confirms"] = c.Methods, max(c.MinAmount, inst.MinAmount), c.SingleLimit, c.PayeeConfirms
			v["original_days"] = int(c.OriginalWindow.Hours() / 24)
		}
		out = append(out, v)
	}
	return out
}

func orElse(err, other error) error {
	if err != nil {
		return err
	}
	return other
}
