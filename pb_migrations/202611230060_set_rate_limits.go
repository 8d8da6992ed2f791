package pb_migrations

import (
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/migrations"
)

func init() {
	migrations.Register(func(app core.App) error {
		s := app.Settings()
		s.Meta.AppName = "hospay"
		s.Batch.Enabled = false
		s.Logs.MaxDays = 30
		s.RateLimits.Enabled = true
		// The first rule that fits decides. Callbacks are in practice exempt:
		// a channel that is turned away only sends again.
		s.RateLimits.Rules = []core.RateLimitRule{
			{Label: "/api/hospay/notify/", MaxRequests: 100_000, Duration: 1},
			{Label: "/api/hospay/auth/", MaxRequests: 30, Duration: 60},
			{Label: "*:auth", MaxRequests: 10, Duration: 60},
			{Label: "refund_orders:create", MaxRequests: 20, Duration: 60},
			{Label: "/api/", MaxRequests: 300, Duration: 10},
		}
		return app.Save(s)
	}, nil)
}
