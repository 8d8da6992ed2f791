package rest_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"hospay/flow"
	"hospay/his"
	"hospay/his/rest"
	"hospay/payment"

	"github.com/tidwall/gjson"
)

// bill is an answer of one open bill of 30 yuan, with changes: old text, new text.
func bill(pairs ...string) string {
	text := `{"bill_no":"B1","card_no":"C1","kind":"outpatient","title":"处方","created":"2026-11-23 10:00:00","pay_before":"","amount":30,` +
		`"insurable":"1","reason":"","visit_no":"V1","mdtrt_id":"M1","psn_no":"","insutype":"310","area":"440100","med_type":"11",` +
		`"fee_type":"01","begun":"2026-11-23 10:00:00","dept_code":"D1","dept_name":"内科","caty":"A03","doc_no":"X1","doc_name":"甲·乙",` +
		`"dise_code":"","dise_name":"","setl_way":"01","reform":"1","self_pay":0,"over_limit":0,"advance":3,"in_scope":27,` +
		`"items":[{"name":"药","spec":"","unit":"盒","count":"1.50","price":".85","amount":1.28}],` +
		`"fees":[{"no":"F1","rx_no":"","time":"2026-11-23 10:00:00","list_code":"L1","own_code":"","name":"药","spec":"","count":2,` +
		`"price":5.00000001,"sum":10,"approved":"1"},{"no":"F2","rx_no":"","time":"","list_code":"L2","own_code":"","name":"查","spec":"",` +
		`"count":1,"price":"20.00","sum":20,"approved":"1"}],"diseases":[{"type":"1","no":"1","code":"J1","name":"病","time":""}]}`
	return strings.NewReplacer(pairs...).Replace(text)
}

func one(t *testing.T, pairs ...string) (payment.Bill, error) {
	t.Helper()
	return answering(t, nil, "application/json", map[string]string{"/rest/bill": `{"code":"0","data":` + bill(pairs...) + `}`}).
		Bill(t.Context(), "C1", "B1")
}

func TestBill_ReadWhole(t *testing.T) {
	b, err := one(t)
	if err != nil || b.Amount != 3_000 || !b.Insurable || b.Visit == nil || len(b.Unread) > 0 || !b.PayBefore.IsZero() {
		t.Fatalf("%+v %v", b, err)
	}
	if it := b.Items[0]; it.Count != "1.5" || it.Price != "0.85" || it.Amount != 128 {
		t.Errorf("%+v", it)
	}
	if f := b.Visit.Fees; f[0].Price != "5" || f[1].Price != "20" || f[0].Count != "2" || f[1].Sum != 2_000 || b.Visit.DocName != "甲·乙" {
		t.Errorf("%+v", f)
	}
}

