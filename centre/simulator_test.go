package centre_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"hospay/centre"
	"hospay/flow"
	"hospay/money"
	"hospay/payment"
	"hospay/sim"
	simcentre "hospay/sim/centre"
	"hospay/sim/world"
)

// side is a client before the simulator, and what it counts with.
type side struct {
	*testing.T
	sim  *simcentre.Server
	url  string
	c    *centre.Client
	n    int
	conf centre.Config
}

func open(t *testing.T, change ...func(*centre.Region, *simcentre.Settings)) *side {
	t.Helper()
	s, err := simcentre.New(world.New(1, 20, time.Time{}))
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(s)
	s.SetURL(srv.URL)
	t.Cleanup(func() { srv.Close(); s.Close() })
	region, _ := centre.Profile(centre.National)
	must(t, s.Settings().Update(func(set *simcentre.Settings) error {
		for _, f := range change {
			f(&region, set)
		}
		return nil
	}))
	k := s.Config()
	conf := centre.Config{Base: srv.URL, Region: region, OrgCode: k.OrgCode, AppID: k.AppID, AppSecret: k.AppSecret,
		PrivateKey: k.PrivateKey, PlatformKey: k.PlatformKey, Timeout: 3 * time.Second, Now: time.Now}
	return &side{T: t, sim: s, url: srv.URL, c: client(t, conf), conf: conf}
}

