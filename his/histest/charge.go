package histest

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"hospay/calendar"
	"hospay/flow"
	"hospay/payment"
	"hospay/sim/world"
)

// unpaid reads the first bill of a card.
func unpaid(t *testing.T, h payment.HIS, card string) payment.Bill {
	t.Helper()
	bills, err := h.Bills(t.Context(), card)
	if err != nil || len(bills) == 0 {
		t.Fatalf("%+v %v", bills, err)
	}
	return bills[0]
}

// settled is a charge of a bill: half by the insurance, half in cash.
func settled(no string, b payment.Bill) payment.Charge {
	half := b.Amount / 2
	return payment.Charge{No: no, OrderNo: "P" + no, BillNo: b.No, CardNo: b.CardNo, Kind: b.Kind, Channel: "wechat",
		Terminal: payment.TerminalMini, Total: b.Amount, Fund: half, Cash: b.Amount - half, TradeNo: "T" + no, ChannelNo: "42" + no,
		PaidAt: time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC), PayOrdID: "ORD" + no, MedOrgOrd: "M" + no, SetlID: "S" + no,
		MdtrtID: "D" + no, SetlTime: "2026-11-23 18:00:00", SetlInfo: []byte(`{"setl_id":"S1","fund_pay_sumamt":"12.30","x":{"y":"<&>"}}`)}
}

func wantReceipt(t *testing.T, rec payment.Receipt, c payment.Charge) {
	t.Helper()
	if rec.Verdict != flow.Done || rec.State != payment.ReceiptDone || rec.HISNo == "" || !rec.Told || rec.Amount != c.Total ||
		rec.Differs != "" || rec.Unread != "" {
		t.Fatalf("%+v, want done", rec)
	}
}

func wantUnproved(t *testing.T, what string, rec payment.Receipt) {
	t.Helper()
	if rec.Verdict != flow.Unknown || rec.State != "" || rec.HISNo != "" || rec.CancelNo != "" || rec.Amount != 0 {
		t.Errorf("%s: %+v, want unknown", what, rec)
	}
}

func wantNotFound(t *testing.T, rec payment.Receipt) {
	t.Helper()
	if rec.Verdict != flow.Done || rec.State != payment.ReceiptNotFound {
		t.Fatalf("%+v, want not found", rec)
	}
}

// charge: written once per number, asked for by number, refunded in parts.
func (k Kit) charge(t *testing.T) {
	s := simulator(t)
	h, ctx := k.New(t, s.URL()), t.Context()
	b := unpaid(t, h, "C0001")
	c := settled("Q1", b)
	wantNotFound(t, h.CheckCharge(ctx, c))
	first := h.WriteCharge(ctx, c)
	wantReceipt(t, first, c)
	again, asked := h.WriteCharge(ctx, c), h.CheckCharge(ctx, c)
	wantReceipt(t, again, c)
	wantReceipt(t, asked, c)
	if again.HISNo != first.HISNo || asked.HISNo != first.HISNo || first.Guide == "" || first.At.IsZero() {
		t.Errorf("%+v %+v %+v", first, again, asked)
	}
	rows := s.Ledger().Find("charge", "Q1")
	if len(rows) != 1 || rows[0].Amount != int64(b.Amount) || rows[0].Party != "C0001" {
		t.Fatalf("%+v", rows)
	}
	other := c
	other.Cash, other.Fund = c.Cash+1, c.Fund-1
	wantUnproved(t, "same number, other parts", h.WriteCharge(ctx, other))
	about := c
	about.No, about.ChargeNo, about.HISNo = "Q1R", "Q1", first.HISNo
	if ans := h.MayRefund(ctx, about); ans.Verdict != flow.Done {
		t.Errorf("%+v", ans)
	}
	part := payment.PartRefund{Charge: about, RefundNo: "RF1", CashBack: c.Cash, At: testTime}
	if ans := h.TellRefund(ctx, part); ans.Verdict != flow.Done || ans.Report != flow.ReportDone || ans.Theirs == "" {
		t.Errorf("%+v", ans)
	}
	if ans := h.TellRefund(ctx, part); ans.Verdict != flow.Done || len(s.Ledger().Find("uncharge", "Q1")) != 1 {
		t.Errorf("told twice: %+v", ans)
	}
	k.booked(t, h, s.Clock().Now().In(calendar.Beijing).Format(time.DateOnly), c, part)
	plan(t, s, "refund_check", "dispensed")
	if ans := h.MayRefund(ctx, about); ans.Verdict != flow.Refused || ans.Reason.Code != string(payment.CodeGoToWindow) ||
		ans.Reason.Message == "" {
		t.Errorf("%+v", ans)
	}
}

