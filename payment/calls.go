package payment

import (
	"context"
	"fmt"
	"time"

	"hospay/flow"
	"hospay/money"
)

// The kinds of calls of a payment.
const (
	CallUpload     = "upload"      // 6201
	CallPrice      = "price"       // 6202
	CallTrade      = "trade"       // the cash at the channel
	CallMixed      = "mixed"       // insurance and cash at the channel
	CallClose      = "close"       // the trade
	CallCloseMixed = "close_mixed" // the mixed order
	CallUndo       = "undo"        // 6401
	CallCharge     = "charge"      // HIS 结算回写
	CallUncharge   = "uncharge"    // HIS 免授权冲正
	CallBack       = "refund_ins"  // 6203
	CallCashBack   = "refund_cash"
	CallTold       = "told"     // the channel, of what the insurance gave back
	CallToldHIS    = "told_his" // HIS, of what went back
)

// letters begin the places of a call in its number.
var letters = map[string]byte{CallUpload: 'M', CallPrice: 'S', CallTrade: 'C', CallMixed: 'Q', CallClose: 'X', CallCloseMixed: 'Y',
	CallUndo: 'U', CallCharge: 'D', CallUncharge: 'V', CallBack: 'I', CallCashBack: 'K', CallTold: 'N', CallToldHIS: 'H'}

// leaders say whose connection a call goes through, as long as that one was
// called: whoever has the number is asked and undone there.
var leaders = map[string][]string{CallPrice: {CallUpload}, CallUndo: {CallUpload}, CallBack: {CallUpload}, CallMixed: {CallTrade},
	CallClose: {CallTrade}, CallCloseMixed: {CallMixed}, CallCashBack: {CallTrade}, CallTold: {CallMixed}, CallUncharge: {CallCharge},
	CallToldHIS: {CallCharge}}

// CallSide says through whom a kind of call goes.
func CallSide(kind string) string {
	switch kind {
	case CallUpload, CallPrice, CallUndo, CallBack:
		return SideCentre
	case CallCharge, CallUncharge, CallToldHIS:
		return SideHIS
	}
	return SideChannel
}

// The sides of a call.
const (
	SideChannel = "channel"
	SideCentre  = "centre"
	SideHIS     = "his"
)

// CallKinds lists the kinds.
func CallKinds() []string {
	return []string{CallUpload, CallPrice, CallTrade, CallMixed, CallClose, CallCloseMixed, CallUndo, CallCharge, CallUncharge, CallBack,
		CallCashBack, CallTold, CallToldHIS}
}

// intend writes the intent of a call: its number, amount and content. A new
// number is only ever made here.
func (t *turn) intend(kind string, amount money.Fen, hash func(no string) string) *flow.Call {
	attempt := 1
	if last := t.w.Calls[kind]; last != nil {
		attempt = last.Attempt + 1
	}
	return t.intendAs(attempt, kind, amount, hash)
}

func (t *turn) intendAs(attempt int, kind string, amount money.Fen, hash func(no string) string) *flow.Call {
	c := &flow.Call{Kind: kind, Attempt: attempt, Amount: amount, State: flow.CallIntent, SentAt: t.At}
	c.No = flow.CallNo(t.w.Order.No, letters[kind], c.Attempt)
	for _, leader := range leaders[kind] {
		if l := t.w.Calls[leader]; l != nil {
			c.Connection = l.Connection
		}
	}
	c.Hash = hash(c.No)
	t.w.Calls[kind] = c
	t.keep(c)
	t.fresh = c
	return c
}

// again lets a number that was proved to have moved nothing go out once more,
// unchanged.
func (t *turn) again(c *flow.Call) {
	c.Anew()
	c.State = flow.CallIntent
	t.keep(c)
	t.fresh = c
}

// run is Exchange of a call whose intent this turn may have committed.
func (t *turn) run(ctx context.Context, x flow.Exchange) (flow.Outcome, flow.Answer, error) {
	t.Turn.Fresh = t.fresh == x.Call
	t.fresh = nil
	t.keep(x.Call)
	x.Event = x.Call.Kind
	x.HoldLimit = t.timing.HoldLimit
	if x.Before == nil {
		x.Before = t.mayMove
	}
	return t.Exchange(ctx, x)
}

// saidOver is in the journal row of a number that is proved to have moved nothing,
// or that nothing depends on any more. A refusal alone is not yet that.
const saidOver flow.Said = "over"

// finish notes that a number is over.
func (t *turn) finish(c *flow.Call) {
	c.State, c.Reported = flow.CallRefused, saidOver
	t.keep(c)
}

