package store_test

import (
	"fmt"
	"testing"

	"hospay/lab/testapp"
	"hospay/refund"
)

// TestClaim_OneUnreadableOrderStopsNobody spoils the sealed name of the oldest
// order; the others go on.
func TestClaim_OneUnreadableOrderStopsNobody(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	var ids []string
	for i := range 4 {
		ids = append(ids, a.Login(fmt.Sprintf("P%04d", i+1), "alipay").Apply("alipay", "transfer", 1000, nil).Text("id"))
	}
	for _, sql := range []string{
		"DROP TRIGGER guard_order_fixed", "UPDATE refund_orders SET payee_name_sealed = 'spoiled' WHERE id = '" + ids[0] + "'",
	} {
		if _, err := a.Runtime.App.NonconcurrentDB().NewQuery(sql).Execute(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := a.Worker.Drain(t.Context()); err == nil {
		t.Error("nobody was told of the order that cannot be read")
	}
	for _, id := range ids[1:] {
		if s := a.Order(id).Order.Status; s != refund.StatusReviewing {
			t.Errorf("order is %s", s)
		}
	}
}
