package pb_migrations

import (
	"hospay/collections"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/migrations"
)

func init() {
	migrations.Register(func(app core.App) error {
		c := base(collections.HISCalls,
			one("kind", "debit", "reverse"), integer("attempt", 1, 99), need("no", 32), fen("amount"), need("hash", 64),
			one("state", "intent", "open", "held", "done", "refused"), text("his_no", 64), text("code", 100), text("message", 500),
			count("sent"), date("sent_at"), date("done_at"), created(), updated(),
		)
		if err := links(app, c, map[string]string{"order": collections.RefundOrders, "institution": collections.Institutions}); err != nil {
			return err
		}
		c.AddIndex("idx_his_calls_no", true, "no", "")
		c.AddIndex("idx_his_calls_attempt", true, "`order`, kind, attempt", "")
		return app.Save(c)
	}, func(app core.App) error { return drop(app, collections.HISCalls) })
}
