// Package staff is the door of a hospital's staff: their logins and accounts, the
// desks, reviews, settings, statistics and reports.
package staff

import (
	"hospay/config"
	"hospay/exports"
	"hospay/flow"
	"hospay/hooks/kit"
	"hospay/refund"
	"hospay/store"

	"github.com/pocketbase/pocketbase/core"
)

// Hooks is the staff's door.
type Hooks struct {
	*kit.Kit
	Service  *refund.Service
	Worker   *flow.Worker
	Intake   *refund.Intake
	Exports  *exports.Jobs
	Settings *config.Service
	Batches  *store.BatchRunner
	nobody   nobody
}

// Bind registers record events and routes.
func (h *Hooks) Bind(se *core.ServeEvent) {
	h.Know(codes)
	h.bindReviewEvents()
	h.bindLoginEvents()
	h.bindFirstPassword(se)
	h.bindAccountRoutes(se)
	h.bindStatisticsRoutes(se)
	h.bindReportRoutes(se)
	h.bindAuditRoutes(se)
	h.bindEvidenceRoutes(se)
	h.bindDeskRoutes(se)
	h.bindBatchRoutes(se)
	h.bindFactsRoutes(se)
	h.bindDeskProxyRoutes(se)
	h.bindRevealRoutes(se)
	h.bindFreezeRoutes(se)
	h.bindCopyRoutes(se)
	h.bindSettingsRoutes(se)
	h.bindCheckupRoutes(se)
}
