package payment

import (
	"context"
	"crypto/sha256"
	"errors"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"hospay/flow"
)

// Asker is a patient who asks for what HIS knows.
type Asker struct{ Institution, Patient string }

// locksPerSlot is how often a patient may take one slot anew for one card, after
// a lock of theirs was given back or has run out.
const locksPerSlot = 3

// The forms of what a patient names and HIS has told. What is not in its form
// does not leave.
var (
	slotForm = regexp.MustCompile(`^[A-Za-z0-9_.:-]{1,64}$`)
	areaForm = regexp.MustCompile(`^[0-9]{6}$`)
)

// answer asks the HIS of an institution within the deadline of a call. What HIS
// does not offer is answered with the code off.
func answer[T any](ctx context.Context, s *Service, a Asker, can func(HISCan) bool, off flow.Code,
	do func(context.Context, HIS) (T, error)) (out T, err error) {
	inst, err := s.dir.Institution(ctx, a.Institution)
	if err != nil {
		return out, err
	}
	if !inst.Active {
		return out, flow.NewError(flow.CodeInstitutionOff, "")
	}
	his, err := s.dir.HIS(ctx, a.Institution)
	if err != nil {
		return out, err
	}
	if !can(his.Can()) {
		return out, flow.NewError(off, "")
	}
	asking, cancel := context.WithTimeout(ctx, s.timing.Call)
	defer cancel()
	return do(asking, his)
}

func canBills(c HISCan) bool     { return c.Bills }
func canSlots(c HISCan) bool     { return c.Slots }
func canAreas(c HISCan) bool     { return c.Areas }
func canEnrolment(c HISCan) bool { return c.Enrolment && c.Identity }

// Bills reads the unpaid bills of a patient's card, fresh from HIS.
func (s *Service) Bills(ctx context.Context, a Asker, cardNo string) ([]Bill, error) {
	if _, err := s.store.Insured(ctx, a.Patient, cardNo); err != nil {
		return nil, err
	}
	bills, err := answer(ctx, s, a, canBills, CodeBillsOff, func(ctx context.Context, h HIS) ([]Bill, error) { return h.Bills(ctx, cardNo) })
	if err != nil {
		return nil, err
	}
	for _, b := range bills {
		s.shown.keep(a, b, s.now())
	}
	return s.seen(ctx, a.Institution, bills...)
}

// Departments reads where one can register.
func (s *Service) Departments(ctx context.Context, a Asker) ([]Department, error) {
	return answer(ctx, s, a, canSlots, CodeSlotsOff, func(ctx context.Context, h HIS) ([]Department, error) { return h.Departments(ctx) })
}

// Slots reads what can be taken of a department, which must be one of HIS's, on a
// day (yyyy-MM-dd).
func (s *Service) Slots(ctx context.Context, a Asker, department, day string) ([]Slot, error) {
	if _, err := time.Parse(time.DateOnly, day); err != nil {
		return nil, flow.NewError(flow.CodeBadRequest, "date")
	}
	all, err := s.Departments(ctx, a)
	if err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(all, func(d Department) bool { return d.Code == department }) {
		return nil, flow.NewError(flow.CodeBadRequest, "department")
	}
	return answer(ctx, s, a, canSlots, CodeSlotsOff, func(ctx context.Context, h HIS) ([]Slot, error) { return h.Slots(ctx, department, day) })
}

// Lock keeps a slot for a patient's card and returns the bill that HIS has made of
// it. The same wish again is the same lock while it lasts.
func (s *Service) Lock(ctx context.Context, a Asker, slot, cardNo string) (Bill, error) {
	if err := s.mayTake(ctx, a, slot, cardNo); err != nil {
		return Bill{}, err
	}
	b, err := answer(ctx, s, a, canSlots, CodeSlotsOff, func(ctx context.Context, h HIS) (b Bill, err error) {
		for n := range locksPerSlot {
			b, err = h.LockSlot(ctx, lockNo(a.Patient, slot, cardNo, n), slot, cardNo)
			if flow.CodeOf(err) != CodeSlotLost { // else the lock of this number is over, or somebody has the slot
				return b, err
			}
		}
		return b, err
	})
	if err != nil {
		return b, err
	}
	s.shown.keep(a, b, s.now())
	s.shown.took(a, slot, cardNo)
	seen, err := s.seen(ctx, a.Institution, b)
	if err != nil {
		return b, err
	}
	return seen[0], nil
}

// Release gives a slot back that was kept for a patient's card; without a card,
// for the one that it was kept for last. One that nobody keeps is given back.
func (s *Service) Release(ctx context.Context, a Asker, slot, cardNo string) error {
	if cardNo == "" {
		if cardNo = s.shown.takenFor(a, slot); cardNo == "" {
			return nil
		}
	}
	if err := s.mayTake(ctx, a, slot, cardNo); err != nil {
		return err
	}
	_, err := answer(ctx, s, a, canSlots, CodeSlotsOff, func(ctx context.Context, h HIS) (struct{}, error) {
		var all error
		for n := range locksPerSlot { // one that was never taken is given back
			all = errors.Join(all, h.ReleaseSlot(ctx, lockNo(a.Patient, slot, cardNo, n), slot, cardNo))
		}
		return struct{}{}, all
	})
	return err
}

