package e2e

import (
	"bytes"
	"fmt"
	"image"
	"strings"
	"sync"
	"testing"
	"time"

	"hospay/collections"
	"hospay/internal/idno"
	"hospay/lab/demo"
	"hospay/lab/testapp"
	"hospay/refund"

	"github.com/pocketbase/dbx"
)

// The principals of the simulators' world: P0003 and P0008 are over 60, P0007
// is a child.
const elderly, child = "P0003", "P0007"

// TestProxy_WholeWayToTheAgent goes from the search to the agent's WeChat.
func TestProxy_WholeWayToTheAgent(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	p, who := a.Login("P0001", "wechat"), a.Sims.World.Find(elderly)
	res := p.ApplyProxy(elderly, "elderly", nil)
	if res.Status != 200 {
		t.Fatalf("apply: %d %s", res.Status, res.Raw)
	}
	card, _ := res.Body["card"].(map[string]any)
	if card["card_no"] != who.Cards[0] || card["balance"].(float64) <= 0 || card["refundable"] == nil || card["as_of"] == "" ||
		card["deposits"] != nil {
		t.Errorf("A38: the card is %v", card)
	}
	for _, secret := range []string{who.Name, who.IDNo, "sealed", "index", "principal\""} {
		if strings.Contains(string(res.Raw), secret) {
			t.Errorf("the answer tells %q", secret)
		}
	}
	id := res.Text("id")
	if res.Text("status") != "draft" || !strings.HasPrefix(res.Text("no"), "A") || res.Text("consent_at") == "" {
		t.Errorf("the application: %s", res.Raw)
	}
	wantRefusal(t, "没有材料就提交", a.Call("POST", "/api/hospay/proxies/"+id+"/submit", p.Token, nil), 400, "proxy_materials_missing")
	for i, k := range refund.ProxyElderly.Required(idno.Resident) {
		if res := a.Upload(p.Token, id, string(k), "照片.jpg", demo.Photo(i)); res.Status != 200 {
			t.Fatalf("upload: %d %s", res.Status, res.Raw)
		}
	}
	if res := a.Call("POST", "/api/hospay/proxies/"+id+"/submit", p.Token, nil); res.Status != 200 || res.Text("status") != "submitted" ||
		res.Text("next") == "" {
		t.Fatalf("submit: %d %s", res.Status, res.Raw)
	}
	wantRefusal(t, "未批准时看余额", a.Call("GET", "/api/hospay/cards?proxy="+id, p.Token, nil), 400, "proxy_not_approved")
	wantRefusal(t, "未批准时申请", p.ApplyFor(id, elderly, "wechat", "transfer", 3000, nil), 400, "proxy_not_approved")
	if res := a.ReviewProxy(a.Staff("reviewer1"), id, "approve", ""); res.Status != 200 || res.Text("status") != "approved" ||
		res.Text("expires_at") == "" {
		t.Fatalf("review: %d %s", res.Status, res.Raw)
	}
	cards := a.Call("GET", "/api/hospay/cards?proxy="+id, p.Token, nil)
	if list, _ := cards.Body["cards"].([]any); cards.Status != 200 || len(list) != 1 || !strings.Contains(string(cards.Raw), "deposits") {
		t.Errorf("cards: %d %s", cards.Status, cards.Raw)
	}
	opts := a.Call("GET", "/api/hospay/options?card_no="+who.Cards[0]+"&proxy="+id, p.Token, nil)
	if payee, _ := opts.Body["payee"].(map[string]any); opts.Status != 200 || payee["who"] != "agent" ||
		strings.Contains(fmt.Sprint(payee["name"]), p.Name) || opts.Text("refundable") == "" {
		t.Errorf("options: %d %s", opts.Status, opts.Raw)
	}
	wantRefusal(t, "转给被代办人", p.ApplyFor(id, elderly, "wechat", "transfer", 3000, map[string]any{"payee_name": who.Name}), 400, "name_mismatch")
	res = p.ApplyFor(id, elderly, "wechat", "transfer", 3000, nil)
	if res.Status != 200 || res.Text("proxy_application") != id || res.Text("patient") != p.ID {
		t.Fatalf("order: %d %s", res.Status, res.Raw)
	}
	order := res.Text("id")
	a.Drain()
	a.Review(a.Staff("reviewer2"), order, "approve", "")
	a.Drain()
	w := wantStatus(t, a, order, refund.StatusAwaitingPayee)
	if w.Order.Payee.Account != a.Sims.World.Find("P0001").Openid {
		t.Error("the payee is not the agent's account")
	}
	if err := a.Sims.WeChat.Confirm(w.Transfer.No); err != nil {
		t.Fatal(err)
	}
	a.Advance(time.Minute)
	a.Drain()
	wantStatus(t, a, order, refund.StatusSucceeded)
	entries := a.Sims.HIS.Ledger().Entries()
	if len(entries) != 1 || entries[0].Party != who.Cards[0] {
		t.Errorf("HIS booked %+v", entries)
	}
	booksAgree(t, a)
}

