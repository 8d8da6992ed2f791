package collections

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"strings"

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
	staff, err := tx.FindRecordById(Staff, by)
	if err != nil || !staff.GetBool("active") || staff.GetString("institution") != c.Order.Institution || !anyRole(staff, roles) {
		return refund.NewError(refund.CodeNotAllowed, "")
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
		return c.Review.Reviewer, []string{RoleReviewer}
	}
	for _, m := range c.Moves {
		if m.By.Kind == refund.ByStaff && strings.HasPrefix(m.Event, refund.EventSuspense) {
			return m.By.ID, []string{RoleReviewer, RoleFinance}
		}
	}
	return "", nil
}

func anyRole(staff *core.Record, roles []string) bool {
	have := staff.GetStringSlice("roles")
	return slices.ContainsFunc(roles, func(r string) bool { return slices.Contains(have, r) })
}

// firstReviewer names who gave an order its first approval.
func firstReviewer(ctx context.Context, db dbx.Builder, order string) (refund.By, error) {
	by := refund.By{Kind: refund.ByStaff}
	err := db.NewQuery("SELECT v.reviewer, COALESCE(s.person_index, '') FROM reviews v LEFT JOIN staff s ON s.id = v.reviewer WHERE v.`order` = {:o} AND v.stage = 'first'").
		Bind(dbx.Params{"o": order}).WithContext(ctx).Row(&by.ID, &by.Person)
	if errors.Is(err, sql.ErrNoRows) {
		return by, nil
	}
	return by, err
}
