package centre

import "hospay/sim"

// Planned is what POST /_sim/split says, in fen; the rest of a bill is cash.
type Planned struct {
	IDNo     string `json:"id_no"`
	Fund     int64  `json:"fund"`
	Account  int64  `json:"account"` // own and family together
	Family   int64  `json:"family,omitempty"`
	Other    int64  `json:"other,omitempty"`
	Hospital int64  `json:"hospital,omitempty"` // part of other
}

// split is who pays what of a bill, in fen.
type split struct{ total, fund, account, family, other, hospital, cash int64 }

func (p split) insured() int64 { return p.fund + p.account }

// rule is how an insurance of the demo pays: nothing up to a deductible, then a
// share; and whether the account takes of the rest.
type rule struct {
	deductible, percent int64
	account             bool
}

// demoRules by insutype; who is not in it pays all. They follow no policy.
var demoRules = map[string]rule{"310": {2_000, 70, true}, "390": {5_000, 50, false}, "340": {0, 95, true}}

// divide makes the split of a bill: as planned, or by the demo's rules.
func divide(total int64, insutype string, p *Planned, balance int64, set *Settings) (split, bool) {
	if p != nil {
		x := split{total: total, fund: p.Fund, account: p.Account, family: p.Family, other: p.Other, hospital: p.Hospital}
		x.cash = total - p.Fund - p.Account
		if set.OtherInTotal {
			x.cash -= p.Other
		}
		return x, x.cash >= 0
	}
	x, r := split{total: total}, demoRules[insutype]
	x.fund = max(total-r.deductible, 0) * r.percent / 100
	if x.cash = total - x.fund; r.account {
		x.account = min(x.cash*60/100, max(balance, 0))
		x.family = x.account * set.FamilyPart / 100
		x.cash -= x.account
	}
	return x, true
}

// fields are the amounts of an answer. A fault makes them wrong.
func (p split) fields(m thing, f sim.Fault) thing {
	total, family := p.total, p.family
	switch f.Kind {
	case sim.OddTotal:
		total++
	case sim.OddAccount:
		family++
	}
	for k, v := range map[string]int64{"feeSumamt": total, "fundPay": p.fund, "psnAcctPay": p.account, "ownPayAmt": p.cash,
		"selfAcctPay": p.account - p.family, "acctMulaidPay": family, "othFeeAmt": p.other, "hospPartAmt": p.hospital, "deposit": 0,
		"delvFee": 0} {
		m[k] = sim.Yuan(v)
	}
	return m
}

// settlement is the part of a settlement that HIS is interested in.
func (p split) settlement(o *order) thing {
	return thing{"psn_no": o.psnNo, "mdtrt_id": o.mdtrtID, "setl_id": o.setlID, "insutype": o.insutype, "medfee_sumamt": sim.Yuan(p.total),
		"fund_pay_sumamt": sim.Yuan(p.fund), "acct_pay": sim.Yuan(p.account), "psn_cash_pay": sim.Yuan(p.cash),
		"psn_part_amt": sim.Yuan(p.account + p.cash), "hosp_part_amt": sim.Yuan(p.hospital), "acct_mulaid_pay": sim.Yuan(p.family),
		"oth_pay": sim.Yuan(p.other), "clr_type": "11", "clr_optins": o.optins, "med_type": o.medType}
}
