package collections_test

import (
	"encoding/json"
	"testing"
	"unicode"

	"hospay/cmd"
	"hospay/collections"
	_ "hospay/pb_migrations"

	"github.com/pocketbase/pocketbase/core"
)

// ofIT are the collections that IT keeps in the dashboard.
var ofIT = []string{
	collections.Institutions, collections.ChannelConfigs, collections.HISConfigs, collections.CentreConfigs, collections.ReviewSettings,
	collections.Notices, collections.Staff, collections.SMSConfigs, collections.Kiosks, collections.NotificationTexts, collections.AuditSinks,
	collections.Patients,
}

// TestDashboard_EveryFieldSaysInChineseWhatItIs: whoever fills in a record in the
// dashboard reads below each field what it is, as in the console.
func TestDashboard_EveryFieldSaysInChineseWhatItIs(t *testing.T) {
	app := core.NewBaseApp(core.BaseAppConfig{DataDir: t.TempDir(), DBConnect: collections.Connect})
	if err := app.Bootstrap(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = app.ClearBootstrap() })
	if err := cmd.ThisProgram().Open(app); err != nil {
		t.Fatal(err)
	}
	for _, name := range ofIT {
		c, err := app.FindCollectionByNameOrId(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range c.Fields {
			if f.GetSystem() || f.Type() == core.FieldTypeAutodate {
				continue
			}
			raw, err := json.Marshal(f)
			if err != nil {
				t.Fatal(err)
			}
			var told struct{ Help string }
			if err := json.Unmarshal(raw, &told); err != nil {
				t.Fatal(err)
			}
			if !chinese(told.Help) {
				t.Errorf("%s.%s says %q: a migration gives a new field its help", name, f.GetName(), told.Help)
			}
		}
	}
}

func chinese(s string) bool {
	for _, r := range s {
		if unicode.Is(unicode.Han, r) {
			return true
		}
	}
	return false
}
