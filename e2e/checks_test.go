package e2e

import (
	"testing"
	"unicode"

	"hospay/collections"
	"hospay/lab/demo"
	"hospay/lab/testapp"

	"github.com/pocketbase/pocketbase/core"
)

// set changes a configuration record as the dashboard does.
func set(t *testing.T, a *testapp.App, collection, where string, values map[string]any) {
	t.Helper()
	rec, err := a.Runtime.App.FindFirstRecordByFilter(collection, where)
	if err != nil {
		t.Fatal(err)
	}
	rec.Load(values)
	if err := a.Runtime.App.Save(rec); err != nil {
		t.Fatal(err)
	}
}

func chinese(s string) bool {
	for _, r := range s {
		if unicode.Is(unicode.Han, r) {
			return true
		}
	}
	return false
}

// wantRefusal checks the shape of an error: status, stable code, a sentence in
// Chinese.
func wantRefusal(t *testing.T, name string, res testapp.Answer, status int, code string) {
	t.Helper()
	if res.Status != status || res.Code() != code || !chinese(res.Text("message")) {
		t.Errorf("%s: %d %s, want %d %s with a sentence", name, res.Status, res.Raw, status, code)
	}
}

func TestApply_RefusalsTellCodeAndSentence(t *testing.T) {
	a := testapp.New(t, testapp.Config{Settings: demo.Settings{DayLimit: 2}})
	p := a.Login("P0001", "wechat")
	set(t, a, collections.ChannelConfigs, `channel = "wechat"`, map[string]any{"settings": map[string]any{"single_limit": 20_000}})
	foreign := a.Login("P0002", "wechat").Card
	for _, c := range []struct {
		name, channel, method string
		fen                   int64
		changes               map[string]any
		code                  string
	}{
		{"超余额", "wechat", "transfer", 900_000_000, nil, "over_balance"},
		{"超单笔限额", "wechat", "transfer", 20_001, nil, "over_single_limit"},
		{"低于起退金额", "wechat", "transfer", 9, nil, "below_minimum"},
		{"金额为零", "wechat", "transfer", 0, nil, "amount_invalid"},
		{"金额为负", "wechat", "transfer", -100, nil, "amount_invalid"},
		{"金额带小数", "wechat", "transfer", 1, map[string]any{"amount": 100.5}, "amount_invalid"},
		{"金额是文字", "wechat", "transfer", 1, map[string]any{"amount": "abc"}, "amount_invalid"},
		{"姓名不一致", "wechat", "transfer", 1000, map[string]any{"payee_name": "别人"}, "name_mismatch"},
		{"手机号不对", "wechat", "transfer", 1000, map[string]any{"notify_phone": "123"}, "phone_invalid"},
		{"须知过期", "wechat", "transfer", 1000, map[string]any{"notice_version": "0"}, "notice_outdated"},
		{"别人的卡", "wechat", "transfer", 1000, map[string]any{"card_no": foreign}, "card_not_yours"},
		{"没有的卡", "wechat", "transfer", 1000, map[string]any{"card_no": "C9999"}, "card_not_yours"},
		{"没有的方式", "wechat", "cash", 1000, nil, "method_off"},
		{"没有的渠道", "unionpay", "transfer", 1000, nil, "channel_off"},
		{"代办未批", "wechat", "transfer", 1000, map[string]any{"proxy_application": "abc"}, "proxy_not_approved"},
		{"没有支付宝账号", "alipay", "transfer", 1000, map[string]any{"payee_account": ""}, "account_required"},
	} {
		wantRefusal(t, c.name, p.Apply(c.channel, c.method, c.fen, c.changes), 400, c.code)
	}
	first := apply(t, p, "wechat", "transfer", 1000, nil)
	wantRefusal(t, "卡有在途单", p.Apply("wechat", "transfer", 1000, nil), 409, "active_order_exists")
	if res := p.Call("POST", "/api/hospay/refunds/"+first+"/cancel", p.Token, nil); res.Status != 200 {
		t.Fatalf("cancel: %d %s", res.Status, res.Raw)
	}
	second := apply(t, p, "wechat", "transfer", 1000, nil)
	p.Call("POST", "/api/hospay/refunds/"+second+"/cancel", p.Token, nil)
	wantRefusal(t, "当日次数用完", p.Apply("wechat", "transfer", 1000, nil), 400, "too_many_today")
	q := a.Login("P0003", "wechat")
	set(t, a, collections.ChannelConfigs, `channel = "wechat"`, map[string]any{"active": false})
	wantRefusal(t, "渠道停用", q.Apply("wechat", "transfer", 1000, nil), 400, "channel_off")
	set(t, a, collections.Institutions, `code = "demo"`, map[string]any{"methods": []string{"original"}})
	wantRefusal(t, "方式停用", q.Apply("alipay", "transfer", 1000, nil), 400, "method_off")
	set(t, a, collections.Institutions, `code = "demo"`, map[string]any{"active": false})
	wantRefusal(t, "机构停用", q.Apply("alipay", "transfer", 1000, nil), 400, "institution_off")
	wantRefusal(t, "不存在的路径", q.Call("POST", "/api/hospay/refunds/none/cancel", q.Token, nil), 404, "not_found")
}

func mustRecord(t *testing.T, a *testapp.App, collection, id string) *core.Record {
	t.Helper()
	rec, err := a.Runtime.App.FindRecordById(collection, id)
	if err != nil {
		t.Fatal(err)
	}
	return rec
}
