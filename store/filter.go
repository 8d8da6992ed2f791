package store

import (
	"context"
	"database/sql"
	"errors"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"hospay/calendar"
	"hospay/collections"
	"hospay/money"
	"hospay/refund"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/tools/types"
)

// The dates by which orders may be filtered.
const (
	ByCreated = "created"  // time of application
	ByHISDate = "his_date" // debit at HIS
	ByPaid    = "paid"     // arrival at the channel
)

// DateFields lists the dates by which orders may be filtered.
func DateFields() []string { return []string{ByCreated, ByHISDate, ByPaid} }

var dateColumn = map[string]string{ByCreated: "o.created", ByHISDate: "o.his_refund_date", ByPaid: "o.paid_at"}

// Tabs of the work queue.
const (
	TabReviewing     = "reviewing"
	TabAwaitingPayee = "awaiting_payee"
	TabProcessing    = "processing"
	TabExceptions    = "exceptions"
	TabSucceeded     = "succeeded"
	TabRejected      = "rejected"
)

// Tabs lists the tabs of the work queue in their order.
func Tabs() []string {
	return []string{TabReviewing, TabAwaitingPayee, TabProcessing, TabExceptions, TabSucceeded, TabRejected}
}

// tabStatuses are the states behind a tab; exceptions have a condition instead.
var tabStatuses = map[string][]refund.Status{
	TabReviewing:     {refund.StatusReviewing},
	TabAwaitingPayee: {refund.StatusAwaitingPayee},
	TabProcessing:    {refund.StatusSubmitted, refund.StatusDebiting, refund.StatusApproved, refund.StatusPaying, refund.StatusReversing},
	TabSucceeded:     {refund.StatusSucceeded},
	TabRejected:      {refund.StatusRefused, refund.StatusRejected, refund.StatusCancelled, refund.StatusFailed},
}

// ExceptionCondition is the SQL of the orders that people should look at: in
// suspense, or with an outcome that nobody knows yet. An order that waits for
// its payee is no exception. It is also the condition of an index.
func ExceptionCondition() string {
	return "(status = 'suspense' OR (open_since != '' AND status != 'awaiting_payee'))"
}

// OrderFilter chooses orders of one institution: the one place from which the
// list, its export, the detail of the statistics and the tabs of the queue get
// their SQL. Zero fields choose everything.
type OrderFilter struct {
	Institution string
	By          string // ByCreated (default), ByHISDate, ByPaid
	From, To    string // Beijing days, both counted
	Statuses    []string
	Tab         string
	Standing    string // of the statistics; leaves out compensating orders
	Method      string
	Channel     string
	Proxy       string // own, proxy
	Min, Max    money.Fen
	Stage       string // first, second: of those that wait for review
	CardNo      string
	No          string // our order's or call's number, HIS's, the channel's, or a card's
	Find        Find   // any of these, a name or a phone
}

// Valid reports whether every field is one that is known, so that a filter
// with a misspelt value chooses nothing instead of everything.
func (f OrderFilter) Valid() bool {
	in := func(v string, known ...string) bool { return v == "" || slices.Contains(known, v) }
	for _, s := range f.Statuses {
		if !refund.Machine.Valid(refund.Status(s)) {
			return false
		}
	}
	days := true
	for _, d := range []string{f.From, f.To} {
		if _, err := time.Parse(time.DateOnly, d); d != "" && err != nil {
			days = false
		}
	}
	return days && in(f.By, DateFields()...) && in(f.Tab, Tabs()...) && in(f.Standing, collections.Standings()...) &&
		in(f.Method, "original", "transfer") &&
		in(f.Channel, "wechat", "alipay") && in(f.Proxy, "own", "proxy") && in(f.Stage, "first", "second") && f.Min >= 0 && f.Max >= 0 &&
		(f.From == "" || f.To == "" || f.From <= f.To)
}

// where is the condition on refund_orders o, every value bound.
func (f OrderFilter) where() (string, dbx.Params) {
	c := &conditions{terms: []string{"o.institution = {:inst}"}, params: dbx.Params{"inst": f.Institution}}
	f.dates(c)
	c.equal("o.method", f.Method)
	c.equal("o.channel", f.Channel)
	c.equal("o.card_no", f.CardNo)
	if f.No != "" {
		c.terms = append(c.terms, "o.id IN ("+orderNumbers(c)(f.No)+")")
	}
	f.Find.where(c, collections.RefundOrders, orderNumbers(c))
	c.within("o.status", f.Statuses)
	switch {
	case f.Tab == TabExceptions:
		c.terms = append(c.terms, ExceptionCondition())
	case f.Tab != "":
		c.within("o.status", texts(tabStatuses[f.Tab]))
	}
	if f.Proxy != "" {
		c.terms = append(c.terms, map[string]string{"own": "o.proxy_application = ''", "proxy": "o.proxy_application != ''"}[f.Proxy])
	}
	if f.Stage != "" {
		c.terms = append(c.terms, map[string]string{"first": "o.stage != 'second'", "second": "o.stage = 'second'"}[f.Stage])
	}
	if f.Min > 0 {
		c.add("o.amount >=", int64(f.Min))
	}
	if f.Max > 0 {
		c.add("o.amount <=", int64(f.Max))
	}
	f.standing(c)
	return strings.Join(c.terms, " AND "), c.params
}

