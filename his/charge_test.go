package his_test

import (
	"fmt"
	"slices"
	"testing"

	"hospay/flow"
	"hospay/his"
	"hospay/money"
	"hospay/payment"

	"pgregory.net/rapid"
)

var paid = payment.Charge{No: "Q1", ChargeNo: "Q1", BillNo: "B1", CardNo: "C1", Total: 5, Fund: 2, Cash: 3, Channel: "wechat"}

// receipt is an answer that proves a charge, its reversal and its refund.
func receipt(code string) flat {
	return flat{fields: map[string]string{"code": code, "data.our_no": "Q1", "data.receipt_no": "R1", "data.amount": "5", "data.bill_no": "B1",
		"data.card_no": "C1", "data.status": "done", "data.time": "2026-11-23 10:00:00", "data.reverse_no": "V1", "data.cancel_bill_no": "Y1",
		"data.cancel_serial_no": "Z1", "data.insurance_flag": "SUCCESS", "data.settle_flag": "SUCCESS", "data.allowed": "1",
		"data.refund_no": "RF1", "data.his_no": "N1"}}
}

func says(t testing.TB, doc flat, change func(*his.Mapping)) *his.Engine {
	t.Helper()
	return engine(demo(t, change), func(his.Operation, map[string]string) (his.Document, error) { return doc, nil })
}

// everything makes each call about a settlement.
func everything(t testing.TB, e *his.Engine) map[string]flow.Answer {
	t.Helper()
	part := payment.PartRefund{Charge: paid, RefundNo: "RF1", FundBack: 2, CashBack: 3}
	out := map[string]flow.Answer{"refund_check": e.MayRefund(t.Context(), paid), "refund_notice": e.TellRefund(t.Context(), part)}
	for name, rec := range map[string]payment.Receipt{"charge": e.WriteCharge(t.Context(), paid),
		"trade_check": e.CheckCharge(t.Context(), paid),
		"uncharge":    e.ReverseCharge(t.Context(), paid), "uncharge_check": e.CheckReverse(t.Context(), paid)} {
		out[name] = flow.Answer{Verdict: rec.Verdict, Reason: rec.Reason, Said: rec.State}
	}
	return out
}

// Only listed codes are refusals, only listed codes are success: of a settlement
// as of a deposit.
func TestCharge_UnlistedCodeIsNeverRefused(t *testing.T) {
	m := demo(t, nil)
	for name, ans := range everything(t, says(t, receipt("0"), nil)) {
		if ans.Verdict != flow.Done {
			t.Fatalf("%s: %+v", name, ans)
		}
	}
	rapid.Check(t, func(rt *rapid.T) {
		code := rapid.OneOf(rapid.String(), rapid.StringMatching(`-?[0-9]{0,6}`),
			rapid.SampledFrom([]string{" 1021", "1021 ", "01021", "1021.0", "", "OK", "00", "0 "})).Draw(rt, "code")
		_, listed := m.Refused[code]
		if listed || slices.Contains(m.Done, code) || slices.Contains(m.NotFound, code) {
			return
		}
		for name, ans := range everything(t, says(t, receipt(code), nil)) {
			if ans.Verdict != flow.Unknown || ans.Said != "" {
				rt.Fatalf("%s: code %q: %+v", name, code, ans)
			}
		}
	})
}

// What HIS does not know is a fact for a question, and nothing for a write; a
// refused question is none.
func TestCharge_QuestionsAndWritesReadCodesTheirOwnWay(t *testing.T) {
	for name, ans := range everything(t, says(t, flat{fields: map[string]string{"code": "1007"}}, nil)) {
		asked := name == "trade_check" || name == "uncharge_check"
		if asked && (ans.Verdict != flow.Done || ans.Said != payment.ReceiptNotFound) || !asked && ans.Verdict != flow.Unknown {
			t.Errorf("%s: %+v", name, ans)
		}
	}
	for name, ans := range everything(t, says(t, flat{fields: map[string]string{"code": "1021"}}, nil)) {
		asked := name == "trade_check" || name == "uncharge_check"
		if asked != (ans.Verdict == flow.Unknown) || !asked && ans.Reason.Code != "bill_paid" {
			t.Errorf("%s: %+v", name, ans)
		}
	}
	none := func(m *his.Mapping) { m.Operations = map[string]his.Operation{} }
	for name, ans := range everything(t, says(t, receipt("0"), none)) {
		if name != "uncharge" && ans.Verdict != flow.Unknown || name == "uncharge" && ans.Reason.Code != string(payment.CodeHISNoUncharge) {
			t.Errorf("without operations, %s: %+v", name, ans)
		}
	}
}

