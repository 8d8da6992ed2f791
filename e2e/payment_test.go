package e2e

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"hospay/collections"
	"hospay/flow"
	"hospay/lab/testapp"
	"hospay/payment"
	"hospay/people"
	"hospay/sim"
	simhis "hospay/sim/his"
	"hospay/sim/world"

	"github.com/pocketbase/pocketbase/core"
)

// payer is a patient who pays bills through one channel, on real protocols.
type payer struct {
	*testing.T
	a       *testapp.App
	who     *world.Patient
	id      string
	channel string
}

func newPayer(t *testing.T, a *testapp.App, no, channel string) *payer {
	t.Helper()
	p := a.Login(no, channel)
	if res := a.Call("GET", "/api/hospay/cards", p.Token, nil); res.Status != 200 {
		t.Fatalf("%s", res.Raw)
	}
	return &payer{T: t, a: a, who: a.Sims.World.Find(no), id: p.ID, channel: channel}
}

func (p *payer) base() string {
	if p.channel == "alipay" {
		return p.a.Sims.Alipay.URL()
	}
	return p.a.Sims.WeChat.URL()
}

// bill is a new one at HIS.
func (p *payer) bill(kind payment.Kind, fen int64) string {
	p.Helper()
	no, err := p.a.Sims.HIS.AddBill(simhis.Bill{Patient: p.who.Code, Kind: string(kind), Amount: fen, Insurable: true})
	if err != nil {
		p.Fatal(err)
	}
	return no
}

func (p *payer) card() string { return p.who.Cards[0] }

func (p *payer) ask() payment.AuthoriseAsk {
	return payment.AuthoriseAsk{Institution: p.a.Institution, Patient: p.id, CardNo: p.card(), Channel: p.channel,
		Terminal: payment.TerminalH5,
		Back:     "http://hospital.example/back"}
}

// identified lets HIS know of the choice of area and benefit, and prices the bill
// again.
func (p *payer) identified(bill string) {
	p.Helper()
	his, err := p.a.Store.Payments().HIS(p.Context(), p.a.Institution)
	if err != nil {
		p.Fatal(err)
	}
	who, err := p.a.Store.Payments().Insured(p.Context(), p.id, p.card())
	if err != nil {
		p.Fatal(err)
	}
	e, err := his.Enrolment(p.Context(), who, "440100")
	if err != nil || !e.Enrolled || len(e.Benefits) == 0 {
		p.Fatalf("%+v %v", e, err)
	}
	if err := his.SaveIdentity(p.Context(), payment.Identity{Insured: who, BillNo: bill, Area: "440100", PsnNo: e.PsnNo,
		Benefit: e.Benefits[0], Channel: p.channel}); err != nil {
		p.Fatal(err)
	}
}

// authorised goes through the channel's page as a patient does.
func (p *payer) authorised() payment.Grant {
	p.Helper()
	way, g, err := p.a.Runtime.Bills.Authorisation(p.Context(), p.ask())
	if err != nil {
		p.Fatal(err)
	}
	if way.Granted {
		return g
	}
	browser := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	page := way.URL
	if strings.Contains(page, "/oauth/code") {
		page += "&patient=" + p.who.Code
	}
	res, err := browser.PostForm(page, url.Values{"for": {""}})
	if err != nil {
		p.Fatal(err)
	}
	text, _ := io.ReadAll(res.Body)
	res.Body.Close()
	to, err := res.Location()
	if err != nil {
		p.Fatalf("%v: %d %s", err, res.StatusCode, text)
	}
	_, g, err = p.a.Runtime.Bills.Credential(p.Context(), p.ask(), to.Query().Get("authCode"))
	if err != nil || !g.Single() {
		p.Fatalf("%+v %v", g, err)
	}
	return g
}

func (p *payer) create(bill string, insured bool) string {
	p.Helper()
	id := core.GenerateDefaultRandomId()
	_, err := p.a.Runtime.Bills.Create(p.Context(), payment.Application{ID: id, Institution: p.a.Institution, Patient: p.id, BillNo: bill,
		CardNo: p.card(), Channel: p.channel, Terminal: payment.TerminalMini, Insured: insured, Area: "440100"})
	if err != nil {
		p.Fatal(err)
	}
	return id
}

// until lets time pass and the worker work.
func (p *payer) until(id string, want payment.Status) payment.Order {
	p.Helper()
	var o payment.Order
	for range 60 {
		p.a.Drain()
		w, err := p.a.Store.Payments().Get(p.Context(), id)
		if err != nil {
			p.Fatal(err)
		}
		if o = w.Order; o.Status == want {
			return o
		}
		p.a.Advance(7 * time.Second)
	}
	story := ""
	events, _ := p.a.Store.Payments().Events(p.Context(), id)
	for _, e := range events {
		story += fmt.Sprintf("\n%s %s→%s %s %s", e.Event, e.From, e.To, e.Code, e.Message)
	}
	w, _ := p.a.Store.Payments().Get(p.Context(), id)
	for kind, c := range w.Calls {
		story += fmt.Sprintf("\n%s %s %s reported %q %s %s", kind, c.No, c.State, c.Reported, c.Code, c.Message)
	}
	p.Fatalf("%s is %s, not %s (%s %s) next %s tries %d open %s now %s%s", id, o.Status, want, o.FailCode, o.FailReason, o.NextAt, o.Tries,
		o.OpenSince, p.a.Now(), story)
	return o
}

// pays is the patient at the channel's page.
func (p *payer) pays(o payment.Order) {
	p.Helper()
	res, err := http.Post(p.base()+"/_sim/pay/"+o.TradeNo, "application/json", nil)
	if err != nil {
		p.Fatal(err)
	}
	text, _ := io.ReadAll(res.Body)
	res.Body.Close()
	if res.StatusCode != 200 {
		p.Fatalf("pay: %d %s", res.StatusCode, text)
	}
}

