package demo

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"time"

	"hospay/payment"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"golang.org/x/sync/errgroup"
)

// Bill is one bill of the day: how it is paid, what goes wrong, what becomes of
// it.
type Bill struct {
	Title, Patient, Channel string
	Registration            bool
	Insured                 bool
	Amount                  int64
	Want                    string // the status at the end; where it is not taken, the error code

	phone  string   // whose phone the patient uses; empty: their own
	split  *split   // what the centre shall say; nil: its own rule
	faults []strike // of its own numbers
	within int      // seconds to pay in
	late   bool     // nobody authorises before the order is made
	slot   bool     // a registration from the list of slots
	before func(context.Context, *Bill) error
	pays   func(context.Context, *Bill) error // instead of paying
	after  func(context.Context, *Bill) error // once it is paid

	no, ID, No, Got string
	paid            bool // somebody has paid it
}

// split is what the insurance centre shall say of a bill.
type split struct{ fund, account, family, other int64 }

// strike is a fault at one of a bill's own numbers.
type strike struct {
	base, match, letters, name string
	more                       map[string]any
}

// Bills returns the payments of the day.
func (d *Day) Bills() []*Bill {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]*Bill{}, d.bills...)
}

// pay pays bills at the same time; those of one patient follow each other, since
// what a patient has authorised with is for the next order.
func (d *Day) pay(ctx context.Context, bills []*Bill) error {
	queues := map[string][]*Bill{}
	for _, b := range bills {
		queues[b.Patient] = append(queues[b.Patient], b)
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(8)
	for _, queue := range queues {
		g.Go(func() error {
			for _, b := range queue {
				if err := d.payOne(ctx, b); err != nil {
					return fmt.Errorf("%s（%s）：%w", b.Title, b.Patient, err)
				}
			}
			return nil
		})
	}
	return g.Wait()
}

func (d *Day) payOne(ctx context.Context, b *Bill) error {
	d.mu.Lock()
	d.bills = append(d.bills, b)
	d.mu.Unlock()
	err := d.walk(ctx, b)
	var refusal *APIError
	if errors.As(err, &refusal) {
		b.Got, err = refusal.Code, nil
	}
	d.say(fmt.Sprintf("   %s  %s %s %s  → %s", pad(b.No, 18), b.Patient, pad(b.way(), 16), pad(b.Title, 40), b.Got))
	return err
}

// walk takes a bill from HIS to its end.
func (d *Day) walk(ctx context.Context, b *Bill) error {
	if err := d.issue(ctx, b); err != nil {
		return err
	}
	b.ID = core.GenerateDefaultRandomId()
	b.No = payment.OrderNo(b.ID, d.Now())
	if err := d.strike(ctx, b); err != nil {
		return err
	}
	for _, step := range []func(context.Context, *Bill) error{d.look, b.before, d.identify, d.authorise, d.order} {
		if step == nil {
			continue
		}
		if err := step(ctx, b); err != nil {
			return err
		}
	}
	pays := b.pays
	if pays == nil {
		pays = d.paid
	}
	if err := pays(ctx, b); err != nil {
		return err
	}
	if b.after != nil {
		if err := d.reaches(ctx, b, "done"); err != nil {
			return err
		}
		if err := b.after(ctx, b); err != nil {
			return err
		}
	}
	return d.reaches(ctx, b, b.Want)
}

// issue lets HIS write the bill, or the patient keep a slot.
func (d *Day) issue(ctx context.Context, b *Bill) error {
	if b.slot {
		return d.lock(ctx, b)
	}
	p, err := d.payer(ctx, b)
	if err == nil {
		b.no, err = p.Bill(ctx, b.Registration, b.Insured, b.Amount, b.within)
	}
	return err
}

// look is the patient's list of unpaid bills: what is paid was read there before.
func (d *Day) look(ctx context.Context, b *Bill) error {
	p, err := d.payer(ctx, b)
	if err != nil {
		return err
	}
	var list struct {
		Bills []struct {
			No     string `json:"bill_no"`
			Amount int64  `json:"amount"`
		} `json:"bills"`
	}
	if err := d.API.Call(ctx, "GET", "/api/hospay/bills?card_no="+p.Cards[0], p.Token, nil, &list); err != nil {
		return err
	}
	for _, told := range list.Bills {
		if told.No == b.no && told.Amount == b.Amount {
			return nil
		}
	}
	return fmt.Errorf("账单 %s 不在患者的清单里", b.no)
}

// lock takes the first slot that is free.
func (d *Day) lock(ctx context.Context, b *Bill) error {
	p, err := d.payer(ctx, b)
	if err != nil {
		return err
	}
	var departments struct {
		Departments []struct {
			Code string `json:"code"`
		} `json:"departments"`
	}
	if err := d.API.Call(ctx, "GET", "/api/hospay/departments", p.Token, nil, &departments); err != nil {
		return err
	}
	for _, of := range departments.Departments {
		var slots struct {
			Slots []struct {
				ID   string `json:"id"`
				Left int    `json:"left"`
			} `json:"slots"`
		}
		day := d.Now().AddDate(0, 0, 1).Format(time.DateOnly)
		if err := d.API.Call(ctx, "GET", "/api/hospay/slots?department="+of.Code+"&date="+day, p.Token, nil, &slots); err != nil {
			return err
		}
		for _, s := range slots.Slots {
			if s.Left == 0 {
				continue
			}
			var bill struct {
				No     string `json:"bill_no"`
				Amount int64  `json:"amount"`
			}
			err := d.API.Call(ctx, "POST", "/api/hospay/slots/"+url.PathEscape(s.ID)+"/lock", p.Token, map[string]any{"card_no": p.Cards[0]}, &bill)
			b.no, b.Amount = bill.No, bill.Amount
			return err
		}
	}
	return errors.New("没有号源")
}

// payer is the patient of a bill on the phone that pays.
func (d *Day) payer(ctx context.Context, b *Bill) (*Payer, error) {
	p, err := d.personOn(ctx, b.Patient, b.Channel, cmp.Or(b.phone, b.Patient))
	return &Payer{Person: p, API: d.API, At: d.At, Phone: b.phone}, err
}

func (d *Day) identify(ctx context.Context, b *Bill) error {
	p, err := d.payer(ctx, b)
	if err != nil || !b.Insured {
		return err
	}
	return p.Identify(ctx, b.no)
}

func (d *Day) authorise(ctx context.Context, b *Bill) error {
	p, err := d.payer(ctx, b)
	if err != nil || !b.Insured || b.late {
		return err
	}
	return p.Authorise(ctx)
}

// order makes the order of a bill.
func (d *Day) order(ctx context.Context, b *Bill) error {
	p, err := d.payer(ctx, b)
	if err != nil {
		return err
	}
	o, err := p.Order(ctx, b.ID, b.no, b.Insured)
	if err == nil && o.No != b.No {
		err = fmt.Errorf("单号是 %s，不是 %s", o.No, b.No)
	}
	return err
}

func (d *Day) strike(ctx context.Context, b *Bill) error {
	if s := b.split; s != nil {
		p, err := d.payer(ctx, b)
		if err != nil {
			return err
		}
		if err := post(ctx, d.At.Centre+"/_sim/split", map[string]any{"id_no": p.IDNo, "fund": s.fund, "account": s.account,
			"family": s.family, "other": s.other}); err != nil {
			return err
		}
	}
	for _, f := range b.faults {
		rule := map[string]any{"match": f.match, "no": b.No + f.letters, "fault": f.name, "times": 1}
		for k, v := range f.more {
			rule[k] = v
		}
		if err := post(ctx, f.base+"/_sim/faults", map[string]any{"plan": []any{rule}}); err != nil {
			return err
		}
	}
	return nil
}

// payable waits until the patient can pay: their page gets what it needs.
func (d *Day) payable(ctx context.Context, b *Bill) (tradeNo string, err error) {
	if err := d.reaches(ctx, b, "paying"); err != nil || b.Got != "paying" {
		return "", err
	}
	p, err := d.payer(ctx, b)
	if err != nil {
		return "", err
	}
	var shown struct {
		Pay *struct {
			Form string `json:"form"`
		} `json:"pay"`
	}
	if err := d.API.Call(ctx, "GET", "/api/hospay/payments/"+b.ID, p.Token, nil, &shown); err != nil {
		return "", err
	}
	if shown.Pay == nil || shown.Pay.Form == "" {
		return "", errors.New("支付页没有参数")
	}
	err = d.DB.Select("out_trade_no").From("payment_orders").Where(dbx.HashExp{"id": b.ID}).Row(&tradeNo)
	return tradeNo, err
}

// paid is a patient who pays.
func (d *Day) paid(ctx context.Context, b *Bill) error {
	no, err := d.payable(ctx, b)
	if err != nil || no == "" {
		return err
	}
	b.paid = true
	return post(ctx, d.channel(b)+"/_sim/pay/"+no, nil)
}

func (d *Day) channel(b *Bill) string {
	if b.Channel == "alipay" {
		return d.At.Alipay
	}
	return d.At.WeChat
}

// reaches waits until a payment is where it is wanted, or at its end, or the
// patience ends.
func (d *Day) reaches(ctx context.Context, b *Bill, want ...string) error {
	for end := d.Now().Add(patience); ; {
		if err := d.DB.Select("status").From("payment_orders").Where(dbx.HashExp{"id": b.ID}).Row(&b.Got); err != nil {
			return err
		}
		if slices.Contains(want, b.Got) || payment.Machine.Final(payment.Status(b.Got)) || d.Now().After(end) {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
}
