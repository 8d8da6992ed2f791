package pb_migrations

import (
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/migrations"
)

// How bills of a kind are not paid here, whether they are not given back from here, and
// the reason of either that patients read. Nothing is shut before somebody says so.
func init() {
	migrations.Register(func(app core.App) error {
		c, err := app.FindCollectionByNameOrId("institutions")
		if err != nil {
			return err
		}
		for _, kind := range []string{"registration", "outpatient"} {
			c.Fields.Add(many("pay_off_"+kind, "insured", "own"), text("pay_why_"+kind, 200), flag("refund_off_"+kind),
				text("refund_why_"+kind, 200))
		}
		return app.Save(c)
	}, nil)
}