// TestProxy_PrincipalIsPaid lets the institution pay the principal's own
// account, in every way that there is.
func TestProxy_PrincipalIsPaid(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	set(t, a, collections.Institutions, `code = "demo"`, map[string]any{"proxy_payee": "principal"})
	p, who := a.Login("P0001", "wechat"), a.Sims.World.Find(elderly)
	id := p.ApprovedProxy(elderly, "elderly")
	opts := a.Call("GET", "/api/hospay/options?card_no="+who.Cards[0]+"&proxy="+id, p.Token, nil)
	if payee, _ := opts.Body["payee"].(map[string]any); payee["who"] != "principal" {
		t.Errorf("options: %s", opts.Raw)
	}
	to := map[string]any{"payee_name": who.Name, "payee_account": who.AlipayLogon}
	wantRefusal(t, "转给代办人", p.ApplyFor(id, elderly, "alipay", "transfer", 3000, nil), 400, "name_mismatch")
	wantRefusal(t, "被代办人没有绑定微信", p.ApplyFor(id, elderly, "wechat", "transfer", 3000, to), 400, "channel_not_bound")
	res := p.ApplyFor(id, elderly, "alipay", "transfer", 3000, to)
	if res.Status != 200 {
		t.Fatalf("order: %d %s", res.Status, res.Raw)
	}
	order := res.Text("id")
	a.Drain()
	a.Review(a.Staff("reviewer1"), order, "approve", "")
	a.Drain()
	wantStatus(t, a, order, refund.StatusSucceeded)
	principal := a.Login(elderly, "wechat") // now the principal has come and is bound
	res = p.ApplyFor(id, elderly, "wechat", "transfer", 2000, map[string]any{"payee_name": who.Name})
	if res.Status != 200 || a.Order(res.Text("id")).Order.Payee.Account != who.Openid {
		t.Errorf("to the principal's WeChat: %d %s", res.Status, res.Raw)
	}
	for _, name := range []string{"refund_orders", "proxy_applications", "proxy_materials", "notifications"} {
		if res := a.Call("GET", "/api/collections/"+name+"/records", principal.Token, nil); res.Text("totalItems") != "0" {
			t.Errorf("the principal sees the agent's %s: %s", name, res.Raw)
		}
	}
	wantRefusal(t, "被代办人看代办单", a.Call("GET", "/api/hospay/refunds/"+order+"/timeline", principal.Token, nil), 404, "not_found")
	booksAgree(t, a)
}

// TestProxy_DeceasedPaysTheAgent whatever the institution prefers; the original
// route goes back the way the money came.
func TestProxy_DeceasedPaysTheAgent(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	set(t, a, collections.Institutions, `code = "demo"`, map[string]any{"proxy_payee": "principal"})
	p, who := a.Login("P0001", "wechat"), a.Sims.World.Find("P0008")
	id := p.ApprovedProxy("P0008", "deceased")
	if res := p.ApplyFor(id, "P0008", "wechat", "transfer", 2000, map[string]any{"payee_name": who.Name}); res.Code() != "name_mismatch" {
		t.Errorf("to the deceased: %d %s", res.Status, res.Raw)
	}
	res := p.ApplyFor(id, "P0008", "wechat", "transfer", 2000, nil)
	if res.Status != 200 || a.Order(res.Text("id")).Order.Payee.Account != a.Sims.World.Find("P0001").Openid {
		t.Fatalf("to the agent: %d %s", res.Status, res.Raw)
	}
	a.Call("POST", "/api/hospay/refunds/"+res.Text("id")+"/cancel", p.Token, nil)
	a.Drain()
	wantRefusal(t, "原路退写代办人", p.ApplyFor(id, "P0008", "wechat", "original", 100, nil), 400, "name_mismatch")
	// What goes back by original route goes to the holder of the card: no name is typed.
	res = p.ApplyFor(id, "P0008", "wechat", "original", 100, map[string]any{"payee_name": ""})
	if res.Status != 200 {
		t.Fatalf("original route: %d %s", res.Status, res.Raw)
	}
	a.Drain()
	a.Review(a.Staff("reviewer1"), res.Text("id"), "approve", "")
	a.Drain()
	a.Advance(time.Minute)
	a.Drain()
	wantStatus(t, a, res.Text("id"), refund.StatusSucceeded)
	booksAgree(t, a)
}

