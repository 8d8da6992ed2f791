package store_test

import (
	"context"
	"sync"
	"time"

	"hospay/flow"
	"hospay/lab/testapp"
	"hospay/money"
	"hospay/payment"
	"hospay/store"
)

// till is a channel and a HIS that go well, before the real store and the
// simulator of the insurance centre.
type till struct {
	*store.Payments
	a       *testapp.App
	mu      sync.Mutex
	trades  map[string]payment.TradeState
	mixed   map[string]payment.Mixed
	backs   map[string]money.Fen
	written map[string]money.Fen
	told    int
	refuses bool // HIS
}

func newTill(a *testapp.App) *till {
	return &till{Payments: a.Store.Payments(), a: a, trades: map[string]payment.TradeState{}, mixed: map[string]payment.Mixed{},
		backs: map[string]money.Fen{}, written: map[string]money.Fen{}}
}

func (x *till) service() *payment.Service {
	return payment.NewService(x.Payments, x, payment.DefaultTiming(), x.a.Now, nil)
}

// Channel implements payment.Directory.
func (x *till) Channel(context.Context, string, string) (payment.Channel, error) {
	return payment.Channel{Trades: x, MedIns: x}, nil
}

// ChannelOf implements payment.Directory.
func (x *till) ChannelOf(context.Context, string) (payment.Channel, error) {
	return payment.Channel{Trades: x, MedIns: x}, nil
}

// HIS implements payment.Directory.
func (x *till) HIS(context.Context, string) (payment.HIS, error) { return window{till: x}, nil }

// HISOf implements payment.Directory.
func (x *till) HISOf(context.Context, string) (payment.HIS, error) { return window{till: x}, nil }

func (x *till) said(no string, amount money.Fen) payment.TradeAnswer {
	a := payment.TradeAnswer{Verdict: flow.Done, State: x.trades[no], Told: true, Amount: amount, Handle: "prepay-" + no}
	if a.State == "" {
		a.State = payment.TradeNotFound
	}
	if a.State == payment.TradePaid {
		a.ChannelNo, a.PaidAt = "4200"+no, x.a.Now()
	}
	return a
}

// OpenTrade implements payment.Trades.
func (x *till) OpenTrade(_ context.Context, t payment.Trade) payment.TradeAnswer {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.trades[t.No] == "" {
		x.trades[t.No] = payment.TradeOpen
	}
	return x.said(t.No, t.Amount)
}

// QueryTrade implements payment.Trades.
func (x *till) QueryTrade(_ context.Context, t payment.Trade) payment.TradeAnswer {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.said(t.No, t.Amount)
}

// CloseTrade implements payment.Trades.
func (x *till) CloseTrade(_ context.Context, t payment.Trade) payment.TradeAnswer {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.trades[t.No] == payment.TradeOpen {
		x.trades[t.No] = payment.TradeClosed
	}
	return x.said(t.No, t.Amount)
}

// RefundTrade implements payment.Trades.
func (x *till) RefundTrade(_ context.Context, r payment.TradeRefund) payment.RefundAnswer {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.backs[r.No] = r.Amount
	return payment.RefundAnswer{Verdict: flow.Done, State: payment.RefundDone, Told: true, Amount: r.Amount, ChannelNo: "5000" + r.No,
		At: x.a.Now()}
}

// QueryTradeRefund implements payment.Trades.
func (x *till) QueryTradeRefund(_ context.Context, r payment.TradeRefund) payment.RefundAnswer {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.backs[r.No] == 0 {
		return payment.RefundAnswer{Verdict: flow.Done, State: payment.RefundNotFound}
	}
	return payment.RefundAnswer{Verdict: flow.Done, State: payment.RefundDone, Told: true, Amount: r.Amount}
}

// TradePage implements payment.Trades.
func (x *till) TradePage(t payment.Trade) (payment.Page, error) {
	return payment.Page{Form: "wechat_jsapi", Values: map[string]string{"prepay_id": t.Handle}}, nil
}

// TradeTraits implements payment.Trades.
func (x *till) TradeTraits() (trade, refund flow.Traits) {
	t := flow.Traits{Queryable: true, Repeatable: true, ConfirmRefuse: true}
	return t, t
}

// Authorisation implements payment.MedIns.
func (x *till) Authorisation(context.Context, payment.AuthorisationAsk) payment.Authorisation {
	return payment.Authorisation{Verdict: flow.Done, URL: "https://card.example.cn/oauth"}
}

// Credential implements payment.MedIns: the code is the patient's number.
func (x *till) Credential(_ context.Context, _ payment.AuthorisationAsk, code string) payment.Authorisation {
	who := x.a.Sims.World.Find(code)
	c := x.a.Sims.Centre.Authorise(who, who)
	return payment.Authorisation{Verdict: flow.Done, Granted: true, PayAuthNo: c.PayAuthNo, Payer: payment.Person{Name: who.Name,
		IDNo: who.IDNo}}
}

