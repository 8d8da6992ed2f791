package payments

import (
	"cmp"
	"net/http"
	"net/url"

	"hospay/calendar"
	"hospay/flow"
	"hospay/hooks/kit"
	"hospay/internal/vault"
	"hospay/money"
	"hospay/payment"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/router"
)

func (h *Hooks) bindInsuranceRoutes(g *router.RouterGroup[*core.RequestEvent]) {
	g.GET("/insurance/areas", h.areas).BindFunc(kit.RequirePatient, h.withinBudget)
	g.POST("/insurance/enrolment", h.enrolment).BindFunc(kit.RequirePatient, h.withinBudget)
	g.POST("/insurance/identity", h.identity).BindFunc(kit.RequirePatient, h.withinBudget)
	g.GET("/insurance/authorisation", h.authorisation).BindFunc(kit.RequirePatient, h.withinBudget)
	g.POST("/insurance/authorisation", h.credential).BindFunc(kit.RequirePatient, h.withinBudget)
}

// areasView is where people are insured whom the hospital takes.
type areasView struct {
	Areas []areaView `json:"areas"`
}

type areaView struct {
	Code string `json:"code"`
	Name string `json:"name"`
	Own  bool   `json:"own"`
}

// areas tells the places of insurance (B13 B28).
func (h *Hooks) areas(e *core.RequestEvent) error {
	all, err := h.Bills.Areas(e.Request.Context(), asker(e))
	if err != nil {
		return h.fail(e, err)
	}
	out := areasView{Areas: []areaView{}}
	for _, a := range all {
		out.Areas = append(out.Areas, areaView{Code: a.Code, Name: a.Name, Own: a.Own})
	}
	return e.JSON(http.StatusOK, out)
}

// insuredView is a patient's insurance at a place, with what may be chosen.
type insuredView struct {
	Enrolled bool          `json:"enrolled"`
	Reason   string        `json:"reason"`
	Benefits []benefitView `json:"benefits"`
}

// benefitView is a way in which a visit can be settled. One that is not enjoyed is
// shown with its reason and cannot be chosen.
type benefitView struct {
	ID           string     `json:"id"`
	Insutype     string     `json:"insutype"`
	InsutypeName string     `json:"insutype_name"`
	MedType      string     `json:"med_type"`
	MedTypeName  string     `json:"med_type_name"`
	Disease      string     `json:"disease"`
	Balance      *money.Fen `json:"balance"` // of the personal account; null: not told
	Enjoyed      bool       `json:"enjoyed"`
	Reason       string     `json:"reason"`
}

type insuranceBody struct {
	CardNo  string `json:"card_no"`
	Area    string `json:"area"`
	Benefit string `json:"benefit"`
	BillNo  string `json:"bill_no"`
	Channel string `json:"channel"`
}

// enrolment asks whether the patient is insured at a place (B14 B29), and lists
// what may be chosen (B15 B30).
func (h *Hooks) enrolment(e *core.RequestEvent) error {
	var body insuranceBody
	if err := e.BindBody(&body); err != nil {
		return kit.BadRequest()
	}
	if err := h.own(e, body.CardNo); err != nil {
		return h.fail(e, err)
	}
	found, err := h.Bills.Enrolment(e.Request.Context(), asker(e), body.CardNo, body.Area)
	if err != nil {
		return h.fail(e, err)
	}
	out := insuredView{Enrolled: found.Enrolled, Reason: found.Reason, Benefits: []benefitView{}}
	for _, b := range found.Benefits {
		v := benefitView{ID: b.ID, Insutype: b.Insutype, InsutypeName: b.InsutypeName, MedType: b.MedType, MedTypeName: b.MedTypeName,
			Disease: b.Disease, Enjoyed: b.Enjoyed, Reason: b.Reason}
		if b.BalanceTold {
			v.Balance = &b.Balance
		}
		out.Benefits = append(out.Benefits, v)
	}
	return e.JSON(http.StatusOK, out)
}

// savedView says that HIS has taken a choice.
type savedView struct {
	Saved bool `json:"saved"`
}

// identity tells HIS what the patient has chosen (B16 B31). The bill is to be read
// again afterwards.
func (h *Hooks) identity(e *core.RequestEvent) error {
	var body insuranceBody
	if err := e.BindBody(&body); err != nil {
		return kit.BadRequest()
	}
	if err := h.own(e, body.CardNo); err != nil {
		return h.fail(e, err)
	}
	channel, err := h.channel(e, cmp.Or(body.Channel, e.Auth.GetString("via")))
	if err != nil {
		return err
	}
	err = h.Bills.Choose(e.Request.Context(), asker(e), payment.Choice{CardNo: body.CardNo, BillNo: body.BillNo, Area: body.Area,
		Benefit: body.Benefit, Channel: channel})
	if err != nil {
		return h.fail(e, err)
	}
	return e.JSON(http.StatusOK, savedView{Saved: true})
}

// channel is a channel that is known, else a bad request.
func (h *Hooks) channel(e *core.RequestEvent, name string) (string, error) {
	if name != "wechat" && name != "alipay" {
		return "", h.fail(e, flow.NewError(flow.CodeBadRequest, "channel"))
	}
	return name, nil
}

