package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"time"

	"hospay/calendar"
	"hospay/flow"
	"hospay/money"
	"hospay/refund"
)

// movement is an entry of the simulators' control POST /_sim/history.
type movement struct {
	At         time.Time `json:"at"`
	Kind       string    `json:"kind"`
	No         string    `json:"no"`
	Party      string    `json:"party"`
	Amount     money.Fen `json:"amount"`
	Of         string    `json:"of,omitempty"`
	ChannelNo  string    `json:"channel_no,omitempty"`
	OrderNo    string    `json:"order_no,omitempty"`
	Method     string    `json:"method,omitempty"`
	Channel    string    `json:"channel,omitempty"`
	DepositNo  string    `json:"deposit_no,omitempty"`
	Held       bool      `json:"held,omitempty"`
	Only       string    `json:"only,omitempty"`
	BillAmount money.Fen `json:"bill_amount,omitempty"`
	answer     *string   // where the other side's number goes
}

// plant leaves three differences in the bills of the past, each on a day of
// its own. The ledgers tell the truth.
func (p *plan) plant() {
	tell := func(o *order, what string) {
		p.planted = append(p.planted, fmt.Sprintf("%s %s %s", o.Created.In(calendar.Beijing).Format(time.DateOnly), o.No, what))
	}
	days := p.h.Days
	if o := p.paidOn(max(1, days/6)); o != nil {
		o.hideHIS = true
		tell(o, "HIS 账单缺这一笔，渠道已付 "+o.Amount.String())
	}
	if o := p.paidOn(max(1, days/3)); o != nil && !o.hideHIS {
		o.tellHIS = o.Amount + 1_000
		tell(o, fmt.Sprintf("HIS 账单写 %s，平台和渠道为 %s", o.tellHIS.String(), o.Amount.String()))
	}
	if o := p.paidOn(max(1, days/2)); o != nil && !o.hideHIS && o.tellHIS == 0 {
		at := p.midnight(o.back).Add(15 * time.Hour)
		m := movement{At: at, Kind: "transfer", No: flow.CallNo(refund.OrderNo("stranger"+o.ID, at), 'T', 1), Party: o.who.Openid, Amount: 8_800,
			Only: "bill"}
		p.strangers = append(p.strangers, m)
		p.planted = append(p.planted, fmt.Sprintf("%s %s 只在微信账单里：%s", at.Format(time.DateOnly), m.No, m.Amount.String()))
	}
}

// paidOn is the first paid transfer of a day.
func (p *plan) paidOn(back int) *order {
	for _, o := range p.orders {
		if o.back == back && o.way == wayPaid && o.Method == refund.MethodTransfer {
			return o
		}
	}
	return nil
}

// tellSides tells the other sides their past and takes down their numbers.
func (p *plan) tellSides(ctx context.Context, at Endpoints) error {
	sides := map[string][]movement{at.WeChat: p.strangers}
	for _, o := range p.orders {
		sides[at.HIS] = append(sides[at.HIS], o.hisMovements()...)
		base := at.WeChat
		if o.Channel == "alipay" {
			base = at.Alipay
		}
		sides[base] = append(sides[base], o.channelMovements()...)
	}
	for base, entries := range sides {
		slices.SortStableFunc(entries, func(a, b movement) int { return a.At.Compare(b.At) })
		if err := tellSide(ctx, base, entries); err != nil {
			return err
		}
	}
	return nil
}

func tellSide(ctx context.Context, base string, entries []movement) error {
	body, err := json.Marshal(map[string]any{"entries": entries})
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, base+"/_sim/history", bytes.NewReader(body))
	if err != nil {
		return err
	}
	var told struct {
		Numbers []string `json:"numbers"`
	}
	if err := do(req, &told); err != nil {
		return err
	}
	if len(told.Numbers) != len(entries) {
		return fmt.Errorf("模拟器只记下 %d 笔历史，应为 %d 笔", len(told.Numbers), len(entries))
	}
	for i, e := range entries {
		if e.answer != nil {
			*e.answer = told.Numbers[i]
		}
	}
	return nil
}

func (o *order) hisMovements() []movement {
	debit := movement{At: o.debited, Kind: "debit", No: flow.CallNo(o.No, 'D', 1), Party: o.CardNo, Amount: o.Amount, OrderNo: o.No,
		Method:  string(o.Method),
		Channel: o.Channel, DepositNo: o.DepositNo, Held: o.way == wayOpen, BillAmount: o.tellHIS, answer: &o.his}
	if o.hideHIS {
		debit.Only = "ledger"
	}
	if o.way == wayPaid || o.way == wayOpen {
		return []movement{debit}
	}
	return []movement{debit, {At: o.ended, Kind: "reverse", No: debit.No, Party: o.CardNo, Amount: o.Amount, answer: &o.restored}}
}

func (o *order) channelMovements() []movement {
	party := o.Payee.Account
	var out []movement
	if o.Original != nil {
		party = o.who.Openid
		if o.Channel == "alipay" {
			party = o.who.AlipayUserID
		}
		out = append(out, movement{At: o.Original.PaidAt, Kind: "pay", No: o.Original.TradeNo, ChannelNo: o.Original.ChannelNo, Party: party,
			Amount: o.Original.Amount})
	}
	m := movement{At: o.ended, No: flow.CallNo(o.No, 'T', 1), Party: party, Amount: o.Amount, answer: &o.channel}
	switch {
	case o.way == wayExpired:
		m.Kind = "expired"
	case o.way != wayPaid:
		return out
	case o.Original != nil:
		m.Kind, m.Of = "refund", o.Original.TradeNo
	default:
		m.Kind = "transfer"
	}
	return append(out, m)
}
