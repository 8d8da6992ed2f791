package store

import (
	"fmt"
	"time"

	"hospay/collections"
	"hospay/flow"
	"hospay/internal/vault"
	"hospay/people"
	"hospay/refund"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

// Past is an order of the demo's past: as it was submitted, and every change
// from then on with its time.
type Past struct {
	Order         refund.Order
	Phone, Notice string // the number for notices, the version of the terms
	Steps         []PastStep
}

// PastStep is a change and the time at which it happened. ID and Version of
// the change are filled in.
type PastStep struct {
	At     time.Time
	Change refund.Change
}

// HasOrders reports whether there is any order.
func (s *Store) HasOrders() (bool, error) {
	var n int
	err := s.app.ConcurrentDB().NewQuery("SELECT EXISTS (SELECT 1 FROM refund_orders)").Row(&n)
	return n > 0, err
}

// WritePast writes orders of the demo's past in one transaction, each change by
// the way of Commit and under the same triggers. Nothing else has a past to
// write: production has no route and no command that leads here.
func (s *Store) WritePast(pasts []Past) error {
	return s.transact(func(tx core.App) error {
		for _, p := range pasts {
			if err := s.writePast(tx, p); err != nil {
				return fmt.Errorf("order %s: %w", p.Order.No, err)
			}
		}
		return nil
	})
}

func (s *Store) writePast(tx core.App, p Past) error {
	if err := s.insertPast(tx.DB(), p); err != nil {
		return err
	}
	for i, step := range p.Steps {
		c := step.Change
		c.ID, c.Version = p.Order.ID, int64(i)
		if err := s.apply(tx, &c, step.At); err != nil {
			return fmt.Errorf("step %d (%s): %w", i, c.Order.Status, err)
		}
	}
	return nil
}

// insertPast writes an order as it was submitted, sealed and masked as an
// application is. Its patient is known since then at the latest.
func (s *Store) insertPast(db dbx.Builder, p Past) error {
	o, at := p.Order, stamp(p.Order.Created)
	row := orderColumns(o)
	fixed := dbx.Params{
		"id": o.ID, "no": o.No, "institution": o.Institution, "patient": o.Patient, "card_no": o.CardNo, "deposit_no": o.DepositNo,
		"amount": int64(o.Amount),
		"method": string(o.Method), "channel": o.Channel, "group": o.Group, "group_seq": o.GroupSeq, "debit_at": string(o.DebitAt),
		"notice_version":    p.Notice,
		"proxy_application": o.Proxy, "compensates": "", "original": jsonText(o.Original), "version": 0, "lease_until": "", "lease_owner": "",
		"created": at, "updated": at,
		"payee_name": vault.MaskName(o.Payee.Name), "payee_account": vault.MaskAccount(o.Payee.Account), "payee_type": string(o.Payee.Type),
		"notify_phone": vault.MaskPhone(p.Phone), "payee_index": "",
	}
	if o.Payee.Account != "" {
		fixed["payee_index"] = s.PayeeIndex(o.Payee.Account)
	}
	for k, v := range fixed {
		row[k] = v
	}
	for field, plain := range map[string]string{"payee_name": o.Payee.Name, "payee_account": o.Payee.Account, "notify_phone": p.Phone} {
		sealed, err := s.vault.Seal(vault.Person, vault.Place(collections.RefundOrders, field, o.ID), plain)
		if err != nil {
			return err
		}
		row[field+"_sealed"] = sealed
	}
	if _, err := db.Insert(collections.RefundOrders, row).Execute(); err != nil {
		return err
	}
	if err := putTerms(db, termPatient, o.Patient, s.phoneTerms(p.Phone)); err != nil {
		return err
	}
	if _, err := db.Update(collections.Patients, dbx.Params{"created": at},
		dbx.NewExp("id = {:id} AND created > {:at}", dbx.Params{"id": o.Patient, "at": at})).Execute(); err != nil {
		return err
	}
	return refunds.append(db, o.ID, o.Institution, []flow.Move{{
		To: refund.StatusSubmitted, Event: "order.submitted", By: people.By{Kind: people.ByPatient, ID: o.Patient},
	}}, p.Order.Created)
}
