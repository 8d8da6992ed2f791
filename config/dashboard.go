package config

import (
	"hospay/collections"
	"hospay/store"

	"github.com/pocketbase/pocketbase/core"
)

// Dashboard records what a superuser does to a configuration record, in the
// transaction that does it: do saves or deletes the record. Superusers are IT
// and need no second person, but they leave the same traces.
func (s *Service) Dashboard(tx core.App, rec *core.Record, superuser, address string, do func() error) error {
	var old, now snapshot
	var err error
	var known []string
	fresh := rec.IsNew()
	if !fresh {
		before, err := tx.FindRecordById(rec.Collection(), rec.Id)
		if err != nil {
			return err
		}
		if old, err = s.take(before); err != nil {
			return err
		}
		known = store.AddressesOf(before)
	}
	if err := s.alone(rec, known); err != nil {
		return err
	}
	if err := do(); err != nil {
		return err
	}
	if after, err := tx.FindRecordById(rec.Collection(), rec.Id); err == nil {
		if now, err = s.take(after); err != nil {
			return err
		}
	}
	before, after := differences(old, now)
	if len(after) == 0 {
		return nil
	}
	if err := store.SupersedeChanges(tx, rec.Collection().Name, rec.Id, ""); err != nil {
		return err
	}
	c, err := s.Store.AddChange(tx, store.ConfigChange{
		Institution: houseOf(rec), Collection: rec.Collection().Name, Record: rec.Id, Fresh: fresh, Before: raw(before), After: raw(after),
		ProposerKind: "superuser", Proposer: superuser, State: collections.ChangeApplied,
	}, "")
	if err != nil {
		return err
	}
	return audit(tx, "config.dashboard", "superuser", superuser, address, c)
}
