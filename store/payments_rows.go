package store

import (
	"context"
	"encoding/json"
	"maps"

	"hospay/collections"
	"hospay/flow"
	"hospay/internal/vault"
	"hospay/money"
	"hospay/payment"
	"hospay/people"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/tools/types"
)

// paymentRow is a row of payment_orders.
type paymentRow struct {
	ID            string         `db:"id"`
	No            string         `db:"no"`
	Institution   string         `db:"institution"`
	Patient       string         `db:"patient"`
	Kind          string         `db:"kind"`
	BillNo        string         `db:"bill_no"`
	CardNo        string         `db:"card_no"`
	Title         string         `db:"title"`
	Channel       string         `db:"channel"`
	Terminal      string         `db:"terminal"`
	Kiosk         string         `db:"kiosk"`
	Insured       bool           `db:"insured"`
	Area          string         `db:"area"`
	Insutype      string         `db:"insutype"`
	MedType       string         `db:"med_type"`
	Total         int64          `db:"total"`
	Fund          int64          `db:"fund"`
	Account       int64          `db:"account"`
	Own           int64          `db:"account_own"`
	Family        int64          `db:"account_family"`
	Cash          int64          `db:"cash"`
	Other         int64          `db:"other"`
	HospitalPart  int64          `db:"hospital_part"`
	Deposit       int64          `db:"deposit"`
	Delivery      int64          `db:"delivery"`
	Added         int64          `db:"cash_added"`
	Reduced       int64          `db:"cash_reduced"`
	CashBack      int64          `db:"cash_back"`
	Status        string         `db:"status"`
	Insurance     string         `db:"insurance_state"`
	CashLeg       string         `db:"cash_state"`
	PayOrdID      string         `db:"pay_ord_id"`
	MedOrgOrd     string         `db:"med_org_ord"`
	Batch         string         `db:"charge_batch"`
	MdtrtID       string         `db:"mdtrt_id"`
	FeeType       string         `db:"fee_type"`
	TradeNo       string         `db:"out_trade_no"`
	MixNo         string         `db:"mix_trade_no"`
	ChannelNo     string         `db:"channel_no"`
	SetlID        string         `db:"setl_id"`
	ReceiptNo     string         `db:"receipt_no"`
	Guide         string         `db:"guide"`
	PaidAt        types.DateTime `db:"paid_at"`
	SettledAt     types.DateTime `db:"settled_at"`
	WrittenAt     types.DateTime `db:"written_at"`
	InsBackAt     types.DateTime `db:"insurance_back_at"`
	CashGoneAt    types.DateTime `db:"cash_gone_at"`
	ExpiresAt     types.DateTime `db:"expires_at"`
	FailCode      string         `db:"fail_code"`
	FailReason    string         `db:"fail_reason"`
	Target        string         `db:"target"`
	SuspendedFrom string         `db:"suspended_from"`
	BackKind      string         `db:"back_kind"`
	BackAt        types.DateTime `db:"back_at"`
	CancelWish    bool           `db:"cancel_wish"`
	Agreed        bool           `db:"agreed"`
	GiveBack      bool           `db:"give_back"`
	Secrets       string         `db:"secrets_sealed"`
	Settlement    string         `db:"settlement_sealed"`
	Version       int64          `db:"version"`
	Tries         int            `db:"tries"`
	OpenSince     types.DateTime `db:"open_since"`
	NextAt        types.DateTime `db:"next_at"`
	LeaseUntil    types.DateTime `db:"lease_until"`
	Created       types.DateTime `db:"created"`
}

