package e2e

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"hospay/collections"
	"hospay/lab/testapp"
	"hospay/refund"

	"github.com/pocketbase/dbx"
)

// spoil breaks the configuration of a channel as nobody can by the program's own
// routes, and returns what puts it right again.
func spoil(t *testing.T, a *testapp.App, channel string) (mend func()) {
	t.Helper()
	set := func(settings string) {
		t.Helper()
		_, err := a.Runtime.App.NonconcurrentDB().NewQuery("UPDATE channel_configs SET settings = {:s}, updated = {:u} WHERE channel = {:c}").
			Bind(dbx.Params{"s": settings, "u": a.Now().UTC().Format("2006-01-02 15:04:05.000Z"), "c": channel}).Execute()
		if err == nil { // what a saved record does
			_, err = a.Runtime.App.NonconcurrentDB().NewQuery("UPDATE connections SET settings = {:s}, updated = {:u} WHERE name = {:c}").
				Bind(dbx.Params{"s": settings, "u": a.Now().UTC().Format("2006-01-02 15:04:05.000Z"), "c": channel}).Execute()
		}
		if err != nil {
			t.Fatal(err)
		}
		a.Advance(time.Minute) // what is remembered of it grows old
	}
	rec, err := a.Runtime.App.FindFirstRecordByData(collections.ChannelConfigs, "channel", channel)
	if err != nil {
		t.Fatal(err)
	}
	good := rec.GetString("settings")
	set(`["broken"]`)
	return func() { set(good) }
}

// broken runs a job that must name WeChat, and nothing else, as what failed.
func broken(t *testing.T, a *testapp.App, job string) {
	t.Helper()
	_, err := a.Jobs.RunNow(t.Context(), job)
	if err == nil || !strings.Contains(err.Error(), "wechat") || strings.Contains(err.Error(), "alipay") {
		t.Errorf("%s: %v", job, err)
	}
	var message string
	err = a.Runtime.App.DB().NewQuery("SELECT message FROM job_runs WHERE job = {:j} ORDER BY started DESC LIMIT 1").
		Bind(dbx.Params{"j": job}).Row(&message)
	if err != nil || !strings.Contains(message, "wechat") {
		t.Errorf("%s: the run tells %q: %v", job, message, err)
	}
}

// TestBroken_OneChannelStopsNoOther: an application there gets a code that says
// so, and every job that walks channels does what it can and names the one.
func TestBroken_OneChannelStopsNoOther(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	toMorning(a)
	wx, ali := paidOrder(t, a, "P0001", "wechat", 1234), paidOrder(t, a, "P0002", "alipay", 2345)
	day := clockDay(a)
	third := a.Login("P0003", "wechat")
	mend := spoil(t, a, "wechat")
	wantRefusal(t, "申请", third.Apply("wechat", "transfer", 1000, nil), http.StatusServiceUnavailable, "channel_broken")
	if res := a.Call("GET", "/api/hospay/options", third.Token, nil); res.Status != 200 || !strings.Contains(string(res.Raw), "alipay") ||
		strings.Contains(string(res.Raw), `"name":"wechat"`) {
		t.Errorf("what is offered: %d %s", res.Status, res.Raw)
	}
	toMorning(a)
	for range 3 {
		broken(t, a, "receipts")
		a.Advance(11 * time.Minute)
	}
	receipt := func(w refund.Work) (state string, tries int) {
		rec, err := a.Runtime.App.FindFirstRecordByData(collections.Receipts, "out_bill_no", w.Transfer.No)
		if err != nil {
			t.Fatal(err)
		}
		return rec.GetString("state"), rec.GetInt("tries")
	}
	if state, _ := receipt(ali); state != "ready" {
		t.Errorf("Alipay's receipt is %s", state)
	}
	if state, tries := receipt(wx); state != "waiting" || tries != 0 {
		t.Errorf("WeChat's receipt is %s after %d tries, none was one", state, tries)
	}
	for _, job := range []string{"statements", "certificates"} {
		broken(t, a, job)
	}
	finance := a.Staff("finance")
	for source, kind := range map[string]string{"alipay": "signcustomer", "his": "statement"} {
		if st := statement(t, a, finance, day, source, kind); st["state"] != "ready" {
			t.Errorf("%s is %v: %v", source, st["state"], st["message"])
		}
	}
	if o := look(t, a, a.Superuser()); len(o.Institutions[0].Broken) != 1 || !strings.Contains(o.Institutions[0].Broken["wechat"], "配置有误") {
		t.Errorf("the overview: %v", o.Institutions[0].Broken)
	}
	mend()
	runJob(t, a, "statements", "receipts")
	if st := statement(t, a, finance, day, "wechat", "fundflow_operation"); st["state"] != "ready" {
		t.Errorf("mended: %v: %v", st["state"], st["message"])
	}
	for range 6 {
		a.Advance(11 * time.Minute)
		runJob(t, a, "receipts")
	}
	if state, _ := receipt(wx); state != "ready" {
		t.Errorf("mended: WeChat's receipt is %s", state)
	}
}

