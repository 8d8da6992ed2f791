package channels_test

import (
	"fmt"
	"strings"
	"testing"

	"hospay/channels"
	"hospay/channels/alipay"
	"hospay/flow"
	"hospay/payment"
)

// settle plans what goes wrong when an order is paid.
func (b *insured) settle(p payer, fault string, more string) {
	b.post(p.base, "/_sim/faults", fmt.Sprintf(`{"plan":[{"match":"settle","fault":%q,"times":1%s}]}`, fault, more))
}

// F8: the cash is there and the insurance takes its time.
func TestSimulator_InsuranceIsLate(t *testing.T) {
	b := newInsured(t)
	for _, p := range b.payers() {
		m, ref := b.opened(p, "PQ1"+p.name, b.patient(), b.patient(), usual)
		b.settle(p, "insurance_late", `,"delay_ms":60000`)
		b.post(p.base, "/_sim/pay/"+m.No, "")
		b.wantMixed("late", p.QueryMixed(t.Context(), m), payment.MixedPaying, payment.TradePaid)
		b.wantTrade("cash", p.QueryTrade(t.Context(), m.Trade), payment.TradePaid)
		if b.state(ref) != payment.StasCashDone {
			t.Error(b.state(ref))
		}
		b.post(p.base, "/_sim/clock", `{"advance":"61s"}`)
		b.wantMixed("then", p.QueryMixed(t.Context(), m), payment.MixedPaid, payment.TradePaid)
		if b.state(ref) != payment.StasComplete {
			t.Error(b.state(ref))
		}
	}
}

// F9: the cash is there, and the insurance does not pay.
func TestSimulator_InsuranceFails(t *testing.T) {
	b := newInsured(t)
	for _, p := range b.payers() {
		m, ref := b.opened(p, "PQ2"+p.name, b.patient(), b.patient(), usual)
		b.settle(p, "insurance_fail", `,"message":"参保人 `+b.patient().Name+` 待遇暂停"`)
		b.post(p.base, "/_sim/pay/"+m.No, "")
		a := b.wantMixed("failed", p.QueryMixed(t.Context(), m), payment.MixedFailed, payment.TradePaid)
		if a.Reason.Code == "" || !strings.Contains(a.Reason.Message, "待遇暂停") || strings.Contains(a.Reason.Message, b.patient().Name) {
			t.Errorf("%+v", a.Reason)
		}
		if b.state(ref) != payment.StasCashDone || b.moved(atCentre, m.MedOrgOrd, "fund") != 0 {
			t.Error(b.state(ref))
		}
	}
}

// F10: the channel takes both parts back, and the order is dead.
func TestSimulator_ChannelReverses(t *testing.T) {
	b := newInsured(t)
	for _, word := range []string{"MIX_PAY_REVERSED", "MIX_PAY_FAIL"} {
		for _, p := range b.payers() {
			m, ref := b.opened(p, fmt.Sprintf("PQ3%d%s", len(word), p.name), b.patient(), b.patient(), usual)
			if p.name == "wechat" {
				b.post(p.base, "/_sim/settings", fmt.Sprintf(`{"reversed_word":%q}`, word))
			}
			b.settle(p, "auto_reversed", "")
			b.post(p.base, "/_sim/pay/"+m.No, "")
			a := p.QueryMixed(t.Context(), m)
			if a.Verdict != flow.Done || a.State == payment.MixedPaid || a.State == payment.MixedOpen || a.CashPart != payment.TradeRefunded {
				t.Errorf("%s %s: %+v", p.name, word, a)
			}
			b.wantTrade("cash", p.QueryTrade(t.Context(), m.Trade), payment.TradeRefunded)
			if b.state(ref) != payment.StasInsuranceUndone || b.moved(p, m.No, "pay") != 2700 {
				t.Error(b.state(ref))
			}
		}
	}
}