// What a payment needs must be readable; what only the insurance needs costs the
// bill the insurance; what only people read costs nothing. All is named, and
// nothing of the odd text is repeated.
func TestBill_OddFields(t *testing.T) {
	for _, c := range []struct {
		old, new string
		fails    bool   // the bill cannot be paid here at all
		insured  bool   // it can still be paid by insurance
		names    string // what is named
	}{
		{`"amount":30,`, `"amount":"3O.0",`, true, false, "amount"},
		{`"amount":30,`, `"amount":"",`, true, false, "amount"},
		{`"amount":30,`, `"amount":-30,`, true, false, "amount"},
		{`"amount":30,`, `"amount":30.005,`, true, false, "amount"},
		{`"outpatient"`, `"住院"`, true, false, "kind"},
		{`"bill_no":"B1"`, `"bill_no":"B2"`, true, false, "another bill"},
		{`"card_no":"C1"`, `"card_no":"C2"`, true, false, "another card"},
		{`"bill_no":"B1"`, `"bill_no":""`, true, false, "bill_no"},
		{`"insurable":"1"`, `"insurable":"也许"`, false, false, "insurable"},
		{`"insurable":"1"`, `"insurable":"否"`, false, false, ""},
		{`"amount":30,`, `"amount":31,`, false, false, "fees"},
		{`"in_scope":27`, `"in_scope":26`, false, false, "in_scope"},
		{`"no":"F2"`, `"no":"F1"`, false, false, "fees: 2: no"},
		{`"list_code":"L2"`, `"list_code":""`, false, false, "fees: 2: list_code"},
		{`"sum":20`, `"sum":"贰拾"`, false, false, "fees: 2: sum"},
		{`"begun":"2026-11-23 10:00:00"`, `"begun":"昨天"`, false, false, "begun"},
		{`"begun":"2026-11-23 10:00:00"`, `"begun":"1899-12-30 00:00:00"`, false, false, "begun"},
		{`"begun":"2026-11-23 10:00:00"`, `"begun":"2099-12-31 00:00:00"`, false, false, "begun"},
		{`"code":"J1"`, `"code":""`, false, false, "diseases: 1: code"},
		{`"fees":[`, `"fees":"x","y":[`, false, false, "fees"},
		{`"insutype":"310"`, `"insutype":"3 10"`, false, false, "insutype"},
		{`"price":5.00000001`, `"price":"5e3"`, false, false, "fees: 1: price"},
		{`"pay_before":""`, `"pay_before":"9999-12-31"`, false, true, "pay_before"},
		{`"price":".85"`, `"price":"?"`, false, true, "items: 1: price"},
		{`"created":"2026-11-23 10:00:00"`, `"created":"x"`, false, true, "created"},
	} {
		b, err := one(t, c.old, c.new)
		said := fmt.Sprint(b.Unread, err)
		if (err != nil) != c.fails || b.Insurable != c.insured || (b.Visit != nil) != c.insured || !strings.Contains(said, c.names) {
			t.Errorf("%s → %s: %+v %v", c.old, c.new, b, err)
		}
		if c.fails && flow.CodeOf(err) != flow.CodeHISUnavailable || strings.Contains(said, "贰拾") || strings.Contains(said, "昨天") {
			t.Error(said)
		}
	}
}

