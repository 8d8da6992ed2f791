package payments

import (
	"net/http"
	"regexp"
	"strings"

	"hospay/collections"
	"hospay/flow"
	"hospay/hooks/kit"
	"hospay/payment"

	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
)

// recordID is the form of PocketBase's ids.
var recordID = regexp.MustCompile(`^[a-z0-9]{15}$`)

// create takes a patient's wish to pay a bill as the creation of a record of
// payment_orders. Whatever else was sent is dropped; the store writes the record
// with its first event. HIS is asked on the way, so that a request that arrives
// inside a transaction is refused.
func (h *Hooks) create(e *core.RecordRequestEvent) error {
	if e.Auth == nil || e.Auth.Collection().Name != collections.Patients || e.App.IsTransactional() {
		return kit.Denied(e.RequestEvent)
	}
	a, err := h.application(e)
	if err == nil {
		err = h.own(e.RequestEvent, a.CardNo)
	}
	if err != nil {
		return h.fail(e.RequestEvent, err)
	}
	o, err := h.Bills.Create(e.Request.Context(), a)
	if err != nil {
		return h.fail(e.RequestEvent, err)
	}
	h.Worker.Kick()
	rec, err := e.App.FindRecordById(collections.PaymentOrders, o.ID)
	if err != nil {
		return h.fail(e.RequestEvent, err)
	}
	if err := apis.EnrichRecord(e.RequestEvent, rec); err != nil {
		return err
	}
	return e.JSON(http.StatusOK, rec)
}

// application reads the fields that are the patient's to send. The benefit is no
// field of the record.
func (h *Hooks) application(e *core.RecordRequestEvent) (payment.Application, error) {
	var body struct {
		Benefit string `json:"benefit" form:"benefit"`
	}
	if err := e.BindBody(&body); err != nil {
		return payment.Application{}, flow.NewError(flow.CodeBadRequest, "")
	}
	r := e.Record
	text := func(field string) string { return strings.TrimSpace(r.GetString(field)) }
	a := payment.Application{ID: r.Id, Institution: kit.InstitutionOf(e.RequestEvent), Patient: e.Auth.Id, BillNo: text("bill_no"),
		CardNo: text("card_no"), Channel: text("channel"), Terminal: payment.Terminal(text("terminal")), Insured: r.GetBool("insured"),
		IP: e.RealIP()}
	if device, at := kit.KioskOf(e.RequestEvent); at {
		a.Terminal, a.Kiosk = payment.TerminalKiosk, device.ID
	}
	if a.Insured {
		a.Area, a.Benefit = text("area"), strings.TrimSpace(body.Benefit)
	}
	if a.ID == "" {
		a.ID = core.GenerateDefaultRandomId()
	}
	switch {
	case !recordID.MatchString(a.ID):
		return a, flow.NewError(flow.CodeBadRequest, "id")
	case a.Channel != "wechat" && a.Channel != "alipay":
		return a, flow.NewError(flow.CodeBadRequest, "channel")
	}
	var err error
	a.Back, err = h.Store.PageAddress(a.Institution, a.Channel, "/payments/"+a.ID)
	return a, err
}