// mayTake checks what can be checked of a lock without HIS.
func (s *Service) mayTake(ctx context.Context, a Asker, slot, cardNo string) error {
	if !slotForm.MatchString(slot) {
		return flow.NewError(CodeSlotLost, "")
	}
	if _, err := s.store.Insured(ctx, a.Patient, cardNo); err != nil {
		return err
	}
	return s.mayWrite(ctx, a.Institution)
}

// mayWrite keeps a restored copy from telling HIS anything.
func (s *Service) mayWrite(ctx context.Context, institution string) error {
	inst, err := s.dir.Institution(ctx, institution)
	if err == nil && inst.Restored {
		err = flow.NewError(CodeRestoredCopy, "")
	}
	return err
}

// lockNo is our number of the n-th lock of a slot for a card.
func lockNo(patient, slot, card string, n int) string {
	sum := sha256.Sum256([]byte(strings.Join([]string{"lock", patient, slot, card, strconv.Itoa(n)}, "|")))
	return "L" + orderDigits.EncodeToString(sum[:])[:15]
}

// Areas reads the places of insurance that the hospital takes. A HIS that lists
// none takes those of the region's contract.
func (s *Service) Areas(ctx context.Context, a Asker) ([]Area, error) {
	h, err := s.habitsOf(ctx, a.Institution)
	if err != nil {
		return nil, err
	}
	all, err := answer(ctx, s, a, canAreas, CodeInsuranceOff, func(ctx context.Context, his HIS) ([]Area, error) { return his.Areas(ctx) })
	if flow.CodeOf(err) == CodeInsuranceOff {
		for i, code := range h.Areas {
			all = append(all, Area{Code: code, Name: code, Own: i == 0})
		}
		return all, nil
	}
	return slices.DeleteFunc(all, func(area Area) bool { return !h.areaTaken(area.Code) }), err
}

func (s *Service) habitsOf(ctx context.Context, institution string) (Habits, error) {
	centre, err := s.dir.Centre(ctx, institution)
	if err != nil {
		return Habits{}, err
	}
	return centre.Habits(), nil
}

// Enrolment asks HIS whether a patient is insured in an area, and what they may
// choose there.
func (s *Service) Enrolment(ctx context.Context, a Asker, cardNo, area string) (Enrolment, error) {
	who, err := s.store.Insured(ctx, a.Patient, cardNo)
	if err != nil {
		return Enrolment{}, err
	}
	h, err := s.habitsOf(ctx, a.Institution)
	if err != nil {
		return Enrolment{}, err
	}
	if !areaForm.MatchString(area) || !h.areaTaken(area) {
		return Enrolment{}, flow.NewError(CodeAreaOff, "")
	}
	return answer(ctx, s, a, canEnrolment, CodeInsuranceOff, func(ctx context.Context, his HIS) (Enrolment, error) {
		return his.Enrolment(ctx, who, area)
	})
}

// Choice is what a patient has chosen for a bill: where they are insured, and how
// the visit is settled. Benefit is the id that an enrolment has told.
type Choice struct{ CardNo, BillNo, Area, Benefit, Channel string }

// Choose tells HIS a patient's choice (身份回写). Afterwards HIS prices the bill
// anew.
func (s *Service) Choose(ctx context.Context, a Asker, c Choice) error {
	if err := s.mayWrite(ctx, a.Institution); err != nil {
		return err
	}
	if err := s.mayPayOf(ctx, a, c.CardNo, c.BillNo); err != nil {
		return err
	}
	who, err := s.store.Insured(ctx, a.Patient, c.CardNo)
	if err != nil {
		return err
	}
	e, b, err := s.benefit(ctx, a, c)
	if err != nil {
		return err
	}
	_, err = answer(ctx, s, a, canEnrolment, CodeInsuranceOff, func(ctx context.Context, h HIS) (struct{}, error) {
		return struct{}{}, h.SaveIdentity(ctx, Identity{Insured: who, BillNo: c.BillNo, Area: c.Area, PsnNo: e.PsnNo, Benefit: b,
			Channel: c.Channel})
	})
	if err == nil {
		s.shown.forget(a, c.CardNo, c.BillNo)
	}
	return err
}

// benefit finds what was chosen among what HIS offers now.
func (s *Service) benefit(ctx context.Context, a Asker, c Choice) (Enrolment, Benefit, error) {
	e, err := s.Enrolment(ctx, a, c.CardNo, c.Area)
	if err != nil {
		return e, Benefit{}, err
	}
	if !e.Enrolled {
		return e, Benefit{}, flow.NewError(CodeNotEnrolled, e.Reason)
	}
	i := slices.IndexFunc(e.Benefits, func(b Benefit) bool { return b.ID == c.Benefit })
	if i < 0 || !e.Benefits[i].Enjoyed {
		return e, Benefit{}, flow.NewError(CodeBenefitOff, "")
	}
	return e, e.Benefits[i], nil
}

// mayPayOf lets nobody name a bill that HIS has not told them: what was not shown
// is looked for among the bills of the card.
func (s *Service) mayPayOf(ctx context.Context, a Asker, cardNo, billNo string) error {
	if s.shown.has(a, cardNo, billNo, s.now()) {
		return nil
	}
	bills, err := s.Bills(ctx, a, cardNo)
	if err != nil {
		return err
	}
	if billNo == "" || !slices.ContainsFunc(bills, func(b Bill) bool { return b.No == billNo }) {
		return flow.NewError(CodeBillGone, "")
	}
	return nil
}
