package collections

import (
	"time"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/types"
)

const clockKey = "hospay.clock"

// SetClock gives an app the clock that everything of the program goes by. It
// comes before anything else that is done with the app, so that no part of the
// program has another idea of today.
func SetClock(app core.App, now func() time.Time) { app.Store().Set(clockKey, now) }

func hasClock(app core.App) bool { return app.Store().Get(clockKey) != nil }

// Now is the time of an app's clock, inside a transaction as well. An app
// without a clock was put together wrongly: it panics.
func Now(app core.App) time.Time {
	now, ok := app.Store().Get(clockKey).(func() time.Time)
	if !ok {
		panic("collections: the app has no clock")
	}
	return now()
}

// DateRecords makes the dates that PocketBase puts on records those of the
// app's clock. Tokens, and what PocketBase keeps for itself, stay real time.
func DateRecords(app core.App) {
	date := func(e *core.RecordEvent, fresh bool) error {
		if e.Record.Collection().System {
			return e.Next()
		}
		now, err := types.ParseDateTime(Now(e.App))
		if err != nil {
			return err
		}
		for _, f := range e.Record.Collection().Fields {
			d, ok := f.(*core.AutodateField)
			if ok && (fresh && d.OnCreate || !fresh && d.OnUpdate) {
				e.Record.SetRaw(d.Name, now)
			}
		}
		return e.Next()
	}
	app.OnRecordCreate().BindFunc(func(e *core.RecordEvent) error { return date(e, true) })
	app.OnRecordUpdate().BindFunc(func(e *core.RecordEvent) error { return date(e, false) })
}
