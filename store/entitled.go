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
)

// entitled checks who acts, in the transaction of the effect: the account is
// active, of the order's institution, has the role, and the order does not
// concern its owner, neither as the applicant nor as the principal (§3.8).
func entitled(tx core.App, c *refund.Change) error {
	by, roles := deciding(c)
	if by == "" {
		return nil
	}
	staff, err := tx.FindRecordById(collections.Staff, by)
	if err != nil || !holds(staff, c.Order.Institution, roles) {
		return flow.NewError(flow.CodeNotAllowed, "")
	}
	if err := stillProposed(tx, c, roles); err != nil {
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
	return NotConcerned(tx, staff, concerned...)
}

// deciding names the staff member whose decision a change is, and the roles
// that may decide so.
func deciding(c *refund.Change) (staff string, roles []string) {
	if c.Review != nil && c.Review.Reviewer != "" {
		return c.Review.Reviewer, []string{people.RoleReviewer}
	}
	for _, m := range c.Moves {
		if m.By.Kind == people.ByStaff && strings.HasPrefix(m.Event, refund.EventSuspense) {
			return m.By.ID, []string{people.RoleReviewer, people.RoleFinance}
		}
	}
	return "", nil
}

// holds reports whether an account is active in an institution with one of the
// roles.
func holds(staff *core.Record, institution string, roles []string) bool {
	have := staff.GetStringSlice("roles")
	return staff.GetBool("active") && staff.GetString("institution") == institution &&
		slices.ContainsFunc(roles, func(r string) bool { return slices.Contains(have, r) })
}

// stillProposed refuses to confirm what nobody proposes any more.
func stillProposed(tx core.App, c *refund.Change, roles []string) error {
	if !slices.ContainsFunc(c.Moves, func(m flow.Move) bool { return m.Event == refund.EventConfirmed }) {
		return nil
	}
	p, err := openProposal(context.Background(), tx.DB(), c.ID)
	if err != nil || p == nil { // the trigger refuses it
		return err
	}
	return ProposerHolds(tx, p.By.ID, c.Order.Institution, roles...)
}

// ProposerHolds refuses a confirmation when the proposer was disabled since, or
// has lost the role: two people must want it in the moment of effect.
func ProposerHolds(tx core.App, proposer, institution string, roles ...string) error {
	if !Holds(tx, proposer, institution, roles...) {
		return flow.NewError(flow.CodeProposerGone, "")
	}
	return nil
}

// Holds reports whether an account is active in an institution with one of the
// roles, as the transaction sees it.
func Holds(tx core.App, account, institution string, roles ...string) bool {
	staff, err := tx.FindRecordById(collections.Staff, account)
	return err == nil && holds(staff, institution, roles)
}

// PersonNow is the person behind an account as it is known now; stored is what
// is left of an account that is gone.
func PersonNow(tx core.App, account, stored string) string {
	staff, err := tx.FindRecordById(collections.Staff, account)
	if err != nil {
		return stored
	}
	return staff.GetString("person_index")
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
