package payment

import "hospay/money"

// Split says who pays what of a bill, in fen. Account is Own and Family
// together; HospitalPart lies inside Other; Deposit and Delivery are beside the
// total.
type Split struct {
	Total, Fund, Account, Cash, Other money.Fen
	Own, Family                       money.Fen // 本人账户，家庭共济
	HospitalPart, Deposit, Delivery   money.Fen
}

// Insured is what the insurance pays.
func (s Split) Insured() money.Fen { return s.Fund + s.Account }

// Agrees reports whether a later answer tells the same movement. What it does
// not tell of the smaller parts says nothing.
func (s Split) Agrees(with Split) bool {
	return s.Total == with.Total && s.Fund == with.Fund && s.Account == with.Account && s.Cash == with.Cash
}

// Misfit says, in Chinese, why the parts do not make the total; empty where they
// do. Other fees are a part of it or, in an older edition, beside it.
func (s Split) Misfit(otherInTotal bool) string {
	parts := s.Fund + s.Account + s.Cash
	if otherInTotal {
		parts += s.Other
	}
	switch {
	case min(s.Total, s.Fund, s.Account, s.Cash, s.Other, s.Own, s.Family, s.HospitalPart, s.Deposit, s.Delivery) < 0:
		return "有负数金额"
	case parts != s.Total:
		return "总额 " + s.Total.Yuan() + " 与各部分之和 " + parts.Yuan() + " 不符"
	case s.Own+s.Family != s.Account:
		return "个人账户 " + s.Account.Yuan() + " 与本人、共济之和不符"
	case otherInTotal && s.HospitalPart > s.Other:
		return "医院负担 " + s.HospitalPart.Yuan() + " 超过其他费用 " + s.Other.Yuan()
	}
	return ""
}
