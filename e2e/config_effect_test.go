package e2e

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"hospay/collections"
	"hospay/internal/vault"
	"hospay/refund"
)

// TestConfig_SwitchedOffMethodAndChannel: what is confirmed decides the next
// order.
func TestConfig_SwitchedOffMethodAndChannel(t *testing.T) {
	d := newDesk(t)
	p := d.Login("P0001", "wechat")
	change := d.propose(d.config, "institutions", d.Institution, map[string]any{"methods": []string{"original"}})
	wantState(t, "methods", d.decide(d.finance, change, "confirm"), "applied")
	wantRefusal(t, "转账停用", p.Apply("wechat", "transfer", 1000, nil), 400, "method_off")
	change = d.propose(d.config, "institutions", d.Institution, map[string]any{"methods": []string{"original", "transfer"}})
	wantState(t, "methods", d.decide(d.finance, change, "confirm"), "applied")
	change = d.propose(d.config, "channel_configs", d.id(t, collections.ChannelConfigs, `channel = "wechat"`), map[string]any{"active": false})
	wantState(t, "channel", d.decide(d.finance, change, "confirm"), "applied")
	wantRefusal(t, "渠道停用", p.Apply("wechat", "transfer", 1000, nil), 400, "channel_off")
}

// TestConfig_TwoConfirmationsAreOne lets many confirm at once.
func TestConfig_TwoConfirmationsAreOne(t *testing.T) {
	d := newDesk(t)
	change := d.propose(d.config, "institutions", d.Institution, map[string]any{"debit_at": "approval"})
	var done, conflicts atomic.Int32
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			switch res := d.decide(d.finance, change, "confirm"); {
			case res.Status == 200:
				done.Add(1)
			case res.Code() == "conflict":
				conflicts.Add(1)
			}
		})
	}
	wg.Wait()
	if done.Load() != 1 || conflicts.Load() != 7 {
		t.Errorf("%d confirmed, %d conflicts", done.Load(), conflicts.Load())
	}
	if n := d.count(t, "SELECT COUNT(*) FROM audit_log WHERE action = 'config.confirm'"); n != 1 {
		t.Errorf("%d audit entries", n)
	}
}

// TestConfig_WaitingChangesOutliveAFreezeAndNewKeys: neither a freeze of
// payouts nor a rotation of the keys is a change of what was proposed.
func TestConfig_WaitingChangesOutliveAFreezeAndNewKeys(t *testing.T) {
	d := newDesk(t)
	house := d.propose(d.config, "institutions", d.Institution, map[string]any{"debit_at": "approval"})
	if res := d.Call("POST", "/api/hospay/payouts/freeze", d.finance, map[string]any{"frozen": true, "note": "演练"}); res.Status != 200 {
		t.Fatalf("freeze: %d %s", res.Status, res.Raw)
	}
	wantState(t, "after a freeze", d.decide(d.finance, house, "confirm"), "applied")
	secret := d.propose(d.config, "channel_configs", d.id(t, collections.ChannelConfigs, `channel = "wechat"`),
		map[string]any{"secrets": map[string]any{"app_secret": "new-app-secret-0123456789"}})
	if err := d.Store.Vault().Rotate(vault.Secret); err != nil {
		t.Fatal(err)
	}
	if n, err := d.Store.Reseal(t.Context()); err != nil || n < 5 {
		t.Fatalf("resealed %d: %v", n, err)
	}
	c, err := d.Store.Change(d.Runtime.App, d.Institution, secret.Text("id"))
	if err != nil || d.Store.Vault().Stale(vault.Secret, c.Sealed) {
		t.Errorf("the waiting change was not resealed: %v", err)
	}
	wantState(t, "after new keys", d.decide(d.finance, secret, "confirm"), "applied")
}

// TestConfig_ANewChannelComesWithAllItsKeys creates a channel by proposal.
func TestConfig_ANewChannelComesWithAllItsKeys(t *testing.T) {
	d := newDesk(t)
	rec := mustRecord(t, d.App, collections.ChannelConfigs, d.id(t, collections.ChannelConfigs, `channel = "alipay"`))
	held, err := d.Store.RecordSecrets(rec)
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]any{"channel": "alipay", "merchant_id": rec.GetString("merchant_id"), "app_id": rec.GetString("app_id"),
		"api_base":    rec.GetString("api_base"),
		"notify_base": rec.GetString("notify_base"), "active": true, "settings": map[string]any{"single_limit": 7700}}
	wantCode(t, "without keys", d.propose(d.config, "channel_configs", "", values), 400, "config_invalid")
	values["secrets"] = held
	if res := d.Call("DELETE", "/api/collections/channel_configs/records/"+rec.Id, d.Superuser(), nil); res.Status != 204 {
		t.Fatalf("delete: %d %s", res.Status, res.Raw)
	}
	first, second := d.propose(d.config, "channel_configs", "", values), d.propose(d.config, "channel_configs", "", values)
	wantState(t, "new channel", d.decide(d.finance, first, "confirm"), "applied")
	wantCode(t, "a second one", d.decide(d.finance, second, "confirm"), 400, "config_invalid")
	paidOrder(t, d.App, "P0002", "alipay", 1000)
}

// TestConfig_ReasonsOfAReviewerAreTheHouses: the shipped reasons, until two people
// have said others; then a reviewer is offered those. Cleared, the shipped ones are back.
func TestConfig_ReasonsOfAReviewerAreTheHouses(t *testing.T) {
	d := newDesk(t)
	review := d.id(t, collections.ReviewSettings, `institution != ""`)
	order := apply(t, d.Login("P0001", "wechat"), "wechat", "transfer", 1000, nil)
	d.Drain()
	offered := func() string {
		t.Helper()
		res := d.Call("GET", "/api/hospay/refunds/"+order+"/facts", d.Staff("reviewer1"), nil)
		return fmt.Sprint(res.Body["reasons"])
	}
	shipped := fmt.Sprint(refund.DefaultReasons())
	if got := offered(); got != shipped {
		t.Errorf("shipped: %s", got)
	}
	for what, bad := range map[string][]string{"空的一条": {"请到窗口办理", " "}, "两次": {"请到窗口办理", "请到窗口办理"}} {
		wantCode(t, what, d.propose(d.config, "review_settings", review, map[string]any{"reject_reasons": bad}), 400, "config_invalid")
	}
	wantCode(t, "不是数组", d.propose(d.config, "review_settings", review, map[string]any{"reject_reasons": "请到窗口办理"}), 400, "config_invalid")
	own := []string{"请到窗口办理", "请先结清检查费"}
	change := d.propose(d.config, "review_settings", review, map[string]any{"reject_reasons": own})
	wantState(t, "proposed", change, "waiting")
	if got := offered(); got != shipped {
		t.Errorf("not yet confirmed: %s", got)
	}
	wantCode(t, "one's own", d.decide(d.config, change, "confirm"), 403, "self_confirm")
	wantState(t, "confirmed", d.decide(d.finance, change, "confirm"), "applied")
	d.Advance(2 * time.Second)
	if got := offered(); got != fmt.Sprint(own) {
		t.Errorf("confirmed: %s", got)
	}
	change = d.propose(d.config, "review_settings", review, map[string]any{"reject_reasons": []string{}})
	wantState(t, "cleared", d.decide(d.finance, change, "confirm"), "applied")
	d.Advance(2 * time.Second)
	if got := offered(); got != shipped {
		t.Errorf("cleared: %s", got)
	}
}
