package store

import (
	"hospay/calendar"
	"hospay/collections"
	"hospay/flow"
	"hospay/internal/i18n"
	"hospay/notify"
	"hospay/payment"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

// tell writes the outbox rows of a notice about a payment. A part may go back more
// than once, a refund wait for its patient again, an order need people again: each
// time is told, once, because it is told by the one change that books it.
func (p *Payments) tell(tx core.App, c *payment.Change, n flow.Notice) error {
	o := c.Order
	own := map[flow.NoticeEvent]flow.NoticeEvent{flow.NoticeHold: payment.NoticeHold, flow.NoticeSuspense: payment.NoticeSuspense}
	if event := own[n.Event]; event != "" {
		n.Event = event
	}
	about := told{payment: o.ID, institution: o.Institution, patient: o.Patient, channel: o.Channel, values: paymentValues(c, n, p.s)}
	before := dbx.HashExp{"payment": o.ID, "event": string(n.Event), "via": notify.ViaInApp, "staff": n.Staff}
	if err := tx.DB().Select("COUNT(*)").From(collections.Notifications).Where(dbx.And(before, dbx.NewExp("payment != ''"))).
		Row(&about.before); err != nil {
		return err
	}
	about.before -= n.Round // rounds are counted here; a reminder still knows that it is one
	if !n.Staff {
		about.page = "/payments/" + o.ID
	}
	return p.s.tell(tx, about, n)
}

// paymentValues are the places of texts about payments. Amounts of a refund are what
// went back by it. None of them holds personal data, nor what somebody is treated
// for.
func paymentValues(c *payment.Change, n flow.Notice, s *Store) map[string]string {
	o, r := c.Order, c.Refund
	insured, cash := o.Fund+o.Account+o.Other, o.CashDue()
	amount, back := insured+cash, n.Event == payment.NoticeRefunded || n.Event == payment.NoticePartRefunded
	if amount == 0 { // who pays what is not told yet
		amount = o.Total
	}
	if back && r != nil {
		insured, cash = 0, r.Cash
		if r.Insurance {
			insured = o.Fund + o.Account + o.Other
		}
		amount = insured + cash
	}
	reason := ReasonText(o.FailCode, o.FailReason)
	if reason == "" && n.Event == payment.NoticeNotPaid {
		reason = i18n.Text(i18n.Default, "notice.payment_ended.free")
	}
	return map[string]string{
		"no": o.No, "amount": amount.String(), "insured": insured.String(), "cash": cash.String(), "reason": reason, "guide": o.Guide,
		"receipt": o.ReceiptNo, "channel": i18n.Text(i18n.Default, "channel."+o.Channel), "method": "",
		"time": s.now().In(calendar.Beijing).Format("2006-01-02 15:04"), "status": i18n.Text(i18n.Default, "payment.status."+string(o.Status)),
	}
}
