package pb_migrations

import (
	"hospay/collections"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/migrations"
)

func init() {
	migrations.Register(func(app core.App) error {
		c := base(collections.Institutions,
			need("code", 40), need("name", 100), flag("active"), // 机构
			one("debit_at", "application", "approval"),
			many("methods", "original", "transfer"),
			flag("payouts_frozen"), text("freeze_note", 500),
			count("day_limit"), fen("min_amount"),
			&core.TextField{Name: "secrets_input", Max: 20000, Hidden: true}, // write-only: sealed and emptied on save
			hidden("secrets_sealed"), text("secrets_held", 500), created(), updated(),
		)
		c.AddIndex("idx_institutions_code", true, "code", "")
		return app.Save(c)
	}, func(app core.App) error { return drop(app, collections.Institutions) })
}
