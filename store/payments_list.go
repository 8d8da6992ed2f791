package store

import (
	"context"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"hospay/collections"
	"hospay/payment"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/tools/types"
)

// What HIS knows of a payment.
const (
	HISNone     = "none"     // it was not told
	HISOpen     = "open"     // it was told, and its answer is not known
	HISWritten  = "written"  // it has the payment
	HISRefused  = "refused"  // it does not take it
	HISReversed = "reversed" // it has taken it back without the patient
)

// HISStates lists them.
func HISStates() []string { return []string{HISNone, HISOpen, HISWritten, HISRefused, HISReversed} }

// hisState is the SQL of what HIS knows of a payment o.
const hisState = "(CASE WHEN EXISTS (SELECT 1 FROM payment_calls u WHERE u.`order` = o.id AND u.kind = 'uncharge' AND " +
	"u.state = 'done') THEN 'reversed' WHEN o.written_at != '' THEN 'written' ELSE COALESCE((SELECT CASE c.state WHEN 'refused' " +
	"THEN 'refused' ELSE 'open' END FROM payment_calls c WHERE c.`order` = o.id AND c.kind = 'charge' ORDER BY c.attempt DESC LIMIT 1), " +
	"'none') END)"

// PaymentFilter chooses payments of one institution. Zero fields choose
// everything.
type PaymentFilter struct {
	Institution string
	From, To    string // Beijing days, both counted
	Dates       string // of what: DatesCreated (also empty), DatesCharged, DatesRefunded
	Channel     string
	Kind        string
	Statuses    []string
	HIS         string
	Insured     string // yes, no
	CardNo      string
	No          string // any number: ours, of a call or a refund, the centre's, the channel's, HIS's, a card's
	Find        Find   // any number, a name or a phone
	Needs       string // people: those that wait for people; second: of them those whose refund waits for a second person
}

// What a payment may need.
const (
	NeedsPeople = "people"
	NeedsSecond = "second"
)

// What the days of a filter are those of. DatesCharged and DatesRefunded are the days of
// the statistics: when HIS took the bill, and when a refund of it was done.
const (
	DatesCreated  = "created"
	DatesCharged  = "charged"
	DatesRefunded = "refunded"
)

// counted is how far the payments of a list are counted; a list goes on beyond it.
const counted = 2_000

// needPeople is the SQL of the payments o that wait for people.
const needPeople = "(SELECT id FROM payment_orders WHERE institution = {:inst} AND status = 'suspense' UNION " + refundWaits + ")"

// refundWaits are the payments whose refund waits for a second person.
const refundWaits = "SELECT `order` FROM payment_refunds WHERE institution = {:inst} AND state = 'proposed'"

// ParsePaymentFilter reads the filter of payments from the parameters of a list,
// or returns ErrBadFilter.
func (s *Store) ParsePaymentFilter(q url.Values, institution string) (PaymentFilter, error) {
	first := func(names ...string) string {
		for _, n := range names {
			if v := q.Get(n); v != "" {
				return v
			}
		}
		return ""
	}
	find, err := s.OpenFind(institution, q.Get("find"))
	if err != nil {
		return PaymentFilter{}, err
	}
	f := PaymentFilter{Institution: institution, Find: find, From: first("from", "day"), To: first("to", "day"), Channel: q.Get("channel"),
		Kind: first("kind", "scene"), Statuses: splitList(first("status", "state")), HIS: first("his", "his_state"), Insured: q.Get("insured"),
		CardNo: q.Get("card_no"), No: strings.TrimSpace(q.Get("no")), Needs: q.Get("needs"), Dates: q.Get("dates")}
	if !f.valid() {
		return f, ErrBadFilter
	}
	return f, nil
}