// TestProxy_RulesLeaveItToPeople: with the automatic review on, and even
// without its rule for proxies, people decide.
func TestProxy_RulesLeaveItToPeople(t *testing.T) {
	for name, rules := range map[string][]refund.Rule{"默认": nil, "没有代办规则": {{Name: refund.RuleNameEqual, OnFail: refund.OutcomeReject}}} {
		a := testapp.New(t, testapp.Config{Settings: demo.Settings{Review: refund.ReviewSettings{Auto: true, Rules: rules}}})
		p := a.Login("P0001", "wechat")
		id := p.ApprovedProxy(child, "minor")
		res := p.ApplyFor(id, child, "wechat", "transfer", 1000, nil)
		if res.Status != 200 {
			t.Fatalf("%s: %d %s", name, res.Status, res.Raw)
		}
		a.Drain()
		a.Advance(time.Hour)
		a.Drain()
		if w := wantStatus(t, a, res.Text("id"), refund.StatusReviewing); w.Order.FailCode != "" {
			t.Errorf("%s: %s", name, w.Order.FailCode)
		}
	}
}

// TestProxy_OneCodeForWhateverDoesNotFit: nobody learns which part was right,
// and nothing is kept.
func TestProxy_OneCodeForWhateverDoesNotFit(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	who, other := a.Sims.World.Find(elderly), a.Sims.World.Find("P0008")
	unknown := "11010119500101999" + idno.Checksum("11010119500101999")
	before := countRows(t, a, collections.Patients, nil)
	p := a.Login("P0001", "wechat")
	var bodies []string
	for name, change := range map[string]map[string]any{
		"姓名不符": {"principal_name": "测试某某"}, "别人的姓名": {"principal_name": other.Name}, "证件号不符": {"principal_id_no": other.IDNo},
		"证件号不存在": {"principal_id_no": unknown}, "卡号不符": {"card_no": other.Cards[0]}, "卡号不存在": {"card_no": "C9999"},
	} {
		res := p.ApplyProxy(elderly, "elderly", change)
		wantRefusal(t, name, res, 400, "principal_not_found")
		bodies = append(bodies, string(res.Raw))
	}
	for _, b := range bodies {
		if b != bodies[0] || strings.Contains(b, who.Name) {
			t.Errorf("answers differ: %s and %s", b, bodies[0])
		}
	}
	if n := countRows(t, a, collections.Patients, nil); n != before+1 { // the agent
		t.Errorf("%d patients were kept", n-before-1)
	}
}

func TestProxy_RefusalsTellCodeAndSentence(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	p, own := a.Login("P0001", "wechat"), a.Sims.World.Find("P0001")
	asked := len(a.Sims.HIS.Requests().All())
	for _, c := range []struct {
		name, kind string
		changes    map[string]any
		code       string
	}{
		{"证件号错一位", "elderly", map[string]any{"principal_id_no": "110101195001011234"}, "id_no_invalid"},
		{"证件号为空", "elderly", map[string]any{"principal_id_no": ""}, "id_no_invalid"},
		{"代办自己", "incapacitated", map[string]any{"principal_id_no": own.IDNo, "principal_name": own.Name, "card_no": own.Cards[0]}, "proxy_self"},
		{"老人按未成年办", "minor", nil, "proxy_case_mismatch"},
		{"授权文本过期", "elderly", map[string]any{"consent_version": "0"}, "consent_outdated"},
		{"没有同意", "elderly", map[string]any{"consent_version": ""}, "consent_outdated"},
		{"没有的情形", "friend", nil, "bad_request"},
		{"没有的关系", "elderly", map[string]any{"relation": "friend"}, "bad_request"},
		{"没有姓名", "elderly", map[string]any{"principal_name": " "}, "principal_not_found"},
	} {
		wantRefusal(t, c.name, p.ApplyProxy(elderly, c.kind, c.changes), 400, c.code)
	}
	wantRefusal(t, "孩子按老人办", p.ApplyProxy(child, "elderly", nil), 400, "proxy_case_mismatch")
	if n := len(a.Sims.HIS.Requests().All()) - asked; n != 0 {
		t.Errorf("HIS was asked %d times about what is wrong in itself", n)
	}
	if err := a.Sims.HIS.Faults().Plan("identity", "timeout_before"); err != nil {
		t.Fatal(err)
	}
	wantRefusal(t, "HIS 没有应答", p.ApplyProxy(elderly, "elderly", nil), 503, "his_unavailable")
	set(t, a, collections.Institutions, `code = "demo"`, map[string]any{"proxy_on": false})
	wantRefusal(t, "未开通", p.ApplyProxy(elderly, "elderly", nil), 400, "proxy_off")
	if res := a.Call("GET", "/api/hospay/proxies/options", p.Token, nil); res.Text("on") != "false" {
		t.Errorf("options: %s", res.Raw)
	}
}

