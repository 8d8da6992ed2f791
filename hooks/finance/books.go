package finance

import (
	"context"
	"net/http"
	"regexp"

	"hospay/books"
	"hospay/calendar"
	"hospay/flow"
	"hospay/hooks/kit"
	"hospay/money"
	"hospay/people"

	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/types"
)

// bookRoles read the books; finance works them off, and an auditor may be the
// second person.
var bookRoles = []string{people.RoleFinance, people.RoleAuditor}

var monthForm = regexp.MustCompile(`^\d{4}-(0[1-9]|1[0-2])$`)

// codes are those of the books.
var codes = map[flow.Code]kit.Code{
	books.CodeSecondPerson: kit.Forbidden, books.CodeMonthClosed: kit.Conflict, books.CodeDifferenceDone: kit.Conflict,
	books.CodeMonthOpenItems:   {Status: http.StatusConflict, Told: true},
	books.CodeStatementRefused: {Told: true}, books.CodeStatementOther: {Told: true},
	books.CodeTooMany: {Told: true},
}

func (h *Hooks) bindBookRoutes(se *core.ServeEvent) {
	g := se.Router.Group("/api/hospay")
	read, write := kit.RequireStaff(bookRoles...), kit.RequireStaff(people.RoleFinance)
	small := apis.BodyLimit(64 << 10)
	g.GET("/recon", h.calendar).BindFunc(read)
	g.GET("/recon/{date}", h.reconDay).BindFunc(read)
	g.GET("/recon/{date}/{part}", h.reconPart).BindFunc(read)
	g.POST("/recon/{date}/run", h.reconRun).Bind(small).BindFunc(write)
	g.POST("/recon/months/{month}/close", h.monthClose).Bind(small).BindFunc(read)
	g.POST("/recon/months/{month}/reopen", h.monthReopen).Bind(small).BindFunc(read)
	g.GET("/differences", h.differences).BindFunc(read)
	g.GET("/differences/{id}", h.difference).BindFunc(read)
	g.POST("/differences/{id}/resolve", h.resolve).Bind(small).BindFunc(write)
	g.POST("/differences/{id}/confirm", h.confirm).Bind(small).BindFunc(read)
	g.POST("/differences/{id}/withdraw", h.withdraw).Bind(small).BindFunc(read)
	g.POST("/differences/{id}/assign", h.assign).Bind(small).BindFunc(write)
}

func actorOf(e *core.RequestEvent) books.Actor {
	return books.Actor{ID: e.Auth.Id, Person: e.Auth.GetString("person_index")}
}

// dayOf reads the day of the path.
func dayOf(e *core.RequestEvent) (string, error) {
	day := e.Request.PathValue("date")
	if _, _, err := calendar.ParseDay(day); err != nil {
		return "", kit.BadRequest()
	}
	return day, nil
}

// calendarView is a month of the books.
type calendarView struct {
	Month string              `json:"month"`
	Days  []books.CalendarDay `json:"days"`
}

// calendar tells how every day of a month stands.
func (h *Hooks) calendar(e *core.RequestEvent) error {
	month := e.Request.URL.Query().Get("month")
	if !monthForm.MatchString(month) {
		return kit.BadRequest()
	}
	days, err := h.Books.Calendar(e.Request.Context(), kit.InstitutionOf(e), month)
	if err != nil {
		return h.Fail(e, err)
	}
	return e.JSON(http.StatusOK, calendarView{Month: month, Days: days})
}

func (h *Hooks) reconDay(e *core.RequestEvent) error {
	day, err := dayOf(e)
	if err != nil {
		return err
	}
	ledger, err := books.ReadLedger(e.Request.URL.Query().Get("ledger"))
	if err != nil {
		return h.Fail(e, err)
	}
	view, err := h.Books.Day(e.Request.Context(), kit.InstitutionOf(e), ledger, day)
	if err != nil {
		return h.Fail(e, err)
	}
	return e.JSON(http.StatusOK, view)
}

// reconRun reconciles a day while the caller waits: one ledger, or all that are in
// use.
func (h *Hooks) reconRun(e *core.RequestEvent) error {
	day, err := dayOf(e)
	if err != nil || day > h.Books.Today() {
		return kit.BadRequest()
	}
	ctx, house, name := e.Request.Context(), kit.InstitutionOf(e), e.Request.URL.Query().Get("ledger")
	ledger, err := books.ReadLedger(name)
	switch {
	case err != nil:
	case name == "":
		err = h.Books.RunAll(ctx, house, day, actorOf(e))
	default:
		_, err = h.Books.Run(ctx, house, ledger, day, actorOf(e))
	}
	if err != nil {
		return h.Fail(e, err)
	}
	run, err := h.Books.LastRun(ctx, house, ledger, day)
	if err != nil {
		return h.Fail(e, err)
	}
	if err := h.Audit(e, "recon.run", run.ID, map[string]any{"day": day, "ledger": name, "seq": run.Seq, "state": run.State}); err != nil {
		return h.Fail(e, err)
	}
	return h.reconDay(e)
}

