package books

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"hospay/collections"
	"hospay/money"
	"hospay/reconcile"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/types"
)

// The states of a difference.
const (
	Open     = "open"
	Proposed = "proposed" // a verb waits for the second person
	Resolved = "resolved"
	Carried  = "carried" // waits for another day: the neighbouring day's files, the payee, or after a month was closed
)

// KindLate is the item of a bill that came after its month was closed.
const KindLate = "late"

// verbAuto closes a difference that a run no longer finds, or finds whole
// across midnight.
const verbAuto = "auto"

// Difference is an order on which the books of a day do not agree.
type Difference struct {
	ID             string                  `db:"id"`
	Institution    string                  `db:"institution"`
	Ledger         Ledger                  `db:"ledger"`
	Day            string                  `db:"day"`
	Key            string                  `db:"key"`
	Live           bool                    `db:"live"` // the last run holds it
	Order          string                  `db:"order"`
	Kind           string                  `db:"kind"`
	Also           types.JSONArray[string] `db:"also"`
	OrderNo        string                  `db:"order_no"`
	BillNo         string                  `db:"out_bill_no"`
	HISNo          string                  `db:"his_refund_no"`
	Channel        string                  `db:"channel"`
	Method         string                  `db:"method"`
	Explain        string                  `db:"explain"`
	Sign           string                  `db:"sign"`
	Amount         int64                   `db:"amount"`
	State          string                  `db:"state"`
	Verb           string                  `db:"verb"`
	Owner          string                  `db:"owner"`
	With           string                  `db:"with"`
	Fingerprint    string                  `db:"fingerprint"`
	ProposedBy     string                  `db:"proposed_by"`
	Opened         types.DateTime          `db:"opened"`
	Due            types.DateTime          `db:"sla_due"`
	ResolvedAt     types.DateTime          `db:"resolved_at"`
	PlatformAmount int64                   `db:"platform_amount"`
	PlatformState  string                  `db:"platform_state"`
	PlatformAt     types.DateTime          `db:"platform_at"`
	PlatformDay    int64                   `db:"platform_day"`
	ChannelAmount  int64                   `db:"channel_amount"`
	ChannelState   string                  `db:"channel_state"`
	ChannelAt      types.DateTime          `db:"channel_at"`
	ChannelDay     int64                   `db:"channel_day"`
	HISAmount      int64                   `db:"his_amount"`
	HISState       string                  `db:"his_state"`
	HISAt          types.DateTime          `db:"his_at"`
	HISDay         int64                   `db:"his_day"`
}

// pending reports whether HIS has debited an order that is still under way and
// that no channel has paid.
func pending(o reconcile.Order) bool {
	p, c, h := o.Books[reconcile.Platform], o.Books[reconcile.Channel], o.Books[reconcile.HIS]
	return p != nil && p.Status == reconcile.Pending && c == nil && h != nil && h.Status == reconcile.Succeeded
}

// kindOfOrder is the engine's kind; an order under way is one that waits for
// another day.
func kindOfOrder(o reconcile.Order) reconcile.Kind {
	if o.Kind != reconcile.None && pending(o) {
		return reconcile.DayCut
	}
	return o.Kind
}

// settled reports whether an order across midnight is whole: the channel paid
// what the platform says, and HIS has the same, or has it in the run of the
// day to which the platform dates the order.
func settled(o reconcile.Order) bool {
	p, c, h := o.Books[reconcile.Platform], o.Books[reconcile.Channel], o.Books[reconcile.HIS]
	if o.Kind != reconcile.DayCut || p == nil || c == nil || p.Count != 1 || c.Count != 1 || p.Amount != c.Amount {
		return false
	}
	if h == nil {
		return p.OnDay.Count == 0
	}
	return h.Count == 1 && h.Amount == p.Amount
}

