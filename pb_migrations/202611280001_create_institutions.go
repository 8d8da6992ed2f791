package pb_migrations

import (
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/migrations"
)

// An institution (机构) is a hospital with its settings.
func init() {
	migrations.Register(func(app core.App) error {
		c := base("institutions",
			need("code", 40), need("name", 100), flag("active"), one("debit_at", "application", "approval"),
			many("methods", "original", "transfer"), flag("payouts_frozen"), text("freeze_note", 500), count("day_limit"),
			fen("min_amount"), hidden("secrets_input"), // write-only: sealed and emptied on save
			hidden("secrets_sealed"), text("secrets_held", 500), created(), updated(), flag("proxy_on"),
			one("proxy_payee", "agent", "principal"), integer("proxy_days", 0, 3650), integer("proxy_photo_days", 0, 3650),
			one("second_factor", "off", "totp"), integer("idle_minutes", 0, 480), integer("recon_days", 0, 60), fen("recon_ignore"),
		)
		c.AddIndex("idx_institutions_code", true, "code", "")
		return create(app, c)
	}, nil)
}
