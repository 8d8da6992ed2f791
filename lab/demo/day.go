package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/pocketbase/dbx"
	"golang.org/x/sync/errgroup"
)

// Day plays the scripted day: patients apply, people review, payees confirm,
// and the other sides fail in every way that the script knows.
type Day struct {
	API    *API
	At     Endpoints
	DB     dbx.Builder // of the program, to look at numbers
	Out    io.Writer
	Date   string // the business day, Beijing
	Now    func() time.Time
	Orders int // at least so many; the script itself has more than forty
	Log    func(string)

	mu       sync.Mutex
	tracks   []*Track
	bills    []*Bill
	byID     map[string]*Track
	reviewer string
	second   string // the reviewer who gives second reviews
	patients map[string]*Person
}

// Track is one order of the day and what must become of it.
type Track struct {
	Title   string
	Patient string
	Wish    Wish
	Order   Order
	Want    string // final state; with refusals the error code
	Got     string
	reject  string // note of the rejection
	leave   bool   // nobody reviews it
	silent  bool   // the payee does not confirm
	refused bool   // hospay does not take the application
	slow    bool   // the payee takes time, so that hospay must find out by itself
	since   time.Time
}

// Tracks returns the orders of the day in the order in which they were made.
func (d *Day) Tracks() []*Track {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]*Track{}, d.tracks...)
}

// Mismatches lists the orders that did not end as the script says.
func (d *Day) Mismatches() []string {
	var out []string
	for _, t := range d.Tracks() {
		if t.Got != t.Want {
			out = append(out, fmt.Sprintf("剧本 · %s · %s：应为 %s，实为 %s", t.Order.No, t.Title, t.Want, t.Got))
		}
	}
	for _, b := range d.Bills() {
		if b.Got != b.Want {
			out = append(out, fmt.Sprintf("剧本 · %s · %s：应为 %s，实为 %s", b.No, b.Title, b.Want, b.Got))
		}
	}
	return out
}

// Play runs the day to its end.
func (d *Day) Play(ctx context.Context) error {
	d.byID, d.patients = map[string]*Track{}, map[string]*Person{}
	var err error
	if d.reviewer, err = d.API.Staff(ctx, "reviewer1"); err != nil {
		return err
	}
	if d.second, err = d.API.Staff(ctx, "reviewer2"); err != nil {
		return err
	}
	hands, stop := context.WithCancel(ctx)
	defer stop()
	var wg sync.WaitGroup
	wg.Go(func() { d.every(hands, 200*time.Millisecond, d.review) })
	wg.Go(func() { d.every(hands, 300*time.Millisecond, d.confirm) })
	defer wg.Wait()
	defer stop()
	for _, act := range []struct {
		title string
		play  func(context.Context) error
	}{
		{"平常的一天：两个渠道、两种方式、自动与人工审核", d.ordinary},
		{"亲友代办：材料、审核、代为申请", d.proxies},
		{"两个人的事：大额复核、挂账处理", d.people},
		{"超时、断线、假签名：结果未知时先查询", d.faults},
		{"余额不足后充值、重复回调、款项被退回", d.money},
		{"缴费：挂号和门诊、自费和医保、两个渠道", d.payments},
		{"缴费：退费、撤销、过期、亲情付", d.paymentsBack},
		{"缴费：应答丢失、回调丢失、HIS 不收", d.paymentFaults},
		{"待确认收款过期，重新申请", d.expiry}, // last: a day passes at WeChat
	} {
		d.say("── " + act.title)
		if err := act.play(ctx); err != nil {
			return err
		}
	}
	return nil
}

// OpenBills lets the simulators give out the bills of a day that is not over.
func (d *Day) OpenBills(ctx context.Context) error {
	for _, base := range []string{d.At.WeChat, d.At.Alipay} {
		if err := post(ctx, base+"/_sim/settings", map[string]any{"bill_any_day": true}); err != nil {
			return err
		}
	}
	return nil
}

func (d *Day) say(s string) {
	if d.Log != nil {
		d.Log(s)
	}
}

func (d *Day) every(ctx context.Context, gap time.Duration, f func(context.Context)) {
	tick := time.NewTicker(gap)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			f(ctx)
		}
	}
}

func (d *Day) person(ctx context.Context, no, via string) (*Person, error) {
	return d.personOn(ctx, no, via, no)
}

