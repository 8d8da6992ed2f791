package store

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"time"

	"hospay/collections"
	"hospay/flow"
	"hospay/internal/vault"
	"hospay/money"
	"hospay/people"
	"hospay/refund"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/tools/types"
)

// orderRow is a row of refund_orders as the Store reads it.
type orderRow struct {
	ID               string         `db:"id"`
	No               string         `db:"no"`
	Institution      string         `db:"institution"`
	Patient          string         `db:"patient"`
	CardNo           string         `db:"card_no"`
	DepositNo        string         `db:"deposit_no"`
	Amount           int64          `db:"amount"`
	Method           string         `db:"method"`
	Channel          string         `db:"channel"`
	Group            string         `db:"group"`
	GroupSeq         int            `db:"group_seq"`
	PayeeName        string         `db:"payee_name_sealed"`
	PayeeAccount     string         `db:"payee_account_sealed"`
	PayeeType        string         `db:"payee_type"`
	PayeeIndex       string         `db:"payee_index"`
	PayeeNameMask    string         `db:"payee_name"`
	PayeeAccountMask string         `db:"payee_account"`
	PhoneMask        string         `db:"notify_phone"`
	Original         types.JSONRaw  `db:"original"`
	DebitAt          string         `db:"debit_at"`
	Proxy            string         `db:"proxy_application"`
	Compensates      string         `db:"compensates"`
	Created          types.DateTime `db:"created"`
	Status           string         `db:"status"`
	Target           string         `db:"target"`
	SuspendedFrom    string         `db:"suspended_from"`
	Version          int64          `db:"version"`
	Tries            int            `db:"tries"`
	OpenSince        types.DateTime `db:"open_since"`
	NextAt           types.DateTime `db:"next_at"`
	LeaseUntil       types.DateTime `db:"lease_until"`
	CancelAsked      bool           `db:"cancel_asked"`
	Stage            string         `db:"stage"`
	ReviewMode       string         `db:"review_mode"`
	HISRefundNo      string         `db:"his_refund_no"`
	HISRefundAt      types.DateTime `db:"his_refund_date"`
	ChannelNo        string         `db:"channel_bill_no"`
	PaidAt           types.DateTime `db:"paid_at"`
	FailCode         string         `db:"fail_code"`
	FailReason       string         `db:"fail_reason"`
}

// work completes an order row with its opened payee and its journal rows.
func (s *Store) work(ctx context.Context, db dbx.Builder, r orderRow) (refund.Work, error) {
	o, err := s.order(r)
	if err != nil {
		return refund.Work{}, err
	}
	w := refund.Work{Order: o}
	debitOf := r.ID
	if r.Compensates != "" {
		debitOf = r.Compensates
	}
	if w.Debit, err = hisJournal.last(ctx, db, debitOf, refund.HISDebit, nil); err != nil {
		return w, err
	}
	if w.Reversal, err = hisJournal.last(ctx, db, r.ID, refund.HISReverse, nil); err != nil {
		return w, err
	}
	if refund.Machine.Final(o.Status) {
		if w.Contradicted, err = isContradicted(ctx, db, r.ID); err != nil {
			return w, err
		}
	}
	if o.Status == refund.StatusSuspense || w.Contradicted {
		if w.Proposal, err = refunds.openProposal(ctx, db, r.ID); err != nil {
			return w, err
		}
	}
	if o.Stage == refund.StageSecond {
		if w.First, err = firstReviewer(ctx, db, r.ID); err != nil {
			return w, err
		}
	}
	if w.Transfer, err = lastTransfer(ctx, db, r.ID); err != nil {
		return w, err
	}
	return w, firstConnections(ctx, db, &w)
}

func (s *Store) order(r orderRow) (refund.Order, error) {
	name, err := s.vault.Open(vault.Place(collections.RefundOrders, "payee_name", sealedID(r)), r.PayeeName)
	if err != nil {
		return refund.Order{}, err
	}
	account, err := s.vault.Open(vault.Place(collections.RefundOrders, "payee_account", sealedID(r)), r.PayeeAccount)
	if err != nil {
		return refund.Order{}, err
	}
	o := refund.Order{
		ID: r.ID, No: r.No, Institution: r.Institution, Patient: r.Patient, CardNo: r.CardNo, DepositNo: r.DepositNo,
		Amount: money.Fen(r.Amount), Method: refund.Method(r.Method), Channel: r.Channel, Group: r.Group, GroupSeq: r.GroupSeq,
		Payee:   refund.Payee{Account: account, Type: refund.AccountType(r.PayeeType), Name: name},
		DebitAt: refund.DebitAt(r.DebitAt), Proxy: r.Proxy, Compensates: r.Compensates, Created: r.Created.Time(),
		Status: refund.Status(r.Status), Target: refund.Status(r.Target), SuspendedFrom: refund.Status(r.SuspendedFrom), Version: r.Version,
		Tries: r.Tries, OpenSince: r.OpenSince.Time(), NextAt: r.NextAt.Time(), LeaseUntil: r.LeaseUntil.Time(), CancelAsked: r.CancelAsked,
		Stage: refund.ReviewStage(r.Stage), ReviewMode: r.ReviewMode, HISRefundNo: r.HISRefundNo, HISRefundAt: r.HISRefundAt.Time(),
		ChannelNo: r.ChannelNo, PaidAt: r.PaidAt.Time(),
		FailCode: r.FailCode, FailReason: r.FailReason,
	}
	if o.Method == refund.MethodOriginal && len(r.Original) > 0 && string(r.Original) != "null" {
		o.Original = &refund.Payment{}
		if err := json.Unmarshal(r.Original, o.Original); err != nil {
			return o, err
		}
	}
	return o, nil
}

