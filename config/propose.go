package config

import (
	"encoding/json"

	"hospay/collections"
	"hospay/flow"
	"hospay/people"
	"hospay/store"

	"github.com/pocketbase/pocketbase/core"
)

// Propose checks a change and applies it at once, or leaves it waiting for a
// second person when it is sensitive.
func (s *Service) Propose(staffID string, p Proposal, address string) (Outcome, error) {
	note, err := clean(p.Note)
	if err != nil {
		return Outcome{}, err
	}
	var out Outcome
	err = s.App.RunInTransaction(func(tx core.App) error {
		who := store.MemberNow(tx, people.By{ID: staffID})
		if !who.Holds(who.Institution, rule.Propose...) {
			return people.NotAllowed
		}
		d, err := s.draft(tx, who.Institution, p.Target, p.Values)
		if err != nil {
			return err
		}
		if d.sensitive() { // another person is to confirm it
			if err := rule.May(people.Propose, people.Proposal{Institution: who.Institution}, who, people.Seen{}); err != nil {
				return err
			}
		}
		if err := notOneself(d, who.By); err != nil {
			return err
		}
		c, err := s.describe(d)
		if err != nil {
			return err
		}
		c.Note, c.ProposerKind, c.Proposer, c.ProposerPerson = note, "staff", who.ID, who.Person
		if d.sensitive() {
			out, err = s.wait(tx, c, p, address)
			return err
		}
		out, err = s.write(tx, d, c, address)
		return err
	})
	return out, err
}

// notOneself keeps people from changing their own accounts, also into somebody
// else's.
func notOneself(d *draft, who people.By) error {
	if d.kind.collection != collections.Staff {
		return nil
	}
	was := people.By{ID: d.rec.Id, Person: d.old.secrets["id_no"]}
	if who.Same(store.MemberOf(d.rec).By) || who.Same(was) {
		return flow.NewError(CodeOwnRoles, "")
	}
	return nil
}

// describe writes down what a draft changes.
func (s *Service) describe(d *draft) (store.ConfigChange, error) {
	now, err := s.now(d)
	if err != nil {
		return store.ConfigChange{}, err
	}
	before, after := differences(d.old, now)
	if len(after) == 0 {
		return store.ConfigChange{}, flow.NewError(CodeUnchanged, "")
	}
	c := store.ConfigChange{
		Institution: houseOf(d.rec), Collection: d.kind.collection, Record: d.rec.Id, Fresh: d.fresh, Sensitive: d.sensitive(),
		Before: raw(before), After: raw(after),
	}
	if !d.fresh {
		c.Seen = s.index(d.kind, d.old)
	}
	return c, nil
}

// wait keeps a sensitive change, sealed, for a second person. Earlier ones of
// the same record give way.
func (s *Service) wait(tx core.App, c store.ConfigChange, p Proposal, address string) (Outcome, error) {
	values, err := json.Marshal(p.Values)
	if err != nil {
		return Outcome{}, err
	}
	if err := store.SupersedeChanges(tx, c.Collection, c.Record, ""); err != nil {
		return Outcome{}, err
	}
	c.State = collections.ChangeWaiting
	c, err = s.Store.AddChange(tx, c, string(values))
	if err != nil {
		return Outcome{}, err
	}
	return Outcome{ConfigChange: c}, audit(tx, "config.propose", "staff", c.Proposer, address, c)
}

// write applies a change at once.
func (s *Service) write(tx core.App, d *draft, c store.ConfigChange, address string) (Outcome, error) {
	if err := s.put(tx, d, ""); err != nil {
		return Outcome{}, err
	}
	c.State = collections.ChangeApplied
	c, err := s.Store.AddChange(tx, c, "")
	if err != nil {
		return Outcome{}, err
	}
	return Outcome{ConfigChange: c}, audit(tx, "config.apply", "staff", c.Proposer, address, c)
}

// put saves the record and ends what else waited for it.
func (s *Service) put(tx core.App, d *draft, change string) error {
	if d.kind.collection == collections.Notices {
		if err := retire(tx, d.rec); err != nil {
			return err
		}
	}
	if err := d.save(tx); err != nil {
		return err
	}
	return store.SupersedeChanges(tx, d.kind.collection, d.rec.Id, change)
}

// audit tells of a change, without its values.
func audit(tx core.App, action, kind, who, address string, c store.ConfigChange) error {
	var after map[string]any
	if err := json.Unmarshal(c.After, &after); err != nil {
		return err
	}
	return store.Audit(tx, store.AuditEntry{
		Institution: c.Institution, ActorKind: kind, Actor: who, Action: action, Target: c.Target(), Address: address,
		Before: store.Fingerprint(tx, c.Before), After: store.Fingerprint(tx, c.After),
		Details: map[string]any{"change": c.ID, "version": c.Version, "fields": keys(after)},
	})
}
