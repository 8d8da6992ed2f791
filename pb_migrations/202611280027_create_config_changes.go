package pb_migrations

import (
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/migrations"
)

// Changes of the configuration (配置变更): what was proposed, by whom, and what became of it.
func init() {
	migrations.Register(func(app core.App) error {
		c := base("config_changes",
			need("collection", 40), need("record", 15), flag("fresh"), count("version"), object("before"), object("after"),
			text("note", 500), one("proposer_kind", "staff", "superuser"), text("proposer", 15), hidden("proposer_person"),
			flag("sensitive"), one("state", "waiting", "applied", "rejected", "withdrawn", "superseded"), text("confirmer", 15),
			text("answer", 500), hidden("sealed"), hidden("seen"), created(), date("decided"), link("institution", "institutions"),
		)
		c.AddIndex("idx_config_changes_version", true, "collection, record, version", "")
		c.AddIndex("idx_config_changes_created", false, "institution, created", "")
		c.AddIndex("idx_config_changes_waiting", false, "collection, record", "state = 'waiting'")
		return create(app, c)
	}, nil)
}
