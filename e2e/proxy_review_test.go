package e2e

import (
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"hospay/collections"
	"hospay/flow"
	"hospay/internal/idno"
	"hospay/internal/testday"
	"hospay/internal/vault"
	"hospay/lab/demo"
	"hospay/lab/testapp"
	"hospay/refund"

	"github.com/pocketbase/dbx"
)

// storedFiles reads the photos as they lie on the disk.
func storedFiles(t *testing.T, a *testapp.App) map[string][]byte {
	t.Helper()
	c, err := a.Runtime.App.FindCollectionByNameOrId(collections.ProxyMaterials)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]byte{}
	root := filepath.Join(a.Dir, "storage", c.Id)
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if os.IsNotExist(err) {
			return nil
		}
		if err != nil || d.IsDir() || strings.HasSuffix(path, ".attrs") {
			return err
		}
		out[path], err = os.ReadFile(path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// move changes an application in the database, within what the triggers allow.
func move(t *testing.T, a *testapp.App, id string, set dbx.Params) {
	t.Helper()
	if _, err := a.Runtime.App.NonconcurrentDB().Update(collections.ProxyApplications, set, dbx.HashExp{"id": id}).Execute(); err != nil {
		t.Fatal(err)
	}
}

func inDays(days int) string {
	return testday.Now().AddDate(0, 0, days).UTC().Format("2006-01-02 15:04:05.000Z")
}

func housekeeping(t *testing.T, a *testapp.App) int {
	t.Helper()
	n, err := a.Jobs.RunNow(t.Context(), "housekeeping")
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestProxy_RejectionTellsTheReason(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	p := a.Login("P0001", "wechat")
	id, reviewer := p.SubmittedProxy(elderly, "elderly"), a.Staff("reviewer1")
	wantRefusal(t, "没有理由", a.ReviewProxy(reviewer, id, "reject", " "), 400, "note_required")
	wantRefusal(t, "没有的决定", a.ReviewProxy(reviewer, id, "maybe", ""), 400, "bad_request")
	wantRefusal(t, "不是审核员", a.ReviewProxy(a.Staff("finance"), id, "approve", ""), 403, "not_allowed")
	if res := a.ReviewProxy(reviewer, id, "reject", "委托书看不清"); res.Status != 200 || res.Text("status") != "rejected" ||
		res.Text("note") != "委托书看不清" || res.Text("reason_code") != "rejected" {
		t.Fatalf("reject: %d %s", res.Status, res.Raw)
	}
	wantRefusal(t, "再审一次", a.ReviewProxy(reviewer, id, "approve", ""), 409, "proxy_closed")
	wantRefusal(t, "驳回后申请", p.ApplyFor(id, elderly, "wechat", "transfer", 1000, nil), 400, "proxy_not_approved")
	wantRefusal(t, "驳回后关闭", a.Call("POST", "/api/hospay/proxies/"+id+"/close", p.Token, nil), 409, "proxy_closed")
	told := a.Call("GET", `/api/collections/notifications/records?filter=(event="proxy_rejected")`, p.Token, nil)
	if told.Text("totalItems") != "1" || !strings.Contains(string(told.Raw), "委托书看不清") {
		t.Errorf("the agent is told: %s", told.Raw)
	}
	if detail := a.Call("GET", "/api/hospay/proxies/"+id, p.Token, nil); detail.Body["card"] != nil || detail.Text("note") == "" {
		t.Errorf("detail: %s", detail.Raw)
	}
	again := p.ApprovedProxy(elderly, "elderly")
	told = a.Call("GET", `/api/collections/notifications/records?filter=(event="proxy_approved")`, p.Token, nil)
	if again == id || told.Text("totalItems") != "1" {
		t.Errorf("a new application: %s %s", again, told.Raw)
	}
	if n := countRows(t, a, collections.Notifications, dbx.HashExp{"via": "wechat", "event": "proxy_approved", "patient": p.ID}); n != 1 {
		t.Errorf("%d WeChat messages about the approval", n)
	}
}

// TestProxy_ReviewerIsNotConcerned neither as the agent nor as the principal,
// with the application and with the order.
func TestProxy_ReviewerIsNotConcerned(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	p := a.Login("P0001", "wechat")
	id := p.SubmittedProxy(elderly, "elderly")
	become := func(name, patient string) {
		set(t, a, collections.Staff, `email = "`+name+`@demo.hospay"`,
			map[string]any{"person_index": a.Store.PersonIndex(a.Sims.World.Find(patient).IDNo)})
	}
	become("reviewer1", "P0001")
	become("reviewer2", elderly)
	wantRefusal(t, "代办人自己审", a.ReviewProxy(a.Staff("reviewer1"), id, "approve", ""), 403, "self_review")
	wantRefusal(t, "被代办人自己审", a.ReviewProxy(a.Staff("reviewer2"), id, "approve", ""), 403, "self_review")
	wantRefusal(t, "被代办人驳回也不行", a.ReviewProxy(a.Staff("reviewer2"), id, "reject", "理由"), 403, "self_review")
	become("reviewer1", "P0005")
	if res := a.ReviewProxy(a.Staff("reviewer1"), id, "approve", ""); res.Status != 200 {
		t.Fatalf("approve: %d %s", res.Status, res.Raw)
	}
	order := p.ApplyFor(id, elderly, "wechat", "transfer", 1000, nil).Text("id")
	a.Drain()
	wantRefusal(t, "被代办人审订单", a.Review(a.Staff("reviewer2"), order, "approve", ""), 403, "self_review")
	become("reviewer2", "P0001")
	wantRefusal(t, "代办人审订单", a.Review(a.Staff("reviewer2"), order, "approve", ""), 403, "self_review")
	if _, err := a.Runtime.App.NonconcurrentDB().Update(collections.Staff, dbx.Params{"institution": "planted00000000"},
		dbx.HashExp{"email": "reviewer1@demo.hospay"}).Execute(); err != nil {
		t.Fatal(err)
	}
	if res := a.ReviewProxy(a.Staff("reviewer1"), id, "reject", "x"); res.Status != 404 {
		t.Errorf("another institution's reviewer: %d %s", res.Status, res.Raw)
	}
}

// TestProxy_TwoReviewersOneWins lets two decide at the same moment, many times.
func TestProxy_TwoReviewersOneWins(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	p := a.Login("P0001", "wechat")
	id := p.SubmittedProxy(elderly, "elderly")
	staff := map[string]string{}
	for _, name := range []string{"reviewer1", "reviewer2"} {
		rec, err := a.Runtime.App.FindAuthRecordByEmail(collections.Staff, name+"@demo.hospay")
		if err != nil {
			t.Fatal(err)
		}
		staff[name] = rec.Id
	}
	db := a.Runtime.App.NonconcurrentDB()
	var columns []string
	if err := db.NewQuery("SELECT name FROM pragma_table_info('proxy_applications') WHERE name NOT IN ('id', 'no')").
		Column(&columns); err != nil {
		t.Fatal(err)
	}
	list := "`" + strings.Join(columns, "`, `") + "`"
	for i := range often(50, 1000) {
		copied := "race" + time.Unix(int64(i), 0).UTC().Format("150405") + "00000"
		// A draft with the same content, handed in.
		if _, err := db.NewQuery("INSERT INTO proxy_applications (id, no, " + list + ") SELECT {:id}, {:id}, " + strings.Replace(list, "`status`",
			"'draft'", 1) +
			" FROM proxy_applications WHERE id = {:of}").Bind(dbx.Params{"id": copied, "of": id}).Execute(); err != nil {
			t.Fatal(err)
		}
		move(t, a, copied, dbx.Params{"status": "submitted"})
		var won, lost atomic.Int32
		var wg sync.WaitGroup
		for name, who := range staff {
			wg.Go(func() {
				switch err := a.Store.ReviewProxy(t.Context(), copied, who, name == "reviewer1", "理由", "", testday.Now()); {
				case err == nil:
					won.Add(1)
				case flow.CodeOf(err) == flow.CodeConflict, flow.CodeOf(err) == refund.CodeProxyClosed:
					lost.Add(1)
				default:
					t.Errorf("%s: %v", name, err)
				}
			})
		}
		wg.Wait()
		if won.Load() != 1 || lost.Load() != 1 {
			t.Fatalf("round %d: %d won, %d lost", i, won.Load(), lost.Load())
		}
	}
	if n := countRows(t, a, collections.Notifications, dbx.NewExp("event LIKE 'proxy_%' AND via = 'in_app'")); n != often(50, 1000) {
		t.Errorf("%d notices of so many decisions", n)
	}
}

// TestProxy_ClosedMeanwhile: an order that was made in time can only be
// rejected once its application is closed.
func TestProxy_ClosedMeanwhile(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	p, reviewer := a.Login("P0001", "wechat"), a.Staff("reviewer1")
	id := p.ApprovedProxy(elderly, "elderly")
	order := p.ApplyFor(id, elderly, "wechat", "transfer", 1000, nil).Text("id")
	a.Drain()
	wantRefusal(t, "别人关闭", a.Call("POST", "/api/hospay/proxies/"+id+"/close", a.Login("P0002", "wechat").Token, nil), 404, "not_found")
	if res := a.Call("POST", "/api/hospay/proxies/"+id+"/close", p.Token, nil); res.Status != 200 || res.Text("status") != "closed" ||
		res.Text("reason_code") != "closed_by_agent" {
		t.Fatalf("close: %d %s", res.Status, res.Raw)
	}
	wantRefusal(t, "关闭后看卡", a.Call("GET", "/api/hospay/cards?proxy="+id, p.Token, nil), 400, "proxy_not_approved")
	wantRefusal(t, "关闭后批准订单", a.Review(reviewer, order, "approve", ""), 409, "proxy_closed")
	batch := a.Call("POST", "/api/hospay/reviews/batch", reviewer, map[string]any{"orders": []string{order}, "decision": "approve", "count": 1,
		"total": 1000})
	if batch.Status != 200 || !strings.Contains(string(batch.Raw), "review_singly") {
		t.Errorf("batch: %d %s", batch.Status, batch.Raw)
	}
	wantStatus(t, a, order, refund.StatusReviewing)
	if res := a.Review(reviewer, order, "reject", "代办已关闭"); res.Status != 200 {
		t.Fatalf("reject: %d %s", res.Status, res.Raw)
	}
	a.Drain()
	wantStatus(t, a, order, refund.StatusRejected)
	if n := a.Sims.WeChat.Requests().Count("transfer", ""); n != 0 {
		t.Errorf("%d transfers", n)
	}
	booksAgree(t, a)
}

func TestProxy_ExpiryAndWrongParties(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	p := a.Login("P0001", "wechat")
	id := p.ApprovedProxy(elderly, "elderly")
	other := a.Login("P0002", "wechat")
	wantRefusal(t, "别人用", other.ApplyFor(id, elderly, "wechat", "transfer", 1000, nil), 400, "proxy_not_approved")
	wantRefusal(t, "别人看卡", a.Call("GET", "/api/hospay/cards?proxy="+id, other.Token, nil), 400, "proxy_not_approved")
	wantRefusal(t, "别人看申请", a.Call("GET", "/api/hospay/proxies/"+id, other.Token, nil), 404, "not_found")
	wantRefusal(t, "用于别的卡", p.ApplyFor(id, elderly, "wechat", "transfer", 1000, map[string]any{"card_no": "C0008"}), 400, "proxy_not_approved")
	wantRefusal(t, "用于自己的卡", p.ApplyFor(id, elderly, "wechat", "transfer", 1000, map[string]any{"card_no": p.Card}), 400, "proxy_not_approved")
	wantRefusal(t, "不带代办用别人的卡", p.Apply("wechat", "transfer", 1000, map[string]any{"card_no": a.Sims.World.Find(elderly).Cards[0]}), 400,
		"card_not_yours")
	order := p.ApplyFor(id, elderly, "wechat", "transfer", 1000, map[string]any{"id": "proxyorder00001"})
	if order.Status != 200 {
		t.Fatalf("order: %d %s", order.Status, order.Raw)
	}
	wantRefusal(t, "本人同时申请同一张卡", a.Login(elderly, "wechat").Apply("wechat", "transfer", 1000, nil), 409, "active_order_exists")
	a.Call("POST", "/api/hospay/refunds/"+order.Text("id")+"/cancel", p.Token, nil)
	a.Drain()
	move(t, a, id, dbx.Params{"expires_at": inDays(-1)})
	wantRefusal(t, "过期后申请", p.ApplyFor(id, elderly, "wechat", "transfer", 1000, nil), 400, "proxy_not_approved")
	wantRefusal(t, "过期后看卡", a.Call("GET", "/api/hospay/cards?proxy="+id, p.Token, nil), 400, "proxy_not_approved")
	if res := p.ApplyFor(id, elderly, "wechat", "transfer", 1000, map[string]any{"id": "proxyorder00001"}); res.Status != 200 {
		t.Errorf("the same order again: %d %s", res.Status, res.Raw)
	}
	if n := housekeeping(t, a); n != 1 {
		t.Errorf("housekeeping did %d things", n)
	}
	if res := a.Call("GET", "/api/hospay/proxies/"+id, p.Token, nil); res.Text("status") != "closed" || res.Text("reason_code") != "expired" ||
		res.Body["card"] != nil {
		t.Errorf("after its days: %s", res.Raw)
	}
}

// TestProxy_DayLimitCountsBothParties: neither the agent nor the principal gets
// around the limit by the other.
func TestProxy_DayLimitCountsBothParties(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	p, owner := a.Login("P0001", "wechat"), a.Login(elderly, "wechat")
	id := p.ApprovedProxy(elderly, "elderly")
	set(t, a, collections.Institutions, `code = "demo"`, map[string]any{"day_limit": 2})
	for i, res := range []testapp.Answer{p.ApplyFor(id, elderly, "wechat", "transfer", 1000, nil),
		owner.Apply("wechat", "transfer", 1000, nil)} {
		if i == 1 && res.Status != 409 { // one at a time
			t.Fatalf("the owner beside the agent: %d %s", res.Status, res.Raw)
		}
	}
	end := func(q *testapp.Patient, res testapp.Answer) {
		t.Helper()
		if res.Status != 200 {
			t.Fatalf("%s: %d %s", q.No, res.Status, res.Raw)
		}
		a.Call("POST", "/api/hospay/refunds/"+res.Text("id")+"/cancel", q.Token, nil)
		a.Drain()
	}
	rec, err := a.Runtime.App.FindFirstRecordByFilter(collections.RefundOrders, "patient = {:p}", dbx.Params{"p": p.ID})
	if err != nil {
		t.Fatal(err)
	}
	a.Call("POST", "/api/hospay/refunds/"+rec.Id+"/cancel", p.Token, nil)
	a.Drain()
	end(owner, owner.Apply("wechat", "transfer", 1000, nil)) // the second for this person
	wantRefusal(t, "本人第三笔", owner.Apply("wechat", "transfer", 1000, nil), 400, "too_many_today")
	wantRefusal(t, "代办第三笔", p.ApplyFor(id, elderly, "wechat", "transfer", 1000, nil), 400, "too_many_today")
	end(p, p.Apply("wechat", "transfer", 1000, nil)) // the agent's own second
	wantRefusal(t, "代办人自己的第三笔", p.Apply("wechat", "transfer", 1000, nil), 400, "too_many_today")
}

// TestProxy_PhotosAreDeletedInTime and a run that was cut off is made good.
func TestProxy_PhotosAreDeletedInTime(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	p := a.Login("P0001", "wechat")
	kept, ended, draft := p.ApprovedProxy(elderly, "elderly"), p.SubmittedProxy("P0008", "deceased"), p.ApplyProxy(child, "minor", nil).
		Text("id")
	a.Call("POST", "/api/hospay/proxies/"+ended+"/close", p.Token, nil)
	if n := housekeeping(t, a); n != 0 || len(storedFiles(t, a)) != 10 {
		t.Fatalf("too early: %d things done, %d files", n, len(storedFiles(t, a)))
	}
	move(t, a, ended, dbx.Params{"closed_at": inDays(-31)})
	move(t, a, draft, dbx.Params{"updated": inDays(-8)})
	// A run that died behind the first file, and an upload without its row.
	rec, err := a.Runtime.App.FindFirstRecordByFilter(collections.ProxyMaterials, "application = {:a}", dbx.Params{"a": ended})
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Store.RemoveFiles(t.Context(), rec.Id); err != nil {
		t.Fatal(err)
	}
	orphan := filepath.Join(a.Dir, "storage", rec.Collection().Id, "orphan000000000", "other_x.jpg")
	if err := os.MkdirAll(filepath.Dir(orphan), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(orphan, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if housekeeping(t, a); len(storedFiles(t, a)) != 6 { // the kept five, and the orphan, which may still be an upload under way
		t.Errorf("files: %d", len(storedFiles(t, a)))
	}
	old := time.Now().Add(-2 * time.Hour) // files bear the time of the machine
	if err := os.Chtimes(orphan, old, old); err != nil {
		t.Fatal(err)
	}
	if n := housekeeping(t, a); n != 1 || len(storedFiles(t, a)) != 5 {
		t.Errorf("second run: %d things, %d files", n, len(storedFiles(t, a)))
	}
	if n := housekeeping(t, a); n != 0 {
		t.Errorf("third run did %d things", n)
	}
	if n := countRows(t, a, collections.ProxyMaterials, dbx.NewExp("application = {:a} AND purged_at != '' AND file = ''",
		dbx.Params{"a": ended})); n != 5 {
		t.Errorf("%d rows say that they are purged", n)
	}
	for id, want := range map[string]string{kept: "approved", ended: "closed", draft: "closed"} {
		q, err := a.Store.Proxy(t.Context(), id)
		if err != nil || string(q.Status) != want {
			t.Errorf("%s is %s, want %s: %v", id, q.Status, want, err)
		}
	}
	if n := countRows(t, a, collections.AuditLog, dbx.HashExp{"action": "proxy.purge", "target": ended}); n != 1 {
		t.Errorf("%d audit rows of the deletion", n)
	}
	token := a.Call("POST", "/api/files/token", a.Superuser(), nil).Text("token")
	if res := a.Fetch("GET", "/api/files/proxy_materials/"+rec.Id+"/"+rec.GetString("file")+"?token="+token, "", "",
		nil); res.StatusCode != 404 {
		t.Errorf("a purged photo: %d", res.StatusCode)
	}
	if res := a.Call("GET", "/api/hospay/proxies/"+ended, p.Token, nil); res.Status != 200 || res.Text("purged_at") == "" {
		t.Errorf("detail: %s", res.Raw)
	}
}

// TestProxy_EveryStyleOfHIS finds a principal without a patient number, in JSON
// and in SOAP of both charsets.
func TestProxy_EveryStyleOfHIS(t *testing.T) {
	for _, kind := range []string{"rest", "soap-utf8", "soap-gbk"} {
		t.Run(kind, func(t *testing.T) {
			a := testapp.New(t, testapp.Config{Settings: demo.Settings{HISKind: kind}})
			p := a.Login("P0001", "wechat")
			if res := p.ApplyProxy(elderly, "elderly", nil); res.Status != 200 || res.Body["card"] == nil {
				t.Errorf("apply: %d %s", res.Status, res.Raw)
			}
			for name, change := range map[string]map[string]any{
				"姓名": {"principal_name": "测试某某"}, "证件号": {"principal_id_no": a.Sims.World.Find("P0008").IDNo}, "卡号": {"card_no": "C9999"},
			} {
				wantRefusal(t, name, p.ApplyProxy(elderly, "elderly", change), 400, "principal_not_found")
			}
		})
	}
}

// TestProxy_KeysRotate: after a rotation the names move to the new key, and old
// and new photos open.
func TestProxy_KeysRotate(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	p := a.Login("P0001", "wechat")
	const id = "proxyrotate0001"
	p.ApplyProxy(elderly, "elderly", map[string]any{"id": id})
	p.Upload(p.Token, id, "agent_id_front", "a.jpg", demo.Photo(1))
	sealed := func() string {
		rec, err := a.Runtime.App.FindRecordById(collections.ProxyApplications, id)
		if err != nil {
			t.Fatal(err)
		}
		return rec.GetString("principal_name_sealed")
	}
	before := sealed()
	for _, purpose := range []vault.Purpose{vault.Person, vault.File} {
		if err := a.Store.Vault().Rotate(purpose); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := a.Store.Reseal(t.Context()); err != nil {
		t.Fatal(err)
	}
	if after := sealed(); after == before || a.Store.Vault().Stale(vault.Person, after) {
		t.Error("the principal's name still lies under the old key")
	}
	if res := p.ApplyProxy(elderly, "elderly", map[string]any{"id": id}); res.Status != 200 {
		t.Errorf("the same application after the rotation: %d %s", res.Status, res.Raw)
	}
	p.Upload(p.Token, id, "agent_id_back", "b.jpg", demo.Photo(2))
	recs, err := a.Runtime.App.FindAllRecords(collections.ProxyMaterials)
	if err != nil || len(recs) != 2 {
		t.Fatalf("%d photos, %v", len(recs), err)
	}
	for _, r := range recs {
		if data, err := a.Store.OpenPhoto(r); err != nil || len(data) == 0 {
			t.Errorf("%s does not open: %v", r.GetString("kind"), err)
		}
	}
	// A photo opens in its own row only.
	recs[0].Id, recs[1].Id = recs[1].Id, recs[0].Id
	for _, r := range recs {
		if _, err := a.Store.OpenPhoto(r); err == nil {
			t.Error("a photo opens in another row")
		}
	}
}

// TestProxy_PrincipalIsHidden: neither fields nor filters lead from an
// application to the principal's record.
func TestProxy_PrincipalIsHidden(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	p := a.Login("P0001", "wechat")
	id := p.SubmittedProxy(elderly, "elderly")
	q, err := a.Store.Proxy(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	path := "/api/collections/proxy_applications/records"
	for who, token := range map[string]string{"agent": p.Token, "reviewer": a.Staff("reviewer1")} {
		for _, query := range []string{"", "?expand=principal", "?fields=*,expand.principal.*&expand=principal"} {
			if res := a.Call("GET", path+query, token, nil); res.Status != 200 || res.Text("totalItems") != "1" ||
				strings.Contains(string(res.Raw), q.Principal) || strings.Contains(string(res.Raw), "sealed") {
				t.Errorf("%s %s: %d %s", who, query, res.Status, res.Raw)
			}
		}
		for _, filter := range []string{`principal="` + q.Principal + `"`, `principal.phone!=""`, `principal_id_index!=""`,
			`principal_name_sealed!=""`, `version=1`} {
			if res := a.Call("GET", path+"?filter="+url.QueryEscape(filter), token, nil); res.Status != 400 {
				t.Errorf("%s may filter by %s: %d %s", who, filter, res.Status, res.Raw)
			}
		}
	}
	if res := a.Call("PATCH", path+"/"+id, p.Token, map[string]any{"status": "approved"}); res.Status < 400 {
		t.Errorf("the agent edits: %d", res.Status)
	}
}

// TestProxy_UploadsAtOnce leave one photo of a kind and one file, whoever comes
// last, and none once the application is handed in.
func TestProxy_UploadsAtOnce(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	p := a.Login("P0001", "wechat")
	id := p.ApplyProxy(elderly, "elderly", nil).Text("id")
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			if res := p.Upload(p.Token, id, "agent_id_front", "a.jpg", demo.Photo(i)); res.Status != 200 {
				t.Errorf("upload: %d %s", res.Status, res.Raw)
			}
		})
	}
	wg.Wait()
	if n := countRows(t, a, collections.ProxyMaterials, nil); n != 1 || len(storedFiles(t, a)) != 1 {
		t.Errorf("%d rows, %d files", n, len(storedFiles(t, a)))
	}
	for _, k := range refund.ProxyElderly.Required(idno.Resident)[1:] {
		p.Upload(p.Token, id, string(k), "a.jpg", demo.Photo(1))
	}
	for i := range 4 {
		wg.Go(func() {
			res := p.Upload(p.Token, id, "agent_id_front", "a.jpg", demo.Photo(i))
			if res.Status != 200 && (res.Status != 409 || res.Code() != "conflict") {
				t.Errorf("beside the submission: %d %s", res.Status, res.Raw)
			}
		})
	}
	if res := p.Call("POST", "/api/hospay/proxies/"+id+"/submit", p.Token, nil); res.Status != 200 {
		t.Errorf("submit: %d %s", res.Status, res.Raw)
	}
	wg.Wait()
	if n := countRows(t, a, collections.ProxyMaterials, nil); n != 5 || len(storedFiles(t, a)) != 5 {
		t.Errorf("%d rows, %d files after the submission", n, len(storedFiles(t, a)))
	}
}
