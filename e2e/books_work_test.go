package e2e

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"hospay/books"
	"hospay/collections"
	"hospay/lab/testapp"
	"hospay/refund"
)

// upload sends a bill by hand; the source may name the kind behind a slash.
func upload(t *testing.T, a *testapp.App, token, day, source, name string, data []byte) testapp.Answer {
	t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	source, kind, _ := strings.Cut(source, "/")
	for k, v := range map[string]string{"day": day, "source": source, "kind": kind} {
		if err := form.WriteField(k, v); err != nil {
			t.Fatal(err)
		}
	}
	w, err := form.CreateFormFile("file", name)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := form.Close(); err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), "POST", a.URL+"/api/hospay/statements", &body)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", form.FormDataContentType())
	req.Header.Set("Authorization", token)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	out := testapp.Answer{Status: res.StatusCode}
	if out.Raw, err = io.ReadAll(res.Body); err != nil {
		t.Fatal(err)
	}
	_ = json.Unmarshal(out.Raw, &out.Body)
	return out
}

// statement finds the bill in force of a day.
func statement(t *testing.T, a *testapp.App, token, day, source, kind string) map[string]any {
	t.Helper()
	res := a.Call("GET", "/api/hospay/statements?from="+day+"&to="+day, token, nil)
	for _, i := range res.Body["items"].([]any) {
		if s := i.(map[string]any); s["source"] == source && s["kind"] == kind && s["superseded"] == false {
			return s
		}
	}
	t.Fatalf("no %s %s of %s: %s", source, kind, day, res.Raw)
	return nil
}

func file(t *testing.T, a *testapp.App, token string, st map[string]any) []byte {
	t.Helper()
	res := a.Call("GET", fmt.Sprintf("/api/hospay/statements/%v/file", st["id"]), token, nil)
	if res.Status != 200 {
		t.Fatalf("file: %d %s", res.Status, res.Raw)
	}
	return res.Raw
}

// paidDay lets three orders be paid on one day and its bills be fetched.
func paidDay(t *testing.T, a *testapp.App) (day string, orders []refund.Work) {
	t.Helper()
	toMorning(a)
	day = clockDay(a)
	for i, fen := range []int64{1234, 2345, 3456} {
		orders = append(orders, paidOrder(t, a, fmt.Sprintf("P%04d", i+1), []string{"wechat", "alipay"}[i%2], fen))
	}
	toMorning(a)
	runJob(t, a, "statements", "reconcile")
	return day, orders
}

