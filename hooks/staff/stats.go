package staff

import (
	"errors"
	"net/http"
	"net/url"

	"hospay/calendar"
	"hospay/collections"
	"hospay/hooks/kit"
	"hospay/money"
	"hospay/store"

	"github.com/pocketbase/pocketbase/core"
)

func (h *Hooks) bindStatisticsRoutes(se *core.ServeEvent) {
	g := se.Router.Group("/api/hospay")
	g.GET("/stats/refunds", h.statistics).BindFunc(kit.RequireStaff(kit.MoneyRoles...))
	g.GET("/stats/refunds/detail", h.statisticsDetail).BindFunc(kit.RequireStaff(kit.MoneyRoles...))
	g.GET("/stats/group", h.groupTotals).BindFunc(kit.RequireStaff(kit.MoneyRoles...))
	g.GET("/queue/counts", h.queueCounts).BindFunc(kit.RequireStaff(kit.MoneyRoles...))
	g.GET("/queue", h.queue).BindFunc(kit.RequireStaff(kit.MoneyRoles...))
	g.POST("/find", h.find).BindFunc(kit.RequireStaff(kit.MoneyRoles...))
}

// statisticsView is the refund statistics of a range of days.
type statisticsView struct {
	From  string                `json:"from"`
	To    string                `json:"to"`
	By    []string              `json:"by"`
	Rows  []store.StatisticsRow `json:"rows"`
	Total store.StatisticsRow   `json:"total"`
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
	return e.JSON(http.StatusOK, statisticsView{From: q.From, To: q.To, By: q.By, Rows: rows, Total: total})
}

// groupRow is what an institution gave back and took.
type groupRow struct {
	Institution nameView                   `json:"institution"`
	Refunds     store.StatisticsRow        `json:"refunds"`
	Payments    store.PaymentStatisticsRow `json:"payments"`
}

// groupView is the totals of the institutions in which a person reads statistics.
type groupView struct {
	From    string     `json:"from"`
	To      string     `json:"to"`
	Rows    []groupRow `json:"rows"`
	Total   groupRow   `json:"total"`
	LeftOut []nameView `json:"left_out"` // where the person works and may not read them
}

// groupTotals adds up the institutions of one person: each by the roles that the
// person's account there has.
func (h *Hooks) groupTotals(e *core.RequestEvent) error {
	q := e.Request.URL.Query()
	elsewhere, err := h.Store.Elsewhere(e.Auth)
	if err != nil {
		return h.Fail(e, err)
	}
	own, err := e.App.FindRecordById(collections.Institutions, e.Auth.GetString("institution"))
	if err != nil {
		return h.Fail(e, err)
	}
	out := groupView{From: q.Get("from"), To: q.Get("to"), Rows: []groupRow{}, LeftOut: []nameView{}}
	for _, p := range append([]store.Elsewhere{{Account: e.Auth, House: own}}, elsewhere...) {
		row := groupRow{Institution: nameView{ID: p.House.Id, Name: p.House.GetString("name")}}
		if !kit.HasRole(p.Account, kit.MoneyRoles...) {
			out.LeftOut = append(out.LeftOut, row.Institution)
			continue
		}
		days := url.Values{"from": {out.From}, "to": {out.To}, "by": {"channel"}}
		refunds, err := store.ParseStatisticsQuery(days, p.House.Id)
		if err != nil {
			return kit.BadRequest()
		}
		payments, err := store.ParsePaymentStatisticsQuery(days, p.House.Id)
		if err != nil {
			return kit.BadRequest()
		}
		ctx := e.Request.Context()
		if _, row.Refunds, err = h.Store.Statistics(ctx, refunds); err != nil {
			return h.Fail(e, err)
		}
		if _, row.Payments, err = h.Store.Payments().Statistics(ctx, payments); err != nil {
			return h.Fail(e, err)
		}
		out.Rows = append(out.Rows, row)
		out.Total.Refunds.Add(row.Refunds)
		out.Total.Payments.Add(row.Payments)
	}
	return e.JSON(http.StatusOK, out)
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
	switch q.Get("by") {
	case "":
		return h.orderPage(e, f)
	case "paid_day":
		return h.paidDays(e, f)
	}
	return kit.BadRequest()
}

