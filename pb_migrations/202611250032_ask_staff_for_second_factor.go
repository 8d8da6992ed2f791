package pb_migrations

import (
	"hospay/collections"
	"hospay/store"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/migrations"
)

// Staff of an institution whose policy says so need two steps: the password
// and a code, of the app or by e-mail.
func init() {
	migrations.Register(func(app core.App) error {
		c, err := app.FindCollectionByNameOrId(collections.Staff)
		if err != nil {
			return err
		}
		c.OTP.Enabled, c.OTP.Duration, c.OTP.Length = true, 300, 8
		c.MFA.Enabled, c.MFA.Duration = true, 600
		c.MFA.Rule = `institution.second_factor = "` + store.SecondFactorTOTP + `"`
		return app.Save(c)
	}, func(app core.App) error {
		c, err := app.FindCollectionByNameOrId(collections.Staff)
		if err != nil {
			return err
		}
		c.MFA.Enabled, c.OTP.Enabled = false, false
		return app.Save(c)
	})
}
