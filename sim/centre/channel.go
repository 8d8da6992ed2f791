package centre

import (
	"errors"

	"hospay/sim/medins"
	"hospay/sim/world"
)

var _ medins.Insurance = (*Server)(nil)

// Issue makes a number for a payment, as a channel's page gives it.
func (s *Server) Issue(payer, patient *world.Patient) string {
	return s.Authorise(payer, patient).PayAuthNo
}

// Shown makes the token of a credential that its holder has shown.
func (s *Server) Shown(holder *world.Patient) string { return s.Authorise(holder, holder).EcToken }

// SettleShown settles the insurance's part of a priced order with the token of a
// credential of the person who is treated. A second time changes nothing.
func (s *Server) SettleShown(no, ecToken string) error {
	s.books.mu.Lock()
	o, err := s.books.find(no)
	var r *refusal
	done := false
	if err == nil {
		r, done = s.books.licensed(thing{"ecToken": ecToken}, o.idNo), !o.settled.IsZero()
	}
	s.books.mu.Unlock()
	switch {
	case err != nil:
		return err
	case r != nil:
		return errors.New(r.text)
	case done:
		return nil
	}
	return s.Pay(no, PartInsurance)
}

// Licensed tells whether such a number is good for somebody who is treated.
func (s *Server) Licensed(payAuthNo, idNo string) bool {
	s.books.mu.Lock()
	defer s.books.mu.Unlock()
	return s.books.licensed(thing{"payAuthNo": payAuthNo}, idNo) == nil
}

// Insured tells an order that is priced.
func (s *Server) Insured(payOrdID string) (out medins.Insured, ok bool) {
	s.books.mu.Lock()
	defer s.books.mu.Unlock()
	o := s.books.orders[payOrdID]
	if o == nil || o.split == nil {
		return out, false
	}
	back := o.state == allBack || o.state == hiBack || o.state == mixBack || o.state == reversed
	return medins.Insured{No: o.medOrgOrd, IDNo: o.idNo, Total: o.split.total, Fund: o.split.fund, Account: o.split.account,
		Other: o.split.other, Cash: o.split.cash, Back: back}, true
}

// Begin says that a channel collects.
func (s *Server) Begin(payOrdID string) error { return s.start(payOrdID, nil) }

// Settle says that one part is paid. An order of which the insurance pays nothing
// is complete with the cash, and is settled all the same.
func (s *Server) Settle(payOrdID, part string) error {
	late := false
	err := s.with(payOrdID, func(o *order) error {
		if late = part == PartInsurance && o.state == complete && o.settled.IsZero() && o.split.insured() == 0; late {
			s.books.settle(o)
		}
		return nil
	})
	switch {
	case err != nil:
		return err
	case late:
		return s.tell(payOrdID, nil)
	}
	return s.Pay(payOrdID, part)
}

// Undo says that a channel takes the insurance's part back.
func (s *Server) Undo(payOrdID string) error { return s.reverse(payOrdID, nil) }

// CashFirst is the order in which the region pays.
func (s *Server) CashFirst() bool { return s.settings.Get().MoneyOrder != "insurance_first" }

// Hospital is what the centre knows the hospital by.
func (s *Server) Hospital() (orgCode, appID string) { return OrgCode, AppID }