// moved is what a ledger says of the numbers of an order.
func (p *payer) moved(ledger *sim.Ledger, kind string, o payment.Order) (sum int64) {
	for _, e := range ledger.Entries() {
		if e.Kind == kind && (strings.HasPrefix(e.No, o.No) || e.No == o.MedOrgOrd) {
			sum += e.Amount
		}
	}
	return sum
}

func (p *payer) books(o payment.Order) (cash, insurance, written int64) {
	channel := p.a.Sims.WeChat.Ledger()
	if p.channel == "alipay" {
		channel = p.a.Sims.Alipay.Ledger()
	}
	centre, his := p.a.Sims.Centre.Ledger(), p.a.Sims.HIS.Ledger()
	return p.moved(channel, "pay", o) - p.moved(channel, "refund", o),
		p.moved(centre, "fund", o) + p.moved(centre, "account", o) - p.moved(centre, "reversal", o),
		p.moved(his, "charge", o) - p.moved(his, "uncharge", o)
}

// TestPayment_OnRealProtocols walks bills through HIS, centre and channel as
// simulators with real signatures, and gives them back: with insurance and
// without it, through both channels, registration and outpatient.
func TestPayment_OnRealProtocols(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	finance, err := a.Runtime.App.FindAuthRecordByEmail(collections.Staff, "finance@demo.hospay")
	if err != nil {
		t.Fatal(err)
	}
	for no, channel := range map[string]string{"P0001": "wechat", "P0002": "alipay"} {
		for kind, insured := range map[payment.Kind]bool{payment.KindOutpatient: true, payment.KindRegistration: false} {
			t.Run(channel+" "+string(kind), func(t *testing.T) {
				p := newPayer(t, a, no, channel)
				bill := p.bill(kind, 12000)
				if insured {
					p.identified(bill)
					p.authorised()
				}
				o := p.until(p.create(bill, insured), payment.StatusPaying)
				if insured && o.Fund+o.Account <= 0 {
					t.Fatalf("the insurance pays nothing: %+v", o.Split)
				}
				w, err := a.Store.Payments().Get(t.Context(), o.ID)
				if page, ok, e := a.Runtime.Bills.Page(t.Context(), w); err != nil || e != nil || !ok || page.Form == "" {
					t.Fatal(page, ok, err, e)
				}
				p.pays(o)
				o = p.until(o.ID, payment.StatusDone)
				if cash, insurance, written := p.books(o); cash != int64(o.CashDue()) || insurance != int64(o.Fund+o.Account) || written != 12000 {
					t.Fatalf("channel %d of %d, centre %d of %d, HIS %d", cash, o.CashDue(), insurance, o.Fund+o.Account, written)
				}
				if _, err := a.Runtime.Bills.Refund(t.Context(), o.ID, payment.RefundWish{Kind: payment.RefundAll, Reason: "停诊"},
					people.By{Kind: people.ByStaff, ID: finance.Id}); err != nil {
					t.Fatal(err)
				}
				if insured {
					p.until(o.ID, payment.StatusWaitAuth)
					if err := a.Runtime.Bills.Authorise(t.Context(), o.ID, p.authorised(), people.By{Kind: people.ByPatient, ID: p.id}); err != nil {
						t.Fatal(err)
					}
				}
				o = p.until(o.ID, payment.StatusRefunded)
				if cash, insurance, _ := p.books(o); cash != 0 || insurance != 0 || o.Secrets != (payment.Secrets{}) {
					t.Fatalf("channel keeps %d, centre %d", cash, insurance)
				}
				balanced(t, a)
			})
		}
	}
}

// TestPayment_CancelledAtEveryHand: closed at the channel, revoked at the centre,
// and the bill can be paid again.
func TestPayment_CancelledAtEveryHand(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	p := newPayer(t, a, "P0001", "wechat")
	bill := p.bill(payment.KindOutpatient, 12000)
	p.identified(bill)
	p.authorised()
	o := p.until(p.create(bill, true), payment.StatusPaying)
	if _, err := a.Runtime.Bills.Create(t.Context(), payment.Application{ID: "second000000001", Institution: a.Institution, Patient: p.id,
		BillNo: bill, CardNo: p.card(), Channel: "wechat", Terminal: payment.TerminalMini}); flow.CodeOf(err) != payment.CodeBillOrderExists {
		t.Error("a second order of the bill:", err)
	}
	if err := a.Runtime.Bills.Cancel(t.Context(), o.ID, people.By{Kind: people.ByPatient, ID: p.id}); err != nil {
		t.Fatal(err)
	}
	o = p.until(o.ID, payment.StatusCancelled)
	if o.Insurance != payment.InsuranceUndone || o.CashDue() > 0 && o.CashLeg != payment.CashClosed {
		t.Fatalf("%s %s", o.Insurance, o.CashLeg)
	}
	if cash, insurance, written := p.books(o); cash+insurance+written != 0 {
		t.Fatal(cash, insurance, written)
	}
	again := p.until(p.create(bill, false), payment.StatusPaying)
	p.pays(again)
	p.until(again.ID, payment.StatusDone)
	if _, err := a.Runtime.Bills.Create(t.Context(), payment.Application{ID: "third0000000001", Institution: a.Institution, Patient: p.id,
		BillNo: bill, CardNo: p.card(), Channel: "wechat", Terminal: payment.TerminalMini}); err == nil || errors.Is(err, flow.ErrConflict) {
		t.Error("a paid bill is paid again:", err)
	}
	balanced(t, a)
}