// booked: the day's list has the charge and what went back of it, each with the
// cash alone.
func (k Kit) booked(t *testing.T, h payment.HIS, today string, c payment.Charge, back payment.PartRefund) {
	t.Helper()
	if !h.Can().Charges {
		t.Fatal("no list of charges")
	}
	var rows []payment.ChargeLine
	err := h.Charges(t.Context(), today, func(l payment.ChargeLine) error {
		rows = append(rows, l)
		return nil
	})
	if err != nil || len(rows) != 2 {
		t.Fatalf("%+v %v", rows, err)
	}
	for i, want := range []payment.ChargeLine{{OrderNo: c.OrderNo, Cash: c.Cash}, {OrderNo: c.OrderNo, RefundNo: back.RefundNo,
		Cash: back.CashBack,
		Back: true}} {
		r := rows[i]
		if r.OrderNo != want.OrderNo || r.RefundNo != want.RefundNo || r.Cash != want.Cash || r.Back != want.Back || r.CardNo != c.CardNo ||
			r.Channel != "wechat" || r.Status != "succeeded" || r.At.IsZero() || r.HISNo == "" || r.Unread != "" || r.TradeNo != c.TradeNo {
			t.Errorf("%+v, want %+v", r, want)
		}
	}
	stop := errors.New("stop")
	if err := h.Charges(t.Context(), today, func(payment.ChargeLine) error { return stop }); err != stop {
		t.Errorf("stopped: %v", err)
	}
}

var testTime = time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)

// centre stands behind the HIS.
type centre struct {
	reversed []string
	settled  []string
	refuse   bool
}

// Reverse notes the number.
func (c *centre) Reverse(no string) error {
	if c.refuse {
		return errors.New("nothing is settled")
	}
	c.reversed = append(c.reversed, no)
	return nil
}

// Shown gives a token.
func (c *centre) Shown(p *world.Patient) string { return "EC" + p.Code }

// SettleShown takes any token once.
func (c *centre) SettleShown(no, ecToken string) error {
	if c.refuse || ecToken == "" {
		return errors.New("not licensed")
	}
	c.settled = append(c.settled, no)
	return nil
}

// uncharge: HIS takes the insurance's part back once, whether it has a charge or
// never got one.
func (k Kit) uncharge(t *testing.T) {
	s, behind := simulator(t), &centre{}
	s.Behind(behind)
	h, ctx := k.New(t, s.URL()), t.Context()
	written := settled("U1", unpaid(t, h, "C0001"))
	wantReceipt(t, h.WriteCharge(ctx, written), written)
	refused := settled("U2", unpaid(t, h, "C0002"))
	for _, c := range []payment.Charge{written, refused} {
		v := c
		v.No, v.ChargeNo = c.No+"V", c.No
		wantNotFound(t, h.CheckReverse(ctx, v))
		first := h.ReverseCharge(ctx, v)
		if first.Verdict != flow.Done || first.HISNo == "" || first.CancelNo == "" || first.CancelSer == "" {
			t.Fatalf("%+v", first)
		}
		again, asked := h.ReverseCharge(ctx, v), h.CheckReverse(ctx, v)
		if again.HISNo != first.HISNo || asked.HISNo != first.HISNo || asked.CancelNo != first.CancelNo || asked.State != payment.ReceiptDone {
			t.Errorf("%+v %+v", again, asked)
		}
		wantUnproved(t, "charge after its reversal", h.WriteCharge(ctx, c))
		if rec := h.CheckCharge(ctx, c); rec.State == payment.ReceiptDone {
			t.Errorf("a reversed charge passes for one: %+v", rec)
		}
	}
	if strings.Join(behind.reversed, " ") != "MU1 MU2" || len(s.Ledger().Find("uncharge", "U1")) != 1 ||
		len(s.Ledger().Find("uncharge", "U2")) != 0 {
		t.Errorf("%v %+v", behind.reversed, s.Ledger().Entries())
	}
	behind.refuse = true
	third := settled("U3", unpaid(t, h, "C0003"))
	if rec := h.ReverseCharge(ctx, third); rec.Verdict != flow.Refused {
		t.Errorf("%+v", rec)
	}
	wantNotFound(t, h.CheckReverse(ctx, third))
	if err := s.Settings().Patch([]byte(`{"uncharge_supported":false}`)); err != nil {
		t.Fatal(err)
	}
	if rec := h.ReverseCharge(ctx, third); rec.Verdict != flow.Refused || rec.Reason.Code != string(payment.CodeHISNoUncharge) {
		t.Errorf("%+v", rec)
	}
}

