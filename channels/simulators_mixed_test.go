package channels_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"hospay/calendar"
	"hospay/centre"
	"hospay/flow"
	"hospay/money"
	"hospay/payment"
	"hospay/sim/world"
)

// insured is a bench with a client of the centre.
type insured struct {
	*bench
	centre *centre.Client
	n      int
}

func newInsured(t *testing.T) *insured {
	t.Helper()
	b := newBench(t)
	k := b.sims.Centre.Config()
	region, _ := centre.Profile(centre.National)
	c, err := centre.New(centre.Config{Base: k.BaseURL, Region: region, OrgCode: k.OrgCode, AppID: k.AppID, AppSecret: k.AppSecret,
		PrivateKey: k.PrivateKey, PlatformKey: k.PlatformKey, Timeout: 3 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	return &insured{bench: b, centre: c}
}

// split is who pays what, in fen.
type split struct{ fund, account, other, cash int64 }

var usual = split{7000, 2000, 300, 2700}

// person is a patient as the insurance writes them.
func person(p *world.Patient) payment.Person {
	return payment.Person{Name: p.Name, IDType: "01", IDNo: p.IDNo}
}

func (b *insured) ask(p payer, who *world.Patient) payment.AuthorisationAsk {
	b.n++
	k := b.sims.Centre.Config()
	id := who.Openid
	if p.name == "alipay" {
		id = who.AlipayUserID
	}
	return payment.AuthorisationAsk{Payer: id, Terminal: payment.TerminalH5, Back: "http://hospital.example/back?a=1&b=二", OrgCode: k.OrgCode,
		AppID: k.AppID, No: fmt.Sprintf("PA%d", b.n)}
}

// walk goes through the page of an authorisation in a browser, and returns where
// it leads: who holds the phone agrees for themselves or for a relative, or
// refuses.
func (b *insured) walk(page string, holder, relative *world.Patient, agree bool) *url.URL {
	b.t.Helper()
	browser := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	if strings.Contains(page, "/oauth/code") {
		page += "&patient=" + holder.Code
	}
	resp, err := browser.Get(page)
	if err != nil {
		b.t.Fatal(err)
	}
	text, _ := io.ReadAll(resp.Body)
	resp.Body.Close()
	if resp.StatusCode != 200 || !strings.Contains(string(text), "同意授权") || !strings.Contains(string(text), "拒绝") {
		b.t.Fatalf("%s: %d %s", page, resp.StatusCode, text)
	}
	form := url.Values{"for": {relative.Code}}
	if relative == holder && strings.Contains(page, "/oauth/code") {
		form.Set("for", "")
	}
	if !agree {
		form.Set("refuse", "1")
	}
	if resp, err = browser.PostForm(page, form); err != nil {
		b.t.Fatal(err)
	}
	resp.Body.Close()
	to, err := resp.Location()
	if err != nil || to.Host != "hospital.example" || to.Query().Get("b") != "二" {
		b.t.Fatalf("%v, %v", to, err)
	}
	return to
}

// authorised is the credential of somebody who has agreed.
func (b *insured) authorised(p payer, holder, treated *world.Patient) payment.Authorisation {
	b.t.Helper()
	ctx, ask := b.t.Context(), b.ask(p, holder)
	if holder != treated {
		who := person(treated)
		ask.Patient = &who
	}
	way := p.Authorisation(ctx, ask)
	if way.Granted { // Alipay: of an order that was not opened
		return way
	}
	if way.Verdict != flow.Done || way.URL == "" {
		b.t.Fatalf("%+v", way)
	}
	a := p.Credential(ctx, ask, b.walk(way.URL, holder, treated, true).Query().Get("authCode"))
	if a.Verdict != flow.Done || !a.Granted || !strings.HasPrefix(a.PayAuthNo, "AUTH") || a.Family != (holder != treated) {
		b.t.Fatalf("%+v", a)
	}
	return a
}

// priced uploads a bill of somebody and asks for its price.
func (b *insured) priced(auth string, treated *world.Patient, s split) (payment.Ref, payment.Split) {
	b.t.Helper()
	b.n++
	no, ctx, total := fmt.Sprintf("M261128%04d", b.n), b.t.Context(), money.Fen(s.fund+s.account+s.other+s.cash)
	b.post(b.sims.Centre.URL(), "/_sim/split", fmt.Sprintf(`{"id_no":%q,"fund":%d,"account":%d,"other":%d}`, treated.IDNo, s.fund,
		s.account, s.other))
	who := payment.Person{IDNo: treated.IDNo, Name: treated.Name, IDType: "01"}
	at := time.Date(2026, 11, 28, 9, 10, 0, 0, calendar.Beijing)
	up := b.centre.Upload(ctx, payment.Upload{No: no, Batch: "B" + no, Credential: payment.Credential{PayAuthNo: auth}, Person: who,
		Total: total, Visit: payment.Visit{PsnNo: "44", Insutype: "310", Area: "440100", Begun: at, No: "MZ1", MdtrtID: "D" + no, MedType: "11",
			DeptCode: "0301", DeptName: "内科", Caty: "A03", Fees: []payment.Fee{{No: "1", Time: at, ListCode: "XA01", OwnCode: "Y1", Name: "药",
				Count: "1", Sum: total, Price: total.Yuan()}}}})
	ref := payment.Ref{PayOrdID: up.PayOrdID, PayToken: up.PayToken, MedOrgOrd: no, Person: who}
	got := b.centre.Price(ctx, payment.Price{Ref: ref, Serial: "S" + no, Batch: "B" + no, PayAuthNo: auth, FeeType: "01",
		MdtrtID: up.MdtrtID, Total: total})
	if up.Verdict != flow.Done || got.Verdict != flow.Done {
		b.t.Fatalf("%+v %+v", up, got)
	}
	ref.Known = &got.Split
	return ref, got.Split
}

// mixed is an order of insurance and cash, with its cash trade, not opened yet.
func (b *insured) mixed(p payer, no string, holder, treated *world.Patient, s split) (payment.Mixed, payment.Ref) {
	b.t.Helper()
	auth := b.authorised(p, holder, treated)
	ref, x := b.priced(auth.PayAuthNo, treated, s)
	k := b.sims.Centre.Config()
	cash := b.trade(p, no)
	cash.Amount, cash.Insured, cash.Payer = x.Cash, true, b.ask(p, holder).Payer
	if x.Cash > 0 {
		cash.Handle = b.wantTrade("cash", p.OpenTrade(b.t.Context(), cash), payment.TradeOpen).Handle
	}
	m := payment.Mixed{Trade: cash, MedOrgOrd: ref.MedOrgOrd, PayOrdID: ref.PayOrdID, PayAuthNo: auth.PayAuthNo, ChargeBatch: "B" +
		ref.MedOrgOrd, Total: x.Total, Fund: x.Fund,
		Account: x.Account, Other: x.Other, Cash: x.Cash, Holder: person(holder), City: auth.City, OrgCode: k.OrgCode, OrgName: "演示医院",
		Location: auth.Location, Back: "http://hospital.example/done"}
	if holder != treated {
		who := person(treated)
		m.Patient = &who
	}
	return m, ref
}

// opened opens it.
func (b *insured) opened(p payer, no string, holder, treated *world.Patient, s split) (payment.Mixed, payment.Ref) {
	b.t.Helper()
	m, ref := b.mixed(p, no, holder, treated, s)
	a := b.wantMixed("open", p.OpenMixed(b.t.Context(), m), payment.MixedOpen, "")
	m.MixNo, m.URL = a.MixNo, a.URL
	return m, ref
}

// wantMixed checks an answer; without a cash part the state of the cash is not
// looked at.
func (b *insured) wantMixed(what string, a payment.MixedAnswer, state payment.MixedState, cash payment.TradeState) payment.MixedAnswer {
	b.t.Helper()
	if a.State != state || (a.Verdict == flow.Done) != (state != "") || a.Differs != "" || cash != "" && a.CashPart != cash {
		b.t.Errorf("%s: %v %q %q %+v %s; want %q %q", what, a.Verdict, a.State, a.CashPart, a.Reason, a.Differs, state, cash)
	}
	return a
}

func (b *insured) state(ref payment.Ref) payment.Stas { return b.centre.Query(b.t.Context(), ref).Stas }

// moved is what a ledger says of a number.
func (b *insured) moved(p payer, no, kind string) (sum int64) {
	ledger := b.sims.WeChat.Ledger()
	switch p.name {
	case "alipay":
		ledger = b.sims.Alipay.Ledger()
	case "centre":
		ledger = b.sims.Centre.Ledger()
	}
	for _, e := range ledger.Find(kind, no) {
		sum += e.Amount
	}
	return sum
}

var atCentre = payer{name: "centre"}

// Authorised, priced, opened, paid, heard, asked, given back and told: one whole
// order at each channel, with the books of the channel and of the centre.
func TestSimulator_MixedOrder(t *testing.T) {
	b := newInsured(t)
	me := b.patient()
	for _, p := range b.payers() {
		t.Run(p.name, func(t *testing.T) {
			ctx := t.Context()
			m, ref := b.mixed(p, "PM1"+p.name, me, me, usual)
			if p.name == "wechat" { // Alipay tells no code of an order that it does not know
				b.wantMixed("before", p.QueryMixed(ctx, m), payment.MixedNotFound, "")
			}
			opened := b.wantMixed("open", p.OpenMixed(ctx, m), payment.MixedOpen, "")
			m.MixNo, m.URL = opened.MixNo, opened.URL
			if page, err := p.MixedPage(m); err != nil || page.Form != map[string]string{"wechat": "wechat_medins", "alipay": "link"}[p.name] {
				t.Errorf("%+v, %v", page, err)
			}
			b.wantMixed("query", p.QueryMixed(ctx, m), payment.MixedOpen, payment.TradeOpen)
			b.post(p.base, "/_sim/pay/"+m.No, "")
			for _, by := range []string{m.MixNo, ""} {
				byOther := m
				byOther.MixNo = by
				a := b.wantMixed("paid", p.QueryMixed(ctx, byOther), payment.MixedPaid, payment.TradePaid)
				if !a.Told || a.Total != 12000 || a.Fund != 7000 || a.Account != 2000 || a.Cash != 2700 || a.PaidAt.IsZero() || a.MixNo != m.MixNo {
					t.Errorf("%+v", a)
				}
			}
			cash := b.wantTrade("cash", p.QueryTrade(ctx, m.Trade), payment.TradePaid)
			if b.state(ref) != payment.StasComplete || b.moved(p, m.No, "pay") != 2700 || b.moved(atCentre, m.MedOrgOrd, "fund") != 7000 ||
				b.moved(atCentre, m.MedOrgOrd, "account") != 2000 {
				t.Error("the books do not agree", b.state(ref))
			}
			if cb := b.heard(m.No, payment.CallbackTrade); cb.Told.(payment.TradeAnswer).Amount != 2700 {
				t.Errorf("%+v", cb)
			}
			if p.name == "wechat" {
				cb := b.heard(m.No, payment.CallbackMixed)
				if a := cb.Told.(payment.MixedAnswer); a.State != payment.MixedPaid || a.Total != 12000 || strings.Contains(cb.Body, me.Openid) {
					t.Errorf("%+v", cb)
				}
			}
			b.goesBack(p, m, ref, cash.ChannelNo)
		})
	}
}

// goesBack gives an order back: insurance, cash, notice.
func (b *insured) goesBack(p payer, m payment.Mixed, ref payment.Ref, cashNo string) {
	b.t.Helper()
	ctx := b.t.Context()
	notice := payment.MixedRefund{Mixed: m, No: m.No + "R01", At: b.now()}
	if early := p.TellRefund(ctx, notice); early.Verdict != flow.Refused {
		b.t.Errorf("told before the insurance went back: %+v", early)
	}
	back := b.centre.Refund(ctx, payment.InsuranceBack{Ref: ref, Credential: payment.Credential{PayAuthNo: m.PayAuthNo},
		Serial: "RF" + m.MedOrgOrd,
		Kind:   payment.BackAll, At: b.now()})
	if back.Verdict != flow.Done {
		if again := b.authorised(p, b.patient(), b.patient()); true { // the first credential was used up
			back = b.centre.Refund(ctx, payment.InsuranceBack{Ref: ref, Credential: payment.Credential{PayAuthNo: again.PayAuthNo}, Serial: "RF2" +
				m.MedOrgOrd,
				Kind: payment.BackAll, At: b.now()})
		}
	}
	if back.Verdict != flow.Done {
		b.t.Fatalf("%+v", back)
	}
	r := payment.TradeRefund{No: notice.No, Trade: m.Trade, ChannelNo: cashNo, Amount: 2700, Reason: "退费"}
	if a := p.RefundTrade(ctx, r); a.Verdict != flow.Done {
		b.t.Errorf("%+v", a)
	}
	b.post(p.base, "/_sim/clock", `{"advance":"11s"}`)
	b.wantRefund("cash", p.QueryTradeRefund(ctx, r), payment.RefundDone)
	if p.name == "alipay" {
		return
	}
	wrong := notice
	wrong.Fund++
	if a := p.TellRefund(ctx, wrong); a.Verdict == flow.Done {
		b.t.Errorf("more than the insurance paid: %+v", a)
	}
	for range 2 { // the last notice wins
		if a := p.TellRefund(ctx, notice); a.Verdict != flow.Done || a.Report != flow.ReportDone {
			b.t.Errorf("%+v", a)
		}
	}
	b.wantMixed("back", p.QueryMixed(ctx, m), payment.MixedRefunded, payment.TradeRefunded)
}

// Whoever refuses, or comes back without a code, has not authorised.
func TestSimulator_CredentialRefused(t *testing.T) {
	b := newInsured(t)
	ctx, me := context.Background(), b.patient()
	for _, p := range b.payers() {
		ask := b.ask(p, me)
		way := p.Authorisation(ctx, ask)
		code := b.walk(way.URL, me, me, false).Query().Get("authCode")
		if a := p.Credential(ctx, ask, code); code != "" || a.Granted || a.PayAuthNo != "" {
			t.Errorf("%s: %+v", p.name, a)
		}
	}
	ask := b.ask(b.payers()[0], me)
	page := b.wx.Authorisation(ctx, ask).URL
	resp, err := http.Get(strings.Replace(page, "orgAppId=", "orgAppId=X", 1))
	if err != nil || resp.StatusCode != 400 {
		t.Fatalf("%v, %v", resp, err)
	}
	resp.Body.Close()
	code := b.walk(page, me, me, true).Query().Get("authCode")
	other := ask
	other.Payer = b.sims.World.Patients()[1].Openid
	if a := b.wx.Credential(ctx, other, code); a.Granted || a.Verdict != flow.Unknown {
		t.Errorf("somebody else's code: %+v", a)
	}
	if a := b.wx.Credential(ctx, ask, code); !a.Granted || a.Payer.IDNo != me.IDNo || a.City == "" || a.Location != "113.264400,23.129100" {
		t.Errorf("%+v", a)
	}
	if a := b.wx.Credential(ctx, ask, code); a.Granted {
		t.Error("a code worked twice")
	}
}
