package refund

import (
	"slices"
	"strings"
	"testing"
	"time"

	"hospay/calendar"
	"hospay/flow"
	"hospay/internal/idno"
)

// born is a valid ID number of somebody who has the birthday.
func born(day string) string {
	body := "110101" + day + "123"
	return body + idno.Checksum(body)
}

func goodWish() (ProxyWish, Institution) {
	return ProxyWish{Claim: Claim{Name: "李奶奶", Paper: idno.Resident, IDNo: born("19500101"), CardNo: "C1"},
			AgentIDNo: born("19800101"), Case: ProxyElderly, Relation: "child", Consent: "1"},
		Institution{Active: true, Proxy: ProxySettings{On: true, Consent: "1", Payee: PayAgent, Days: 30}}
}

func TestProxy_CheckRefusesByItsRule(t *testing.T) {
	now := time.Date(2026, 3, 2, 12, 0, 0, 0, calendar.Beijing)
	for _, c := range []struct {
		name   string
		change func(*ProxyWish, *Institution)
		want   flow.Code
	}{
		{"一切合规", func(*ProxyWish, *Institution) {}, ""},
		{"机构停用", func(_ *ProxyWish, i *Institution) { i.Active = false }, flow.CodeInstitutionOff},
		{"未开通代办", func(_ *ProxyWish, i *Institution) { i.Proxy.On = false }, CodeProxyOff},
		{"没有授权文本", func(w *ProxyWish, i *Institution) { w.Consent, i.Proxy.Consent = "", "" }, CodeProxyOff},
		{"授权文本已更新", func(_ *ProxyWish, i *Institution) { i.Proxy.Consent = "2" }, CodeConsentOutdated},
		{"没有的情形", func(w *ProxyWish, _ *Institution) { w.Case = "friend" }, flow.CodeBadRequest},
		{"空的情形", func(w *ProxyWish, _ *Institution) { w.Case = "" }, flow.CodeBadRequest},
		{"没有的关系", func(w *ProxyWish, _ *Institution) { w.Relation = "friend" }, flow.CodeBadRequest},
		{"证件号校验位错", func(w *ProxyWish, _ *Institution) { w.IDNo = "11010119500101123" + "Z" }, flow.CodeIDNoInvalid},
		{"代办自己", func(w *ProxyWish, _ *Institution) { w.IDNo = w.AgentIDNo }, CodeProxySelf},
		{"没有姓名", func(w *ProxyWish, _ *Institution) { w.Name = "" }, CodePrincipalNotFound},
		{"没完没了的姓名", func(w *ProxyWish, _ *Institution) { w.Name = strings.Repeat("长", 61) }, CodePrincipalNotFound},
		{"没完没了的卡号", func(w *ProxyWish, _ *Institution) { w.CardNo = strings.Repeat("9", 181) }, CodePrincipalNotFound},
		{"没有卡号", func(w *ProxyWish, _ *Institution) { w.CardNo = "" }, CodePrincipalNotFound},
		{"老年人差一天满六十", func(w *ProxyWish, _ *Institution) { w.IDNo = born("19660303") }, CodeProxyCaseMismatch},
		{"老年人今天满六十", func(w *ProxyWish, _ *Institution) { w.IDNo = born("19660302") }, ""},
		{"未成年人今天满十八", func(w *ProxyWish, _ *Institution) { w.Case, w.IDNo = ProxyMinor, born("20080302") }, CodeProxyCaseMismatch},
		{"未成年人差一天满十八", func(w *ProxyWish, _ *Institution) { w.Case, w.IDNo = ProxyMinor, born("20080303") }, ""},
		{"已故不论年龄", func(w *ProxyWish, _ *Institution) { w.Case, w.IDNo = ProxyDeceased, born("19900101") }, ""},
		{"行动不便的成年人", func(w *ProxyWish, _ *Institution) { w.Case, w.IDNo = ProxyImmobile, born("20080302") }, ""},
		{"行动不便差一天满十八", func(w *ProxyWish, _ *Institution) { w.Case, w.IDNo = ProxyImmobile, born("20080303") }, CodeProxyCaseMismatch},
		{"没有的证件", func(w *ProxyWish, _ *Institution) { w.Paper = "09" }, flow.CodeBadRequest},
		{"护照", func(w *ProxyWish, _ *Institution) { w.Paper, w.IDNo = idno.Passport, "EA1234567" }, ""},
		{"护照号是身份证的", func(w *ProxyWish, _ *Institution) { w.Paper = idno.Passport }, CodePaperInvalid},
		{"居住证不论年龄不符", func(w *ProxyWish, _ *Institution) {
			w.Paper, w.IDNo = idno.Residence, "81000019940823002"+idno.Checksum("81000019940823002")
		}, CodeProxyCaseMismatch},
		{"旧版永居证不知年龄", func(w *ProxyWish, _ *Institution) { w.Paper, w.IDNo = idno.Permanent, "USA110085010112" }, ""},
		{"无民事行为能力人不论年龄", func(w *ProxyWish, _ *Institution) { w.Case, w.IDNo = ProxyIncapacitated, born("20200101") }, ""},
	} {
		w, inst := goodWish()
		c.change(&w, &inst)
		if got := flow.CodeOf(CheckProxy(w, inst, now)); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestProxy_MaterialsOfEachCase(t *testing.T) {
	for c, want := range map[ProxyCase]string{
		ProxyMinor:         "agent_id_front agent_id_back principal_id_front guardian_proof",
		ProxyElderly:       "agent_id_front agent_id_back principal_id_front principal_id_back power_of_attorney",
		ProxyDeceased:      "agent_id_front agent_id_back principal_id_front death_certificate kinship_proof",
		ProxyIncapacitated: "agent_id_front agent_id_back principal_id_front principal_id_back guardian_proof",
		ProxyImmobile:      "agent_id_front agent_id_back principal_id_front principal_id_back power_of_attorney",
	} {
		var have []string
		for _, k := range c.Required(idno.Resident) {
			have = append(have, string(k))
		}
		if got := strings.Join(have, " "); got != want {
			t.Errorf("%s needs %q, want %q", c, got, want)
		}
		required, optional := c.Required(idno.Resident), c.Optional(idno.Resident)
		if len(required)+len(optional) != len(MaterialKinds()) || slices.Contains(required, OtherMaterial) {
			t.Errorf("%s: %v and %v", c, c.Required(idno.Resident), c.Optional(idno.Resident))
		}
		if m := (Proxy{Case: c}).Missing(c.Required(idno.Resident)[1:]); len(m) != 1 || m[0] != AgentIDFront {
			t.Errorf("%s misses %v", c, m)
		}
		if m := (Proxy{Case: c}).Missing(append(c.Required(idno.Resident), OtherMaterial)); len(m) != 0 {
			t.Errorf("%s misses %v", c, m)
		}
	}
}

func TestProxy_MovesAndPayees(t *testing.T) {
	var moves []string
	for _, from := range ProxyStatuses() {
		for _, to := range ProxyStatuses() {
			if from.Can(to) {
				moves = append(moves, string(from+">"+to))
			}
		}
		if from.Final() != (len(from.Next()) == 0) {
			t.Errorf("%s: final %v, next %v", from, from.Final(), from.Next())
		}
	}
	if got := strings.Join(moves, " "); got != "draft>submitted draft>closed submitted>approved submitted>rejected submitted>closed approved>"+
		"closed" {
		t.Errorf("moves: %s", got)
	}
	for _, c := range ProxyCases() {
		if c.Payee(PayAgent) != PayAgent || c.Payee("") != PayAgent {
			t.Errorf("%s: the agent is not paid", c)
		}
		if got, want := c.Payee(PayPrincipal), map[bool]ProxyPayee{true: PayAgent, false: PayPrincipal}[c == ProxyDeceased]; got != want {
			t.Errorf("%s: pays %s, want %s", c, got, want)
		}
	}
}

// byProxy is an application for a refund that an approved proxy makes.
func byProxy() (Application, Situation) {
	a, s := goodApplication()
	a.Proxy, a.Payee.Name, s.PayeeName = "p", "王代办", "王代办"
	s.Institution.Proxy.On = true
	s.Proxy = &Proxy{ID: "p", CardNo: a.CardNo, Status: ProxyApproved, ExpiresAt: noon.Add(time.Hour)}
	return a, s
}

func TestProxy_OrdersOfAnApprovedApplicationOnly(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*Application, *Situation)
		want   flow.Code
	}{
		{"已批准", func(*Application, *Situation) {}, ""},
		{"没有这份申请", func(_ *Application, s *Situation) { s.Proxy = nil }, CodeProxyNotApproved},
		{"另一份申请", func(_ *Application, s *Situation) { s.Proxy.ID = "q" }, CodeProxyNotApproved},
		{"另一张卡", func(_ *Application, s *Situation) { s.Proxy.CardNo = "C2" }, CodeProxyNotApproved},
		{"待审核", func(_ *Application, s *Situation) { s.Proxy.Status = ProxySubmitted }, CodeProxyNotApproved},
		{"已关闭", func(_ *Application, s *Situation) { s.Proxy.Status = ProxyEnded }, CodeProxyNotApproved},
		{"恰到期", func(_ *Application, s *Situation) { s.Proxy.ExpiresAt = noon }, CodeProxyNotApproved},
		{"没有期限", func(_ *Application, s *Situation) { s.Proxy.ExpiresAt = time.Time{} }, CodeProxyNotApproved},
		{"代办已关停", func(_ *Application, s *Situation) { s.Institution.Proxy.On = false }, CodeProxyOff},
		{"转给卡上的人，而机构付代办人", func(a *Application, _ *Situation) { a.Payee.Name = "张三" }, CodeNameMismatch},
		{"转给别人", func(a *Application, _ *Situation) { a.Payee.Name = "路人" }, CodeNameMismatch},
		{"不知付给谁", func(a *Application, s *Situation) { a.Payee.Name, s.PayeeName = "", "" }, CodeNameMismatch},
		{"原路退给代办人", func(a *Application, _ *Situation) { a.Method = MethodOriginal }, CodeNameMismatch},
		{"原路退给卡上的人", func(a *Application, _ *Situation) { a.Method, a.Payee.Name = MethodOriginal, "张三" }, ""},
		{"本人申请不受影响", func(a *Application, s *Situation) {
			a.Proxy, a.Payee.Name, s.Proxy, s.PayeeName = "", "张三", nil, ""
		}, ""},
	} {
		a, s := byProxy()
		c.change(&a, &s)
		if got := flow.CodeOf(Check(a, s)); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// TestProxy_RulesNeverApprove holds for any set of rules, also without the one
// for proxies.
func TestProxy_RulesNeverApprove(t *testing.T) {
	f := goodFacts()
	without := slices.DeleteFunc(DefaultRules(), func(r Rule) bool { return r.Name == RuleProxy })
	if got, _ := Evaluate(without, f); got != OutcomeApprove {
		t.Fatalf("one's own order: %s", got)
	}
	f.Proxy = true
	for name, rules := range map[string][]Rule{
		"默认规则": DefaultRules(), "删去代办规则": without, "只有金额": {{Name: RuleMaxAmount, Limit: 1 << 40, OnFail: OutcomeReject}}, "没有规则": nil,
		"代办规则写成通过": {{Name: RuleProxy, OnFail: OutcomeApprove}},
	} {
		before := slices.Clone(rules)
		got, verdicts := Evaluate(rules, f)
		if got != OutcomeManual {
			t.Errorf("%s: %s", name, got)
		}
		if !slices.ContainsFunc(verdicts, func(v RuleVerdict) bool { return v.Rule == RuleProxy && !v.Pass }) {
			t.Errorf("%s: no verdict says why", name)
		}
		if !slices.Equal(rules, before) {
			t.Errorf("%s: the settings were changed", name)
		}
	}
}

func TestProxyNo_IsDeterministic(t *testing.T) {
	a, b := ProxyNo("abc", noon), ProxyNo("abd", noon)
	if a != ProxyNo("abc", noon) || a == b || len(a) != 21 || a[:9] != "A20260302" {
		t.Errorf("%s and %s", a, b)
	}
}
