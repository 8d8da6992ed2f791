// Package it is the door of those who run the program: the overview, readiness,
// and what the dashboard changes.
package it

import (
	"hospay/collections"
	"hospay/config"
	"hospay/flow"
	"hospay/hooks/kit"
	"hospay/internal/checkup"
	"hospay/internal/metrics"

	"github.com/pocketbase/pocketbase/core"
)

// Hooks is IT's door.
type Hooks struct {
	*kit.Kit
	Worker   *flow.Worker
	Settings *config.Service
	Health   *checkup.Health
	Jobs     Jobs
	Setup    Setup
	Version  string
	Calls    *metrics.Calls       // what calls to the other sides have brought
	Guards   collections.GuardSet // that were laid over the tables
}

// Bind registers record events and routes.
func (h *Hooks) Bind(se *core.ServeEvent) {
	h.bindConfigEvents()
	h.bindAccountEvents()
	h.bindSettingsEvents()
	h.bindActs(se)
	h.App.OnSettingsUpdateRequest().BindFunc(h.settingsChanged)
	h.bindOverviewRoutes(se)
	h.bindSetupRoutes(se)
	h.bindReadyRoutes(se)
	h.bindKioskRoutes(se)
	h.bindMetricsRoutes(se)
}