// queue lists the orders of a tab with the filters of the list, oldest first
// unless the newest are asked for; after names the place of a page, page its number.
func (h *Hooks) queue(e *core.RequestEvent) error {
	q := e.Request.URL.Query()
	f, err := h.Store.ParseOrderFilter(q, e.Auth.GetString("institution"))
	if err != nil {
		return kit.BadRequest()
	}
	page, perPage, err := kit.PageOf(q)
	if err != nil {
		return err
	}
	if q.Get("sum") != "" { // apart from the list, which does not wait for it
		sum, err := h.Store.OrderSum(e.Request.Context(), f)
		if err != nil {
			return h.Fail(e, err)
		}
		return e.JSON(http.StatusOK, queueView{Items: []orderLine{}, Sum: &queueSum{Count: sum.Count, Amount: sum.Amount}})
	}
	newest, after := q.Get("sort") == "newest", q.Get("after")
	if after == "" && page > 1 {
		switch after, err = h.Store.QueuePlace(e.Request.Context(), f, newest, (page-1)*perPage); {
		case errors.Is(err, store.ErrCursor): // beyond the last page
			return e.JSON(http.StatusOK, queueView{Items: []orderLine{}})
		case err != nil:
			return h.Fail(e, err)
		}
	}
	lines, next, err := h.Store.QueuePage(e.Request.Context(), f, newest, after, perPage)
	if errors.Is(err, store.ErrCursor) {
		return kit.BadRequest()
	}
	if err != nil {
		return h.Fail(e, err)
	}
	return e.JSON(http.StatusOK, queueView{Items: viewLines(lines), Next: next})
}

// findView is what stands for a text that somebody looks for, and the text.
type findView struct {
	Find string `json:"find"`
	Text string `json:"text"`
}

// find takes what somebody looks for in the lists, a name or a phone too, and answers
// with what stands for it in their addresses; or with the text that such a one stands
// for. Names and phones are in no address, and so in no log.
func (h *Hooks) find(e *core.RequestEvent) error {
	var body findView
	if err := e.BindBody(&body); err != nil {
		return kit.BadRequest()
	}
	institution := e.Auth.GetString("institution")
	var err error
	if body.Find == "" {
		body.Find, err = h.Store.SealFind(institution, body.Text)
	}
	find, opened := h.Store.OpenFind(institution, body.Find)
	switch {
	case errors.Is(err, store.ErrBadFilter), opened != nil:
		return kit.BadRequest()
	case err != nil:
		return h.Fail(e, err)
	}
	return e.JSON(http.StatusOK, findView{Find: body.Find, Text: find.Text})
}

// queueView is a page of a tab; Next is the place of the one that follows.
type queueView struct {
	Items []orderLine `json:"items"`
	Next  string      `json:"next"`
	Sum   *queueSum   `json:"sum,omitempty"` // where it was asked for
}

// queueSum is how much a filter chooses.
type queueSum struct {
	Count  int       `json:"count"`
	Amount money.Fen `json:"amount"`
}

// paidDaysView is what arrived by the day of the channel, of the same cell as the list.
type paidDaysView struct {
	State string    `json:"state"`
	Days  []paidDay `json:"days"`
}

// paidDay has no day where the money has not arrived.
type paidDay struct {
	Day    string    `json:"day"`
	Amount money.Fen `json:"amount"`
	Count  int       `json:"count"`
}

func (h *Hooks) paidDays(e *core.RequestEvent, f store.OrderFilter) error {
	days, err := h.Store.PaidDays(e.Request.Context(), f)
	if err != nil {
		return h.Fail(e, err)
	}
	out := paidDaysView{State: f.Standing, Days: make([]paidDay, 0, len(days))}
	for _, d := range days {
		out.Days = append(out.Days, paidDay{d.Day, d.Amount, d.Count})
	}
	return e.JSON(http.StatusOK, out)
}

// ordersView is a page of orders of a standing, with the sum of all unless the
// page wants none.
type ordersView struct {
	State   string      `json:"state"`
	Count   *int        `json:"count,omitempty"`
	Amount  *money.Fen  `json:"amount,omitempty"`
	Page    int         `json:"page"`
	PerPage int         `json:"per_page"`
	Items   []orderLine `json:"items"`
}

