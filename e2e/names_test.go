package e2e

import (
	"strings"
	"testing"

	"hospay/internal/vault"
	"hospay/lab/testapp"
	"hospay/refund"
)

// TestApply_ANameIsOneHoweverItIsTyped: dots, blanks, case and width do not
// refuse anybody, nor does the form of a phone number; the channel gets the
// name as it writes names.
func TestApply_ANameIsOneHoweverItIsTyped(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	reviewer := a.Staff("reviewer1")
	for i, c := range []struct{ patient, typed, phone string }{
		{"P0005", " 阿依古丽 . 买买提", "+86 %s"}, {"P0015", "迪丽努尔。艾合买提", "86%s"}, {"P0014", "ｍａｒｉａ　Santos", "%s "}, {"P0016", "欧阳　文博", "%s"},
	} {
		p := a.Login(c.patient, "wechat")
		id := apply(t, p, "wechat", "transfer", int64(1100+i), map[string]any{
			"payee_name": c.typed, "notify_phone": strings.Replace(c.phone, "%s", p.Phone[:3]+"-"+p.Phone[3:7]+" "+p.Phone[7:], 1)})
		o := a.Order(id).Order
		phone, err := a.Store.Phone(t.Context(), id, o.Patient)
		if o.Payee.Name != p.Name || err != nil || phone != p.Phone {
			t.Errorf("%s: the order pays %q at %q: %v", c.patient, o.Payee.Name, phone, err)
		}
		if mask := mustRecord(t, a, "refund_orders", id).GetString("payee_name"); mask != vault.MaskName(p.Name) {
			t.Errorf("%s: the list says %q", c.patient, mask)
		}
		a.Drain()
		a.Review(reviewer, id, "approve", "")
		a.Drain()
		wantStatus(t, a, id, refund.StatusAwaitingPayee)
	}
}
