package store

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"time"

	"hospay/collections"
	"hospay/flow"
	"hospay/payment"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/tools/types"
)

// BillLine is what moved of one payment, or of one refund of it, within a span of
// time. Amounts are fen, below zero where money went back.
type BillLine struct {
	No          string         `db:"no"`     // of the payment
	Refund      string         `db:"refund"` // of the refund; empty for the payment itself
	HISRefundID string         `db:"his_refund_id"`
	Fund        int64          `db:"fund"`
	Account     int64          `db:"account"`
	Other       int64          `db:"other"`
	Cash        int64          `db:"cash"` // as the channel took it or gave it back
	Reduced     int64          `db:"reduced"`
	At          types.DateTime `db:"at"`    // when the first part moved
	Trade       types.DateTime `db:"trade"` // when HIS had it; of a refund, when it was asked for
	SetlID      string         `db:"setl_id"`
	MdtrtID     string         `db:"mdtrt_id"`
	PayOrdID    string         `db:"pay_ord_id"`
	CashNo      string         `db:"cash_no"` // the channel's number
	Terminal    string         `db:"terminal"`
	Receipt     string         `db:"receipt_no"`
	Channel     string         `db:"channel"`
}

// movedSQL are the parts that moved in a span, one row a part: cash at the channel
// and the insurance's part, there and back. A part that a refund of ours gave back
// is the refund's; what a channel gave back by itself is the payment's own refund,
// R. The insurance has one time for all of its parts.
const movedSQL = `SELECT o.id, '' AS refund, o.paid_at AS at, 0 AS fund, 0 AS account, 0 AS other,
		o.cash + o.cash_added - o.cash_reduced AS cash, o.cash_reduced AS reduced FROM payment_orders o
	WHERE o.institution = {:inst} AND o.paid_at >= {:from} AND o.paid_at < {:to} AND o.paid_at != ''
		AND o.cash_state IN ('paid', 'part_refunded', 'refunded')
	UNION ALL SELECT o.id, '', o.settled_at, o.fund, o.account, o.other, 0, CASE WHEN o.cash_state = '' THEN o.cash_reduced ELSE 0 END
		FROM payment_orders o
	WHERE o.institution = {:inst} AND o.settled_at >= {:from} AND o.settled_at < {:to} AND o.settled_at != ''
	UNION ALL SELECT r.` + "`order`" + `, r.no, r.cash_at, 0, 0, 0, -r.cash, 0 FROM payment_refunds r
	WHERE r.institution = {:inst} AND r.cash_at >= {:from} AND r.cash_at < {:to} AND r.cash_at != ''
	UNION ALL SELECT o.id, COALESCE((SELECT r.no FROM payment_refunds r WHERE r.` + "`order`" + ` = o.id AND r.insurance = TRUE
			AND r.state IN ('open', 'done') ORDER BY r.seq DESC LIMIT 1), o.no || 'R'), o.insurance_back_at, -o.fund, -o.account, -o.other, 0,
		-o.cash_reduced FROM payment_orders o
	WHERE o.institution = {:inst} AND o.insurance_back_at >= {:from} AND o.insurance_back_at < {:to} AND o.insurance_back_at != ''
	UNION ALL SELECT o.id, o.no || 'R', o.cash_gone_at, 0, 0, 0, -(o.cash + o.cash_added - o.cash_reduced), 0 FROM payment_orders o
	WHERE o.institution = {:inst} AND o.cash_gone_at >= {:from} AND o.cash_gone_at < {:to} AND o.cash_gone_at != '' AND o.paid_at != ''`

const billFrom = " FROM (" + movedSQL + ") m JOIN payment_orders o ON o.id = m.id {channel}"

// Bill lists what moved of an institution's payments within a span of time, through
// one channel or all, in its order; total is how many lines there are.
func (p *Payments) Bill(ctx context.Context, institution, channel string, from, to time.Time, offset, length int) (out []BillLine,
	total int, err error) {
	db, only := p.s.app.ConcurrentDB(), ""
	if channel != "" {
		only = "WHERE o.channel = {:channel}"
	}
	args := dbx.Params{"inst": institution, "channel": channel, "from": stamp(from), "to": stamp(to), "offset": offset, "length": length}
	source := strings.ReplaceAll(billFrom, "{channel}", only)
	err = db.NewQuery("SELECT COUNT(*) FROM (SELECT DISTINCT m.id, m.refund" + source + ")").Bind(args).WithContext(ctx).Row(&total)
	if err != nil || total == 0 {
		return nil, 0, err
	}
	err = db.NewQuery("SELECT o.no, m.refund, COALESCE(r.his_refund_id, '') AS his_refund_id, SUM(m.fund) AS fund, " +
		"SUM(m.account) AS account, SUM(m.other) AS other, SUM(m.cash) AS cash, SUM(m.reduced) AS reduced, MIN(m.at) AS at, " +
		"CASE WHEN m.refund = '' THEN o.written_at ELSE COALESCE(r.asked_at, '') END AS trade, o.setl_id, o.mdtrt_id, o.pay_ord_id, " +
		"CASE WHEN m.refund = '' THEN o.channel_no ELSE COALESCE(r.cash_no, '') END AS cash_no, o.terminal, o.receipt_no, o.channel" +
		strings.ReplaceAll(billFrom, "{channel}", "LEFT JOIN payment_refunds r ON r.no = m.refund "+only) +
		" GROUP BY m.id, m.refund ORDER BY MIN(m.at), o.no, m.refund LIMIT {:length} OFFSET {:offset}").Bind(args).WithContext(ctx).All(&out)
	return out, total, err
}

// RefundByNo finds a refund by HIS's number of it, or by ours.
func (p *Payments) RefundByNo(ctx context.Context, institution, no string) (payment.Work, *payment.Refund, error) {
	w, r, err := p.RefundByHIS(ctx, institution, no)
	if !errors.Is(err, flow.ErrNotFound) {
		return w, r, err
	}
	return p.refund(ctx, dbx.HashExp{"institution": institution, "no": no})
}

func (p *Payments) refund(ctx context.Context, where dbx.Expression) (payment.Work, *payment.Refund, error) {
	var r refundRow
	err := p.s.app.ConcurrentDB().Select("*").From(collections.PaymentRefunds).Where(where).WithContext(ctx).One(&r)
	if errors.Is(err, sql.ErrNoRows) {
		return payment.Work{}, nil, flow.ErrNotFound
	}
	if err != nil {
		return payment.Work{}, nil, err
	}
	w, err := p.Get(ctx, r.Order)
	return w, r.refund(), err
}
