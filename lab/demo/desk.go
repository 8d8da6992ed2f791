package demo

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// SecondFrom is the amount (fen) from which the demo hospital wants a second
// review.
const SecondFrom = 50_000

// RefundAlone is how much of a payment (fen) one member of the demo's staff gives
// back without a second person.
const RefundAlone = 100_000

// ServicePhone is whom the patients of the demo call.
const ServicePhone = "0571-88880000"

// people are the orders that take two of them: a large refund with its second
// review, and a suspended one that finance and a reviewer settle.
func (d *Day) people(ctx context.Context) error {
	large := &Track{Title: "大额退款，初审后由另一人复核", Patient: "P0017", Wish: wish("alipay", "transfer", SecondFrom+100), Want: "succeeded"}
	if err := d.run(ctx, large); err != nil {
		return err
	}
	stranded := &Track{Title: "渠道拒付且 HIS 拒绝撤销，挂账后两人处理", Patient: "P0019", Wish: wish("alipay", "transfer", 3401), Want: "failed"}
	if err := post(ctx, d.At.HIS+"/_sim/settings", map[string]any{"reverse_supported": false}); err != nil {
		return err
	}
	if err := d.apply(ctx, stranded); err != nil {
		return err
	}
	if err := d.settle(ctx, stranded, "suspense", patience); err != nil {
		return err
	}
	if err := post(ctx, d.At.HIS+"/_sim/settings", map[string]any{"reverse_supported": true}); err != nil {
		return err
	}
	if err := d.twoSettle(ctx, stranded.Order); err != nil {
		return err
	}
	return d.finish(ctx, stranded)
}

// twoSettle lets finance propose to give the balance back, and a reviewer
// confirm it.
func (d *Day) twoSettle(ctx context.Context, o Order) error {
	if err := d.proposeRestore(ctx, o); err != nil {
		return err
	}
	if err := d.API.Call(ctx, "POST", "/api/hospay/desk/suspense/"+o.ID+"/confirm", d.second,
		map[string]any{"action": "restore", "note": "已核对两边记录"}, nil); err != nil {
		return fmt.Errorf("挂账确认：%w", err)
	}
	return nil
}

// proposeRestore lets finance propose to give the balance back. Right after the
// suspension a send may still be under way, so that finance has to try again.
func (d *Day) proposeRestore(ctx context.Context, o Order) error {
	finance, err := d.API.Staff(ctx, "finance")
	if err != nil {
		return err
	}
	body := map[string]any{"action": "restore", "reason": "HIS 已恢复撤销功能，退回就诊卡"}
	for end := d.Now().Add(patience); ; {
		err := d.API.Call(ctx, "POST", "/api/hospay/desk/suspense/"+o.ID+"/propose", finance, body, nil)
		var refusal *APIError
		if err == nil || !errors.As(err, &refusal) || refusal.Status != http.StatusConflict || d.Now().After(end) {
			if err != nil {
				err = fmt.Errorf("挂账提议：%w", err)
			}
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(200 * time.Millisecond):
		}
	}
}
