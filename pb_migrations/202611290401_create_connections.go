package pb_migrations

import (
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/migrations"
)

// Connections: whom calls were sent to. A call names one, and a changed merchant
// or address is another one.
func init() {
	migrations.Register(func(app core.App) error {
		c := base("connections",
			need("name", 20), need("party", 64), count("version"), flag("current"), date("left_at"), // since when another one is in force
			need("config", 15), text("config_updated", 40), text("kind", 20), text("merchant_id", 64), text("app_id", 64), text("base", 300),
			text("notify_base", 300), object("settings"), &core.TextField{Name: "secrets_sealed", Max: 120000, Hidden: true},
			count("timeout_ms"), flag("queryable"), flag("idempotent"), flag("reversible"), created(), updated(),
			link("institution", "institutions"),
		)
		c.AddIndex("idx_connections_party", true, "institution, name, party", "")
		c.AddIndex("idx_connections_current", true, "institution, name", "current = TRUE")
		if err := create(app, c); err != nil {
			return err
		}
		for _, name := range []string{"his_calls", "transfer_orders"} {
			calls, err := app.FindCollectionByNameOrId(name)
			if err != nil {
				return err
			}
			calls.AddIndex("idx_"+name+"_connection", false, "connection, created", "connection != ''")
			if err := app.Save(calls); err != nil {
				return err
			}
		}
		return nil
	}, nil)
}