// TestProxy_SearchesAreCounted by day and agent, found or not, whatever comes
// at the same time.
func TestProxy_SearchesAreCounted(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	p := a.Login("P0001", "wechat")
	var mu sync.Mutex
	codes := map[string]int{}
	var wg sync.WaitGroup
	for i := range 14 {
		wg.Go(func() {
			res := p.ApplyProxy(elderly, "elderly", map[string]any{"card_no": fmt.Sprintf("C99%02d", i)})
			mu.Lock()
			defer mu.Unlock()
			codes[res.Code()]++
		})
	}
	wg.Wait()
	if codes["principal_not_found"] != 10 || codes["too_many_today"] != 4 {
		t.Errorf("answers: %v", codes)
	}
	wantRefusal(t, "次数用完，写对也不行", p.ApplyProxy(elderly, "elderly", nil), 400, "too_many_today")
	if res := a.Login("P0002", "alipay").ApplyProxy(elderly, "elderly", nil); res.Status != 200 {
		t.Errorf("another agent: %d %s", res.Status, res.Raw)
	}
}

// TestProxy_SameIDTwiceIsOneApplication, alone and in parallel.
func TestProxy_SameIDTwiceIsOneApplication(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	p := a.Login("P0001", "wechat")
	const id = "proxyabcdef0001"
	var wg sync.WaitGroup
	for range 6 {
		wg.Go(func() {
			if res := p.ApplyProxy(elderly, "elderly", map[string]any{"id": id}); res.Status != 200 || res.Text("id") != id ||
				res.Body["card"] == nil {
				t.Errorf("repeat: %d %s", res.Status, res.Raw)
			}
		})
	}
	wg.Wait()
	for name, change := range map[string]map[string]any{"别的情形": {"case": "deceased"}, "别的关系": {"relation": "spouse"},
		"别的姓名": {"principal_name": "某某"}, "别的卡": {"card_no": "C0008"}} {
		change["id"] = id
		wantRefusal(t, name, p.ApplyProxy(elderly, "elderly", change), 409, "conflict")
	}
	wantRefusal(t, "别人用同一编号", a.Login("P0002", "wechat").ApplyProxy(elderly, "elderly", map[string]any{"id": id}), 409, "conflict")
	if n := countRows(t, a, collections.ProxyApplications, nil); n != 1 {
		t.Errorf("%d applications", n)
	}
}

// TestProxy_ServerOwnsEverythingElse sends every field: only those that are the
// agent's to send count.
func TestProxy_ServerOwnsEverythingElse(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	p, other := a.Login("P0001", "wechat"), a.Login("P0002", "wechat")
	res := p.ApplyProxy(elderly, "elderly", map[string]any{
		"status": "approved", "expires_at": "2030-01-01 00:00:00Z", "patient": other.ID, "principal": other.ID, "no": "A1", "version": 9,
		"note": "x", "reviewer": "x",
		"reviewed_at": "2026-01-01 00:00:00Z", "institution": "x", "principal_id_index": "x", "purged_at": "2026-01-01 00:00:00Z",
		"reason_code": "x", "created": "2020-01-01 00:00:00Z",
	})
	if res.Status != 200 {
		t.Fatalf("apply: %d %s", res.Status, res.Raw)
	}
	q, err := a.Store.Proxy(t.Context(), res.Text("id"))
	if err != nil {
		t.Fatal(err)
	}
	if q.Agent != p.ID || q.Principal == other.ID || q.Status != refund.ProxyDraft || q.Version != 0 || q.No == "A1" ||
		q.Institution != a.Institution || !q.ExpiresAt.IsZero() ||
		res.Text("note")+res.Text("reviewer")+res.Text("reviewed_at")+res.Text("purged_at")+res.Text("reason_code") != "" {
		t.Errorf("a field was taken from the agent: %+v %s", q, res.Raw)
	}
	// Nobody can enter as the principal by this.
	rec, err := a.Runtime.App.FindRecordById(collections.Patients, q.Principal)
	if err != nil {
		t.Fatal(err)
	}
	if rec.GetBool("wechat_bound") || rec.GetBool("alipay_bound") || rec.GetString("phone_sealed") != "" || rec.ValidatePassword("") ||
		rec.GetString("email") != "" {
		t.Error("the principal's record can be entered or knows more than it must")
	}
}

