package refund

import (
	"context"
	"testing"
	"time"

	"hospay/flow"
)

// reception is the store, the directory and the HIS of an intake under test.
type reception struct {
	IntakeStore
	Directory
	people  map[string]Person
	known   map[string][]KnownCard
	proxies map[string]Proxy
	his     receptionHIS
	moved   bool
}

type receptionHIS struct {
	HISLedger
	HISRecords
	down   bool
	asked  *int
	person Person
	cards  map[string]Card
}

func (h receptionHIS) Person(context.Context, Identity) (Person, error) {
	switch {
	case h.down:
		return Person{}, flow.NewError(flow.CodeHISUnavailable, "")
	case h.person.Name == "":
		return Person{}, flow.NewError(flow.CodePatientNotFound, "")
	}
	return h.person, nil
}

func (h receptionHIS) Card(_ context.Context, no string) (Card, error) {
	*h.asked++
	if h.down {
		return Card{}, flow.NewError(flow.CodeHISUnavailable, "")
	}
	return h.cards[no], nil
}

func (h receptionHIS) Cards(context.Context, Person) (out []Card, err error) {
	for _, c := range h.cards {
		out = append(out, Card{No: c.No, Name: c.Name, IssuedAt: noon})
	}
	return out, nil
}

func (r *reception) HIS(context.Context, string) (HIS, HISTraits, error) {
	return r.his, HISTraits{}, nil
}

func (r *reception) Institution(context.Context, string) (Institution, error) {
	return Institution{Proxy: ProxySettings{Payee: PayPrincipal}}, nil
}

func (r *reception) Person(_ context.Context, id string) (Person, error) { return r.people[id], nil }

func (r *reception) Moved(context.Context, string, []string, time.Time) (bool, error) {
	return r.moved, nil
}

func (r *reception) Cards(_ context.Context, id string) ([]KnownCard, error) { return r.known[id], nil }

func (r *reception) SaveCards(_ context.Context, id string, cards []Card, at time.Time) error {
	r.known[id] = nil
	for _, c := range cards {
		r.known[id] = append(r.known[id], KnownCard{Card: c, AsOf: at})
	}
	return nil
}

func (r *reception) KeepCard(_ context.Context, id string, c Card, at time.Time) error {
	r.known[id] = []KnownCard{{Card: c, AsOf: at}}
	return nil
}

func (r *reception) Proxy(_ context.Context, id string) (Proxy, error) {
	p, ok := r.proxies[id]
	if !ok {
		return p, flow.ErrNotFound
	}
	return p, nil
}

// newReception knows one patient, whose card HIS holds with another balance.
func newReception(asOf time.Time) (*reception, *Intake) {
	r := &reception{
		people: map[string]Person{"P": {Name: "欧阳静"}, "Q": {Name: "司马岚"}}, proxies: map[string]Proxy{},
		known: map[string][]KnownCard{"P": {{Card: Card{No: "C1", Name: "欧阳静", Refundable: 100, IssuedAt: noon}, AsOf: asOf}}},
	}
	r.his = receptionHIS{asked: new(int), cards: map[string]Card{"C1": {No: "C1", Name: "欧阳静", Refundable: 70}}}
	return r, NewIntake(r, r, func() time.Time { return noon }, nil)
}

func TestIntake_AsksHISForWhatHasAged(t *testing.T) {
	for _, row := range []struct {
		age   time.Duration
		asked int
		want  int64
	}{{cardAge - time.Second, 0, 100}, {cardAge, 1, 70}} {
		r, in := newReception(noon.Add(-row.age))
		if err := in.Fresh(t.Context(), Patient{ID: "P"}, "C1", ""); err != nil {
			t.Fatal(err)
		}
		have := r.known["P"][0]
		if *r.his.asked != row.asked || int64(have.Refundable) != row.want || have.IssuedAt != noon {
			t.Errorf("age %v: asked %d times, then %+v", row.age, *r.his.asked, have)
		}
	}
	r, in := newReception(noon)
	if err := in.Fresh(t.Context(), Patient{ID: "P"}, "C2", ""); err != nil || *r.his.asked != 1 || r.known["P"][0].Refundable != 70 {
		t.Errorf("a card that is not known: %v, %+v", err, r.known)
	}
	r, in = newReception(noon)
	r.his.down = true
	if err := in.Refresh(t.Context(), Patient{ID: "P"}); flow.CodeOf(err) != flow.CodeHISUnavailable || len(r.known["P"]) != 1 {
		t.Errorf("HIS is down: %v, %+v", err, r.known)
	}
}

func TestIntake_PrincipalsCardMustStillBeTheirs(t *testing.T) {
	r, in := newReception(noon.Add(-time.Hour))
	p := Proxy{ID: "X", Agent: "Q", Principal: "P", CardNo: "C1", Case: ProxyElderly, Status: ProxyApproved, ExpiresAt: noon.Add(time.Hour)}
	r.proxies["X"] = p
	if c, err := in.PrincipalCard(t.Context(), p); err != nil || c.Refundable != 70 {
		t.Errorf("%+v, %v", c, err)
	}
	r, in = newReception(noon.Add(-time.Hour))
	r.known["P"] = nil
	r.his.cards["C1"] = Card{No: "C1", Name: "诸葛明"}
	if _, err := in.PrincipalCard(t.Context(), p); flow.CodeOf(err) != CodePrincipalNotFound || r.known["P"] != nil {
		t.Errorf("the card has changed hands: %v, %+v", err, r.known)
	}
}