func client(t *testing.T, conf centre.Config) *centre.Client {
	t.Helper()
	c, err := centre.New(conf)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// bill is a new bill of 120 yuan of somebody who has authorised.
func (s *side) bill(insutype string) (payment.Upload, payment.Ref) {
	s.n++
	no, at := fmt.Sprintf("M%s%04d", "261128", s.n), time.Date(2026, 11, 28, 9, 10, 0, 0, sim.Beijing)
	u := payment.Upload{No: no, Batch: "B" + no, Credential: payment.Credential{EcToken: "EC-" + no},
		Person: payment.Person{IDNo: "440106199003078515", Name: "欧阳甲乙", IDType: "01"}, Total: 12000, Visit: payment.Visit{PsnNo: "4401",
			Insutype: insutype, Area: "440100", Begun: at.Add(-10 * time.Minute), No: "MZ1", MedType: "11", DeptCode: "0301",
			DeptName: "内科", Caty: "A03", Fees: []payment.Fee{
				{No: "1", Time: at, ListCode: "XA01", OwnCode: "Y1", Name: "药<甲>&\"乙\"", Sum: 7000, Count: "2", Price: "35"},
				{No: "2", Time: at, ListCode: "XA02", OwnCode: "Y2", Name: "检查", Sum: 5000, Count: "1", Price: "50"}}}}
	return u, payment.Ref{MedOrgOrd: no, Person: u.Person}
}

// priced uploads a bill and asks for its price.
func (s *side) priced(insutype string) (payment.Ref, payment.Priced) {
	s.Helper()
	u, r := s.bill(insutype)
	up := s.c.Upload(s.Context(), u)
	if up.Verdict != flow.Done {
		s.Fatalf("6201: %+v", up)
	}
	r.PayOrdID, r.PayToken = up.PayOrdID, up.PayToken
	p := s.c.Price(s.Context(), s.question(u, r))
	if p.Verdict == flow.Done {
		r.Known = &p.Split
	}
	return r, p
}

func (s *side) question(u payment.Upload, r payment.Ref) payment.Price {
	s.n++
	return payment.Price{Ref: r, Serial: fmt.Sprintf("S%06d", s.n), Batch: u.Batch, FeeType: "01", Total: u.Total}
}

func (s *side) post(path, body string, want int) {
	s.Helper()
	res, err := http.Post(s.url+path, "application/json", strings.NewReader(body))
	if err != nil {
		s.Fatal(err)
	}
	defer res.Body.Close()
	if text, _ := io.ReadAll(res.Body); res.StatusCode != want {
		s.Fatalf("%s: %d %s", path, res.StatusCode, text)
	}
}

// moved is what the ledger says of an order.
func (s *side) moved(no string) string {
	var out []string
	for _, e := range s.sim.Ledger().Find("", no) {
		out = append(out, fmt.Sprintf("%s %d", e.Kind, e.Amount))
	}
	return strings.Join(out, ", ")
}

func (s *side) state(r payment.Ref, want payment.Stas, verdict flow.Verdict) payment.AtCentre {
	s.Helper()
	o := s.c.Query(s.Context(), r)
	if o.Verdict != verdict || o.Stas != want {
		s.Fatalf("want %s in state %d: %+v", verdict, want, o)
	}
	return o
}

// TestProbe_ProvesKeysOnBothSides: a signed answer about an order that cannot
// exist proves them, and nothing else does.
func TestProbe_ProvesKeysOnBothSides(t *testing.T) {
	s := open(t)
	if p := s.c.Probe(t.Context()); !p.Signed {
		t.Errorf("%+v", p)
	}
	for name, change := range map[string]func(*centre.Config){
		"another user id": func(c *centre.Config) { c.Region.SM2UserID = centre.UserDefault },
		"another secret":  func(c *centre.Config) { c.AppSecret = strings.Repeat("A", 32) },
		"another key":     func(c *centre.Config) { c.PrivateKey = c.PlatformKey[:43] + "=" },
		"another address": func(c *centre.Config) { c.Base = "http://127.0.0.1:1" },
	} {
		conf := s.conf
		change(&conf)
		c, err := centre.New(conf)
		if err != nil {
			continue // refused before anything is sent
		}
		if p := c.Probe(t.Context()); p.Signed || p.Words == "" {
			t.Errorf("%s: %+v", name, p)
		}
	}
	if n := len(s.sim.Ledger().Entries()); n != 0 {
		t.Errorf("%d movements", n)
	}
}

func TestSimulator_OneOrderAllTheWay(t *testing.T) {
	s := open(t)
	s.post("/_sim/split", `{"id_no":"440106199003078515","fund":7000,"account":2000,"family":500,"other":300,"hospital":300}`, 200)
	r, p := s.priced("310")
	want := payment.Split{Total: 12000, Fund: 7000, Account: 2000, Cash: 2700, Other: 300, Own: 1500, Family: 500, HospitalPart: 300}
	if p.Verdict != flow.Done || p.Split != want || !strings.Contains(string(p.Info), "fund_pay_sumamt") {
		t.Fatalf("%+v", p)
	}
	s.state(r, payment.StasQuoted, flow.Done)
	s.post("/_sim/start/"+r.MedOrgOrd, "", 200)
	s.state(r, payment.StasSettling, flow.Done)
	s.post("/_sim/pay/"+r.PayOrdID+"?part=cash", "", 200)
	if o := s.state(r, payment.StasCashDone, flow.Done); o.Stas.Group() != payment.Candidate || !o.Told || s.moved(r.MedOrgOrd) != "" {
		t.Errorf("%+v %s", o, s.moved(r.MedOrgOrd))
	}
	if a := s.c.Undo(t.Context(), r); a.Verdict == flow.Done {
		t.Error("an order was undone after the patient had paid")
	}
	s.post("/_sim/pay/"+r.MedOrgOrd+"?part=insurance", "", 200)
	o := s.state(r, payment.StasComplete, flow.Done)
	if o.Split != want || o.RevsToken == "" || o.SetlType != "ALL" || !strings.Contains(string(o.Info), "setl_id") ||
		s.moved(r.MedOrgOrd) != "fund 7000, account 2000" {
		t.Errorf("%+v %s", o, s.moved(r.MedOrgOrd))
	}
	s.post("/_sim/pay/"+r.MedOrgOrd, "", 409)
	back := payment.InsuranceBack{Ref: r, Credential: payment.Credential{PayAuthNo: "AUTH440100202611280000000009"}, Serial: "R1",
		Kind: payment.BackInsurance,
		At:   s.conf.Now()}
	a := s.c.Refund(t.Context(), back)
	if a.Verdict != flow.Done || a.DocSn == "" || s.moved(r.MedOrgOrd) != "fund 7000, account 2000, reversal 9000" {
		t.Errorf("%+v %s", a, s.moved(r.MedOrgOrd))
	}
	if again := s.c.Refund(t.Context(), back); again.No != a.No {
		t.Errorf("the same refund again: %+v", again)
	}
	s.state(r, payment.StasRefundedInsurance, flow.Done)
	if back.Serial = "R2"; s.c.Refund(t.Context(), back).Verdict == flow.Done || len(s.sim.Ledger().Find("reversal", r.MedOrgOrd)) != 1 {
		t.Error("a second refund went through")
	}
	for i, cash := range []money.Fen{1000, 1700} {
		part := payment.InsuranceBack{Ref: r, Credential: back.Credential, Serial: fmt.Sprint("C", i), Kind: payment.BackCash, Cash: cash,
			At: s.conf.Now()}
		if a := s.c.Refund(t.Context(), part); a.Verdict != flow.Done || a.DocSn != "" {
			t.Errorf("%+v", a)
		}
		s.state(r, []payment.Stas{payment.StasRefundedMixed, payment.StasRefundedAll}[i], flow.Done)
	}
}

func TestSimulator_UndoneAndAllBack(t *testing.T) {
	for _, form := range []string{centre.RefundFilled, centre.RefundBare} {
		for _, other := range []bool{false, true} {
			s := open(t, func(r *centre.Region, set *simcentre.Settings) {
				r.RefundForm, r.RefundTotalWithOther = form, other
				set.RefundTotal = map[bool]string{true: "with", false: "without"}[other]
			})
			r, _ := s.priced("310")
			for range 2 {
				if a := s.c.Undo(t.Context(), r); a.Verdict != flow.Done {
					t.Errorf("6401: %+v", a)
				}
			}
			s.state(r, payment.StasUndone, flow.Done)
			s.post("/_sim/split", `{"id_no":"440106199003078515","fund":5000,"account":1000,"other":200}`, 200)
			r, _ = s.priced("310")
			s.post("/_sim/pay/"+r.MedOrgOrd, "", 200)
			a := s.c.Refund(t.Context(), payment.InsuranceBack{Ref: r, Credential: payment.Credential{EcToken: "EC"}, Serial: "R1",
				Kind: payment.BackAll,
				At:   s.conf.Now()})
			if a.Verdict != flow.Done || s.moved(r.MedOrgOrd) != "fund 5000, account 1000, reversal 6000" {
				t.Errorf("%s %v: %+v %s", form, other, a, s.moved(r.MedOrgOrd))
			}
			s.state(r, payment.StasRefundedAll, flow.Done)
		}
	}
}

// TestSimulator_RefusesWhatIsNotRight: wrong signature, stale time, another
// application, tampered data. Nothing is done, and nothing is believed.
func TestSimulator_RefusesWhatIsNotRight(t *testing.T) {
	s := open(t)
	var tamper func(map[string]any)
	through := func(change func(*centre.Config), f func(map[string]any)) *centre.Client {
		conf := s.conf
		conf.Transport = roundTrip(func(req *http.Request) (*http.Response, error) {
			body, _ := io.ReadAll(req.Body)
			if tamper != nil {
				m := map[string]any{}
				_ = json.Unmarshal(body, &m)
				tamper(m)
				body, _ = json.Marshal(m)
			}
			req.Body, req.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
			return http.DefaultTransport.RoundTrip(req)
		})
		change(&conf)
		tamper = f
		return client(t, conf)
	}
	nothing := func(*centre.Config) {}
	for name, c := range map[string]func() *centre.Client{
		"platform's key": func() *centre.Client { return through(func(c *centre.Config) { c.PrivateKey = anotherKey }, nil) },
		"user id": func() *centre.Client {
			return through(func(c *centre.Config) { c.Region.SM2UserID = centre.UserDefault }, nil)
		},
		"application": func() *centre.Client { return through(func(c *centre.Config) { c.AppID = "5" + c.AppID[1:] }, nil) },
		"secret": func() *centre.Client {
			return through(func(c *centre.Config) { c.AppSecret = "5" + c.AppSecret[1:] }, nil)
		},
		"stale": func() *centre.Client {
			return through(func(c *centre.Config) { c.Now = func() time.Time { return s.conf.Now().Add(-11 * time.Minute) } }, nil)
		},
		"version": func() *centre.Client { return through(func(c *centre.Config) { c.Region.Version = "1.0.0" }, nil) },
		"no sign": func() *centre.Client { return through(nothing, func(m map[string]any) { delete(m, "signData") }) },
		"other sign": func() *centre.Client {
			return through(nothing, func(m map[string]any) { m["signData"] = sim.Spoil(m["signData"].(string)) })
		},
		"other app": func() *centre.Client { return through(nothing, func(m map[string]any) { m["appId"] = "X" }) },
		"other time": func() *centre.Client {
			return through(nothing, func(m map[string]any) { m["timestamp"] = "20200207175759" })
		},
		"data": func() *centre.Client {
			return through(nothing, func(m map[string]any) { e := m["encData"].(string); m["encData"] = e[32:] + e[:32] })
		},
		"cut": func() *centre.Client {
			return through(nothing, func(m map[string]any) { m["encData"] = m["encData"].(string)[:64] })
		},
		"type": func() *centre.Client { return through(nothing, func(m map[string]any) { m["encType"] = "AES" }) },
		"not here": func() *centre.Client {
			return through(func(c *centre.Config) { c.Region.Paths.Upload = "/pmc/api" }, nil)
		},
	} {
		u, _ := s.bill("310")
		if a := c().Upload(t.Context(), u); a.Verdict != flow.Unknown {
			t.Errorf("%s: %+v", name, a)
		}
	}
	if n := len(s.sim.Requests().All()); n != 0 {
		t.Errorf("%d requests were taken", n)
	}
	u, _ := s.bill("310")
	if a := through(nothing, nil).Upload(t.Context(), u); a.Verdict != flow.Done {
		t.Errorf("the right one: %+v", a)
	}
}

// anotherKey is a valid key that nobody has registered.
const anotherKey = "IR/ujDxfri+tPckm/JJAM2Yy3vAs3Qu1vWg8oBXZnbc="

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// TestSimulator_ProveNothing: whatever goes wrong on the way, the outcome is
// unknown, and the query tells what happened.
func TestSimulator_FaultsProveNothing(t *testing.T) {
	for _, fault := range []string{sim.TimeoutBefore, sim.TimeoutAfter, sim.Error500Before, sim.Error500After, sim.HTML502After,
		sim.BadSignature,
		sim.Unsigned, sim.UnknownCode, sim.UnknownCodeAfter, sim.TruncatedAfter, sim.SystemErrorBefore, sim.SystemErrorAfter, sim.NoData,
		sim.StaleAnswer, sim.RateLimited, sim.OddTotal, sim.OddAccount, sim.LieAmount, sim.LieNoAmount, sim.LieZeroAmount, sim.LieBadAmount,
		sim.LieNumber} {
		s := open(t)
		must(t, s.sim.Faults().Plan("order", fault))
		r, p := s.priced("310")
		if p.Verdict != flow.Unknown || p.Total != 0 && fault != sim.LieAmount {
			t.Errorf("6202 %s: %+v", fault, p)
		}
		after := !slices.Contains([]string{sim.TimeoutBefore, sim.Error500Before, sim.UnknownCode, sim.SystemErrorBefore, sim.RateLimited}, fault)
		s.state(r, map[bool]payment.Stas{true: payment.StasQuoted, false: payment.StasSaved}[after], flow.Done)
		u, _ := s.bill("310")
		u.No, u.Batch = r.MedOrgOrd, "B"+r.MedOrgOrd
		if again := s.c.Price(t.Context(), s.question(u, r)); again.Verdict != flow.Done {
			t.Errorf("6202 after %s: %+v", fault, again)
		}
	}
}

func TestSimulator_RefundsThatStayOpen(t *testing.T) {
	for fault, back := range map[string]int{sim.RefundFail: 0, sim.RefundExp: 1, sim.RefundExpBefore: 0, sim.TimeoutAfter: 1,
		sim.TimeoutBefore: 0,
		sim.BadSignature:  1, sim.NoData: 1, sim.LieNumber: 1} {
		s := open(t)
		r, _ := s.priced("310")
		s.post("/_sim/pay/"+r.MedOrgOrd, "", 200)
		must(t, s.sim.Faults().Plan("refund", fault))
		want := map[bool]flow.Verdict{true: flow.Refused, false: flow.Unknown}[fault == sim.RefundFail]
		a := s.c.Refund(t.Context(), payment.InsuranceBack{Ref: r, Credential: payment.Credential{EcToken: "EC"}, Serial: "R1",
			Kind: payment.BackAll,
			At:   s.conf.Now()})
		if fault == sim.LieNumber { // it tells another number of theirs, which nobody could know
			want = flow.Done
		}
		if a.Verdict != want || len(s.sim.Ledger().Find("reversal", "")) != 0 || len(s.sim.Ledger().Find("reversal", r.MedOrgOrd)) != back {
			t.Errorf("%s: %+v %s", fault, a, s.moved(r.MedOrgOrd))
		}
		s.state(r, map[int]payment.Stas{0: payment.StasComplete, 1: payment.StasRefundedAll}[back], flow.Done)
	}
}

func TestSimulator_QueryIsToldAnyState(t *testing.T) {
	s := open(t)
	r, _ := s.priced("310")
	for _, stas := range []int{14, 17, 18, 22, 25} {
		s.post(fmt.Sprintf("/_sim/state/%s?stas=%d&times=2", r.MedOrgOrd, stas), "", 200)
		for range 2 {
			s.state(r, payment.Stas(stas), flow.Unknown)
		}
		s.state(r, payment.StasQuoted, flow.Done)
	}
	s.post("/_sim/state/"+r.MedOrgOrd+"?stas=2&times=-1", "", 200)
	s.post("/_sim/pay/"+r.MedOrgOrd, "", 200)
	for range 3 {
		s.state(r, payment.StasSettling, flow.Done)
	}
	s.post("/_sim/state/"+r.MedOrgOrd, "", 200)
	s.state(r, payment.StasComplete, flow.Done)
	s.post("/_sim/reverse/"+r.MedOrgOrd, "", 200)
	s.state(r, payment.StasInsuranceUndone, flow.Done)
}

// TestSimulator_Regions: both sides with the habits of a region understand each other.
func TestSimulator_Regions(t *testing.T) {
	for name, change := range map[string]func(*centre.Region, *simcentre.Settings){
		"plain user id": func(r *centre.Region, s *simcentre.Settings) {
			r.SM2UserID, s.SM2UserID = centre.UserDefault, "default"
		},
		"user id":      func(r *centre.Region, s *simcentre.Settings) { r.SM2UserID, s.SM2UserID = "ALICE", "ALICE" },
		"milliseconds": func(r *centre.Region, s *simcentre.Settings) { r.Stamp, s.Stamp = centre.StampMillis, "millis" },
		"text and no app": func(_ *centre.Region, s *simcentre.Settings) {
			s.CodeAsText, s.AnswerApp, s.HexLower = true, false, true
		},
		"numbers, as text": func(_ *centre.Region, s *simcentre.Settings) { s.Numbers = true },
		"numbers as such":  func(_ *centre.Region, s *simcentre.Settings) { s.Numbers, s.Words = true, false },
		"numbers both ways": func(r *centre.Region, s *simcentre.Settings) {
			r.NumbersAsText, s.Numbers, s.Words = false, true, false
		},
		"relay":           func(_ *centre.Region, s *simcentre.Settings) { s.Wrapper = "output" },
		"lower-case path": func(r *centre.Region, _ *simcentre.Settings) { r.Paths.Refund = "/org/local/api/hos/refund_order" },
		"insurance first": func(r *centre.Region, s *simcentre.Settings) {
			r.Order, s.MoneyOrder = centre.InsuranceFirst, "insurance_first"
		},
		"amounts in all": func(_ *centre.Region, s *simcentre.Settings) { s.BareStates = false },
		"other beside":   func(r *centre.Region, s *simcentre.Settings) { r.OtherInTotal, s.OtherInTotal = false, false },
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t, change)
			s.post("/_sim/split", `{"id_no":"440106199003078515","fund":7000,"account":2000,"other":300}`, 200)
			r, p := s.priced("310")
			if p.Verdict != flow.Done || p.Fund != 7000 || p.Other != 300 {
				t.Fatalf("%+v", p)
			}
			s.state(r, payment.StasQuoted, flow.Done)
			s.post("/_sim/pay/"+r.MedOrgOrd, "", 200)
			s.state(r, payment.StasComplete, flow.Done)
			a := s.c.Refund(t.Context(), payment.InsuranceBack{Ref: r, Credential: payment.Credential{EcToken: "EC"}, Serial: "R1",
				Kind: payment.BackAll,
				At:   s.conf.Now()})
			if a.Verdict != flow.Done {
				t.Errorf("%+v", a)
			}
		})
	}
}

