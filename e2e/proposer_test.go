package e2e

import (
	"testing"

	"hospay/collections"
	"hospay/refund"
)

// What may happen to a proposer before somebody else confirms.
var gone = map[string]map[string]any{"停用": {"active": false}, "失去角色": {"roles": []string{"cashier"}}}

// TestConfig_ProposerWithoutTheRoleIsRefused: whoever may no longer configure
// has no change that others can confirm; it can be rejected.
func TestConfig_ProposerWithoutTheRoleIsRefused(t *testing.T) {
	for name, now := range gone {
		d := newDesk(t)
		change := d.propose(d.config, "institutions", d.Institution, map[string]any{"debit_at": "approval"})
		wantState(t, "propose", change, "waiting")
		set(t, d.App, collections.Staff, `email = "config@demo.hospay"`, now)
		wantCode(t, name, d.decide(d.finance, change, "confirm"), 409, "proposer_gone")
		if n := d.count(t, "SELECT COUNT(*) FROM institutions WHERE debit_at = 'approval'"); n != 0 {
			t.Errorf("%s: the change was written", name)
		}
		wantState(t, name, d.decide(d.finance, change, "reject"), "rejected")
	}
}

// TestSuspense_ProposerWithoutTheRoleIsRefused is the same on the desk, where
// the proposal can be withdrawn by somebody else and made again.
func TestSuspense_ProposerWithoutTheRoleIsRefused(t *testing.T) {
	for name, now := range gone {
		a := irreversible(t)
		id, reviewer := lapsed(t, a, "P0001").Order.ID, a.Staff("reviewer1")
		pay := map[string]any{"action": "pay_again", "reason": "患者确认仍要收款"}
		if res := onDesk(a, a.Staff("finance"), id, "propose", pay); res.Status != 200 {
			t.Fatalf("propose: %d %s", res.Status, res.Raw)
		}
		set(t, a, collections.Staff, `email = "finance@demo.hospay"`, now)
		wantRefusal(t, name, onDesk(a, reviewer, id, "confirm", map[string]any{"action": "pay_again"}), 409, "proposer_gone")
		wantStatus(t, a, id, refund.StatusSuspense)
		if res := onDesk(a, reviewer, id, "withdraw", map[string]any{"note": "提出人已离岗"}); res.Status != 200 {
			t.Fatalf("withdraw: %d %s", res.Status, res.Raw)
		}
		onDesk(a, a.Staff("reviewer2"), id, "propose", pay)
		if res := onDesk(a, reviewer, id, "confirm", map[string]any{"action": "pay_again"}); res.Status != 200 {
			t.Errorf("confirm: %d %s", res.Status, res.Raw)
		}
	}
}