// personOn is a person who uses somebody's phone.
func (d *Day) personOn(ctx context.Context, no, via, phone string) (*Person, error) {
	key := no + via + phone
	d.mu.Lock()
	p := d.patients[key]
	d.mu.Unlock()
	if p != nil {
		return p, nil
	}
	p, err := d.API.LoginOn(ctx, d.At.Portal, no, via, phone)
	if err != nil {
		return nil, fmt.Errorf("%s 登录：%w", no, err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.patients[key] = p
	return p, nil
}

// apply sends the application of a track.
func (d *Day) apply(ctx context.Context, t *Track) error {
	p, err := d.person(ctx, t.Patient, t.Wish.Channel)
	if err != nil {
		return err
	}
	o, err := d.API.Apply(ctx, p, t.Wish)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.tracks = append(d.tracks, t)
	var refusal *APIError
	switch {
	case errors.As(err, &refusal):
		t.Got = refusal.Code
		return nil
	case err != nil:
		return err
	}
	t.Order, t.since = o, d.Now()
	d.byID[o.ID] = t
	return nil
}

// settle waits until an order is where the script wants it, or the patience
// ends; the state is kept either way.
func (d *Day) settle(ctx context.Context, t *Track, want string, patience time.Duration) error {
	if t.refused || t.Order.ID == "" {
		return nil
	}
	end := d.Now().Add(patience)
	for {
		o, err := d.read(t.Order.ID)
		if err != nil {
			return err
		}
		t.Got = o
		if o == want || d.Now().After(end) {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func (d *Day) read(id string) (string, error) {
	var status string
	err := d.DB.Select("status").From("refund_orders").Where(dbx.HashExp{"id": id}).Row(&status)
	return status, err
}

const patience = 25 * time.Second

// run applies and waits for the end.
func (d *Day) run(ctx context.Context, t *Track) error {
	if err := d.apply(ctx, t); err != nil {
		return err
	}
	err := d.settle(ctx, t, t.Want, patience)
	d.say(fmt.Sprintf("   %s  %s %s %s  → %s", pad(t.Order.No, 21), t.Patient, pad(route(t.Wish), 12), pad(t.Title, 40), t.Got))
	return err
}

// together runs tracks at the same time; those of one patient follow each
// other, since a card has one refund at a time.
func (d *Day) together(ctx context.Context, tracks []*Track) error {
	queues := map[string][]*Track{}
	var order []string
	for _, t := range tracks {
		if queues[t.Patient] == nil {
			order = append(order, t.Patient)
		}
		queues[t.Patient] = append(queues[t.Patient], t)
	}
	g, ctx := errgroup.WithContext(ctx)
	for _, no := range order {
		g.Go(func() error {
			for _, t := range queues[no] {
				if err := d.run(ctx, t); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return g.Wait()
}

// review decides on what waits for people, as the script says.
func (d *Day) review(ctx context.Context) {
	var rows []struct {
		ID    string `db:"id"`
		Stage string `db:"stage"`
	}
	if err := d.DB.Select("id", "stage").From("refund_orders").Where(dbx.HashExp{"status": "reviewing", "next_at": ""}).Limit(50).
		All(&rows); err != nil {
		return
	}
	for _, r := range rows {
		d.mu.Lock()
		t := d.byID[r.ID]
		d.mu.Unlock()
		if t == nil || t.leave {
			continue
		}
		body, token := map[string]any{"order": r.ID, "decision": "approve", "stage": r.Stage}, d.reviewer
		if r.Stage == "second" {
			token = d.second
		}
		if t.reject != "" {
			body["decision"], body["note"] = "reject", t.reject
		}
		_ = d.API.Call(ctx, "POST", "/api/collections/reviews/records", token, body, nil)
	}
}

// slowPayee is how long a payee takes where the other side has failed.
const slowPayee = 2500 * time.Millisecond

// confirm lets the payees confirm every WeChat number that was ever written
// down, whatever the program thinks of it: that is what real people do.
func (d *Day) confirm(ctx context.Context) {
	var rows []struct {
		Order string `db:"order"`
		No    string `db:"out_bill_no"`
	}
	err := d.DB.NewQuery("SELECT t.`order`, t.out_bill_no FROM transfer_orders t WHERE t.channel = 'wechat' AND t.method = 'transfer' AND " +
		"t.state != 'done' AND t.sent_at != ''").All(&rows)
	if err != nil {
		return
	}
	for _, r := range rows {
		d.mu.Lock()
		t := d.byID[r.Order]
		d.mu.Unlock()
		if t != nil && !t.silent && (!t.slow || d.Now().Sub(t.since) > slowPayee) {
			_ = post(ctx, d.At.WeChat+"/_sim/confirm/"+r.No, nil)
		}
	}
}
