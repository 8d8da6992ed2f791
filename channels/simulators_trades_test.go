package channels_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"hospay/channels"
	"hospay/flow"
	"hospay/payment"
)

// payer is one of the two channels, as the tests of payments see it.
type payer struct {
	name string
	full
	base string
	who  string // of P0001
}

func (b *bench) payers() []payer {
	p := b.patient()
	return []payer{{"wechat", b.wx, b.sims.WeChat.URL(), p.Openid}, {"alipay", b.ali, b.sims.Alipay.URL(), p.AlipayUserID}}
}

func (b *bench) trade(p payer, no string) payment.Trade {
	now := b.now()
	return payment.Trade{No: no, Kind: payment.KindOutpatient, Amount: 1234, Payer: p.who, Terminal: payment.TerminalMini, Title: "门诊缴费",
		Begun: now, Expires: now.Add(30 * time.Minute)}
}

func (b *bench) wantTrade(what string, a payment.TradeAnswer, state payment.TradeState) payment.TradeAnswer {
	b.t.Helper()
	if a.State != state || (a.Verdict == flow.Done) != (state != "") || a.Differs != "" {
		b.t.Errorf("%s: %v %q %+v %s; want %q", what, a.Verdict, a.State, a.Reason, a.Differs, state)
	}
	return a
}

func (b *bench) wantRefund(what string, a payment.RefundAnswer, state payment.RefundState) payment.RefundAnswer {
	b.t.Helper()
	if a.State != state || (a.Verdict == flow.Done) != (state != "") || a.Differs != "" {
		b.t.Errorf("%s: %v %q %+v %s; want %q", what, a.Verdict, a.State, a.Reason, a.Differs, state)
	}
	return a
}

// heard waits for a callback of a kind; the others are kept, since they come in
// any order.
func (b *bench) heard(no string, kind flow.CallbackKind) flow.Callback {
	b.t.Helper()
	deadline := time.After(5 * time.Second)
	for {
		for i, cb := range b.kept {
			if cb.No == no && cb.Kind == kind {
				b.kept = slices.Delete(b.kept, i, i+1)
				return cb
			}
		}
		select {
		case cb := <-b.got:
			b.kept = append(b.kept, cb)
		case <-deadline:
			b.t.Fatalf("no callback %s for %s", kind, no)
		}
	}
}

func TestSimulator_Trades(t *testing.T) {
	b, ctx := newBench(t), t.Context()
	for _, p := range b.payers() {
		t.Run(p.name, func(t *testing.T) {
			x := b.trade(p, "P1"+p.name)
			b.wantTrade("before", p.QueryTrade(ctx, x), payment.TradeNotFound)
			x.Handle = b.wantTrade("open", p.OpenTrade(ctx, x), payment.TradeOpen).Handle
			if again := b.wantTrade("open again", p.OpenTrade(ctx, x), payment.TradeOpen); again.Handle != x.Handle || x.Handle == "" {
				t.Errorf("%q %q", again.Handle, x.Handle)
			}
			page, err := p.TradePage(x)
			if form := map[string]string{"wechat": "wechat_jsapi", "alipay": "alipay_trade"}[p.name]; err != nil || page.Form != form {
				t.Errorf("%+v, %v", page, err)
			}
			other := x
			other.Amount++
			b.wantTrade("same number, other amount", p.OpenTrade(ctx, other), "")
			b.wantTrade("query", p.QueryTrade(ctx, x), payment.TradeOpen)
			b.post(p.base, "/_sim/pay/"+x.No, "")
			paid := b.wantTrade("paid", p.QueryTrade(ctx, x), payment.TradePaid)
			if !paid.Told || paid.Amount != x.Amount || paid.ChannelNo == "" || paid.Payer != p.who || paid.PaidAt.IsZero() {
				t.Errorf("%+v", paid)
			}
			if cb := b.heard(x.No, payment.CallbackTrade); cb.Told.(payment.TradeAnswer).State != payment.TradePaid ||
				cb.Told.(payment.TradeAnswer).Amount != x.Amount || strings.Contains(cb.Body, p.who) {
				t.Errorf("%+v", cb)
			}
			if c := p.CloseTrade(ctx, x); c.Verdict != flow.Unknown {
				t.Errorf("closing a paid trade: %+v", c)
			}
			b.refundTwice(p, x, paid.ChannelNo)
			b.closed(p)
		})
	}
}