// authorisationView is how far a patient's authorisation is, and where it goes on.
type authorisationView struct {
	Authorised bool      `json:"authorised"`
	Until      string    `json:"until"`
	URL        string    `json:"url"`
	Mini       miniView  `json:"mini_program"`
	Payer      payerView `json:"payer"`
}

// miniView is a mini program to jump to; empty where there is none.
type miniView struct {
	AppID string `json:"app_id"`
	Path  string `json:"path"`
}

// payerView is whose credential it is, masked.
type payerView struct {
	Name string `json:"name"`
	Self bool   `json:"self"`
}

// viewGrant shows a credential without its number.
func (h *Hooks) viewGrant(e *core.RequestEvent, g payment.Grant) authorisationView {
	v := authorisationView{Authorised: true, Until: calendar.Clock(g.Until), Payer: payerView{Name: g.Holder.Name, Self: !g.Family}}
	switch {
	case v.Payer.Name == "" && v.Payer.Self:
		v.Payer.Name = e.Auth.GetString("name")
	case !g.Masked:
		v.Payer.Name = vault.MaskName(v.Payer.Name)
	}
	return v
}

// ask reads what an authorisation is for.
func (h *Hooks) ask(e *core.RequestEvent, channel, terminal, back string) (payment.AuthoriseAsk, error) {
	name, err := h.channel(e, channel)
	if err != nil {
		return payment.AuthoriseAsk{}, err
	}
	t := payment.Terminal(cmp.Or(terminal, string(payment.TerminalH5)))
	if !t.Valid() {
		return payment.AuthoriseAsk{}, h.fail(e, flow.NewError(payment.CodeTerminalInvalid, ""))
	}
	if back == "" {
		if back, err = h.Store.PageAddress(kit.InstitutionOf(e), name, "/pay"); err != nil {
			return payment.AuthoriseAsk{}, h.fail(e, err)
		}
	} else if u, err := url.Parse(back); err != nil || len(back) > 500 || u.User != nil || !leads(u) {
		return payment.AuthoriseAsk{}, kit.BadRequest()
	}
	return payment.AuthoriseAsk{Institution: kit.InstitutionOf(e), Patient: e.Auth.Id, Channel: name, Terminal: t, Back: back}, nil
}

// leads reports whether a channel can bring a patient back to an address: to a
// page, or to a mini program of Alipay.
func leads(u *url.URL) bool {
	return (u.Scheme == "https" || u.Scheme == "http" || u.Scheme == "alipays") && u.Host != ""
}

// authorisation tells whether the patient has authorised the payment by insurance,
// or where they do so (B17 B32).
func (h *Hooks) authorisation(e *core.RequestEvent) error {
	if _, at := kit.KioskOf(e); at { // where nobody authorises: what was shown counts
		g, ok, err := h.Bills.GrantedAtKiosk(e.Request.Context(), e.Auth.Id)
		if err != nil {
			return h.fail(e, err)
		}
		if !ok {
			return e.JSON(http.StatusOK, authorisationView{})
		}
		return e.JSON(http.StatusOK, h.viewGrant(e, g))
	}
	q := e.Request.URL.Query()
	ask, err := h.ask(e, cmp.Or(q.Get("channel"), e.Auth.GetString("via")), q.Get("terminal"), q.Get("back"))
	if err != nil {
		return err
	}
	ctx := e.Request.Context()
	if g, ok, err := h.Bills.Granted(ctx, ask); err != nil {
		return h.fail(e, err)
	} else if ok {
		return e.JSON(http.StatusOK, h.viewGrant(e, g))
	}
	way, g, err := h.Bills.Authorisation(ctx, ask)
	switch {
	case err != nil:
		return h.fail(e, err)
	case way.Granted:
		h.Worker.Kick()
		return e.JSON(http.StatusOK, h.viewGrant(e, g))
	}
	return e.JSON(http.StatusOK, viewWay(way))
}

func viewWay(way payment.Authorisation) authorisationView {
	return authorisationView{URL: way.URL, Mini: miniView{AppID: way.MiniAppID, Path: way.MiniPath}}
}

type codeBody struct {
	Channel  string `json:"channel"`
	Code     string `json:"code"`
	Terminal string `json:"terminal"`
	Back     string `json:"back"`
}

// credential takes what the patient has come back with from the channel's page.
func (h *Hooks) credential(e *core.RequestEvent) error {
	var body codeBody
	if err := e.BindBody(&body); err != nil {
		return kit.BadRequest()
	}
	ask, err := h.ask(e, cmp.Or(body.Channel, e.Auth.GetString("via")), body.Terminal, body.Back)
	if err != nil {
		return err
	}
	way, g, err := h.Bills.Credential(e.Request.Context(), ask, body.Code)
	switch {
	case err != nil:
		return h.fail(e, err)
	case !way.Granted:
		return e.JSON(http.StatusOK, viewWay(way))
	}
	h.Worker.Kick()
	return e.JSON(http.StatusOK, h.viewGrant(e, g))
}
