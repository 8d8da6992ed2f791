package store

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"strings"

	"hospay/collections"
	"hospay/flow"
	"hospay/people"
	"hospay/refund"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/types"
)

// openProposal reads what somebody proposes to do with a suspended order: the
// last proposal, unless it was withdrawn or the order has moved since.
func (o orders) openProposal(ctx context.Context, db dbx.Builder, order string) (*flow.Proposal, error) {
	var r struct {
		Seq     int            `db:"seq"`
		Event   string         `db:"event"`
		Code    string         `db:"code"`
		Actor   string         `db:"actor"`
		Person  string         `db:"person"`
		Message string         `db:"message"`
		Created types.DateTime `db:"created"`
	}
	err := db.NewQuery("SELECT e.seq, e.event, e.code, e.actor, e.message, e.created, COALESCE(s.person_index, '') AS person FROM " +
		collections.Live(o.Events) + " e LEFT JOIN staff s ON s.id = e.actor " +
		"WHERE e.`order` = {:o} AND (e.`from` != e.`to` OR e.event IN ({:p}, {:w}, {:c})) ORDER BY e.seq DESC LIMIT 1").
		Bind(dbx.Params{"o": order, "p": flow.EventProposed, "w": flow.EventWithdrawn, "c": flow.EventConfirmed}).WithContext(ctx).One(&r)
	if errors.Is(err, sql.ErrNoRows) || (err == nil && r.Event != flow.EventProposed) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	by := people.By{Kind: people.ByStaff, ID: r.Actor, Person: r.Person}
	return &flow.Proposal{Seq: r.Seq, Action: flow.Action(r.Code), By: by, Reason: r.Message, At: r.Created.Time()}, nil
}

// auditDesk writes to the audit log what people do with suspended orders, and what
// more of their acts is named.
func auditDesk(tx core.App, c flow.Change, no string, more ...string) error {
	for _, m := range c.Moves {
		if m.By.Kind != people.ByStaff && m.By.Kind != people.ByHIS ||
			!strings.HasPrefix(m.Event, flow.EventSuspense) && !slices.Contains(more, m.Event) {
			continue
		}
		err := Audit(tx, AuditEntry{
			ActorKind: string(m.By.Kind), Actor: m.By.ID, Action: m.Event, Target: c.ID, Address: m.By.Address,
			Details: map[string]any{"no": no, "action": m.Code, "reason": m.Message, "from": m.From, "to": m.To},
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// auditReview writes a decision of a person to the audit log. Those of the rules
// are in the order's own chain of events alone.
func auditReview(tx core.App, c *refund.Change) error {
	if c.Review == nil || c.Review.Reviewer == "" {
		return nil
	}
	address := ""
	for _, m := range c.Moves {
		if m.By.ID == c.Review.Reviewer {
			address = m.By.Address
		}
	}
	return Audit(tx, AuditEntry{
		Institution: c.Order.Institution, ActorKind: string(people.ByStaff), Actor: c.Review.Reviewer,
		Action: "review." + string(c.Review.Decision), Target: c.ID, Address: address,
		Details: map[string]any{"no": c.Order.No, "stage": string(c.Review.Stage)},
	})
}

// Unknown lists the orders of an institution whose outcome is open: payouts on
// hold, then what has no answer yet, oldest first.
func (s *Store) Unknown(ctx context.Context, institution string, limit, offset int) ([]refund.Work, int, error) {
	return s.works(ctx, dbx.NewExp(`institution = {:i} AND status IN ('debiting', 'paying', 'reversing') AND (open_since != ''
		OR EXISTS (SELECT 1 FROM transfer_orders t WHERE t.`+"`order`"+` = refund_orders.id AND t.state = 'held'))`,
		dbx.Params{"i": institution}), limit, offset)
}

// openContradictions are the ids of orders of which a channel has told, after
// their end, something that their end denies, and with which two people have not
// dealt since. The index on these events carries it.
const openContradictions = "SELECT e.`order` FROM main.refund_events e WHERE e.event = 'callback.contradiction' AND NOT EXISTS (" +
	"SELECT 1 FROM main.refund_events d WHERE d.`order` = e.`order` AND d.seq > e.seq AND d.event = 'suspense.confirmed')"

func isContradicted(ctx context.Context, db dbx.Builder, order string) (bool, error) {
	var n int
	err := db.NewQuery("SELECT COUNT(*) FROM (" + openContradictions + " AND e.`order` = {:o})").Bind(dbx.Params{"o": order}).
		WithContext(ctx).Row(&n)
	return n > 0, err
}

// Suspended lists the orders of an institution that wait for people: those whose
// end was contradicted, then the suspended ones, oldest first.
func (s *Store) Suspended(ctx context.Context, institution string, limit, offset int) ([]refund.Work, int, error) {
	return s.works(ctx, dbx.NewExp("institution = {:i} AND (status = 'suspense' OR (status != 'suspense' AND id IN ("+openContradictions+")))",
		dbx.Params{"i": institution}), limit, offset)
}

func (s *Store) works(ctx context.Context, where dbx.Expression, limit, offset int) ([]refund.Work, int, error) {
	db := s.app.ConcurrentDB()
	var total int
	if err := db.Select("COUNT(*)").From(collections.RefundOrders).Where(where).WithContext(ctx).Row(&total); err != nil {
		return nil, 0, err
	}
	var rows []orderRow
	err := db.Select("*").From(collections.RefundOrders).Where(where).OrderBy("open_since", "updated", "id").
		Limit(int64(limit)).Offset(int64(offset)).WithContext(ctx).All(&rows)
	if err != nil {
		return nil, 0, err
	}
	out := make([]refund.Work, 0, len(rows))
	for _, r := range rows {
		w, err := s.work(ctx, db, r)
		if err != nil {
			return nil, 0, err
		}
		out = append(out, w)
	}
	return out, total, nil
}
