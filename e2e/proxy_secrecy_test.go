package e2e

import (
	"archive/zip"
	"bytes"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hospay/collections"
	"hospay/flow"
	"hospay/internal/i18n"
	"hospay/internal/idno"
	"hospay/internal/testday"
	"hospay/internal/vault"
	"hospay/lab/demo"
	"hospay/lab/testapp"
	"hospay/refund"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

// everyFile reads the data folder, with what lies inside its zip files.
func everyFile(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	out := map[string][]byte{}
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || d.Name() == "key.json" {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if !strings.HasSuffix(path, ".zip") || vault.Sealed(data) {
			out[path] = data
			return nil
		}
		z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			return err
		}
		for _, f := range z.File {
			in, err := f.Open()
			if err != nil {
				return err
			}
			if out[path+"!"+f.Name], err = io.ReadAll(in); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestSecrecy_ProxiesLeaveNothingOpen plays good and bad proxy applications,
// then looks for names, numbers and pieces of the photos through the data
// folder, a backup and the log.
func TestSecrecy_ProxiesLeaveNothingOpen(t *testing.T) {
	book := &logBook{}
	a := testapp.New(t, testapp.Config{Log: slog.New(slog.NewTextHandler(book, &slog.HandlerOptions{Level: slog.LevelDebug}))})
	book.Write([]byte("the log is kept\n"))
	p, who := a.Login("P0001", "wechat"), a.Sims.World.Find(elderly)
	wrong := "测试查无此人"
	p.ApplyProxy(elderly, "elderly", map[string]any{"principal_name": wrong})
	p.ApplyProxy(elderly, "elderly", map[string]any{"card_no": "C9999"})
	if err := a.Sims.HIS.Faults().Plan("identity", "timeout_before"); err != nil {
		t.Fatal(err)
	}
	p.ApplyProxy(elderly, "elderly", nil)
	id := p.ApprovedProxy(elderly, "elderly")
	order := p.ApplyFor(id, elderly, "wechat", "transfer", 1000, nil)
	if order.Status != 200 {
		t.Fatalf("order: %d %s", order.Status, order.Raw)
	}
	a.Drain()
	upload := demo.Photo(0)
	rec, err := a.Runtime.App.FindFirstRecordByFilter(collections.ProxyMaterials, `kind = "agent_id_front"`)
	if err != nil {
		t.Fatal(err)
	}
	kept, err := a.Store.OpenPhoto(rec)
	if err != nil || !bytes.HasPrefix(kept, []byte{0xff, 0xd8}) {
		t.Fatalf("the photo does not open: %v", err)
	}
	token := a.Call("POST", "/api/files/token", lookedAt(t, a, "reviewer1", id), nil).Text("token")
	if res := a.Send("GET", "/api/files/proxy_materials/"+rec.Id+"/"+rec.GetString("file")+"?token="+token, "", "", nil); res.Status != 200 {
		t.Fatalf("photo: %d", res.Status)
	}
	logged := 0
	// the request log is written in batches
	for end := testday.Now().Add(8 * time.Second); logged == 0 && testday.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		if err := a.Runtime.App.AuxDB().NewQuery("SELECT COUNT(*) FROM _logs WHERE message LIKE 'GET /api/files/%'").Row(&logged); err != nil {
			t.Fatal(err)
		}
	}
	if logged == 0 {
		t.Error("the request log does not tell about the photo")
	}
	if err := a.Runtime.App.CreateBackup(t.Context(), "secrecy.zip"); err != nil {
		t.Fatal(err)
	}
	secrets := map[string][]byte{
		"name": []byte(who.Name), "ID number": []byte(who.IDNo), "agent's name": []byte(p.Name), "a name that nobody has": []byte(wrong),
		"upload": upload[len(upload)/2 : len(upload)/2+48], "kept photo": kept[len(kept)/2 : len(kept)/2+48], "photo head": kept[:48],
		"file token": []byte(token),
	}
	files := everyFile(t, a.Dir)
	files["the log"] = []byte(book.String())
	zipped := 0
	for name, content := range files {
		if strings.Contains(name, ".zip!") {
			zipped++
		}
		for what, s := range secrets {
			if bytes.Contains(content, s) {
				t.Errorf("%s lies open in %s", what, name)
			}
		}
	}
	if zipped < 6 || len(storedFiles(t, a)) != 5 {
		t.Errorf("looked at too little: %d files in the backup, %d photos", zipped, len(storedFiles(t, a)))
	}
}

// TestProxy_UploadsStayInMemory: with no place for temporary files a big photo
// still gets through, so nothing plain can have been written there.
func TestProxy_UploadsStayInMemory(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	p := a.Login("P0001", "wechat")
	id := p.ApplyProxy(elderly, "elderly", nil).Text("id")
	big := demo.Photo(3)
	tail := make([]byte, 10<<20-len(big))
	rng := rand.New(rand.NewPCG(1, 1))
	for i := range tail {
		tail[i] = byte(rng.Uint32())
	}
	big = append(big, tail...)
	t.Setenv("TMPDIR", filepath.Join(t.TempDir(), "nowhere"))
	if _, err := os.CreateTemp("", "x"); err == nil {
		t.Fatal("temporary files can be made")
	}
	if res := a.Upload(p.Token, id, "agent_id_front", "photo.jpg", big); res.Status != 200 {
		t.Errorf("upload of %d bytes: %d %s", len(big), res.Status, res.Raw)
	}
	// What would not fit into memory is refused before it is read, with its
	// length told or not.
	form := append([]byte("--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.jpg\"\r\n\r\n"), make([]byte, 20<<20)...)
	for name, body := range map[string]io.Reader{"带长度": bytes.NewReader(form), "不带长度": io.MultiReader(bytes.NewReader(form))} {
		wantRefusal(t, name, a.Send("POST", "/api/collections/proxy_materials/records", p.Token, "multipart/form-data; boundary=x", body), 413,
			"image_too_large")
	}
}

// TestNotices_KindsStandBesideEachOther: refund notice and consent text have
// their own versions in force.
func TestNotices_KindsStandBesideEachOther(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	if _, err := a.Runtime.App.NonconcurrentDB().NewQuery("UPDATE notices SET version = '7' WHERE kind = 'proxy'").Execute(); err != nil {
		t.Fatal(err)
	}
	p := a.Login("P0001", "wechat")
	for path, want := range map[string][2]string{"/api/hospay/options": {"notice", "1"}, "/api/hospay/proxies/options": {"consent", "7"}} {
		res := a.Call("GET", path, p.Token, nil)
		if text, _ := res.Body[want[0]].(map[string]any); text["version"] != want[1] {
			t.Errorf("%s: %s", path, res.Raw)
		}
	}
	for range 3 {
		a.Store.Forget()
		if res := p.Apply("wechat", "transfer", 1000, map[string]any{"notice_version": "7"}); res.Code() != "notice_outdated" {
			t.Errorf("a refund under the consent text: %d %s", res.Status, res.Raw)
		}
		if res := p.ApplyProxy(elderly, "elderly", nil); res.Code() != "consent_outdated" {
			t.Errorf("a proxy under the refund notice: %d %s", res.Status, res.Raw)
		}
	}
	if res := p.Apply("wechat", "transfer", 1000, nil); res.Status != 200 {
		t.Errorf("refund: %d %s", res.Status, res.Raw)
	}
	if res := p.ApplyProxy(elderly, "elderly", map[string]any{"consent_version": "7"}); res.Status != 200 {
		t.Errorf("proxy: %d %s", res.Status, res.Raw)
	}
	// A notice without a kind is a refund notice.
	rec := core.NewRecord(must(a.Runtime.App.FindCollectionByNameOrId(collections.Notices)))
	rec.Load(map[string]any{"institution": a.Institution, "version": "2", "title": "t", "content": "c"})
	if err := a.Runtime.App.Save(rec); err != nil || rec.GetString("kind") != "refund" {
		t.Errorf("a notice without a kind is %q: %v", rec.GetString("kind"), err)
	}
}

// TestProxy_NoNetworkInsideATransaction runs the ways that ask HIS through a
// watched transport, and refuses a request that comes in a transaction.
func TestProxy_NoNetworkInsideATransaction(t *testing.T) {
	watch := &noNetworkInside{}
	a := testapp.New(t, testapp.Config{Transport: watch})
	db, err := dbx.Open("sqlite", filepath.Join(a.Dir, "data.db")+"?_pragma=busy_timeout(0)")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	watch.db, watch.app = db, a
	p := a.Login("P0001", "wechat")
	id := p.ApprovedProxy(elderly, "elderly")
	a.Call("GET", "/api/hospay/proxies/"+id, p.Token, nil)
	a.Call("GET", "/api/hospay/cards?proxy="+id, p.Token, nil)
	if res := p.ApplyFor(id, elderly, "wechat", "transfer", 1000, nil); res.Status != 200 {
		t.Fatalf("order: %d %s", res.Status, res.Raw)
	}
	if watch.seen.Load() < 4 || watch.inside.Load() > 0 {
		t.Errorf("%d of %d requests left inside a transaction", watch.inside.Load(), watch.seen.Load())
	}
	s := a.Runtime.App.Settings()
	s.Batch.Enabled, s.Batch.MaxRequests, s.Batch.Timeout = true, 10, 10
	if err := a.Runtime.App.Save(s); err != nil {
		t.Fatal(err)
	}
	seen := watch.seen.Load()
	body := map[string]any{"requests": []any{map[string]any{"method": "POST", "url": "/api/collections/proxy_applications/records",
		"body": a.Wish("P0008", "elderly")}}}
	if res := a.Call("POST", "/api/batch", p.Token, body); !strings.Contains(string(res.Raw), `"not_allowed"`) || watch.seen.Load() != seen {
		t.Errorf("in a batch: %d %s, %d requests to HIS", res.Status, res.Raw, watch.seen.Load()-seen)
	}
}

// TestProxy_RealtimeTellsTheAgentAlone subscribes agent, another patient, the
// principal and a reviewer.
func TestProxy_RealtimeTellsTheAgentAlone(t *testing.T) {
	h := newHouse(t, testapp.Config{})
	agent := h.Login("P0005", "wechat")
	id := agent.SubmittedProxy(elderly, "elderly")
	told := map[string]<-chan string{}
	for name, token := range map[string]string{"agent": agent.Token, "other": h.tokens["other"], "principal": h.Login(elderly, "wechat").Token,
		"reviewer": h.tokens["reviewer"], "config": h.tokens["config"]} {
		told[name] = h.subscribe(t, token)
	}
	if res := h.ReviewProxy(h.tokens["reviewer"], id, "approve", ""); res.Status != 200 {
		t.Fatalf("review: %d %s", res.Status, res.Raw)
	}
	for name, want := range map[string]bool{"agent": true, "reviewer": true, "other": false, "principal": false, "config": false} {
		if got := hears(told[name], collections.ProxyApplications); got != want {
			t.Errorf("%s hears of it: %v, want %v", name, got, want)
		}
	}
}

// TestProxy_TextsAreComplete: every case, relation, material, state, code and
// notice has its words in every language.
func TestProxy_TextsAreComplete(t *testing.T) {
	var keys []string
	for _, c := range refund.ProxyCases() {
		keys = append(keys, "proxy.case."+string(c))
	}
	for _, p := range idno.Papers() {
		keys = append(keys, "proxy.paper."+string(p))
	}
	for _, r := range refund.ProxyRelations() {
		keys = append(keys, "proxy.relation."+string(r))
	}
	for _, k := range refund.MaterialKinds() {
		keys = append(keys, "proxy.material."+string(k))
	}
	for _, s := range refund.ProxyStatuses() {
		keys = append(keys, "proxy.status."+string(s), "proxy.next."+string(s))
	}
	for _, c := range []flow.Code{
		flow.CodeIDNoInvalid, refund.CodePrincipalNotFound, refund.CodeProxySelf, refund.CodeProxyCaseMismatch, refund.CodePaperInvalid,
		refund.CodeProxyMissing,
		refund.CodeProxyClosed,
		refund.CodeConsentOutdated, refund.CodeImageInvalid, refund.CodeImageTooLarge, refund.CodeImageTooMany, refund.CodeProxyNotApproved,
		refund.CodeProxyOff, refund.CodeTooManyToday,
	} {
		keys = append(keys, "error."+string(c))
	}
	for _, n := range []flow.NoticeEvent{refund.NoticeProxyApproved, refund.NoticeProxyRejected} {
		keys = append(keys, "notice."+string(n)+".title", "notice."+string(n)+".body")
	}
	for _, lang := range i18n.Languages() {
		for _, k := range keys {
			if text := i18n.Text(lang, k); text == k || text == "" {
				t.Errorf("%s has no words for %s", lang, k)
			}
		}
	}
	a := testapp.New(t, testapp.Config{})
	res := a.Call("GET", "/api/hospay/proxies/options", a.Login("P0001", "wechat").Token, nil)
	consent, _ := res.Body["consent"].(map[string]any)
	if res.Status != 200 || res.Text("on") != "true" || consent["version"] != "1" || consent["content"] == "" ||
		res.Text("payee") != "agent" || res.Body["max_bytes"].(float64) != 10<<20 {
		t.Errorf("options: %d %s", res.Status, res.Raw)
	}
	for field, n := range map[string]int{"cases": 5, "papers": 4, "relations": 6, "materials": 9} {
		if list, _ := res.Body[field].([]any); len(list) != n {
			t.Errorf("%s: %v", field, res.Body[field])
		}
	}
}

// hears waits a while for a message about a collection.
func hears(told <-chan string, collection string) bool {
	for end := time.After(700 * time.Millisecond); ; {
		select {
		case name, ok := <-told:
			if !ok || name == collection {
				return ok
			}
		case <-end:
			return false
		}
	}
}