// over reports whether a number is proved to have moved nothing.
func over(c *flow.Call) bool { return c.State == flow.CallRefused && c.Reported == saidOver }

// ended reports whether a number has come to its end, either way.
func ended(c *flow.Call) bool { return c.State == flow.CallDone || over(c) }

// keep marks a journal row for writing.
func (t *turn) keep(c *flow.Call) {
	for _, have := range t.c.Calls {
		if have == c {
			return
		}
	}
	t.c.Calls = append(t.c.Calls, c)
}

// connection is that of the newest call of the first kind that was called.
func (t *turn) connection(kinds ...string) string {
	for _, k := range kinds {
		if c := t.w.Calls[k]; c != nil {
			return c.Connection
		}
	}
	return ""
}

func (t *turn) channel(ctx context.Context) (Channel, error) {
	if c := t.connection(CallTrade, CallMixed); c != "" {
		ch, err := t.dir.ChannelOf(ctx, c)
		return t.insured(ch), err
	}
	ch, err := t.dir.Channel(ctx, t.w.Order.Institution, t.w.Order.Channel)
	return t.insured(ch), err
}

func (t *turn) centre(ctx context.Context) (Centre, error) {
	if c := t.connection(CallUpload); c != "" {
		return t.dir.CentreOf(ctx, c)
	}
	return t.dir.Centre(ctx, t.w.Order.Institution)
}

func (t *turn) his(ctx context.Context) (HIS, error) {
	if c := t.connection(CallCharge); c != "" {
		return t.dir.HISOf(ctx, c)
	}
	return t.dir.HIS(ctx, t.w.Order.Institution)
}

// trade is the cash of the order as the channel is told it.
func (o Order) trade() Trade {
	return Trade{No: o.TradeNo, Kind: o.Kind, Amount: o.CashDue(), Payer: o.Secrets.Payer, Terminal: o.Terminal, Title: o.Title,
		Begun: o.Created, Expires: o.ExpiresAt, Handle: o.Secrets.Handle, IP: o.Secrets.IP, Insured: o.Insured && !o.direct()}
}

// Hash is the fingerprint of what must be the same for every send.
func (t Trade) Hash() string {
	return flow.Fingerprint([]string{t.No, string(t.Kind), fmt.Sprint(int64(t.Amount)), t.Payer, string(t.Terminal), t.Title,
		t.Expires.UTC().Format(time.RFC3339)})
}

// mixed is the order of insurance and cash as the channel is told it.
func (o Order) mixed(h Habits) Mixed {
	m := Mixed{Trade: o.trade(), MedOrgOrd: o.MedOrgOrd, PayOrdID: o.PayOrdID, PayAuthNo: o.Secrets.Auth,
		Total: o.Fund + o.Account + o.Other + o.Cash + o.Added, Fund: o.Fund, Account: o.Account, Other: o.Other, Cash: o.Cash,
		Added: o.Added, Reduced: o.Reduced, DepositPart: min(o.Deposit, o.Reduced), Holder: o.Secrets.Holder, City: h.city(o.Channel),
		OrgCode: h.OrgCode, OrgName: h.OrgName, Location: o.Secrets.Location, MixNo: o.MixNo, URL: o.Secrets.URL, Back: o.Secrets.Back,
		ChargeBatch: o.Batch}
	if m.City == "" { // as the authorisation told it
		m.City = o.Secrets.City
	}
	if o.Secrets.Family {
		patient := o.Secrets.Patient
		m.Patient = &patient
	}
	return m
}

// Hash is the fingerprint of what must be the same for every send.
func (m Mixed) Hash() string {
	parts := []string{m.Trade.No, m.MedOrgOrd, m.PayOrdID, m.Holder.IDNo}
	for _, f := range []money.Fen{m.Amount, m.Total, m.Fund, m.Account, m.Other, m.Cash, m.Added, m.Reduced} {
		parts = append(parts, fmt.Sprint(int64(f)))
	}
	return flow.Fingerprint(parts)
}

// city is a channel's code of the city, where the region knows it.
func (h Habits) city(channel string) string {
	if channel == "wechat" {
		return h.WechatCity
	}
	return ""
}

// Hash is the fingerprint of what is uploaded.
func (u Upload) Hash() string {
	return flow.Fingerprint([]string{u.No, u.Batch, u.IDNo, u.Visit.PsnNo, u.Visit.MedType, fmt.Sprint(int64(u.Total))})
}

// ref names the order at the centre.
func (o Order) ref() Ref {
	r := Ref{PayOrdID: o.PayOrdID, PayToken: o.Secrets.Token, MedOrgOrd: o.MedOrgOrd, Person: o.Secrets.Patient}
	if o.Insurance != InsuranceOpen && o.Insurance != InsuranceUploaded {
		known := o.Split
		r.Known = &known
	}
	return r
}

