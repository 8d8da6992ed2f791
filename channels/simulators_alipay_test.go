package channels_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"hospay/channels"
	"hospay/channels/alipay"
	"hospay/flow"
	"hospay/refund"
	"hospay/sim/world"
)

func TestSimulator_AlipayTransfer(t *testing.T) {
	b, ctx := newBench(t), t.Context()
	base := b.sims.Alipay.URL()
	p := b.aliTransfer("AT1", 12345)
	b.want("before", b.ali.Query(ctx, p), refund.PayoutNotFound)
	a := b.want("pay", b.ali.Pay(ctx, p), refund.PayoutSucceeded)
	b.want("again", b.ali.Pay(ctx, p), refund.PayoutSucceeded)
	if q := b.want("query", b.ali.Query(ctx, p), refund.PayoutSucceeded); q.Of.Amount != p.Amount || q.PaidAt.IsZero() ||
		q.ChannelNo != a.ChannelNo {
		t.Errorf("%+v", q)
	}
	if cb := b.callback("AT1"); cb.Kind != refund.CallbackTransfer || told(cb).Answer.State != refund.PayoutSucceeded ||
		told(cb).Answer.Of.Amount != p.Amount {
		t.Errorf("%+v", cb)
	}
	other := p
	other.Amount++
	b.want("same number, other amount", b.ali.Pay(ctx, other), "")
	wrong := b.aliTransfer("AT2", 100)
	wrong.Payee.Name = "张三"
	b.refused("wrong name", b.ali.Pay(ctx, wrong), "PAYEE_NOT_EXIST", false)
	b.want("wrong name, query", b.ali.Query(ctx, wrong), refund.PayoutNotFound)
	b.refused("over the limit", b.ali.Pay(ctx, b.aliTransfer("AT3", 6_000_000)), "EXCEED_LIMIT_PERSONAL_SM_AMOUNT", false)
	for i, payee := range []refund.Payee{{Account: b.patient().AlipayUserID, Type: refund.AccountAlipayUserID},
		{Account: b.patient().AlipayOpenID, Type: refund.AccountAlipayOpenID, Name: b.patient().AlipayName}} {
		q := b.aliTransfer(fmt.Sprint("AT", 10+i), 100)
		q.Payee = payee
		b.want(string(payee.Type), b.ali.Pay(ctx, q), refund.PayoutSucceeded)
	}
	b.receipt(b.ali, base, a, "AT1")
	b.bills(b.ali, []channels.BillKind{alipay.BillLedger})
	b.post(base, "/_sim/return/AT1", "")
	b.want("returned", b.ali.Query(ctx, p), refund.PayoutReturned)
}

func TestSimulator_AlipayFaults(t *testing.T) {
	b, ctx := newBench(t), t.Context()
	base := b.sims.Alipay.URL()
	for i, fault := range strings.Fields("timeout_before timeout_after 500_before 500_after system_error_before system_error_after " +
		"unknown_code unknown_code_after html_502_after truncated_after bad_signature unsigned") {
		p := b.aliTransfer(fmt.Sprint("AF", i), 1000)
		b.fault(base, "transfer", fault)
		b.want(fault, b.ali.Pay(ctx, p), "")
		executed := strings.HasSuffix(fault, "_after") || fault == "bad_signature" || fault == "unsigned"
		b.want(fault+" query", b.ali.Query(ctx, p), map[bool]refund.PayoutState{true: refund.PayoutSucceeded,
			false: refund.PayoutNotFound}[executed])
		b.want(fault+" again", b.ali.Pay(ctx, p), refund.PayoutSucceeded)
		b.fault(base, "query", fault)
		b.want(fault+" on query", b.ali.Query(ctx, p), "")
	}
	p := b.aliTransfer("AF50", 1000)
	b.fault(base, "transfer", "rate_limited")
	if a := b.ali.Pay(ctx, p); a.Verdict != flow.Refused || !a.Reason.Hold {
		t.Errorf("%+v", a)
	}
	b.fault(base, "transfer", "not_enough")
	if a := b.ali.Pay(ctx, p); a.Verdict != flow.Refused || !a.Reason.Hold || a.Reason.Actor != flow.ActorFinance {
		t.Errorf("%+v", a)
	}
	b.want("topped up", b.ali.Pay(ctx, p), refund.PayoutSucceeded)
}

