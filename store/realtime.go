package store

import (
	"context"

	"github.com/pocketbase/pocketbase/core"
)

// Publish tells PocketBase's hooks and realtime subscribers that an order has
// changed. The Store writes below the record layer, so it says so itself, after
// the commit; pages refetch on reconnect, so nothing depends on it.
func Publish(app core.App) func(collection, id string) {
	return func(collection, id string) { publish(app, collection, id) }
}

func publish(app core.App, collection, id string) {
	if app.SubscriptionsBroker().TotalClients() == 0 {
		return
	}
	rec, err := app.FindRecordById(collection, id)
	if err != nil {
		return
	}
	event := &core.ModelEvent{App: app, Context: context.Background(), Type: core.ModelEventTypeUpdate}
	event.Model = rec
	if err := app.OnModelAfterUpdateSuccess().Trigger(event, func(e *core.ModelEvent) error { return e.Next() }); err != nil {
		app.Logger().Warn("realtime.publish", "collection", collection, "record", id, "error", err)
	}
}