// valid reports whether every value is one that is known, so that a misspelt one
// chooses nothing instead of everything.
func (f PaymentFilter) valid() bool {
	in := func(v string, known ...string) bool { return v == "" || slices.Contains(known, v) }
	for _, s := range f.Statuses {
		if !payment.Machine.Valid(payment.Status(s)) {
			return false
		}
	}
	for _, d := range []string{f.From, f.To} {
		if _, err := time.Parse(time.DateOnly, d); d != "" && err != nil {
			return false
		}
	}
	return in(f.Channel, "wechat", "alipay") && in(f.Kind, string(payment.KindRegistration), string(payment.KindOutpatient)) &&
		in(f.HIS, HISStates()...) && in(f.Insured, "yes", "no") && in(f.Needs, NeedsPeople, NeedsSecond) &&
		in(f.Dates, DatesCreated, DatesCharged, DatesRefunded) &&
		(f.From == "" || f.To == "" || f.From <= f.To) && len(f.No) <= 64
}

// where is the condition on payment_orders o, every value bound.
func (f PaymentFilter) where() (string, dbx.Params) {
	c := &conditions{terms: []string{"o.institution = {:inst}"}, params: dbx.Params{"inst": f.Institution}}
	f.days(c)
	c.equal("o.channel", f.Channel)
	c.equal("o.kind", f.Kind)
	c.equal("o.card_no", f.CardNo)
	f.his(c)
	c.within("o.status", f.Statuses)
	if f.Insured != "" {
		c.terms = append(c.terms, map[string]string{"yes": "o.insured = TRUE", "no": "o.insured = FALSE"}[f.Insured])
	}
	switch f.Needs {
	case NeedsPeople:
		c.terms = append(c.terms, "o.id IN "+needPeople)
	case NeedsSecond:
		c.terms = append(c.terms, "o.id IN ("+refundWaits+")")
	}
	if f.No != "" {
		c.terms = append(c.terms, "o.id IN ("+paymentNumbers(c)(f.No)+")")
	}
	f.Find.where(c, collections.PaymentOrders, paymentNumbers(c))
	return strings.Join(c.terms, " AND "), c.params
}

// days are the condition on when it was. What HIS never took is in no day of the
// statistics.
func (f PaymentFilter) days(c *conditions) {
	between := func(column string) (terms []string) {
		if f.From != "" {
			terms = append(terms, column+" >= "+c.bind(dayStart(f.From, 0)))
		}
		if f.To != "" {
			terms = append(terms, column+" < "+c.bind(dayStart(f.To, 1)))
		}
		return terms
	}
	switch f.Dates {
	case DatesCharged:
		c.terms = append(append(c.terms, "o.written_at != ''"), between("o.written_at")...)
	case DatesRefunded:
		done := append([]string{"r.institution = {:inst}", "r.state = 'done'", "r.done_at != ''"}, between("r.done_at")...)
		c.terms = append(c.terms, "o.written_at != ''", "o.id IN (SELECT r.`order` FROM payment_refunds r WHERE "+strings.Join(done, " AND ")+")")
	default:
		c.terms = append(c.terms, between("o.created")...)
	}
}

// his is the condition on what HIS knows. Where few payments can fit, they are found
// by their calls.
func (f PaymentFilter) his(c *conditions) {
	c.equal(hisState, f.HIS)
	switch f.HIS {
	case HISOpen, HISRefused:
		c.terms = append(c.terms, "o.id IN (SELECT `order` FROM payment_calls WHERE institution = {:inst} AND kind = 'charge' AND "+
			"state != 'done')")
	case HISReversed:
		c.terms = append(c.terms, "o.id IN (SELECT `order` FROM payment_calls WHERE institution = {:inst} AND kind = 'uncharge')")
	case HISWritten:
		c.terms = append(c.terms, "o.written_at != ''")
	case HISNone:
		c.terms = append(c.terms, "o.written_at = ''")
	}
}