// refundTwice gives a trade back in two parts.
func (b *bench) refundTwice(p payer, x payment.Trade, channelNo string) {
	b.t.Helper()
	ctx := b.t.Context()
	for i, part := range []payment.TradeRefund{{No: x.No + "R01", Amount: 234}, {No: x.No + "R02", Amount: 1000}} {
		part.Trade, part.ChannelNo, part.Reason = x, channelNo, "退费"
		b.wantRefund("before", p.QueryTradeRefund(ctx, part), payment.RefundNotFound)
		if a := p.RefundTrade(ctx, part); a.Verdict != flow.Done {
			b.t.Errorf("refund: %+v", a)
		}
		b.post(p.base, "/_sim/clock", `{"advance":"61s"}`)
		if a := b.wantRefund("query", p.QueryTradeRefund(ctx, part), payment.RefundDone); a.Amount != part.Amount || a.At.IsZero() {
			b.t.Errorf("%+v", a)
		}
		if cb := b.heard(part.No, payment.CallbackTradeRefund); cb.Told.(payment.RefundAnswer).Differs != "" {
			b.t.Errorf("%+v", cb)
		}
		if q := b.wantTrade("after", p.QueryTrade(ctx, x), map[bool]payment.TradeState{true: payment.TradeRefunded,
			false: payment.TradePaid}[i == 1 || p.name == "wechat"]); q.Amount != x.Amount {
			b.t.Errorf("%+v", q)
		}
	}
	more := payment.TradeRefund{No: x.No + "R03", Trade: x, ChannelNo: channelNo, Amount: 1}
	if a := p.RefundTrade(ctx, more); a.Verdict == flow.Done {
		b.t.Errorf("more than was paid: %+v", a)
	}
}

// closed closes a trade, and lets another expire.
func (b *bench) closed(p payer) {
	b.t.Helper()
	ctx := b.t.Context()
	x := b.trade(p, "P2"+p.name)
	b.wantTrade("open", p.OpenTrade(ctx, x), payment.TradeOpen)
	b.wantTrade("close", p.CloseTrade(ctx, x), payment.TradeClosed)
	b.wantTrade("closed", p.QueryTrade(ctx, x), payment.TradeClosed)
	resp, err := http.Post(p.base+"/_sim/pay/"+x.No, "", nil)
	if err != nil || resp.StatusCode != http.StatusConflict {
		b.t.Errorf("a closed trade was paid: %v %v", resp, err)
	}
	resp.Body.Close()
	x.No = "P3" + p.name
	x.Expires = b.now().Add(10 * time.Minute)
	b.wantTrade("open", p.OpenTrade(ctx, x), payment.TradeOpen)
	b.post(p.base, "/_sim/clock", `{"advance":"20m"}`)
	b.wantTrade("expired", p.QueryTrade(ctx, x), payment.TradeClosed)
}

