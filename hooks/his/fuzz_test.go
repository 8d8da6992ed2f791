package his

import (
	"encoding/json"
	"testing"
	"time"
)

// FuzzRefundWish: whatever comes, what is taken asks for something that a bill can
// have, under a number that can be found again, and is the same when it comes once
// more.
func FuzzRefundWish(f *testing.F) {
	for _, s := range []string{
		`{"trade_no":"P261128AAAAAAAAAAC01","his_refund_id":"TF1","his_refund_time":1795876800,"amount_si":0,"amount_acc":0,"amount_cash":1657}`,
		`{"trade_no":"P1","his_refund_id":"TF1","his_refund_time":1795876800,"amount_si":4998,"amount_acc":2485,"amount_cash":0,` +
			`"si_refund_id":"S1","si_refund_time":1795876800}`,
		`{"trade_no":"P1","his_refund_id":"TF 1","his_refund_time":"1795876800","amount_cash":"16.57"}`,
		`{"trade_no":"P1","his_refund_id":"TF1","his_refund_time":1795876800,"amount_cash":9223372036854775807}`,
		`{"trade_no":"P1","his_refund_id":"TF1","his_refund_time":1795876800,"amount_si":1,"amount_acc":-1,"amount_cash":1e3}`,
		`[]`, `null`, `{"amount_cash":1.5}`, `{"trade_no":"P1"}{"trade_no":"P2"}`, "{\"trade_no\":\"P1\\u0000\"}", `{`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var d RefundDone
		if content(body, &d) != nil || d.Check(noon) != nil {
			return
		}
		w := d.RefundWish
		sum := w.AmountSI + w.AmountAcc + w.AmountCash
		if w.Check(noon) != nil || sum <= 0 || sum > 3*maxPart || min(w.AmountSI, w.AmountAcc, w.AmountCash) < 0 || len(w.HISRefundID) > 64 ||
			time.Unix(w.HISRefundTime, 0).After(noon.Add(24*time.Hour)) {
			t.Fatalf("%q is taken as %+v", body, d)
		}
		again, _ := json.Marshal(d)
		var e RefundDone
		if content(again, &e) != nil || e != d {
			t.Fatalf("%q is %+v, then %+v", body, d, e)
		}
		if got := w.wish(); got.Cash != w.AmountCash || got.Fund != w.AmountSI || got.Account != w.AmountAcc || got.Kind == "" {
			t.Fatalf("%+v asks for %+v", w, got)
		}
	})
}

// FuzzBillAsk: a bill is asked for a day that exists and a part of it that is no
// longer than allowed.
func FuzzBillAsk(f *testing.F) {
	for _, s := range []string{`{"date":"2026-11-28","channel":"wechat","offset":0,"length":1000}`, `{"date":"2026-02-30"}`,
		`{"date":"2028-02-29","length":-1}`, `{"date":"2026-11-28T00:00:00Z"}`, `{"date":"2026-11-28","offset":1e99}`,
		`{"date":"2026-11-28","channel":"cash"}`, `""`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var a BillAsk
		if content(body, &a) != nil || a.Check() != nil {
			return
		}
		day, err := time.Parse(time.DateOnly, a.Date)
		if err != nil || day.Format(time.DateOnly) != a.Date || a.Offset < 0 || a.Length < 1 || a.Length > maxLength {
			t.Fatalf("%q is taken as %+v", body, a)
		}
	})
}
