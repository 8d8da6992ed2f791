package soap_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestField_AmountsOfOracle: .85 is 0.85, and a deposit that cannot be read
// leaves the card and its other deposits as they are.
func TestField_AmountsOfOracle(t *testing.T) {
	item := func(no, amount, at string) string {
		return "<Item><DepositNo>" + no + "</DepositNo><Amount>" + amount + "</Amount><Refundable>" + amount +
			"</Refundable><PayMethod>微信小程序</PayMethod><PaidAt>" + at + "</PaidAt></Item>"
	}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked, _ := io.ReadAll(r.Body)
		answer := "<CardNo>C0001</CardNo><CardName>欧阳·甲</CardName><Balance>.85</Balance><Refundable>.85</Refundable>"
		if strings.Contains(string(asked), "QueryDeposits") {
			answer = "<CardNo>C0001</CardNo><Deposits>" + item("D1", ".85  ", "23-11月-26 10.00.00 上午") + item("D2", "-", "2026-11-23") +
				"</Deposits>"
		}
		_, _ = io.WriteString(w, wrap("utf-8", "<Response><ResultCode>0000</ResultCode>"+answer+"</Response>"))
	}))
	defer srv.Close()
	c, err := open(t, mapping(t, "utf8"), srv.URL).Card(t.Context(), "C0001")
	if err != nil || c.Balance != 85 || len(c.Deposits) != 1 || len(c.Unread) != 1 {
		t.Fatalf("%+v %v", c, err)
	}
	if d := c.Deposits[0]; d.Refundable != 85 || d.Channel != "wechat" || d.Payment.PaidAt.Hour() != 10 {
		t.Errorf("%+v", d)
	}
}
