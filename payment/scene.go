package payment

import (
	"context"
	"slices"

	"hospay/flow"
)

// The ways to pay a bill here.
const (
	WayInsured = "insured" // the insurance pays its part
	WayOwn     = "own"     // all is paid by the patient
)

// Scene is how the institution lets bills of a kind be paid here and given back. The zero
// value shuts nothing. What is shut is done at the window.
type Scene struct {
	Off       []string // ways that are shut
	Why       string   // the reason; for the patient
	RefundOff bool     // the staff give nothing back from here; what HIS asks for goes on
	RefundWhy string
}

// shut refuses a way that is shut.
func (s Scene) shut(insured bool) error {
	way := WayOwn
	if insured {
		way = WayInsured
	}
	if slices.Contains(s.Off, way) {
		return flow.NewError(CodeWayOff, s.Why)
	}
	return nil
}

// on is a bill as it can be paid in a scene.
func (s Scene) on(b Bill) Bill {
	if s.shut(true) != nil && b.Insurable {
		b.Insurable, b.Reason = false, s.Why
	}
	if s.shut(false) != nil {
		b.OwnOff, b.OwnReason = true, s.Why
	}
	return b
}

// Scene is how bills of a kind are paid and given back at an institution.
func (s *Service) Scene(ctx context.Context, institution string, kind Kind) (Scene, error) {
	inst, err := s.dir.Institution(ctx, institution)
	return inst.Scenes[kind], err
}

// seen are bills as they can be paid now.
func (s *Service) seen(ctx context.Context, institution string, bills ...Bill) ([]Bill, error) {
	inst, err := s.dir.Institution(ctx, institution)
	if err != nil {
		return nil, err
	}
	out := make([]Bill, 0, len(bills))
	for _, b := range bills {
		out = append(out, inst.Scenes[b.Kind].on(b))
	}
	return out, nil
}

// mayGiveBack refuses to give bills of a kind back where the institution does that at
// the window.
func (t *turn) mayGiveBack() error {
	if scene := t.inst.Scenes[t.w.Order.Kind]; scene.RefundOff {
		return flow.NewError(CodeRefundOff, scene.RefundWhy)
	}
	return nil
}