// paymentNumbers is the SQL of the payments that a number belongs to.
func paymentNumbers(c *conditions) func(string) string {
	return func(no string) string {
		// That a number is not empty is said, because the indices hold nothing else.
		any := c.bind(no)
		var found []string
		for _, table := range []struct {
			id, name string
			columns  []string
		}{
			{"id", "payment_orders", []string{"no", "card_no", "bill_no", "out_trade_no", "med_org_ord", "pay_ord_id", "setl_id", "receipt_no",
				"channel_no", "mix_trade_no"}},
			{"`order`", "payment_calls", []string{"no", "theirs"}},
			{"`order`", "payment_refunds", []string{"no", "his_refund_id"}},
		} {
			for _, column := range table.columns {
				found = append(found, "SELECT "+table.id+" FROM "+table.name+" WHERE institution = {:inst} AND "+column+" = "+any+" AND "+column+
					" != ''")
			}
		}
		return strings.Join(found, " UNION ")
	}
}

// PaymentLine is a payment as the list shows it; names are masks.
type PaymentLine struct {
	ID          string         `db:"id"`
	No          string         `db:"no"`
	Created     types.DateTime `db:"created"`
	PatientName string         `db:"patient_name"`
	CardNo      string         `db:"card_no"`
	Kind        string         `db:"kind"`
	Title       string         `db:"title"`
	BillNo      string         `db:"bill_no"`
	Channel     string         `db:"channel"`
	Terminal    string         `db:"terminal"`
	Insured     bool           `db:"insured"`
	Total       int64          `db:"total"`
	Fund        int64          `db:"fund"`
	Account     int64          `db:"account"`
	Family      int64          `db:"account_family"`
	Cash        int64          `db:"cash"`
	Other       int64          `db:"other"`
	CashBack    int64          `db:"cash_back"`
	Status      string         `db:"status"`
	Insurance   string         `db:"insurance_state"`
	CashState   string         `db:"cash_state"`
	HIS         string         `db:"his_state"`
	TradeNo     string         `db:"out_trade_no"`
	PayOrdID    string         `db:"pay_ord_id"`
	SetlID      string         `db:"setl_id"`
	ReceiptNo   string         `db:"receipt_no"`
	PaidAt      types.DateTime `db:"paid_at"`
	FailCode    string         `db:"fail_code"`
	FailReason  string         `db:"fail_reason"`
	Refund      string         `db:"refund_state"` // of the newest that was not declined
}

const paymentColumns = "o.id, o.no, o.created, o.patient_name, o.card_no, o.kind, o.title, o.bill_no, o.channel, o.terminal, o.insured, " +
	"o.total, o.fund, o.account, o.account_family, o.cash, o.other, o.cash_back, o.status, o.insurance_state, o.cash_state, " + hisState +
	" AS his_state, o.out_trade_no, o.pay_ord_id, o.setl_id, o.receipt_no, o.paid_at, o.fail_code, o.fail_reason, " +
	"COALESCE((SELECT r.state FROM payment_refunds r WHERE r.`order` = o.id AND r.state != 'declined' ORDER BY r.seq DESC LIMIT 1), '') " +
	"AS refund_state"

// Page lists payments of a filter with their number: first those that need
// people, then the newest. They are counted up to 2,000; more says that there are
// others.
func (p *Payments) Page(ctx context.Context, f PaymentFilter, page, perPage int) (lines []PaymentLine, count int, more bool, err error) {
	where, params := f.where()
	var desk int
	for _, part := range []struct {
		where string
		n     *int
	}{{"", &count}, {" AND o.id IN " + needPeople, &desk}} {
		if err = p.s.app.ConcurrentDB().NewQuery("SELECT COUNT(*) FROM (SELECT 1 FROM payment_orders o WHERE " + where + part.where +
			" LIMIT " + strconv.Itoa(counted+1) + ")").Bind(params).WithContext(ctx).Row(part.n); err != nil {
			return nil, 0, false, err
		}
	}
	rest := count - desk
	if more = count > counted; more {
		count, rest = counted, math.MaxInt
	}
	lines = []PaymentLine{}
	skip := (page - 1) * perPage
	for _, part := range []struct {
		where string
		has   int
	}{{" AND o.id IN " + needPeople, desk}, {" AND o.id NOT IN " + needPeople, rest}} {
		if left := perPage - len(lines); left > 0 && skip < part.has {
			next, err := p.lines(ctx, where+part.where, params, left, skip)
			if err != nil {
				return nil, 0, false, err
			}
			lines = append(lines, next...)
		}
		skip = max(0, skip-part.has)
	}
	return lines, count, more, nil
}

