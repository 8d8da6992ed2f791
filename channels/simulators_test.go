package channels_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"hospay/channels"
	"hospay/channels/alipay"
	"hospay/channels/wechat"
	"hospay/flow"
	"hospay/internal/testday"
	"hospay/money"
	"hospay/payment"
	"hospay/refund"
	"hospay/sim/all"
	"hospay/sim/world"
)

// full is a channel with every port that both kinds have.
type full interface {
	channels.Channel
	channels.Callbacks
	channels.Login
	channels.Bills
	channels.Receipts
	channels.Messenger
	payment.Trades
	payment.MedIns
}

// The simulators were written from the same facts by other hands. These tests
// see that both sides read them alike.
type bench struct {
	t    *testing.T
	sims *all.Set
	wx   full
	ali  full
	got  chan flow.Callback
	kept []flow.Callback
}

func newBench(t *testing.T) *bench {
	t.Helper()
	sims, err := all.Start(context.Background(), all.Options{Seed: 1, Ahead: testday.Noon()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { sims.Close() })
	b := &bench{t: t, sims: sims, got: make(chan flow.Callback, 10_000)}
	inbox := httptest.NewServer(http.HandlerFunc(b.receive))
	t.Cleanup(inbox.Close)
	w, m := b.config(sims.WeChat.URL()), sims.WeChat.Config().MedIns
	b.wx = b.channel(wechat.New(channels.Config{
		MerchantID: w["mch_id"], AppID: w["app_id"], APIBase: sims.WeChat.URL(), NotifyURL: inbox.URL + "/wechat", Now: b.now,
		Settings: map[string]string{"medins_channel": m.Channel, "medins_org_cert": m.OrgCert, "medins_city": m.City,
			"medins_partner_id": m.PartnerID},
		Secrets: map[string]string{"private_key": w["mch_private_key"], "serial_no": w["mch_cert_serial"], "api_v3_key": w["api_v3_key"],
			"public_key": w["public_key"], "public_key_id": w["public_key_id"], "platform_certs": w["platform_cert"], "app_secret": w["app_secret"],
			"medins_partner_secret": m.PartnerSecret},
	}))
	a := b.config(sims.Alipay.URL())
	b.ali = b.channel(alipay.New(channels.Config{
		MerchantID: a["pid"], AppID: a["app_id"], APIBase: sims.Alipay.URL(), NotifyURL: inbox.URL + "/alipay",
		Now: b.now,
		Settings: map[string]string{"medins_org_cert": sims.Alipay.Config().MedIns.OrgCert, "medins_city": sims.Alipay.Config().MedIns.City,
			"medins_words": `{"WAIT_PAY":"open","SUCCESS":"paid","FAIL":"failed","REFUND":"refunded"}`},
		Secrets: map[string]string{"private_key": a["app_private_key"], "app_cert": a["app_cert"], "alipay_cert": a["alipay_cert"],
			"alipay_root_cert": a["alipay_root_cert"]},
	}))
	b.post(sims.Alipay.URL(), "/_sim/settings", fmt.Sprintf(`{"gateway_url":%q,"bill_any_day":true}`, inbox.URL+"/alipay"))
	b.post(sims.WeChat.URL(), "/_sim/settings", `{"bill_any_day":true}`)
	return b
}

// now is the simulators' time.
func (b *bench) now() time.Time { return b.sims.Alipay.Clock().Now() }

func (b *bench) channel(c full, err error) full {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
	return c
}

func (b *bench) receive(w http.ResponseWriter, r *http.Request) {
	ch := b.wx
	if r.URL.Path == "/alipay" {
		ch = b.ali
	}
	body, _ := io.ReadAll(r.Body)
	cb, err := ch.ParseCallback(r.Context(), r.Header, body)
	ch.Acknowledge(w, err)
	if err == nil {
		b.got <- cb
	}
}

func (b *bench) config(base string) map[string]string {
	resp, err := http.Get(base + "/_sim/config")
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close()
	var raw map[string]any
	if err := json.NewDecoder(resp.Body).Decode(&raw); err != nil {
		b.t.Fatal(err)
	}
	out := map[string]string{}
	for k, v := range raw {
		out[k], _ = v.(string)
	}
	return out
}

func (b *bench) post(base, path, body string) string {
	b.t.Helper()
	resp, err := http.Post(base+path, "application/json", strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(resp.Body)
	if resp.StatusCode != 200 {
		b.t.Fatalf("%s: %d %s", path, resp.StatusCode, text)
	}
	return string(text)
}

func (b *bench) fault(base, match, fault string) {
	b.post(base, "/_sim/faults", fmt.Sprintf(`{"plan":[{"match":%q,"nth":1,"fault":%q,"times":1}]}`, match, fault))
}

// want checks an answer; an empty state means unknown.
func (b *bench) want(what string, a refund.PayoutAnswer, state refund.PayoutState) refund.PayoutAnswer {
	b.t.Helper()
	if a.State != state || (a.Verdict == flow.Done) != (state != "") {
		b.t.Errorf("%s: %v %q %+v; want %q", what, a.Verdict, a.State, a.Reason, state)
	}
	return a
}

func (b *bench) refused(what string, a refund.PayoutAnswer, code string, hold bool) {
	b.t.Helper()
	if a.Verdict != flow.Refused || a.Reason.Code != code || a.Reason.Hold != hold {
		b.t.Errorf("%s: %v %+v; want %s", what, a.Verdict, a.Reason, code)
	}
}

func (b *bench) callback(no string) flow.Callback {
	b.t.Helper()
	deadline := time.After(5 * time.Second)
	for {
		select {
		case cb := <-b.got:
			if cb.No == no {
				return cb
			}
		case <-deadline:
			b.t.Fatalf("no callback for %s: %s", no, b.post(b.sims.WeChat.URL(), "/_sim/clock", `{"advance":"0s"}`))
		}
	}
}

func (b *bench) patient() *world.Patient { return b.sims.World.Patients()[0] }

func (b *bench) wxTransfer(no string, amount money.Fen) refund.Payout {
	p := b.patient()
	return refund.Payout{No: no, Method: refund.MethodTransfer, Amount: amount, Remark: "退预交金",
		Payee: refund.Payee{Account: p.Openid, Type: refund.AccountWechatOpenID, Name: p.WechatName}}
}

func (b *bench) aliTransfer(no string, amount money.Fen) refund.Payout {
	p := b.patient()
	return refund.Payout{No: no, Method: refund.MethodTransfer, Amount: amount,
		Payee: refund.Payee{Account: p.AlipayLogon, Type: refund.AccountAlipayLogonID, Name: p.AlipayName}}
}

// original is a refund of a payment that is younger than a year.
func (b *bench) original(channel, no string) refund.Payout {
	for _, p := range b.sims.World.Patients() {
		for _, card := range p.Cards {
			for _, d := range b.sims.World.Card(card).Deposits {
				if d.Method == channel && testday.Now().Sub(d.PaidAt) < 300*24*time.Hour && d.Amount > 200 {
					return refund.Payout{No: no, Method: refund.MethodOriginal, Amount: 100, Remark: "退预交金",
						Original: &refund.Payment{TradeNo: d.OutTradeNo, ChannelNo: d.TransactionID, Amount: money.Fen(d.Amount), PaidAt: d.PaidAt}}
				}
			}
		}
	}
	b.t.Fatal("no deposit to refund")
	return refund.Payout{}
}

func TestSimulator_WeChatTransfer(t *testing.T) {
	b, ctx := newBench(t), t.Context()
	base := b.sims.WeChat.URL()
	p := b.wxTransfer("WT1", 250_000)
	b.want("before", b.wx.Query(ctx, p), refund.PayoutNotFound)
	a := b.want("pay", b.wx.Pay(ctx, p), refund.PayoutAwaitingPayee)
	if a.Confirm.Package == "" || a.ChannelNo == "" {
		t.Errorf("%+v", a)
	}
	b.want("again", b.wx.Pay(ctx, p), refund.PayoutAwaitingPayee)
	other := p
	other.Amount++
	b.want("same number, other amount", b.wx.Pay(ctx, other), "")
	b.post(base, "/_sim/confirm/WT1", "")
	if q := b.want("query", b.wx.Query(ctx, p), refund.PayoutSucceeded); q.Of.Amount != p.Amount || q.PaidAt.IsZero() ||
		q.ChannelNo != a.ChannelNo {
		t.Errorf("%+v", q)
	}
	if cb := b.callback("WT1"); cb.Kind != refund.CallbackTransfer || told(cb).Answer.State != refund.PayoutSucceeded ||
		told(cb).Answer.Of.Amount != p.Amount || told(cb).Answer.Of.Payees[p.Payee.Type] != p.Payee.Account {
		t.Errorf("%+v", cb)
	}

	c := b.wxTransfer("WT2", 100)
	b.want("pay", b.wx.Pay(ctx, c), refund.PayoutAwaitingPayee)
	if x := b.wx.Cancel(ctx, c); x.Verdict != flow.Done {
		t.Errorf("cancel: %+v", x)
	}
	b.want("cancelled", b.wx.Query(ctx, c), refund.PayoutFailed)
	b.callback("WT2")
	if x := b.wx.Cancel(ctx, p); x.Verdict == flow.Done && x.State != refund.PayoutSucceeded {
		t.Errorf("cancel after success: %+v", x)
	}

	e := b.wxTransfer("WT3", 100)
	b.want("pay", b.wx.Pay(ctx, e), refund.PayoutAwaitingPayee)
	b.post(base, "/_sim/expire/WT3", "")
	if q := b.want("expired", b.wx.Query(ctx, e), refund.PayoutFailed); q.Reason.Code != "OVERDUE_CLOSE" ||
		q.Reason.Actor != flow.ActorPatient {
		t.Errorf("%+v", q.Reason)
	}
	// A merchant that migrates, and the other name of the merchant's number.
	b.post(base, "/_sim/settings", `{"callback_key":"alternate","callback_mch_field":"mchid"}`)
	for _, no := range []string{"WT5", "WT6"} {
		b.want("pay", b.wx.Pay(ctx, b.wxTransfer(no, 100)), refund.PayoutAwaitingPayee)
		b.post(base, "/_sim/confirm/"+no, "")
		b.callback(no)
	}
	small := b.wxTransfer("WT4", 20)
	b.want("below the name limit", b.wx.Pay(ctx, small), refund.PayoutAwaitingPayee)
}

func TestSimulator_WeChatFaults(t *testing.T) {
	b, ctx := newBench(t), t.Context()
	base := b.sims.WeChat.URL()
	for i, fault := range strings.Fields("timeout_before timeout_after 500_before 500_after system_error_before system_error_after " +
		"unknown_code unknown_code_after html_502_after truncated_after bad_signature unsigned signtest") {
		p := b.wxTransfer(fmt.Sprint("WF", i), 1000)
		b.fault(base, "transfer", fault)
		b.want(fault, b.wx.Pay(ctx, p), "")
		executed := strings.HasSuffix(fault, "_after") || strings.HasPrefix(fault, "bad") || strings.HasPrefix(fault, "un") &&
			fault != "unknown_code" || fault == "signtest"
		b.want(fault+" query", b.wx.Query(ctx, p), map[bool]refund.PayoutState{true: refund.PayoutAwaitingPayee,
			false: refund.PayoutNotFound}[executed])
		b.want(fault+" again", b.wx.Pay(ctx, p), refund.PayoutAwaitingPayee)
		b.fault(base, "query", fault)
		b.want(fault+" on query", b.wx.Query(ctx, p), "")
	}
	p := b.wxTransfer("WF50", 1000)
	b.fault(base, "transfer", "rate_limited")
	if a := b.wx.Pay(ctx, p); a.Verdict != flow.Refused || !a.Reason.Hold {
		t.Errorf("%+v", a)
	}
	b.fault(base, "transfer", "not_enough")
	b.refused("not enough", b.wx.Pay(ctx, p), "NOT_ENOUGH", true)
	b.want("topped up", b.wx.Pay(ctx, p), refund.PayoutAwaitingPayee)
	wrong := b.wxTransfer("WF51", 1000)
	wrong.Payee.Name = "张三"
	if a := b.want("wrong name", b.wx.Pay(ctx, wrong), refund.PayoutFailed); a.Reason.Code != "NAME_NOT_CORRECT" ||
		a.Reason.Actor != flow.ActorPatient {
		t.Errorf("%+v", a)
	}
}

func TestSimulator_WeChatRefundBillsReceipts(t *testing.T) {
	b, ctx := newBench(t), t.Context()
	base := b.sims.WeChat.URL()
	p := b.original(world.Wechat, "WR1")
	b.want("before", b.wx.Query(ctx, p), refund.PayoutNotFound)
	if a := b.wx.Pay(ctx, p); a.Verdict != flow.Done {
		t.Fatalf("%+v", a)
	}
	if cb := b.callback("WR1"); cb.Kind != refund.CallbackRefund || told(cb).Answer.State != refund.PayoutSucceeded ||
		told(cb).Answer.Of.Amount != p.Amount {
		t.Errorf("%+v", cb)
	}
	b.want("again", b.wx.Pay(ctx, p), refund.PayoutSucceeded)
	if a := b.want("query", b.wx.Query(ctx, p), refund.PayoutSucceeded); a.Of.Amount != p.Amount {
		t.Errorf("%+v", a)
	}
	missing := p
	missing.No, missing.Original = "WR2", &refund.Payment{ChannelNo: "4200000000000000000000000000", Amount: 10000}
	b.refused("no such payment", b.wx.Pay(ctx, missing), "RESOURCE_NOT_EXISTS", false)

	tr := b.wxTransfer("WB1", 1000)
	b.want("pay", b.wx.Pay(ctx, tr), refund.PayoutAwaitingPayee)
	b.post(base, "/_sim/confirm/WB1", "")
	b.receipt(b.wx, base, b.want("query", b.wx.Query(ctx, tr), refund.PayoutSucceeded), "WB1")
	b.bills(b.wx, []channels.BillKind{wechat.BillOperation, wechat.BillBasic, wechat.BillTrade})
}

func (b *bench) receipt(ch channels.Receipts, base string, a refund.PayoutAnswer, no string) {
	b.t.Helper()
	r, err := ch.Receipt(b.t.Context(), no, a.ChannelNo, "")
	if err != nil || r.State != channels.ReceiptGenerating {
		b.t.Fatalf("%+v, %v", r, err)
	}
	b.post(base, "/_sim/clock", `{"advance":"1m"}`)
	if r, err = ch.Receipt(b.t.Context(), no, a.ChannelNo, r.Token); err != nil || r.State != channels.ReceiptReady {
		b.t.Errorf("%v, %v", r.State, err)
	}
}

func (b *bench) bills(ch channels.Bills, kinds []channels.BillKind) {
	b.t.Helper()
	today := b.sims.HIS.Clock().Now().In(time.FixedZone("", 8*3600)).Format(time.DateOnly)
	for _, kind := range kinds {
		var out bytes.Buffer
		bill, err := ch.DownloadBill(b.t.Context(), today, kind, &out)
		if err != nil || bill.Size == 0 || bill.Size != int64(out.Len()) || bill.Hash == "" {
			b.t.Errorf("%s: %+v, %v", kind, bill, err)
		}
		if _, err := ch.DownloadBill(b.t.Context(), "2020-01-01", kind, io.Discard); err == nil {
			b.t.Errorf("%s: bill of 2020", kind)
		}
	}
}

// told is what a callback says about its payout.
func told(cb flow.Callback) refund.Told {
	t, _ := cb.Told.(refund.Told)
	return t
}
