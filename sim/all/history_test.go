package all_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
	"time"

	"hospay/internal/testday"
	"hospay/sim"
	"hospay/sim/all"
)

// TestHistory_StandsInLedgersAndLeavesBalances: what is told of the past is in
// the ledgers with its times, told twice it is there once, and the accounts
// hold what they held.
func TestHistory_StandsInLedgersAndLeavesBalances(t *testing.T) {
	s := start(t, all.Options{Seed: 3})
	who := s.World.Find("P0001")
	at := testday.Now().AddDate(0, 0, -3).Format(time.RFC3339)
	wechat, alipay, card := s.WeChat.Balance(""), s.Alipay.Balance(""), s.HIS.Balance("C0001")
	pay := fmt.Sprintf(`{"at":%q,"kind":"pay","no":"YJ1","channel_no":"4200X","party":%q,"amount":9000},{"at":%q,"kind":"refund",`+
		`"no":"R2T01","of":"YJ1","party":"x","amount":400}`, at, who.Openid, at)
	for base, body := range map[string]string{
		s.WeChat.URL(): fmt.Sprintf(`{"entries":[{"at":%q,"kind":"transfer","no":"R1T01","party":%q,"amount":300},%s,{"at":%q,"kind":"transfer",`+
			`"no":"X","party":"x","amount":5,"only":"bill"}]}`, at, who.Openid, pay, at),
		s.Alipay.URL(): fmt.Sprintf(`{"entries":[{"at":%q,"kind":"transfer","no":"R1T01","party":%q,"amount":300},%s]}`, at, who.AlipayLogon,
			pay),
		s.HIS.URL(): fmt.Sprintf(`{"entries":[{"at":%q,"kind":"debit","no":"R1D01","order_no":"R1","party":"C0001","amount":300,`+
			`"bill_amount":301},{"at":%q,"kind":"debit","no":"R2D01","party":"C0001","amount":400},{"at":%q,"kind":"reverse","no":"R1D01",`+
			`"party":"C0001","amount":300}]}`,
			at, at, at),
	} {
		post(t, base+"/_sim/history", body, 200)
		post(t, base+"/_sim/history", body, 200)
		post(t, base+"/_sim/history", `{"entries":[{"at":"2199-01-01T00:00:00Z","kind":"transfer","no":"R9","amount":1}]}`, 400)
		post(t, base+"/_sim/history", fmt.Sprintf(`{"entries":[{"at":%q,"kind":"refund","no":"R9","of":"none","amount":1}]}`, at), 400)
		rows := ledger(t, base)
		if len(rows) != 3 {
			t.Errorf("%s: %+v", base, rows)
		}
		for _, e := range rows {
			if e.At.Format(time.RFC3339) != rows[0].At.Format(time.RFC3339) || testday.Now().Sub(e.At) < 70*time.Hour {
				t.Errorf("%s: %s at %s", base, e.No, e.At)
			}
		}
	}
	if s.WeChat.Balance("") != wechat || s.Alipay.Balance("") != alipay || s.HIS.Balance("C0001") != card {
		t.Error("the past changed what is there today")
	}
}

func ledger(t *testing.T, base string) []sim.Entry {
	t.Helper()
	res, err := http.Get(base + "/_sim/ledger")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var v struct {
		Entries []sim.Entry `json:"entries"`
	}
	if err := json.NewDecoder(res.Body).Decode(&v); err != nil {
		t.Fatal(err)
	}
	return v.Entries
}