// TestSimulator_Refusals: errors of the business refuse where the region lists
// their codes, and only signed.
func TestSimulator_Refusals(t *testing.T) {
	listed := func(r *centre.Region, _ *simcentre.Settings) {
		r.Refusals["2004"] = centre.Refusal{Who: flow.ActorPatient, Words: "授权已过期，请重新授权"}
	}
	unsigned := func(_ *centre.Region, set *simcentre.Settings) { set.ErrorsSigned = false }
	for name, c := range map[string]struct {
		with []func(*centre.Region, *simcentre.Settings)
		want flow.Verdict
	}{"listed": {[]func(*centre.Region, *simcentre.Settings){listed}, flow.Refused}, "not listed": {nil, flow.Unknown},
		"listed, unsigned": {[]func(*centre.Region, *simcentre.Settings){listed, unsigned}, flow.Unknown}} {
		s := open(t, c.with...)
		w := world.New(1, 20, time.Time{})
		who := w.Find("P0001")
		cred := s.sim.Authorise(who, who)
		u, _ := s.bill("310")
		u.Person = payment.Person{IDNo: who.IDNo, Name: who.Name, IDType: "01"}
		u.Credential, u.Visit.MdtrtID = payment.Credential{PayAuthNo: cred.PayAuthNo}, "D1"
		if a := s.c.Upload(t.Context(), u); a.Verdict != flow.Done {
			t.Fatalf("%s: a good credential: %+v", name, a)
		}
		s.post("/_sim/expire/"+cred.PayAuthNo, "", 200)
		u.No += "X"
		if a := s.c.Upload(t.Context(), u); a.Verdict != c.want || a.Reason.Code != "2004" {
			t.Errorf("%s: %+v", name, a)
		}
	}
}

