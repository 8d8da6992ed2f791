// Package medins is what the channels' simulators share about orders of insurance
// and cash: the centre as they know it, and how both parts are paid.
package medins

import (
	"fmt"
	"time"

	"hospay/sim"
	"hospay/sim/world"
)

// Insurance is the centre, as a channel's simulator knows it. A channel that has
// none takes every order with insurance as it is told.
type Insurance interface {
	// Issue makes a number for a payment: whose credential pays, and who is treated.
	Issue(payer, patient *world.Patient) string
	// Licensed tells whether such a number is good for somebody who is treated.
	Licensed(payAuthNo, idNo string) bool
	// Insured tells an order by its payOrdId; false unless it is priced.
	Insured(payOrdID string) (Insured, bool)
	// Begin says that a channel collects; Settle that one part is paid; Undo that
	// the channel takes the insurance's part back.
	Begin(payOrdID string) error
	Settle(payOrdID, part string) error
	Undo(payOrdID string) error
	// CashFirst is the order in which the region pays.
	CashFirst() bool
	// Hospital is what the centre knows the hospital by.
	Hospital() (orgCode, appID string)
}

// The parts of an order.
const (
	PartCash      = "cash"
	PartInsurance = "insurance"
)

// Insured is an order at the centre, in fen.
type Insured struct {
	No                                string // the hospital's (medOrgOrd)
	IDNo                              string // who is treated
	Total, Fund, Account, Other, Cash int64
	Back                              bool // the insurance's part went back
}

// States of the insurance's part and of a whole order.
const (
	MixCreated  = "CREATED"
	MixSuccess  = "SUCCESS"
	MixFail     = "FAIL"
	MixRefund   = "REFUND"
	MixReversed = "REVERSED"
)

// Mixed is an order of insurance and cash at a channel.
type Mixed struct {
	PayOrdID   string
	Ins, Whole string
	FailReason string
	PaidAt     time.Time
}

// NewMixed is an order that nobody has paid.
func NewMixed(payOrdID string) Mixed {
	return Mixed{PayOrdID: payOrdID, Ins: MixCreated, Whole: MixCreated}
}

// Steps are what a channel does while an order is paid.
type Steps struct {
	Cash  func() error // collects the cash; nil where there is none
	Back  func()       // gives the cash back by itself
	Later func(time.Duration, func())
	Now   func() time.Time
	Done  func() // tells the merchant
}

// Pay pays both parts in the order of the region. A fault makes the insurance's
// part go wrong.
func (o *Mixed) Pay(ins Insurance, f sim.Fault, s Steps) error {
	if o.Whole != MixCreated || o.Ins != MixCreated {
		if o.Whole == MixSuccess || o.Ins == MixSuccess {
			return nil
		}
		return fmt.Errorf("the order is %s and cannot be paid", o.Whole)
	}
	if ins != nil {
		if err := ins.Begin(o.PayOrdID); err != nil {
			return err
		}
	}
	if ins == nil || ins.CashFirst() {
		if err := o.cash(ins, s); err != nil {
			return err
		}
		o.insure(ins, f, s, s.finish(o))
		return nil
	}
	o.insure(ins, f, s, func() {
		if o.Ins == MixSuccess && o.cash(ins, s) == nil {
			s.finish(o)()
		}
	})
	return nil
}

func (s Steps) finish(o *Mixed) func() {
	return func() {
		if o.Ins == MixSuccess && o.Whole == MixCreated {
			o.Whole, o.PaidAt = MixSuccess, s.Now()
			s.Done()
		}
	}
}

// cash collects the cash; what the centre counts as cash it is told of, also when
// the hospital has taken it over.
func (o *Mixed) cash(ins Insurance, s Steps) error {
	if s.Cash != nil {
		if err := s.Cash(); err != nil {
			return err
		}
	}
	if ins == nil {
		return nil
	}
	if known, ok := ins.Insured(o.PayOrdID); !ok || known.Cash == 0 {
		return nil
	}
	return ins.Settle(o.PayOrdID, PartCash)
}

// insure settles the insurance's part, or does not.
func (o *Mixed) insure(ins Insurance, f sim.Fault, s Steps, then func()) {
	settle := func() {
		if ins != nil {
			if err := ins.Settle(o.PayOrdID, PartInsurance); err != nil {
				o.Ins, o.Whole, o.FailReason = MixFail, MixFail, "医保结算失败"
				return
			}
		}
		o.Ins = MixSuccess
		then()
	}
	switch f.Kind {
	case sim.InsuranceFail:
		o.Ins, o.Whole, o.FailReason = MixFail, MixFail, f.Message
		if f.Message == "" {
			o.FailReason = "医保结算失败：参保人待遇校验未通过"
		}
	case sim.InsuranceLate:
		s.Later(f.Delay, settle)
	case sim.AutoReversed:
		then = func() {}
		settle()
		if ins != nil && o.Ins == MixSuccess {
			_ = ins.Undo(o.PayOrdID)
		}
		o.Ins, o.Whole = MixRefund, MixReversed
		s.Back()
	default:
		settle()
	}
}