// A code at a kiosk: at Alipay its trade begins when somebody scans it.
func TestSimulator_Kiosk(t *testing.T) {
	b, ctx := newBench(t), t.Context()
	for _, p := range b.payers() {
		x := b.trade(p, "PK1"+p.name)
		x.Payer, x.Terminal = "", payment.TerminalKiosk
		x.Handle = b.wantTrade("open", p.OpenTrade(ctx, x), payment.TradeOpen).Handle
		if page, err := p.TradePage(x); err != nil || page.Form != "code" || page.Values["url"] != x.Handle || x.Handle == "" {
			t.Errorf("%+v, %v", page, err)
		}
		b.wantTrade("not scanned", p.QueryTrade(ctx, x), payment.TradeOpen)
		if c := p.CloseTrade(ctx, x); p.name == "alipay" && c.Verdict != flow.Unknown {
			t.Errorf("closing a code that somebody may scan: %+v", c)
		}
		if p.name == "wechat" {
			x.No = "PK2" + p.name
			x.Handle = b.wantTrade("open", p.OpenTrade(ctx, x), payment.TradeOpen).Handle
		}
		b.post(p.base, "/_sim/pay/"+x.No, "")
		b.wantTrade("paid", p.QueryTrade(ctx, x), payment.TradePaid)
	}
	// A page outside WeChat.
	x := b.trade(b.payers()[0], "PH1wechat")
	x.Payer, x.Terminal, x.IP = "", payment.TerminalH5, "203.0.113.7"
	x.Handle = b.wantTrade("open", b.wx.OpenTrade(ctx, x), payment.TradeOpen).Handle
	page, err := b.wx.TradePage(x)
	if err != nil || page.Form != "link" {
		t.Fatalf("%+v, %v", page, err)
	}
	resp, err := http.PostForm(page.Values["url"], nil)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	b.wantTrade("paid on the page", b.wx.QueryTrade(ctx, x), payment.TradePaid)
}

func TestSimulator_TradeFaults(t *testing.T) {
	b, ctx := newBench(t), t.Context()
	for _, p := range b.payers() {
		for i, fault := range strings.Fields("timeout_before timeout_after 500_before 500_after system_error_before system_error_after " +
			"unknown_code unknown_code_after html_502_after truncated_after bad_signature unsigned signtest") {
			if fault == "signtest" && p.name != "wechat" {
				continue
			}
			x := b.trade(p, fmt.Sprintf("PF%d%s", i, p.name))
			b.fault(p.base, "order", fault)
			b.wantTrade(fault, p.OpenTrade(ctx, x), "")
			b.wantTrade(fault+", again", p.OpenTrade(ctx, x), payment.TradeOpen)
			b.fault(p.base, "order_query", fault)
			b.wantTrade(fault+" on query", p.QueryTrade(ctx, x), "")
			if fault == "truncated_after" && p.name == "wechat" { // an answer without a body cannot be cut
				continue
			}
			b.fault(p.base, "order_close", fault)
			b.wantTrade(fault+" on close", p.CloseTrade(ctx, x), "")
		}
	}
}

// Whatever a rightly signed answer tells wrongly must show.
func TestSimulator_TradeLies(t *testing.T) {
	b, ctx := newBench(t), t.Context()
	for _, p := range b.payers() {
		x := b.trade(p, "PL1"+p.name)
		b.wantTrade("open", p.OpenTrade(ctx, x), payment.TradeOpen)
		b.post(p.base, "/_sim/pay/"+x.No, "")
		ask := func(fault string) payment.TradeAnswer {
			b.fault(p.base, "order_query", fault)
			return p.QueryTrade(ctx, x)
		}
		if a := ask("lie_number"); a.Verdict != flow.Unknown || a.Reason.Code != channels.CodeMismatch {
			t.Errorf("%+v", a)
		}
		if a := ask("lie_amount"); !a.Told || a.Amount != x.Amount+100 {
			t.Errorf("%+v", a)
		}
		if a := ask("lie_no_amount"); a.Told || a.Verdict != flow.Done {
			t.Errorf("%+v", a)
		}
		if a := ask("lie_zero_amount"); !a.Told || a.Amount != 0 {
			t.Errorf("%+v", a)
		}
		if a := ask("lie_bad_amount"); a.Told {
			t.Errorf("%+v", a)
		}
		if a := ask("lie_payee"); a.Payer == p.who || a.Payer == "" {
			t.Errorf("%+v", a)
		}
		if p.name == "wechat" { // Alipay's answer names neither
			for _, fault := range []string{"lie_merchant", "lie_app"} {
				if a := ask(fault); a.Differs == "" {
					t.Errorf("%s: %+v", fault, a)
				}
			}
		}
		r := payment.TradeRefund{No: "PL1R1" + p.name, Trade: x, ChannelNo: p.QueryTrade(ctx, x).ChannelNo, Amount: 1234}
		if a := p.RefundTrade(ctx, r); a.Verdict != flow.Done {
			t.Errorf("%+v", a)
		}
		b.post(p.base, "/_sim/clock", `{"advance":"61s"}`)
		b.fault(p.base, "refund_query", "lie_amount")
		if a := p.QueryTradeRefund(ctx, r); !a.Told || a.Amount != r.Amount+100 {
			t.Errorf("%+v", a)
		}
		b.fault(p.base, "refund_query", "lie_number")
		if a := p.QueryTradeRefund(ctx, r); a.Verdict != flow.Unknown {
			t.Errorf("%+v", a)
		}
	}
}

