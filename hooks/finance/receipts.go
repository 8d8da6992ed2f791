package finance

import (
	"net/http"

	"hospay/calendar"
	"hospay/hooks/kit"
	"hospay/money"
	"hospay/people"

	"github.com/pocketbase/pocketbase/core"
)

func (h *Hooks) bindReceiptRoutes(se *core.ServeEvent) {
	g := se.Router.Group("/api/hospay")
	g.GET("/receipts/missing", h.receiptsMissing).BindFunc(kit.RequireStaff(bookRoles...))
	g.GET("/receipts/month.zip", h.receiptsOfMonth).BindFunc(kit.RequireStaff(bookRoles...))
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
	items := make([]receiptView, 0, len(rows))
	for _, r := range rows {
		items = append(items, receiptView{
			ID: r.ID, Order: r.Order, OrderNo: r.OrderNo, BillNo: r.No, Channel: r.Channel, Amount: money.Fen(r.Amount),
			PaidAt:  calendar.Clock(r.PaidAt.Time()),
			Expires: calendar.Clock(r.Expires()), State: r.State, Tries: r.Tries, Message: r.Message, NextAt: calendar.Clock(r.NextAt.Time()),
		})
	}
	return e.JSON(http.StatusOK, kit.Page[receiptView]{Items: items, Count: count, Page: page, PerPage: perPage})
}

// receiptView is a transfer without its receipt.
type receiptView struct {
	ID      string    `json:"id"`
	Order   string    `json:"order"`
	OrderNo string    `json:"order_no"`
	BillNo  string    `json:"out_bill_no"`
	Channel string    `json:"channel"`
	Amount  money.Fen `json:"amount"`
	PaidAt  string    `json:"paid_at"`
	Expires string    `json:"expires"`
	State   string    `json:"state"`
	Tries   int       `json:"tries"`
	Message string    `json:"message"`
	NextAt  string    `json:"next_at"`
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
	return e.JSON(http.StatusOK, kit.Queued{Queued: true})
}

// receiptsOfMonth streams the receipts of a month's transfers and a list of what is
// missing and why. It is on record before the first byte leaves.
func (h *Hooks) receiptsOfMonth(e *core.RequestEvent) error {
	month := e.Request.URL.Query().Get("month")
	if !monthForm.MatchString(month) {
		return kit.BadRequest()
	}
	pack, err := h.Books.ReceiptPack(e.Request.Context(), kit.InstitutionOf(e), month)
	if err != nil {
		return h.Fail(e, err)
	}
	if err := h.Audit(e, "receipts.download", month, map[string]any{"transfers": len(pack.Rows), "missing": pack.Missing()}); err != nil {
		return h.Fail(e, err)
	}
	kit.Attach(e, "电子回单-"+month+".zip")
	e.Response.Header().Set("Content-Type", "application/zip")
	e.Response.WriteHeader(http.StatusOK)
	if err := pack.Write(e.Request.Context(), e.Response); err != nil { // what came is no ZIP, and is seen to be none
		h.Log.Warn("receipts.download", "month", month, "error", err)
	}
	return nil
}
