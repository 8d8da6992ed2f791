package channeltest

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"hospay/channels"
	"hospay/flow"
	"hospay/payment"
)

// Payments is what a channel that takes payments brings besides.
type Payments struct {
	Trades []payment.Trade // at least one of a payer who is known and one of a kiosk
	Refund payment.TradeRefund
	Mixed  payment.Mixed
	Ask    payment.AuthorisationAsk
	// LocalAuth: the way to the authorisation is made without a call.
	LocalAuth bool
}

// outcome is what all answers about payments have in common.
type outcome struct {
	verdict flow.Verdict
	reason  flow.Reason
	says    string // state, number, address: facts that an unknown outcome must not have
}

func ofTrade(a payment.TradeAnswer) outcome {
	return outcome{a.Verdict, a.Reason, string(a.State) + a.Handle + a.ChannelNo}
}

func ofRefund(a payment.RefundAnswer) outcome {
	return outcome{a.Verdict, a.Reason, string(a.State)}
}

func ofMixed(a payment.MixedAnswer) outcome {
	return outcome{a.Verdict, a.Reason, string(a.State) + string(a.CashPart) + a.URL}
}

func ofAuthorisation(a payment.Authorisation) outcome {
	says := a.URL + a.PayAuthNo
	if a.Granted {
		says += "granted"
	}
	return outcome{a.Verdict, a.Reason, says}
}

func ofTold(a flow.Answer) outcome { return outcome{a.Verdict, a.Reason, string(a.Said)} }

// paymentCalls are all calls about payments that a channel makes, by name.
func (k Kit) paymentCalls(ch channels.Channel) map[string]func(context.Context) outcome {
	calls := map[string]func(context.Context) outcome{}
	p := k.Payments
	if port, err := channels.As[payment.Trades](ch); err == nil {
		for _, t := range p.Trades {
			calls["open "+string(t.Terminal)] = func(ctx context.Context) outcome { return ofTrade(port.OpenTrade(ctx, t)) }
			calls["query "+string(t.Terminal)] = func(ctx context.Context) outcome { return ofTrade(port.QueryTrade(ctx, t)) }
			calls["close "+string(t.Terminal)] = func(ctx context.Context) outcome { return ofTrade(port.CloseTrade(ctx, t)) }
		}
		calls["refund"] = func(ctx context.Context) outcome { return ofRefund(port.RefundTrade(ctx, p.Refund)) }
		calls["query refund"] = func(ctx context.Context) outcome { return ofRefund(port.QueryTradeRefund(ctx, p.Refund)) }
	}
	if port, err := channels.As[payment.MedIns](ch); err == nil {
		known := p.Mixed
		known.MixNo = "MIX1"
		calls["open mixed"] = func(ctx context.Context) outcome { return ofMixed(port.OpenMixed(ctx, p.Mixed)) }
		calls["query mixed"] = func(ctx context.Context) outcome { return ofMixed(port.QueryMixed(ctx, p.Mixed)) }
		calls["query mixed by its number"] = func(ctx context.Context) outcome { return ofMixed(port.QueryMixed(ctx, known)) }
		calls["close mixed"] = func(ctx context.Context) outcome { return ofMixed(port.CloseMixed(ctx, known)) }
		calls["tell refund"] = func(ctx context.Context) outcome {
			return ofTold(port.TellRefund(ctx, payment.MixedRefund{Mixed: known, No: "PR1", At: p.Mixed.Begun, CancelNo: "C1", CancelSer: "S1"}))
		}
		calls["credential"] = func(ctx context.Context) outcome { return ofAuthorisation(port.Credential(ctx, p.Ask, "SECRETCODE")) }
		if !p.LocalAuth {
			calls["authorisation"] = func(ctx context.Context) outcome { return ofAuthorisation(port.Authorisation(ctx, p.Ask)) }
		}
	}
	if port, err := channels.As[channels.CodeOrders](ch); err == nil {
		calls["code order"] = func(ctx context.Context) outcome {
			return ofTold(port.TellCodeOrder(ctx, channels.CodeOrder{No: "P1", Code: strings.Repeat("4", 28), OrgCode: "H1",
				Kind: payment.KindOutpatient, Total: 1}))
		}
	}
	return calls
}

// paymentsUnknown makes every call about payments; none may prove anything.
func (k Kit) paymentsUnknown(t *testing.T, ctx context.Context, ch channels.Channel) {
	t.Helper()
	var all sync.WaitGroup
	for name, call := range k.paymentCalls(ch) {
		all.Go(func() {
			got := call(ctx)
			switch {
			case got.reason.Code == channels.CodeNotSupported && got.verdict == flow.Refused:
			case got.verdict != flow.Unknown || got.says != "":
				t.Errorf("%s: %v %q %+v; want unknown", name, got.verdict, got.says, got.reason)
			case got.reason.Code == "" || got.reason.Message == "":
				t.Errorf("%s: unknown without a reason: %+v", name, got.reason)
			}
			k.discreet(t, name, got.reason.Code+got.reason.Message)
		})
	}
	all.Wait()
}

