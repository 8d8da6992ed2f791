package flow

import (
	"strconv"
	"time"

	"hospay/people"
)

// Action is what people may do with an order of the desk (挂账处理). Each domain
// has its own.
type Action string

// The events of what two people do with a suspended order.
const (
	EventSuspense  = "suspense." // begins them
	EventProposed  = EventSuspense + "proposed"
	EventWithdrawn = EventSuspense + "withdrawn"
	EventConfirmed = EventSuspense + "confirmed"
)

// DeskRule says who proposes what is done with a suspended order, and who
// confirms or refuses it.
var DeskRule = people.Rule{
	Propose: []string{people.RoleReviewer, people.RoleFinance}, Confirm: []string{people.RoleReviewer, people.RoleFinance},
}

// Proposal is an action that one person has proposed and another must confirm.
type Proposal struct {
	Seq    int // of its event: a proposal made anew is another one
	Action Action
	By     people.By
	Reason string
	At     time.Time
}

// Of is the proposal by somebody who is known as a member by now.
func (p Proposal) Of(institution string, by people.Member) people.Proposal {
	return people.Proposal{Institution: institution, Name: strconv.Itoa(p.Seq), What: string(p.Action), By: by}
}

// Reasoned is the proposal with its reason and the voucher that it names. One
// that is about what was done outside of hospay needs a voucher.
func (p Proposal) Reasoned(evidence string, needed bool) (Proposal, error) {
	var err error
	if p.Reason, err = Required(p.Reason, CodeNoteRequired); err != nil {
		return p, err
	}
	if needed {
		evidence, err = Required(evidence, CodeEvidenceRequired)
	} else {
		evidence, err = Optional(evidence)
	}
	if err == nil && evidence != "" {
		p.Reason += "（凭证 " + evidence + "）"
	}
	return p, err
}

// Seen is the proposal that a person has looked at; zero fields are not told.
type Seen struct {
	Action Action
	Seq    int
}

func (s Seen) named() people.Seen {
	seen := people.Seen{What: string(s.Action)}
	if s.Seq != 0 {
		seen.Name = strconv.Itoa(s.Seq)
	}
	return seen
}

// Another refuses a confirmation by who proposed, or of another proposal than the
// one that was seen; nil is no proposal. The store asks for all of the rule.
func (p *Proposal) Another(institution string, by people.By, seen Seen) error {
	if p == nil {
		return NewError(CodeNoProposal, "")
	}
	return DeskRule.Another(p.Of(institution, people.Member{By: p.By}), by, seen.named())
}
