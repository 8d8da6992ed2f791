package refund

import (
	"context"
	"errors"
	"log/slog"
	"reflect"
	"strings"
	"time"

	"hospay/flow"

	"golang.org/x/sync/errgroup"
)

const (
	cardAge   = 10 * time.Second // how old a balance may be when an order is taken
	loginHIS  = 5 * time.Second  // how long a login waits for the identity source
	intakeHIS = 10 * time.Second // how long anything else waits for HIS
)

// Intake finds out, before an order is made, who the people are and what their
// cards hold: from HIS where what is known has aged. It moves no money.
type Intake struct {
	store IntakeStore
	dir   Directory
	now   func() time.Time
	log   *slog.Logger
	asks  asking
}

// IntakeStore keeps what HIS has told about people and cards. Patients are
// named by the ids of their records.
type IntakeStore interface {
	// Person opens a patient's identity.
	Person(ctx context.Context, patient string) (Person, error)
	// PatientAccount opens a patient's account at a channel.
	PatientAccount(ctx context.Context, patient, channel string) (Payee, error)
	// Cards returns a patient's cards as HIS told them last.
	Cards(ctx context.Context, patient string) ([]KnownCard, error)
	// SaveCards replaces what is known of a patient's cards.
	SaveCards(ctx context.Context, patient string, cards []Card, at time.Time) error
	// KeepCard stores what HIS says of one card beside the patient's others.
	KeepCard(ctx context.Context, patient string, c Card, at time.Time) error
	// Moved reports whether an order about one of the cards has moved since.
	Moved(ctx context.Context, institution string, cards []string, since time.Time) (bool, error)
	// CardOwner returns the patient whose card an order is about.
	CardOwner(ctx context.Context, o Order) (string, error)
	// Proxy reads an application to act for somebody, or returns ErrNotFound.
	Proxy(ctx context.Context, id string) (Proxy, error)
	// KeepPrincipal returns the patient that a person of HIS is, and makes one
	// that nobody has entered yet where there is none.
	KeepPrincipal(institution string, p Person) (string, error)
}

// NewIntake returns an intake on the program's clock. A nil log discards.
func NewIntake(store IntakeStore, dir Directory, now func() time.Time, log *slog.Logger) *Intake {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Intake{store: store, dir: dir, now: now, log: log, asks: asking{now: now}}
}

// Patient is who asks.
type Patient struct {
	ID          string
	Institution string
}

// KnownCard is a card with the time at which HIS told it.
type KnownCard struct {
	Card
	AsOf time.Time
}

// Refresh brings a patient's cards with balances and deposits up to date: from
// HIS, unless it has told them a moment ago and no order has moved since.
func (i *Intake) Refresh(ctx context.Context, p Patient) error {
	what := "cards " + p.ID
	known, err := i.store.Cards(ctx, p.ID)
	if err != nil {
		return err
	}
	if len(known) > 0 {
		var cards []string
		for _, c := range known {
			cards = append(cards, c.No)
		}
		moved, err := i.store.Moved(ctx, p.Institution, cards, known[0].AsOf)
		if err != nil {
			return err
		}
		if moved {
			i.asks.forget(what)
		}
	}
	return i.asks.once(ctx, what, func(ctx context.Context) error { return i.refresh(ctx, p) })
}

