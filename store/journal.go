package store

import (
	"context"
	"maps"

	"hospay/collections"
	"hospay/flow"
	"hospay/money"
	"hospay/refund"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/tools/types"
)

// journal is a table that keeps calls. Its columns have the names of the
// contract; the row is the same in all of them.
type journal struct {
	table            string
	no, theirs, done string // columns
	kind             bool   // it holds several kinds of calls
}

var (
	hisJournal    = journal{collections.HISCalls, "no", "his_no", "done_at", true}
	payoutJournal = journal{collections.TransferOrders, "out_bill_no", "channel_no", "paid_at", false}
)

type callRow struct {
	Attempt  int            `db:"attempt"`
	No       string         `db:"call_no"`
	Hash     string         `db:"hash"`
	Amount   int64          `db:"amount"`
	State    string         `db:"state"`
	Reported string         `db:"reported"`
	Theirs   string         `db:"theirs"`
	Code     string         `db:"code"`
	Message  string         `db:"message"`
	Doubt    bool           `db:"doubt"`
	Denied   int            `db:"denied"`
	Through  string         `db:"connection"`
	Sent     int            `db:"sent"`
	SentAt   types.DateTime `db:"sent_at"`
	Done     types.DateTime `db:"done"`
}

// last reads the newest call of an order, of a kind where the table holds
// several; further columns go into more. The row is nil when there is none.
func (j journal) last(ctx context.Context, db dbx.Builder, order, kind string, more any) (*flow.Call, error) {
	where := dbx.HashExp{"order": order}
	if j.kind {
		where["kind"] = kind
	}
	rows, err := db.Select("*", j.no+" AS call_no", j.theirs+" AS theirs", j.done+" AS done").From(j.table).Where(where).
		OrderBy("attempt DESC").Limit(1).WithContext(ctx).Rows()
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	if !rows.Next() {
		return nil, rows.Err()
	}
	var r callRow
	if err := rows.ScanStruct(&r); err != nil {
		return nil, err
	}
	if more != nil {
		if err := rows.ScanStruct(more); err != nil {
			return nil, err
		}
	}
	return r.call(kind), nil
}

func (r callRow) call(kind string) *flow.Call {
	return &flow.Call{
		Kind: kind, Attempt: r.Attempt, No: r.No, Hash: r.Hash, Amount: money.Fen(r.Amount), Connection: r.Through,
		State: flow.CallState(r.State), Reported: flow.Said(r.Reported),
		Theirs: r.Theirs, Code: r.Code, Message: r.Message, Doubt: r.Doubt, Denied: r.Denied, Sent: r.Sent, SentAt: r.SentAt.Time(),
		DoneAt: r.Done.Time(),
	}
}

// put writes a call under its number: what an intent fixes when it is new,
// else what has changed. Own and more are columns that only this table has.
func (j journal) put(db dbx.Builder, o flow.Order, c *flow.Call, own, more dbx.Params, at string) error {
	changing := dbx.Params{
		"state": string(c.State), "reported": string(c.Reported), j.theirs: clip(c.Theirs, 64), "code": clip(c.Code, 100),
		"message": clip(c.Message, 500),
		"doubt":   c.Doubt, "denied": c.Denied, "sent": c.Sent, "sent_at": stamp(c.SentAt), j.done: stamp(c.DoneAt), "updated": at,
	}
	maps.Copy(changing, more)
	fixed := dbx.Params{"order": o.ID, "institution": o.Institution, "attempt": c.Attempt, "amount": int64(c.Amount), "hash": c.Hash,
		"connection": c.Connection}
	if j.kind {
		fixed["kind"] = c.Kind
	}
	maps.Copy(fixed, own)
	return put(db, j.table, dbx.Params{j.no: c.No}, fixed, changing)
}

