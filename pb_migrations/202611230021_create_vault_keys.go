package pb_migrations

import (
	"hospay/collections"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/migrations"
)

func init() {
	migrations.Register(func(app core.App) error {
		c := base(collections.VaultKeys,
			count("key_id"), need("purpose", 20), need("alg", 10), need("kek", 20), hidden("wrapped"), created(), updated(),
		)
		c.AddIndex("idx_vault_keys", true, "key_id", "")
		return app.Save(c)
	}, func(app core.App) error { return drop(app, collections.VaultKeys) })
}