// A bill that cannot be read is in the list and cannot be paid; one below zero
// is none; two of one number are no list.
func TestBills_OddRows(t *testing.T) {
	list := func(rows ...string) ([]payment.Bill, error) {
		return answering(t, nil, "application/json", map[string]string{
			"/rest/bills": `{"code":"0","data":{"card_no":"C1","bills":[` + strings.Join(rows, ",") + `]}}`}).Bills(t.Context(), "C1")
	}
	bills, err := list(bill(), bill(`"B1"`, `"B2"`, `"amount":30,`, `"amount":"x",`), bill(`"B1"`, `"B3"`, `"amount":30,`, `"amount":-1,`),
		bill(`"B1"`, `"B4"`, `"outpatient"`, `"体检"`))
	if err != nil || len(bills) != 3 || bills[0].Amount != 3_000 || bills[1].Amount != 0 || len(bills[1].Unread) != 1 || bills[2].Amount != 0 {
		t.Errorf("%+v %v", bills, err)
	}
	for name, rows := range map[string][]string{"two of one number": {bill(), bill()}, "another card": {bill(`"C1"`, `"C2"`)}} {
		if _, err := list(rows...); flow.CodeOf(err) != flow.CodeHISUnavailable {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// States, kinds and flags in the words of the HIS, where two fields use the same
// word for different things.
func TestBill_WordsOfTheHIS(t *testing.T) {
	change := func(m string) string {
		return strings.Replace(m, `"path": "/rest/bill",`, `"path": "/rest/bill", "values": {"kind=1": "registration", "insurable=1": "no",`+
			` "status=1": "open", "status=2": "paid", "status=3": "gone"},`, 1)
	}
	state := strings.Replace
	for told, want := range map[string]flow.Code{"1": "", "2": payment.CodeBillPaid, "3": payment.CodeBillGone, "4": flow.CodeHISUnavailable} {
		h := answering(t, func(m string) string {
			m = change(m)
			i := strings.Index(m, `"path": "/rest/bill",`)
			return m[:i] + state(m[i:], `"fields": {`, `"fields": {"status": "data.state", `, 1)
		}, "application/json", map[string]string{"/rest/bill": `{"code":"0","data":` +
			bill(`"kind":"outpatient"`, `"kind":1,"state":`+told) + `}`})
		b, err := h.Bill(t.Context(), "C1", "B1")
		if flow.CodeOf(err) != want || err == nil && (b.Kind != payment.KindRegistration || b.Insurable) {
			t.Errorf("%s: %+v %v", told, b, err)
		}
	}
}

func TestSlots_OddRows(t *testing.T) {
	row := func(pairs ...string) string {
		return strings.NewReplacer(pairs...).Replace(`{"slot_id":"S1","department":"D1","day":"2026-11-30","period":"上午","doctor":"甲",` +
			`"title":"","left":3,"amount":20}`)
	}
	slots, err := answering(t, nil, "application/json", map[string]string{"/rest/slots": `{"code":"0","data":{"department":"D1",` +
		`"date":"2026-11-30","slots":[` + strings.Join([]string{row(), row("S1", "S2", `"left":3`, `"left":"多"`),
		row("S1", "S3", `"amount":20`, `"amount":"免费"`), row("S1", "S4", "2026-11-30", "2026-12-01"), row("S1", "S5", "D1", "D2"),
		row("S1", "S6", "2026-11-30", "2026/11/30 08:00")}, ",") + `]}}`}).Slots(t.Context(), "D1", "2026-11-30")
	if err != nil || len(slots) != 4 || slots[0].Left != 3 || slots[0].Amount != 2_000 || slots[1].Left != 0 || slots[1].Unread == "" ||
		slots[2].Left != 0 || slots[3].ID != "S6" || slots[3].Left != 3 {
		t.Errorf("%+v %v", slots, err)
	}
}

func TestEnrolment_OddAnswers(t *testing.T) {
	row := func(pairs ...string) string {
		return strings.NewReplacer(pairs...).Replace(`{"id":"","area":"440100","psn_no":"N1","insutype":"310","insutype_name":"职工",` +
			`"med_type":"11","med_type_name":"普通门诊","dise_code":"","disease":"","balance":"1.50","state":"1","enjoyed":"1","reason":""}`)
	}
	for name, c := range map[string]struct {
		rows     []string
		fails    bool
		enrolled bool
		benefits int
		enjoyed  bool // the first
	}{
		"one":                      {[]string{row()}, false, true, 1, true},
		"none at all":              {nil, false, false, 0, false},
		"state in no list":         {[]string{row(`"state":"1"`, `"state":"9"`)}, false, false, 0, false},
		"unknown beside valid":     {[]string{row(`"state":"1"`, `"state":"9"`, "310", "390"), row()}, false, true, 2, false},
		"two personal numbers":     {[]string{row(), row("N1", "N2", "310", "390")}, true, false, 0, false},
		"number of an ended one":   {[]string{row(), row("N1", "N2", "310", "390", `"state":"1"`, `"state":"3"`)}, false, true, 2, true},
		"the same twice":           {[]string{row(), row()}, false, true, 1, true},
		"no insurance type":        {[]string{row(`"310"`, `""`)}, true, false, 0, false},
		"enjoyed in no list":       {[]string{row(`"enjoyed":"1"`, `"enjoyed":"?"`)}, false, true, 1, false},
		"balance cannot be read":   {[]string{row(`"1.50"`, `"x"`)}, false, true, 1, true},
		"only of another area":     {[]string{row("440100", "440300")}, false, false, 0, false},
		"another area beside ours": {[]string{row(), row("440100", "440300", "N1", "N9")}, false, true, 1, true},
	} {
		e, err := answering(t, nil, "application/json", map[string]string{"/rest/enrolment": `{"code":"0","data":{"area":"440100","benefits":[` +
			strings.Join(c.rows, ",") + `]}}`}).Enrolment(t.Context(), payment.Insured{PatientNo: "P1"}, "440100")
		if (err != nil) != c.fails || e.Enrolled != c.enrolled || len(e.Benefits) != c.benefits || !c.fails && e.Enrolled == (e.Reason != "") ||
			len(e.Benefits) > 0 && (e.Benefits[0].Enjoyed != c.enjoyed || e.Benefits[0].ID != e.Benefits[0].Insutype+"-11") {
			t.Errorf("%s: %+v %v", name, e, err)
		}
		if name == "one" && (!e.Benefits[0].BalanceTold || e.Benefits[0].Balance != 150 || e.PsnNo != "N1") {
			t.Errorf("%+v", e)
		}
		if name == "balance cannot be read" && e.Benefits[0].BalanceTold {
			t.Errorf("%+v", e)
		}
	}
}

// A charge is sent in the words of the HIS, with the settlement's information
// whole and by field; what it lacks is empty.
func TestCharge_SendsWhatTheHISWants(t *testing.T) {
	var got gjson.Result
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		raw, _ := io.ReadAll(r.Body)
		got = gjson.ParseBytes(raw)
	}))
	defer srv.Close()
	m := strings.Replace(mapping(t), `\"terminal\":\"{terminal}\"`,
		`\"terminal\":\"{terminal}\",\"setl_fund\":\"{setl.fund_pay_sumamt}\",\"none\":\"{setl.none}\",\"text\":\"{setl_info}\"`, 1)
	h, err := rest.New(config(m, srv.URL))
	if err != nil {
		t.Fatal(err)
	}
	c := payment.Charge{No: "Q1", BillNo: "B1", CardNo: "C1", Channel: "alipay", Terminal: payment.TerminalKiosk, Total: 12_000, Fund: 7_000,
		Account: 2_000, Family: 500, Other: 300, Cash: 2_700, PayOrdID: "ORD1", PaidAt: time.Date(2026, 11, 23, 16, 30, 0, 0, time.UTC),
		SetlInfo: []byte(`{"fund_pay_sumamt":"70.00","n":12.50,"evil":"{secret.key}\"}","setl_id":"S1"}`)}
	h.WriteCharge(t.Context(), c)
	for path, want := range map[string]string{"pay_way": "42", "total": "12000", "fund": "7000", "account": "2000", "family": "500",
		"other": "300", "cash": "2700", "paid_at": "2026-11-24 00:30:00", "terminal": "kiosk", "setl_fund": "70.00", "none": "",
		"setl_info.fund_pay_sumamt": "70.00", "setl_info.evil": `{secret.key}"}`} {
		if got.Get(path).String() != want || !got.Get(path).Exists() {
			t.Errorf("%s: %q, want %q", path, got.Get(path).Raw, want)
		}
	}
	if got.Get("setl_info.n").Raw != "12.50" || !json.Valid([]byte(got.Get("text").String())) {
		t.Error(got.Get("text").Raw)
	}
	c.PayOrdID, c.Fund, c.Account, c.Family, c.Other, c.Cash, c.Channel = "", 0, 0, 0, 0, 12_000, "wechat"
	for _, odd := range []string{"", "null", "[]", "{", `"x"`, `{"a":1}{"b":2}`} {
		c.SetlInfo = []byte(odd)
		h.WriteCharge(t.Context(), c)
		if got.Get("pay_way").String() != "11" || !got.Get("setl_info").IsObject() || got.Get("setl_fund").String() != "" {
			t.Errorf("%q: %s", odd, got.Raw)
		}
	}
}