func (r paymentRow) order() payment.Order {
	o := payment.Order{
		Patient: r.Patient, Kind: payment.Kind(r.Kind), BillNo: r.BillNo, CardNo: r.CardNo, Title: r.Title, Channel: r.Channel,
		Terminal: payment.Terminal(r.Terminal), Kiosk: r.Kiosk, Created: r.Created.Time(), Insured: r.Insured, Area: r.Area, Insutype: r.Insutype,
		MedType: r.MedType,
		Split: payment.Split{Total: money.Fen(r.Total), Fund: money.Fen(r.Fund), Account: money.Fen(r.Account), Cash: money.Fen(r.Cash),
			Other: money.Fen(r.Other), Own: money.Fen(r.Own), Family: money.Fen(r.Family), HospitalPart: money.Fen(r.HospitalPart),
			Deposit: money.Fen(r.Deposit), Delivery: money.Fen(r.Delivery)},
		Added: money.Fen(r.Added), Reduced: money.Fen(r.Reduced), CashBack: money.Fen(r.CashBack),
		Insurance: payment.InsuranceState(r.Insurance), CashLeg: payment.CashState(r.CashLeg), ExpiresAt: r.ExpiresAt.Time(),
		Target: payment.Status(r.Target), CancelWish: r.CancelWish, Agreed: r.Agreed, GiveBack: r.GiveBack,
		BackKind: payment.BackKind(r.BackKind),
		BackAt:   r.BackAt.Time(), MedOrgOrd: r.MedOrgOrd, PayOrdID: r.PayOrdID, Batch: r.Batch, MdtrtID: r.MdtrtID, FeeType: r.FeeType,
		TradeNo: r.TradeNo, MixNo: r.MixNo, ChannelNo: r.ChannelNo, SettledAt: r.SettledAt.Time(), PaidAt: r.PaidAt.Time(),
		ReceiptNo: r.ReceiptNo, Guide: r.Guide, WrittenAt: r.WrittenAt.Time(),
		InsBackAt: r.InsBackAt.Time(), CashGoneAt: r.CashGoneAt.Time(),
	}
	o.Order = flow.Order{ID: r.ID, No: r.No, Institution: r.Institution, Status: payment.Status(r.Status),
		SuspendedFrom: payment.Status(r.SuspendedFrom), Version: r.Version, Tries: r.Tries, OpenSince: r.OpenSince.Time(),
		NextAt: r.NextAt.Time(), LeaseUntil: r.LeaseUntil.Time(), FailCode: r.FailCode, FailReason: r.FailReason}
	return o
}

// columns are the changeable columns of an order, with what is sealed.
func (p *Payments) columns(o payment.Order) (dbx.Params, error) {
	secrets, err := p.seal(vault.Person, "secrets", o.ID, o.Secrets, o.Secrets == payment.Secrets{})
	if err != nil {
		return nil, err
	}
	told := o.Settlement
	none := told.Time == "" && told.SetlID == "" && told.DocSn == "" && len(told.Info) == 0
	settlement, err := p.seal(vault.Person, "settlement", o.ID, told, none)
	if err != nil {
		return nil, err
	}
	set := payments.head(o.Order)
	maps.Copy(set, dbx.Params{
		"insutype": clip(o.Insutype, 10), "med_type": clip(o.MedType, 10), "fund": int64(o.Fund), "account": int64(o.Account),
		"account_own": int64(o.Own), "account_family": int64(o.Family), "cash": int64(o.Cash), "other": int64(o.Other),
		"hospital_part": int64(o.HospitalPart), "deposit": int64(o.Deposit), "delivery": int64(o.Delivery), "cash_added": int64(o.Added),
		"cash_reduced": int64(o.Reduced), "cash_back": int64(o.CashBack), "insurance_state": string(o.Insurance), "cash_state": string(o.CashLeg),
		"pay_ord_id": clip(o.PayOrdID, 64), "med_org_ord": o.MedOrgOrd, "charge_batch": o.Batch, "mdtrt_id": clip(o.MdtrtID, 64),
		"fee_type": clip(o.FeeType, 10), "out_trade_no": o.TradeNo, "mix_trade_no": clip(o.MixNo, 64), "channel_no": clip(o.ChannelNo, 64),
		"setl_id": clip(told.SetlID, 64), "receipt_no": clip(o.ReceiptNo, 64), "guide": clip(o.Guide, 300), "paid_at": stamp(o.PaidAt),
		"settled_at": stamp(o.SettledAt), "written_at": stamp(o.WrittenAt), "expires_at": stamp(o.ExpiresAt), "target": string(o.Target),
		"back_kind": string(o.BackKind), "back_at": stamp(o.BackAt), "cancel_wish": o.CancelWish, "agreed": o.Agreed, "give_back": o.GiveBack,
		"insurance_back_at": stamp(o.InsBackAt), "cash_gone_at": stamp(o.CashGoneAt), "secrets_sealed": secrets,
		"settlement_sealed": settlement,
	})
	if name := o.Secrets.Patient.Name; name != "" { // the masks stay when the names go
		set["patient_name"] = vault.MaskName(name)
	}
	if name := o.Secrets.Holder.Name; name != "" {
		set["payer_name"] = vault.MaskName(name)
	}
	return set, nil
}

// seal seals a value of an order, bound to its row; nothing is sealed as nothing.
func (p *Payments) seal(purpose vault.Purpose, field, id string, v any, nothing bool) (string, error) {
	if nothing {
		return "", nil
	}
	return p.s.vault.Seal(purpose, vault.Place(collections.PaymentOrders, field, id), jsonText(v))
}

