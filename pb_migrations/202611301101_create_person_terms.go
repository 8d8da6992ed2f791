package pb_migrations

import (
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/migrations"
)

// A term is the keyed hash of a name, a phone number or its last four digits, and whom it
// leads to: a patient, or a card by its holder. Nothing in it can be read.
func init() {
	migrations.Register(func(app core.App) error {
		c := base("person_terms",
			&core.TextField{Name: "term", Max: 64, Required: true, Hidden: true}, one("kind", "patient", "card"), need("owner", 15),
		)
		c.AddIndex("idx_person_terms_term", true, "term, kind, owner", "")
		return create(app, c)
	}, nil)
}
