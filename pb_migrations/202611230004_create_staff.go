package pb_migrations

import (
	"hospay/collections"
	"hospay/people"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/migrations"
)

func init() {
	migrations.Register(func(app core.App) error {
		c := core.NewAuthCollection(collections.Staff)
		setRules(c)
		c.AuthToken.Duration = 30 * 60
		c.AuthAlert.Enabled = false
		active := "active = true"
		c.AuthRule = &active
		if err := links(app, c, map[string]string{"institution": collections.Institutions}); err != nil {
			return err
		}
		c.Fields.Add(
			need("name", 60), many("roles", people.Roles()...), flag("active"),
			hidden("person_index"), // blind index of the ID number: the natural person behind the account
			created(), updated(),
		)
		return app.Save(c)
	}, func(app core.App) error { return drop(app, collections.Staff) })
}
