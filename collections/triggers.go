package collections

import (
	"fmt"
	"sort"
	"strings"

	"hospay/flow"
)

// Trigger is a database trigger that keeps a rule of the money tables, also
// against scripts, the SQL console and bugs.
type Trigger struct {
	Name string `db:"name"`
	SQL  string `db:"sql"`
}

// orderTriggers lists the triggers of orders and their journals, generated from
// the machine's table of moves.
func (b Basis) orderTriggers() []Trigger {
	ts := []Trigger{
		trigger("guard_order_insert", "BEFORE INSERT ON refund_orders WHEN NOT (NEW.status = 'submitted' OR (NEW.status = 'reversing' AND "+
			"NEW.compensates != ''))", "an order starts at submitted"),
		MoveGuard(b.Machine, "guard_order_move"),
		trigger("guard_order_final", "BEFORE UPDATE ON refund_orders WHEN OLD.status IN ("+Finals(b.Machine)+
			") AND (NEW.amount != OLD.amount OR NEW.paid_at != OLD.paid_at OR NEW.fail_code != OLD.fail_code)", "a final order stays as it is"),
		trigger("guard_order_fixed", "BEFORE UPDATE ON refund_orders WHEN "+changed(b.Fixed), "amount, payee and card of an order never change"),
		trigger("guard_order_group", "BEFORE INSERT ON refund_orders WHEN NEW.compensates = '' AND EXISTS (SELECT 1 FROM refund_orders WHERE "+
			"institution = NEW.institution AND card_no = NEW.card_no AND compensates = '' AND status NOT IN ("+Finals(b.Machine)+
			") AND (`group` != NEW.`group` OR NEW.`group` = ''))", "the card has an active order"),
		trigger("guard_transfer_fixed", "BEFORE UPDATE ON transfer_orders WHEN "+changed([]string{"order", "attempt", "out_bill_no", "amount",
			"method", "channel", "hash", "connection"}), "the content of a payout number never changes"),
		trigger("guard_transfer_done", "BEFORE UPDATE ON transfer_orders WHEN OLD.state = 'done' AND NEW.state != 'done'",
			"a paid payout stays paid"),
		trigger("guard_his_call_fixed", "BEFORE UPDATE ON his_calls WHEN "+changed([]string{"order", "kind", "attempt", "no", "amount", "hash",
			"connection"}), "the content of a HIS number never changes"),
		trigger("guard_his_call_done", "BEFORE UPDATE ON his_calls WHEN OLD.state = 'done' AND NEW.state != 'done'",
			"a finished HIS call stays finished"),
	}
	ts = append(ts, connectionTriggers(Finals(b.Machine))...)
	for _, table := range AppendOnly() {
		ts = append(ts, trigger("guard_"+table+"_update", "BEFORE UPDATE ON "+table, table+" is append-only"))
	}
	for _, table := range append(AppendOnly(), RefundOrders, TransferOrders, HISCalls) {
		ts = append(ts, trigger("guard_"+table+"_delete", "BEFORE DELETE ON "+table, table+" rows are never deleted"))
	}
	return ts
}

// connectionTriggers keep whom calls under way were sent to.
func connectionTriggers(finals string) []Trigger {
	used := func(calls, where string) string {
		return "EXISTS (SELECT 1 FROM refund_orders o JOIN " + calls + " c ON c.`order` = o.id WHERE o.institution = OLD.institution AND " +
			"o.status NOT IN (" + finals + ")" + where + ")"
	}
	return []Trigger{
		trigger("guard_connection_fixed", "BEFORE UPDATE ON connections WHEN "+changed([]string{"institution", "name", "version", "merchant_id",
			"app_id", "created"}), "a connection stays with its merchant"),
		trigger("guard_connection_delete", "BEFORE DELETE ON connections", "connections rows are never deleted"),
		trigger("guard_channel_config_delete", "BEFORE DELETE ON channel_configs WHEN "+
			used("transfer_orders", " AND o.channel = OLD.channel"), "calls under way need this channel"),
		trigger("guard_his_config_delete", "BEFORE DELETE ON his_configs WHEN OLD.active AND "+used("his_calls", ""),
			"calls under way need this HIS"),
	}
}

// MoveGuard is the trigger that refuses what is no legal move of a machine.
func MoveGuard(m *flow.Machine, name string) Trigger {
	return trigger(name, "BEFORE UPDATE ON "+m.Orders+" WHEN NEW.status != OLD.status AND (OLD.status || '>' || NEW.status) NOT IN ("+moves(m)+
		")",
		"illegal move of an order")
}

func trigger(name, when, message string) Trigger {
	return Trigger{Name: name, SQL: fmt.Sprintf("CREATE TRIGGER %s %s BEGIN SELECT RAISE(ABORT, '%s'); END", name, when, message)}
}

// moves lists the legal moves of a machine as SQL.
func moves(m *flow.Machine) string {
	var out []string
	for _, from := range m.States() {
		for _, to := range m.Next(from) {
			out = append(out, fmt.Sprintf("'%s>%s'", from, to))
		}
	}
	sort.Strings(out)
	return strings.Join(out, ",")
}

// Finals lists the final states of a machine as SQL.
func Finals(m *flow.Machine) string {
	var out []string
	for _, s := range m.Finals() {
		out = append(out, "'"+string(s)+"'")
	}
	return strings.Join(out, ",")
}

func changed(columns []string) string {
	var out []string
	for _, c := range columns {
		out = append(out, fmt.Sprintf("NEW.`%s` IS NOT OLD.`%s`", c, c))
	}
	return strings.Join(out, " OR ")
}