// badPayments must be refused without a call, for good.
func (k Kit) badPayments(t *testing.T) {
	var calls atomic.Int32
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { calls.Add(1) }))
	defer srv.Close()
	ch := k.New(t, srv.URL)
	refused := func(name string, got outcome) {
		if got.verdict != flow.Refused || got.reason.Code != channels.CodeBadTrade || got.reason.Hold {
			t.Errorf("%s: %+v", name, got)
		}
	}
	if port, err := channels.As[payment.Trades](ch); err == nil {
		k.badTrades(t, port, refused)
	}
	if port, err := channels.As[payment.MedIns](ch); err == nil {
		k.badMixed(t, port, refused)
	}
	if n := calls.Load(); n != 0 {
		t.Errorf("%d calls were made", n)
	}
}

func (k Kit) badTrades(t *testing.T, port payment.Trades, refused func(string, outcome)) {
	for name, spoil := range map[string]func(*payment.Trade){
		"no number":   func(x *payment.Trade) { x.No = "" },
		"bad number":  func(x *payment.Trade) { x.No = "P/../B1" },
		"long number": func(x *payment.Trade) { x.No = strings.Repeat("1", 33) },
		"no amount":   func(x *payment.Trade) { x.Amount = 0 },
		"negative":    func(x *payment.Trade) { x.Amount = -5 },
		"no title":    func(x *payment.Trade) { x.Title = "" },
		"no terminal": func(x *payment.Trade) { x.Terminal = "" },
	} {
		for _, trade := range k.Payments.Trades {
			spoil(&trade)
			refused(name, ofTrade(port.OpenTrade(t.Context(), trade)))
		}
	}
	nobody := k.Payments.Trades[0]
	nobody.Payer, nobody.Terminal = "", payment.TerminalMini
	refused("no payer", ofTrade(port.OpenTrade(t.Context(), nobody)))
	for name, spoil := range map[string]func(*payment.TradeRefund){
		"no number": func(x *payment.TradeRefund) { x.No = "" },
		"no trade":  func(x *payment.TradeRefund) { x.Trade.No = "" },
		"no amount": func(x *payment.TradeRefund) { x.Amount = 0 },
		"too much":  func(x *payment.TradeRefund) { x.Amount = x.Trade.Amount + 1 },
	} {
		bad := k.Payments.Refund
		spoil(&bad)
		refused("refund "+name, ofRefund(port.RefundTrade(t.Context(), bad)))
	}
	for _, trade := range k.Payments.Trades {
		trade.Handle = ""
		if page, err := port.TradePage(trade); err == nil {
			t.Errorf("a page of a trade that was not opened: %+v", page)
		}
	}
}

func (k Kit) badMixed(t *testing.T, port payment.MedIns, refused func(string, outcome)) {
	for name, spoil := range map[string]func(*payment.Mixed){
		"no number":            func(m *payment.Mixed) { m.No = "" },
		"no hospital's number": func(m *payment.Mixed) { m.MedOrgOrd = "" },
		"long number":          func(m *payment.Mixed) { m.MedOrgOrd = strings.Repeat("1", 21) },
		"total":                func(m *payment.Mixed) { m.Total++ },
		"cash":                 func(m *payment.Mixed) { m.Cash--; m.Total-- },
		"negative":             func(m *payment.Mixed) { m.Fund, m.Account = -1, m.Account+m.Fund+1 },
		"deposit":              func(m *payment.Mixed) { m.DepositPart = m.Reduced + 1 },
		"no authorisation":     func(m *payment.Mixed) { m.PayAuthNo = "" },
		"no payer":             func(m *payment.Mixed) { m.Payer = "" },
		"no institution":       func(m *payment.Mixed) { m.OrgCode = "" },
		"no cash trade":        func(m *payment.Mixed) { m.Handle = "" },
		"insurance unknown":    func(m *payment.Mixed) { m.PayOrdID = "" },
		"nothing to pay": func(m *payment.Mixed) {
			m.Total, m.Fund, m.Account, m.Other, m.Cash, m.Added, m.Reduced, m.DepositPart, m.Amount = 0, 0, 0, 0, 0, 0, 0, 0, 0
		},
	} {
		bad := k.Payments.Mixed
		spoil(&bad)
		refused("mixed "+name, ofMixed(port.OpenMixed(t.Context(), bad)))
	}
	if page, err := port.MixedPage(k.Payments.Mixed); err == nil {
		t.Errorf("a page of an order that was not opened: %+v", page)
	}
}