// spoilt changes HIS's statement: it lacks the first order, books one fen more
// of the third, and holds one that nobody else knows.
func spoilt(t *testing.T, data []byte, orders []refund.Work) []byte {
	t.Helper()
	rows, err := csv.NewReader(bytes.NewReader(data)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	w := csv.NewWriter(&out)
	for _, r := range rows {
		switch r[0] {
		case orders[0].Order.No:
			r[0], r[2], r[3] = "X0001", "HX0001", "C9999"
		case orders[2].Order.No:
			r[4] = "34.57"
		}
		if err := w.Write(r); err != nil {
			t.Fatal(err)
		}
	}
	w.Flush()
	return out.Bytes()
}

func byKind(t *testing.T, a *testapp.App, token, day string) map[string]map[string]any {
	t.Helper()
	out := map[string]map[string]any{}
	for _, d := range differences(t, a, token, "day="+day) {
		out[d["kind"].(string)] = d
	}
	return out
}

// TestBooks_DifferencesAreWorkedOffByTwo goes through the verbs: rematch needs
// a second person, a fen may be ignored by one, and what was decided survives
// further runs.
func TestBooks_DifferencesAreWorkedOffByTwo(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	day, orders := paidDay(t, a)
	finance, auditor := a.Staff("finance"), a.Staff("auditor")
	first := statement(t, a, finance, day, "his", "statement")
	original := file(t, a, auditor, first)
	bad := spoilt(t, original, orders)
	res := upload(t, a, finance, day, "his", "HIS更正.csv", bad)
	if res.Status != 200 || res.Text("version") != "2" || res.Text("state") != "ready" || res.Text("lines") != "3" {
		t.Fatalf("%d %s", res.Status, res.Raw)
	}
	if again := upload(t, a, finance, day, "his", "别的名字.csv", bad); again.Text("id") != res.Text("id") {
		t.Errorf("the same file again: %s", again.Raw)
	}
	if old := file(t, a, auditor, first); !bytes.Equal(old, original) {
		t.Error("the former version is not kept")
	}
	run := func() books.DayView {
		if res := a.Call("POST", "/api/hospay/recon/"+day+"/run", finance, map[string]any{}); res.Status != 200 {
			t.Fatalf("run: %d %s", res.Status, res.Raw)
		}
		return dayView(t, a, finance, day)
	}
	if v := run(); v.State != books.HasDifferences || v.Open != 3 {
		t.Fatalf("%+v", v)
	}
	found := byKind(t, a, finance, day)
	lacks, extra, amount := found["missing_his"], found["only_his"], found["amount"]
	if lacks["sign"] != "shortage" || extra["sign"] != "overage" || lacks["amount"] != 1234.0 || extra["amount"] != 1234.0 ||
		amount["amount"] != 1.0 || lacks["order"] != orders[0].Order.ID {
		t.Fatalf("%v\n%v\n%v", lacks, extra, amount)
	}
	act := func(token string, d map[string]any, what string, body map[string]any) testapp.Answer {
		return a.Call("POST", fmt.Sprintf("/api/hospay/differences/%v/%s", d["id"], what), token, body)
	}
	for code, body := range map[string]map[string]any{
		"verb_unknown": {"verb": "删除", "reason": "核对"}, "reason_required": {"verb": "force", "reason": " "},
		"rematch_unfit": {"verb": "rematch", "reason": "核对", "with": amount["id"]}, "verb_unfit": {"verb": "confirm_arrival", "reason": "核对"},
	} {
		d := lacks
		if code == "verb_unfit" {
			d = extra
		}
		if res := act(finance, d, "resolve", body); res.Code() != code {
			t.Errorf("%v: %d %s, want %s", body, res.Status, res.Raw, code)
		}
	}
	if res := act(finance, lacks, "resolve", map[string]any{"verb": "换配", "reason": "HIS 记错单号", "with": extra["id"]}); res.Text(
		"state") != "proposed" {
		t.Fatalf("%d %s", res.Status, res.Raw)
	}
	if res := act(finance, lacks, "confirm", map[string]any{"note": "x"}); res.Status != 403 || res.Code() != "second_person" {
		t.Errorf("confirmed by the same person: %d %s", res.Status, res.Raw)
	}
	if res := act(auditor, lacks, "withdraw", map[string]any{"note": "再查"}); res.Text("state") != "open" {
		t.Errorf("withdrawn: %d %s", res.Status, res.Raw)
	}
	act(finance, lacks, "resolve", map[string]any{"verb": "rematch", "reason": "HIS 记错单号", "with": extra["id"]})
	if res := act(auditor, lacks, "confirm", map[string]any{"note": "同意"}); res.Text("state") != "resolved" || res.Text("verb") != "rematch" {
		t.Errorf("confirmed: %d %s", res.Status, res.Raw)
	}
	if res := act(finance, amount, "resolve", map[string]any{"verb": "忽略", "reason": "一分钱"}); res.Text("state") != "resolved" {
		t.Errorf("ignored: %d %s", res.Status, res.Raw)
	}
	if res := act(finance, amount, "resolve", map[string]any{"verb": "force", "reason": "核对"}); res.Code() != "difference_done" {
		t.Errorf("worked off twice: %d %s", res.Status, res.Raw)
	}
	if v := run(); v.State != books.Balanced || v.Open != 0 {
		t.Errorf("after working off: %+v", v)
	}
	upload(t, a, finance, day, "his", "his.csv", original)
	run()
	upload(t, a, finance, day, "his", "his.csv", bad)
	if v := run(); v.State != books.Balanced {
		t.Errorf("what was decided came back: %+v", v)
	}
	history := a.Call("GET", fmt.Sprintf("/api/hospay/differences/%v", lacks["id"]), auditor, nil).Body["history"].([]any)
	var acts []string
	for _, h := range history {
		acts = append(acts, h.(map[string]any)["act"].(string))
	}
	if strings.Join(acts, " ") != "propose withdraw propose confirm" {
		t.Errorf("history: %v", acts)
	}
	if n := countRows(t, a, collections.AuditLog, nil); n == 0 {
		t.Error("nothing in the audit log")
	}
}

// TestBooks_UploadsThatCannotBeTrusted are refused as a whole with file and
// line, or line by line.
func TestBooks_UploadsThatCannotBeTrusted(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	day, _ := paidDay(t, a)
	finance := a.Staff("finance")
	his := file(t, a, finance, statement(t, a, finance, day, "his", "statement"))
	ledger := file(t, a, finance, statement(t, a, finance, day, "alipay", "signcustomer"))
	yesterday := must(time.Parse(time.DateOnly, day)).AddDate(0, 0, -1).Format(time.DateOnly)
	for _, c := range []struct {
		name, day, source string
		data              []byte
		code, says        string
	}{
		{"截断.zip", day, "alipay", ledger[:len(ledger)/2], "statement_refused", "截断.zip"},
		{"昨天.zip", yesterday, "alipay", ledger, "statement_refused", "账单是"},
		{"昨天.csv", yesterday, "his", his, "statement_refused", "拿错了日期"},
		{"来源.zip", day, "wechat", ledger, "statement_other", "支付宝账务明细"},
		{"空.csv", day, "his", nil, "statement_refused", "文件是空的"},
		{"将来.csv", "2999-01-01", "his", his, "bad_request", ""},
		{"来源.csv", day, "bank", his, "bad_request", ""},
	} {
		res := upload(t, a, finance, c.day, c.source, c.name, c.data)
		if res.Status != 400 || res.Code() != c.code || !strings.Contains(res.Text("message"), c.says) {
			t.Errorf("%s: %d %s", c.name, res.Status, res.Raw)
		}
	}
	lines := strings.Split(strings.TrimSpace(string(his)), "\n")
	lines[1] = strings.Replace(lines[1], ".", "x", 1)
	res := upload(t, a, finance, day, "his", "坏行.csv", []byte(strings.Join(lines, "\n")))
	list := a.Call("GET", "/api/hospay/statements/"+res.Text("id")+"/rejects", finance, nil)
	items, _ := list.Body["items"].([]any)
	if res.Text("rejects") != "1" || len(items) != 1 || items[0].(map[string]any)["line"] != 2.0 {
		t.Errorf("%s\n%s", res.Raw, list.Raw)
	}
	a.Call("POST", "/api/hospay/recon/"+day+"/run", finance, map[string]any{})
	if v := dayView(t, a, finance, day); v.Summary == nil || v.Summary.Rejects != 1 || v.Open != 1 ||
		byKind(t, a, finance, day)["missing_his"] == nil {
		t.Errorf("the line that could not be read is not missed: %+v", v)
	}
}

// TestBooks_MissedCallbackClosesItself: the channel's bill says paid, ours does
// not; 确认到账 asks the channel, the state machine books it, and the next run
// closes the difference by itself.
func TestBooks_MissedCallbackClosesItself(t *testing.T) {
	a, p := silent(t)
	finance := a.Staff("finance")
	toMorning(a)
	day := clockDay(a)
	w := awaiting(t, a, p)
	if err := a.Sims.WeChat.Confirm(w.Transfer.No); err != nil {
		t.Fatal(err)
	}
	toMorning(a)
	runJob(t, a, "statements", "reconcile")
	d := byKind(t, a, finance, day)["state"]
	if d["state"] != "open" || d["order_no"] != w.Order.No {
		t.Fatalf("%v", differences(t, a, finance, "day="+day))
	}
	res := a.Call("POST", fmt.Sprintf("/api/hospay/differences/%v/resolve", d["id"]), finance,
		map[string]any{"verb": "确认到账", "reason": "账单已付"})
	if res.Status != 200 || res.Text("state") != "open" {
		t.Fatalf("%d %s", res.Status, res.Raw)
	}
	a.Drain()
	wantStatus(t, a, w.Order.ID, refund.StatusSucceeded)
	a.Call("POST", "/api/hospay/recon/"+day+"/run", finance, map[string]any{})
	res = a.Call("GET", fmt.Sprintf("/api/hospay/differences/%v", d["id"]), finance, nil)
	if v := dayView(t, a, finance, day); v.State != books.Balanced || res.Text("state") != "resolved" || res.Text("verb") != "auto" {
		t.Errorf("%+v\n%s", v, res.Raw)
	}
}

// TestBooks_MonthIsClosedByTwo closes a month, and opens it again. It begins in
// the last days of a month, so that the month is not over and soon will be.
func TestBooks_MonthIsClosedByTwo(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	toDay(a, 25)
	day, orders := paidDay(t, a)
	finance, auditor := a.Staff("finance"), a.Staff("auditor")
	month, later := day[:7], func() {
		for clockDay(a)[:7] == day[:7] {
			a.Advance(24 * time.Hour)
			toMorning(a)
			runJob(t, a, "statements", "reconcile")
		}
	}
	closing := func(token, verb string) testapp.Answer {
		return a.Call("POST", "/api/hospay/recon/months/"+month+"/"+verb, token, map[string]any{"note": "月结"})
	}
	if res := closing(finance, "close"); res.Code() != "month_not_over" {
		t.Errorf("%d %s", res.Status, res.Raw)
	}
	his := file(t, a, finance, statement(t, a, finance, day, "his", "statement"))
	upload(t, a, finance, day, "his", "x.csv", spoilt(t, his, orders))
	later()
	for range 40 { // days that the job has not reached yet
		runJob(t, a, "statements")
	}
	runJob(t, a, "reconcile")
	if res := closing(finance, "close"); res.Status != 409 || res.Code() != "month_open_items" {
		t.Fatalf("%d %s", res.Status, res.Raw)
	}
	var me string
	if err := a.Runtime.App.DB().NewQuery("SELECT id FROM staff WHERE email = 'finance@demo.hospay'").Row(&me); err != nil {
		t.Fatal(err)
	}
	for _, d := range differences(t, a, finance, "day="+day) {
		if res := a.Call("POST", fmt.Sprintf("/api/hospay/differences/%v/assign", d["id"]), finance, map[string]any{"owner": me}); res.Text(
			"owner_name") == "" {
			t.Errorf("%s", res.Raw)
		}
	}
	var m books.Month
	read := func() books.Month {
		m = books.Month{}
		if err := json.Unmarshal(a.Call("GET", "/api/hospay/recon/months/"+month, auditor, nil).Raw, &m); err != nil {
			t.Fatal(err)
		}
		return m
	}
	if read(); len(m.MissingDays) > 0 || m.Unowned > 0 || m.Open != 3 || m.Books["platform"].Amount != 7035 || m.Books["his"].Amount != 7036 {
		t.Fatalf("%+v", m)
	}
	if res := closing(auditor, "close"); res.Status != 403 {
		t.Errorf("an auditor proposed: %d %s", res.Status, res.Raw)
	}
	if res := closing(finance, "close"); res.Text("state") != "proposed" {
		t.Fatalf("%d %s", res.Status, res.Raw)
	}
	if res := closing(finance, "close"); res.Code() != "second_person" {
		t.Errorf("%d %s", res.Status, res.Raw)
	}
	if res := closing(auditor, "close"); res.Text("state") != "closed" || len(res.Text("audit_head")) != 64 {
		t.Fatalf("%d %s", res.Status, res.Raw)
	}
	monthAnchored(t, a, month, auditor)
	if res := a.Call("POST", "/api/hospay/recon/"+day+"/run", finance, map[string]any{}); res.Status != 409 || res.Code() != "month_closed" {
		t.Errorf("a run of a closed month: %d %s", res.Status, res.Raw)
	}
	for kind, d := range byKind(t, a, finance, day) {
		if d["state"] != "carried" {
			t.Errorf("%s is %v", kind, d["state"])
		}
	}
	if res := upload(t, a, finance, day, "his", "late.csv", his); res.Text("late") != "true" {
		t.Errorf("%s", res.Raw)
	}
	late := differences(t, a, finance, "kind=late")
	if len(late) != 1 || late[0]["day"].(string)[:7] <= month {
		t.Errorf("%v", late)
	}
	if res := closing(finance, "reopen"); res.Text("state") != "reopening" {
		t.Errorf("%d %s", res.Status, res.Raw)
	}
	if res := closing(auditor, "reopen"); res.Text("state") != "open" {
		t.Errorf("%d %s", res.Status, res.Raw)
	}
	a.Call("POST", "/api/hospay/recon/"+day+"/run", finance, map[string]any{})
	if v := dayView(t, a, finance, day); v.State != books.Balanced {
		t.Errorf("the late file did not count after all: %+v", v)
	}
}

// TestBooks_ReportsSayWhatTheRouteSays opens the files.
func TestBooks_ReportsSayWhatTheRouteSays(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	day, orders := paidDay(t, a)
	finance := a.Staff("finance")
	upload(t, a, finance, day, "his", "x.csv", spoilt(t, file(t, a, finance, statement(t, a, finance, day, "his", "statement")), orders))
	a.Call("POST", "/api/hospay/recon/"+day+"/run", finance, map[string]any{})
	v := dayView(t, a, finance, day)
	f, _ := workbook(t, a, finance, "/api/hospay/reports/recon-summary.xlsx?date="+day)
	if got := f.GetSheetList(); !slices.Equal(got, []string{"汇总", "渠道汇总", "差异明细", "三方明细"}) {
		t.Errorf("sheets %v", got)
	}
	lines3 := must(f.GetRows("三方明细"))
	at := rowOf(t, lines3, orders[1].Order.No) - 1
	if head, row := lines3[2], lines3[at]; len(head) != 16 || head[12] != "平台时间" || row[14] == "" || row[15] != "一致" || row[9] != "成功" {
		t.Errorf("三方明细: %v\n%v", head, row)
	}
	rows := sheetRows(t, f)
	for name, book := range map[string]string{"平台": "platform", "微信": "wechat", "支付宝": "alipay", "HIS": "his"} {
		want := fmt.Sprintf("%d %d.%02d", v.Books[book].Count, v.Books[book].Amount/100, v.Books[book].Amount%100)
		at := slices.IndexFunc(rows, func(r []string) bool { return len(r) > 2 && r[0] == name })
		if at < 0 || rows[at][1]+" "+rows[at][2] != want {
			t.Errorf("%s: %v, want %s", name, rows[max(at, 0)], want)
		}
	}
	var lines, total int
	if err := a.Runtime.App.DB().NewQuery("SELECT COUNT(*), SUM(amount) FROM differences WHERE day = '"+day+"' AND live = TRUE").
		Row(&lines, &total); err != nil {
		t.Fatal(err)
	}
	f, _ = workbook(t, a, finance, "/api/hospay/reports/differences.xlsx?date="+day)
	rows = sheetRows(t, f)
	sum := rows[slices.IndexFunc(rows, func(r []string) bool { return len(r) > 0 && r[0] == "合计" })]
	if got := slices.IndexFunc(rows, func(r []string) bool { return len(r) > 0 && r[0] == "合计" }) - 3; got != lines ||
		sum[11] != fmt.Sprintf("%d.%02d", total/100, total%100) {
		t.Errorf("%d lines, sum %v; want %d and %d", got, sum, lines, total)
	}
	for _, path := range []string{"recon-channel.xlsx?date=" + day, "recon-month.xlsx?month=" + day[:7], "differences.xlsx?month=" + day[:7]} {
		f, _ := workbook(t, a, finance, "/api/hospay/reports/"+path)
		if len(sheetRows(t, f)) < 5 {
			t.Errorf("%s is empty", path)
		}
	}
	lineCount := a.Call("GET", "/api/hospay/recon/"+day+"/lines?state=differences", finance, nil)
	all := a.Call("GET", "/api/hospay/recon/"+day+"/lines?per_page=2", finance, nil)
	if lineCount.Text("count") != "3" || all.Text("count") != "4" || len(all.Body["items"].([]any)) != 2 {
		t.Errorf("%s\n%s", lineCount.Raw, all.Raw)
	}
	for path, want := range map[string]int{"recon-summary.xlsx": 400, "recon-summary.xlsx?month=2026-11": 400,
		"recon-summary.xlsx?date=2020-01-01": 404, "recon-month.xlsx?month=x": 400} {
		if res := a.Call("GET", "/api/hospay/reports/"+path, finance, nil); res.Status != want {
			t.Errorf("%s: %d", path, res.Status)
		}
	}
	if res := a.Call("GET", "/api/hospay/reports/recon-summary.xlsx?date="+day, a.Staff("reviewer1"), nil); res.Status != 403 {
		t.Errorf("a reviewer has the books: %d", res.Status)
	}
}

// TestBooks_SameDayUploadedAtOnce: of several files for one day that arrive
// together one is in force, and nobody is told an internal error.
func TestBooks_SameDayUploadedAtOnce(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	day, _ := paidDay(t, a)
	finance := a.Staff("finance")
	his := string(file(t, a, finance, statement(t, a, finance, day, "his", "statement")))
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			res := upload(t, a, finance, day, "his", "x.csv", []byte(his+strings.Repeat("\n", i+1)))
			if res.Status != 200 && res.Code() != "conflict" {
				t.Errorf("%d %s", res.Status, res.Raw)
			}
		})
	}
	wg.Wait()
	inForce := 0
	if err := a.Runtime.App.DB().NewQuery("SELECT COUNT(*) FROM statements WHERE day = '" + day +
		"' AND source = 'his' AND superseded = FALSE").Row(&inForce); err != nil || inForce != 1 {
		t.Errorf("%d in force, %v", inForce, err)
	}
	if v := dayView(t, a, finance, day); v.State != books.Balanced {
		t.Errorf("%+v", v)
	}
}