// reconPart tells /recon/{date}/lines and /recon/months/{month} apart, which one
// router cannot hold side by side.
func (h *Hooks) reconPart(e *core.RequestEvent) error {
	switch date, part := e.Request.PathValue("date"), e.Request.PathValue("part"); {
	case date == "months":
		return h.month(e, part)
	case part == "lines":
		return h.reconLines(e)
	}
	return kit.Error(http.StatusNotFound, "not_found", "")
}

// reconLines is the three-way view, line by line.
func (h *Hooks) reconLines(e *core.RequestEvent) error {
	day, err := dayOf(e)
	if err != nil {
		return err
	}
	page, perPage, err := kit.PageOf(e.Request.URL.Query())
	state := e.Request.URL.Query().Get("state")
	ledger, bad := books.ReadLedger(e.Request.URL.Query().Get("ledger"))
	if err != nil || bad != nil || (state != "" && state != "matched" && state != "differences") {
		return kit.BadRequest()
	}
	items, count, err := h.Books.Lines(e.Request.Context(), kit.InstitutionOf(e), ledger, day, state, page, perPage)
	if err != nil {
		return h.Fail(e, err)
	}
	return e.JSON(http.StatusOK, kit.Page[books.Line]{Items: items, Count: count, Page: page, PerPage: perPage})
}

// differences lists what is to be worked off.
func (h *Hooks) differences(e *core.RequestEvent) error {
	q := e.Request.URL.Query()
	f := books.Filter{
		Ledger: q.Get("ledger"), Day: q.Get("day"), From: q.Get("from"), To: q.Get("to"), Kind: q.Get("kind"), State: q.Get("state"),
		Owner: q.Get("owner"),
	}
	page, perPage, err := kit.PageOf(q)
	if err != nil || !f.Valid() {
		return kit.BadRequest()
	}
	ctx, house := e.Request.Context(), kit.InstitutionOf(e)
	rows, count, err := h.Books.Differences(ctx, house, f, page, perPage)
	if err != nil {
		return h.Fail(e, err)
	}
	names, err := h.Store.StaffNames(ctx, house)
	if err != nil {
		return h.Fail(e, err)
	}
	items := make([]books.DifferenceView, 0, len(rows))
	for _, d := range rows {
		view, err := h.Books.View(ctx, d, names)
		if err != nil {
			return h.Fail(e, err)
		}
		items = append(items, view)
	}
	return e.JSON(http.StatusOK, kit.Page[books.DifferenceView]{Items: items, Count: count, Page: page, PerPage: perPage})
}

// difference shows one difference with its history.
func (h *Hooks) difference(e *core.RequestEvent) error {
	d, err := h.Books.Difference(e.Request.Context(), kit.InstitutionOf(e), e.Request.PathValue("id"))
	return h.showDifference(e, d, err)
}

func (h *Hooks) showDifference(e *core.RequestEvent, d books.Difference, err error) error {
	if err != nil {
		return h.Fail(e, err)
	}
	ctx := e.Request.Context()
	names, err := h.Store.StaffNames(ctx, kit.InstitutionOf(e))
	if err != nil {
		return h.Fail(e, err)
	}
	view, err := h.Books.View(ctx, d, names)
	if err != nil {
		return h.Fail(e, err)
	}
	history, err := h.Books.History(ctx, d.ID)
	if err != nil {
		return h.Fail(e, err)
	}
	out := differenceDetail{DifferenceView: view, History: make([]actView, 0, len(history))}
	for _, r := range history {
		out.History = append(out.History, actView{
			Act: r.Act, Verb: r.Verb, Reason: r.Reason, By: r.By, ByName: names[r.By], With: r.With, Before: r.Before, After: r.After,
			At: calendar.Clock(r.Created.Time()),
		})
	}
	if out.Verbs, out.Counters, err = h.fitting(ctx, d); err != nil {
		return h.Fail(e, err)
	}
	return e.JSON(http.StatusOK, out)
}

// differenceDetail is a difference with its history, the verbs that there are,
// and what a rematch could take.
type differenceDetail struct {
	books.DifferenceView
	History  []actView     `json:"history"`
	Verbs    []verbView    `json:"verbs"`
	Counters []counterView `json:"counters"`
}

// actView is an entry of a difference's history.
type actView struct {
	Act    string        `json:"act"`
	Verb   string        `json:"verb"`
	Reason string        `json:"reason"`
	By     string        `json:"by"`
	ByName string        `json:"by_name"`
	With   string        `json:"with"`
	Before types.JSONRaw `json:"before"`
	After  types.JSONRaw `json:"after"`
	At     string        `json:"at"`
}

// verbView says whether a verb fits a difference, and why it does not.
type verbView struct {
	Verb string `json:"verb"`
	Fits bool   `json:"fits"`
	Why  string `json:"why"`
}

