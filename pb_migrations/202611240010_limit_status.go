package pb_migrations

import (
	"slices"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/migrations"
)

// The status of an order is told without a login, so it is asked for sparingly.
func init() {
	const label = "POST /api/hospay/status"
	migrations.Register(func(app core.App) error {
		s := app.Settings()
		s.RateLimits.Rules = slices.Insert(s.RateLimits.Rules, 0, core.RateLimitRule{Label: label, MaxRequests: 10, Duration: 60})
		return app.Save(s)
	}, func(app core.App) error {
		s := app.Settings()
		s.RateLimits.Rules = slices.DeleteFunc(s.RateLimits.Rules, func(r core.RateLimitRule) bool { return r.Label == label })
		return app.Save(s)
	})
}