// keyOf names an order within its day, among those of all ledgers.
func (r Run) keyOf(o reconcile.Order) string {
	if r.Ledger == Deposits {
		return cmp.Or(o.OrderNo, "bill:"+o.BillNo)
	}
	if r.Ledger == Insurance { // one order may be settled and go back on a day
		return clip("insurance:"+cmp.Or(o.BillNo, o.OrderNo), 80)
	}
	return clip("payments:"+cmp.Or(o.OrderNo, o.BillNo), 80)
}

// columns are what a run says about an order.
func columns(o reconcile.Order) dbx.Params {
	kind, explain, also := kindOfOrder(o), o.Explain, []string{}
	for _, k := range o.Also {
		also = append(also, k.String())
	}
	if pending(o) {
		explain = "HIS 已扣减预交金，退款还在办理（多半等患者确认收款）；付出之后归入付款那一天，未付成则由系统在 HIS 撤销，两种情形都会自动了结。"
		if ofPayment(o) {
			explain = "HIS 已记账，平台还在向渠道确认这笔；确认之后归入付款那一天，自动了结；确认不了的转到挂账，由人处理。"
		}
	}
	row := dbx.Params{"kind": kind.String(), "also": jsonText(also), "order_no": o.OrderNo, "out_bill_no": clip(o.BillNo, 64),
		"his_refund_no": clip(o.HISNo, 64), "explain": clip(explain, 1000), "live": true}
	largest := money.Fen(0)
	for _, b := range reconcile.Books {
		e, name := o.Books[b], b.String()
		row[name+"_amount"], row[name+"_state"], row[name+"_at"], row[name+"_day"] = 0, "", "", 0
		if e == nil {
			continue
		}
		row[name+"_amount"], row[name+"_state"], row[name+"_at"], row[name+"_day"] = int64(e.Amount), e.Status.String(),
			stamp(time.Unix(e.At, 0)), int64(e.OnDay.Amount)
		largest = max(largest, e.Amount)
		if row["channel"] == nil || row["channel"] == "" {
			row["channel"], row["method"] = e.Channel, e.Method
		}
	}
	row["sign"], row["amount"] = "", int64(largest)
	switch {
	case o.Gap > 0:
		row["sign"], row["amount"] = "overage", int64(o.Gap)
	case o.Gap < 0:
		row["sign"], row["amount"] = "shortage", int64(-o.Gap)
	}
	row["fingerprint"] = fingerprint(row)
	return row
}

// fingerprint covers what a person decides about; the sentence is not part.
func fingerprint(row dbx.Params) string {
	var b strings.Builder
	for _, k := range []string{"kind", "also", "order_no", "out_bill_no", "his_refund_no", "channel", "method", "sign", "amount"} {
		fmt.Fprintf(&b, "%v\x00", row[k])
	}
	for _, book := range reconcile.Books {
		for _, k := range []string{"_amount", "_state", "_at", "_day"} {
			fmt.Fprintf(&b, "%v\x00", row[book.String()+k])
		}
	}
	sum := sha256.Sum256([]byte(b.String()))
	return hex.EncodeToString(sum[:16])
}

// waiting is the state of a difference that nobody has worked off.
func waiting(kind string) string {
	if kind == reconcile.DayCut.String() {
		return Carried
	}
	return Open
}

// merge brings the day's differences to what the run found. What is as it was
// stays as it is, whatever people have decided about it; what has changed or
// come back is open again; what is gone is closed.
func (s *Service) merge(tx core.App, run Run, found []reconcile.Order, days int, now time.Time) error {
	had, err := differencesOf(tx.DB(), run)
	if err != nil {
		return err
	}
	for _, o := range found {
		row := columns(o)
		d, known := had[run.keyOf(o)]
		delete(had, run.keyOf(o))
		if !known {
			err = insertDifference(tx.DB(), run, o, row, days, now)
		} else {
			err = renew(tx.DB(), d, row, settled(o), now)
		}
		if err != nil {
			return err
		}
	}
	gone := map[string]bool{}
	for _, d := range had {
		gone[d.ID] = true
	}
	for _, d := range had {
		if d.Kind == KindLate || (!d.Live && d.State == Resolved) {
			continue
		}
		if err := vanish(tx.DB(), d, gone[d.With], now); err != nil {
			return err
		}
	}
	return nil
}

