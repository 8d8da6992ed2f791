package refund

import (
	"context"
	"hospay/people"
	"slices"

	"hospay/calendar"
	"hospay/flow"
	"hospay/internal/idno"
)

// residentCard is the type of a resident identity card (居民身份证).
const residentCard = string(idno.Resident)

// Identify asks the identity source about a person whom the portal sends, and
// completes what the portal did not tell. While HIS cannot be reached the
// portal's signed data counts; a HIS that knows the number under another name
// refuses the login.
func (i *Intake) Identify(ctx context.Context, institution string, told Person) (Person, error) {
	his, _, err := i.dir.HIS(ctx, institution)
	if err != nil {
		return told, nil //nolint:nilerr // without HIS the portal's data is what there is
	}
	ctx, cancel := context.WithTimeout(ctx, loginHIS)
	defer cancel()
	p, err := his.Person(ctx, Identity{PatientNo: told.PatientNo, IDType: told.IDType, IDNo: told.IDNo, Name: told.Name})
	switch {
	case flow.CodeOf(err) == flow.CodePatientNotFound:
		return told, err
	case err != nil:
		i.log.Warn("login.identity", "error", err)
		return told, nil
	case !people.SameName(p.Name, told.Name):
		return told, flow.NewError(flow.CodePatientNotFound, "name differs")
	}
	if told.Phone == "" {
		told.Phone = p.Phone
	}
	return told, nil
}

