package e2e

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"hospay/collections"
	"hospay/lab/testapp"

	"github.com/pocketbase/dbx"
)

// TestAlarms_ReachPeopleOnceADay: what stands longer than its rule says is told in
// the console and to the groups of the institution, once a day as long as it
// stands, to finance and to those who configure, and to no patient.
func TestAlarms_ReachPeopleOnceADay(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	var heard []string
	group := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		heard = append(heard, r.URL.Path+" "+string(must(io.ReadAll(r.Body))))
		_, _ = io.WriteString(w, `{"errcode":0}`)
	}))
	defer group.Close()
	robots := map[string]any{"secrets": map[string]any{"alarm_wecom": group.URL + "/wecom?key=k",
		"alarm_dingtalk":      group.URL + "/ding?access_token=t",
		"alarm_dingtalk_sign": "SECx"}}
	target := map[string]any{"collection": collections.Institutions, "id": a.Institution}
	wrong := a.Call("POST", "/api/hospay/config/changes", a.Staff("config"), map[string]any{"target": target,
		"values": map[string]any{"secrets": map[string]any{"alarm_wecom": "https://example.com/hook"}}})
	if wrong.Status != 400 || !strings.Contains(string(wrong.Raw), "qyapi.weixin.qq.com") {
		t.Errorf("a robot that is none: %d %s", wrong.Status, wrong.Raw)
	}
	change := a.Call("POST", "/api/hospay/config/changes", a.Staff("config"), map[string]any{"target": target, "values": robots})
	if change.Status != 200 || change.Text("state") != "waiting" {
		t.Fatalf("%d %s", change.Status, change.Raw)
	}
	confirm := "/api/hospay/config/changes/" + change.Text("id") + "/confirm"
	if res := a.Call("POST", confirm, a.Staff("finance"), map[string]any{"note": "同意"}); res.Status != 200 {
		t.Fatalf("%d %s", res.Status, res.Raw)
	}
	freeze := a.Call("POST", "/api/hospay/payouts/freeze", a.Staff("finance"), map[string]any{"frozen": true, "note": "演练"})
	if freeze.Status != 200 {
		t.Fatalf("%d %s", freeze.Status, freeze.Raw)
	}
	tell := func() {
		t.Helper()
		must(a.Jobs.RunNow(t.Context(), "alarms"))
		must(a.Notices.Deliver(t.Context()))
	}
	count := func(via string) (n int) {
		t.Helper()
		err := a.Runtime.App.DB().NewQuery("SELECT COUNT(*) FROM notifications WHERE event = 'alarm' AND title LIKE '%付款已暂停%' " +
			"AND via = {:v} AND state = 'sent'").Bind(dbx.Params{"v": via}).Row(&n)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	tell()
	if n := count("in_app"); n != 0 {
		t.Errorf("told before its time: %d", n)
	}
	for range 3 { // once a day, however often it is looked at
		a.Advance(61 * time.Minute)
		tell()
	}
	for _, via := range []string{"in_app", "wecom", "dingtalk"} {
		if n := count(via); n < 1 || n > 2 { // the walk may cross midnight
			t.Errorf("%s: told %d times", via, n)
		}
	}
	before := count("in_app")
	a.Advance(24 * time.Hour)
	tell()
	if n := count("in_app"); n != before+1 {
		t.Errorf("on the next day: %d, then %d", before, n)
	}
	all := strings.Join(heard, "\n")
	for _, want := range []string{"/wecom ", "/ding ", "付款已暂停超过一小时", "财务、配置员：查明原因"} {
		if !strings.Contains(all, want) {
			t.Errorf("the groups did not hear %q:\n%s", want, all)
		}
	}
	for who, sees := range map[string]bool{a.Staff("finance"): true, a.Staff("config"): true, a.Login("P0001", "wechat").Token: false} {
		res := a.Call("GET", "/api/collections/notifications/records?filter="+`event%3D%22alarm%22`, who, nil)
		if got := fmt.Sprint(res.Body["totalItems"]) != "0"; got != sees {
			t.Errorf("%v %s", sees, res.Raw)
		}
	}
}