func TestIntake_OnlyAnApprovedApplicationOpensTheCard(t *testing.T) {
	r, in := newReception(noon)
	good := Proxy{ID: "X", Agent: "Q", Principal: "P", CardNo: "C1", Case: ProxyElderly, Status: ProxyApproved, ExpiresAt: noon.Add(time.Hour)}
	agent := Patient{ID: "Q"}
	for name, row := range map[string]struct {
		change func(*Proxy)
		card   string
		ok     bool
	}{
		"approved":        {func(*Proxy) {}, "C1", true},
		"no card named":   {func(*Proxy) {}, "", true},
		"another card":    {func(*Proxy) {}, "C9", false},
		"somebody else's": {func(p *Proxy) { p.Agent = "R" }, "C1", false},
		"a draft":         {func(p *Proxy) { p.Status = ProxyDraft }, "C1", false},
		"expired":         {func(p *Proxy) { p.ExpiresAt = noon }, "C1", false},
	} {
		p := good
		row.change(&p)
		r.proxies["X"] = p
		ps, err := in.StandIn(t.Context(), agent, "X", row.card)
		if (err == nil) != row.ok || !row.ok && flow.CodeOf(err) != CodeProxyNotApproved {
			t.Errorf("%s: %v", name, err)
		}
		if row.ok && (ps.Owner != "P" || ps.Payee != "P" || ps.Who != PayPrincipal) {
			t.Errorf("%s: %+v", name, ps)
		}
	}
	if ps, err := in.StandIn(t.Context(), agent, "", "C1"); err != nil || ps.Owner != "Q" || ps.Payee != "Q" || ps.Who != PaySelf {
		t.Errorf("without an application: %+v, %v", ps, err)
	}
}

func TestIntake_IdentifyBelievesThePortalWhileHISIsSilent(t *testing.T) {
	told := Person{PatientNo: "P0001", Name: "欧阳静", IDNo: "1"}
	for name, row := range map[string]struct {
		down  bool
		his   Person
		phone string
		code  flow.Code
	}{
		"silent":       {down: true},
		"same":         {his: Person{Name: "欧阳静", Phone: "13800000000"}, phone: "13800000000"},
		"another name": {his: Person{Name: "诸葛明"}, code: flow.CodePatientNotFound},
		"unknown":      {code: flow.CodePatientNotFound},
	} {
		r, in := newReception(noon)
		r.his.down, r.his.person = row.down, row.his
		p, err := in.Identify(t.Context(), "I", told)
		if flow.CodeOf(err) != row.code || p.Phone != row.phone || p.Name != told.Name {
			t.Errorf("%s: %+v, %v", name, p, err)
		}
	}
}

func TestIntake_PrincipalIsFoundOrNot(t *testing.T) {
	_, in := newReception(noon)
	wish := ProxyWish{Claim: Claim{Name: "欧阳静", IDNo: "1", CardNo: "C1"}}
	if _, _, err := in.Principal(t.Context(), "I", wish); flow.CodeOf(err) != CodePrincipalNotFound {
		t.Errorf("nobody: %v", err)
	}
	r, in := newReception(noon)
	r.his.person = Person{PatientNo: "P0001", Name: "欧阳静", IDNo: "2"}
	if _, _, err := in.Principal(t.Context(), "I", wish); flow.CodeOf(err) != CodePrincipalNotFound {
		t.Errorf("another number: %v", err)
	}
	r.his.down = true
	if _, _, err := in.Principal(t.Context(), "I", ProxyWish{Claim: Claim{Name: "欧阳静"}}); flow.CodeOf(err) != flow.CodeHISUnavailable {
		t.Errorf("HIS is down: %v", err)
	}
}

func TestIntake_PayeeOfATransfer(t *testing.T) {
	_, in := newReception(noon)
	for account, want := range map[string]AccountType{
		"2088101117955611": AccountAlipayUserID, "208810111795561": AccountAlipayLogonID, "1088101117955611": AccountAlipayLogonID,
		"13800000000": AccountAlipayLogonID, "a@b.cn": AccountAlipayLogonID,
	} {
		a := Application{Method: MethodTransfer, Channel: "alipay", Payee: Payee{Account: account}}
		if err := in.Payee(t.Context(), "P", &a); err != nil || a.Payee.Type != want {
			t.Errorf("%s: %s, %v", account, a.Payee.Type, err)
		}
	}
	a := Application{Method: MethodOriginal, Payee: Payee{Account: "a@b.cn"}}
	if err := in.Payee(t.Context(), "P", &a); err != nil || a.Payee.Account != "" {
		t.Errorf("%+v, %v", a.Payee, err)
	}
}