// A feature that a mapping has begun is finished, or named in Chinese.
func TestNew_NamesWhatAFeatureLacks(t *testing.T) {
	var m his.Mapping
	if err := json.Unmarshal([]byte(mapping(t)), &m); err != nil {
		t.Fatal(err)
	}
	without := func(ops ...string) error {
		c := m
		c.Operations = map[string]his.Operation{}
		for name, op := range m.Operations {
			c.Operations[name] = op
		}
		for _, name := range ops {
			delete(c.Operations, name)
		}
		raw, _ := json.Marshal(c)
		_, err := rest.New(config(string(raw), "http://127.0.0.1:1"))
		return err
	}
	for _, c := range []struct {
		without []string
		names   string
	}{
		{nil, ""}, {[]string{his.OpTradeCheck}, ""}, {[]string{his.OpUncharge, his.OpUnchargeCheck}, ""},
		{[]string{his.OpDepartments, his.OpSlots, his.OpLock, his.OpRelease}, ""}, {[]string{his.OpRelease}, "release"},
		{[]string{his.OpCharge}, "charge"}, {[]string{his.OpBills, his.OpBill, his.OpCharge}, "缴费"},
		{[]string{his.OpUnchargeCheck}, "uncharge_check"},
		{[]string{his.OpRefundCheck}, "refund_check"},
	} {
		err := without(c.without...)
		if (err != nil) != (c.names != "") || err != nil && !strings.Contains(err.Error(), c.names) {
			t.Errorf("without %v: %v", c.without, err)
		}
	}
	if f := m.Features(); len(f) < 9 || !f[0].Offered || len(f[0].Lacks) > 0 {
		t.Errorf("%+v", f)
	}
	m.Operations = map[string]his.Operation{}
	for _, f := range m.Features() {
		if f.Offered || len(f.Lacks) == 0 || f.Without == "" {
			t.Errorf("%+v", f)
		}
	}
}