// callNo ends the number of a call: the order's own number stands before it.
var callNo = regexp.MustCompile(`[DTV]\d{2}$`)

// orderNumbers is the SQL of the orders that a number belongs to, each kind by its own
// index. Ours, HIS's and the channel's are written in capitals.
func orderNumbers(c *conditions) func(string) string {
	return func(no string) string {
		upper := strings.ToUpper(no)
		own, given, any := c.bind(callNo.ReplaceAllString(upper, "")), c.bind(no), c.bind(upper)
		return "SELECT id FROM refund_orders WHERE no = " + own + " OR no = " + any +
			" UNION SELECT id FROM refund_orders WHERE his_refund_no = " + any + " AND his_refund_no != ''" +
			" UNION SELECT id FROM refund_orders WHERE channel_bill_no = " + any + " AND channel_bill_no != ''" +
			" UNION SELECT id FROM refund_orders WHERE institution = {:inst} AND card_no IN (" + given + ", " + any + ")"
	}
}

func (f OrderFilter) dates(c *conditions) {
	column, ok := dateColumn[f.By]
	if !ok {
		column = dateColumn[ByCreated]
	}
	if f.From != "" {
		c.add(column+" >=", dayStart(f.From, 0))
	}
	if f.To != "" {
		c.add(column+" <", dayStart(f.To, 1))
	}
	if (f.From != "" || f.To != "") && column != dateColumn[ByCreated] {
		c.terms = append(c.terms, column+" != ''") // an open beginning would count those without a date
	}
}

func (f OrderFilter) standing(c *conditions) {
	if f.Standing == "" {
		return
	}
	c.terms = append(c.terms, "o.compensates = ''", "o.his_refund_date != ''")
	is := collections.StandingOf("o.status", collections.ReturnOf("o.id"))
	if f.Standing == collections.StandingDue {
		c.terms = append(c.terms, "("+is+") != 'undone'")
		return
	}
	c.terms = append(c.terms, "("+is+") = '"+f.Standing+"'")
}

// dayStart is when a Beijing day, or one after it, begins, as stored.
func dayStart(day string, after int) string {
	t, err := time.ParseInLocation(time.DateOnly, day, calendar.Beijing)
	if err != nil {
		return ""
	}
	return stamp(t.AddDate(0, 0, after))
}

// conditions collects terms with bound values.
type conditions struct {
	terms  []string
	params dbx.Params
}

func (c *conditions) bind(v any) string {
	name := "p" + strconv.Itoa(len(c.params))
	c.params[name] = v
	return "{:" + name + "}"
}

func (c *conditions) add(term string, v any) { c.terms = append(c.terms, term+" "+c.bind(v)) }

func (c *conditions) equal(column, v string) {
	if v != "" {
		c.add(column+" =", v)
	}
}

func (c *conditions) within(column string, values []string) {
	if len(values) == 0 {
		return
	}
	var names []string
	for _, v := range values {
		names = append(names, c.bind(v))
	}
	c.terms = append(c.terms, column+" IN ("+strings.Join(names, ", ")+")")
}

func texts[T ~string](values []T) []string {
	out := make([]string, 0, len(values))
	for _, v := range values {
		out = append(out, string(v))
	}
	return out
}

// OrderLine is an order as lists and reports show it; nothing in it is more
// than the masked record tells.
type OrderLine struct {
	ID          string         `db:"id"`
	No          string         `db:"no"`
	Created     types.DateTime `db:"created"`
	HISDate     types.DateTime `db:"his_refund_date"`
	PaidAt      types.DateTime `db:"paid_at"`
	CardNo      string         `db:"card_no"`
	PayeeName   string         `db:"payee_name"`
	Amount      int64          `db:"amount"`
	Method      string         `db:"method"`
	Channel     string         `db:"channel"`
	Status      string         `db:"status"`
	ReviewMode  string         `db:"review_mode"`
	HISNo       string         `db:"his_refund_no"`
	ChannelNo   string         `db:"channel_bill_no"`
	FailCode    string         `db:"fail_code"`
	FailReason  string         `db:"fail_reason"`
	Proxy       string         `db:"proxy_application"`
	Compensates string         `db:"compensates"`
	Stage       string         `db:"stage"`
	Applicant   string         `db:"applicant"`
	Holder      string         `db:"holder"` // of the card
	Phone       string         `db:"notify_phone"`
}

