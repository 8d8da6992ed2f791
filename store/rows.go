package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"hospay/collections"
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

type hisCallRow struct {
	Kind    string         `db:"kind"`
	Attempt int            `db:"attempt"`
	No      string         `db:"no"`
	Hash    string         `db:"hash"`
	Amount  int64          `db:"amount"`
	State   string         `db:"state"`
	HISNo   string         `db:"his_no"`
	Told    string         `db:"reported"`
	Code    string         `db:"code"`
	Message string         `db:"message"`
	Sent    int            `db:"sent"`
	SentAt  types.DateTime `db:"sent_at"`
	DoneAt  types.DateTime `db:"done_at"`
}

type transferRow struct {
	Attempt    int            `db:"attempt"`
	No         string         `db:"out_bill_no"`
	Hash       string         `db:"hash"`
	Amount     int64          `db:"amount"`
	State      string         `db:"state"`
	Reported   string         `db:"reported"`
	ChannelNo  string         `db:"channel_no"`
	Code       string         `db:"code"`
	Message    string         `db:"message"`
	Doubt      bool           `db:"doubt"`
	Sent       int            `db:"sent"`
	SentAt     types.DateTime `db:"sent_at"`
	PaidAt     types.DateTime `db:"paid_at"`
	Package    string         `db:"package"`
	PackageMch string         `db:"package_mch"`
	PackageApp string         `db:"package_app"`
	ExpiresAt  types.DateTime `db:"expires_at"`
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
	if w.Debit, err = lastHISCall(ctx, db, debitOf, refund.HISDebit); err != nil {
		return w, err
	}
	if w.Reversal, err = lastHISCall(ctx, db, r.ID, refund.HISReverse); err != nil {
		return w, err
	}
	if o.Status == refund.StatusSuspense {
		if w.Proposal, err = openProposal(ctx, db, r.ID); err != nil {
			return w, err
		}
	}
	if o.Stage == refund.StageSecond {
		if w.First, err = firstReviewer(ctx, db, r.ID); err != nil {
			return w, err
		}
	}
	w.Transfer, err = lastTransfer(ctx, db, r.ID)
	return w, err
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
		Stage: refund.ReviewStage(r.Stage), ReviewMode: r.ReviewMode, HISRefundNo: r.HISRefundNo, HISRefundAt: r.HISRefundAt.Time(), ChannelNo: r.ChannelNo, PaidAt: r.PaidAt.Time(),
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
	return dbx.Params{
		"status": string(o.Status), "target": string(o.Target), "suspended_from": string(o.SuspendedFrom), "tries": o.Tries,
		"open_since": stamp(o.OpenSince), "next_at": stamp(o.NextAt), "cancel_asked": o.CancelAsked, "review_mode": o.ReviewMode, "stage": string(o.Stage),
		"his_refund_no": clip(o.HISRefundNo, 64), "his_refund_date": stamp(o.HISRefundAt), "channel_bill_no": clip(o.ChannelNo, 64),
		"paid_at": stamp(o.PaidAt), "fail_code": clip(o.FailCode, 100), "fail_reason": clip(o.FailReason, 500),
	}
}

func lastHISCall(ctx context.Context, db dbx.Builder, order, kind string) (*refund.HISCall, error) {
	var r hisCallRow
	err := db.Select("*").From(collections.HISCalls).Where(dbx.HashExp{"order": order, "kind": kind}).OrderBy("attempt DESC").Limit(1).WithContext(ctx).One(&r)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return &refund.HISCall{
		Kind: r.Kind, Attempt: r.Attempt, No: r.No, Hash: r.Hash, Amount: money.Fen(r.Amount), State: refund.CallState(r.State), HISNo: r.HISNo, Reported: refund.HISState(r.Told),
		Code: r.Code, Message: r.Message, Sent: r.Sent, SentAt: r.SentAt.Time(), DoneAt: r.DoneAt.Time(),
	}, err
}

