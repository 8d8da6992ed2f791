package demo

import (
	"context"
	"errors"
	"fmt"
)

// Leave leaves work on every desk for whoever looks around after the day: an
// application of a relative, a large refund after its first review, a transfer
// that waits for its payee, a suspended order with a proposal, a change of the
// configuration that waits for a second person. It stops nobody who applies.
func (d *Day) Leave(ctx context.Context) error {
	d.say("── 留给您处理的")
	if _, err := d.proxy(ctx, "P0011", "P0003", "elderly", nil); err != nil {
		return err
	}
	d.say("   代办申请一份，待审核")
	first := func(ctx context.Context, o Order) error {
		return d.API.Call(ctx, "POST", "/api/collections/reviews/records", d.reviewer, map[string]any{"order": o.ID, "decision": "approve"}, nil)
	}
	for _, left := range []struct {
		title, channel, state string
		fen                   int64
		then                  func(context.Context, Order) error
	}{
		{"大额退款，初审已通过，待复核", "alipay", "reviewing", SecondFrom + 8_800, first},
		{"微信转账，等待患者确认收款", "wechat", "awaiting_payee", 4_600, nil},
		{"渠道拒付且 HIS 拒绝撤销，已提出退回就诊卡，待另一人确认", "alipay", "suspense", 3_401, d.proposeRestore},
	} {
		if err := d.leave(ctx, left.title, left.channel, left.fen, left.state, left.then); err != nil {
			return fmt.Errorf("%s：%w", left.title, err)
		}
	}
	return d.leaveChange(ctx)
}

// leave lets somebody without a refund under way apply, and waits for a state.
func (d *Day) leave(ctx context.Context, title, channel string, fen int64, state string, then func(context.Context, Order) error) error {
	stuck := state == "suspense"
	if stuck {
		if err := post(ctx, d.At.HIS+"/_sim/settings", map[string]any{"reverse_supported": false}); err != nil {
			return err
		}
	}
	t := &Track{Title: title, Wish: wish(channel, "transfer", fen), silent: true}
	// From the last of the script's people down, so that it takes no more of
	// them than the simulators know, and leaves the first ones free.
	for no := 18; ; no-- {
		if t.Patient = fmt.Sprintf("P%04d", no); stuck {
			t.Patient = "P0019" // the channel refuses this one's account
		}
		p, err := d.person(ctx, t.Patient, channel)
		if err != nil {
			return err
		}
		t.Order, err = d.API.Apply(ctx, p, t.Wish)
		var refusal *APIError
		if errors.As(err, &refusal) && !stuck && no > 1 { // busy, or not enough on the card
			continue
		}
		if err != nil {
			return err
		}
		break
	}
	if err := d.settle(ctx, t, state, patience); err != nil {
		return err
	}
	if stuck {
		if err := post(ctx, d.At.HIS+"/_sim/settings", map[string]any{"reverse_supported": true}); err != nil {
			return err
		}
	}
	if t.Got != state {
		return fmt.Errorf("应为 %s，实为 %s", state, t.Got)
	}
	if then != nil {
		if err := then(ctx, t.Order); err != nil {
			return err
		}
	}
	d.say(fmt.Sprintf("   %s  %s %s", pad(t.Order.No, 21), t.Patient, title))
	return nil
}

// leaveChange proposes other rules, which finance may confirm.
func (d *Day) leaveChange(ctx context.Context) error {
	token, err := d.API.Staff(ctx, "config")
	if err != nil {
		return err
	}
	var config struct {
		Review struct {
			ID string `json:"id"`
		} `json:"review"`
	}
	if err := d.API.Call(ctx, "GET", "/api/hospay/config", token, nil, &config); err != nil {
		return err
	}
	err = d.API.Call(ctx, "POST", "/api/hospay/config/changes", token, map[string]any{
		"target": map[string]any{"collection": "review_settings", "id": config.Review.ID}, "values": map[string]any{"delay_seconds": 60},
		"note": "自动通过前留一分钟，便于撤销",
	}, nil)
	if err == nil {
		d.say("   配置变更一项，待另一人确认")
	}
	return err
}
