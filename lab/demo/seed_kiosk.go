package demo

import (
	"hospay/collections"

	"github.com/pocketbase/pocketbase/core"
)

// KioskPlace is where the demo's kiosk stands.
const KioskPlace = "门诊大厅 1 号机"

// seedKiosk sets a kiosk up whose readers are the simulator's. No device is entered
// yet: that needs a code.
func seedKiosk(app core.App, inst string, at Endpoints) error {
	_, err := upsert(app, collections.Kiosks, "institution = {:i} && place = {:p}", map[string]any{"i": inst, "p": KioskPlace}, map[string]any{
		"institution": inst, "place": KioskPlace, "active": true, "ways": []string{"credential", "id_card", "social_card"},
		"reader_url": at.Portal + "/kiosk", "idle_seconds": 90,
	})
	return err
}

// KioskID is the record of the demo's kiosk.
func KioskID(app core.App) (id, institution string, err error) {
	rec, err := app.FindFirstRecordByData(collections.Kiosks, "place", KioskPlace)
	if err != nil {
		return "", "", err
	}
	return rec.Id, rec.GetString("institution"), nil
}
