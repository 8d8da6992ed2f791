package it

import (
	"slices"

	"hospay/config"
	"hospay/store"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"
)

// acts are what superusers do beside records and settings, as the audit log
// calls it, by route and by the part of the path that says to what.
var acts = map[string]struct{ action, target string }{
	"POST /api/collections":                               {"collection.create", ""},
	"PATCH /api/collections/{collection}":                 {"collection.update", "collection"},
	"DELETE /api/collections/{collection}":                {"collection.delete", "collection"},
	"DELETE /api/collections/{collection}/truncate":       {"collection.truncate", "collection"},
	"PUT /api/collections/import":                         {"collection.import", ""},
	"POST /api/collections/meta/dry-run-view":             {"collection.view_tried", ""},
	"POST /api/collections/{collection}/impersonate/{id}": {"superuser.impersonate", "id"},
	"POST /api/backups":                                   {"backup.ask", ""},
	"POST /api/backups/upload":                            {"backup.upload", ""},
	"GET /api/backups/{key}":                              {"backup.download", "key"},
	"DELETE /api/backups/{key}":                           {"backup.delete", "key"},
	"POST /api/backups/{key}/restore":                     {"backup.restore", "key"},
	"POST /api/crons/{id}":                                {"cron.run", "id"},
	"DELETE /api/logs":                                    {"logs.delete", ""},
	"POST /api/sql":                                       {"sql.run", ""},
	"POST /api/settings/test/s3":                          {"settings.test", ""},
	"POST /api/settings/test/email":                       {"settings.test", ""},
	"POST /api/settings/apple/generate-client-secret":     {"settings.apple", ""},
}

// bindActs writes down what superusers do, before it is done: what cannot be
// written down is not done. What is closed is written down as tried.
func (h *Hooks) bindActs(se *core.ServeEvent) {
	se.Router.Bind(&hook.Handler[*core.RequestEvent]{Id: "hospay_acts", Priority: -995, Func: func(e *core.RequestEvent) error {
		act, is := acts[e.Request.Pattern]
		if !is {
			return e.Next()
		}
		who := superuserOf(e)
		if who == nil {
			return e.Next()
		}
		details := map[string]any{}
		if h.Closed(e) {
			details["closed"] = true
		}
		target := ""
		if act.target != "" {
			target = e.Request.PathValue(act.target)
		}
		err := e.App.RunInTransaction(func(tx core.App) error {
			return store.Audit(tx, store.AuditEntry{ActorKind: "superuser", Actor: who.Id, Action: act.action, Target: short(target),
				Address: e.RealIP(), Details: details})
		})
		if err != nil {
			return h.Fail(e, err)
		}
		return e.Next()
	}})
	h.App.OnRecordCreateRequest().BindFunc(h.recordChanged)
	h.App.OnRecordUpdateRequest().BindFunc(h.recordChanged)
	h.App.OnRecordDeleteRequest().BindFunc(h.recordChanged)
	h.App.OnBackupCreate().BindFunc(h.backupMade)
}

// superuserOf is the superuser of a request. Backups are fetched with a token in
// the address.
func superuserOf(e *core.RequestEvent) *core.Record {
	if e.Auth != nil && e.Auth.IsSuperuser() {
		return e.Auth
	}
	token := e.Request.URL.Query().Get("token")
	if e.Auth != nil || token == "" {
		return nil
	}
	who, err := e.App.FindAuthRecordByToken(token, core.TokenTypeFile)
	if err != nil || !who.IsSuperuser() {
		return nil
	}
	return who
}

// recordChanged writes down what a superuser does to a record that is no
// configuration, in the transaction that does it: which fields, and the
// fingerprints of before and after. Configuration has a history of its own.
func (h *Hooks) recordChanged(e *core.RecordRequestEvent) error {
	if e.Auth == nil || !e.Auth.IsSuperuser() || slices.Contains(config.Collections(), e.Collection.Name) {
		return e.Next()
	}
	outer, rec := e.App, e.Record
	defer func() { e.App = outer }()
	return outer.RunInTransaction(func(tx core.App) error {
		e.App = tx
		var before *core.Record
		if !rec.IsNew() {
			before, _ = tx.FindRecordById(rec.Collection(), rec.Id) // nil: it is gone already
		}
		if err := e.Next(); err != nil {
			return err
		}
		after, _ := tx.FindRecordById(rec.Collection(), rec.Id) // nil: it was deleted
		action := "record.update"
		switch {
		case before == nil:
			action = "record.create"
		case after == nil:
			action = "record.delete"
		}
		return store.Audit(tx, store.AuditEntry{
			Institution: rec.GetString("institution"), ActorKind: "superuser", Actor: e.Auth.Id, Action: action,
			Target: rec.Collection().Name + "/" + rec.Id, Address: e.RealIP(), Before: store.RecordPrint(tx, before),
			After: store.RecordPrint(tx, after), Details: map[string]any{"fields": changedFields(before, after)},
		})
	})
}

// changedFields names what differs; all that is there where there is only one.
func changedFields(before, after *core.Record) []string {
	out := []string{}
	one := after
	if one == nil {
		one = before
	}
	if one == nil {
		return out
	}
	for _, f := range one.Collection().Fields.FieldNames() {
		if before == nil || after == nil || before.GetString(f) != after.GetString(f) {
			out = append(out, f)
		}
	}
	slices.Sort(out)
	return out
}

// backupMade writes a backup down, and where the audit log ends into the backup
// and into the log of the program.
func (h *Hooks) backupMade(e *core.BackupEvent) error {
	a, err := h.Store.AnchorBackup(e.Name)
	if err != nil {
		return err
	}
	e.Exclude = append(e.Exclude, store.NotInBackups()...)
	h.Log.Info("audit.anchor", "where", "backup", "name", e.Name, "seq", a.Seq, "head", a.Head)
	return e.Next()
}

func short(s string) string {
	r := []rune(s)
	return string(r[:min(len(r), 100)])
}
