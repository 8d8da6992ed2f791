package centre

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"

	"hospay/money"
	"hospay/payment"
)

// Amount is money as the centre reads it: yuan with two decimals, as text.
type Amount money.Fen

// MarshalJSON writes yuan.
func (a Amount) MarshalJSON() ([]byte, error) { return json.Marshal(money.Fen(a).Yuan()) }

// sum adds amounts that cannot overflow: each was read below maxAmount.
func sum(parts ...money.Fen) (total money.Fen) {
	for _, p := range parts {
		total += p
	}
	return total
}

// maxAmount bounds what one order can be about.
const maxAmount = math.MaxInt64 / 16

// readSplit reads the amounts of an answer. told is false when one of the four
// that make an order is missing; an amount that cannot be read is an error.
func readSplit(d record, r Region) (s payment.Split, told bool, err error) {
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
			return payment.Split{}, false, fmt.Errorf("金额 %s 无法读取", f.names[0])
		}
	}
	if !told {
		return payment.Split{}, false, nil
	}
	complete(&s, d)
	if words := s.Misfit(r.OtherInTotal); words != "" {
		return s, true, errors.New(words)
	}
	return s, true, nil
}

// complete fills in the part of the account that the answer leaves out: an
// older edition tells none, and then all of it is the patient's own.
func complete(s *payment.Split, d record) {
	switch {
	case d.text("selfAcctPay") == "":
		s.Own = s.Account - s.Family
	case d.text("acctMulaidPay") == "":
		s.Family = s.Account - s.Own
	}
}
