package pb_migrations

import (
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/migrations"
)

// What a patient has authorised with at a channel, sealed, until an order takes it.
func init() {
	migrations.Register(func(app core.App) error {
		c := base("payment_credentials",
			one("channel", "wechat", "alipay"), &core.TextField{Name: "grant_sealed", Max: 20000, Hidden: true}, date("until"), created(), updated(),
			link("patient", "patients"), link("institution", "institutions"),
		)
		c.AddIndex("idx_payment_credentials_key", true, "patient, channel", "")
		return create(app, c)
	}, nil)
}