// sealedID is the id that an order's sealed values are bound to; compensating
// orders carry over those of the order that they compensate.
func sealedID(r orderRow) string {
	if r.Compensates != "" {
		return r.Compensates
	}
	return r.ID
}

// orderColumns are the changeable columns of an order.
func orderColumns(o refund.Order) dbx.Params {
	set := refunds.head(o.Order)
	maps.Copy(set, dbx.Params{
		"target": string(o.Target), "cancel_asked": o.CancelAsked, "review_mode": o.ReviewMode, "stage": string(o.Stage),
		"his_refund_no": clip(o.HISRefundNo, 64), "his_refund_date": stamp(o.HISRefundAt), "channel_bill_no": clip(o.ChannelNo, 64),
		"paid_at": stamp(o.PaidAt),
	})
	return set
}

// insertCompensation writes the order that restores a returned payout. The
// unique index on compensates makes a repeat do nothing.
func (s *Store) insertCompensation(db dbx.Builder, o refund.Order, at time.Time) error {
	o.ID = newID()
	var original orderRow
	if err := db.Select("*").From(collections.RefundOrders).Where(dbx.HashExp{"id": o.Compensates}).One(&original); err != nil {
		return err
	}
	row := orderColumns(o)
	fixed := dbx.Params{
		"id": o.ID, "no": o.No, "institution": o.Institution, "patient": o.Patient, "card_no": o.CardNo, "deposit_no": o.DepositNo,
		"amount": int64(o.Amount), "method": string(o.Method), "channel": o.Channel, "compensates": o.Compensates, "proxy_application": o.Proxy,
		"debit_at":          string(o.DebitAt),
		"payee_name_sealed": original.PayeeName, "payee_account_sealed": original.PayeeAccount, "payee_type": original.PayeeType,
		"payee_index": original.PayeeIndex, "original": string(original.Original), "created": stamp(at), "updated": stamp(at), "version": 0,
		"payee_name": original.PayeeNameMask, "payee_account": original.PayeeAccountMask, "notify_phone": original.PhoneMask,
	}
	for k, v := range fixed {
		row[k] = v
	}
	_, err := db.Insert(collections.RefundOrders, row).Execute()
	if isUnique(err) {
		return nil
	}
	if err != nil {
		return err
	}
	return refunds.append(db, o.ID, o.Institution, []flow.Move{{
		To: refund.StatusReversing, Event: "order.compensates", By: people.System(), Code: string(refund.CodePayoutReturned),
	}}, at)
}

func jsonText(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return "null"
	}
	return string(b)
}

// Event is a row of an order's history.
type Event struct {
	Seq       int            `db:"seq"`
	From      string         `db:"from"`
	To        string         `db:"to"`
	Event     string         `db:"event"`
	ActorKind string         `db:"actor_kind"`
	Actor     string         `db:"actor"`
	Code      string         `db:"code"`
	Message   string         `db:"message"`
	Hash      string         `db:"hash"`
	Created   types.DateTime `db:"created"`
}

// Events returns an order's history in its order.
func (s *Store) Events(ctx context.Context, order string) ([]Event, error) {
	return refunds.history(ctx, s.app.ConcurrentDB(), order)
}

func (o orders) history(ctx context.Context, db dbx.Builder, order string) ([]Event, error) {
	var events []Event
	err := db.Select("*").From(o.Events).Where(dbx.HashExp{"order": order}).OrderBy("seq").WithContext(ctx).
		All(&events)
	if err == nil && len(events) > 0 && events[0].Seq != 1 { // the others lie where nobody can read them
		err = flow.NewError(CodeArchiveMissing, "")
	}
	return events, err
}

// EventArchiveMissing stands where a history begins of which the archive is missing.
const EventArchiveMissing = "archive.missing"

// Workable is a history for those who work on an order: they go on with what is there,
// and are told that it does not begin at its beginning.
func Workable(events []Event, err error) ([]Event, error) {
	if flow.CodeOf(err) == CodeArchiveMissing {
		return slices.Insert(events, 0, Event{Event: EventArchiveMissing}), nil
	}
	return events, err
}

// CodeArchiveMissing: what is asked for lies in the archive of a former year, which
// is not where it belongs.
const CodeArchiveMissing flow.Code = "archive_missing"
