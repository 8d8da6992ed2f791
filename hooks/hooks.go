// Package hooks is the inbound edge: routes, record events and guards, one door
// for each kind of caller. It parses, authenticates, decides who may what, and
// hands over to the domain; it holds no business rule and calls nobody outside.
package hooks

import (
	"hospay/hooks/finance"
	"hospay/hooks/inbound"
	"hospay/hooks/it"
	"hospay/hooks/kit"
	"hospay/hooks/patient"
	"hospay/hooks/staff"

	"github.com/pocketbase/pocketbase/core"
)

// Hooks is the edge of one running app: the doors, which share one kit.
type Hooks struct {
	Kit     *kit.Kit
	Patient patient.Hooks
	Staff   staff.Hooks
	Finance finance.Hooks
	IT      it.Hooks
	Inbound inbound.Hooks
}

// Bind registers guards and routes. It is called once, when the server starts,
// after the migrations. What ends a session of staff stands before all that a
// request could ask for.
func (h *Hooks) Bind(se *core.ServeEvent) {
	h.Patient.Kit, h.Staff.Kit, h.Finance.Kit, h.IT.Kit, h.Inbound.Kit = h.Kit, h.Kit, h.Kit, h.Kit, h.Kit
	h.Staff.Bind(se)
	h.Kit.Bind(se)
	h.Patient.Bind(se)
	h.Finance.Bind(se)
	h.IT.Bind(se)
	h.Inbound.Bind(se)
}