func (p *Payments) open(field, id, sealed string, to any) error {
	if sealed == "" {
		return nil
	}
	plain, err := p.s.vault.Open(vault.Place(collections.PaymentOrders, field, id), sealed)
	if err != nil {
		return err
	}
	return json.Unmarshal([]byte(plain), to)
}

// work completes an order row with what is sealed and with its journal rows.
func (p *Payments) work(ctx context.Context, db dbx.Builder, r paymentRow) (payment.Work, error) {
	w := payment.Work{Order: r.order(), Calls: map[string]*flow.Call{}}
	if err := p.open("secrets", r.ID, r.Secrets, &w.Order.Secrets); err != nil {
		return w, err
	}
	if err := p.open("settlement", r.ID, r.Settlement, &w.Order.Settlement); err != nil {
		return w, err
	}
	w.Order.Settlement.SetlID = r.SetlID
	var calls []struct {
		callRow
		Kind string `db:"kind"`
	}
	err := db.Select("*", "no AS call_no", "done_at AS done").From(collections.PaymentCalls).Where(dbx.HashExp{"order": r.ID}).
		OrderBy("kind", "attempt").WithContext(ctx).All(&calls)
	if err != nil {
		return w, err
	}
	for _, c := range calls { // the newest of a kind comes last
		w.Calls[c.Kind] = c.call(c.Kind)
	}
	if err := p.takeRefunds(ctx, db, &w); err != nil {
		return w, err
	}
	if w.Order.Status == payment.StatusSuspense {
		w.Proposal, err = payments.openProposal(ctx, db, r.ID)
	}
	return w, err
}

// takeRefunds reads an order's refunds; of a proposed one also the person behind
// the account that has proposed it.
func (p *Payments) takeRefunds(ctx context.Context, db dbx.Builder, w *payment.Work) error {
	all, err := readRefunds(ctx, db, w.Order.ID)
	if err != nil {
		return err
	}
	if w.TakeRefunds(all); w.Wish == nil {
		return nil
	}
	return db.NewQuery("SELECT COALESCE((SELECT person_index FROM staff WHERE id = {:id}), '')").Bind(dbx.Params{"id": w.Wish.By.ID}).
		WithContext(ctx).Row(&w.Wish.By.Person)
}

func readRefunds(ctx context.Context, db dbx.Builder, order string) ([]payment.Refund, error) {
	var rows []refundRow
	err := db.Select("*").From(collections.PaymentRefunds).Where(dbx.HashExp{"order": order}).OrderBy("seq").WithContext(ctx).All(&rows)
	out := make([]payment.Refund, 0, len(rows))
	for _, r := range rows {
		out = append(out, *r.refund())
	}
	return out, err
}

// refundRow is a row of payment_refunds.
type refundRow struct {
	Order       string         `db:"order"`
	Seq         int            `db:"seq"`
	No          string         `db:"no"`
	Kind        string         `db:"kind"`
	Insurance   bool           `db:"insurance"`
	Fund        int64          `db:"fund"`
	Account     int64          `db:"account"`
	Cash        int64          `db:"cash"`
	CashDone    bool           `db:"cash_done"`
	ByItself    bool           `db:"by_itself"`
	Reason      string         `db:"reason"`
	ActorKind   string         `db:"actor_kind"`
	Actor       string         `db:"actor"`
	HISRefundID string         `db:"his_refund_id"`
	HISRefundAt types.DateTime `db:"his_refund_at"`
	Told        bool           `db:"told"`
	CashNo      string         `db:"cash_no"`
	CashAt      types.DateTime `db:"cash_at"`
	InsuranceNo string         `db:"insurance_no"`
	State       string         `db:"state"`
	From        string         `db:"from"`
	AskedAt     types.DateTime `db:"asked_at"`
	DoneAt      types.DateTime `db:"done_at"`
}

func (r refundRow) refund() *payment.Refund {
	return &payment.Refund{Seq: r.Seq, No: r.No, Kind: payment.RefundKind(r.Kind), Insurance: r.Insurance, Fund: money.Fen(r.Fund),
		Account: money.Fen(r.Account), Cash: money.Fen(r.Cash), CashDone: r.CashDone, ByItself: r.ByItself, Reason: r.Reason,
		By: people.By{Kind: people.ActorKind(r.ActorKind), ID: r.Actor}, HISRefundID: r.HISRefundID,
		HISRefundAt: r.HISRefundAt.Time(), Told: r.Told, CashNo: r.CashNo, CashAt: r.CashAt.Time(), InsuranceNo: r.InsuranceNo,
		AskedAt: r.AskedAt.Time(), DoneAt: r.DoneAt.Time(), State: r.State, From: payment.Status(r.From)}
}
