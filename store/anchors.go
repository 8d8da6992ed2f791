package store

import (
	"encoding/json"
	"os"
	"path/filepath"

	"hospay/collections"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"
)

// anchorFile lies beside the database, so that a backup holds it: where the
// audit log ended when the backup was made.
const anchorFile = "hospay.anchor"

// AnchorBackup writes a backup down and returns where the audit log ends then,
// which it also leaves where the backup takes it along.
func (s *Store) AnchorBackup(name string) (Anchor, error) {
	var a Anchor
	err := s.transact(func(tx core.App) (err error) {
		if err = Audit(tx, AuditEntry{ActorKind: "system", Action: "backup.create", Target: clip(name, 100)}); err == nil {
			a, err = AuditHead(tx)
		}
		return err
	})
	if err != nil {
		return a, err
	}
	text, err := json.Marshal(a)
	if err != nil {
		return a, err
	}
	path := filepath.Join(s.app.DataDir(), anchorFile)
	if err := os.WriteFile(path+".new", append(text, '\n'), 0o600); err != nil {
		return a, err
	}
	return a, os.Rename(path+".new", path)
}

// Started writes down that the program begins to serve, and whether it does so on
// a restored copy. Being keyed, the row vouches for what was written before it.
func (s *Store) Started(version, env string) error {
	return s.transact(func(tx core.App) error {
		details := map[string]any{"version": version, "env": env}
		mark, err := collections.CopyOf(tx.DB())
		if err != nil {
			return err
		}
		if mark != nil {
			details["copy"] = mark.Why
		}
		return Audit(tx, AuditEntry{ActorKind: "system", Action: "program.started", Details: details})
	})
}

// AnchorMonth notes in the row of a month that is being closed where the audit
// log ends, after the closing itself was written down.
func AnchorMonth(tx core.App, institution, month string) error {
	a, err := AuditHead(tx)
	if err != nil {
		return err
	}
	_, err = tx.DB().Update(collections.ReconMonths, dbx.Params{"audit_seq": a.Seq, "audit_head": a.Head},
		dbx.HashExp{"institution": institution, "month": month}).Execute()
	return err
}

// TraceSuperusers writes down every superuser that is made, changed or deleted,
// also by a command beside the server. Binding twice is binding once.
func TraceSuperusers(app core.App) {
	bind := func(action string) func(e *core.RecordEvent) error {
		return func(e *core.RecordEvent) error {
			outer := e.App
			defer func() { e.App = outer }()
			return outer.RunInTransaction(func(tx core.App) error {
				e.App = tx
				if err := e.Next(); err != nil {
					return err
				}
				row := AuditEntry{ActorKind: "system", Action: "superuser." + action, Target: e.Record.Id}
				if action != "deleted" {
					row.After = RecordPrint(tx, e.Record)
				}
				return Audit(tx, row)
			})
		}
	}
	const id = "hospay_superusers"
	handler := func(action string) *hook.Handler[*core.RecordEvent] {
		return &hook.Handler[*core.RecordEvent]{Id: id, Func: bind(action)}
	}
	app.OnRecordCreate(core.CollectionNameSuperusers).Bind(handler("created"))
	app.OnRecordUpdate(core.CollectionNameSuperusers).Bind(handler("changed"))
	app.OnRecordDelete(core.CollectionNameSuperusers).Bind(handler("deleted"))
}
