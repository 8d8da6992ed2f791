package staff

import (
	"errors"
	"net/http"

	"hospay/calendar"
	"hospay/collections"
	"hospay/hooks/kit"
	"hospay/store"

	"github.com/pocketbase/pocketbase/core"
)

func (h *Hooks) bindStatisticsRoutes(se *core.ServeEvent) {
	g := se.Router.Group("/api/hospay")
	g.GET("/stats/refunds", h.statistics).BindFunc(kit.RequireStaff(kit.MoneyRoles...))
	g.GET("/stats/refunds/detail", h.statisticsDetail).BindFunc(kit.RequireStaff(kit.MoneyRoles...))
	g.GET("/queue/counts", h.queueCounts).BindFunc(kit.RequireStaff(kit.MoneyRoles...))
	g.GET("/queue", h.queue).BindFunc(kit.RequireStaff(kit.MoneyRoles...))
}

// statistics answers the refund statistics by date, channel and method (A10).
func (h *Hooks) statistics(e *core.RequestEvent) error {
	q, err := store.ParseStatisticsQuery(e.Request.URL.Query(), e.Auth.GetString("institution"))
	if err != nil {
		return kit.BadRequest()
	}
	rows, total, err := h.Store.Statistics(e.Request.Context(), q)
	if err != nil {
		return h.Fail(e, err)
	}
	return e.JSON(http.StatusOK, map[string]any{"from": q.From, "to": q.To, "by": q.By, "rows": rows, "total": total})
}

// statisticsDetail lists the orders behind a cell of the statistics (A11). The
// day is that of the debit at HIS, or a range of days.
func (h *Hooks) statisticsDetail(e *core.RequestEvent) error {
	q := e.Request.URL.Query()
	f := store.OrderFilter{
		Institution: e.Auth.GetString("institution"), By: store.ByHISDate, From: q.Get("from"), To: q.Get("to"), Channel: q.Get("channel"),
		Method: q.Get("method"), Standing: q.Get("state"),
	}
	if day := q.Get("his_date"); day != "" {
		f.From, f.To = day, day
	}
	if f.Standing == "" {
		f.Standing = collections.StandingDue
	}
	if f.From == "" || f.To == "" || !f.Valid() {
		return kit.BadRequest()
	}
	return h.orderPage(e, f, map[string]any{"state": f.Standing})
}

// queue lists the orders of a tab with the filters of the list, oldest first
// unless the newest are asked for; after names the place of a page.
func (h *Hooks) queue(e *core.RequestEvent) error {
	q := e.Request.URL.Query()
	f, err := store.ParseOrderFilter(q, e.Auth.GetString("institution"))
	if err != nil {
		return kit.BadRequest()
	}
	_, perPage, err := kit.PageOf(q)
	if err != nil {
		return err
	}
	lines, next, err := h.Store.QueuePage(e.Request.Context(), f, q.Get("sort") == "newest", q.Get("after"), perPage)
	if errors.Is(err, store.ErrCursor) {
		return kit.BadRequest()
	}
	if err != nil {
		return h.Fail(e, err)
	}
	items := make([]map[string]any, 0, len(lines))
	for _, l := range lines {
		items = append(items, orderLine(l))
	}
	return e.JSON(http.StatusOK, map[string]any{"items": items, "next": next})
}

func (h *Hooks) orderPage(e *core.RequestEvent, f store.OrderFilter, out map[string]any) error {
	page, perPage, err := kit.PageOf(e.Request.URL.Query())
	if err != nil {
		return err
	}
	lines, err := h.Store.OrderPage(e.Request.Context(), f, page, perPage)
	if err != nil {
		return h.Fail(e, err)
	}
	if e.Request.URL.Query().Get("skipTotal") == "" { // as on PocketBase's own lists
		sum, err := h.Store.OrderSum(e.Request.Context(), f)
		if err != nil {
			return h.Fail(e, err)
		}
		out["count"], out["amount"] = sum.Count, sum.Amount
	}
	items := make([]map[string]any, 0, len(lines))
	for _, l := range lines {
		items = append(items, orderLine(l))
	}
	out["page"], out["per_page"], out["items"] = page, perPage, items
	return e.JSON(http.StatusOK, out)
}

// orderLine is an order in a list, times in Beijing.
func orderLine(l store.OrderLine) map[string]any {
	return map[string]any{
		"id": l.ID, "no": l.No, "created": calendar.Clock(l.Created.Time()), "his_refund_date": calendar.Clock(l.HISDate.Time()), "paid_at": calendar.Clock(l.PaidAt.Time()),
		"card_no": l.CardNo, "payee_name": l.PayeeName, "amount": l.Amount, "method": l.Method, "channel": l.Channel, "status": l.Status,
		"review_mode": l.ReviewMode, "his_refund_no": l.HISNo, "channel_bill_no": l.ChannelNo, "fail_code": l.FailCode, "fail_reason": l.FailReason,
		"proxy_application": l.Proxy, "compensates": l.Compensates,
	}
}

// queueCounts tells how much each tab of the work queue holds, and each other desk.
func (h *Hooks) queueCounts(e *core.RequestEvent) error {
	inst := e.Auth.GetString("institution")
	counts, err := h.Store.QueueCounts(e.Request.Context(), inst)
	if err != nil {
		return h.Fail(e, err)
	}
	desks, err := h.Store.DeskCounts(e.Request.Context(), inst)
	if err != nil {
		return h.Fail(e, err)
	}
	out := map[string]any{}
	for tab, c := range counts {
		out[tab] = map[string]any{"count": c.Count, "oldest": calendar.Clock(c.Oldest)}
	}
	for desk, n := range desks {
		out[desk] = n
	}
	house, err := e.App.FindRecordById(collections.Institutions, inst)
	if err != nil {
		return h.Fail(e, err)
	}
	out["frozen"] = house.GetBool("payouts_frozen")
	return e.JSON(http.StatusOK, out)
}