// taken reports whether the other side has given a number of its own to another
// call of the same kind. Another merchant or HIS counts by itself.
// More narrows a table that keeps one kind.
func (j journal) taken(ctx context.Context, db dbx.Builder, institution string, c *flow.Call, theirs string, more dbx.HashExp) (bool,
	error) {
	where := dbx.HashExp{"institution": institution, j.theirs: clip(theirs, 64), "connection": c.Connection}
	if j.kind {
		where["kind"] = c.Kind
	}
	maps.Copy(where, more)
	var n int
	filled := dbx.NewExp(j.theirs + " != ''") // the index holds nothing else
	err := db.Select("COUNT(*)").From(j.table).Where(dbx.And(where, filled, dbx.Not(dbx.HashExp{j.no: c.No}))).WithContext(ctx).Row(&n)
	return n > 0, err
}

// Taken implements refund.Store.
func (s *Store) Taken(ctx context.Context, o refund.Order, c *flow.Call, theirs string) (bool, error) {
	return takenOf(ctx, s.app.ConcurrentDB(), o, c, theirs)
}

func takenOf(ctx context.Context, db dbx.Builder, o refund.Order, c *flow.Call, theirs string) (bool, error) {
	if c.Kind == refund.CallPayout || c.Kind == "" {
		return payoutJournal.taken(ctx, db, o.Institution, c, theirs, dbx.HashExp{"channel": o.Channel})
	}
	return hisJournal.taken(ctx, db, o.Institution, c, theirs, nil)
}

// untaken refuses a change whose foreign number another call has got meanwhile.
func untaken(db dbx.Builder, c *refund.Change) error {
	for _, call := range c.Heard {
		used, err := takenOf(context.Background(), db, c.Order, call, call.Theirs)
		if err != nil {
			return err
		}
		if used && call.Theirs != "" {
			return flow.ErrConflict
		}
	}
	return nil
}

// put updates the row of a key, or inserts it when the key is new.
func put(db dbx.Builder, table string, key, fixed, changing dbx.Params) error {
	res, err := db.Update(table, changing, dbx.HashExp(key)).Execute()
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n > 0 {
		return err
	}
	row := dbx.Params{"id": newID(), "created": changing["updated"]}
	maps.Copy(row, key)
	maps.Copy(row, fixed)
	maps.Copy(row, changing)
	_, err = db.Insert(table, row).Execute()
	return conflictOnUnique(err)
}

// packageRow is what a transfer keeps for its payee's phone.
type packageRow struct {
	Package string         `db:"package"`
	Mch     string         `db:"package_mch"`
	App     string         `db:"package_app"`
	Expires types.DateTime `db:"expires_at"`
}

func lastTransfer(ctx context.Context, db dbx.Builder, order string) (*refund.Transfer, error) {
	var r packageRow
	c, err := payoutJournal.last(ctx, db, order, refund.CallPayout, &r)
	if c == nil || err != nil {
		return nil, err
	}
	return &refund.Transfer{Call: *c, Confirm: refund.Confirmation{MchID: r.Mch, AppID: r.App, Package: r.Package},
		ExpiresAt: r.Expires.Time()}, nil
}

// putCalls writes the journal rows of a change. The debit that a compensating
// order undoes is another order's.
func putCalls(db dbx.Builder, c *refund.Change, at string) error {
	for _, call := range []*flow.Call{c.Debit, c.Reversal} {
		if call == nil || (call == c.Debit && c.Order.Compensates != "") {
			continue
		}
		if err := hisJournal.put(db, c.Order.Order, call, nil, nil, at); err != nil {
			return err
		}
	}
	t := c.Transfer
	if t == nil {
		return nil
	}
	own := dbx.Params{"method": string(c.Order.Method), "channel": c.Order.Channel}
	more := dbx.Params{"package": t.Confirm.Package, "package_mch": t.Confirm.MchID, "package_app": t.Confirm.AppID,
		"expires_at": stamp(t.ExpiresAt)}
	return payoutJournal.put(db, c.Order.Order, &t.Call, own, more, at)
}