// TestProxy_ExistingPrincipalStaysAsItIs: who has come before keeps phone, way
// and bindings.
func TestProxy_ExistingPrincipalStaysAsItIs(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	owner := a.Login("P0009", "alipay")
	a.Call("GET", "/api/hospay/cards", owner.Token, nil)
	read := func() string {
		rec, err := a.Runtime.App.FindRecordById(collections.Patients, owner.ID)
		if err != nil {
			t.Fatal(err)
		}
		cards := []string{}
		if err := a.Runtime.App.DB().Select("card_no").From(collections.PatientCards).Where(dbx.HashExp{"patient": owner.ID}).OrderBy("card_no").
			Column(&cards); err != nil {
			t.Fatal(err)
		}
		return fmt.Sprint(rec.FieldsData(), cards)
	}
	before := read()
	if res := a.Login("P0001", "wechat").ApplyProxy("P0009", "incapacitated", nil); res.Status != 200 {
		t.Fatalf("apply: %d %s", res.Status, res.Raw)
	}
	if after := read(); after != before {
		t.Errorf("the principal's record changed:\n%s\n%s", before, after)
	}
}

func TestProxy_Materials(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	p, other := a.Login("P0001", "wechat"), a.Login("P0002", "alipay")
	id := p.ApplyProxy(elderly, "elderly", nil).Text("id")
	for name, c := range map[string]struct {
		kind   string
		photo  []byte
		status int
		code   string
	}{
		"网页改名":   {"agent_id_front", []byte("<html><script>alert(1)</script>"), 400, "image_invalid"},
		"空文件":    {"agent_id_front", []byte{}, 400, "image_invalid"},
		"截断":     {"agent_id_front", demo.Photo(1)[:2000], 400, "image_invalid"},
		"没有的种类":  {"selfie", demo.Photo(1), 400, "bad_request"},
		"超过十兆":   {"agent_id_front", append(demo.Photo(1), make([]byte, 10<<20)...), 413, "image_too_large"},
		"整个请求过大": {"agent_id_front", append(demo.Photo(1), make([]byte, 14<<20)...), 413, "image_too_large"},
	} {
		wantRefusal(t, name, a.Upload(p.Token, id, c.kind, "photo.jpg", c.photo), c.status, c.code)
	}
	wantRefusal(t, "别人的申请", a.Upload(other.Token, id, "agent_id_front", "photo.jpg", demo.Photo(1)), 404, "not_found")
	wantRefusal(t, "没有文件", a.Call("POST", "/api/collections/proxy_materials/records", p.Token,
		map[string]any{"application": id, "kind": "other"}), 400, "image_invalid")
	first := a.Upload(p.Token, id, "agent_id_front", "张三的身份证.jpg", demo.Photo(1))
	second := a.Upload(p.Token, id, "agent_id_front", "b.jpg", demo.Photo(2))
	if first.Status != 200 || second.Status != 200 || first.Text("id") == second.Text("id") ||
		!strings.HasPrefix(first.Text("file"), "agent_id_front_") || first.Text("width") != "860" {
		t.Fatalf("uploads: %s %s", first.Raw, second.Raw)
	}
	if n := countRows(t, a, collections.ProxyMaterials, nil); n != 1 || len(storedFiles(t, a)) != 1 {
		t.Errorf("%d rows, files %v after a replacement", n, storedFiles(t, a))
	}
	var last string
	for i := range 3 {
		res := a.Upload(p.Token, id, "other", "c.jpg", demo.Photo(i))
		if last = res.Text("id"); res.Status != 200 {
			t.Errorf("other %d: %d %s", i, res.Status, res.Raw)
		}
	}
	wantRefusal(t, "第四张其他材料", a.Upload(p.Token, id, "other", "c.jpg", demo.Photo(4)), 400, "image_too_many")
	path := "/api/collections/proxy_materials/records/"
	if res := a.Call("DELETE", path+last, other.Token, nil); res.Status != 404 {
		t.Errorf("deleted by another patient: %d", res.Status)
	}
	if res := a.Call("DELETE", path+last, p.Token, nil); res.Status != 204 || len(storedFiles(t, a)) != 3 {
		t.Errorf("delete: %d %s, files %v", res.Status, res.Raw, storedFiles(t, a))
	}
	detail := a.Call("GET", "/api/hospay/proxies/"+id, p.Token, nil)
	if list, _ := detail.Body["materials"].([]any); len(list) != 3 || !strings.Contains(fmt.Sprint(detail.Body["missing"]),
		"power_of_attorney") || detail.Body["card"] == nil || detail.Text("status_text") != "待提交" {
		t.Errorf("detail: %s", detail.Raw)
	}
	for i, k := range refund.ProxyElderly.Required(idno.Resident) {
		second = a.Upload(p.Token, id, string(k), "d.jpg", demo.Photo(i))
	}
	if res := a.Call("POST", "/api/hospay/proxies/"+id+"/submit", p.Token, nil); res.Status != 200 {
		t.Fatalf("submit: %d %s", res.Status, res.Raw)
	}
	wantRefusal(t, "提交后再传", a.Upload(p.Token, id, "agent_id_front", "e.jpg", demo.Photo(9)), 409, "conflict")
	wantRefusal(t, "提交后删除", a.Call("DELETE", path+second.Text("id"), p.Token, nil), 409, "conflict")
	wantRefusal(t, "提交两次", a.Call("POST", "/api/hospay/proxies/"+id+"/submit", p.Token, nil), 409, "conflict")
}