func TestSimulator_NoticeWithRetries(t *testing.T) {
	for name, change := range map[string]func(*centre.Region, *simcentre.Settings){
		"sealed": func(*centre.Region, *simcentre.Settings) {},
		"plain": func(r *centre.Region, s *simcentre.Settings) {
			r.NoticeForm, r.NoticeReply, s.NoticeForm, s.NoticeOwnPay, s.NoticeList = centre.NoticePlain, centre.ReplyEmpty, "plain", "ownpayAmt",
				true
		},
		"json": func(r *centre.Region, _ *simcentre.Settings) { r.NoticeReply = centre.ReplyJSON },
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t, change)
			var mu sync.Mutex
			var got []centre.Notice
			failed := 0
			hospital := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
				mu.Lock()
				defer mu.Unlock()
				body, _ := io.ReadAll(req.Body)
				n, err := s.c.ReadNotice(body)
				if failed++; err != nil || failed == 1 {
					w.WriteHeader(500)
					return
				}
				got = append(got, n)
				reply, err := s.c.Acknowledgement()
				if err != nil {
					t.Error(err)
				}
				if reply.Type != "" {
					w.Header().Set("Content-Type", reply.Type)
				}
				_, _ = w.Write(reply.Body)
			}))
			defer hospital.Close()
			must(t, s.sim.Settings().Update(func(set *simcentre.Settings) error {
				set.NoticeURL, set.CallbackScale = hospital.URL, 0.001
				return nil
			}))
			r, p := s.priced("310")
			must(t, s.sim.Faults().Plan("callback", sim.ForgedCallback))
			s.post("/_sim/pay/"+r.MedOrgOrd, "", 200)
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			accepted := -1
			for accepted < 0 && ctx.Err() == nil {
				time.Sleep(5 * time.Millisecond)
				rows, _ := s.sim.Courier().Log.Since(0)
				accepted = slices.IndexFunc(rows, func(d sim.Delivery) bool { return d.Accepted })
			}
			mu.Lock()
			defer mu.Unlock()
			if len(got) == 0 || got[0].PayOrdID != r.PayOrdID || got[0].MedOrgOrd != r.MedOrgOrd || got[0].Split != p.Split ||
				got[0].Proven != (name != "plain") || got[0].CallType != "02" || got[0].RevsToken == "" {
				t.Errorf("%+v", got)
			}
			if accepted < 1 {
				t.Errorf("accepted as number %d, after what was refused", accepted)
			}
		})
	}
}

