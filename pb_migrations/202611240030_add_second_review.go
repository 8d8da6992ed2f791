package pb_migrations

import (
	"slices"

	"hospay/collections"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/migrations"
)

// The second review (复核): its settings, and the stage of orders under review.
// A trigger must not name a column before it is there, so those of the desk
// step aside meanwhile.
func init() {
	migrations.Register(func(app core.App) error {
		if err := dropTriggers(app, collections.DeskTriggers()); err != nil {
			return err
		}
		settings, err := app.FindCollectionByNameOrId(collections.ReviewSettings)
		if err != nil {
			return err
		}
		settings.Fields.Add(fen("second_from"), flag("second_proxy"))
		if err := app.Save(settings); err != nil {
			return err
		}
		orders, err := app.FindCollectionByNameOrId(collections.RefundOrders)
		if err != nil {
			return err
		}
		orders.Fields.Add(one("stage", "first", "second"))
		if err := app.Save(orders); err != nil {
			return err
		}
		_, err = app.NonconcurrentDB().Update(collections.RefundOrders, dbx.Params{"stage": "first"}, dbx.HashExp{"status": "reviewing"}).Execute()
		if err != nil {
			return err
		}
		return setTriggers(app, slices.Concat(collections.Triggers(), collections.ProxyTriggers(), collections.DeskTriggers()))
	}, nil)
}

func dropTriggers(app core.App, triggers []collections.Trigger) error {
	for _, t := range triggers {
		if _, err := app.NonconcurrentDB().NewQuery("DROP TRIGGER IF EXISTS " + t.Name).Execute(); err != nil {
			return err
		}
	}
	return nil
}
