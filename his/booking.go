package his

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"hospay/flow"
	"hospay/payment"
)

// Departments reads where one can register. A row without code or name is left
// out.
func (e *Engine) Departments(ctx context.Context) ([]payment.Department, error) {
	a, err := e.read(ctx, OpDepartments, map[string]string{})
	if err != nil {
		return nil, err
	}
	rows, err := a.rows()
	if err != nil {
		return nil, unavailable(OpDepartments, err)
	}
	out := make([]payment.Department, 0, len(rows))
	for _, row := range rows {
		r := e.reader(row, a.Fields, a.Values)
		if d := (payment.Department{Code: r.must("code"), Name: r.text("name")}); d.Code != "" && d.Name != "" {
			out = append(out, d)
		}
	}
	return out, nothing(OpDepartments, len(rows), len(out))
}

// nothing is the error of a list whose every row was unreadable.
func nothing(name string, rows, read int) error {
	if rows > 0 && read == 0 {
		return unavailable(name, errors.New("no row can be read"))
	}
	return nil
}

// Slots reads what can be taken of a department on a day. Rows of another day or
// department are none of it.
func (e *Engine) Slots(ctx context.Context, department, day string) ([]payment.Slot, error) {
	a, err := e.read(ctx, OpSlots, map[string]string{"department": department, "date": day})
	if err != nil {
		return nil, err
	}
	rows, err := a.rows()
	if err != nil {
		return nil, unavailable(OpSlots, err)
	}
	out, seen := make([]payment.Slot, 0, len(rows)), map[string]bool{}
	for _, row := range rows {
		s := e.slot(a.Operation, row, department, day)
		switch {
		case s.ID == "" || s.Department != department || s.Day != day:
			continue
		case seen[s.ID]:
			return nil, unavailable(OpSlots, errors.New("two slots have one number"))
		}
		seen[s.ID] = true
		out = append(out, s)
	}
	return out, nil
}

// slot reads one slot. One that cannot be read is there, and cannot be taken.
func (e *Engine) slot(op Operation, row Document, department, day string) payment.Slot {
	r := e.reader(row, op.Fields, op.Values)
	s := payment.Slot{ID: r.must("slot_id"), Department: department, Day: day, Period: r.text("period"), Doctor: r.text("doctor"),
		Title: r.text("title"), Left: 1}
	if r.mapped("department") {
		s.Department = r.number("department")
	}
	if at := r.time("day", farAhead); !at.IsZero() {
		s.Day = at.Format(time.DateOnly)
	}
	if r.mapped("left") { // else the HIS lists only what is free
		s.Left = r.count("left")
	}
	var told bool
	if s.Amount, told = r.fen("amount"); told && s.Amount < 0 {
		r.note("amount", "is below zero")
	}
	if len(r.unread) > 0 {
		s.Left, s.Unread = 0, strings.Join(r.unread, "; ")
	}
	return s
}

// LockSlot keeps a slot for a card and reads the bill that was made for it.
func (e *Engine) LockSlot(ctx context.Context, no, slot, cardNo string) (payment.Bill, error) {
	values := map[string]string{"our_no": no, "slot_id": slot, "card_no": cardNo}
	a, err := e.read(ctx, OpLock, values, flow.CodeCardNotYours, flow.CodePatientNotFound, payment.CodeSlotLost)
	if err != nil {
		return payment.Bill{}, err
	}
	b, _ := e.bill(a.Operation, a.doc)
	if err := about(b, cardNo, ""); err != nil {
		return payment.Bill{}, unavailable(OpLock, err)
	}
	b.CardNo, b.Kind = cardNo, payment.KindRegistration
	return b, nil
}

// ReleaseSlot gives a slot back. One that is not kept any more is given back.
func (e *Engine) ReleaseSlot(ctx context.Context, no, slot, cardNo string) error {
	a, err := e.read(ctx, OpRelease, map[string]string{"our_no": no, "slot_id": slot, "card_no": cardNo}, payment.CodeSlotLost)
	if err != nil && (flow.CodeOf(err) == payment.CodeSlotLost || slices.Contains(e.mapping.NotFound, a.code)) {
		return nil
	}
	return err
}