// refresh asks HIS and keeps what it says.
func (i *Intake) refresh(ctx context.Context, p Patient) error {
	his, _, err := i.dir.HIS(ctx, p.Institution)
	if err != nil {
		return err
	}
	person, err := i.store.Person(ctx, p.ID)
	if err != nil {
		return err
	}
	list, err := his.Cards(ctx, person)
	if err != nil {
		return err
	}
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(4)
	full := make([]Card, len(list))
	for at, c := range list {
		g.Go(func() error {
			card, err := his.Card(gctx, c.No)
			full[at] = card.orIssued(c.IssuedAt)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	return i.store.SaveCards(ctx, p.ID, full, i.now())
}

// orIssued fills in a date of issue that HIS tells elsewhere.
func (c Card) orIssued(at time.Time) Card {
	if c.IssuedAt.IsZero() {
		c.IssuedAt = at
	}
	return c
}

// Fresh brings the card of an order up to date, the principal's with a proxy
// application. What cannot be used is left to the checks of the order.
func (i *Intake) Fresh(ctx context.Context, p Patient, cardNo, proxy string) error {
	ps, err := i.StandIn(ctx, p, proxy, cardNo)
	switch {
	case flow.CodeOf(err) == CodeProxyNotApproved:
		return nil
	case err != nil:
		return err
	case ps.Proxy != nil:
		_, err := i.PrincipalCard(ctx, *ps.Proxy)
		return err
	}
	known, err := i.known(ctx, p.ID, cardNo)
	switch {
	case err != nil:
		return err
	case known.No == "":
		return i.Refresh(ctx, p)
	case i.now().Sub(known.AsOf) < cardAge:
		return nil
	}
	return i.asks.once(ctx, "card "+p.ID+" "+cardNo, func(ctx context.Context) error {
		card, err := i.ask(ctx, p.Institution, known)
		if err != nil || reflect.DeepEqual(card, known.Card) { // HIS says what is stored
			return err
		}
		return i.store.KeepCard(ctx, p.ID, card, i.now())
	})
}

// known finds a card of a patient; its number is empty where there is none.
func (i *Intake) known(ctx context.Context, patient, cardNo string) (KnownCard, error) {
	cards, err := i.store.Cards(ctx, patient)
	for _, c := range cards {
		if c.No == cardNo {
			return c, err
		}
	}
	return KnownCard{}, err
}

// ask asks HIS for a card of which something is known.
func (i *Intake) ask(ctx context.Context, institution string, known KnownCard) (Card, error) {
	his, _, err := i.dir.HIS(ctx, institution)
	if err != nil {
		return Card{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, intakeHIS)
	defer cancel()
	card, err := his.Card(ctx, known.No)
	return card.orIssued(known.IssuedAt), err
}

// OrderCard asks HIS for the card of an order and keeps what it says.
func (i *Intake) OrderCard(ctx context.Context, o Order) (Card, error) {
	owner, err := i.store.CardOwner(ctx, o)
	if err != nil {
		return Card{}, err
	}
	known, err := i.known(ctx, owner, o.CardNo)
	if err != nil {
		return Card{}, err
	}
	known.No = o.CardNo
	card, err := i.ask(ctx, o.Institution, known)
	if err != nil {
		return card, err
	}
	return card, i.store.KeepCard(ctx, owner, card, i.now())
}

// Payee completes the account that a transfer goes to: the payee's own at
// WeChat; at Alipay the one that was entered, or else the payee's own.
func (i *Intake) Payee(ctx context.Context, payee string, a *Application) error {
	if a.Method != MethodTransfer {
		a.Payee.Account = ""
		return nil
	}
	if a.Channel == "alipay" && a.Payee.Account != "" {
		a.Payee.Type = alipayAccount(a.Payee.Account)
		return nil
	}
	own, err := i.store.PatientAccount(ctx, payee, a.Channel)
	if err != nil {
		return err
	}
	a.Payee.Account, a.Payee.Type = own.Account, own.Type
	return nil
}

// alipayAccount tells Alipay's own number of a person (2088 and twelve more
// digits) from what the person logs in with.
func alipayAccount(account string) AccountType {
	if len(account) == 16 && strings.HasPrefix(account, "2088") {
		return AccountAlipayUserID
	}
	return AccountAlipayLogonID
}

// Parties are the people of an order: the owner of the card, and whom a
// transfer pays. Without a proxy application all of them are the patient.
type Parties struct {
	Owner, Payee string
	Who          ProxyPayee
	Proxy        *Proxy // the patient's own application, in whatever state
}

// Parties finds the people of an order. An application that is not there, or
// somebody else's, counts as none; Check then refuses.
func (i *Intake) Parties(ctx context.Context, patient Patient, proxy string) (Parties, error) {
	self := Parties{Owner: patient.ID, Payee: patient.ID, Who: PaySelf}
	if proxy == "" {
		return self, nil
	}
	p, err := i.store.Proxy(ctx, proxy)
	if errors.Is(err, flow.ErrNotFound) || (err == nil && p.Agent != patient.ID) {
		return self, nil
	}
	if err != nil {
		return self, err
	}
	inst, err := i.dir.Institution(ctx, p.Institution)
	if err != nil {
		return self, err
	}
	out := Parties{Owner: p.Principal, Payee: patient.ID, Who: p.Case.Payee(inst.Proxy.Payee), Proxy: &p}
	if out.Who == PayPrincipal {
		out.Payee = p.Principal
	}
	return out, nil
}

// StandIn is Parties for what only an approved, unexpired application opens:
// the principal's card.
func (i *Intake) StandIn(ctx context.Context, patient Patient, proxy, cardNo string) (Parties, error) {
	ps, err := i.Parties(ctx, patient, proxy)
	if err != nil || proxy == "" {
		return ps, err
	}
	if ps.Proxy == nil || !ps.Proxy.Usable(i.now()) || (cardNo != "" && cardNo != ps.Proxy.CardNo) {
		return ps, flow.NewError(CodeProxyNotApproved, "")
	}
	return ps, nil
}
