package store

import (
	"context"
	"net/url"
	"slices"
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
	From, To    string // Beijing days of the creation, both counted
	Channel     string
	Kind        string
	Statuses    []string
	HIS         string
	Insured     string // yes, no
	CardNo      string
	No          string // any number: ours, of a call or a refund, the centre's, the channel's, HIS's, a card's
	Needs       string // people: those that wait for people; second: of them those whose refund waits for a second person
}

// What a payment may need.
const (
	NeedsPeople = "people"
	NeedsSecond = "second"
)

// needPeople is the SQL of the payments o that wait for people.
const needPeople = "(SELECT id FROM payment_orders WHERE institution = {:inst} AND status = 'suspense' UNION " + refundWaits + ")"

// refundWaits are the payments whose refund waits for a second person.
const refundWaits = "SELECT `order` FROM payment_refunds WHERE institution = {:inst} AND state = 'proposed'"

// ParsePaymentFilter reads the filter of payments from the parameters of a list,
// or returns ErrBadFilter.
func ParsePaymentFilter(q url.Values, institution string) (PaymentFilter, error) {
	first := func(names ...string) string {
		for _, n := range names {
			if v := q.Get(n); v != "" {
				return v
			}
		}
		return ""
	}
	f := PaymentFilter{Institution: institution, From: first("from", "day"), To: first("to", "day"), Channel: q.Get("channel"),
		Kind: first("kind", "scene"), Statuses: splitList(first("status", "state")), HIS: first("his", "his_state"), Insured: q.Get("insured"),
		CardNo: q.Get("card_no"), No: strings.TrimSpace(q.Get("no")), Needs: q.Get("needs")}
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
		(f.From == "" || f.To == "" || f.From <= f.To) && len(f.No) <= 64
}

// where is the condition on payment_orders o, every value bound.
func (f PaymentFilter) where() (string, dbx.Params) {
	c := &conditions{terms: []string{"o.institution = {:inst}"}, params: dbx.Params{"inst": f.Institution}}
	if f.From != "" {
		c.add("o.created >=", dayStart(f.From, 0))
	}
	if f.To != "" {
		c.add("o.created <", dayStart(f.To, 1))
	}
	c.equal("o.channel", f.Channel)
	c.equal("o.kind", f.Kind)
	c.equal("o.card_no", f.CardNo)
	c.equal(hisState, f.HIS)
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
	f.number(c)
	return strings.Join(c.terms, " AND "), c.params
}

// number finds the payments that a number belongs to.
func (f PaymentFilter) number(c *conditions) {
	if f.No == "" {
		return
	}
	// That a number is not empty is said, because the indices hold nothing else.
	any := c.bind(f.No)
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
	c.terms = append(c.terms, "o.id IN ("+strings.Join(found, " UNION ")+")")
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
// people, then the newest.
func (p *Payments) Page(ctx context.Context, f PaymentFilter, page, perPage int) (lines []PaymentLine, count int, err error) {
	where, params := f.where()
	var desk int
	for _, part := range []struct {
		where string
		n     *int
	}{{"", &count}, {" AND o.id IN " + needPeople, &desk}} {
		if err = p.s.app.ConcurrentDB().NewQuery("SELECT COUNT(*) FROM payment_orders o WHERE " + where + part.where).Bind(params).
			WithContext(ctx).Row(part.n); err != nil {
			return nil, 0, err
		}
	}
	lines = []PaymentLine{}
	skip := (page - 1) * perPage
	for _, part := range []struct {
		where string
		has   int
	}{{" AND o.id IN " + needPeople, desk}, {" AND o.id NOT IN " + needPeople, count - desk}} {
		if left := perPage - len(lines); left > 0 && skip < part.has {
			more, err := p.lines(ctx, where+part.where, params, left, skip)
			if err != nil {
				return nil, 0, err
			}
			lines = append(lines, more...)
		}
		skip = max(0, skip-part.has)
	}
	return lines, count, nil
}

func (p *Payments) lines(ctx context.Context, where string, params dbx.Params, limit, offset int) (lines []PaymentLine, err error) {
	params["limit"], params["offset"] = limit, offset
	err = p.s.app.ConcurrentDB().NewQuery("SELECT " + paymentColumns + " FROM payment_orders o WHERE " + where +
		" ORDER BY o.created DESC, o.id DESC LIMIT {:limit} OFFSET {:offset}").Bind(params).WithContext(ctx).All(&lines)
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