// counterView is a difference that a rematch could take.
type counterView struct {
	ID      string    `json:"id"`
	Day     string    `json:"day"`
	Kind    string    `json:"kind"`
	OrderNo string    `json:"order_no"`
	BillNo  string    `json:"out_bill_no"`
	Amount  money.Fen `json:"amount"`
}

// fitting tells which verbs fit a difference, why the others do not, and what a
// rematch could take.
func (h *Hooks) fitting(ctx context.Context, d books.Difference) ([]verbView, []counterView, error) {
	fits, counters, err := h.Books.Fitting(ctx, d)
	verbs, others := []verbView{}, []counterView{}
	for _, f := range fits {
		why := ""
		if f.Why != "" {
			why = kit.ErrorText(f.Why)
		}
		verbs = append(verbs, verbView{Verb: f.Verb, Fits: f.Why == "", Why: why})
	}
	for _, c := range counters {
		others = append(others, counterView{
			ID: c.ID, Day: c.Day, Kind: c.Kind, OrderNo: c.OrderNo, BillNo: c.BillNo, Amount: money.Fen(c.Amount),
		})
	}
	return verbs, others, err
}

// wish is what a person sends about a difference.
type wish struct {
	Verb     string `json:"verb"`
	Reason   string `json:"reason"`
	With     string `json:"with"`
	Note     string `json:"note"`
	Owner    string `json:"owner"`
	Proposal string `json:"proposal"` // the one that was seen
}

// work reads the wish, acts on the difference of the path, and shows it. Orders
// that a query must prove are looked at once.
func (h *Hooks) work(e *core.RequestEvent, do func(house, id string, w wish) (books.Difference, error)) error {
	var w wish
	if err := e.BindBody(&w); err != nil {
		return kit.BadRequest()
	}
	d, err := do(kit.InstitutionOf(e), e.Request.PathValue("id"), w)
	h.Worker.Kick()
	return h.showDifference(e, d, err)
}

func (h *Hooks) resolve(e *core.RequestEvent) error {
	return h.work(e, func(house, id string, w wish) (books.Difference, error) {
		return h.Books.Resolve(e.Request.Context(), house, id, books.Decision{Verb: w.Verb, Reason: w.Reason, With: w.With}, actorOf(e))
	})
}

func (h *Hooks) confirm(e *core.RequestEvent) error {
	return h.work(e, func(house, id string, w wish) (books.Difference, error) {
		return h.Books.Confirm(e.Request.Context(), house, id, w.Proposal, w.Note, actorOf(e))
	})
}

func (h *Hooks) withdraw(e *core.RequestEvent) error {
	return h.work(e, func(house, id string, w wish) (books.Difference, error) {
		return h.Books.Withdraw(e.Request.Context(), house, id, w.Note, actorOf(e))
	})
}

func (h *Hooks) assign(e *core.RequestEvent) error {
	return h.work(e, func(house, id string, w wish) (books.Difference, error) {
		return h.Books.Assign(e.Request.Context(), house, id, w.Owner, actorOf(e))
	})
}

func (h *Hooks) month(e *core.RequestEvent, month string) error {
	if !monthForm.MatchString(month) {
		return kit.BadRequest()
	}
	m, err := h.Books.Month(e.Request.Context(), kit.InstitutionOf(e), month)
	if err != nil {
		return h.Fail(e, err)
	}
	return e.JSON(http.StatusOK, m)
}

// monthClose proposes to close a month (finance), or closes it as the second
// person.
func (h *Hooks) monthClose(e *core.RequestEvent) error {
	return h.monthStep(e, func(month, note string) (books.Month, error) {
		return h.Books.CloseMonth(e.Request.Context(), kit.InstitutionOf(e), month, note, actorOf(e), e.RealIP())
	})
}

func (h *Hooks) monthReopen(e *core.RequestEvent) error {
	return h.monthStep(e, func(month, note string) (books.Month, error) {
		return h.Books.ReopenMonth(e.Request.Context(), kit.InstitutionOf(e), month, note, actorOf(e), e.RealIP())
	})
}

// monthStep lets finance ask first; the answer may come from an auditor.
func (h *Hooks) monthStep(e *core.RequestEvent, do func(month, note string) (books.Month, error)) error {
	var body struct {
		Note string `json:"note"`
	}
	month := e.Request.PathValue("month")
	if err := e.BindBody(&body); err != nil || !monthForm.MatchString(month) {
		return kit.BadRequest()
	}
	if !kit.HasRole(e.Auth, people.RoleFinance) {
		m, err := h.Books.Month(e.Request.Context(), kit.InstitutionOf(e), month)
		if err != nil {
			return h.Fail(e, err)
		}
		if m.Proposal == nil {
			return kit.Denied(e)
		}
	}
	m, err := do(month, body.Note)
	if err != nil {
		return h.Fail(e, err)
	}
	return e.JSON(http.StatusOK, m)
}
