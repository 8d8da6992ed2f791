package demo

import (
	"context"
	"fmt"
	"time"

	"github.com/pocketbase/dbx"
)

func wish(channel, method string, fen int64) Wish {
	return Wish{Channel: channel, Method: method, Amount: fen}
}

// ordinary is what happens every day.
func (d *Day) ordinary(ctx context.Context) error {
	var tracks []*Track
	add := func(t *Track) { tracks = append(tracks, t) }
	for i := 1; i <= 18; i++ {
		no := fmt.Sprintf("P%04d", i)
		channel := []string{"wechat", "alipay"}[i%2]
		small := int64(2000 + 137*i)
		add(&Track{Title: "自动审核通过", Patient: no, Wish: wish(channel, "transfer", small), Want: "succeeded"})
		if i <= 6 {
			add(&Track{Title: "超过自动审核金额，人工审核", Patient: no, Wish: wish(channel, "transfer", 20100+small), Want: "succeeded"})
		}
	}
	for i := 1; i <= 8; i++ {
		no := fmt.Sprintf("P%04d", i)
		if ch, amount := d.recentPayment(ctx, no, []string{"wechat", "alipay"}[i%2]); ch != "" {
			add(&Track{Title: "一年内缴费，原路退回", Patient: no, Wish: wish(ch, "original", amount), Want: "succeeded"})
		}
	}
	add(&Track{Title: "审核驳回，余额退回就诊卡", Patient: "P0009", Wish: wish("wechat", "transfer", 30500), Want: "rejected", reject: "证件照片不清晰，请重新提交"})
	add(&Track{Title: "审核驳回，余额退回就诊卡", Patient: "P0010", Wish: wish("alipay", "transfer", 30600), Want: "rejected", reject: "请先结清未缴费用"})
	add(&Track{Title: "收款账户实名不符，渠道拒绝", Patient: "P0019", Wish: wish("alipay", "transfer", 1900), Want: "failed"})
	add(&Track{Title: "收款账户实名不符，渠道拒绝", Patient: "P0020", Wish: wish("wechat", "transfer", 2000), Want: "failed"})
	add(&Track{Title: "收款人不是本人，不受理", Patient: "P0011", Wish: Wish{Channel: "wechat", Method: "transfer", Amount: 1000,
		Changes: map[string]any{"payee_name": "测试某某"}}, Want: "name_mismatch", refused: true})
	add(&Track{Title: "超过可退余额，不受理", Patient: "P0012", Wish: wish("alipay", "transfer", 90_000_000), Want: "over_balance", refused: true})
	for i := 0; len(tracks)+14 < d.Orders; i++ {
		no := fmt.Sprintf("P%04d", 1+i%18)
		add(&Track{Title: "自动审核通过", Patient: no, Wish: wish([]string{"wechat", "alipay"}[i%2], "transfer", int64(100+i%50)), Want: "succeeded"})
	}
	if err := d.together(ctx, tracks); err != nil {
		return err
	}
	return d.cancelled(ctx)
}

// recentPayment finds a channel payment that can still go back the way it came,
// of the wished channel where there is one.
func (d *Day) recentPayment(ctx context.Context, no, wished string) (channel string, amount int64) {
	p, err := d.person(ctx, no, "wechat")
	if err != nil {
		return "", 0
	}
	var cards struct {
		Cards []struct {
			No       string `json:"card_no"`
			Deposits []struct {
				Channel    string    `json:"channel"`
				Refundable int64     `json:"refundable"`
				PaidAt     time.Time `json:"paid_at"`
			} `json:"deposits"`
		} `json:"cards"`
	}
	if err := d.API.Call(ctx, "GET", "/api/hospay/cards", p.Token, nil, &cards); err != nil {
		return "", 0
	}
	for _, c := range cards.Cards {
		for _, dep := range c.Deposits {
			if c.No == p.Cards[0] && (dep.Channel == "wechat" || dep.Channel == "alipay") && d.Now().Sub(dep.PaidAt) < 300*24*time.Hour &&
				dep.Refundable > 1000 {
				if channel != wished {
					channel, amount = dep.Channel, dep.Refundable/4
				}
			}
		}
	}
	return channel, amount
}

