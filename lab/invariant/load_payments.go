package invariant

import (
	"fmt"

	"github.com/pocketbase/dbx"
)

// loadPayments reads the payments with their journals, refunds and histories.
func loadPayments(db dbx.Builder) ([]Payment, error) {
	var rows []struct {
		Payment
		Secrets string `db:"secrets_sealed"`
	}
	err := db.NewQuery("SELECT id, no, bill_no AS bill, card_no AS card, status, insurance_state AS insurance, cash_state, suspended_from, " +
		"fail_code, insured, total, fund, account, account_own AS own, account_family AS family, cash, other, cash_added AS added, " +
		"cash_reduced AS reduced, cash_back, out_trade_no AS trade_no, secrets_sealed FROM payment_orders ORDER BY created, no").All(&rows)
	if err != nil {
		return nil, err
	}
	out, at := make([]Payment, len(rows)), map[string]*Payment{}
	for i, r := range rows {
		out[i] = r.Payment
		out[i].Secrets = r.Secrets != ""
		at[r.ID] = &out[i]
	}
	for _, load := range []func(dbx.Builder, map[string]*Payment) error{loadPaymentCalls, loadPaymentRefunds, loadPaymentEvents} {
		if err := load(db, at); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func loadPaymentCalls(db dbx.Builder, at map[string]*Payment) error {
	var rows []struct {
		callRow
		Attempt int `db:"attempt"`
	}
	err := db.NewQuery("SELECT `order`, kind, attempt, no, amount, state, created FROM payment_calls ORDER BY created, attempt").All(&rows)
	if err != nil {
		return err
	}
	for _, r := range rows {
		p := at[r.Order]
		if p == nil {
			return fmt.Errorf("payment_calls %s belongs to no order", r.No)
		}
		p.Calls = append(p.Calls, PaymentCall{Call: r.call(), Kind: r.Kind, Attempt: r.Attempt})
	}
	return nil
}

func loadPaymentRefunds(db dbx.Builder, at map[string]*Payment) error {
	var rows []struct {
		Order string `db:"order"`
		PaymentRefund
	}
	err := db.NewQuery("SELECT `order`, seq, kind, state, by_itself, told, fund, account, cash FROM payment_refunds " +
		"ORDER BY `order`, seq").All(&rows)
	if err != nil {
		return err
	}
	for _, r := range rows {
		p := at[r.Order]
		if p == nil {
			return fmt.Errorf("payment_refunds of %s belong to no order", r.Order)
		}
		p.Refunds = append(p.Refunds, r.PaymentRefund)
	}
	return nil
}

func loadPaymentEvents(db dbx.Builder, at map[string]*Payment) error {
	var rows []eventRow
	if err := db.NewQuery("SELECT * FROM payment_events ORDER BY `order`, seq").All(&rows); err != nil {
		return err
	}
	for _, r := range rows {
		p := at[r.Order]
		if p == nil {
			return fmt.Errorf("payment_events of %s belong to no order", r.Order)
		}
		p.ByHand = p.ByHand || byHand(r.Event)
		p.Events = append(p.Events, r.follows(p.Events))
	}
	return nil
}
