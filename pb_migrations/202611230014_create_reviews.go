package pb_migrations

import (
	"hospay/collections"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/migrations"
)

func init() {
	migrations.Register(func(app core.App) error {
		reviewer, err := link(app, "reviewer", collections.Staff, false)
		if err != nil {
			return err
		}
		c := base(collections.Reviews,
			one("stage", "auto", "shadow", "first", "second"), one("decision", "approve", "reject", "manual"),
			reviewer, text("note", 1000), object("verdicts"), created(),
		)
		if err := links(app, c, map[string]string{"order": collections.RefundOrders, "institution": collections.Institutions}); err != nil {
			return err
		}
		c.AddIndex("idx_reviews_stage", true, "`order`, stage", "")
		return app.Save(c)
	}, func(app core.App) error { return drop(app, collections.Reviews) })
}
