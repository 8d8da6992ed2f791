package payments

import (
	"context"
	"slices"

	"hospay/hooks/kit"
	"hospay/payment"
	"hospay/people"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/router"
)

// bindSecondRoutes is the second person's word about a refund.
func (h *Hooks) bindSecondRoutes(g *router.RouterGroup[*core.RequestEvent]) {
	rule := payment.RefundRule
	g.POST("/payments/{id}/refund/confirm", h.confirmRefund).BindFunc(kit.RequireStaff(rule.Confirm...))
	g.POST("/payments/{id}/refund/withdraw", h.declineRefund).BindFunc(kit.RequireStaff(slices.Concat(rule.Propose, rule.Confirm)...))
}

// secondBody is what somebody says about a proposed refund.
type secondBody struct {
	Seq  int    `json:"seq"` // of the proposal that was seen
	Note string `json:"note"`
}

// confirmRefund begins a refund that another person has proposed.
func (h *Hooks) confirmRefund(e *core.RequestEvent) error {
	return h.aboutRefund(e, func(ctx context.Context, id string, by people.By, b secondBody) error {
		return h.Bills.ConfirmRefund(ctx, id, b.Seq, by, b.Note)
	})
}

// declineRefund withdraws one's own proposal of a refund, or refuses another's.
func (h *Hooks) declineRefund(e *core.RequestEvent) error {
	return h.aboutRefund(e, func(ctx context.Context, id string, by people.By, b secondBody) error {
		return h.Bills.DeclineRefund(ctx, id, by, b.Note)
	})
}

func (h *Hooks) aboutRefund(e *core.RequestEvent, act func(context.Context, string, people.By, secondBody) error) error {
	var body secondBody
	if err := e.BindBody(&body); err != nil {
		return kit.BadRequest()
	}
	return h.act(e, func(ctx context.Context, id string, by people.By) error { return act(ctx, id, by, body) })
}