// cancelled are the patients who change their minds.
func (d *Day) cancelled(ctx context.Context) error {
	early := &Track{Title: "患者在审核前撤销", Patient: "P0013", Wish: wish("wechat", "transfer", 40000), Want: "cancelled", leave: true}
	late := &Track{Title: "患者在确认收款前撤销", Patient: "P0014", Wish: wish("wechat", "transfer", 1500), Want: "cancelled", silent: true}
	for t, at := range map[*Track]string{early: "reviewing", late: "awaiting_payee"} {
		if err := d.apply(ctx, t); err != nil {
			return err
		}
		if err := d.settle(ctx, t, at, patience); err != nil {
			return err
		}
		p, err := d.person(ctx, t.Patient, t.Wish.Channel)
		if err != nil {
			return err
		}
		if err := d.API.Call(ctx, "POST", "/api/hospay/refunds/"+t.Order.ID+"/cancel", p.Token, nil, nil); err != nil {
			return fmt.Errorf("%s：%w", t.Title, err)
		}
		if err := d.finish(ctx, t); err != nil {
			return err
		}
	}
	return nil
}

func (d *Day) finish(ctx context.Context, t *Track) error {
	err := d.settle(ctx, t, t.Want, patience)
	d.say(fmt.Sprintf("   %s  %s %s %s  → %s", pad(t.Order.No, 21), t.Patient, pad(route(t.Wish), 12), pad(t.Title, 40), t.Got))
	return err
}

// fault is one planned misbehaviour of the other side.
type fault struct {
	title, base, match, name string
	wish                     Wish
	patient                  string
}

