package collections

import (
	"hospay/flow"
	"hospay/payment"
)

// fixedPaymentColumns never change once a payment order exists.
var fixedPaymentColumns = []string{"no", "institution", "patient", "kind", "bill_no", "card_no", "channel", "terminal", "kiosk", "insured",
	"area", "total", "created"}

// splitColumns are fixed once the insurance has told who pays what: a later,
// poorer answer erases nothing.
var splitColumns = []string{"fund", "account", "account_own", "account_family", "cash", "other", "hospital_part", "deposit", "delivery",
	"cash_added", "cash_reduced"}

// paymentTriggers lists the triggers of payment orders and their journals.
func paymentTriggers(m *flow.Machine) []Trigger {
	finals := Finals(m)
	known := "OLD.insurance_state NOT IN ('" + string(payment.InsuranceOpen) + "','" + string(payment.InsuranceUploaded) + "')"
	back := "cash_back > NEW.cash + NEW.cash_added - NEW.cash_reduced"
	ts := []Trigger{
		trigger("guard_payment_insert", "BEFORE INSERT ON payment_orders WHEN NEW.status != '"+string(m.Starts[0])+"'",
			"a payment starts at created"),
		MoveGuard(m, "guard_payment_move"),
		trigger("guard_payment_final", "BEFORE UPDATE ON payment_orders WHEN OLD.status IN ("+finals+") AND ("+
			changed([]string{"cash_back", "insurance_state", "cash_state", "paid_at", "fail_code", "receipt_no"})+")",
			"a final payment stays as it is"),
		trigger("guard_payment_fixed", "BEFORE UPDATE ON payment_orders WHEN "+changed(fixedPaymentColumns),
			"bill, patient and amount of a payment never change"),
		trigger("guard_payment_split", "BEFORE UPDATE ON payment_orders WHEN "+known+" AND ("+changed(splitColumns)+")",
			"who pays what of a payment never changes once it is told"),
		trigger("guard_payment_parts", "BEFORE UPDATE ON payment_orders WHEN NEW.account != NEW.account_own + NEW.account_family OR NEW."+back,
			"the parts of a payment fit"),
		trigger("guard_payment_back", "BEFORE UPDATE ON payment_orders WHEN NEW.cash_back < OLD.cash_back", "what went back stays back"),
		trigger("guard_payment_secrets", "BEFORE UPDATE ON payment_orders WHEN NEW.status IN ("+finals+") AND NEW.secrets_sealed != ''",
			"a final payment keeps no secrets"),
		trigger("guard_payment_call_fixed", "BEFORE UPDATE ON payment_calls WHEN "+changed([]string{"order", "kind", "attempt", "no", "amount",
			"hash", "connection"}), "the content of a payment number never changes"),
		trigger("guard_payment_call_done", "BEFORE UPDATE ON payment_calls WHEN OLD.state = 'done' AND NEW.state != 'done'",
			"a finished payment call stays finished"),
		trigger("guard_payment_refund_fixed", "BEFORE UPDATE ON payment_refunds WHEN "+changed([]string{"order", "seq", "no", "kind", "insurance",
			"fund", "account", "cash", "by_itself", "reason", "actor", "his_refund_id", "his_refund_at", "told", "asked_at"}),
			"the content of a refund never changes"),
		trigger("guard_payment_refund_done", "BEFORE UPDATE ON payment_refunds WHEN OLD.state NOT IN ('open', 'proposed') AND ("+
			changed([]string{"state", "cash_done", "done_at"})+")", "a finished refund stays finished"),
	}
	ts = append(ts, secondPersonTriggers()...)
	for _, table := range []string{PaymentOrders, PaymentCalls, PaymentRefunds} {
		ts = append(ts, trigger("guard_"+table+"_delete", "BEFORE DELETE ON "+table, table+" rows are never deleted"))
	}
	return append(ts, paymentConnectionTriggers(finals)...)
}

// secondPersonTriggers keep one person from giving back what takes two: beyond what
// one may give back a refund begins as a proposal, and goes on only after another
// person's word.
func secondPersonTriggers() []Trigger {
	person := func(id string) string { return "COALESCE((SELECT person_index FROM staff WHERE id = " + id + "), '')" }
	back := "(SELECT o.cash_back + CASE o.insurance_state WHEN 'refunded' THEN o.fund + o.account ELSE 0 END FROM payment_orders o " +
		"WHERE o.id = NEW.`order`)"
	return []Trigger{
		trigger("guard_payment_refund_alone", "BEFORE INSERT ON payment_refunds WHEN NEW.state != 'proposed' AND NEW.actor_kind = 'staff' "+
			"AND NEW.by_itself = FALSE AND NEW.told = FALSE AND "+back+" + NEW.fund + NEW.account + NEW.cash > "+
			"(SELECT i.refund_alone FROM institutions i WHERE i.id = NEW.institution)", "this refund takes a second person"),
		trigger("guard_payment_refund_second", "BEFORE UPDATE ON payment_refunds WHEN OLD.state = 'proposed' AND NEW.state != 'proposed' AND "+
			"NEW.state != 'declined' AND (NEW.state != 'open' OR (SELECT e.event FROM payment_events e WHERE e.`order` = NEW.`order` "+
			"ORDER BY e.seq DESC LIMIT 1) IS NOT 'refund.confirmed')", "a proposed refund begins when another person has confirmed it"),
		trigger("guard_payment_refund_confirm", "BEFORE INSERT ON payment_events WHEN NEW.event = 'refund.confirmed' AND NOT EXISTS (SELECT 1 "+
			"FROM payment_refunds r WHERE r.`order` = NEW.`order` AND r.state = 'proposed' AND r.kind = NEW.code AND r.actor != NEW.actor AND "+
			person("r.actor")+" NOT IN ('', "+person("NEW.actor")+") AND "+person("NEW.actor")+" != '')",
			"another person confirms the refund that was proposed"),
	}
}

// paymentConnectionTriggers keep whom calls of payments under way were sent to.
// What is paid can still go back, so that it counts as under way.
func paymentConnectionTriggers(finals string) []Trigger {
	used := func(name, where string) string {
		return "EXISTS (SELECT 1 FROM payment_orders o JOIN payment_calls c ON c.`order` = o.id JOIN connections x ON x.id = c.connection " +
			"WHERE o.institution = OLD.institution AND o.status NOT IN (" + finals + ") AND x.name = " + name + where + ")"
	}
	return []Trigger{
		trigger("guard_payment_channel_delete", "BEFORE DELETE ON channel_configs WHEN "+used("OLD.channel", ""),
			"payments under way need this channel"),
		trigger("guard_payment_his_delete", "BEFORE DELETE ON his_configs WHEN OLD.active AND "+used("'his'", ""),
			"payments under way need this HIS"),
		trigger("guard_payment_centre_delete", "BEFORE DELETE ON centre_configs WHEN "+used("'centre'", ""),
			"payments under way need this centre"),
	}
}
