// Package hooks is the inbound edge: routes, record events and guards, one door
// for each kind of caller. It parses, authenticates, decides who may what, and
// hands over to the domain; it holds no business rule and calls nobody outside.
package hooks

import (
	"hospay/hooks/finance"
	"hospay/hooks/gate"
	"hospay/hooks/his"
	"hospay/hooks/inbound"
	"hospay/hooks/it"
	"hospay/hooks/kit"
	"hospay/hooks/patient"
	"hospay/hooks/payments"
	"hospay/hooks/staff"

	"github.com/pocketbase/pocketbase/core"
)

// Hooks is the edge of one running app: the doors, which share one kit.
type Hooks struct {
	Kit      *kit.Kit
	Gate     gate.Gate
	Patient  patient.Hooks
	Staff    staff.Hooks
	Finance  finance.Hooks
	IT       it.Hooks
	Inbound  inbound.Hooks
	HIS      his.Hooks
	Payments payments.Hooks
}

// Bind registers guards and routes. It is called once, when the server starts,
// after the migrations.
func (h *Hooks) Bind(se *core.ServeEvent) {
	h.Patient.Kit, h.Staff.Kit, h.Finance.Kit, h.IT.Kit = h.Kit, h.Kit, h.Kit, h.Kit
	h.Inbound.Kit, h.HIS.Kit, h.Payments.Kit = h.Kit, h.Kit, h.Kit
	h.Gate.Kit = h.Kit
	h.Gate.Bind(se)
	h.Kit.Bind(se)
	h.Staff.Bind(se)
	h.Patient.Bind(se)
	h.Finance.Bind(se)
	h.IT.Bind(se)
	h.Inbound.Bind(se)
	h.HIS.Bind(se)
	h.Payments.Bind(se)
}