// F11, F12: without the callback the query finds it; twice is once.
func TestSimulator_MixedCallbacks(t *testing.T) {
	b := newInsured(t)
	p := b.payers()[0]
	m, _ := b.opened(p, "PQ4wechat", b.patient(), b.patient(), usual)
	b.fault(p.base, "callback_mixed", "no_callback")
	b.post(p.base, "/_sim/pay/"+m.No, "")
	b.wantMixed("paid", p.QueryMixed(t.Context(), m), payment.MixedPaid, payment.TradePaid)
	b.heard(m.No, payment.CallbackTrade)

	m, _ = b.opened(p, "PQ5wechat", b.patient(), b.patient(), usual)
	b.post(p.base, "/_sim/faults", `{"plan":[{"match":"callback_trade","fault":"late_callback","delay_ms":300},{"match":"callback_mixed",`+
		`"fault":"duplicate_callback"}]}`)
	b.post(p.base, "/_sim/pay/"+m.No, "")
	b.heard(m.No, payment.CallbackMixed)
	b.heard(m.No, payment.CallbackMixed)
	b.heard(m.No, payment.CallbackTrade)
}

// F14: an order that exists is found by its number, also one that failed.
func TestSimulator_MixedExists(t *testing.T) {
	b := newInsured(t)
	p := b.payers()[0]
	m, _ := b.opened(p, "PQ6wechat", b.patient(), b.patient(), usual)
	a := p.OpenMixed(t.Context(), m)
	if a.Verdict != flow.Unknown || a.Reason.Code != "268512536" || a.Reason.Denied {
		t.Errorf("%+v", a)
	}
	again := m
	again.MixNo = ""
	if q := b.wantMixed("the same order", p.QueryMixed(t.Context(), again), payment.MixedOpen, payment.TradeOpen); q.MixNo != m.MixNo {
		t.Errorf("%+v", q)
	}
	b.settle(p, "insurance_fail", "")
	b.post(p.base, "/_sim/pay/"+m.No, "")
	if a := p.OpenMixed(t.Context(), m); a.Verdict != flow.Unknown {
		t.Errorf("%+v", a)
	}
	b.wantMixed("failed", p.QueryMixed(t.Context(), again), payment.MixedFailed, payment.TradePaid)
	ali := b.payers()[1]
	x, _ := b.opened(ali, "PQ6alipay", b.patient(), b.patient(), usual)
	if again := b.wantMixed("again", ali.OpenMixed(t.Context(), x), payment.MixedOpen, ""); again.MixNo != x.MixNo {
		t.Errorf("%+v", again)
	}
}

// F6, F13, F29, and words that stand in no document.
func TestSimulator_OddWords(t *testing.T) {
	b, ctx := newInsured(t), t.Context()
	for _, p := range b.payers() {
		m, _ := b.opened(p, "PQ7"+p.name, b.patient(), b.patient(), usual)
		odd := func(word string, want payment.MixedState) {
			b.post(p.base, "/_sim/faults", fmt.Sprintf(`{"plan":[{"match":"mixed_query","fault":"odd_status","code":%q}]}`, word))
			b.wantMixed(word, p.QueryMixed(ctx, m), want, "")
		}
		odd("PENDING", payment.MixedUnclear)
		odd("EXP", payment.MixedUnclear)
		if p.name == "wechat" {
			odd("MIX_PAY_USER_PAYING", payment.MixedPaying)
			odd("UNKNOWN_MIX_PAY_STATUS", payment.MixedUnclear)
		}
		b.post(p.base, "/_sim/pay/"+m.No, "")
		odd("PENDING", payment.MixedUnclear)
	}
	p := b.payers()[0]
	for code, form := range map[string]string{"both": "object", "none": "camel"} {
		b.post(p.base, "/_sim/settings", fmt.Sprintf(`{"location_form":%q}`, form))
		ask := b.ask(p, b.patient())
		got := b.walk(p.Authorisation(ctx, ask).URL, b.patient(), b.patient(), true).Query().Get("authCode")
		b.post(p.base, "/_sim/faults", fmt.Sprintf(`{"plan":[{"match":"credential","fault":"odd_credential","code":%q}]}`, code))
		if a := p.Credential(ctx, ask, got); a.Granted || a.Verdict != flow.Unknown || a.PayAuthNo != "" {
			t.Errorf("%s: %+v", code, a)
		}
		if a := b.authorised(p, b.patient(), b.patient()); a.Location != "113.264400,23.129100" || a.City == "" {
			t.Errorf("%s: %+v", form, a)
		}
	}
}

