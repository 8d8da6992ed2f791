package pb_migrations

import (
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/migrations"
)

// PocketBase counts by address. Behind one address there may be a ward, or the
// subscribers of a carrier: its limits are those of a network from here on, and
// the program keeps a budget for each person itself. A limit that somebody has
// set otherwise stays.
func init() {
	migrations.Register(func(app core.App) error {
		s := app.Settings()
		wider := map[core.RateLimitRule]int{
			{Label: "POST /api/hospay/status", MaxRequests: 10, Duration: 60}:   100,
			{Label: "/api/hospay/auth/", MaxRequests: 30, Duration: 60}:         3000,
			{Label: "*:auth", MaxRequests: 10, Duration: 60}:                    300,
			{Label: "refund_orders:create", MaxRequests: 20, Duration: 60}:      600,
			{Label: "proxy_applications:create", MaxRequests: 10, Duration: 60}: 100,
			{Label: "proxy_materials:create", MaxRequests: 30, Duration: 60}:    300,
			{Label: "/api/", MaxRequests: 300, Duration: 10}:                    3000,
		}
		for i, rule := range s.RateLimits.Rules {
			if most, ok := wider[rule]; ok {
				s.RateLimits.Rules[i].MaxRequests = most
			}
		}
		return app.Save(s)
	}, nil)
}