func (p *Payments) lines(ctx context.Context, where string, params dbx.Params, limit, offset int) (lines []PaymentLine, err error) {
	params["limit"], params["offset"] = limit, offset
	// The page is found in the index alone; only its rows are read.
	err = p.s.app.ConcurrentDB().NewQuery("WITH page AS (SELECT o.id FROM payment_orders o WHERE " + where +
		" ORDER BY o.created DESC, o.id DESC LIMIT {:limit} OFFSET {:offset}) SELECT " + paymentColumns +
		" FROM page CROSS JOIN payment_orders o ON o.id = page.id ORDER BY o.created DESC, o.id DESC").Bind(params).WithContext(ctx).All(&lines)
	return lines, err
}

// PaymentCall is a number that was sent for a payment, as staff read it.
type PaymentCall struct {
	Kind     string         `db:"kind"`
	Attempt  int            `db:"attempt"`
	No       string         `db:"no"`
	Amount   int64          `db:"amount"`
	State    string         `db:"state"`
	Reported string         `db:"reported"`
	Theirs   string         `db:"theirs"`
	Code     string         `db:"code"`
	Message  string         `db:"message"`
	Sent     int            `db:"sent"`
	SentAt   types.DateTime `db:"sent_at"`
	DoneAt   types.DateTime `db:"done_at"`
	Created  types.DateTime `db:"created"`
}

// Calls lists every number that was sent for a payment, in its order.
func (p *Payments) Calls(ctx context.Context, order string) (out []PaymentCall, err error) {
	err = p.s.app.ConcurrentDB().Select("*").From(collections.PaymentCalls).Where(dbx.HashExp{"order": order}).
		OrderBy("created", "kind", "attempt").WithContext(ctx).All(&out)
	return out, err
}

// Refunds lists the refunds of a payment, in their order.
func (p *Payments) Refunds(ctx context.Context, order string) ([]payment.Refund, error) {
	return readRefunds(ctx, p.s.app.ConcurrentDB(), order)
}

// AwaitingAuth lists a patient's orders at a channel that wait for a credential.
func (p *Payments) AwaitingAuth(ctx context.Context, patient, channel string) (ids []string, err error) {
	err = p.s.app.ConcurrentDB().Select("id").From(collections.PaymentOrders).Where(dbx.And(
		dbx.HashExp{"patient": patient, "channel": channel},
		dbx.NewExp("(status = {:wait} OR status = {:created} AND insured = TRUE)",
			dbx.Params{"wait": string(payment.StatusWaitAuth), "created": string(payment.StatusCreated)}))).
		OrderBy("created").WithContext(ctx).Column(&ids)
	return ids, err
}

// OpenBills tells which bills of a patient an order is about that is not at its
// end: bill number → order.
func (p *Payments) OpenBills(ctx context.Context, patient string) (map[string]string, error) {
	var rows []struct {
		Bill string `db:"bill_no"`
		ID   string `db:"id"`
	}
	err := p.s.app.ConcurrentDB().Select("bill_no", "id").From(collections.PaymentOrders).Where(dbx.And(dbx.HashExp{"patient": patient},
		dbx.NewExp("status NOT IN ('cancelled', 'expired', 'refunded')"))).WithContext(ctx).All(&rows)
	out := map[string]string{}
	for _, r := range rows {
		out[r.Bill] = r.ID
	}
	return out, err
}

// sentThrough is the connection of a number that payments have sent; empty when
// there is none.
func (p *Payments) sentThrough(ctx context.Context, institution, no string) (string, error) {
	var connections []string
	err := p.s.app.ConcurrentDB().Select("connection").From(collections.PaymentCalls).
		Where(dbx.HashExp{"institution": institution, "no": no}).WithContext(ctx).Column(&connections)
	if err != nil || len(connections) == 0 {
		return "", err
	}
	return connections[0], nil
}
