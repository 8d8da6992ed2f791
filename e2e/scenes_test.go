package e2e

import (
	"fmt"
	"strings"
	"testing"

	"hospay/payment"
)

// changed brings settings of the institution in force: one proposes, another confirms.
func (d *desk) changed(t *testing.T, values map[string]any) {
	t.Helper()
	change := d.propose(d.config, "institutions", d.Institution, values)
	wantState(t, "proposed", change, "waiting")
	wantRefusal(t, "one person", d.decide(d.config, change, "confirm"), 403, "self_confirm")
	wantState(t, "confirmed", d.decide(d.finance, change, "confirm"), "applied")
}

// TestScenes_WhatIsShutSaysWhy: the institution shuts ways to pay and the refund of a kind
// of bills by two persons; patients read the reason where they look, whoever asks all the
// same is refused with it, the other kind and what is under way go on.
func TestScenes_WhatIsShutSaysWhy(t *testing.T) {
	d := newDesk(t)
	p := newAPIPayer(t, d.App, "P0001", "wechat")
	paid := p.ticketToDone(p.bill(payment.KindOutpatient, 5500), false)
	bill := p.bill(payment.KindOutpatient, 12000)
	p.shownBill(bill)
	begun := p.payable(p.creates(p.wish(bill, false, "")))

	for name, values := range map[string]map[string]any{
		"way": {"pay_off_outpatient": []string{"own"}}, "refund": {"refund_off_registration": true},
		"blank": {"pay_off_outpatient": []string{"own"}, "pay_why_outpatient": "  "},
	} {
		wantRefusal(t, name, d.propose(d.config, "institutions", d.Institution, values), 400, "config_invalid")
	}
	const why, where = "门诊缴费系统升级，请到一楼窗口", "请到一楼收费处退费"
	d.changed(t, map[string]any{"pay_off_outpatient": []string{"insured", "own"}, "pay_why_outpatient": why, "refund_off_outpatient": true,
		"refund_why_outpatient": where})

	other := p.bill(payment.KindOutpatient, 700)
	b := p.shownBill(other)
	if b["insurable"] != false || b["reason"] != why || b["own"] != false || b["own_reason"] != why {
		t.Error(b)
	}
	for _, insured := range []bool{false, true} {
		res := d.Call("POST", "/api/collections/payment_orders/records", p.token, p.wish(other, insured, ""))
		wantRefusal(t, fmt.Sprint("insured ", insured), res, 409, "way_off")
		if !strings.Contains(string(res.Raw), why) {
			t.Errorf("%s", res.Raw)
		}
	}
	if got := p.call("GET", "/api/hospay/payments/"+paid.ID, nil).Text("refund_at"); got != where {
		t.Errorf("%q", got)
	}
	ask := map[string]any{"kind": "all", "reason": "患者要求退费"}
	wantRefusal(t, "refund", d.Call("POST", "/api/hospay/payments/"+paid.ID+"/refund", d.finance, ask), 409, "refund_off")

	p.pays(begun) // what was under way goes on
	p.call("POST", "/api/hospay/payments/"+begun.ID+"/check", nil)
	p.until(begun.ID, payment.StatusDone)
	slot := p.ticketToDone(p.registration(), false) // the other kind is open
	if got := p.call("GET", "/api/hospay/payments/"+slot.ID, nil).Text("refund_at"); got != "" {
		t.Errorf("%q", got)
	}

	d.changed(t, map[string]any{"pay_off_outpatient": []string{}, "refund_off_outpatient": false})
	if b := p.shownBill(other); b["own"] != true || b["own_reason"] != "" {
		t.Error(b)
	}
	if res := d.Call("POST", "/api/hospay/payments/"+paid.ID+"/refund", d.finance, ask); res.Status != 200 {
		t.Errorf("%d %s", res.Status, res.Raw)
	}
}
