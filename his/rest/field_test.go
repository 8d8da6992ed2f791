package rest_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"hospay/calendar"
	"hospay/flow"
	"hospay/his"
	"hospay/his/rest"
	"hospay/money"
	"hospay/refund"
)

// answering is a HIS that gives each call one answer, in yuan.
func answering(t *testing.T, change func(mapping string) string, contentType string, answers map[string]string) his.HIS {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", contentType)
		_, _ = io.WriteString(w, answers[r.URL.Path])
	}))
	t.Cleanup(srv.Close)
	m := strings.Replace(mapping(t), `"unit": "fen"`, `"unit": "yuan"`, 1)
	if change != nil {
		m = change(m)
	}
	cfg := config(m, srv.URL)
	cfg.Now = func() time.Time { return time.Date(2026, 11, 28, 12, 0, 0, 0, calendar.Beijing) }
	h, err := rest.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func cardAnswers(balance, deposits string) map[string]string {
	return map[string]string{
		"/rest/balance":  `{"code":"0","data":{"card_no":"C0001","card_name":"欧阳·甲","balance":` + balance + `,"refundable":` + balance + `}}`,
		"/rest/deposits": `{"code":"0","data":{"card_no":"C0001","deposits":` + deposits + `}}`,
	}
}

func deposit(no, amount, at string) string {
	return fmt.Sprintf(
		`{"deposit_no":%q,"amount":%s,"refundable":%s,"pay_method":"WX","out_trade_no":"P1","transaction_id":"42","paid_at":%s}`, no, amount,
		amount, at)
}

// TestField_AmountsAndTimes: values as databases, Java and .NET print them.
func TestField_AmountsAndTimes(t *testing.T) {
	want := time.Date(2026, 11, 23, 10, 0, 0, 0, calendar.Beijing)
	for text, fen := range map[string]money.Fen{`".85"`: 85, "10000.000000000002": 1000000, "1.0E7": 1000000000, `"100.00元"`: 10000,
		`"  50.00  "`: 5000, "29.989999999999998": 2999} {
		for _, at := range []string{`"2026-11-23 10:00:00   "`, `"/Date(1795399200000)/"`, `"\/Date(1795399200000+0800)\/"`, "1795399200000",
			`1795399200`, `"20261123100000"`, `"2026/11/23 上午 10:00:00"`, `"2026-11-23T10:00:00"`, `"Mon Nov 23 10:00:00 CST 2026"`} {
			c, err := answering(t, nil, "application/json", cardAnswers(text, "["+deposit("D1", text, at)+"]")).Card(t.Context(), "C0001")
			if err != nil || c.Balance != fen || len(c.Unread) > 0 || len(c.Deposits) != 1 {
				t.Fatalf("%s %s: %+v %v", text, at, c, err)
			}
			if d := c.Deposits[0]; d.Refundable != fen || !d.Payment.PaidAt.Equal(want) {
				t.Errorf("%s %s: %+v", text, at, d)
			}
		}
	}
}

// TestField_OneOddDepositIsTold: it neither hides the card nor becomes a deposit
// of the year 1.
func TestField_OneOddDepositIsTold(t *testing.T) {
	good := deposit("D1", "100", `"2026-11-23 10:00:00"`)
	for odd, want := range map[string]string{
		deposit("D2", "100", `"soon"`): "paid_at", deposit("D2", "100", `"0001-01-01T00:00:00"`): "paid_at",
		deposit("D2", `"abc"`, `"2026-11-23"`): "amount",
		`{"deposit_no":"D2"}`:                  "amount", deposit("", "100", `"2026-11-23"`): "number",
	} {
		c, err := answering(t, nil, "application/json", cardAnswers("200", "["+odd+","+good+"]")).Card(t.Context(), "C0001")
		if err != nil || len(c.Deposits) != 1 || c.Deposits[0].No != "D1" || len(c.Unread) != 1 ||
			!strings.Contains(c.Unread[0], "deposits 1: ") || !strings.Contains(c.Unread[0], want) {
			t.Errorf("%s: %+v %v", odd, c, err)
		}
	}
	c, err := answering(t, nil, "application/json", cardAnswers("200", "["+good+","+deposit("D9", "-50", `"2026-11-23 10:00:00"`)+"]")).
		Card(t.Context(), "C0001")
	if err != nil || len(c.Deposits) != 1 || len(c.Unread) != 0 {
		t.Errorf("a deposit below zero: %+v %v", c, err)
	}
}

