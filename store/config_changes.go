package store

import (
	"context"
	"database/sql"
	"errors"

	"hospay/collections"
	"hospay/flow"
	"hospay/internal/vault"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/types"
)

// ConfigChange is one change of a configuration record. Before and After hold
// the fields that it touches, without secrets; what a waiting change will write
// is sealed.
type ConfigChange struct {
	ID             string         `db:"id"`
	Institution    string         `db:"institution"`
	Collection     string         `db:"collection"`
	Record         string         `db:"record"`
	Fresh          bool           `db:"fresh"` // the record is new
	Version        int            `db:"version"`
	Before         types.JSONRaw  `db:"before"`
	After          types.JSONRaw  `db:"after"`
	Note           string         `db:"note"`
	ProposerKind   string         `db:"proposer_kind"` // staff, superuser
	Proposer       string         `db:"proposer"`
	ProposerPerson string         `db:"proposer_person"`
	Sensitive      bool           `db:"sensitive"`
	State          string         `db:"state"`
	Confirmer      string         `db:"confirmer"`
	Answer         string         `db:"answer"`
	Sealed         string         `db:"sealed"`
	Seen           string         `db:"seen"` // blind index of the record as the proposal saw it
	Created        types.DateTime `db:"created"`
	Decided        types.DateTime `db:"decided"`
}

// Target names the record of a change.
func (c ConfigChange) Target() string { return c.Collection + "/" + c.Record }

// AddChange writes a change as the next version of its target and returns it.
// Values are sealed while it waits.
func (s *Store) AddChange(tx core.App, c ConfigChange, values string) (ConfigChange, error) {
	c.ID = newID()
	err := tx.DB().NewQuery("SELECT COALESCE(MAX(version), 0) + 1 FROM config_changes WHERE collection = {:c} AND record = {:r}").
		Bind(dbx.Params{"c": c.Collection, "r": c.Record}).Row(&c.Version)
	if err != nil {
		return c, err
	}
	now := stamp(collections.Now(tx))
	decided := now
	if c.State == collections.ChangeWaiting {
		decided = ""
		if c.Sealed, err = s.vault.Seal(vault.Secret, vault.Place(collections.ConfigChanges, "values", c.ID), values); err != nil {
			return c, err
		}
	}
	_, err = tx.DB().Insert(collections.ConfigChanges, dbx.Params{
		"id": c.ID, "institution": c.Institution, "collection": c.Collection, "record": c.Record, "fresh": c.Fresh, "version": c.Version,
		"before": orNull(c.Before), "after": orNull(c.After), "note": c.Note, "proposer_kind": c.ProposerKind, "proposer": c.Proposer,
		"proposer_person": c.ProposerPerson, "sensitive": c.Sensitive, "state": c.State, "sealed": c.Sealed, "seen": c.Seen, "created": now,
		"decided": decided,
	}).Execute()
	if err != nil {
		return c, conflictOnUnique(err)
	}
	return s.Change(tx, c.Institution, c.ID)
}

func orNull(raw types.JSONRaw) string {
	if len(raw) == 0 {
		return "null"
	}
	return string(raw)
}

// Change reads a change of an institution.
func (s *Store) Change(app core.App, institution, id string) (ConfigChange, error) {
	var c ConfigChange
	err := app.DB().Select("*").From(collections.ConfigChanges).Where(dbx.HashExp{"id": id, "institution": institution}).One(&c)
	if errors.Is(err, sql.ErrNoRows) {
		return c, flow.ErrNotFound
	}
	return c, err
}

// ChangeValues opens what a waiting change will write.
func (s *Store) ChangeValues(c ConfigChange) (string, error) {
	return s.vault.Open(vault.Place(collections.ConfigChanges, "values", c.ID), c.Sealed)
}

// SettleChange ends a waiting change and forgets its sealed values. Somebody
// else's decision in between is a conflict.
func SettleChange(tx core.App, id, state, confirmer, answer string) error {
	res, err := tx.DB().Update(collections.ConfigChanges, dbx.Params{"state": state, "confirmer": confirmer, "answer": answer, "sealed": "",
		"decided": stamp(collections.Now(tx))},
		dbx.HashExp{"id": id, "state": collections.ChangeWaiting}).Execute()
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n != 1 {
		return flow.ErrConflict
	}
	return nil
}

// SupersedeChanges ends what waits for a record that has changed, except one.
func SupersedeChanges(tx core.App, collection, record, except string) error {
	_, err := tx.DB().Update(collections.ConfigChanges, dbx.Params{"state": collections.ChangeSuperseded, "sealed": "",
		"decided": stamp(collections.Now(tx))},
		dbx.And(dbx.HashExp{"collection": collection, "record": record, "state": collections.ChangeWaiting},
			dbx.NewExp("id != {:x}", dbx.Params{"x": except}))).Execute()
	return err
}

// ChangeFilter chooses changes; empty fields choose all.
type ChangeFilter struct {
	Collection, Record, State string
	Page, PerPage             int
}

// Changes lists an institution's changes, newest first, and their number.
func (s *Store) Changes(ctx context.Context, institution string, f ChangeFilter) ([]ConfigChange, int, error) {
	where := dbx.HashExp{"institution": institution}
	for column, v := range map[string]string{"collection": f.Collection, "record": f.Record, "state": f.State} {
		if v != "" {
			where[column] = v
		}
	}
	var total int
	db := s.app.ConcurrentDB()
	if err := db.Select("COUNT(*)").From(collections.ConfigChanges).Where(where).WithContext(ctx).Row(&total); err != nil {
		return nil, 0, err
	}
	rows := []ConfigChange{}
	err := db.Select("*").From(collections.ConfigChanges).Where(where).OrderBy("created DESC", "version DESC").
		Limit(int64(f.PerPage)).Offset(int64((f.Page - 1) * f.PerPage)).WithContext(ctx).All(&rows)
	return rows, total, err
}