// The payer was faster than closing: the trade ends paid.
func TestSimulator_PayerIsFaster(t *testing.T) {
	b, ctx := newBench(t), t.Context()
	p := b.payers()[0]
	x := b.trade(p, "PC1wechat")
	b.wantTrade("open", p.OpenTrade(ctx, x), payment.TradeOpen)
	b.fault(p.base, "order_close", "user_paying")
	if c := p.CloseTrade(ctx, x); c.Verdict != flow.Unknown || c.Reason.Code != "268560650" {
		t.Errorf("%+v", c)
	}
	b.post(p.base, "/_sim/clock", `{"advance":"3s"}`)
	b.wantTrade("paid", p.QueryTrade(ctx, x), payment.TradePaid)
}

// Under random faults every trade opens, and its refund arrives, exactly once.
func TestSimulator_RandomFaultsRefundOnce(t *testing.T) {
	b, ctx := newBench(t), t.Context()
	for _, p := range b.payers() {
		if p.name == "alipay" {
			b.post(p.base, "/_sim/settings", `{"refund_query_sec":0}`)
		}
		b.post(p.base, "/_sim/faults", `{"seed":5,"rate":0.4,"with":["lies","late","refusals"]}`)
		var all sync.WaitGroup
		for i := range 20 {
			x := b.trade(p, fmt.Sprintf("PZ%d%s", i, p.name))
			all.Go(func() {
				for range 100 {
					if a := p.OpenTrade(ctx, x); a.Verdict == flow.Done {
						break
					}
				}
				if resp, err := http.Post(p.base+"/_sim/pay/"+x.No, "", nil); err == nil {
					resp.Body.Close()
				}
				r := payment.TradeRefund{No: x.No + "R01", Trade: x, Amount: x.Amount}
				for range 25 { // asked for, and sent again only where it is not known
					a := p.QueryTradeRefund(ctx, r)
					if a.State == payment.RefundDone {
						break
					}
					if a.State == payment.RefundNotFound {
						p.RefundTrade(ctx, r)
					}
				}
			})
		}
		all.Wait()
		ledger := b.sims.WeChat.Ledger()
		if p.name == "alipay" {
			ledger = b.sims.Alipay.Ledger()
		}
		back := 0
		for i := range 20 {
			no := fmt.Sprintf("PZ%d%s", i, p.name)
			refunds := ledger.Find("refund", no+"R01")
			if len(refunds) > 1 || len(refunds) == 1 && (len(ledger.Find("pay", no)) != 1 || refunds[0].Amount != 1234) {
				t.Errorf("%s: %+v", no, refunds)
			}
			back += len(refunds)
		}
		if back < 10 { // some numbers are refused for good by the plan
			t.Errorf("%s: %d of 20 went back", p.name, back)
		}
	}
}