func lastTransfer(ctx context.Context, db dbx.Builder, order string) (*refund.Transfer, error) {
	var r transferRow
	err := db.Select("*").From(collections.TransferOrders).Where(dbx.HashExp{"order": order}).OrderBy("attempt DESC").Limit(1).WithContext(ctx).One(&r)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return &refund.Transfer{
		Attempt: r.Attempt, No: r.No, Hash: r.Hash, Amount: money.Fen(r.Amount), State: refund.CallState(r.State), Reported: refund.PayoutState(r.Reported),
		ChannelNo: r.ChannelNo, Code: r.Code, Message: r.Message, Doubt: r.Doubt, Sent: r.Sent, SentAt: r.SentAt.Time(), PaidAt: r.PaidAt.Time(),
		Confirm: refund.Confirmation{MchID: r.PackageMch, AppID: r.PackageApp, Package: r.Package}, ExpiresAt: r.ExpiresAt.Time(),
	}, err
}

func putHISCall(db dbx.Builder, o refund.Order, c *refund.HISCall, at time.Time) error {
	changing := dbx.Params{
		"state": string(c.State), "reported": string(c.Reported), "his_no": clip(c.HISNo, 64), "code": clip(c.Code, 100), "message": clip(c.Message, 500), "sent": c.Sent,
		"sent_at": stamp(c.SentAt), "done_at": stamp(c.DoneAt), "updated": stamp(at),
	}
	fixed := dbx.Params{"order": o.ID, "institution": o.Institution, "kind": c.Kind, "attempt": c.Attempt, "no": c.No, "amount": int64(c.Amount), "hash": c.Hash}
	return put(db, collections.HISCalls, dbx.HashExp{"no": c.No}, fixed, changing)
}

func putTransfer(db dbx.Builder, o refund.Order, t *refund.Transfer, at time.Time) error {
	changing := dbx.Params{
		"state": string(t.State), "reported": string(t.Reported), "channel_no": clip(t.ChannelNo, 64), "code": clip(t.Code, 100), "message": clip(t.Message, 500),
		"doubt": t.Doubt, "sent": t.Sent, "sent_at": stamp(t.SentAt), "paid_at": stamp(t.PaidAt), "package": t.Confirm.Package,
		"package_mch": t.Confirm.MchID, "package_app": t.Confirm.AppID, "expires_at": stamp(t.ExpiresAt), "updated": stamp(at),
	}
	fixed := dbx.Params{
		"order": o.ID, "institution": o.Institution, "attempt": t.Attempt, "out_bill_no": t.No, "method": string(o.Method), "channel": o.Channel,
		"amount": int64(t.Amount), "hash": t.Hash,
	}
	return put(db, collections.TransferOrders, dbx.HashExp{"out_bill_no": t.No}, fixed, changing)
}

// put updates the row of a number, or inserts it when the number is new.
func put(db dbx.Builder, table string, key dbx.HashExp, fixed, changing dbx.Params) error {
	res, err := db.Update(table, changing, key).Execute()
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n > 0 {
		return err
	}
	row := dbx.Params{"id": newID(), "created": changing["updated"]}
	for k, v := range fixed {
		row[k] = v
	}
	for k, v := range changing {
		row[k] = v
	}
	_, err = db.Insert(table, row).Execute()
	return conflictOnUnique(err)
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
		"amount": int64(o.Amount), "method": string(o.Method), "channel": o.Channel, "compensates": o.Compensates, "proxy_application": o.Proxy, "debit_at": string(o.DebitAt),
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
	return appendEvents(db, o.ID, o.Institution, []refund.Move{{
		To: refund.StatusReversing, Event: "order.compensates", By: people.By{Kind: people.BySystem}, Code: string(refund.CodePayoutReturned),
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
	var events []Event
	err := s.app.ConcurrentDB().Select("*").From(collections.RefundEvents).Where(dbx.HashExp{"order": order}).OrderBy("seq").WithContext(ctx).All(&events)
	return events, err
}
