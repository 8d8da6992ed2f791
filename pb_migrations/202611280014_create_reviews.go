package pb_migrations

import (
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/migrations"
)

func init() {
	migrations.Register(func(app core.App) error {
		c := base("reviews",
			one("stage", "auto", "shadow", "first", "second"), one("decision", "approve", "reject", "manual"),
			mayLink("reviewer", "staff"), text("note", 1000), object("verdicts"), created(), link("order", "refund_orders"),
			link("institution", "institutions"),
		)
		c.AddIndex("idx_reviews_stage", true, "`order`, stage", "")
		return create(app, c)
	}, nil)
}