// OpenMixed implements payment.MedIns.
func (x *till) OpenMixed(_ context.Context, m payment.Mixed) payment.MixedAnswer {
	x.mu.Lock()
	x.mixed[m.No] = m
	x.mu.Unlock()
	return x.QueryMixed(context.Background(), m)
}

// QueryMixed implements payment.MedIns.
func (x *till) QueryMixed(_ context.Context, m payment.Mixed) payment.MixedAnswer {
	x.mu.Lock()
	defer x.mu.Unlock()
	return payment.MixedAnswer{Verdict: flow.Done, State: payment.MixedOpen, MixNo: "MIX" + m.No, CashPart: x.trades[m.No]}
}

// CloseMixed implements payment.MedIns.
func (x *till) CloseMixed(context.Context, payment.Mixed) payment.MixedAnswer {
	return payment.MixedAnswer{Verdict: flow.Refused, Reason: flow.Reason{Code: "not_supported"}}
}

// TellRefund implements payment.MedIns.
func (x *till) TellRefund(context.Context, payment.MixedRefund) flow.Answer {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.told++
	return flow.Answer{Verdict: flow.Done}
}

// MixedPage implements payment.MedIns.
func (x *till) MixedPage(m payment.Mixed) (payment.Page, error) {
	return payment.Page{Form: "wechat_medins", Values: map[string]string{"mix": m.MixNo}}, nil
}

// MixedTraits implements payment.MedIns.
func (x *till) MixedTraits() flow.Traits {
	return flow.Traits{Queryable: true, Repeatable: true, ConfirmRefuse: true}
}

// pay is the patient who pays a trade, and the insurance's part with it.
func (x *till) pay(o payment.Order) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	if o.CashDue() > 0 {
		x.trades[o.TradeNo] = payment.TradePaid
	}
	if !o.Insured {
		return nil
	}
	for _, part := range []string{"cash", "insurance"} {
		if part == "cash" && o.CashDue() == 0 {
			continue
		}
		if err := x.a.Sims.Centre.Pay(o.MedOrgOrd, part); err != nil {
			return err
		}
	}
	return nil
}

// window is the HIS; what it does not need is not there.
type window struct {
	payment.HIS
	*till
}

// Can implements payment.HIS.
func (w window) Can() payment.HISCan {
	return payment.HISCan{Bills: true, Check: true, Idempotent: true, Refunds: true}
}

// Bills implements payment.HIS.
func (w window) Bills(ctx context.Context, card string) (out []payment.Bill, err error) {
	for _, no := range []string{"B1", "B2", "B3"} {
		b, _ := w.Bill(ctx, card, no)
		out = append(out, b)
	}
	return out, nil
}

// Bill implements payment.HIS.
func (w window) Bill(_ context.Context, card, no string) (payment.Bill, error) {
	now := w.a.Now()
	fee := payment.Fee{No: "1", Time: now, ListCode: "XA01", OwnCode: "Y1", Name: "药", Sum: 12000, Count: "2", Price: "60"}
	return payment.Bill{No: no, CardNo: card, Kind: payment.KindOutpatient, Title: "门诊缴费", Amount: 12000, Insurable: true,
		PayBefore: now.Add(24 * time.Hour), Visit: &payment.Visit{No: "MZ1", MdtrtID: "D1", PsnNo: "44010001", Insutype: "310", Area: "440100",
			MedType: "11", Begun: now, DeptCode: "0301", DeptName: "内科", Caty: "A03", Fees: []payment.Fee{fee}}}, nil
}

// WriteCharge implements payment.HIS.
func (w window) WriteCharge(_ context.Context, c payment.Charge) payment.Receipt {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.refuses {
		return payment.Receipt{Verdict: flow.Refused, Reason: flow.Reason{Code: "PAID", Message: "已在窗口收费"}}
	}
	w.written[c.BillNo] = c.Total
	return payment.Receipt{Verdict: flow.Done, State: payment.ReceiptDone, HISNo: "SJ" + c.No, Guide: "到 3 号窗口取药", Told: true, Amount: c.Total,
		At: w.a.Now()}
}

// CheckCharge implements payment.HIS.
func (w window) CheckCharge(context.Context, payment.Charge) payment.Receipt {
	return payment.Receipt{Verdict: flow.Done, State: payment.ReceiptNotFound}
}

// MayRefund implements payment.HIS.
func (w window) MayRefund(context.Context, payment.Charge) flow.Answer {
	return flow.Answer{Verdict: flow.Done}
}

// TellRefund implements payment.HIS.
func (w window) Charges(context.Context, string, func(payment.ChargeLine) error) error { return nil }

func (w window) TellRefund(_ context.Context, p payment.PartRefund) flow.Answer {
	w.mu.Lock()
	defer w.mu.Unlock()
	if p.Whole {
		delete(w.written, p.BillNo)
	}
	return flow.Answer{Verdict: flow.Done}
}
