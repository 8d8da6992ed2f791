package pb_migrations

import (
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/migrations"
)

func init() {
	migrations.Register(func(app core.App) error {
		c := base("vault_keys",
			count("key_id"), need("purpose", 20), need("alg", 10), need("kek", 20), hidden("wrapped"), created(), updated(),
		)
		c.AddIndex("idx_vault_keys", true, "key_id", "")
		return create(app, c)
	}, nil)
}
