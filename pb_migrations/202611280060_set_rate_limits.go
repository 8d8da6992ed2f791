package pb_migrations

import (
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/migrations"
)

// The first limit that fits decides. The status of an order is told without a
// login, so it is asked for sparingly. Callbacks are in practice exempt: a
// channel that is turned away only sends again.
func init() {
	migrations.Register(func(app core.App) error {
		s := app.Settings()
		s.Meta.AppName = "hospay"
		s.Batch.Enabled = false
		s.Logs.MaxDays = 30
		s.RateLimits.Enabled = true
		s.RateLimits.Rules = []core.RateLimitRule{
			{Label: "POST /api/hospay/status", MaxRequests: 10, Duration: 60},
			{Label: "/api/hospay/notify/", MaxRequests: 100_000, Duration: 1},
			{Label: "/api/hospay/auth/", MaxRequests: 30, Duration: 60},
			{Label: "*:auth", MaxRequests: 10, Duration: 60},
			{Label: "refund_orders:create", MaxRequests: 20, Duration: 60},
			{Label: "proxy_applications:create", MaxRequests: 10, Duration: 60},
			{Label: "proxy_materials:create", MaxRequests: 30, Duration: 60},
			{Label: "/api/", MaxRequests: 300, Duration: 10},
		}
		return app.Save(s)
	}, nil)
}
