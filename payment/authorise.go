package payment

import (
	"context"
	"errors"
	"regexp"

	"hospay/flow"
	"hospay/people"
)

// AuthoriseAsk is a patient who wants to authorise the payment by insurance.
type AuthoriseAsk struct {
	Institution string
	Patient     string
	CardNo      string // empty: whichever
	Channel     string
	Terminal    Terminal
	Back        string
}

// Granted is the credential that a patient has authorised with and no order has
// taken yet; ok is false where there is none.
func (s *Service) Granted(ctx context.Context, a AuthoriseAsk) (g Grant, ok bool, err error) {
	g, err = s.store.Credential(ctx, a.Patient, a.Channel)
	return g, err == nil && g.Single() && s.now().Before(g.Until), err
}

// Authorisation says where a patient authorises, or that they have: then the
// credential is kept for their next order at this channel.
func (s *Service) Authorisation(ctx context.Context, a AuthoriseAsk) (Authorisation, Grant, error) {
	said, g, err := s.authorise(ctx, a, func(ctx context.Context, m MedIns, ask AuthorisationAsk) Authorisation {
		return m.Authorisation(ctx, ask)
	})
	if err != nil || !said.Granted {
		return said, g, err
	}
	return said, g, s.keepGrant(ctx, a, g)
}

// Credential takes what a patient has come back with from the channel's page, and
// keeps the credential for their next order.
func (s *Service) Credential(ctx context.Context, a AuthoriseAsk, code string) (Authorisation, Grant, error) {
	said, g, err := s.credential(ctx, a, code)
	if err != nil || !said.Granted {
		return said, g, err
	}
	return said, g, s.keepGrant(ctx, a, g)
}

// codeForm is what a channel's page gives back; one channel gives nothing.
var codeForm = regexp.MustCompile(`^[A-Za-z0-9_+=/-]{0,512}$`)

func (s *Service) credential(ctx context.Context, a AuthoriseAsk, code string) (Authorisation, Grant, error) {
	if !codeForm.MatchString(code) {
		return Authorisation{}, Grant{}, flow.NewError(CodeNotAuthorised, "")
	}
	return s.authorise(ctx, a, func(ctx context.Context, m MedIns, ask AuthorisationAsk) Authorisation {
		return m.Credential(ctx, ask, code)
	})
}

// keepGrant keeps a credential, and lets the orders go on that wait for it.
func (s *Service) keepGrant(ctx context.Context, a AuthoriseAsk, g Grant) error {
	if err := s.store.KeepCredential(ctx, a.Patient, a.Channel, g); err != nil {
		return err
	}
	waiting, err := s.store.AwaitingAuth(ctx, a.Patient, a.Channel)
	for _, id := range waiting {
		if failed := s.Check(ctx, id, people.By{Kind: people.ByPatient, ID: a.Patient}); flow.CodeOf(failed) != flow.CodeConflict {
			err = errors.Join(err, failed)
		}
	}
	return err
}

// AuthoriseOrder takes what a patient has come back with for one order: a new one,
// or a refund that waits for the credential. Not granted is no error: the patient
// has not authorised yet.
func (s *Service) AuthoriseOrder(ctx context.Context, id string, a AuthoriseAsk, code string) (Authorisation, error) {
	said, g, err := s.credential(ctx, a, code)
	if err != nil || !said.Granted {
		return said, err
	}
	return said, s.Authorise(ctx, id, g, people.By{Kind: people.ByPatient, ID: a.Patient})
}

