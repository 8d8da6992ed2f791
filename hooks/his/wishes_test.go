package his

import (
	"testing"
	"time"

	"hospay/flow"
)

var noon = time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)

func wish(change func(*RefundWish)) RefundWish {
	w := RefundWish{TradeNo: "T1", HISRefundID: "TF-2026_1", HISRefundTime: noon.Unix(), AmountCash: 1_657}
	if change != nil {
		change(&w)
	}
	return w
}

func TestRefundWish_WhatCannotBeMeant(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*RefundWish)
		want   flow.Code
	}{
		"good":              {nil, ""},
		"insurance's":       {func(w *RefundWish) { w.AmountSI, w.AmountAcc, w.AmountCash = 5, 3, 0 }, ""},
		"no id":             {func(w *RefundWish) { w.HISRefundID = "" }, CodeRefundIDInvalid},
		"id with a blank":   {func(w *RefundWish) { w.HISRefundID = "TF 1" }, CodeRefundIDInvalid},
		"no trade":          {func(w *RefundWish) { w.TradeNo = "" }, CodeTradeNoInvalid},
		"nothing":           {func(w *RefundWish) { w.AmountCash = 0 }, flow.CodeAmountInvalid},
		"below zero":        {func(w *RefundWish) { w.AmountSI = -1 }, flow.CodeAmountInvalid},
		"more than a bill":  {func(w *RefundWish) { w.AmountAcc = maxPart + 1 }, flow.CodeAmountInvalid},
		"no time":           {func(w *RefundWish) { w.HISRefundTime = 0 }, CodeRefundTimeInvalid},
		"milliseconds":      {func(w *RefundWish) { w.HISRefundTime *= 1000 }, CodeRefundTimeInvalid},
		"a year and a week": {func(w *RefundWish) { w.HISRefundTime = noon.AddDate(-1, 0, -8).Unix() }, CodeRefundTimeInvalid},
	} {
		w := wish(c.change)
		if got := flow.CodeOf(w.Check(noon)); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
		done := RefundDone{RefundWish: w, SIRefundID: "S1", CashRefundID: "C1"}
		if got := flow.CodeOf(done.Check(noon)); got != c.want {
			t.Errorf("done, %s: %q, want %q", name, got, c.want)
		}
	}
	if w := wish(nil); w.Insured() || !wish(func(w *RefundWish) { w.AmountAcc = 1 }).Insured() {
		t.Error(w)
	}
	for _, d := range []RefundDone{{RefundWish: wish(nil), SIRefundID: "S1"},
		{RefundWish: wish(func(w *RefundWish) { w.AmountSI = 1 }), CashRefundID: "C1"}} {
		if flow.CodeOf(d.Check(noon)) != CodeRefundIDInvalid {
			t.Errorf("a part without its number: %+v", d)
		}
	}
}

func TestBillAsk_DayChannelAndPage(t *testing.T) {
	for name, c := range map[string]struct {
		ask  BillAsk
		want flow.Code
	}{
		"day":      {BillAsk{Date: "2026-11-28"}, ""},
		"channel":  {BillAsk{Date: "2028-02-29", Channel: "alipay", Offset: 5, Length: 10}, ""},
		"no day":   {BillAsk{}, CodeDayInvalid},
		"no such":  {BillAsk{Date: "2026-02-29"}, CodeDayInvalid},
		"too far":  {BillAsk{Date: "1899-12-30"}, CodeDayInvalid},
		"slashes":  {BillAsk{Date: "2026/11/28"}, CodeDayInvalid},
		"cash":     {BillAsk{Date: "2026-11-28", Channel: "cash"}, CodeChannelInvalid},
		"offset":   {BillAsk{Date: "2026-11-28", Offset: -1}, CodePageInvalid},
		"length":   {BillAsk{Date: "2026-11-28", Length: maxLength + 1}, CodePageInvalid},
		"negative": {BillAsk{Date: "2026-11-28", Length: -1}, CodePageInvalid},
	} {
		ask := c.ask
		if got := flow.CodeOf(ask.Check()); got != c.want || c.want == "" && ask.Length == 0 {
			t.Errorf("%s: %q, want %q, length %d", name, got, c.want, ask.Length)
		}
	}
}