// TestProxy_PhotosAreShownToFewAndOnRecord follows one photo through the file
// route.
func TestProxy_PhotosAreShownToFewAndOnRecord(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	p := a.Login("P0001", "wechat")
	id := p.SubmittedProxy(elderly, "elderly")
	rec, err := a.Runtime.App.FindFirstRecordByFilter(collections.ProxyMaterials, `kind = "agent_id_front"`)
	if err != nil {
		t.Fatal(err)
	}
	path := "/api/files/proxy_materials/" + rec.Id + "/" + rec.GetString("file")
	for _, c := range []struct {
		name, token string
		status      int
		looks       int
	}{
		{"guest", "", 404, 0}, {"agent", p.Token, 200, 0}, {"other", a.Login("P0002", "alipay").Token, 404, 0},
		{"principal", a.Login(elderly, "alipay").Token, 404, 0},
		{"config", a.Staff("config"), 404, 0}, {"finance", a.Staff("finance"), 404, 0}, {"cashier", a.Staff("cashier"), 404, 0},
		{"reviewer", lookedAt(t, a, "reviewer1", id), 200, 1}, {"auditor", lookedAt(t, a, "auditor", id), 200, 1},
		{"a reviewer without a reason", a.Staff("reviewer2"), 403, 0}, {"superuser", a.Superuser(), 403, 0},
	} {
		query := ""
		if c.token != "" {
			query = "?token=" + a.Call("POST", "/api/files/token", c.token, nil).Text("token")
		}
		before := countRows(t, a, collections.AuditLog, dbx.HashExp{"action": "proxy.photo", "target": id})
		for _, extra := range []string{"", "&thumb=100x100&download=1"} {
			if query == "" {
				extra = strings.Replace(extra, "&", "?", 1)
			}
			res := a.Fetch("GET", path+query+extra, c.token, "", nil)
			img, kind, err := image.DecodeConfig(res.Body)
			res.Body.Close()
			if res.StatusCode != c.status {
				t.Errorf("%s%s: %d, want %d", c.name, extra, res.StatusCode, c.status)
			}
			head := res.Header
			if c.status == 200 && (err != nil || kind != "jpeg" || img.Width != 860 || head.Get("Content-Type") != "image/jpeg" ||
				head.Get("Cache-Control") != "no-store" || head.Get("X-Content-Type-Options") != "nosniff") {
				t.Errorf("%s: %s %v %v", c.name, kind, err, head)
			}
		}
		if n := countRows(t, a, collections.AuditLog, dbx.HashExp{"action": "proxy.photo", "target": id}) - before; n != 2*c.looks {
			t.Errorf("%s: %d looks on record, want %d", c.name, n, 2*c.looks)
		}
	}
	for name, data := range storedFiles(t, a) {
		if _, _, err := image.DecodeConfig(bytes.NewReader(data)); err == nil || bytes.Contains(data, []byte("JFIF")) {
			t.Errorf("%s lies open in the storage", name)
		}
	}
}
