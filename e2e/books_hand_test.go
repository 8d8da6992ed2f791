package e2e

import (
	"strings"
	"testing"
)

// TestBooks_PaidByHandIsNamed goes the whole way: two people settle a lapsed
// order with a voucher; in the morning the books name it and say what to do.
func TestBooks_PaidByHandIsNamed(t *testing.T) {
	a := irreversible(t)
	toMorning(a)
	id := lapsed(t, a, "P0002").Order.ID
	if res := onDesk(a, a.Staff("finance"), id, "propose", map[string]any{"action": "paid_by_hand", "reason": "已在窗口付款",
		"evidence": "V1"}); res.Status != 200 {
		t.Fatalf("propose: %d %s", res.Status, res.Raw)
	}
	if res := onDesk(a, a.Staff("reviewer1"), id, "confirm", map[string]any{"action": "paid_by_hand", "note": "凭证已核"}); res.Status != 200 {
		t.Fatalf("confirm: %d %s", res.Status, res.Raw)
	}
	a.Drain()
	day, finance := clockDay(a), a.Staff("finance")
	toMorning(a)
	for range 3 {
		runJob(t, a, "statements")
	}
	runJob(t, a, "reconcile")
	found := differences(t, a, finance, "day="+day)
	if len(found) != 1 || found[0]["kind"] != "channel" || found[0]["state"] != "open" || found[0]["sign"] != "" ||
		!strings.Contains(found[0]["explain"].(string), "线下付款") {
		t.Fatalf("%s: %v\n%+v", day, found, dayView(t, a, finance, day))
	}
	if v := dayView(t, a, finance, day); v.Books["platform"].Count != 1 || v.Books["his"].Count != 1 || v.Books["wechat"].Count != 0 {
		t.Errorf("%+v", v.Books)
	}
}