// All by the insurance, nothing by the insurance, and a relative who pays.
func TestSimulator_KindsOfOrders(t *testing.T) {
	b := newInsured(t)
	mother, child := b.sims.World.Find("P0013"), b.sims.World.Find("P0007")
	for _, p := range b.payers() {
		all, ref := b.opened(p, "PQ8"+p.name, b.patient(), b.patient(), split{9000, 3000, 0, 0})
		if page, err := p.MixedPage(all); err != nil || page.Values["paySign"] != "" {
			t.Errorf("%+v, %v", page, err)
		}
		b.post(p.base, "/_sim/pay/"+all.No, "")
		if a := b.wantMixed("all by the insurance", p.QueryMixed(t.Context(), all), payment.MixedPaid, ""); a.CashPart != "" ||
			b.state(ref) != payment.StasComplete || b.moved(p, all.No, "pay") != 0 {
			t.Errorf("%+v %v", a, b.state(ref))
		}
		none, ref := b.opened(p, "PQ9"+p.name, b.patient(), b.patient(), split{0, 0, 0, 5000})
		b.post(p.base, "/_sim/pay/"+none.No, "")
		b.wantMixed("all by the patient", p.QueryMixed(t.Context(), none), payment.MixedPaid, payment.TradePaid)
		if b.state(ref) != payment.StasComplete {
			t.Error(b.state(ref))
		}
		family, ref := b.opened(p, "PQ10"+p.name, mother, child, usual)
		b.post(p.base, "/_sim/pay/"+family.No, "")
		b.wantMixed("a relative", p.QueryMixed(t.Context(), family), payment.MixedPaid, payment.TradePaid)
		if b.state(ref) != payment.StasComplete || family.Patient == nil {
			t.Error(b.state(ref))
		}
	}
	b.post(b.sims.Centre.URL(), "/_sim/settings", `{"money_order":"insurance_first"}`)
	for _, p := range b.payers() {
		m, ref := b.opened(p, "PQ11"+p.name, b.patient(), b.patient(), usual)
		b.post(p.base, "/_sim/pay/"+m.No, "")
		b.wantMixed("insurance first", p.QueryMixed(t.Context(), m), payment.MixedPaid, payment.TradePaid)
		if b.state(ref) != payment.StasComplete {
			t.Error(b.state(ref))
		}
	}
}

