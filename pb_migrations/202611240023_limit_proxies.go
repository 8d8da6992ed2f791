package pb_migrations

import (
	"slices"

	"hospay/collections"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/migrations"
)

// The new limits stand before the general one: the first that fits decides.
func init() {
	migrations.Register(func(app core.App) error {
		s := app.Settings()
		at := slices.IndexFunc(s.RateLimits.Rules, func(r core.RateLimitRule) bool { return r.Label == "/api/" })
		if at < 0 {
			at = len(s.RateLimits.Rules)
		}
		s.RateLimits.Rules = slices.Insert(s.RateLimits.Rules, at,
			core.RateLimitRule{Label: collections.ProxyApplications + ":create", MaxRequests: 10, Duration: 60},
			core.RateLimitRule{Label: collections.ProxyMaterials + ":create", MaxRequests: 30, Duration: 60})
		return app.Save(s)
	}, nil)
}
