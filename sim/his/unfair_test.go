package his_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"hospay/sim/his"
	"hospay/sim/world"
)

func post(t *testing.T, s *his.Server, path, body string) {
	t.Helper()
	res, err := http.Post(s.URL()+path, "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if text, _ := io.ReadAll(res.Body); res.StatusCode != 200 {
		t.Fatalf("%s %s: %d %s", path, body, res.StatusCode, text)
	}
}

func plan(t *testing.T, s *his.Server, rule string) {
	t.Helper()
	post(t, s, "/_sim/faults", `{"plan":[`+rule+`]}`)
}

func debit(no string) string {
	return fmt.Sprintf(`{"our_no":%q,"order_no":"R","card_no":"C0001","amount":100,"method":"transfer","channel":"wechat"}`, no)
}

// A late request lands after its sender has asked and heard that there is nothing.
func TestLateRequests_LandWhenNobodyWaits(t *testing.T) {
	s := setup(t)
	before := s.Balance("C0001")
	for op, query := range map[string]string{"debit": "query_debit", "reverse": "query_reverse"} {
		if op == "reverse" {
			must(t, s, "debit", debit("L"+op), "0")
		}
		plan(t, s, fmt.Sprintf(`{"match":%q,"fault":"late_debit","delay_ms":3600000}`, op))
		if v, err := rest(t, s, op, debit("L"+op)); err == nil {
			t.Fatal(v.Raw)
		}
		must(t, s, query, `{"our_no":"L`+op+`"}`, "1007")
		post(t, s, "/_sim/clock", `{"advance":"59m"}`)
		must(t, s, query, `{"our_no":"L`+op+`"}`, "1007")
		post(t, s, "/_sim/clock", `{"advance":"1m"}`)
		must(t, s, query, `{"our_no":"L`+op+`"}`, "0")
	}
	if left := s.Balance("C0001"); left != before-100 {
		t.Error(before, left)
	}
}

// A code that the interface description lacks, at the debit and at the reversal.
func TestRefusals_UnlistedCodesAreForGood(t *testing.T) {
	s := setup(t)
	must(t, s, "debit", debit("U2"), "0")
	before := s.Balance("C0001")
	for fault, code := range map[string]string{"unknown_code": "8765", "invalid_request": "2001", "no_auth": "2002",
		"quota_exceeded": "2005", "refuse": "ORA-20001"} {
		for _, op := range []string{"debit", "reverse"} {
			plan(t, s, fmt.Sprintf(`{"match":%q,"fault":%q,"times":3,"code":"ORA-20001","message":"ORA-20001: 该患者已结算"}`, op, fault))
			for range 3 {
				must(t, s, op, debit(map[string]string{"debit": "U1", "reverse": "U2"}[op]), code)
			}
		}
		must(t, s, "query_debit", `{"our_no":"U1"}`, "1007")
		must(t, s, "query_reverse", `{"our_no":"U2"}`, "1007")
	}
	plan(t, s, `{"match":"debit","fault":"refuse","code":"77","message":"不行"}`)
	out := soap(t, s, "/soap/gbk", request("RefundDeposit",
		"<OurNo>U3</OurNo><OrderNo>R</OrderNo><CardNo>C0001</CardNo><Amount>1.00</Amount>"+
			"<Method>transfer</Method><Channel>wechat</Channel>"), true, false)
	if !strings.Contains(out, "<ResultCode>77</ResultCode><ResultMsg>不行</ResultMsg>") || s.Balance("C0001") != before {
		t.Error(out)
	}
}

func TestOddities_OneNumberForTwoDebitsAndATimeToCome(t *testing.T) {
	s := setup(t)
	first := must(t, s, "debit", debit("N1"), "0").Get("his_refund_no").String()
	plan(t, s, `{"match":"debit","fault":"same_number"}`)
	if second := must(t, s, "debit", debit("N2"), "0").Get("his_refund_no").String(); second != first {
		t.Error(first, second)
	}
	if asked := must(t, s, "query_debit", `{"our_no":"N2"}`, "0").Get("his_refund_no").String(); asked != first {
		t.Error("a query tells it, too:", asked)
	}
	if third := must(t, s, "debit", debit("N3"), "0").Get("his_refund_no").String(); third == first {
		t.Error("only once")
	}
	plan(t, s, `{"match":"debit","fault":"future_time"},{"match":"reverse","fault":"future_time"}`)
	for _, call := range [][2]string{{"debit", debit("N4")}, {"query_debit", `{"our_no":"N4"}`}, {"reverse", `{"our_no":"N4"}`},
		{"query_reverse", `{"our_no":"N4"}`}} {
		if at := must(t, s, call[0], call[1], "0").Get("time").String(); at != "2099-12-31 23:59:59" {
			t.Errorf("%s: %s", call[0], at)
		}
	}
	for _, e := range s.Ledger().Entries() {
		if e.At.Year() == 2099 || e.Party != "C0001" {
			t.Error("the ledger tells the truth:", e)
		}
	}
}

func TestLies_TellOneThingElse(t *testing.T) {
	s := setup(t)
	must(t, s, "debit", debit("V1"), "0")
	for _, op := range []string{"debit", "query_debit", "reverse"} {
		truth := must(t, s, map[string]string{"debit": "debit", "query_debit": "query_debit", "reverse": "query_debit"}[op],
			debit("V1"), "0")
		for fault, want := range map[string][2]string{"lie_payee": {"card_no", "C0002"}, "lie_no_payee": {"card_no", ""},
			"lie_number": {"our_no", "OTHERV1"},
			"lie_amount": {"amount", "200"}, "lie_no_amount": {"amount", ""}, "lie_zero_amount": {"amount", "0"},
			"lie_bad_amount": {"amount", "1,O0.5"}} {
			plan(t, s, fmt.Sprintf(`{"match":%q,"fault":%q}`, op, fault))
			lie := must(t, s, op, debit("V1"), "0")
			if got := lie.Get(want[0]); got.String() != want[1] || got.Exists() != (want[1] != "") ||
				lie.Get("his_refund_no").String() != truth.Get("his_refund_no").String() {
				t.Errorf("%s, %s: %s", op, fault, lie.Raw)
			}
		}
	}
	plan(t, s, `{"match":"query_debit","fault":"lie_amount"}`)
	if out := soap(t, s, "/soap/utf8", request("QueryRefund", "<OurNo>V1</OurNo>"), false, true); !strings.Contains(out,
		"<Amount>2.00</Amount>") {
		t.Error(out)
	}
}

// The HIS to which a hospital moves has the same patients and books of its own.
func TestSecond_KnowsNothingOfTheFirst(t *testing.T) {
	w := world.New(1, 20, time.Time{})
	one, two := his.New(w), his.Second(w)
	for _, s := range []*his.Server{one, two} {
		if err := s.Listen("127.0.0.1", 0); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
	}
	before := two.Balance("C0001")
	first := must(t, one, "debit", debit("H1"), "0").Get("his_refund_no").String()
	must(t, two, "query_debit", `{"our_no":"H1"}`, "1007")
	if two.Balance("C0001") != before || one.Balance("C0001") != before-100 || two.Ledger().Len() != 0 {
		t.Error("the books are not their own")
	}
	if second := must(t, two, "debit", debit("H1"), "0").Get("his_refund_no").String(); second == first {
		t.Error("numbers of two HIS are alike:", second)
	}
}
