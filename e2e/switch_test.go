package e2e

import (
	"testing"
	"time"

	"hospay/collections"
	"hospay/lab/testapp"
	"hospay/refund"
)

// TestChannel_SwitchedOffFinishesWhatIsUnderWay: a channel that is off takes no
// new orders, but those under way are asked for, told and paid.
func TestChannel_SwitchedOffFinishesWhatIsUnderWay(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	w := awaiting(t, a, a.Login("P0001", "wechat"))
	approved := apply(t, a.Login("P0002", "wechat"), "wechat", "transfer", 1000, nil)
	a.Drain()
	set(t, a, collections.ChannelConfigs, `channel = "wechat"`, map[string]any{"active": false})
	wantRefusal(t, "渠道停用", a.Login("P0003", "wechat").Apply("wechat", "transfer", 1000, nil), 400, "channel_off")
	if err := a.Sims.WeChat.Confirm(w.Transfer.No); err != nil {
		t.Fatal(err)
	}
	if status, answer := truth(t, w, "while-off", "SUCCESS").post(t, a); status != 200 {
		t.Errorf("callback: %d %s", status, answer)
	}
	a.Review(a.Staff("reviewer1"), approved, "approve", "")
	a.Drain()
	wantStatus(t, a, w.Order.ID, refund.StatusSucceeded)
	x := wantStatus(t, a, approved, refund.StatusAwaitingPayee)
	if err := a.Sims.WeChat.Confirm(x.Transfer.No); err != nil {
		t.Fatal(err)
	}
	a.Advance(time.Minute)
	a.Drain()
	wantStatus(t, a, approved, refund.StatusSucceeded)
}
