package invariant

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// paymentPrefix begins every number of payments; refunds of deposits have others,
// and so have the payments by which deposits once were made.
const paymentPrefix = "P"

// checkStrangers finds money that moved under numbers that we never wrote down.
func (c *checker) checkStrangers(l Ledgers) {
	for _, e := range slices.Concat(l.HIS, l.Channels, l.Centre) {
		no := e.No
		switch {
		case e.Kind == "pay" && !strings.HasPrefix(no, paymentPrefix):
			continue
		case e.Kind == "refund" && strings.HasPrefix(e.Of, paymentPrefix): // also one that the channel has decided by itself
			no = e.Of
		}
		if _, ok := c.numbers[no]; !ok {
			c.found = append(c.found, Violation{Invariant: IntentFirst, Detail: fmt.Sprintf("%s %s：%d 分，没有对应的记录", e.Kind, e.No, e.Amount)})
		}
	}
}

// moving are the calls that move money, or begin what does.
var moving = map[string]bool{"transfer": true, "refund": true, "debit": true, "reverse": true, "charge": true, "uncharge": true,
	"mixed":  true,
	"upload": true, "order": true}

// checkRequests compares every received call that moves money with its intent.
func (c *checker) checkRequests(requests []Request) {
	hashes := map[string]string{}
	told := map[string]bool{}
	for _, r := range requests {
		if !moving[r.Alias] || r.No == "" || r.Alias == "order" && r.Side == "" && !strings.HasPrefix(r.No, paymentPrefix) {
			continue
		}
		key := r.Side + r.Alias + " " + r.No
		if h, ok := hashes[key]; ok && h != r.Hash && !told[key] {
			told[key] = true
			c.found = append(c.found, Violation{Invariant: SameContent, Detail: key + " 以不同内容发出"})
		}
		hashes[key] = r.Hash
		call, ok := c.numbers[r.No]
		if !ok || call.Created.After(r.At.Add(time.Millisecond)) {
			if !told[key] {
				told[key] = true
				c.found = append(c.found, Violation{Invariant: IntentFirst, Detail: key + " 在记录之前发出"})
			}
		}
	}
}

// checkCentre looks at what the insurance centre was asked, order by order: a
// question for the price has a number of its own each time, the insurance's part
// goes back under one number for ever, and nothing is revoked or given back
// without a look at the order just before.
func (c *checker) checkCentre(p Payment, asked []Request) {
	o, back, priced, before := Order{No: p.No}, "", map[string]bool{}, ""
	for _, r := range asked {
		switch r.Op {
		case "6202":
			if priced[r.No] {
				c.add(SameContent, o, "%s 问了两次价", r.No)
			}
			priced[r.No] = true
		case "6203":
			if back != "" && back != r.No {
				c.add(BackOnce, o, "医保退款用了 %s 和 %s 两个单号", back, r.No)
			}
			back = r.No
		}
		if (r.Op == "6203" || r.Op == "6401") && before != "6301" {
			c.add(LookFirst, o, "%s 之前没有查询订单（前一个是 %s）", r.Op, before)
		}
		before = r.Op
	}
}
