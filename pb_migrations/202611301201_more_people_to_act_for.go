package pb_migrations

import (
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/migrations"
)

// An adult who cannot come is a case of acting for another; principals may be
// known by other papers than the resident card.
func init() {
	migrations.Register(func(app core.App) error {
		c, err := app.FindCollectionByNameOrId("proxy_applications")
		if err != nil {
			return err
		}
		if f, ok := c.Fields.GetByName("case").(*core.SelectField); ok {
			f.Values = []string{"minor", "elderly", "deceased", "incapacitated", "immobile"}
		}
		c.Fields.Add(text("principal_id_type", 4))
		return app.Save(c)
	}, nil)
}
