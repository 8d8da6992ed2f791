package config

import (
	"crypto/rand"
	"encoding/json"

	"hospay/collections"
	"hospay/flow"
	"hospay/people"
	"hospay/store"

	"github.com/pocketbase/pocketbase/core"
)

// deciders may be the second person of a change.
var deciders = []string{people.RoleFinance, people.RoleConfig}

// Confirm applies a waiting change on behalf of a second person. The record
// must still be what the proposal saw; if it is not, the change is over.
func (s *Service) Confirm(staffID, id, note, address string) (Outcome, error) {
	note, err := clean(note)
	if err != nil {
		return Outcome{}, err
	}
	var out Outcome
	moved := false
	err = s.App.RunInTransaction(func(tx core.App) error {
		staff, c, err := s.second(tx, staffID, id)
		if err != nil {
			return err
		}
		d, seen, err := s.restore(tx, c)
		if err != nil {
			return err
		}
		if seen != c.Seen {
			moved = true
			return store.SettleChange(tx, c.ID, collections.ChangeSuperseded, "", "")
		}
		if err := notOneself(d, staff); err != nil {
			return err
		}
		if err := store.ProposerHolds(tx, c.Proposer, c.Institution, people.RoleConfig); err != nil {
			return err
		}
		out, err = s.effect(tx, d, c, staff, note, address)
		return err
	})
	if err == nil && moved {
		err = flow.NewError(CodeMoved, "")
	}
	return out, err
}

// second reads a waiting change and who decides about it: another person than
// the proposer, by account and by identity.
func (s *Service) second(tx core.App, staffID, id string) (*core.Record, store.ConfigChange, error) {
	staff, err := actor(tx, staffID, deciders...)
	if err != nil {
		return nil, store.ConfigChange{}, err
	}
	c, err := s.waiting(tx, staff, id)
	if err != nil {
		return nil, c, err
	}
	if ownChange(tx, c, staff) {
		return nil, c, flow.NewError(CodeSelf, "")
	}
	return staff, c, nil
}

// ownChange reports whether a change was proposed by this person.
func ownChange(app core.App, c store.ConfigChange, staff *core.Record) bool {
	return samePerson(staff.Id, staff.GetString("person_index"), c.Proposer, store.PersonNow(app, c.Proposer, c.ProposerPerson))
}

func (s *Service) waiting(tx core.App, staff *core.Record, id string) (store.ConfigChange, error) {
	c, err := s.Store.Change(tx, staff.GetString("institution"), id)
	if err == nil && c.State != collections.ChangeWaiting {
		err = flow.NewError(CodeMoved, "")
	}
	return c, err
}

// restore builds the draft of a waiting change anew, on the record as it is
// now, and says what that record holds.
func (s *Service) restore(tx core.App, c store.ConfigChange) (*draft, string, error) {
	text, err := s.Store.ChangeValues(c)
	if err != nil {
		return nil, "", err
	}
	var v Values
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		return nil, "", err
	}
	t := Target{Collection: c.Collection, ID: c.Record}
	if c.Fresh {
		t.ID = ""
	}
	d, err := s.draft(tx, c.Institution, t, v)
	if err != nil {
		return nil, "", err
	}
	if c.Fresh {
		d.rec.Id = c.Record
		return d, "", nil
	}
	return d, s.index(d.kind, d.old), nil
}

// effect writes the record, the change and the audit entry. A new account gets
// its first password now; nobody but who confirms is told it, once.
func (s *Service) effect(tx core.App, d *draft, c store.ConfigChange, staff *core.Record, note, address string) (Outcome, error) {
	out := Outcome{}
	if c.Collection == collections.Staff && c.Fresh {
		out.Password = rand.Text()
		d.rec.SetPassword(out.Password)
		d.rec.Set("first_password", true)
	}
	if err := s.put(tx, d, c.ID); err != nil {
		return out, err
	}
	if err := store.SettleChange(tx, c.ID, collections.ChangeApplied, staff.Id, note); err != nil {
		return out, err
	}
	var err error
	if out.ConfigChange, err = s.Store.Change(tx, c.Institution, c.ID); err != nil {
		return out, err
	}
	return out, audit(tx, "config.confirm", "staff", staff.Id, address, out.ConfigChange)
}

// Reject ends a waiting change on behalf of a second person, with a reason.
func (s *Service) Reject(staffID, id, note, address string) (Outcome, error) {
	note, err := clean(note)
	if err == nil {
		note, err = flow.Required(note, flow.CodeNoteRequired)
	}
	if err != nil {
		return Outcome{}, err
	}
	return s.end(collections.ChangeRejected, "config.reject", note, address, func(tx core.App) (*core.Record, store.ConfigChange, error) {
		return s.second(tx, staffID, id)
	})
}

// Withdraw takes back an own change that waits.
func (s *Service) Withdraw(staffID, id, address string) (Outcome, error) {
	return s.end(collections.ChangeWithdrawn, "config.withdraw", "", address, func(tx core.App) (*core.Record, store.ConfigChange, error) {
		staff, err := actor(tx, staffID, people.RoleConfig)
		if err != nil {
			return nil, store.ConfigChange{}, err
		}
		c, err := s.waiting(tx, staff, id)
		if err == nil && c.Proposer != staff.Id {
			err = errNotAllowed
		}
		return staff, c, err
	})
}

func (s *Service) end(state, action, note, address string, who func(core.App) (*core.Record, store.ConfigChange, error)) (Outcome, error) {
	var out Outcome
	err := s.App.RunInTransaction(func(tx core.App) error {
		staff, c, err := who(tx)
		if err != nil {
			return err
		}
		if err := store.SettleChange(tx, c.ID, state, staff.Id, note); err != nil {
			return err
		}
		if out.ConfigChange, err = s.Store.Change(tx, c.Institution, c.ID); err != nil {
			return err
		}
		return audit(tx, action, "staff", staff.Id, address, out.ConfigChange)
	})
	return out, err
}