func (h *Hooks) orderPage(e *core.RequestEvent, f store.OrderFilter) error {
	page, perPage, err := kit.PageOf(e.Request.URL.Query())
	if err != nil {
		return err
	}
	lines, err := h.Store.OrderPage(e.Request.Context(), f, page, perPage)
	if err != nil {
		return h.Fail(e, err)
	}
	out := ordersView{State: f.Standing, Page: page, PerPage: perPage, Items: viewLines(lines)}
	if e.Request.URL.Query().Get("skipTotal") == "" { // as on PocketBase's own lists
		sum, err := h.Store.OrderSum(e.Request.Context(), f)
		if err != nil {
			return h.Fail(e, err)
		}
		out.Count, out.Amount = &sum.Count, &sum.Amount
	}
	return e.JSON(http.StatusOK, out)
}

// orderLine is an order in a list, times in Beijing.
type orderLine struct {
	ID          string    `json:"id"`
	No          string    `json:"no"`
	Created     string    `json:"created"`
	HISDate     string    `json:"his_refund_date"`
	PaidAt      string    `json:"paid_at"`
	CardNo      string    `json:"card_no"`
	PayeeName   string    `json:"payee_name"`
	Amount      money.Fen `json:"amount"`
	Method      string    `json:"method"`
	Channel     string    `json:"channel"`
	Status      string    `json:"status"`
	ReviewMode  string    `json:"review_mode"`
	HISNo       string    `json:"his_refund_no"`
	ChannelNo   string    `json:"channel_bill_no"`
	FailCode    string    `json:"fail_code"`
	FailReason  string    `json:"fail_reason"`
	Proxy       string    `json:"proxy_application"`
	Compensates string    `json:"compensates"`
	Stage       string    `json:"stage"`
	Applicant   string    `json:"applicant"`
	Holder      string    `json:"holder"`
	Phone       string    `json:"phone"`
}

func viewLines(lines []store.OrderLine) []orderLine {
	out := make([]orderLine, 0, len(lines))
	for _, l := range lines {
		out = append(out, orderLine{
			ID: l.ID, No: l.No, Created: calendar.Clock(l.Created.Time()), HISDate: calendar.Clock(l.HISDate.Time()),
			PaidAt: calendar.Clock(l.PaidAt.Time()),
			CardNo: l.CardNo, PayeeName: l.PayeeName, Amount: money.Fen(l.Amount), Method: l.Method, Channel: l.Channel, Status: l.Status,
			ReviewMode: l.ReviewMode, HISNo: l.HISNo, ChannelNo: l.ChannelNo, FailCode: l.FailCode, FailReason: l.FailReason,
			Proxy: l.Proxy, Compensates: l.Compensates, Stage: l.Stage, Applicant: l.Applicant, Holder: l.Holder, Phone: l.Phone,
		})
	}
	return out
}

// tabCount is how many orders a tab holds, and since when the oldest waits.
type tabCount struct {
	Count  int    `json:"count"`
	Oldest string `json:"oldest"`
}

// countsView is how much waits where.
type countsView struct {
	Reviewing     tabCount `json:"reviewing"`
	AwaitingPayee tabCount `json:"awaiting_payee"`
	Processing    tabCount `json:"processing"`
	Exceptions    tabCount `json:"exceptions"`
	Succeeded     tabCount `json:"succeeded"`
	Rejected      tabCount `json:"rejected"`
	Payments      int      `json:"payments"` // that wait for people
	Suspense      int      `json:"suspense"` // of refunds and payments, as unknown is
	Unknown       int      `json:"unknown"`
	Proxies       int      `json:"proxies"`
	Frozen        bool     `json:"frozen"`
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
	house, err := e.App.FindRecordById(collections.Institutions, inst)
	if err != nil {
		return h.Fail(e, err)
	}
	tab := func(name string) tabCount {
		return tabCount{Count: counts[name].Count, Oldest: calendar.Clock(counts[name].Oldest)}
	}
	return e.JSON(http.StatusOK, countsView{
		Reviewing: tab(store.TabReviewing), AwaitingPayee: tab(store.TabAwaitingPayee), Processing: tab(store.TabProcessing),
		Exceptions: tab(store.TabExceptions), Succeeded: tab(store.TabSucceeded), Rejected: tab(store.TabRejected),
		Payments: desks["payments"], Suspense: desks["suspense"],
		Unknown: desks["unknown"], Proxies: desks["proxies"], Frozen: house.GetBool("payouts_frozen"),
	})
}
