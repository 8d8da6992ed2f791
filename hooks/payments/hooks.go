// Package payments is the door of bills: patients who read, choose and pay them,
// and the staff who look after what was paid.
package payments

import (
	"errors"
	"net/http"
	"slices"
	"time"

	"hospay/collections"
	"hospay/flow"
	"hospay/hooks/kit"
	"hospay/internal/i18n"
	"hospay/payment"
	"hospay/refund"

	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/router"
)

// Hooks is the door of bills.
type Hooks struct {
	*kit.Kit
	Bills  *payment.Service
	Worker *flow.Worker
	Intake *refund.Intake // who knows whose card it is
}

var (
	away = kit.Code{Status: http.StatusServiceUnavailable}
	told = kit.Code{Told: true}
	busy = kit.Code{Status: http.StatusConflict, Told: true}
)

// codes are those of payments: conflicts are about what has changed meanwhile.
var codes = map[flow.Code]kit.Code{
	payment.CodeBillOrderExists: kit.Conflict, payment.CodeBillChanged: kit.Conflict, payment.CodeBillPaid: kit.Conflict,
	payment.CodeBillGone: kit.Conflict, payment.CodePriceChanged: kit.Conflict, payment.CodeBillUnreadable: kit.Conflict,
	payment.CodeSlotLost: kit.Conflict, payment.CodeIdentityMissing: kit.Conflict, payment.CodeOrderExpired: kit.Conflict,
	payment.CodeWayOff: busy, payment.CodeRefundOff: busy,
	payment.CodeNotInsurable: told, payment.CodeNotEnrolled: kit.Conflict, payment.CodeBenefitOff: kit.Conflict,
	payment.CodeNothingToRefund: kit.Conflict, payment.CodeNothingPaid: kit.Conflict, payment.CodeRefundPartNotTaken: kit.Conflict,
	payment.CodeRefundRunning: busy, payment.CodeRefundIDTaken: busy, payment.CodeRefundProposed: busy, payment.CodeRefundChanged: busy,
	payment.CodeRefundTakesTwo: kit.Conflict, payment.CodeNoRefundProposed: kit.Conflict,
	payment.CodeGoToWindow: kit.Conflict, payment.CodeAtRest: kit.Conflict,
	payment.CodeNoWrite: kit.Conflict, payment.CodeShownOff: kit.Conflict, payment.CodeCentreUnavailable: away, payment.CodeCentreBroken: away,
}

// asking bounds how often a patient makes us ask HIS and the channel.
var asking = kit.Budget{Name: "bills", Most: 60, Span: time.Minute}

// maxBody is far above any real request.
const maxBody = 16 << 10

// Bind registers record events and routes.
func (h *Hooks) Bind(se *core.ServeEvent) {
	h.Know(codes)
	h.App.OnRecordCreateRequest(collections.PaymentOrders).BindFunc(h.create)
	g := se.Router.Group("/api/hospay")
	g.Bind(apis.BodyLimit(maxBody))
	h.bindBillRoutes(g)
	h.bindInsuranceRoutes(g)
	h.bindOrderRoutes(g)
	h.bindKioskRoutes(g)
	h.bindStaffRoutes(g)
	h.bindSecondRoutes(g)
	h.bindDeskRoutes(g)
	g.GET("/stats/payments", h.statistics).BindFunc(kit.RequireStaff(kit.MoneyRoles...))
}

// withinBudget keeps one patient from asking the other sides without end.
func (h *Hooks) withinBudget(e *core.RequestEvent) error {
	if e.Auth != nil && !h.Within(asking, e.Auth.Id) {
		return kit.TooMany()
	}
	return e.Next()
}

func asker(e *core.RequestEvent) payment.Asker {
	return payment.Asker{Institution: kit.InstitutionOf(e), Patient: e.Auth.Id}
}

// own makes sure that a card is known whose it is: one that is not is looked for
// at HIS.
func (h *Hooks) own(e *core.RequestEvent, cardNo string) error {
	ctx := e.Request.Context()
	known := func() (bool, error) {
		cards, err := h.Store.Cards(ctx, e.Auth.Id)
		return slices.ContainsFunc(cards, func(c refund.KnownCard) bool { return c.No == cardNo }), err
	}
	ok, err := known()
	if err == nil && !ok && cardNo != "" {
		if err = h.Intake.Refresh(ctx, refund.Patient{ID: e.Auth.Id, Institution: kit.InstitutionOf(e)}); err == nil {
			ok, err = known()
		}
	}
	if err == nil && !ok {
		err = flow.NewError(flow.CodeCardNotYours, "")
	}
	return err
}

// fail answers with the sentence that payments have for a code, where it is
// another than that of refunds.
func (h *Hooks) fail(e *core.RequestEvent, err error) error {
	failed := h.Fail(e, err)
	var api *router.ApiError
	if !errors.As(failed, &api) {
		return failed
	}
	code, _ := api.Data["code"].(string)
	if detail, _ := api.Data["detail"].(string); i18n.Has("payment.error." + code) {
		api.Message = i18n.Text(i18n.Default, "payment.error."+code, "detail", detail)
	}
	return failed
}

// text is a sentence of payments; nothing where there is none.
func text(group, key string, pairs ...string) string {
	if name := "payment." + group + "." + key; key != "" && i18n.Has(name) {
		return i18n.Text(i18n.Default, name, pairs...)
	}
	return ""
}
