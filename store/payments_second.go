package store

import (
	"context"
	"database/sql"
	"errors"
	"strings"

	"hospay/collections"
	"hospay/flow"
	"hospay/money"
	"hospay/payment"
	"hospay/people"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

// RefundAlone is how much of a payment one member of the staff may give back (fen).
func (p *Payments) RefundAlone(ctx context.Context, institution string) (money.Fen, error) {
	return refundAlone(ctx, p.s.app.ConcurrentDB(), institution)
}

func refundAlone(ctx context.Context, db dbx.Builder, institution string) (money.Fen, error) {
	var alone int64
	err := db.Select("refund_alone").From(collections.Institutions).Where(dbx.HashExp{"id": institution}).WithContext(ctx).Row(&alone)
	return money.Fen(alone), err
}

// mayPay holds what a member of the staff does about a payment, in the transaction of
// the effect, against the role that it takes, against the rule of two people, and
// against their own bills.
func mayPay(tx core.App, c *payment.Change) error {
	for _, m := range c.Moves {
		if m.By.Kind != people.ByStaff {
			continue
		}
		who := MemberNow(tx, m.By)
		judge := mayRefund
		if strings.HasPrefix(m.Event, flow.EventSuspense) {
			judge = func(tx core.App, c *payment.Change, event string, who people.Member) (bool, error) {
				return true, payments.mayOnDesk(tx, c.ID, c.Order.Institution, event, who)
			}
		}
		judged, err := judge(tx, c, m.Event, who)
		if err != nil {
			return err
		}
		if judged {
			return NotConcerned(tx, who.Person, c.Order.Patient)
		}
	}
	return nil
}

// mayRefund judges the refund of a payment, if an event is about one.
func mayRefund(tx core.App, c *payment.Change, event string, who people.Member) (bool, error) {
	inst := c.Order.Institution
	switch event {
	case payment.EventRefundAsked:
		alone, err := refundAlone(context.Background(), tx.DB(), inst)
		switch {
		case err != nil:
			return true, err
		case !who.Holds(inst, payment.RefundRoles()...):
			return true, people.NotAllowed
		case payment.TakesTwo(c.Order, *c.Refund, alone):
			return true, flow.NewError(payment.CodeRefundTakesTwo, "")
		}
		return true, nil
	case payment.EventRefundProposed:
		return true, payment.RefundRule.May(people.Propose, people.Proposal{Institution: inst}, who, people.Seen{})
	case payment.EventRefundConfirmed, payment.EventRefundDeclined:
		open, err := proposedRefund(tx, c)
		if err != nil {
			return true, err
		}
		act := people.Confirm
		if event == payment.EventRefundDeclined {
			act = open.Ending(who.By)
		}
		return true, payment.RefundRule.May(act, open, who, people.Seen{})
	}
	return false, nil
}

// proposedRefund is the proposal of the refund that a change decides about, as it
// stands now.
func proposedRefund(tx core.App, c *payment.Change) (people.Proposal, error) {
	var r refundRow
	err := tx.DB().Select("*").From(collections.PaymentRefunds).
		Where(dbx.HashExp{"order": c.ID, "no": c.Refund.No, "state": payment.RefundProposedState}).One(&r)
	if errors.Is(err, sql.ErrNoRows) {
		return people.Proposal{}, flow.ErrConflict
	}
	if err != nil {
		return people.Proposal{}, err
	}
	refund := r.refund()
	return refund.Of(c.Order.Institution, MemberNow(tx, refund.By)), nil
}