// Hash is the fingerprint of the order that is revoked.
func (r Ref) Hash() string { return flow.Fingerprint([]string{r.PayOrdID, r.MedOrgOrd, r.IDNo}) }

// price is the question of who pays what.
func (o Order) price(serial string) Price {
	return Price{Ref: o.ref(), Serial: serial, Batch: o.Batch, PayAuthNo: o.Secrets.Auth, FeeType: o.FeeType, MdtrtID: o.MdtrtID,
		Area: o.Area, Total: o.Total}
}

// Hash is the fingerprint of the question.
func (p Price) Hash() string {
	return flow.Fingerprint([]string{p.Serial, p.PayOrdID, p.Batch, fmt.Sprint(int64(p.Total))})
}

// charge is what HIS is told of the order under a number.
func (o Order) charge(no string) Charge {
	return Charge{No: no, OrderNo: o.No, BillNo: o.BillNo, CardNo: o.CardNo, Kind: o.Kind, Channel: o.Channel, Terminal: o.Terminal,
		Total: o.Total, Fund: o.Fund, Account: o.Account, Family: o.Family, Other: o.Other, Cash: o.Cash, TradeNo: o.TradeNo,
		ChannelNo: o.ChannelNo, PaidAt: o.PaidAt, PayOrdID: o.PayOrdID, MedOrgOrd: o.MedOrgOrd, SetlID: o.Settlement.SetlID,
		MdtrtID: o.MdtrtID, SetlTime: o.Settlement.Time, SetlInfo: o.Settlement.Info}
}

// reversal is the charge that HIS is to take back under a number.
func (o Order) reversal(no, chargeNo string) Charge {
	c := o.charge(no)
	c.ChargeNo, c.HISNo = chargeNo, o.ReceiptNo
	return c
}

// Hash is the fingerprint of what HIS is told.
func (c Charge) Hash() string {
	parts := []string{c.No, c.ChargeNo, c.BillNo, c.CardNo, c.Channel, c.TradeNo, c.ChannelNo, c.PayOrdID}
	for _, f := range []money.Fen{c.Total, c.Fund, c.Account, c.Family, c.Other, c.Cash} {
		parts = append(parts, fmt.Sprint(int64(f)))
	}
	return flow.Fingerprint(parts)
}

// cashBack is the refund of the trade under a number.
func (o Order) cashBack(no string, r Refund) TradeRefund {
	return TradeRefund{No: no, Trade: o.trade(), ChannelNo: o.ChannelNo, Amount: r.Cash, Reason: "缴费退款"}
}

// Hash is the fingerprint of what must be the same for every send.
func (r TradeRefund) Hash() string {
	return flow.Fingerprint([]string{r.No, r.Trade.No, fmt.Sprint(int64(r.Amount))})
}

// insuranceBack is the refund at the centre.
func (o Order) insuranceBack(no string) InsuranceBack {
	return InsuranceBack{Ref: o.ref(), Credential: o.Secrets.credential(), Serial: no, Kind: o.BackKind, At: o.BackAt}
}

// backKind is the kind of a refund at the centre: all of an order goes back with
// its cash in one word, unless some of the cash went back before.
func (o Order) backKind(r Refund) BackKind {
	if o.Cash > 0 && r.Cash == o.CashDue() && !o.direct() { // whose cash the centre has not seen
		return BackAll
	}
	return BackInsurance
}

// Hash is the fingerprint of what must be the same for every send.
func (b InsuranceBack) Hash() string {
	return flow.Fingerprint([]string{b.Serial, b.PayOrdID, string(b.Kind), fmt.Sprint(int64(b.Known.Total)),
		b.At.UTC().Format(time.RFC3339)})
}

// partBack is what HIS is told of a refund.
func (o Order) partBack(no, chargeNo string, r Refund, whole bool) PartRefund {
	return PartRefund{Charge: o.reversal(no, chargeNo), RefundNo: r.No, Whole: whole, FundBack: r.Fund, AccBack: r.Account, CashBack: r.Cash,
		At: r.AskedAt}
}

// told is what the channel is told of an insurance part that went back. Its
// number is that of the cash refund, or the refund's own.
func (o Order) told(h Habits, r Refund, cash *flow.Call) MixedRefund {
	m := MixedRefund{Mixed: o.mixed(h), No: r.No, At: r.AskedAt, CancelNo: o.Settlement.CancelNo, CancelSer: o.Settlement.CancelSer}
	if r.Cash > 0 && cash != nil {
		m.No = cash.No
	}
	return m
}
