// Package patient is the patients' door: login, cards, orders, and what they ask
// for on behalf of somebody else.
package patient

import (
	"hospay/flow"
	"hospay/hooks/kit"
	"hospay/refund"

	"github.com/pocketbase/pocketbase/core"
)

// Hooks is the patients' door.
type Hooks struct {
	*kit.Kit
	Service *refund.Service
	Worker  *flow.Worker
	Intake  *refund.Intake
	misses  misses
}

// who names the patient who asks.
func who(r *core.Record) refund.Patient {
	return refund.Patient{ID: r.Id, Institution: r.GetString("institution")}
}

// Bind registers record events and routes.
func (h *Hooks) Bind(se *core.ServeEvent) {
	h.bindRefundEvents()
	h.bindProxyEvents()
	h.bindAuthRoutes(se)
	h.bindEntryRoutes(se)
	h.bindPatientRoutes(se)
	h.bindStatusRoutes(se)
	h.bindMessageRoutes(se)
	h.bindRefundRoutes(se)
	h.bindProxyRoutes(se)
}