// What WeChat refuses, it says why; what it may have done stays open.
func TestSimulator_MixedRefusals(t *testing.T) {
	b := newInsured(t)
	p, ctx := b.payers()[0], t.Context()
	for i, row := range []struct {
		what  string
		spoil func(*payment.Mixed)
		code  string
		actor flow.Actor
	}{
		{"another name", func(m *payment.Mixed) { m.Holder.Name = "张三丰" }, "268545962", flow.ActorPatient},
		{"another paper", func(m *payment.Mixed) { m.Holder.IDNo = "440300199001011234" }, "268545961", flow.ActorPatient},
		{"a relative nobody knows", func(m *payment.Mixed) { m.Patient = &payment.Person{Name: "某人", IDType: "01", IDNo: "1"} }, "268545964",
			flow.ActorPatient},
		{"another's openid", func(m *payment.Mixed) { m.Payer = b.sims.World.Patients()[1].Openid }, "268510603", flow.ActorIT},
		{"a credential that has ended", func(m *payment.Mixed) { b.post(b.sims.Centre.URL(), "/_sim/expire/"+m.PayAuthNo, "") }, "268547120",
			flow.ActorPatient},
	} {
		m, _ := b.mixed(p, fmt.Sprintf("PR%d0wechat", i), b.patient(), b.patient(), usual)
		row.spoil(&m)
		a := p.OpenMixed(ctx, m)
		if a.Verdict != flow.Refused || a.Reason.Code != row.code || a.Reason.Actor != row.actor || strings.Contains(a.Reason.Message,
			m.Holder.Name) {
			t.Errorf("%s: %+v", row.what, a)
		}
		b.wantMixed(row.what, p.QueryMixed(ctx, m), payment.MixedNotFound, "")
	}
	m, _ := b.mixed(p, "PR90wechat", b.patient(), b.patient(), usual)
	m.Fund, m.Account = m.Fund+100, m.Account-100 // not what the centre has priced
	if a := p.OpenMixed(ctx, m); a.Verdict != flow.Unknown || a.Reason.Code != "268510610" {
		t.Errorf("%+v", a)
	}
	m, _ = b.mixed(p, "PR91wechat", b.patient(), b.patient(), usual)
	b.post(p.base, "/_sim/settings", `{"mixed_pass_through":"forbidden"}`)
	if a := p.OpenMixed(ctx, m); a.Verdict != flow.Refused || a.Reason.Actor != flow.ActorIT {
		t.Errorf("%+v", a)
	}
}

func TestSimulator_MixedFaultsAndLies(t *testing.T) {
	b, ctx := newInsured(t), t.Context()
	for _, p := range b.payers() {
		for i, fault := range strings.Fields("timeout_before timeout_after 500_before 500_after unknown_code unknown_code_after html_502_after " +
			"truncated_after bad_signature unsigned system_error_after") {
			m, _ := b.mixed(p, fmt.Sprintf("PS%d%s", i, p.name), b.patient(), b.patient(), usual)
			b.fault(p.base, "mixed", fault)
			b.wantMixed(fault, p.OpenMixed(ctx, m), "", "")
			b.fault(p.base, "mixed_query", fault)
			b.wantMixed(fault+" on query", p.QueryMixed(ctx, m), "", "")
			if executed := fault != "timeout_before" && fault != "500_before" && fault != "unknown_code"; p.name == "wechat" {
				b.wantMixed(fault+", asked", p.QueryMixed(ctx, m), map[bool]payment.MixedState{true: payment.MixedOpen,
					false: payment.MixedNotFound}[executed], "")
			}
		}
		m, _ := b.opened(p, "PS90"+p.name, b.patient(), b.patient(), usual)
		b.post(p.base, "/_sim/pay/"+m.No, "")
		b.fault(p.base, "mixed_query", "lie_amount")
		if a := p.QueryMixed(ctx, m); !a.Told || a.Total != m.Total+100 {
			t.Errorf("%+v", a)
		}
		if p.name == "alipay" {
			continue
		}
		b.fault(p.base, "mixed_query", "lie_number")
		if a := p.QueryMixed(ctx, m); a.Verdict != flow.Unknown || a.Reason.Code != channels.CodeMismatch {
			t.Errorf("%+v", a)
		}
		b.fault(p.base, "mixed_query", "lie_app")
		if a := p.QueryMixed(ctx, m); a.Differs == "" {
			t.Errorf("%+v", a)
		}
		for _, fault := range strings.Fields("timeout_before timeout_after 500_after bad_signature unknown_code") {
			b.fault(p.base, "mixed_notice", fault)
			if a := p.TellRefund(ctx, payment.MixedRefund{Mixed: m, No: "PS90R01", At: b.now()}); a.Verdict != flow.Unknown {
				t.Errorf("notice %s: %+v", fault, a)
			}
		}
	}
}