// TestSimulator_UnderFaultsNothingIsBelievedThatIsNotTrue: whatever strikes, an
// answer that is Done or Refused says what the ledger of the centre says.
func TestSimulator_UnderFaultsNothingIsBelievedThatIsNotTrue(t *testing.T) {
	s := open(t)
	must(t, s.sim.Faults().Set(sim.Plan{Seed: 11, Rate: 0.4, With: []string{"centre", "lies", "refusals"}}))
	outcomes := map[string]int{}
	for range 120 {
		u, r := s.bill([]string{"310", "390", "999"}[s.n%3])
		up := s.c.Upload(t.Context(), u)
		if outcomes["6201 "+up.Verdict.String()]++; up.Verdict != flow.Done {
			continue
		}
		r.PayOrdID, r.PayToken = up.PayOrdID, up.PayToken
		p := s.c.Price(t.Context(), s.question(u, r))
		if outcomes["6202 "+p.Verdict.String()]++; p.Verdict != flow.Done {
			continue
		}
		r.Known = &p.Split
		if p.Insured() == 0 {
			must(t, s.sim.Pay(r.MedOrgOrd, simcentre.PartCash))
		} else {
			must(t, s.sim.Pay(r.MedOrgOrd, simcentre.PartInsurance))
		}
		o := s.c.Query(t.Context(), r)
		if outcomes["6301 "+o.Verdict.String()]++; o.Verdict == flow.Done && (o.Split != p.Split || o.Stas.Group() == payment.Processing) {
			t.Errorf("paid, and told %+v", o)
		}
		if p.Insured() == 0 {
			continue
		}
		a := s.c.Refund(t.Context(), payment.InsuranceBack{Ref: r, Credential: payment.Credential{EcToken: "EC"}, Serial: "R" + r.MedOrgOrd,
			Kind: payment.BackInsurance,
			At:   s.conf.Now()})
		outcomes["6203 "+a.Verdict.String()]++
		back := len(s.sim.Ledger().Find("reversal", r.MedOrgOrd))
		if back > 1 || a.Verdict == flow.Done && back != 1 || a.Verdict == flow.Refused && back != 0 {
			t.Errorf("%+v, and the ledger says %s", a, s.moved(r.MedOrgOrd))
		}
	}
	for _, want := range []string{"6201 done", "6201 unknown", "6202 done", "6202 unknown", "6301 done", "6301 unknown", "6203 done",
		"6203 unknown"} {
		if outcomes[want] == 0 {
			t.Errorf("never %s: %v", want, outcomes)
		}
	}
}
