package pb_migrations

import (
	"hospay/collections"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/migrations"
)

// Changes of the configuration (配置变更): what was proposed, by whom, and what
// became of it. Its triggers come with the table.
func init() {
	migrations.Register(func(app core.App) error {
		c := base(collections.ConfigChanges,
			need("collection", 40), need("record", 15), flag("fresh"), count("version"), object("before"), object("after"), text("note", 500),
			one("proposer_kind", "staff", "superuser"), text("proposer", 15), hidden("proposer_person"), flag("sensitive"),
			one("state", collections.ChangeWaiting, collections.ChangeApplied, collections.ChangeRejected, collections.ChangeWithdrawn, collections.ChangeSuperseded),
			text("confirmer", 15), text("answer", 500), hidden("sealed"), hidden("seen"), created(), date("decided"),
		)
		if err := links(app, c, map[string]string{"institution": collections.Institutions}); err != nil {
			return err
		}
		c.AddIndex("idx_config_changes_version", true, "collection, record, version", "")
		c.AddIndex("idx_config_changes_created", false, "institution, created", "")
		c.AddIndex("idx_config_changes_waiting", false, "collection, record", "state = 'waiting'")
		if err := app.Save(c); err != nil {
			return err
		}
		return setTriggers(app, collections.ConfigTriggers())
	}, func(app core.App) error { return drop(app, collections.ConfigChanges) })
}