func differencesOf(db dbx.Builder, run Run) (map[string]Difference, error) {
	var rows []Difference
	err := db.Select("*").From(collections.Differences).
		Where(dbx.HashExp{"institution": run.Institution, "ledger": run.Ledger, "day": run.Day}).All(&rows)
	out := make(map[string]Difference, len(rows))
	for _, d := range rows {
		out[d.Key] = d
	}
	return out, err
}

func insertDifference(db dbx.Builder, run Run, o reconcile.Order, row dbx.Params, days int, now time.Time) error {
	id := newID()
	for k, v := range map[string]any{
		"id": id, "institution": run.Institution, "ledger": run.Ledger, "day": run.Day, "key": run.keyOf(o),
		"state": waiting(row["kind"].(string)), "opened": stamp(now),
		"sla_due": stamp(now.AddDate(0, 0, days)),
		"created": stamp(now), "updated": stamp(now), "order": "",
	} {
		row[k] = v
	}
	if settled(o) {
		row["state"], row["verb"], row["resolved_at"] = Resolved, verbAuto, stamp(now)
	}
	order, err := run.orderOf(db, o.OrderNo)
	if err != nil {
		return err
	}
	row["order"] = order
	if _, err := db.Insert(collections.Differences, row).Execute(); err != nil || !settled(o) {
		return err
	}
	return remember(db, run.Institution, id, act{Act: "auto", Verb: verbAuto, Reason: "相邻日的账单里有这一笔，跨日两边相符"}, nil, row, now)
}

// orderOf is the record of an order's number: of what went back of a payment, the
// payment.
func (r Run) orderOf(db dbx.Builder, no string) (string, error) {
	tables := map[Ledger][][2]string{Deposits: {{collections.RefundOrders, "id"}},
		Payments:  {{collections.PaymentOrders, "id"}, {collections.PaymentRefunds, "order"}},
		Insurance: {{collections.PaymentOrders, "id"}}}
	for _, t := range tables[r.Ledger] {
		var order []string
		err := db.Select(t[1]).From(t[0]).Where(dbx.HashExp{"no": no, "institution": r.Institution}).Limit(1).Column(&order)
		if no == "" || err != nil || len(order) > 0 {
			return strings.Join(order, ""), err
		}
	}
	return "", nil
}

// renew brings a known difference to what the run says of it.
func renew(db dbx.Builder, d Difference, row dbx.Params, whole bool, now time.Time) error {
	same := d.Fingerprint == row["fingerprint"]
	state, note := waiting(row["kind"].(string)), act{Act: "changed", Reason: "账本有变化，重新核对"}
	switch {
	case whole && d.State == Resolved && same && d.Live:
		return nil
	case whole:
		state, note = Resolved, act{Act: "auto", Verb: verbAuto, Reason: "相邻日的账单里有这一笔，跨日两边相符"}
	case same && d.Live && (d.State != Resolved || d.Verb != verbAuto):
		return nil
	case same && d.State == Resolved && d.Verb != verbAuto: // people have decided about exactly this
		_, err := db.Update(collections.Differences, dbx.Params{"live": true, "updated": stamp(now)}, dbx.HashExp{"id": d.ID}).Execute()
		return err
	case d.State == Resolved:
		note = act{Act: "reopen", Reason: "对账再次发现这笔差异"}
	}
	row["state"], row["verb"], row["resolved_at"], row["with"], row["proposed_by"], row["updated"] = state, note.Verb, "", "", "", stamp(now)
	if state == Resolved {
		row["resolved_at"] = stamp(now)
	}
	if err := release(db, d, now); err != nil {
		return err
	}
	if _, err := db.Update(collections.Differences, row, dbx.HashExp{"id": d.ID}).Execute(); err != nil {
		return err
	}
	return remember(db, d.Institution, d.ID, note, d.facts(), row, now)
}