func TestField_FieldOfAnUnreadableAmountIsNamed(t *testing.T) {
	_, err := answering(t, nil, "application/json", cardAnswers(`"1.2.3"`, "[]")).Card(t.Context(), "C0001")
	if flow.CodeOf(err) != flow.CodeHISUnavailable || !strings.Contains(err.Error(), "balance") {
		t.Error(err)
	}
}

// TestField_RowsAsTheyAreConverted: what turns XML into JSON writes one row as
// an object and none as an empty text.
func TestField_RowsAsTheyAreConverted(t *testing.T) {
	one := deposit("D1", "100", `"2026-11-23 10:00:00"`)
	inner := func(m string) string {
		return strings.Replace(m, `"list": "data.deposits"`, `"list": "data.deposits.row"`, 1)
	}
	for _, c := range []struct {
		deposits string
		change   func(string) string
		want     int
	}{
		{one, nil, 1}, {"[" + one + "]", nil, 1}, {`""`, nil, 0}, {`"  "`, nil, 0}, {"null", nil, 0}, {"[]", nil, 0},
		{`{"row":` + one + `}`, inner, 1}, {`{"row":[` + one + "," + one + `]}`, inner, 2}, {`""`, inner, 0}, {`{"row":""}`, inner, 0},
		{`"x"`, nil, -1}, {"{}", nil, -1}, {"5", nil, -1}, {"{}", inner, -1},
	} {
		card, err := answering(t, c.change, "application/json", cardAnswers("200", c.deposits)).Card(t.Context(), "C0001")
		if (err != nil) != (c.want < 0) || err == nil && len(card.Deposits) != c.want {
			t.Errorf("%s: %+v %v, want %d", c.deposits, card, err, c.want)
		}
	}
}

// TestField_PaddedColumns: values of fixed width mean what they say.
func TestField_PaddedColumns(t *testing.T) {
	h := answering(t, nil, "application/json", map[string]string{
		"/rest/debit": `{"code":"0   ","data":{"our_no":"H1        ","his_refund_no":"HT1  ","card_no":"C0001   ","amount":" 1.00 ",` +
			`"status":"done  ","time":"2026-11-23 10:00:00 "}}`,
	})
	ans := h.Debit(t.Context(), refund.Debit{No: "H1", CardNo: "C0001", Amount: 100})
	if ans.Verdict != flow.Done || ans.HISNo != "HT1" || ans.CardNo != "C0001" || ans.At.IsZero() || ans.Unread != "" {
		t.Errorf("%+v", ans)
	}
}

// TestField_AmountsBelowZeroAreDeclared: without the setting they are other
// money, with it a positive amount is.
func TestField_AmountsBelowZeroAreDeclared(t *testing.T) {
	declare := func(m string) string {
		return strings.NewReplacer(`"path": "/rest/debit",`, `"path": "/rest/debit", "sign": "negative",`, `"path": "/rest/statement",`,
			`"path": "/rest/statement", "sign": "negative",`).Replace(m)
	}
	for amount, want := range map[string][2]bool{"-1.00": {false, true}, "1.00": {true, false}} {
		for i, change := range []func(string) string{nil, declare} {
			h := answering(t, change, "application/json", map[string]string{
				"/rest/debit": `{"code":"0","data":{"our_no":"H1","his_refund_no":"HT1","card_no":"C0001","amount":` + amount +
					`,"status":"done"}}`,
				"/rest/statement": `{"code":"0","data":{"date":"2026-11-23","total":2,"rows":[{"our_no":"H1","amount":` + amount +
					`,"time":"2026-11-23 10:00:00"},{"our_no":"H2","amount":"x","time":"?"}]}}`,
			})
			if ans := h.Debit(t.Context(), refund.Debit{No: "H1", CardNo: "C0001", Amount: 100}); (ans.Verdict == flow.Done) != want[i] {
				t.Errorf("%s, declared %v: %+v", amount, i == 1, ans)
			}
			var lines []refund.StatementLine
			if err := h.Statement(t.Context(), "2026-11-23", func(l refund.StatementLine) error {
				lines = append(lines, l)
				return nil
			}); err != nil {
				t.Fatal(err)
			}
			if odd := lines[len(lines)-1]; odd.No != "H2" || odd.Unread == "" || odd.Amount != 0 || !odd.At.IsZero() {
				t.Errorf("%+v", odd)
			}
			if i == 1 && (len(lines) == 2) != (amount == "-1.00") {
				t.Errorf("%s: %+v", amount, lines)
			}
		}
	}
}