// Present asks HIS for a person whose ID card was read. Nothing but what HIS knows
// under the number and the name counts.
func (i *Intake) Present(ctx context.Context, institution, idNo, name string) (Person, error) {
	idNo = idno.Normalize(idNo)
	if _, ok := idno.Birth(idNo, i.now(), calendar.Beijing); !ok || name == "" {
		return Person{}, flow.NewError(flow.CodeIDNoInvalid, "")
	}
	his, _, err := i.dir.HIS(ctx, institution)
	if err != nil {
		return Person{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, loginHIS)
	defer cancel()
	p, err := his.Person(ctx, Identity{IDType: residentCard, IDNo: idNo, Name: name})
	if err != nil {
		return p, err
	}
	if p.PatientNo == "" || !people.SameName(p.Name, name) || idno.Normalize(p.IDNo) != idNo {
		return p, flow.NewError(flow.CodePatientNotFound, "")
	}
	p.IDType, p.IDNo = residentCard, idNo
	return p, nil
}

// PrincipalCard returns the card of an application, asked from HIS unless what
// is known is young enough. A card that HIS now says is somebody else's is
// nobody's to refund.
func (i *Intake) PrincipalCard(ctx context.Context, p Proxy) (KnownCard, error) {
	known, err := i.known(ctx, p.Principal, p.CardNo)
	if err != nil || (known.No != "" && i.now().Sub(known.AsOf) < cardAge) {
		return known, err
	}
	what := "principal " + p.Principal + " " + p.CardNo
	if err := i.asks.once(ctx, what, func(ctx context.Context) error { return i.askPrincipalCard(ctx, p, known) }); err != nil {
		return known, err
	}
	if known, err = i.known(ctx, p.Principal, p.CardNo); err == nil && known.No == "" { // it is not the principal's any more
		err = flow.NewError(CodePrincipalNotFound, "")
	}
	return known, err
}

func (i *Intake) askPrincipalCard(ctx context.Context, p Proxy, known KnownCard) error {
	asked := known
	asked.No = p.CardNo
	card, err := i.ask(ctx, p.Institution, asked)
	if err != nil {
		return err
	}
	if card.Name == "" {
		card.Name = known.Name
	}
	principal, err := i.store.Person(ctx, p.Principal)
	if err != nil {
		return err
	}
	if !people.SameName(card.Name, principal.Name) {
		return flow.NewError(CodePrincipalNotFound, "the card has changed hands")
	}
	return i.store.KeepCard(ctx, p.Principal, card, i.now())
}

// Principal asks HIS for the person and the card of a wish, and keeps both.
// Whatever does not fit is one answer, so that nobody learns which part was
// right.
func (i *Intake) Principal(ctx context.Context, institution string, w ProxyWish) (patient string, card Card, err error) {
	p, card, err := i.confirm(ctx, institution, w.Claim, CodePrincipalNotFound)
	if err != nil {
		return "", card, err
	}
	if patient, err = i.store.KeepPrincipal(institution, p); err != nil {
		return "", card, err
	}
	return patient, card, i.store.KeepCard(ctx, patient, card, i.now())
}

// Enter asks HIS for a person whom nobody sends and who names themselves and a
// card. Whatever does not fit is one answer.
func (i *Intake) Enter(ctx context.Context, institution string, c Claim) (Person, Card, error) {
	inst, err := i.dir.Institution(ctx, institution)
	switch {
	case err != nil:
		return Person{}, Card{}, err
	case !inst.Active:
		return Person{}, Card{}, flow.NewError(flow.CodeInstitutionOff, "")
	case !inst.SelfEntry:
		return Person{}, Card{}, flow.NewError(flow.CodeNotAllowed, "")
	}
	if err := c.badPaper(i.now()); err != nil {
		return Person{}, Card{}, err
	}
	if !c.whole() {
		return Person{}, Card{}, flow.NewError(CodeEntryRefused, "")
	}
	return i.confirm(ctx, institution, c, CodeEntryRefused)
}

// confirm asks HIS for the person and the card of a claim. Whatever does not fit
// is missing.
func (i *Intake) confirm(ctx context.Context, institution string, w Claim, missing flow.Code) (Person, Card, error) {
	p, card, err := i.askHIS(ctx, institution, w)
	if code := flow.CodeOf(err); code != "" && code != flow.CodeHISUnavailable && code != flow.CodeHISBroken {
		err = flow.NewError(missing, "")
	}
	return p, card, err
}

func (i *Intake) askHIS(ctx context.Context, institution string, w Claim) (Person, Card, error) {
	missing := flow.NewError(flow.CodePatientNotFound, "")
	his, _, err := i.dir.HIS(ctx, institution)
	if err != nil {
		return Person{}, Card{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, intakeHIS)
	defer cancel()
	p, err := his.Person(ctx, Identity{IDType: string(w.Paper), IDNo: w.IDNo, Name: w.Name})
	if err != nil {
		return p, Card{}, err
	}
	if p.PatientNo == "" || !people.SameName(p.Name, w.Name) || (p.IDNo != "" && w.Paper.Form(p.IDNo) != w.IDNo) {
		return p, Card{}, missing
	}
	p.IDType, p.IDNo = string(w.Paper), w.IDNo
	list, err := his.Cards(ctx, p)
	if err != nil {
		return p, Card{}, err
	}
	at := slices.IndexFunc(list, func(c Card) bool { return c.No == w.CardNo })
	if at < 0 {
		return p, Card{}, missing
	}
	card, err := his.Card(ctx, w.CardNo)
	if err != nil {
		return p, card, err
	}
	card = card.orIssued(list[at].IssuedAt)
	if card.Name == "" {
		card.Name = list[at].Name
	}
	if !people.SameName(card.Name, p.Name) {
		return p, card, missing
	}
	return p, card, nil
}

// Likeness is how a person's data compares with what HIS holds now; it tells
// no more than whether the two are equal.
type Likeness struct {
	Found bool
	Name  bool
	IDNo  bool
}

// Compare asks HIS for a person by name and number of a paper.
func (i *Intake) Compare(ctx context.Context, institution, name string, paper idno.Paper, idNo string) (Likeness, error) {
	his, _, err := i.dir.HIS(ctx, institution)
	if err != nil {
		return Likeness{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, intakeHIS)
	defer cancel()
	p, err := his.Person(ctx, Identity{IDType: string(paper), IDNo: idNo, Name: name})
	if flow.CodeOf(err) == flow.CodePatientNotFound {
		return Likeness{}, nil
	}
	if err != nil {
		return Likeness{}, err
	}
	return Likeness{Found: true, Name: people.SameName(p.Name, name), IDNo: p.IDNo == "" || paper.Form(p.IDNo) == idNo}, nil
}