func TestSimulator_AlipayRefund(t *testing.T) {
	b, ctx := newBench(t), t.Context()
	base := b.sims.Alipay.URL()
	p := b.original(world.Alipay, "AR1")
	b.want("before", b.ali.Query(ctx, p), refund.PayoutNotFound)
	b.want("pay", b.ali.Pay(ctx, p), refund.PayoutSucceeded)
	b.want("repeat", b.ali.Pay(ctx, p), refund.PayoutProcessing)
	b.post(base, "/_sim/clock", `{"advance":"11s"}`)
	if a := b.want("query", b.ali.Query(ctx, p), refund.PayoutSucceeded); a.Of.Amount != p.Amount {
		t.Errorf("%+v", a)
	}
	missing := p
	missing.No, missing.Original = "AR2", &refund.Payment{ChannelNo: "2020000000000000000000000000", Amount: 10000}
	b.refused("no such trade", b.ali.Pay(ctx, missing), "TRADE_NOT_EXIST", false)
	b.want("no such trade, query", b.ali.Query(ctx, missing), refund.PayoutNotFound)
	for i, fault := range strings.Fields("timeout_after system_error_after bad_signature") {
		q := b.original(world.Alipay, fmt.Sprint("ARF", i))
		q.Amount = 10
		b.fault(base, "refund", fault)
		b.want(fault, b.ali.Pay(ctx, q), "")
		b.post(base, "/_sim/clock", `{"advance":"11s"}`)
		b.want(fault+" query", b.ali.Query(ctx, q), refund.PayoutSucceeded)
	}
	b.bills(b.ali, []channels.BillKind{alipay.BillTrade})
}

func TestSimulator_LoginAndMessages(t *testing.T) {
	b, ctx := newBench(t), t.Context()
	for _, row := range []struct {
		ch   full
		base string
		want string
	}{{b.wx, b.sims.WeChat.URL(), b.patient().Openid}, {b.ali, b.sims.Alipay.URL(), b.patient().AlipayUserID}} {
		resp, err := http.Get(row.base + "/_sim/code?patient=P0001")
		if err != nil {
			t.Fatal(err)
		}
		var out struct{ Code string }
		err = json.NewDecoder(resp.Body).Decode(&out)
		resp.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		acc, err := row.ch.Exchange(ctx, out.Code)
		if err != nil || acc.ID != row.want {
			t.Errorf("%+v, %v", acc, err)
		}
		if _, err := row.ch.Exchange(ctx, out.Code); err == nil {
			t.Error("a code was used twice")
		}
		if id, err := row.ch.SendMessage(ctx, channels.Message{To: acc, Template: "T1", ID: "M1",
			Data: map[string]string{"keyword1": "x"}}); err != nil || id == "" {
			t.Errorf("%q, %v", id, err)
		}
	}
}

// drive does what the domain does: pay, and when in doubt ask, and repeat the
// same payout only when the other side does not know its number.
func drive(t *testing.T, ch channels.Channel, p refund.Payout, confirm func(no string)) {
	pay := true
	for range 200 {
		call := ch.Query
		if pay {
			call = ch.Pay
		}
		a := call(t.Context(), p)
		switch {
		case a.Verdict == flow.Done && a.State == refund.PayoutSucceeded:
			return
		case a.Verdict == flow.Done && a.State == refund.PayoutFailed:
			t.Errorf("%s failed: %+v", p.No, a.Reason)
			return
		case a.Verdict == flow.Done && a.State == refund.PayoutAwaitingPayee:
			confirm(p.No)
		case a.Verdict == flow.Refused && !a.Reason.Hold:
			t.Errorf("%s refused: %+v", p.No, a.Reason)
			return
		}
		pay = a.Verdict == flow.Refused || a.State == refund.PayoutNotFound
	}
	t.Errorf("%s has no end", p.No)
}

// Under random faults every payout must arrive, and exactly once.
func TestSimulator_RandomFaultsPayOnce(t *testing.T) {
	b := newBench(t)
	for _, side := range []struct {
		ch   full
		base string
		make func(string) refund.Payout
	}{
		{b.wx, b.sims.WeChat.URL(), func(no string) refund.Payout { return b.wxTransfer("W"+no, 1000) }},
		{b.ali, b.sims.Alipay.URL(), func(no string) refund.Payout { return b.aliTransfer("A"+no, 1000) }},
	} {
		b.post(side.base, "/_sim/faults", `{"seed":11,"rate":0.4}`)
		var all sync.WaitGroup
		for i := range 40 {
			all.Go(func() {
				drive(t, side.ch, side.make(fmt.Sprint("R", i)), func(no string) {
					if resp, err := http.Post(side.base+"/_sim/confirm/"+no, "", nil); err == nil { // 409 when it is confirmed already
						resp.Body.Close()
					}
				})
			})
		}
		all.Wait()
		resp, err := http.Get(side.base + "/_sim/ledger")
		if err != nil {
			t.Fatal(err)
		}
		var ledger struct {
			Entries []struct {
				Kind, No string
				Amount   int64
			}
		}
		err = json.NewDecoder(resp.Body).Decode(&ledger)
		resp.Body.Close()
		paid := map[string]int{}
		for _, e := range ledger.Entries {
			if e.Kind == "transfer" && e.Amount == 1000 {
				paid[e.No]++
			}
		}
		for no, n := range paid {
			if n != 1 {
				t.Errorf("%s was paid %d times", no, n)
			}
		}
		if err != nil || len(paid) != 40 {
			t.Errorf("%d of 40 payouts in the ledger, %v", len(paid), err)
		}
	}
}
