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
		c, who, err := s.decides(tx, people.Refuse, staffID, id) // what cannot be any more is told before who is gone
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
		if err := notOneself(d, who.By); err != nil {
			return err
		}
		if err := rule.May(people.Confirm, of(tx, c), who, people.Seen{}); err != nil {
			return err
		}
		out, err = s.effect(tx, d, c, who.By, note, address)
		return err
	})
	if err == nil && moved {
		err = flow.NewError(CodeMoved, "")
	}
	return out, err
}

// decides reads a waiting change and who decides about it, as both are now.
func (s *Service) decides(tx core.App, act people.Act, staffID, id string) (store.ConfigChange, people.Member, error) {
	who := store.MemberNow(tx, people.By{ID: staffID})
	c, err := s.Store.Change(tx, who.Institution, id)
	switch {
	case err != nil:
		return c, who, err
	case c.State != collections.ChangeWaiting:
		return c, who, flow.NewError(CodeMoved, "")
	}
	return c, who, rule.May(act, of(tx, c), who, people.Seen{})
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
func (s *Service) effect(tx core.App, d *draft, c store.ConfigChange, who people.By, note, address string) (Outcome, error) {
	out := Outcome{}
	if c.Collection == collections.Staff && c.Fresh {
		out.Password = rand.Text()
		d.rec.SetPassword(out.Password)
		d.rec.Set("first_password", true)
	}
	if err := s.put(tx, d, c.ID); err != nil {
		return out, err
	}
	if err := store.SettleChange(tx, c.ID, collections.ChangeApplied, who.ID, note); err != nil {
		return out, err
	}
	var err error
	if out.ConfigChange, err = s.Store.Change(tx, c.Institution, c.ID); err != nil {
		return out, err
	}
	return out, audit(tx, "config.confirm", "staff", who.ID, address, out.ConfigChange)
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
	return s.end(collections.ChangeRejected, "config.reject", people.Refuse, staffID, id, note, address)
}

// Withdraw takes back an own change that waits.
func (s *Service) Withdraw(staffID, id, address string) (Outcome, error) {
	return s.end(collections.ChangeWithdrawn, "config.withdraw", people.Withdraw, staffID, id, "", address)
}

func (s *Service) end(state, action string, act people.Act, staffID, id, note, address string) (Outcome, error) {
	var out Outcome
	err := s.App.RunInTransaction(func(tx core.App) error {
		c, who, err := s.decides(tx, act, staffID, id)
		if err != nil {
			return err
		}
		if err := store.SettleChange(tx, c.ID, state, who.ID, note); err != nil {
			return err
		}
		if out.ConfigChange, err = s.Store.Change(tx, c.Institution, c.ID); err != nil {
			return err
		}
		return audit(tx, action, "staff", who.ID, address, out.ConfigChange)
	})
	return out, err
}
