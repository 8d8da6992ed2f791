package store

import (
	"context"

	"hospay/collections"
	"hospay/people"

	"github.com/pocketbase/dbx"
)

// Todo is how much of a kind waits for somebody.
type Todo struct {
	Kind  string
	Count int
}

// todo says of a kind whose roles act on it, and what of it waits for one who does:
// {i} is the institution, {me} the account and {p} the person behind it. What one
// has asked for oneself waits for somebody else.
type todo struct {
	kind  string
	roles []string
	sql   string
}

// notBy leaves out what the person has done under any account.
func notBy(column string) string {
	return column + " NOT IN (SELECT id FROM staff WHERE id = {:me} OR (person_index = {:p} AND person_index != '' AND institution = {:i}))"
}

func todos() []todo {
	reviewer, finance, auditor, config := people.RoleReviewer, people.RoleFinance, people.RoleAuditor, people.RoleConfig
	reviewed := "EXISTS (SELECT 1 FROM main.reviews v WHERE v.`order` = o.id AND NOT (" + notBy("v.reviewer") + "))"
	return []todo{
		{"review", []string{reviewer}, "SELECT COUNT(*) FROM refund_orders o WHERE o.institution = {:i} AND o.status = 'reviewing' AND " +
			"o.stage != 'second'"},
		{"second", []string{reviewer}, "SELECT COUNT(*) FROM refund_orders o WHERE o.institution = {:i} AND o.status = 'reviewing' AND " +
			"o.stage = 'second' AND NOT " + reviewed},
		{"proxies", []string{reviewer}, "SELECT COUNT(*) FROM proxy_applications WHERE institution = {:i} AND status = 'submitted'"},
		{"suspense", []string{reviewer, finance}, "SELECT (SELECT COUNT(*) FROM refund_orders WHERE institution = {:i} " +
			"AND status = 'suspense') + (SELECT COUNT(*) FROM payment_orders WHERE institution = {:i} AND status = 'suspense')"},
		{"refunds", []string{reviewer, finance}, "SELECT COUNT(*) FROM payment_refunds WHERE institution = {:i} AND state = 'proposed' AND " +
			notBy("actor")},
		{"differences", []string{finance}, "SELECT COUNT(*) FROM differences WHERE institution = {:i} AND state = 'open' AND live = TRUE"},
		{"proposed", []string{finance, auditor}, "SELECT COUNT(*) FROM differences WHERE institution = {:i} AND state = 'proposed' AND " +
			notBy("proposed_by")},
		{"months", []string{finance, auditor}, "SELECT COUNT(*) FROM recon_months WHERE institution = {:i} AND " +
			"state IN ('proposed', 'reopening') AND " + notBy("`by`")},
		{"changes", []string{finance, config}, "SELECT COUNT(*) FROM config_changes WHERE institution = {:i} AND state = '" +
			collections.ChangeWaiting + "' AND " + notBy("proposer")},
	}
}

// Todos lists what waits for a staff member, in the order of the work; kinds of
// which nothing waits are left out.
func (s *Store) Todos(ctx context.Context, who people.Member) ([]Todo, error) {
	out := []Todo{}
	add := func(kind string, n int) {
		if n > 0 {
			out = append(out, Todo{kind, n})
		}
	}
	p := dbx.Params{"i": who.Institution, "me": who.By.ID, "p": who.By.Person}
	for _, t := range todos() {
		if !who.Holds(who.Institution, t.roles...) {
			continue
		}
		var n int
		if err := s.app.ConcurrentDB().NewQuery(t.sql).Bind(p).WithContext(ctx).Row(&n); err != nil {
			return nil, err
		}
		add(t.kind, n)
	}
	if !who.Holds(who.Institution, RevealRule.Confirm...) {
		return out, nil
	}
	asks, err := s.RevealAsks(ctx, who.Institution)
	n := 0
	for _, a := range asks {
		if a.By != who.By.ID {
			n++
		}
	}
	add("reveals", n)
	return out, err
}
