package books

import (
	"strings"
	"time"

	"hospay/flow"
	"hospay/money"
	"hospay/reconcile"
	"hospay/refund"

	"github.com/pocketbase/pocketbase/tools/types"
)

// orderLine is an order as the platform's book holds it.
type orderLine struct {
	No        string         `db:"no"`
	Card      string         `db:"card_no"`
	Amount    int64          `db:"amount"`
	Method    string         `db:"method"`
	Channel   string         `db:"channel"`
	Status    string         `db:"status"`
	HISNo     string         `db:"his_refund_no"`
	HISAt     types.DateTime `db:"his_refund_date"`
	PaidAt    types.DateTime `db:"paid_at"`
	Created   types.DateTime `db:"created"`
	ChannelNo string         `db:"channel_bill_no"`
	Bill      string         `db:"out_bill_no"`
	Returned  types.DateTime `db:"returned"`
	Reversed  types.DateTime `db:"reversed"`
	Hand      bool           `db:"hand"`
}

func (o orderLine) line(status reconcile.Status, at time.Time) reconcile.Line {
	return reconcile.Line{
		OrderNo: o.No, BillNo: o.Bill, HISNo: o.HISNo, ChannelNo: o.ChannelNo, CardNo: o.Card, Amount: money.Fen(o.Amount), Method: o.Method,
		Channel: o.Channel,
		Status:  status, At: at.Unix(),
	}
}

const orderColumns = "o.no, o.card_no, o.amount, o.method, o.channel, o.status, o.his_refund_no, o.his_refund_date, o.paid_at, " +
	"o.created, " +
	"o.channel_bill_no"

// handSQL finds what people have paid by hand, along its small index. What the
// channel turned out to have paid by an old number, and people then settled, is
// the channel's payment.
const handSQL = "LEFT JOIN main.refund_events h ON h.`order` = o.id AND h.event = 'payout.by_hand' " +
	"AND NOT EXISTS (SELECT 1 FROM main.refund_events x WHERE x.`order` = o.id AND x.code = '" + string(flow.CodePaidOldNumber) + "') "

// paidSQL walks the orders that were paid around the day, along their index,
// each with the numbers sent to the channel; the one that paid comes first.
const paidSQL = "SELECT " + orderColumns + ", COALESCE(t.out_bill_no, '') AS out_bill_no, COALESCE(c.created, '') AS returned, " +
	"COALESCE(v.done_at, '') AS reversed, h.id IS NOT NULL AS hand " +
	"FROM refund_orders o LEFT JOIN transfer_orders t ON t.`order` = o.id LEFT JOIN refund_orders c ON c.compensates = o.id AND " +
	"c.compensates != '' " +
	"LEFT JOIN his_calls v ON v.`order` = c.id AND v.kind = 'reverse' AND v.state = 'done' " + handSQL +
	"WHERE o.institution = {:i} AND o.paid_at != '' AND o.paid_at >= {:from} AND o.paid_at < {:to} AND o.status = 'succeeded' AND " +
	"o.compensates = '' " +
	"ORDER BY o.paid_at, o.id, t.state = 'done' DESC, t.attempt DESC"

// awaySQL finds orders debited around the day and paid on another one.
const awaySQL = "SELECT o.no, h.id IS NOT NULL AS hand FROM refund_orders o " + handSQL +
	"WHERE o.institution = {:i} AND o.his_refund_date >= {:from} AND o.his_refund_date < {:to} " +
	"AND o.status = 'succeeded' AND o.compensates = '' AND (o.paid_at < {:day} OR o.paid_at >= {:end})"

// flightsSQL lists orders that are under way, and failed ones of the last days,
// along the index of their status: few orders fail.
func flightsSQL() string {
	var open, ended []string
	for _, st := range refund.Machine.States() {
		switch {
		case !refund.Machine.Final(st):
			open = append(open, "'"+string(st)+"'")
		case st != refund.StatusSucceeded:
			ended = append(ended, "'"+string(st)+"'")
		}
	}
	one := func(cond string) string {
		return "SELECT " + orderColumns + ", COALESCE(t.out_bill_no, '') AS out_bill_no, '' AS returned, COALESCE(v.done_at, '') AS reversed " +
			"FROM refund_orders o " +
			"LEFT JOIN transfer_orders t ON t.`order` = o.id LEFT JOIN his_calls v ON v.`order` = o.id AND v.kind = 'reverse' AND v.state = " +
			"'done' " +
			"WHERE o.institution = {:i} AND o.compensates = '' AND " + cond
	}
	return one("o.status IN ("+strings.Join(open, ",")+")") + " UNION ALL " +
		one("+o.his_refund_date >= {:since} AND +o.his_refund_date < {:to} AND o.created >= {:made} AND o.status IN ("+strings.Join(ended, ",")+
			")") + " ORDER BY 1, 12"
}