func (s *Service) authorise(ctx context.Context, a AuthoriseAsk,
	do func(context.Context, MedIns, AuthorisationAsk) Authorisation) (Authorisation, Grant, error) {
	ch, err := s.dir.Channel(ctx, a.Institution, a.Channel)
	if err != nil {
		return Authorisation{}, Grant{}, err
	}
	centre, err := s.dir.Centre(ctx, a.Institution)
	if err != nil {
		return Authorisation{}, Grant{}, err
	}
	if ch.MedIns == nil {
		return Authorisation{}, Grant{}, flow.NewError(CodeInsuranceOff, a.Channel)
	}
	who, err := s.store.Insured(ctx, a.Patient, a.CardNo)
	if err != nil {
		return Authorisation{}, Grant{}, err
	}
	payer, err := s.store.Payer(ctx, a.Patient, a.Channel, a.Terminal)
	switch {
	case err != nil:
		return Authorisation{}, Grant{}, err
	case payer == "" && a.Terminal != TerminalKiosk:
		return Authorisation{}, Grant{}, flow.NewError(flow.CodeChannelNotBound, a.Channel)
	}
	h, now := centre.Habits(), s.now()
	patient := Person{Name: who.Name, IDType: who.IDType, IDNo: who.IDNo}
	asking, cancel := context.WithTimeout(ctx, s.timing.Call)
	defer cancel()
	said := do(asking, ch.MedIns, AuthorisationAsk{Payer: payer, Terminal: a.Terminal, Back: a.Back, OrgCode: h.OrgCode, AppID: h.AppID,
		City: h.city(a.Channel), No: OrderNo(a.Patient+now.String(), now), Patient: &patient})
	switch {
	case said.Verdict == flow.Unknown && said.Reason.Actor != flow.ActorPatient:
		return said, Grant{}, flow.NewError(flow.CodeChannelUnavailable, said.Reason.String())
	case said.Verdict == flow.Refused && said.Reason.Actor == flow.ActorIT:
		return said, Grant{}, flow.NewError(flow.CodeChannelBroken, said.Reason.String())
	case said.Verdict != flow.Done: // nothing has moved, whatever it was
		return said, Grant{}, flow.NewError(CodeNotAuthorised, said.Reason.String())
	case !said.Granted:
		return said, Grant{}, nil
	}
	g := Grant{Credential: Credential{PayAuthNo: said.PayAuthNo}, Holder: said.Payer, Masked: said.Masked, Family: said.Family,
		Location: said.Location, City: said.City, Area: said.Area, Until: now.Add(h.AuthFor)}
	if !g.fits(patient) {
		return said, Grant{}, flow.NewError(CodeOtherPerson, "")
	}
	return said, g, nil
}

// Authorise gives an order the credential of its patient: one that is not priced
// yet, or a refund that waits for it. It must be of the person who is treated, or
// of a relative who pays for them.
func (s *Service) Authorise(ctx context.Context, id string, g Grant, by people.By) error {
	return flow.Retry(func() error {
		t, err := s.load(ctx, id)
		if err != nil {
			return err
		}
		o := &t.w.Order
		waits := o.Status == StatusCreated && o.Insured || o.Status == StatusWaitAuth ||
			o.Status == StatusSuspense && (o.SuspendedFrom == StatusWaitAuth || o.SuspendedFrom == StatusRefunding)
		switch {
		case !waits:
			return flow.NewError(flow.CodeConflict, string(o.Status))
		case !g.Single() || !t.At.Before(g.Until):
			return flow.NewError(CodeNotAuthorised, "")
		case !g.fits(o.Secrets.Patient):
			return flow.NewError(CodeOtherPerson, "")
		}
		o.Secrets.grant(g)
		t.DueNow()
		t.Note("credential.given", by, "", "")
		return t.commit(ctx, false)
	})
}

// fits reports whether a credential can pay for a person: it is theirs, or it is
// said to be a relative's. What the channel does not tell is left to the centre.
func (g Grant) fits(patient Person) bool {
	switch {
	case g.Family:
		return true
	case g.Holder.IDNo != "":
		return g.Holder.IDNo == patient.IDNo
	case g.Holder.Name != "" && !g.Masked:
		return people.SameName(g.Holder.Name, patient.Name)
	}
	return true
}
