package patient

import (
	"net/http"
	"net/url"
	"strings"

	"hospay/calendar"
	"hospay/collections"
	"hospay/flow"
	"hospay/hooks/kit"
	"hospay/people"
	"hospay/refund"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"
)

// bindRefundRoutes puts the balance check in front of the creation of orders:
// the only network call on that way, made before any hook or transaction.
func (h *Hooks) bindRefundRoutes(se *core.ServeEvent) {
	se.Router.Bind(&hook.Handler[*core.RequestEvent]{Id: "hospay_fresh_card", Func: func(e *core.RequestEvent) error {
		byPatient := e.Auth != nil && e.Auth.Collection().Name == collections.Patients
		if !byPatient || !kit.Creates(e, collections.RefundOrders) {
			return e.Next()
		}
		var body struct {
			CardNo string `json:"card_no" form:"card_no"`
			Proxy  string `json:"proxy_application" form:"proxy_application"`
		}
		if err := e.BindBody(&body); err != nil {
			return kit.Error(http.StatusBadRequest, "bad_request", "")
		}
		if body.CardNo != "" {
			if err := h.Intake.Fresh(e.Request.Context(), who(e.Auth), body.CardNo, body.Proxy); err != nil {
				return h.Fail(e, err)
			}
		}
		return e.Next()
	}})
}

// cancel takes back the patient's own order.
func (h *Hooks) cancel(e *core.RequestEvent) error {
	rec, err := h.OwnOrder(e)
	if err != nil {
		return err
	}
	if err := h.Service.Cancel(e.Request.Context(), rec.Id, people.By{Kind: people.ByPatient, ID: e.Auth.Id}); err != nil {
		return h.Fail(e, err)
	}
	h.Worker.Kick()
	return h.ShowOrder(e, rec.Id)
}

// check asks for the outcome of the patient's order now, after the patient has
// confirmed at the channel or wants to know.
func (h *Hooks) check(e *core.RequestEvent) error {
	rec, err := h.OwnOrder(e)
	if err != nil {
		return err
	}
	switch refund.Status(rec.GetString("status")) {
	case refund.StatusAwaitingPayee, refund.StatusPaying:
		err := h.Service.Wake(e.Request.Context(), rec.Id, people.By{Kind: people.ByPatient, ID: e.Auth.Id})
		if err != nil && flow.CodeOf(err) != flow.CodeConflict { // a callback that came first has told the outcome
			return h.Fail(e, err)
		}
		h.Worker.Kick()
	}
	return h.ShowOrder(e, rec.Id)
}

// confirmation gives what the patient's phone needs to confirm the receipt.
func (h *Hooks) confirmation(e *core.RequestEvent) error {
	rec, err := h.OwnOrder(e)
	if err != nil {
		return err
	}
	w, err := h.Store.Get(e.Request.Context(), rec.Id)
	if err != nil {
		return h.Fail(e, err)
	}
	if w.Order.Status != refund.StatusAwaitingPayee || w.Transfer == nil {
		return kit.Error(http.StatusConflict, string(flow.CodeConflict), "")
	}
	c := w.Transfer.Confirm
	page, err := h.Store.ClientSetting(e.Request.Context(), w.Order.Institution, w.Order.Channel, "confirm_url")
	if err != nil {
		return h.Fail(e, err)
	}
	login, err := h.Store.ClientSetting(e.Request.Context(), w.Order.Institution, w.Order.Channel, "login")
	if err != nil {
		return h.Fail(e, err)
	}
	app, _ := flow.AppOf(w.Order.Payee.Account)
	return e.JSON(http.StatusOK, confirmationView{
		MchID: c.MchID, AppID: c.AppID, Package: c.Package, ExpiresAt: calendar.Clock(w.Transfer.ExpiresAt),
		URL: strings.ReplaceAll(page, "{package}", url.QueryEscape(c.Package)), Mini: app != "" || login == "mini",
	})
}

// confirmationView is what a phone needs to confirm a receipt.
type confirmationView struct {
	MchID     string `json:"mch_id"`
	AppID     string `json:"app_id"`
	Package   string `json:"package"`
	ExpiresAt string `json:"expires_at"`
	URL       string `json:"url"`
	Mini      bool   `json:"mini"` // it opens in the mini program alone; otherwise in pages of the official account
}
