package collections

// deskTriggers lists the triggers of the staff's desk: two people where two
// are needed.
func deskTriggers() []Trigger {
	first := "(SELECT 1 FROM reviews f WHERE f.`order` = NEW.`order` AND f.stage = 'first'"
	person := "COALESCE((SELECT person_index FROM staff WHERE id = "
	confirm := func(name, events string) Trigger {
		last := "(SELECT p.event || ' ' || p.code || ' ' || p.actor FROM " + events + " p WHERE p.`order` = NEW.`order` AND (p.`from` != " +
			"p.`to` OR p.event IN ('suspense.proposed', 'suspense.withdrawn')) ORDER BY p.seq DESC LIMIT 1)"
		proposer := "(SELECT p.actor FROM " + events + " p WHERE p.`order` = NEW.`order` AND p.event = 'suspense.proposed' ORDER BY p.seq DESC " +
			"LIMIT 1)"
		return trigger(name, "BEFORE INSERT ON "+events+" WHEN NEW.event = 'suspense.confirmed' AND ("+last+
			" IS NOT 'suspense.proposed ' || NEW.code || ' ' || "+proposer+" OR "+proposer+" = NEW.actor OR "+
			person+proposer+"), '') IN ('', "+person+"NEW.actor), '')) OR "+person+"NEW.actor), '') = '')",
			"another person confirms what was proposed")
	}
	return []Trigger{
		confirm("guard_suspense_confirm", "refund_events"),
		confirm("guard_payment_suspense_confirm", "payment_events"),
		trigger("guard_review_second", "BEFORE INSERT ON reviews WHEN NEW.stage = 'second' AND (NOT EXISTS "+first+
			" AND f.decision = 'approve') OR EXISTS "+first+
			" AND (f.reviewer = NEW.reviewer OR "+person+"f.reviewer), '') IN ('', "+person+"NEW.reviewer), '')))) OR "+person+
			"NEW.reviewer), '') = '')", "the second review is by another person"),
		trigger("guard_order_second", "BEFORE UPDATE ON refund_orders WHEN OLD.stage = 'second' AND OLD.status = 'reviewing' AND NEW.status = "+
			"'approved' AND NOT EXISTS (SELECT 1 FROM reviews r WHERE r.`order` = OLD.id AND r.stage = 'second' AND r.decision = 'approve')",
			"the order waits for its second review"),
	}
}
