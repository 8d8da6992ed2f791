package channels_test

import (
	"bytes"
	"fmt"
	"slices"
	"testing"
	"time"

	"hospay/calendar"
	"hospay/channels"
	"hospay/channels/alipay"
	"hospay/channels/wechat"
	"hospay/flow"
	"hospay/money"
	"hospay/reconcile"
	"hospay/reconcile/files"
	"hospay/refund"
	"hospay/sim/world"
)

// fetched is a downloaded bill as the readers take it.
type fetched struct {
	kind string
	data []byte
}

func (b *bench) fetch(ch channels.Bills, day string, kind channels.BillKind) fetched {
	b.t.Helper()
	var out bytes.Buffer
	if _, err := ch.DownloadBill(b.t.Context(), day, kind, &out); err != nil {
		b.t.Fatalf("%s: %v", kind, err)
	}
	return fetched{string(kind), out.Bytes()}
}

// read feeds a bill to the engine; totals, dates and every line must be right.
func (b *bench) read(e *reconcile.Engine, day string, i int, f fetched) (out []reconcile.Line) {
	b.t.Helper()
	info, err := files.ReadBill(files.File{Name: f.kind, Data: bytes.NewReader(f.data), Size: int64(len(f.data))}, day, files.Sink{
		Line: func(l *reconcile.Line) error {
			l.File = uint16(i)
			out = append(out, *l)
			return e.Add(reconcile.Channel, *l)
		},
		Reject: func(r files.Reject) error { b.t.Errorf("%+v", r); return nil },
	})
	if err != nil {
		b.t.Fatalf("%s: %v", f.kind, err)
	}
	if err := e.Bill(info.Channel); err != nil {
		b.t.Fatal(err)
	}
	return out
}

// TestSimulator_BillsReconcile pays by every way, downloads the bills, and
// compares them with books that know of all payments but one return. The
// simulators' writers and our readers were written apart.
func TestSimulator_BillsReconcile(t *testing.T) {
	b, ctx := newBench(t), t.Context()
	for _, voucher := range []string{"out_bill_no", "transfer_bill_no"} {
		b.post(b.sims.WeChat.URL(), "/_sim/settings", fmt.Sprintf(`{"bill_voucher":%q,"bill_expired_rows":true}`, voucher))
		for _, sign := range []string{"negative", "positive"} {
			b.post(b.sims.Alipay.URL(), "/_sim/settings", fmt.Sprintf(`{"bill_refund_sign":%q}`, sign))
		}
		wx, ali := b.wxTransfer("BW"+voucher[:3], 1000), b.aliTransfer("BA"+voucher[:3], 2000)
		b.want("wechat", b.wx.Pay(ctx, wx), refund.PayoutAwaitingPayee)
		b.post(b.sims.WeChat.URL(), "/_sim/confirm/"+wx.No, "")
		b.want("alipay", b.ali.Pay(ctx, ali), refund.PayoutSucceeded)
	}
	b.post(b.sims.WeChat.URL(), "/_sim/settings", `{"bill_voucher":"out_bill_no"}`)
	lapsed := b.wxTransfer("BWlapsed", 500)
	b.want("lapse", b.wx.Pay(ctx, lapsed), refund.PayoutAwaitingPayee)
	b.post(b.sims.WeChat.URL(), "/_sim/expire/BWlapsed", "")
	origWx, origAli := b.original(world.Wechat, "BWO1"), b.original(world.Alipay, "BAO1")
	if a := b.wx.Pay(ctx, origWx); a.Verdict != flow.Done {
		t.Fatalf("%+v", a)
	}
	b.callback("BWO1")
	b.want("original", b.ali.Pay(ctx, origAli), refund.PayoutSucceeded)
	b.post(b.sims.Alipay.URL(), "/_sim/return/BAout", "")

	now := b.sims.HIS.Clock().Now()
	day := now.In(calendar.Beijing).Format(time.DateOnly)
	bills := []fetched{b.fetch(b.wx, day, wechat.BillOperation), b.fetch(b.wx, day, wechat.BillBasic), b.fetch(b.wx, day, wechat.BillTrade),
		b.fetch(b.ali, day, alipay.BillLedger), b.fetch(b.ali, day, alipay.BillTrade)}
	e, err := reconcile.New(reconcile.Defaults(day))
	if err != nil {
		t.Fatal(err)
	}
	count := map[string]int{}
	for i, f := range bills {
		for _, l := range b.read(e, day, i, f) {
			count[fmt.Sprintf("%s %s %v", f.kind, l.Method, l.Back)]++
		}
	}
	if count["fundflow_operation transfer false"] != 3 || count["fundflow_operation transfer true"] != 1 ||
		count["fundflow_basic original false"] != 1 ||
		count["signcustomer transfer false"] != 2 || count["signcustomer transfer true"] != 1 || count["signcustomer original false"] != 1 ||
		count["trade original false"] != 2 {
		t.Errorf("%v", count)
	}
	b.addBooks(e, now.Unix(), map[string]refund.Payout{
		"BWout": b.wxTransfer("BWout", 1000), "BWtra": b.wxTransfer("BWtra", 1000), "BAout": b.aliTransfer("BAout", 2000),
		"BAtra": b.aliTransfer("BAtra", 2000),
		"BWO1":  origWx, "BAO1": origAli, "BWlapsed": lapsed,
	})
	res, err := e.Run()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, d := range res.Differences {
		got = append(got, d.BillNo+" "+d.Kind.String())
	}
	if !slices.Equal(got, []string{"BAout state"}) || res.Summary.Books[reconcile.Channel] != (reconcile.Sum{Count: 5,
		Amount: 1000 + 1000 + 2000 + 200}) {
		t.Errorf("%q %+v", got, res.Summary)
	}
}

// addBooks makes the platform's and HIS's lines of the payouts. The platform
// knows the channel's number of the one whose bill names nothing else.
func (b *bench) addBooks(e *reconcile.Engine, at int64, payouts map[string]refund.Payout) {
	b.t.Helper()
	for no, p := range payouts {
		l := reconcile.Line{OrderNo: "R" + no, BillNo: no, CardNo: "C1", Amount: money.Fen(p.Amount), Method: string(p.Method), Channel: "wechat",
			Status: reconcile.Succeeded, At: at}
		if no[1] == 'A' {
			l.Channel = "alipay"
		}
		if no == "BWlapsed" {
			l.Status = reconcile.Failed
		}
		if no == "BWtra" {
			l.ChannelNo = b.wx.Query(b.t.Context(), p).ChannelNo
		}
		for _, which := range []reconcile.Book{reconcile.Platform, reconcile.HIS} {
			if err := e.Add(which, l); err != nil {
				b.t.Fatal(err)
			}
		}
	}
}
