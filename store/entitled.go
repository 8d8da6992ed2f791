package store

import (
	"context"
	"database/sql"
	"errors"
	"strings"

	"hospay/collections"
	"hospay/flow"
	"hospay/people"
	"hospay/refund"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

// entitled checks who acts, in the transaction of the effect: the account is
// active, of the order's institution, has the role, and the order does not
// concern its owner, neither as the applicant nor as the principal (§3.8). What
// takes two people is judged by their rule.
func entitled(tx core.App, c *refund.Change) error {
	who, err := mayMove(tx, c)
	if err != nil || who.ID == "" {
		return err
	}
	concerned := []string{c.Order.Patient}
	if c.Order.Proxy != "" {
		p, err := readProxy(context.Background(), tx.DB(), c.Order.Proxy)
		if err != nil {
			return err
		}
		concerned = append(concerned, p.Principal)
	}
	return NotConcerned(tx, who.Person, concerned...)
}

// mayMove names the staff member whose decision a change is, if it is one, who
// may decide so.
func mayMove(tx core.App, c *refund.Change) (who people.Member, err error) {
	if c.Review != nil && c.Review.Reviewer != "" {
		who = MemberNow(tx, people.By{ID: c.Review.Reviewer})
		if !who.Holds(c.Order.Institution, people.RoleReviewer) {
			return who, people.NotAllowed
		}
		return who, nil
	}
	for _, m := range c.Moves {
		if m.By.Kind == people.ByStaff && strings.HasPrefix(m.Event, flow.EventSuspense) {
			who = MemberNow(tx, m.By)
			return who, refunds.mayOnDesk(tx, c.ID, c.Order.Institution, m.Event, who)
		}
	}
	return who, nil
}

// mayOnDesk holds what a person does with a suspended order against the rule of
// two people.
func (o orders) mayOnDesk(tx core.App, order, institution, event string, who people.Member) error {
	open := people.Proposal{Institution: institution}
	if event == flow.EventProposed {
		return flow.DeskRule.May(people.Propose, open, who, people.Seen{})
	}
	p, err := o.openProposal(context.Background(), tx.DB(), order)
	if err != nil {
		return err
	}
	if p != nil { // without one the trigger refuses
		open = p.Of(institution, MemberNow(tx, p.By))
	}
	act := people.Confirm
	if event == flow.EventWithdrawn {
		act = open.Ending(who.By)
	}
	return flow.DeskRule.May(act, open, who, people.Seen{})
}

// MemberNow is a staff account as the transaction sees it; of one that is gone
// it is what by tells.
func MemberNow(tx core.App, by people.By) people.Member {
	staff, err := tx.FindRecordById(collections.Staff, by.ID)
	if err != nil {
		return people.Member{By: by}
	}
	return MemberOf(staff)
}

// MemberOf reads a staff record.
func MemberOf(staff *core.Record) people.Member {
	return people.Member{
		By:          people.By{Kind: people.ByStaff, ID: staff.Id, Person: staff.GetString("person_index")},
		Institution: staff.GetString("institution"), Active: staff.GetBool("active"), Roles: staff.GetStringSlice("roles"),
	}
}

// firstReviewer names who gave an order its first approval.
func firstReviewer(ctx context.Context, db dbx.Builder, order string) (people.By, error) {
	by := people.By{Kind: people.ByStaff}
	err := db.NewQuery("SELECT v.reviewer, COALESCE(s.person_index, '') FROM reviews v LEFT JOIN staff s ON s.id = v.reviewer WHERE "+
		"v.`order` = {:o} AND v.stage = 'first'").
		Bind(dbx.Params{"o": order}).WithContext(ctx).Row(&by.ID, &by.Person)
	if errors.Is(err, sql.ErrNoRows) {
		return by, nil
	}
	return by, err
}