// TestBroken_ReceiptsThatWaitStarveNobody: a batch of receipts that cannot be
// had is not tried again before all others.
func TestBroken_ReceiptsThatWaitStarveNobody(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	wx, ali := paidOrder(t, a, "P0001", "wechat", 1234), paidOrder(t, a, "P0002", "alipay", 2345)
	spoil(t, a, "wechat")
	if err := a.Store.OpenReceipts(t.Context(), 100); err != nil {
		t.Fatal(err)
	}
	early := a.Now().Add(-time.Hour).UTC().Format("2006-01-02 15:04:05.000Z")
	for i := range 60 { // as many transfers of WeChat, all before the one of Alipay
		_, err := a.Runtime.App.NonconcurrentDB().NewQuery(
			"INSERT INTO receipts (id, institution, patient, `order`, out_bill_no, state, tries, " +
				"next_at, created, updated) SELECT {:id}, institution, patient, `order`, {:no}, 'waiting', 0, {:at}, {:at}, {:at} " +
				"FROM receipts WHERE out_bill_no = {:of}").
			Bind(dbx.Params{"id": "rcpt" + string(rune('a'+i/26)) + string(rune('a'+i%26)) + "000000000", "no": "NOBODY" + string(rune('A'+i/26)) +
				string(rune('A'+i%26)), "at": early, "of": wx.Transfer.No}).Execute()
		if err != nil {
			t.Fatal(err)
		}
	}
	for i := range 5 {
		if _, err := a.Jobs.RunNow(t.Context(), "receipts"); err == nil && i == 0 {
			t.Fatal("nothing is named")
		}
		a.Advance(3 * time.Minute)
	}
	rec, err := a.Runtime.App.FindFirstRecordByData(collections.Receipts, "out_bill_no", ali.Transfer.No)
	if err != nil || rec.GetString("state") != "ready" {
		t.Errorf("Alipay's receipt is %s: %v", rec.GetString("state"), err)
	}
}

// TestBroken_HISHasACodeOfItsOwn and is told by the overview after a ping.
func TestBroken_HISHasACodeOfItsOwn(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	p := a.Login("P0001", "alipay")
	_, err := a.Runtime.App.NonconcurrentDB().NewQuery(`UPDATE his_configs SET mapping = '["broken"]', updated = {:u}`).
		Bind(dbx.Params{"u": a.Now().UTC().Format("2006-01-02 15:04:05.000Z")}).Execute()
	if err != nil {
		t.Fatal(err)
	}
	a.Advance(24 * time.Hour)
	wantRefusal(t, "余额", a.Call("GET", "/api/hospay/options?card_no=C0001", p.Token, nil), http.StatusServiceUnavailable, "his_broken")
	runJob(t, a, "his_ping")
	if his := look(t, a, a.Superuser()).Institutions[0].HIS; his == nil || his.OK || !strings.Contains(his.Error, "HIS 的配置有误") {
		t.Errorf("%+v", his)
	}
	if _, err := a.Jobs.RunNow(t.Context(), "statements"); err != nil && !strings.Contains(err.Error(), "HIS") {
		t.Error(err)
	}
}