// faults are the answers that get lost or lie. Each of these orders must end
// as if nothing had happened.
func (d *Day) faults(ctx context.Context) error {
	his, wx, ali := d.At.HIS, d.At.WeChat, d.At.Alipay
	for _, f := range []fault{
		{"HIS 扣款成功但应答丢失", his, "debit", "timeout_after", wish("wechat", "transfer", 3101), "P0001"},
		{"HIS 连接中断，未扣款", his, "debit", "timeout_before", wish("alipay", "transfer", 3102), "P0002"},
		{"HIS 应答后扣款才落账", his, "debit", "late_debit", wish("wechat", "transfer", 3103), "P0003"},
		{"微信受理后应答丢失", wx, "transfer", "timeout_after", wish("wechat", "transfer", 3104), "P0004"},
		{"微信连接中断，未受理", wx, "transfer", "timeout_before", wish("wechat", "transfer", 3112), "P0012"},
		{"支付宝连接中断，未付款", ali, "transfer", "timeout_before", wish("alipay", "transfer", 3113), "P0013"},
		{"微信返回 500 但已受理", wx, "transfer", "500_after", wish("wechat", "transfer", 3105), "P0005"},
		{"微信应答签名错误", wx, "transfer", "bad_signature", wish("wechat", "transfer", 3106), "P0006"},
		{"微信返回未公布的错误码", wx, "transfer", "unknown_code_after", wish("wechat", "transfer", 3107), "P0007"},
		{"支付宝付款后应答丢失", ali, "transfer", "timeout_after", wish("alipay", "transfer", 3108), "P0008"},
		{"支付宝返回 SYSTEM_ERROR 但已付款", ali, "transfer", "system_error_after", wish("alipay", "transfer", 3109), "P0009"},
		{"支付宝应答签名错误", ali, "transfer", "bad_signature", wish("alipay", "transfer", 3110), "P0010"},
		{"微信回调一次也没来", wx, "callback", "no_callback", wish("wechat", "transfer", 3111), "P0011"},
	} {
		t := &Track{Title: f.title, Patient: f.patient, Wish: f.wish, Want: "succeeded", slow: true}
		err := d.withFault(ctx, f.base, map[string]any{"match": f.match, "nth": 1, "fault": f.name, "times": 1}, func() error {
			return d.run(ctx, t)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (d *Day) withFault(ctx context.Context, base string, rule map[string]any, f func() error) error {
	if err := post(ctx, base+"/_sim/faults", map[string]any{"plan": []any{rule}}); err != nil {
		return err
	}
	if err := f(); err != nil {
		return err
	}
	return remove(ctx, base+"/_sim/faults")
}

// money is about the merchant's account and the payee's.
func (d *Day) money(ctx context.Context) error {
	if err := d.notEnough(ctx); err != nil {
		return err
	}
	replay := &Track{Title: "同一回调重复投递", Patient: "P0012", Wish: wish("wechat", "transfer", 3201), Want: "succeeded"}
	if err := d.withFault(ctx, d.At.WeChat, map[string]any{"match": "callback", "nth": 1, "fault": "duplicate_callback", "times": 1},
		func() error { return d.run(ctx, replay) }); err != nil {
		return err
	}
	bounced := &Track{Title: "到账后被收款账户退回", Patient: "P0013", Wish: wish("alipay", "transfer", 3202), Want: "succeeded"}
	if err := d.run(ctx, bounced); err != nil {
		return err
	}
	if err := post(ctx, d.At.Alipay+"/_sim/return/"+bounced.Order.No+"T01", nil); err != nil {
		return err
	}
	return d.compensated(ctx, bounced)
}

func (d *Day) notEnough(ctx context.Context) error {
	var had struct {
		Amount int64 `json:"amount"`
	}
	if err := get(ctx, d.At.WeChat+"/_sim/balance", &had); err != nil {
		return err
	}
	if err := post(ctx, d.At.WeChat+"/_sim/balance", map[string]any{"amount": 0}); err != nil {
		return err
	}
	t := &Track{Title: "商户账户余额不足，充值后自动继续", Patient: "P0014", Wish: wish("wechat", "transfer", 3200), Want: "succeeded"}
	if err := d.apply(ctx, t); err != nil {
		return err
	}
	if err := d.waitFor(ctx, "transfer_orders", dbx.HashExp{"order": t.Order.ID, "state": "held"}); err != nil {
		return err
	}
	if err := post(ctx, d.At.WeChat+"/_sim/balance", map[string]any{"amount": max(had.Amount, 100_000_000)}); err != nil {
		return err
	}
	return d.finish(ctx, t)
}

// compensated waits for the order that restores a returned payout.
func (d *Day) compensated(ctx context.Context, of *Track) error {
	where := dbx.HashExp{"compensates": of.Order.ID}
	if err := d.waitFor(ctx, "refund_orders", where); err != nil {
		return err
	}
	t := &Track{Title: "退回的款项补回就诊卡", Patient: of.Patient, Wish: of.Wish, Want: "failed"}
	var row struct {
		ID string `db:"id"`
		No string `db:"no"`
	}
	if err := d.DB.Select("id", "no").From("refund_orders").Where(where).One(&row); err != nil {
		return err
	}
	t.Order = Order{ID: row.ID, No: row.No, Amount: of.Order.Amount}
	d.mu.Lock()
	d.tracks = append(d.tracks, t)
	d.mu.Unlock()
	return d.finish(ctx, t)
}

// waitFor waits for a row; its absence shows later, in what became of the
// order.
func (d *Day) waitFor(ctx context.Context, table string, where dbx.Expression) error {
	for end := d.Now().Add(patience); d.Now().Before(end); {
		var n int
		if err := d.DB.Select("COUNT(*)").From(table).Where(where).Row(&n); err != nil {
			return err
		}
		if n > 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
	return nil
}

// expiry lets confirmations lapse and applies again.
func (d *Day) expiry(ctx context.Context) error {
	lapsed := []*Track{
		{Title: "24 小时未确认收款，过期退回", Patient: "P0015", Wish: wish("wechat", "transfer", 3301), Want: "failed", silent: true},
		{Title: "24 小时未确认收款，过期退回", Patient: "P0016", Wish: wish("wechat", "transfer", 3302), Want: "failed", silent: true},
	}
	for _, t := range lapsed {
		if err := d.apply(ctx, t); err != nil {
			return err
		}
		if err := d.settle(ctx, t, "awaiting_payee", patience); err != nil {
			return err
		}
	}
	if err := post(ctx, d.At.WeChat+"/_sim/clock", map[string]any{"advance": "25h"}); err != nil {
		return err
	}
	for _, t := range lapsed {
		if err := d.finish(ctx, t); err != nil {
			return err
		}
	}
	return d.run(ctx, &Track{Title: "过期后重新申请并确认", Patient: "P0015", Wish: wish("wechat", "transfer", 3301), Want: "succeeded"})
}