// TestField_TheMappingsCharsetBeatsTheContentType, which servers set without
// looking at what they send.
func TestField_TheMappingsCharsetBeatsTheContentType(t *testing.T) {
	gbk := "\xc5\xb7\xd1\xf4\xa1\xa4\xbc\xd7" // 欧阳·甲
	for _, c := range []struct{ set, header, name, want string }{
		{"gbk", "application/json; charset=utf-8", gbk, "欧阳·甲"}, {"gbk", "application/json; charset=ISO-8859-1", gbk, "欧阳·甲"},
		{"utf-8", "application/json; charset=GBK", "欧阳·甲", "欧阳·甲"},
		{"", "application/json; charset=GBK", gbk, "欧阳·甲"}, {"", "text/html;charset=ISO-8859-1", "欧阳·甲", "欧阳·甲"}, {"", "", "欧阳·甲", "欧阳·甲"},
		{"", "", gbk, ""},
		{"gbk", "", gbk + "\xaa\xa1", "欧阳·甲\ue000"}, {"gbk", "", gbk + "\xfe\x59", "欧阳·甲龴"}, {"gbk", "", gbk + "\xff", ""},
	} {
		set := func(m string) string {
			if c.set == "" {
				return m
			}
			return strings.Replace(m, `"unit"`, `"charset": "`+c.set+`", "unit"`, 1)
		}
		h := answering(t, set, c.header, map[string]string{"/rest/identity": `{"code":"0","data":{"patient_id":"P1","name":"` + c.name +
			`","id_no":"1","id_type":"01","phone":""}}`})
		p, err := h.Person(t.Context(), refund.Identity{PatientNo: "P1"})
		if p.Name != c.want || (err == nil) != (c.want != "") {
			t.Errorf("%q %q: %q %v", c.set, c.header, p.Name, err)
		}
	}
}

// TestField_OneOddCharacterLosesItsFieldOnly.
func TestField_OneOddCharacterLosesItsFieldOnly(t *testing.T) {
	set := func(m string) string { return strings.Replace(m, `"unit"`, `"charset": "gbk", "unit"`, 1) }
	answers := cardAnswers("100", "["+deposit("D1", "100", `"2026-11-23"`)+`,{"deposit_no":"D`+"\xff"+
		`","amount":1,"refundable":1,"paid_at":"2026-11-23"}]`)
	for k, v := range answers {
		answers[k] = strings.ReplaceAll(v, "欧阳·甲", "a")
	}
	c, err := answering(t, set, "", answers).Card(t.Context(), "C0001")
	if err != nil || len(c.Deposits) != 1 || len(c.Unread) != 1 {
		t.Errorf("%+v %v", c, err)
	}
}

// TestField_DroppedConnections: a question is asked once more when the kept
// connection was dropped; a debit never is.
func TestField_DroppedConnections(t *testing.T) {
	var debits, drops atomic.Int32
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		if strings.HasPrefix(r.URL.Path, "/rest/debit") {
			debits.Add(1)
		}
		if seen, ok := r.Context().Value(connKey{}).(*atomic.Int32); ok && seen.Add(1) > 1 { // the second call on a connection
			drops.Add(1)
			conn, _, err := http.NewResponseController(w).Hijack()
			if err == nil {
				_ = conn.Close()
			}
			return
		}
		_, _ = io.WriteString(w, `{"code":"0","data":{"patient_id":"P1","name":"甲","id_no":"1","our_no":"H1","his_refund_no":"HT1",`+
			`"card_no":"C0001","amount":100,"status":"done"}}`)
	}))
	srv.Config.ConnContext = func(ctx context.Context, _ net.Conn) context.Context {
		return context.WithValue(ctx, connKey{}, new(atomic.Int32))
	}
	srv.Start()
	defer srv.Close()
	h, err := rest.New(config(mapping(t), srv.URL))
	if err != nil {
		t.Fatal(err)
	}
	ask := func() error { _, err := h.Person(t.Context(), refund.Identity{PatientNo: "P1"}); return err }
	for i := range 3 {
		if err := ask(); err != nil {
			t.Fatalf("question %d: %v", i, err)
		}
	}
	if ans := h.QueryDebit(t.Context(), refund.Debit{No: "H1", CardNo: "C0001", Amount: 100}); ans.Verdict != flow.Done {
		t.Errorf("a query of a debit: %+v", ans)
	}
	before := drops.Load()
	if ans := h.Debit(t.Context(), refund.Debit{No: "H1", CardNo: "C0001", Amount: 100}); ans.Verdict != flow.Unknown || debits.Load() != 1 ||
		drops.Load() != before+1 {
		t.Errorf("%+v, sent %d times, dropped %d", ans, debits.Load(), drops.Load()-before)
	}
}

type connKey struct{}
