package people

import "slices"

// Refusal says why a person may not do what takes two. It is an error, and its
// text a stable code.
type Refusal string

// Error implements error.
func (r Refusal) Error() string { return string(r) }

// Why a person may not.
const (
	NotAllowed   Refusal = "not_allowed"   // no account that is active here and has a role for it
	SamePerson   Refusal = "same_person"   // it takes another person
	ProposerGone Refusal = "proposer_gone" // who proposed may not propose any more
	OtherSeen    Refusal = "conflict"      // another proposal is there than the one that was seen
	// PersonUnknown: an account whose person is not known may be anybody's, so
	// it takes part in nothing that takes two.
	PersonUnknown Refusal = "person_unknown"
)

// Member is an account of the staff as it is at the moment of effect; of one
// that is gone only By is left.
type Member struct {
	By
	Institution string
	Active      bool
	Roles       []string
}

// Holds reports whether a member is active in an institution with one of the
// roles.
func (m Member) Holds(institution string, roles ...string) bool {
	return m.Active && m.Institution == institution &&
		slices.ContainsFunc(roles, func(r string) bool { return slices.Contains(m.Roles, r) })
}

// Proposal is what one person wants and another must confirm.
type Proposal struct {
	Institution string
	Name        string // names it among all proposals for the same thing; made anew it is another one
	What        string // the action that it proposes, where there are several
	By          Member // who proposed, as the account is now
}

// Seen is the proposal that a person has looked at; empty fields are not told.
type Seen struct{ Name, What string }

// Act is what a person does about a proposal.
type Act int

// The acts. Withdrawing is the proposer's, refusing is another person's.
const (
	Propose Act = iota
	Confirm
	Refuse
	Withdraw
)

// Rule says which roles propose and which confirm or refuse.
type Rule struct {
	Propose, Confirm []string
	Same             Refusal // what one person for both is called here; SamePerson when empty
}

// May says whether a member may do this with a proposal, as everybody is known
// at the moment of effect: nil, or a Refusal.
func (r Rule) May(act Act, p Proposal, who Member, seen Seen) error {
	roles := r.Confirm
	if act == Propose || act == Withdraw {
		roles = r.Propose
	}
	switch {
	case !who.Holds(p.Institution, roles...):
		return NotAllowed
	case act == Withdraw && !who.Same(p.By.By):
		return NotAllowed
	case act == Withdraw:
		return nil
	case who.Person == "":
		return PersonUnknown
	case act == Propose:
		return nil
	}
	if err := r.Another(p, who.By, seen); err != nil || act == Refuse {
		return err
	}
	switch {
	case !p.By.Holds(p.Institution, r.Propose...):
		return ProposerGone
	case p.By.Person == "":
		return PersonUnknown
	}
	return nil
}

// Another refuses who has proposed, by person and not only by account, and who
// has seen another proposal. It is the part of May that needs no roles, for
// those who ask others before they come to the effect.
func (r Rule) Another(p Proposal, who By, seen Seen) error {
	switch {
	case (seen.Name != "" && seen.Name != p.Name) || (seen.What != "" && seen.What != p.What):
		return OtherSeen
	case !who.Same(p.By.By):
		return nil
	case r.Same != "":
		return r.Same
	}
	return SamePerson
}

// Ending is how a person ends a proposal: who has made it withdraws it, anybody
// else refuses it.
func (p Proposal) Ending(who By) Act {
	if who.Same(p.By.By) {
		return Withdraw
	}
	return Refuse
}
