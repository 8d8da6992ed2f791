package finance

import (
	"net/http"

	"hospay/calendar"
	"hospay/hooks/kit"
	"hospay/people"

	"github.com/pocketbase/pocketbase/core"
)

func (h *Hooks) bindReceiptRoutes(se *core.ServeEvent) {
	g := se.Router.Group("/api/hospay")
	g.GET("/receipts/missing", h.receiptsMissing).BindFunc(kit.RequireStaff(bookRoles...))
	g.POST("/receipts/{id}/retry", h.receiptRetry).BindFunc(kit.RequireStaff(people.RoleFinance))
}

// receiptsMissing lists successful transfers without their electronic receipt,
// with the day on which the channel lets it expire (A33).
func (h *Hooks) receiptsMissing(e *core.RequestEvent) error {
	q := e.Request.URL.Query()
	_, _, err := calendar.ParseDay(q.Get("from"))
	_, _, err2 := calendar.ParseDay(q.Get("to"))
	page, perPage, err3 := kit.PageOf(q)
	if err != nil || err2 != nil || err3 != nil || q.Get("to") < q.Get("from") {
		return kit.BadRequest()
	}
	rows, count, err := h.Store.MissingReceipts(e.Request.Context(), kit.InstitutionOf(e), q.Get("from"), q.Get("to"), page, perPage)
	if err != nil {
		return h.Fail(e, err)
	}
	items := []map[string]any{}
	for _, r := range rows {
		items = append(items, map[string]any{
			"id": r.ID, "order": r.Order, "order_no": r.OrderNo, "out_bill_no": r.No, "channel": r.Channel, "amount": r.Amount, "paid_at": calendar.Clock(r.PaidAt.Time()), "expires": calendar.Clock(r.Expires()),
			"state": r.State, "tries": r.Tries, "message": r.Message, "next_at": calendar.Clock(r.NextAt.Time()),
		})
	}
	return e.JSON(http.StatusOK, map[string]any{"items": items, "count": count, "page": page, "per_page": perPage})
}

// receiptRetry makes a receipt due again, with all its tries.
func (h *Hooks) receiptRetry(e *core.RequestEvent) error {
	id := e.Request.PathValue("id")
	if err := h.Store.RetryReceipt(e.Request.Context(), kit.InstitutionOf(e), id); err != nil {
		return h.Fail(e, err)
	}
	if err := h.Audit(e, "receipt.retry", id, nil); err != nil {
		return h.Fail(e, err)
	}
	return e.JSON(http.StatusOK, map[string]any{"queued": true})
}