// Each thing that an answer says beside its code counts: the flags, the echo,
// the amount, bill and card; a time that cannot be true is told.
func TestCharge_OddAnswers(t *testing.T) {
	for name, c := range map[string]struct {
		field, value string
		verdict      flow.Verdict // of the charge
		differs      bool         // of trade_check, where it is done
	}{
		"first flag":      {"data.insurance_flag", "FAIL", flow.Unknown, false},
		"second flag":     {"data.settle_flag", "", flow.Unknown, false},
		"another number":  {"data.our_no", "Q2", flow.Unknown, false},
		"another amount":  {"data.amount", "6", flow.Unknown, false},
		"amount 0":        {"data.amount", "0", flow.Unknown, false},
		"amount missing":  {"data.amount", "", flow.Unknown, false},
		"amount below":    {"data.amount", "-5", flow.Unknown, false},
		"another bill":    {"data.bill_no", "B2", flow.Unknown, true},
		"no bill":         {"data.bill_no", "", flow.Unknown, true},
		"another card":    {"data.card_no", "C2", flow.Unknown, true},
		"no receipt":      {"data.receipt_no", "", flow.Unknown, false},
		"receipt in text": {"data.receipt_no", "收据 1", flow.Unknown, false},
		"reversed":        {"data.status", "reversed", flow.Unknown, false},
		"pending":         {"data.status", "wait", flow.Done, false},
		"time of 2099":    {"data.time", "2099-12-31 00:00:00", flow.Done, false},
		"no time":         {"data.time", "", flow.Done, false},
	} {
		doc := receipt("0")
		doc.fields[c.field] = c.value
		e := says(t, doc, func(m *his.Mapping) {
			for _, name := range []string{his.OpCharge, his.OpTradeCheck} {
				op := m.Operations[name]
				op.Pending = []string{"wait"}
				m.Operations[name] = op
			}
		})
		rec, asked := e.WriteCharge(t.Context(), paid), e.CheckCharge(t.Context(), paid)
		if rec.Verdict != c.verdict || rec.Verdict == flow.Unknown && rec.HISNo != "" || (asked.Differs != "") != c.differs {
			t.Errorf("%s: %+v, asked %+v", name, rec, asked)
		}
		if (name == "time of 2099") != (rec.Unread != "") || !rec.At.IsZero() && rec.At.Year() != 2026 {
			t.Errorf("%s: %+v", name, rec)
		}
		if (name == "pending") != (rec.State == payment.ReceiptPending) {
			t.Errorf("%s: %+v", name, rec)
		}
	}
	doc := receipt("0")
	doc.fields["data.allowed"], doc.fields["data.reason"] = "0", "患者：欧阳甲 已发药"
	ans := says(t, doc, nil).MayRefund(t.Context(), paid)
	if ans.Verdict != flow.Refused || ans.Reason.Code != "go_to_window" || ans.Reason.Message != "患者:*** 已发药" {
		t.Errorf("%+v", ans)
	}
	doc.fields["data.allowed"] = "或许"
	if ans := says(t, doc, nil).MayRefund(t.Context(), paid); ans.Verdict != flow.Unknown {
		t.Errorf("%+v", ans)
	}
	doc = receipt("0")
	doc.fields["data.amount"] = "4"
	part := payment.PartRefund{Charge: paid, RefundNo: "RF1", CashBack: 5}
	if ans := says(t, doc, nil).TellRefund(t.Context(), part); ans.Verdict != flow.Unknown {
		t.Errorf("%+v", ans)
	}
}

// A reversal may tell the whole amount or the insurance's part, and no other.
func TestUncharge_Amounts(t *testing.T) {
	for told, want := range map[string]flow.Verdict{"5": flow.Done, "2": flow.Done, "3": flow.Unknown, "": flow.Unknown} {
		doc := receipt("0")
		doc.fields["data.amount"] = told
		rec := says(t, doc, func(m *his.Mapping) {
			op := m.Operations[his.OpUncharge]
			op.Fields["amount"] = "data.amount"
		}).ReverseCharge(t.Context(), paid)
		if rec.Verdict != want {
			t.Errorf("%q: %+v", told, rec)
		}
	}
}

// Amounts of a settlement survive the unit of the wire, both ways.
func TestCharge_Units(t *testing.T) {
	for _, unit := range []string{"yuan", "fen"} {
		m := demo(t, func(m *his.Mapping) { m.Unit = unit })
		rapid.Check(t, func(t *rapid.T) {
			fund, cash := money.Fen(rapid.Int64Range(0, 999_999_999).Draw(t, "fund")), money.Fen(rapid.Int64Range(1, 999_999_999).Draw(t, "cash"))
			c := paid
			c.Fund, c.Cash, c.Total = fund, cash, fund+cash
			e := engine(m, func(_ his.Operation, v map[string]string) (his.Document, error) {
				for name, f := range map[string]money.Fen{"total": c.Total, "fund": fund, "cash": cash, "insured": fund} {
					if want := map[string]string{"yuan": f.Yuan(), "fen": fmt.Sprint(int64(f))}[unit]; v[name] != want {
						t.Fatalf("%s: sent %s, want %s", name, v[name], want)
					}
				}
				doc := receipt("0")
				doc.fields["data.amount"] = v["total"]
				return doc, nil
			})
			if rec := e.WriteCharge(t.Context(), c); rec.Verdict != flow.Done || rec.Amount != c.Total {
				t.Fatalf("%+v", rec)
			}
		})
	}
}

// "Paid already" may mean our own charge where a HIS books one twice and answers
// no question: then it is no refusal.
func TestCharge_PaidAlreadyMayBeOurs(t *testing.T) {
	for _, c := range []struct{ idempotent, check, refused bool }{{true, true, true}, {true, false, true}, {false, true, true},
		{false, false, false}} {
		rec := says(t, flat{fields: map[string]string{"code": "1021"}}, func(m *his.Mapping) {
			op := m.Operations[his.OpCharge]
			op.Idempotent = c.idempotent
			m.Operations[his.OpCharge] = op
			if !c.check {
				delete(m.Operations, his.OpTradeCheck)
			}
		}).WriteCharge(t.Context(), paid)
		if (rec.Verdict == flow.Refused) != c.refused || rec.Reason.Denied == c.refused {
			t.Errorf("%+v: %+v", c, rec)
		}
	}
}
