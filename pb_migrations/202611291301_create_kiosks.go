package pb_migrations

import (
	"fmt"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/migrations"
)

// A kiosk stands at a place of an institution. What it is entered with, what it
// holds and who stands at it are sessions of other kinds. An order names its kiosk,
// and a credential that was shown there is kept apart from those of the channels.
func init() {
	migrations.Register(func(app core.App) error {
		kiosks := base("kiosks", link("institution", "institutions"), need("place", 60), flag("active"),
			many("ways", "credential", "id_card", "social_card"), text("reader_url", 200), count("idle_seconds"), created(), updated())
		kiosks.AddIndex("idx_kiosks_place", true, "institution, place", "")
		if err := create(app, kiosks); err != nil {
			return err
		}
		sessions, err := app.FindCollectionByNameOrId("sessions")
		if err != nil {
			return err
		}
		sessions.Fields.Add(text("kind", 20), text("kiosk", 40), hidden("secret"))
		sessions.AddIndex("idx_sessions_kiosk", false, "kiosk, kind", "kiosk != ''")
		sessions.AddIndex("idx_sessions_secret", true, "secret", "secret != ''")
		if err := app.Save(sessions); err != nil {
			return err
		}
		orders, err := app.FindCollectionByNameOrId("payment_orders")
		if err != nil {
			return err
		}
		orders.Fields.Add(text("kiosk", 40), flag("agreed"))
		orders.AddIndex("idx_payment_orders_kiosk", false, "kiosk, patient, created", "kiosk != ''")
		if err := app.Save(orders); err != nil {
			return err
		}
		credentials, err := app.FindCollectionByNameOrId("payment_credentials")
		if err != nil {
			return err
		}
		channel, ok := credentials.Fields.GetByName("channel").(*core.SelectField)
		if !ok {
			return fmt.Errorf("payment_credentials.channel is no select")
		}
		channel.Values = append(channel.Values, "kiosk")
		return app.Save(credentials)
	}, nil)
}
