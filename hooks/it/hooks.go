// Package it is the door of those who run the program: the overview, readiness,
// and what the dashboard changes.
package it

import (
	"hospay/collections"
	"hospay/config"
	"hospay/flow"
	"hospay/hooks/kit"
	"hospay/internal/checkup"

	"github.com/pocketbase/pocketbase/core"
)

// Hooks is IT's door.
type Hooks struct {
	*kit.Kit
	Worker   *flow.Worker
	Settings *config.Service
	Health   *checkup.Health
	Jobs     Jobs
	Version  string
	Guards   collections.GuardSet // that were laid over the tables
}

// Bind registers record events and routes.
func (h *Hooks) Bind(se *core.ServeEvent) {
	h.bindConfigEvents()
	h.bindSettingsEvents()
	h.bindOverviewRoutes(se)
	h.bindReadyRoutes(se)
}
