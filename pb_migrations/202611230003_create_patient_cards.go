package pb_migrations

import (
	"hospay/collections"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/migrations"
)

func init() {
	migrations.Register(func(app core.App) error {
		c := base(collections.PatientCards,
			need("card_no", 64), text("card_name", 60), hidden("card_name_sealed"),
			fen("balance"), fen("refundable"), date("issued_at"), date("as_of"), object("deposits"), updated(),
		)
		if err := links(app, c, map[string]string{"patient": collections.Patients}); err != nil {
			return err
		}
		c.AddIndex("idx_patient_cards", true, "patient, card_no", "")
		return app.Save(c)
	}, func(app core.App) error { return drop(app, collections.PatientCards) })
}
