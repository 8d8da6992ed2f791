package store

import (
	"context"
	"time"

	"hospay/collections"
	"hospay/internal/vault"
	"hospay/money"
	"hospay/people"
	"hospay/refund"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/types"
)

// RelatedOrder is another order of the same card.
type RelatedOrder struct {
	ID      string         `db:"id" json:"id"`
	No      string         `db:"no" json:"no"`
	Amount  money.Fen      `db:"amount" json:"amount"`
	Status  string         `db:"status" json:"status"`
	Created types.DateTime `db:"created" json:"created"`
	Group   string         `db:"group" json:"-"`
}

// Related lists the newest other orders of an order's card, and counts those
// under way that are not of the same wish.
func (s *Store) Related(ctx context.Context, o refund.Order, limit int) ([]RelatedOrder, int, error) {
	rows := []RelatedOrder{}
	db, card := s.app.ConcurrentDB(), dbx.HashExp{"institution": o.Institution, "card_no": o.CardNo}
	err := db.Select("id", "no", "amount", "status", "created", "group").From(collections.RefundOrders).Where(card).
		AndWhere(dbx.NewExp("id != {:id}", dbx.Params{"id": o.ID})).OrderBy("created DESC").Limit(int64(limit)).WithContext(ctx).All(&rows)
	if err != nil {
		return nil, 0, err
	}
	active := 0
	err = db.NewQuery("SELECT COUNT(*) FROM refund_orders WHERE institution = {:i} AND card_no = {:c} AND id != {:id} AND compensates = '' " +
		"AND status NOT IN (" + collections.Finals(refund.Machine) + ") AND (`group` != {:g} OR `group` = '')").
		Bind(dbx.Params{"i": o.Institution, "c": o.CardNo, "id": o.ID, "g": o.Group}).WithContext(ctx).Row(&active)
	return rows, active, err
}

// CardOwner names the patient whose card an order is about.
func (s *Store) CardOwner(ctx context.Context, o refund.Order) (string, error) {
	owner, _, err := s.parties(ctx, o)
	return owner, err
}

// Reveal opens one sealed field of an order, and writes beforehand who looked
// at which field and why; the value itself is never written.
func (s *Store) Reveal(ctx context.Context, w refund.Work, field, reason string, by people.By) (string, error) {
	err := s.Look(Look{By: by, Action: AuditReveal, Target: w.Order.ID, Reason: reason, Fields: 1,
		Details: map[string]any{"field": field, "no": w.Order.No}})
	if err != nil {
		return "", err
	}
	switch field {
	case "payee_name":
		return w.Order.Payee.Name, nil
	case "payee_account":
		return w.Order.Payee.Account, nil
	}
	id := w.Order.ID
	if w.Order.Compensates != "" {
		id = w.Order.Compensates
	}
	var sealed string
	if err := s.app.ConcurrentDB().Select("notify_phone_sealed").From(collections.RefundOrders).Where(dbx.HashExp{"id": id}).WithContext(ctx).
		Row(&sealed); err != nil {
		return "", err
	}
	return s.vault.Open(vault.Place(collections.RefundOrders, "notify_phone", id), sealed)
}

// AuditRow is an entry of the audit log as the desk shows it.
type AuditRow struct {
	At      types.DateTime `db:"created" json:"at"`
	Kind    string         `db:"actor_kind" json:"actor_kind"`
	Actor   string         `db:"actor" json:"by"`
	Action  string         `db:"action" json:"action"`
	Details types.JSONRaw  `db:"details" json:"details"`
}

// AuditOf reads the newest entries about a target, of one action or of all.
func AuditOf(app core.App, target, action string, limit int64) ([]AuditRow, error) {
	rows := []AuditRow{}
	q := app.DB().Select("created", "actor_kind", "actor", "action", "details").From(collections.AuditLog).Where(dbx.HashExp{"target": target})
	if action != "" {
		q.AndWhere(dbx.HashExp{"action": action})
	}
	return rows, q.OrderBy("seq DESC").Limit(limit).All(&rows)
}

// ShadowOrder is an order with what rules and people once said about it.
type ShadowOrder struct {
	Order    refund.Order
	Rules    refund.Outcome // as stored then; empty when nothing was
	Verdicts types.JSONRaw
	People   refund.Outcome // the last person's decision, empty when none
}

// Judged lists the orders of an institution since a time, newest first, with
// the stored verdicts of the rules and the decisions of people.
func (s *Store) Judged(ctx context.Context, institution string, since time.Time, limit int) ([]ShadowOrder, error) {
	var rows []orderRow
	db := s.app.ConcurrentDB()
	err := db.Select("*").From(collections.RefundOrders).Where(dbx.HashExp{"institution": institution, "compensates": ""}).
		AndWhere(dbx.NewExp("created >= {:t}", dbx.Params{"t": stamp(since)})).OrderBy("created DESC").Limit(int64(limit)).WithContext(ctx).
		All(&rows)
	if err != nil {
		return nil, err
	}
	out := make([]ShadowOrder, 0, len(rows))
	for _, r := range rows {
		o, err := s.order(r)
		if err != nil {
			return nil, err
		}
		j := ShadowOrder{Order: o}
		if err := j.readReviews(ctx, db); err != nil {
			return nil, err
		}
		out = append(out, j)
	}
	return out, nil
}

func (j *ShadowOrder) readReviews(ctx context.Context, db dbx.Builder) error {
	var reviews []struct {
		Stage    string        `db:"stage"`
		Decision string        `db:"decision"`
		Verdicts types.JSONRaw `db:"verdicts"`
	}
	err := db.Select("stage", "decision", "verdicts").From(collections.Reviews).Where(dbx.HashExp{"order": j.Order.ID}).
		OrderBy("created", "stage").WithContext(ctx).All(&reviews)
	for _, r := range reviews {
		switch refund.ReviewStage(r.Stage) {
		case refund.StageAuto, refund.StageShadow:
			j.Rules, j.Verdicts = refund.Outcome(r.Decision), r.Verdicts
		default:
			j.People = refund.Outcome(r.Decision)
		}
	}
	if j.Order.Status == refund.StatusReviewing {
		j.People = "" // the second has not decided yet
	}
	return err
}