// chargeRefused: what happens to a bill between its price and its payment is
// refused in a word that says what it was, and nothing is written.
func (k Kit) chargeRefused(t *testing.T) {
	s := simulator(t)
	h, ctx := k.New(t, s.URL()), t.Context()
	for fault, code := range map[string]flow.Code{"window_paid": payment.CodeBillPaid, "price_changed": payment.CodePriceChanged} {
		card := map[string]string{"window_paid": "C0001", "price_changed": "C0002"}[fault]
		c := settled("X"+card, unpaid(t, h, card))
		plan(t, s, "charge", fault)
		if rec := h.WriteCharge(ctx, c); rec.Verdict != flow.Refused || rec.Reason.Code != string(code) || rec.Reason.Hold {
			t.Errorf("%s: %+v", fault, rec)
		}
		wantNotFound(t, h.CheckCharge(ctx, c))
	}
	c := settled("X3", unpaid(t, h, "C0003"))
	wantReceipt(t, h.WriteCharge(ctx, c), c)
	second := c
	second.No = "X3B"
	if rec := h.WriteCharge(ctx, second); rec.Verdict != flow.Refused || rec.Reason.Code != string(payment.CodeBillPaid) {
		t.Errorf("a bill is paid once: %+v", rec)
	}
	if rows := s.Ledger().Entries(); len(rows) != 1 {
		t.Errorf("%+v", rows)
	}
}

// chargeFaults leave the outcome open, and trade_check tells it. Of two flags
// both must say success, although the charge is written.
func (k Kit) chargeFaults(t *testing.T) {
	s := simulator(t)
	h, ctx := k.New(t, s.URL()), t.Context()
	for i, fault := range []string{"timeout_before", "timeout_after", "500_before", "500_after", "html_502_after", "truncated_after",
		"unknown_code", "unknown_code_after", "system_error_before", "system_error_after", "half_written", "lie_amount", "lie_payee",
		"lie_number", "lie_no_amount", "lie_bad_amount"} {
		card := s.people.Patients()[i].Cards[0]
		c := settled("F"+card, unpaid(t, h, card))
		plan(t, s, "charge", fault)
		wantUnproved(t, fault, h.WriteCharge(ctx, c))
		if len(s.Ledger().Find("charge", c.No)) == 1 {
			wantReceipt(t, h.CheckCharge(ctx, c), c)
		} else {
			wantNotFound(t, h.CheckCharge(ctx, c))
		}
		plan(t, s, "trade_check", "lie_payee")
		if rec := h.CheckCharge(ctx, c); rec.Verdict == flow.Done && rec.State == payment.ReceiptDone && rec.Differs == "" {
			t.Errorf("another card passes: %+v", rec)
		}
		s.Faults().Clear()
	}
}

var asked2 = payment.Charge{No: "H1", OrderNo: "PH1", BillNo: "B1", CardNo: "C0001", Channel: "wechat", Total: 12_345, Cash: 12_345,
	TradeNo: "T1"}

// hostileBills: whatever is no proper answer proves nothing about a settlement,
// and is no bill, no slot, no area and no enrolment.
func (k Kit) hostileBills(t *testing.T) {
	for name, answer := range k.worthless() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := k.New(t, serve(t, answer))
			ctx := t.Context()
			wantUnproved(t, "charge", h.WriteCharge(ctx, asked2))
			if rec := h.CheckCharge(ctx, asked2); rec.Verdict == flow.Done && (rec.State != payment.ReceiptDone || rec.Amount == asked2.Total) {
				t.Errorf("trade_check: %+v", rec)
			}
			if slices.Contains(slow, name) { // all calls read alike
				return
			}
			_, err := h.Bills(ctx, "C0001")
			k.mustFail(t, "bills", err)
			_, err = h.Bill(ctx, "C0001", "B2")
			k.mustFail(t, "bill", err)
			_, err = h.LockSlot(ctx, "H9", "S1", "C0001")
			k.mustFail(t, "lock", err)
			_, err = h.Slots(ctx, "D01", "2026-11-23")
			k.mustFail(t, "slots", err)
			_, err = h.Areas(ctx)
			k.mustFail(t, "areas", err)
			_, err = h.Enrolment(ctx, payment.Insured{PatientNo: "P0001", Name: "测试甲乙"}, "440100")
			k.mustFail(t, "enrolment", err)
			k.mustFail(t, "identity", h.SaveIdentity(ctx, payment.Identity{BillNo: "B2", Insured: payment.Insured{Name: "测试甲乙"}}))
			_, err = h.Bearer(ctx, payment.Shown{Way: payment.ShownCredential, No: "4240000000000000000000000001"})
			k.mustFail(t, "bearer", err)
			if !aboutMoney(name) {
				wantUnproved(t, "uncharge", h.ReverseCharge(ctx, asked2))
				wantUnproved(t, "uncharge_check", h.CheckReverse(ctx, asked2))
			}
		})
	}
	t.Run("good", func(t *testing.T) {
		h := k.New(t, serve(t, k.answers(k.good())))
		wantReceipt(t, h.WriteCharge(t.Context(), asked2), asked2)
		if rec := h.ReverseCharge(t.Context(), asked2); rec.Verdict != flow.Done {
			t.Errorf("%+v", rec)
		}
	})
}

// slow are answers that take long to read, or never come.
var slow = []string{"own inner wide", "own inner many attrs", "silence", "drip", "huge"}

// aboutMoney: a reversal of the demo's mapping tells no amount.
func aboutMoney(name string) bool { return strings.Contains(name, "amount") }