// vanish closes a difference that the books no longer hold. What people have
// decided stays, but for a rematch whose other half is not gone as well: nothing
// is left that makes up for it.
func vanish(db dbx.Builder, d Difference, both bool, now time.Time) error {
	row := dbx.Params{"live": false, "updated": stamp(now)}
	if d.State == Resolved && (d.With == "" || both) {
		_, err := db.Update(collections.Differences, row, dbx.HashExp{"id": d.ID}).Execute()
		return err
	}
	if err := release(db, d, now); err != nil {
		return err
	}
	row["state"], row["verb"], row["resolved_at"], row["with"], row["proposed_by"] = Resolved, verbAuto, stamp(now), "", ""
	if _, err := db.Update(collections.Differences, row, dbx.HashExp{"id": d.ID}).Execute(); err != nil {
		return err
	}
	return remember(db, d.Institution, d.ID, act{Act: "auto", Verb: verbAuto, Reason: "三方已经一致"}, d.facts(), row, now)
}

// facts are what history keeps of a difference.
func (d Difference) facts() map[string]any {
	return map[string]any{
		"state": d.State, "kind": d.Kind, "verb": d.Verb, "owner": d.Owner, "amount": d.Amount, "sign": d.Sign,
		"platform_amount": d.PlatformAmount, "platform_state": d.PlatformState,
		"channel_amount": d.ChannelAmount, "channel_state": d.ChannelState, "his_amount": d.HISAmount, "his_state": d.HISState,
	}
}

// act is one entry of a difference's history.
type act struct {
	Act, Verb, Reason, With string
	By                      Actor
}

// remember appends to the history, with what has changed.
func remember(db dbx.Builder, inst, id string, a act, before map[string]any, after dbx.Params, now time.Time) error {
	kept := map[string]any{}
	for _, k := range []string{"state", "kind", "verb", "owner", "amount", "sign", "platform_amount", "platform_state", "channel_amount",
		"channel_state", "his_amount", "his_state"} {
		if v, ok := after[k]; ok {
			kept[k] = v
		}
	}
	_, err := db.Insert(collections.Resolutions, dbx.Params{
		"id": newID(), "institution": inst, "difference": id, "act": a.Act, "verb": a.Verb, "reason": clip(a.Reason, 500), "by": a.By.ID,
		"person": a.By.Person, "with": a.With,
		"before": jsonText(before), "after": jsonText(kept), "created": stamp(now),
	}).Execute()
	return err
}

// lateItem puts a bill of a closed month on the first day that is open.
func (s *Service) lateItem(tx core.App, st Statement) error {
	set, err := s.settings(context.Background(), st.Institution)
	if err != nil {
		return err
	}
	day, err := nextOpenDay(tx.DB(), st.Institution, st.Day)
	if err != nil {
		return err
	}
	now := s.now()
	id := newID()
	row := dbx.Params{
		"id": id, "institution": st.Institution, "ledger": st.ledger(), "day": day, "key": "late:" + st.ID, "live": false, "kind": KindLate,
		"also":    "[]",
		"channel": st.Source, "state": Open, "amount": st.Amount,
		"explain": fmt.Sprintf("%s 的账单（%s）在月结之后才到：%d 行，合计 %s。该月已结，如须按它重新对账，请两人重开该月；否则说明原因后了结。", st.Day, st.Form, st.Lines, money.Fen(st.Amount)),
		"opened":  stamp(now), "sla_due": stamp(now.AddDate(0, 0, set.Days)), "created": stamp(now), "updated": stamp(now), "fingerprint": st.ID,
	}
	_, err = tx.DB().Insert(collections.Differences, row).Execute()
	return err
}
