// Package it is the door of those who run the program: the overview, readiness,
// and what the dashboard changes.
package it

import (
	"hospay/config"
	"hospay/hooks/kit"
	"hospay/internal/checkup"
	"hospay/refund"

	"github.com/pocketbase/pocketbase/core"
)

// Hooks is IT's door.
type Hooks struct {
	*kit.Kit
	Worker   *refund.Worker
	Settings *config.Service
	Health   *checkup.Health
	Jobs     Jobs
	Version  string
}

// Bind registers record events and routes.
func (h *Hooks) Bind(se *core.ServeEvent) {
	h.bindConfigEvents()
	h.bindSettingsEvents()
	h.bindOverviewRoutes(se)
	h.bindReadyRoutes(se)
}
