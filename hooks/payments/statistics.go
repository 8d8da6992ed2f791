package payments

import (
	"net/http"

	"hospay/hooks/kit"
	"hospay/store"

	"github.com/pocketbase/pocketbase/core"
)

// paidStatisticsView is the statistics of payments of a range of days.
type paidStatisticsView struct {
	From  string                       `json:"from"`
	To    string                       `json:"to"`
	By    []string                     `json:"by"`
	Rows  []store.PaymentStatisticsRow `json:"rows"`
	Total store.PaymentStatisticsRow   `json:"total"`
}

// statistics answers what HIS took and what went back, by day, channel, kind and
// insurance.
func (h *Hooks) statistics(e *core.RequestEvent) error {
	q, err := store.ParsePaymentStatisticsQuery(e.Request.URL.Query(), e.Auth.GetString("institution"))
	if err != nil {
		return kit.BadRequest()
	}
	rows, total, err := h.Store.Payments().Statistics(e.Request.Context(), q)
	if err != nil {
		return h.Fail(e, err)
	}
	return e.JSON(http.StatusOK, paidStatisticsView{From: q.From, To: q.To, By: q.By, Rows: rows, Total: total})
}
