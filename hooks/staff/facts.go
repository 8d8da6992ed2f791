package staff

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"

	"hospay/calendar"
	"hospay/flow"
	"hospay/hooks/kit"
	"hospay/internal/i18n"
	"hospay/money"
	"hospay/people"
	"hospay/refund"
	"hospay/store"

	"github.com/pocketbase/pocketbase/core"
)

// relatedOrders is how many other orders of a card a reviewer is shown.
const relatedOrders = 20

func (h *Hooks) bindFactsRoutes(se *core.ServeEvent) {
	g := se.Router.Group("/api/hospay")
	g.GET("/refunds/{id}/facts", h.facts).BindFunc(kit.RequireStaff(people.RoleReviewer))
	g.POST("/refunds/{id}/reveal", h.reveal).BindFunc(kit.RequireStaff(people.RoleReviewer, people.RoleFinance))
	g.POST("/review/shadow", h.shadow).BindFunc(kit.RequireStaff(people.RoleConfig, people.RoleReviewer, people.RoleAuditor))
}

// factsView is what a reviewer is shown of an order.
type factsView struct {
	Balance      *balanceView         `json:"balance"` // null: HIS did not answer
	BalanceError string               `json:"balance_error"`
	Checks       []refund.Finding     `json:"checks"`
	Verdicts     []refund.RuleVerdict `json:"verdicts"`
	Related      []store.RelatedOrder `json:"related"`
	SecondReview bool                 `json:"second_review"`
	Stage        refund.ReviewStage   `json:"stage"`
	MayReview    bool                 `json:"may_review"`
	WhyNot       string               `json:"why_not"`
	Reasons      []string             `json:"reasons"` // of a rejection, to pick from
}

// balanceView is what HIS says of a card now.
type balanceView struct {
	Balance    money.Fen `json:"balance"`
	Refundable money.Fen `json:"refundable"`
	AsOf       string    `json:"as_of"`
}

// revealedView is one field of an order, opened.
type revealedView struct {
	Value string `json:"value"`
}

// facts looks up what a reviewer would: the balance, fresh from HIS, and what
// the books say. HIS that is down does not keep the rest back.
func (h *Hooks) facts(e *core.RequestEvent) error {
	rec, err := h.StaffOrder(e)
	if err != nil {
		return err
	}
	ctx := e.Request.Context()
	w, err := h.Store.Get(ctx, rec.Id)
	if err != nil {
		return h.Fail(e, err)
	}
	var out factsView
	l := refund.Looked{Now: h.Now()}
	card, err := h.Intake.OrderCard(ctx, w.Order)
	switch {
	case err == nil:
		l.Refundable = &card.Refundable
		out.Balance = &balanceView{Balance: card.Balance, Refundable: card.Refundable, AsOf: calendar.Clock(l.Now)}
	case flow.CodeOf(err) == "":
		return h.Fail(e, err)
	default:
		out.BalanceError = kit.ErrorText(flow.CodeOf(err))
	}
	if err := h.lookUp(ctx, w, &l, &out); err != nil {
		return h.Fail(e, err)
	}
	if err := h.mayReview(e, w, &out); err != nil {
		return h.Fail(e, err)
	}
	return e.JSON(http.StatusOK, out)
}

// lookUp adds what the books say: findings, verdicts of the rules now, other
// orders of the card.
func (h *Hooks) lookUp(ctx context.Context, w refund.Work, l *refund.Looked, out *factsView) error {
	inst, err := h.Store.Institution(ctx, w.Order.Institution)
	if err != nil {
		return err
	}
	if l.Facts, err = h.Store.Facts(ctx, w.Order, l.Now); err != nil {
		return err
	}
	related, active, err := h.Store.Related(ctx, w.Order, relatedOrders)
	if err != nil {
		return err
	}
	if l.OtherActive = active; w.Order.Proxy != "" {
		p, err := h.Store.Proxy(ctx, w.Order.Proxy)
		if err != nil {
			return err
		}
		l.Proxy = &p
	}
	l.Facts.Second = inst.Review.NeedsSecond(w.Order)
	_, out.Verdicts = refund.Evaluate(inst.Review.Rules, l.Facts)
	out.Checks, out.Related = w.Findings(*l), related
	out.Reasons = inst.Review.RejectReasons()
	out.SecondReview, out.Stage = l.Facts.Second || w.Order.Stage == refund.StageSecond, w.Order.Next()
	return nil
}

// mayReview tells whether this reviewer can decide now, and why not.
func (h *Hooks) mayReview(e *core.RequestEvent, w refund.Work, out *factsView) error {
	concerned := []string{w.Order.Patient}
	if w.Order.Proxy != "" {
		owner, err := h.Store.CardOwner(e.Request.Context(), w.Order)
		if err != nil {
			return err
		}
		concerned = append(concerned, owner)
	}
	err := store.NotConcerned(e.App, e.Auth.GetString("person_index"), concerned...)
	if err == nil {
		err = h.Service.MayReview(e.Request.Context(), w.Order.ID, kit.ByStaff(e.Auth))
	}
	if err != nil && flow.CodeOf(err) == "" {
		return err
	}
	out.MayReview = err == nil
	switch {
	case err != nil && flow.CodeOf(err) == flow.CodeConflict:
		out.WhyNot = i18n.Text(i18n.Default, "desk.not_reviewing")
	case err != nil:
		out.WhyNot = kit.ErrorText(flow.CodeOf(err))
	}
	return nil
}

