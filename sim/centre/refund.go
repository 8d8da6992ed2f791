package centre

import (
	"slices"

	"hospay/sim"
)

// refund is 6203. The insurance's part goes back whole, the cash also in part;
// the cash itself moves at the channel.
func (s *Server) refund(m thing, f sim.Fault) (thing, *refusal) {
	if r := lacks(m, "payOrdId", "appRefdSn", "appRefdTime", "totlRefdAmt", "refdType"); r != nil {
		return nil, r
	}
	b := s.books
	b.mu.Lock()
	defer b.mu.Unlock()
	o := b.orders[str(m, "payOrdId")]
	if o == nil {
		return nil, &noOrder
	}
	if before, repeat := o.refunds[str(m, "appRefdSn")]; repeat {
		if before.hash != content(m) || !s.settings.Get().RefundRepeat {
			return nil, &repeated
		}
		return before.said, nil
	}
	if r := b.licensed(m, o.idNo); r != nil {
		return nil, r
	}
	switch f.Kind {
	case sim.RefundFail:
		return thing{"refStatus": "FAIL"}, nil
	case sim.RefundExpBefore:
		return thing{"refStatus": "EXP"}, nil
	}
	w := wish{kind: str(m, "refdType")}
	if r := w.read(m, o, s.settings.Get()); r != nil {
		return nil, r
	}
	next, ok := w.leads(o)
	if !ok {
		return nil, &badState
	}
	out := b.back(o, w, next)
	o.refunds[str(m, "appRefdSn")] = refunded{content(m), out}
	if f.Kind == sim.RefundExp {
		return thing{"refStatus": "EXP"}, nil
	}
	return out, nil
}

// content is what makes two refunds the same.
func content(m thing) string {
	return sim.HashJSON([]string{str(m, "payOrdId"), str(m, "refdType"), str(m, "totlRefdAmt"), str(m, "cashRefdAmt")})
}

// wish is what a refund asks for.
type wish struct {
	kind string
	cash int64
}

// read compares the amounts with the order. ALL may leave the insurance's parts
// out, or tells them whole.
func (w *wish) read(m thing, o *order, set *Settings) *refusal {
	total, _, ok1 := tidy(m, "totlRefdAmt")
	fund, fundTold, ok2 := tidy(m, "fundRefdAmt")
	account, accountTold, ok3 := tidy(m, "psnAcctRefdAmt")
	cash, _, ok4 := tidy(m, "cashRefdAmt")
	if !ok1 || !ok2 || !ok3 || !ok4 || o.split == nil {
		return &badAmount
	}
	p, left := o.split, o.split.cash-o.cashGone
	w.cash = cash
	fits := false
	switch w.kind {
	case "ALL":
		if !fundTold && !accountTold {
			fund, account = p.fund, p.account
		}
		fits = fund == p.fund && account == p.account && cash == p.cash && o.cashGone == 0
	case "HI":
		fits = fund == p.fund && account == p.account && cash == 0
	case "CASH":
		fits = fund == 0 && account == 0 && cash > 0 && cash <= left
	}
	sums := []int64{fund + account + cash}
	if w.kind == "ALL" {
		sums = map[string][]int64{"with": {sums[0] + p.other}, "without": sums}[set.RefundTotal]
		if sums == nil {
			sums = []int64{fund + account + cash, fund + account + cash + p.other}
		}
	}
	if !fits || !slices.Contains(sums, total) {
		return &badAmount
	}
	return nil
}

// leads is the state that a refund ends in; ok is false where it is impossible.
func (w wish) leads(o *order) (next int, ok bool) {
	whole := o.cashGone+w.cash == o.split.cash
	pick := func(full, part int) int {
		if whole {
			return full
		}
		return part
	}
	settled := o.state == insured || o.state == hospital || o.state == complete
	switch {
	case w.kind == "ALL" && settled:
		return allBack, true
	case w.kind == "HI" && o.split.insured() > 0 && settled:
		return hiBack, true
	case w.kind == "HI" && o.split.insured() > 0 && o.state == cashBack:
		return allBack, true
	case w.kind == "HI" && o.split.insured() > 0 && o.state == partBack:
		return mixBack, true
	case w.kind == "CASH" && (o.state == cashPaid || o.state == complete || o.state == hospital || o.state == partBack):
		return pick(cashBack, partBack), true
	case w.kind == "CASH" && (o.state == hiBack || o.state == mixBack):
		return pick(allBack, mixBack), true
	}
	return 0, false
}

func (b *books) back(o *order, w wish, next int) thing {
	out := thing{"refdSn": b.next("RF"), "refStatus": "SUCC"}
	if w.kind != "CASH" && o.split.insured() > 0 {
		b.giveBack(o)
		now := b.s.Clock().Now()
		out["hiFefdSn"], out["hiTrnsDate"], out["hiTrnsTime"] = b.next("HF"), now.Format("20060102"), now.Format("150405")
	}
	o.cashGone, o.state = o.cashGone+w.cash, next
	return out
}
