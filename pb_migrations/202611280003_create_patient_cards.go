package pb_migrations

import (
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/migrations"
)

func init() {
	migrations.Register(func(app core.App) error {
		c := base("patient_cards",
			need("card_no", 64), text("card_name", 60), hidden("card_name_sealed"), fen("balance"), fen("refundable"),
			date("issued_at"), date("as_of"), object("deposits"), updated(), link("patient", "patients"),
		)
		c.AddIndex("idx_patient_cards", true, "patient, card_no", "")
		return create(app, c)
	}, nil)
}