// reveal opens one field of an order; each look has a reason and is on record.
func (h *Hooks) reveal(e *core.RequestEvent) error {
	var body struct {
		Field  string `json:"field"`
		Reason string `json:"reason"`
	}
	if err := e.BindBody(&body); err != nil || !slices.Contains([]string{"payee_name", "payee_account", "notify_phone"}, body.Field) {
		return kit.Error(http.StatusBadRequest, "bad_request", "")
	}
	rec, err := h.StaffOrder(e)
	if err != nil {
		return err
	}
	w, err := h.Store.Get(e.Request.Context(), rec.Id)
	if err != nil {
		return h.Fail(e, err)
	}
	value, err := h.Store.Reveal(e.Request.Context(), w, body.Field, body.Reason, kit.ByRequest(e))
	if err != nil {
		return h.Fail(e, err)
	}
	e.Response.Header().Set("Cache-Control", "no-store")
	return e.JSON(http.StatusOK, revealedView{Value: value})
}

// Bounds of the shadow report.
const (
	shadowDays   = 90
	shadowOrders = 2000
)

// shadow compares what rules would decide with what people have decided. It
// changes nothing.
func (h *Hooks) shadow(e *core.RequestEvent) error {
	var body struct {
		Days  int           `json:"days"`
		Rules []refund.Rule `json:"rules"`
	}
	if err := e.BindBody(&body); err != nil || body.Days < 1 || body.Days > shadowDays || strange(body.Rules) {
		return kit.Error(http.StatusBadRequest, "bad_request", "")
	}
	ctx := e.Request.Context()
	inst, err := h.Store.Institution(ctx, e.Auth.GetString("institution"))
	if err != nil {
		return h.Fail(e, err)
	}
	orders, err := h.Store.Judged(ctx, inst.ID, h.Now().AddDate(0, 0, -body.Days), shadowOrders+1)
	if err != nil {
		return h.Fail(e, err)
	}
	r := newShadowReport(len(orders) > shadowOrders)
	for _, o := range orders[:min(len(orders), shadowOrders)] {
		row, err := h.shadowRow(ctx, inst, o, body.Rules)
		if err != nil {
			return h.Fail(e, err)
		}
		r.add(row)
	}
	return e.JSON(http.StatusOK, r)
}

// strange reports rules that nobody can have set: unknown ones, and one of them
// twice. Each is judged for each order, so that many would cost much.
func strange(rules []refund.Rule) bool {
	seen := map[refund.RuleName]bool{}
	for _, r := range rules {
		if !r.Name.Valid() || seen[r.Name] {
			return true
		}
		seen[r.Name] = true
	}
	return false
}

type shadowRow struct {
	ID       string               `json:"id"`
	No       string               `json:"no"`
	Amount   money.Fen            `json:"amount"`
	Rules    refund.Outcome       `json:"rules"`
	People   string               `json:"people"`
	Verdicts []refund.RuleVerdict `json:"verdicts"`
	Now      bool                 `json:"now"` // evaluated now, from what is stored
}

type shadowReport struct {
	Orders    int                       `json:"orders"`
	Same      int                       `json:"same"`
	Differ    int                       `json:"differ"`
	Rows      []shadowRow               `json:"rows"`
	Matrix    map[string]map[string]int `json:"matrix"` // rules → people → orders
	Truncated bool                      `json:"truncated"`
}

func newShadowReport(truncated bool) *shadowReport {
	r := &shadowReport{Rows: []shadowRow{}, Matrix: map[string]map[string]int{}, Truncated: truncated}
	for _, o := range []refund.Outcome{refund.OutcomeApprove, refund.OutcomeReject, refund.OutcomeManual} {
		r.Matrix[string(o)] = map[string]int{"approve": 0, "reject": 0, "none": 0}
	}
	return r
}

// add counts a row; what rules or people left open neither agrees nor differs.
func (r *shadowReport) add(row shadowRow) {
	r.Orders++
	r.Rows = append(r.Rows, row)
	r.Matrix[string(row.Rules)][row.People]++
	switch {
	case row.Rules == refund.OutcomeManual || row.People == "none":
	case string(row.Rules) == row.People:
		r.Same++
	default:
		r.Differ++
	}
}

// shadowRow takes the verdicts that were stored then; where there are none, or
// other rules are asked about, the rules look at what is stored now.
func (h *Hooks) shadowRow(ctx context.Context, inst refund.Institution, o store.ShadowOrder, given []refund.Rule) (shadowRow, error) {
	row := shadowRow{ID: o.Order.ID, No: o.Order.No, Amount: o.Order.Amount, Rules: o.Rules, People: string(o.People)}
	if len(o.Verdicts) > 0 {
		if err := json.Unmarshal(o.Verdicts, &row.Verdicts); err != nil {
			return row, err
		}
	}
	if row.People == "" {
		row.People = "none"
	}
	if o.Rules != "" && given == nil {
		return row, nil
	}
	rules := inst.Review.Rules
	if given != nil {
		rules = given
	}
	f, err := h.Store.Facts(ctx, o.Order, h.Now())
	if err != nil {
		return row, err
	}
	f.Second = inst.Review.NeedsSecond(o.Order)
	row.Rules, row.Verdicts = refund.Evaluate(rules, f)
	row.Now = true
	return row, nil
}