// The other forms of Alipay: the platform collects the cash itself, refunds go by
// asset, and an order that was settled with a code is told.
func TestSimulator_AlipayForms(t *testing.T) {
	b, ctx := newInsured(t), t.Context()
	plain, a := b.payers()[1], b.config(b.sims.Alipay.URL())
	form := func(settings map[string]string) payer {
		p := plain
		settings["medins_org_cert"], settings["medins_city"] = b.sims.Alipay.Config().MedIns.OrgCert, "440100"
		settings["medins_words"] = `{"WAIT_PAY":"open","SUCCESS":"paid","FAIL":"failed","REFUND":"refunded"}`
		p.full = b.channel(alipay.New(channels.Config{MerchantID: a["pid"], AppID: a["app_id"], APIBase: p.base, Settings: settings, Now: b.now,
			Secrets: map[string]string{"private_key": a["app_private_key"], "app_cert": a["app_cert"], "alipay_cert": a["alipay_cert"],
				"alipay_root_cert": a["alipay_root_cert"]}}))
		return p
	}
	for name, p := range map[string]payer{"platform": form(map[string]string{"medins_form": "platform"}), "asset": form(map[string]string{
		"medins_refund": "asset"})} {
		m, ref := b.opened(p, "PT1"+name, b.patient(), b.patient(), usual)
		b.post(p.base, "/_sim/pay/"+m.No, "")
		b.wantMixed(name, p.QueryMixed(ctx, m), payment.MixedPaid, payment.TradePaid)
		cash := b.wantTrade(name, p.QueryTrade(ctx, m.Trade), payment.TradePaid)
		r := payment.TradeRefund{No: "PT1R01" + name, Trade: m.Trade, ChannelNo: cash.ChannelNo, Amount: 2700}
		if got := p.RefundTrade(ctx, r); got.Verdict != flow.Done {
			t.Errorf("%s: %+v", name, got)
		}
		b.post(p.base, "/_sim/clock", `{"advance":"11s"}`)
		b.wantRefund(name, p.QueryTradeRefund(ctx, r), payment.RefundDone)
		if b.moved(p, r.No, "refund") != 2700 || b.state(ref) != payment.StasComplete {
			t.Error(name, b.state(ref))
		}
		if name == "asset" {
			b.insuranceByAsset(p, m, ref)
		}
	}
	told := channels.CodeOrder{No: "PT2", Code: strings.Repeat("4", 28), Kind: payment.KindOutpatient,
		OrgCode: b.sims.Centre.Config().OrgCode, Total: 500, Fund: 300, Cash: 200,
		PaidAt: b.now()}
	if got := plain.full.(channels.CodeOrders).TellCodeOrder(ctx, told); got.Verdict != flow.Done {
		t.Errorf("%+v", got)
	}
}

// insuranceByAsset gives the insurance's part back at Alipay too.
func (b *insured) insuranceByAsset(p payer, m payment.Mixed, ref payment.Ref) {
	b.t.Helper()
	ctx := b.t.Context()
	r := payment.MixedRefund{Mixed: m, No: "PT1R02", At: b.now(), CancelNo: "CB1", CancelSer: "CS1"}
	if a := p.TellRefund(ctx, r); a.Verdict != flow.Refused {
		b.t.Errorf("before the centre: %+v", a)
	}
	again := b.authorised(p, b.patient(), b.patient())
	if back := b.centre.Refund(ctx, payment.InsuranceBack{Ref: ref, Credential: payment.Credential{PayAuthNo: again.PayAuthNo},
		Serial: "RFasset",
		Kind:   payment.BackInsurance, At: b.now()}); back.Verdict != flow.Done {
		b.t.Fatalf("%+v", back)
	}
	if a := p.TellRefund(ctx, r); a.Verdict != flow.Done || a.Report != flow.ReportDone {
		b.t.Errorf("%+v", a)
	}
	b.wantMixed("both back", p.QueryMixed(ctx, m), payment.MixedRefunded, payment.TradeRefunded)
}
