package pb_migrations

import (
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/migrations"
)

// Staff of an institution whose policy says so need two steps: the password and a code,
// of the app or by e-mail. A first password, which somebody else has seen, is good for one
// thing: to choose another one.
func init() {
	migrations.Register(func(app core.App) error {
		c := core.NewAuthCollection("staff")
		c.AuthToken.Duration = 30 * 60
		c.AuthAlert.Enabled = false
		c.OTP.Enabled, c.OTP.Duration, c.OTP.Length = true, 300, 8
		c.MFA.Enabled, c.MFA.Duration = true, 600
		c.MFA.Rule = `institution.second_factor = "totp"`
		c.Fields.Add(
			link("institution", "institutions"), need("name", 60),
			many("roles", "reviewer", "finance", "cashier", "auditor", "config"), flag("active"),
			hidden("person_index"), // blind index of the ID number: the natural person behind the account
			created(), updated(), &core.BoolField{Name: "first_password", Hidden: true},
		)
		return create(app, c)
	}, nil)
}
