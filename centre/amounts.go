package centre

import (
	"encoding/json"
	"fmt"
	"math"

	"hospay/money"
)

// Amount is money as the centre reads it: yuan with two decimals, as text.
type Amount money.Fen

// MarshalJSON writes yuan.
func (a Amount) MarshalJSON() ([]byte, error) { return json.Marshal(money.Fen(a).Yuan()) }

// Split says who pays what of an order, in fen. Account is Own and Family
// together; HospitalPart lies inside Other; Deposit and Delivery are beside the
// total.
type Split struct {
	Total, Fund, Account, Cash, Other money.Fen
	Own, Family                       money.Fen // 本人账户，家庭共济
	HospitalPart, Deposit, Delivery   money.Fen
}

// sum adds amounts that cannot overflow: each was read below maxAmount.
func sum(parts ...money.Fen) (total money.Fen) {
	for _, p := range parts {
		total += p
	}
	return total
}

// maxAmount bounds what one order can be about.
const maxAmount = math.MaxInt64 / 16

// fits reports by the region's rule whether the parts make the total.
func (s Split) fits(r Region) error {
	parts := sum(s.Fund, s.Account, s.Cash)
	if r.OtherInTotal {
		parts = sum(parts, s.Other)
	}
	switch {
	case parts != s.Total:
		return fmt.Errorf("总额 %s 与各部分之和 %s 不符", s.Total, parts)
	case sum(s.Own, s.Family) != s.Account || s.Own < 0 || s.Family < 0:
		return fmt.Errorf("个人账户 %s 与本人、共济之和不符", s.Account)
	case r.OtherInTotal && s.HospitalPart > s.Other:
		return fmt.Errorf("医院负担 %s 超过其他费用 %s", s.HospitalPart, s.Other)
	}
	return nil
}

// Insured is what the insurance pays.
func (s Split) Insured() money.Fen { return s.Fund + s.Account }

// agrees reports whether a later answer tells the same movement. What it does
// not tell of the smaller parts says nothing.
func (s Split) agrees(with Split) bool {
	return s.Total == with.Total && s.Fund == with.Fund && s.Account == with.Account && s.Cash == with.Cash
}

// readSplit reads the amounts of an answer. told is false when one of the four
// that make an order is missing; an amount that cannot be read is an error.
func readSplit(d record, r Region) (s Split, told bool, err error) {
	told = true
	for _, f := range []struct {
		to    *money.Fen
		must  bool
		names []string
	}{
		{&s.Total, true, []string{"feeSumamt"}}, {&s.Fund, true, []string{"fundPay"}}, {&s.Account, true, []string{"psnAcctPay"}},
		{&s.Cash, true, []string{"ownPayAmt", "ownpayAmt"}}, {&s.Other, false, []string{"othFeeAmt"}},
		{&s.HospitalPart, false, []string{"hospPartAmt"}}, {&s.Deposit, false, []string{"deposit"}}, {&s.Delivery, false, []string{"delvFee"}},
		{&s.Own, false, []string{"selfAcctPay"}}, {&s.Family, false, []string{"acctMulaidPay"}},
	} {
		text := d.text(f.names...)
		if text == "" {
			told = told && !f.must
			continue
		}
		if *f.to, err = money.Parse(text); err != nil || *f.to < 0 || *f.to > maxAmount {
			return Split{}, false, fmt.Errorf("金额 %s 无法读取", f.names[0])
		}
	}
	if !told {
		return Split{}, false, nil
	}
	s.complete(d)
	return s, true, s.fits(r)
}

// complete fills in the part of the account that the answer leaves out: an
// older edition tells none, and then all of it is the patient's own.
func (s *Split) complete(d record) {
	switch {
	case d.text("selfAcctPay") == "":
		s.Own = s.Account - s.Family
	case d.text("acctMulaidPay") == "":
		s.Family = s.Account - s.Own
	}
}