// ownColumns are those that the order itself has.
const ownColumns = "o.id, o.no, o.created, o.his_refund_date, o.paid_at, o.card_no, o.payee_name, o.amount, o.method, o.channel, " +
	"o.status, o.review_mode, " +
	"o.his_refund_no, o.channel_bill_no, o.fail_code, o.fail_reason, o.proxy_application, o.compensates, o.stage, o.notify_phone"

const lineColumns = ownColumns + ", " +
	"COALESCE((SELECT p.name FROM patients p WHERE p.id = o.patient), '') AS applicant, " +
	"COALESCE((SELECT a.principal_name FROM proxy_applications a WHERE a.id = o.proxy_application AND o.proxy_application != ''), " +
	"(SELECT c.card_name FROM patient_cards c WHERE c.patient = o.patient AND c.card_no = o.card_no), '') AS holder"

// order is the column by which lines are sorted: the date of the filter.
func (f OrderFilter) order() string {
	if column, ok := dateColumn[f.By]; ok {
		return column
	}
	return dateColumn[ByCreated]
}

// OrderPage reads a page of the orders of a filter, oldest first.
func (s *Store) OrderPage(ctx context.Context, f OrderFilter, page, perPage int) ([]OrderLine, error) {
	where, params := f.where()
	params["limit"], params["offset"] = perPage, (page-1)*perPage
	lines := []OrderLine{}
	err := s.app.ConcurrentDB().NewQuery("SELECT " + lineColumns + " FROM refund_orders o WHERE " + where + " ORDER BY " + f.order() +
		", o.id LIMIT {:limit} OFFSET {:offset}").
		Bind(params).WithContext(ctx).All(&lines)
	return lines, err
}

// OrderSum is the amount and number of the orders of a filter.
func (s *Store) OrderSum(ctx context.Context, f OrderFilter) (Figure, error) {
	return orderSum(ctx, s.app.ConcurrentDB(), f)
}

func orderSum(ctx context.Context, db dbx.Builder, f OrderFilter) (Figure, error) {
	var r struct {
		Amount int64 `db:"a"`
		Count  int   `db:"n"`
	}
	where, params := f.where()
	err := db.NewQuery("SELECT COALESCE(SUM(o.amount), 0) AS a, COUNT(*) AS n FROM refund_orders o WHERE " + where).Bind(params).
		WithContext(ctx).One(&r)
	return Figure{money.Fen(r.Amount), r.Count}, err
}

// PaidDay is what arrived of the orders of a filter on a Beijing day; Day is empty
// for what has not arrived.
type PaidDay struct {
	Day string
	Figure
}

// PaidDays sums the orders of a filter by the day on which the channel paid, newest
// first and what has not arrived last.
func (s *Store) PaidDays(ctx context.Context, f OrderFilter) ([]PaidDay, error) {
	var rows []struct {
		Day    string `db:"day"`
		Amount int64  `db:"a"`
		Count  int    `db:"n"`
	}
	where, params := f.where()
	err := s.app.ConcurrentDB().NewQuery("SELECT COALESCE(date(o.paid_at, '+8 hours'), '') AS day, SUM(o.amount) AS a, COUNT(*) AS n " +
		"FROM refund_orders o WHERE " + where + " GROUP BY 1 ORDER BY 1 DESC").Bind(params).WithContext(ctx).All(&rows)
	out := make([]PaidDay, 0, len(rows))
	for _, r := range rows {
		out = append(out, PaidDay{r.Day, Figure{money.Fen(r.Amount), r.Count}})
	}
	return out, err
}

// OldestOrder tells when the oldest order of a filter was applied for.
func (s *Store) OldestOrder(ctx context.Context, f OrderFilter) (time.Time, error) {
	var at types.DateTime
	where, params := f.where()
	err := s.app.ConcurrentDB().NewQuery("SELECT o.created FROM refund_orders o WHERE " + where + " ORDER BY o.created LIMIT 1").Bind(params).
		WithContext(ctx).Row(&at)
	if errors.Is(err, sql.ErrNoRows) {
		return time.Time{}, nil
	}
	return at.Time(), err
}

// ExplainOrders tells how the database goes about the list of a filter.
func (s *Store) ExplainOrders(ctx context.Context, f OrderFilter) (string, error) {
	var steps []struct {
		Detail string `db:"detail"`
	}
	where, params := f.where()
	err := s.app.ConcurrentDB().NewQuery("EXPLAIN QUERY PLAN SELECT " + lineColumns + " FROM refund_orders o WHERE " + where + " ORDER BY " +
		f.order() + ", o.id LIMIT 50").
		Bind(params).WithContext(ctx).All(&steps)
	var out []string
	for _, st := range steps {
		out = append(out, st.Detail)
	}
	return strings.Join(out, "; "), err
}
