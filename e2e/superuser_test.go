package e2e

import (
	"archive/zip"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"hospay/cmd"
	"hospay/collections"
	"hospay/lab/demo"
	"hospay/lab/testapp"
	"hospay/store"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/logger"
)

// onTrail reads the rows of the audit log of an action or of what begins with it,
// oldest first.
func onTrail(t *testing.T, app core.App, action string) []store.AuditLine {
	t.Helper()
	var rows []store.AuditLine
	err := app.DB().Select("seq", "actor_kind", "actor", "action", "target", "order_no", "before", "after", "details", "address", "key").
		From(collections.AuditLog).Where(dbx.NewExp("action = {:a} OR action LIKE {:a} || '.%'", dbx.Params{"a": action})).OrderBy("seq").
		All(&rows)
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// acted wants one row more of an action than before, by a superuser.
func acted(t *testing.T, a *testapp.App, before int, action, target string) store.AuditLine {
	t.Helper()
	rows := onTrail(t, a.Runtime.App, action)
	if len(rows) != before+1 {
		t.Errorf("%s: %d rows, want %d", action, len(rows), before+1)
		return store.AuditLine{}
	}
	last := rows[len(rows)-1]
	if last.ActorKind != "superuser" || last.Actor == "" || last.Address == "" || (target != "" && last.Target != target) || last.Key == "" {
		t.Errorf("%s: %+v, want target %q", action, last, target)
	}
	return last
}

// TestSuperuser_EveryWritingRouteIsDecided lists the routes of PocketBase that
// write with a superuser's token: each is closed in production, recorded, or
// named here with the reason why not. A new release of PocketBase fails it.
func TestSuperuser_EveryWritingRouteIsDecided(t *testing.T) {
	a := testapp.New(t, testapp.Config{Production: true})
	super := a.Superuser()
	recorded := []string{ // by events of records and settings, or by their own route
		"POST /api/collections/{collection}/records", "PATCH /api/collections/{collection}/records/{id}",
		"DELETE /api/collections/{collection}/records/{id}", "PATCH /api/settings", "POST /api/collections/{collection}/auth-with-password",
		"POST /api/collections/{collection}/auth-with-otp", "POST /api/collections/{collection}/auth-with-oauth2",
		"POST /api/hospay/jobs/{name}/run",
	}
	changesNothing := []string{ // tokens of the asker, mails to the owner of an account, subscriptions
		"POST /api/collections/{collection}/auth-refresh", "POST /api/collections/{collection}/request-otp",
		"POST /api/collections/{collection}/request-password-reset", "POST /api/collections/{collection}/confirm-password-reset",
		"POST /api/collections/{collection}/request-verification", "POST /api/collections/{collection}/confirm-verification",
		"POST /api/collections/{collection}/request-email-change", "POST /api/collections/{collection}/confirm-email-change",
		"POST /api/files/token", "POST /api/realtime", "POST /api/batch", "POST /api/oauth2-redirect",
	}
	for _, route := range routesOf(a.Router.RouterGroup, "") {
		method, path, named := strings.Cut(route, " ")
		if !named || method == "GET" || strings.HasPrefix(path, "/api/hospay/") && !slices.Contains(recorded, route) ||
			slices.Contains(recorded, route) || slices.Contains(changesNothing, route) {
			continue
		}
		all := auditRows(t, a)
		path = strings.NewReplacer("{collection}", "job_runs", "{key}", "none.zip", "{id}", "none").Replace(path)
		res := a.Call(method, path, super, map[string]any{})
		if auditRows(t, a) == all {
			t.Errorf("%s: answered %d and left no row", route, res.Status)
		}
	}
}

func auditRows(t *testing.T, a *testapp.App) int {
	t.Helper()
	return int(must(a.Runtime.App.CountRecords(collections.AuditLog)))
}

// TestSuperuser_BooksStayInProduction: collections are not made, changed or
// imported, backups are neither uploaded nor restored, and each try is a row. A
// script that goes round the routes is refused as well.
func TestSuperuser_BooksStayInProduction(t *testing.T) {
	a := testapp.New(t, testapp.Config{Production: true})
	super := a.Superuser()
	for route, act := range map[string][2]string{
		"POST /api/collections": {"collection.create", ""}, "PATCH /api/collections/job_runs": {"collection.update", "job_runs"},
		"DELETE /api/collections/job_runs":          {"collection.delete", "job_runs"},
		"DELETE /api/collections/job_runs/truncate": {"collection.truncate", "job_runs"},
		"PUT /api/collections/import":               {"collection.import", ""},
		"POST /api/collections/meta/dry-run-view":   {"collection.view_tried", ""},
		"POST /api/backups/upload":                  {"backup.upload", ""},
		"POST /api/backups/some.zip/restore":        {"backup.restore", "some.zip"},
		"POST /api/sql":                             {"sql.run", ""},
	} {
		before := len(onTrail(t, a.Runtime.App, act[0]))
		method, path, _ := strings.Cut(route, " ")
		res := a.Call(method, path, super, map[string]any{"name": "mine", "type": "view", "viewQuery": "SELECT id, password FROM staff",
			"query": "SELECT 1", "listRule": "", "collections": []any{}})
		if res.Status != 404 {
			t.Errorf("%s: %d %s", route, res.Status, res.Raw)
		}
		if row := acted(t, a, before, act[0], act[1]); !strings.Contains(string(row.Details), `"closed":true`) {
			t.Errorf("%s: %s", route, row.Details)
		}
		rows := auditRows(t, a)
		if res := a.Call(method, path, "", map[string]any{}); res.Status != 404 || auditRows(t, a) != rows {
			t.Errorf("%s by a guest: %d, %d rows", route, res.Status, auditRows(t, a)-rows)
		}
	}
	if a.Runtime.App.Save(core.NewBaseCollection("mine")) == nil || a.Runtime.App.Save(core.NewViewCollection("seen")) == nil {
		t.Error("a script made a collection")
	}
	if err := a.Runtime.App.Save(must(a.Runtime.App.FindCollectionByNameOrId("_superusers"))); err == nil {
		t.Error("a script changed a collection")
	}
	open := testapp.New(t, testapp.Config{})
	if res := open.Call("POST", "/api/collections", open.Superuser(), map[string]any{"name": "mine", "type": "base"}); res.Status != 200 {
		t.Errorf("the demo: %d %s", res.Status, res.Raw)
	}
}

// TestSuperuser_BackupIsMadeFetchedAndAnchored: what stays open is a row, and a
// backup holds where the audit log ended.
func TestSuperuser_BackupIsMadeFetchedAndAnchored(t *testing.T) {
	book := &logBook{}
	a := testapp.New(t, testapp.Config{Production: true, Log: slog.New(slog.NewTextHandler(book, nil))})
	super := a.Superuser()
	if res := a.Call("POST", "/api/backups", super, map[string]any{"name": "monday.zip"}); res.Status != 204 {
		t.Fatalf("%d %s", res.Status, res.Raw)
	}
	acted(t, a, 0, "backup.ask", "")
	made := onTrail(t, a.Runtime.App, "backup.create")
	if len(made) != 1 || made[0].Target != "monday.zip" {
		t.Fatalf("%+v", made)
	}
	token := a.Call("POST", "/api/files/token", super, nil).Text("token")
	res := a.Call("GET", "/api/backups/monday.zip?token="+token, "", nil)
	if res.Status != 200 {
		t.Fatalf("download: %d", res.Status)
	}
	acted(t, a, 0, "backup.download", "monday.zip")
	var anchor store.Anchor
	inZip(t, filepath.Join(a.Dir, "backups", "monday.zip"), "hospay.anchor", &anchor)
	if anchor.Seq != made[0].Seq || len(anchor.Head) != 64 || !strings.Contains(book.String(), anchor.Head) {
		t.Errorf("anchor %+v, row %d", anchor, made[0].Seq)
	}
	if s := must(a.Store.VerifyAudit(t.Context(), anchor)); s.Break != nil {
		t.Errorf("%+v", s)
	}
	anchor.Head = strings.Repeat("0", 64)
	if s := must(a.Store.VerifyAudit(t.Context(), anchor)); s.Break == nil || s.Break.Seq != anchor.Seq || s.Break.Reason != "anchor" {
		t.Errorf("a foreign anchor: %+v", s.Break)
	}
	if res := a.Call("DELETE", "/api/backups/monday.zip", super, nil); res.Status != 204 {
		t.Errorf("%d", res.Status)
	}
	acted(t, a, 0, "backup.delete", "monday.zip")
}

func inZip(t *testing.T, path, name string, into any) {
	t.Helper()
	z := must(zip.OpenReader(path))
	defer z.Close()
	f, err := z.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := json.Unmarshal(must(io.ReadAll(f)), into); err != nil {
		t.Fatal(err)
	}
}

// TestSuperuser_SettingsAreRecordedAndNotWeakened: what would protect less is
// refused in production and on record; the rest is done and on record, without
// its values.
func TestSuperuser_SettingsAreRecordedAndNotWeakened(t *testing.T) {
	a := testapp.New(t, testapp.Config{Production: true})
	super, app := a.Superuser(), a.Runtime.App
	limits := app.Settings().RateLimits.Rules
	looser, fewer := slices.Clone(limits), slices.Clone(limits[1:])
	for i := range looser {
		if looser[i].Label == "*:auth" {
			looser[i].MaxRequests *= 10
		}
	}
	for name, body := range map[string]map[string]any{
		"no limits":    {"rateLimits": map[string]any{"enabled": false}},
		"fewer":        {"rateLimits": map[string]any{"enabled": true, "rules": fewer}},
		"looser":       {"rateLimits": map[string]any{"enabled": true, "rules": looser}},
		"exempt":       {"rateLimits": map[string]any{"excludedIPs": []string{"127.0.0.1"}}},
		"no logs":      {"logs": map[string]any{"maxDays": 0}},
		"errors alone": {"logs": map[string]any{"minLevel": 8}},
		"no addresses": {"logs": map[string]any{"logIP": false}},
		"batch":        {"batch": map[string]any{"enabled": true, "maxRequests": 50, "timeout": 3}},
	} {
		before := len(onTrail(t, app, "settings.refused"))
		if res := a.Call("PATCH", "/api/settings", super, body); res.Status != 403 || res.Code() != "settings_weaker" {
			t.Errorf("%s: %d %s", name, res.Status, res.Raw)
		}
		acted(t, a, before, "settings.refused", "settings")
	}
	if s := app.Settings(); !s.RateLimits.Enabled || s.Logs.MaxDays == 0 || s.Batch.Enabled || len(s.RateLimits.Rules) != len(limits) {
		t.Errorf("%+v", s.RateLimits)
	}
	res := a.Call("PATCH", "/api/settings", super, map[string]any{"smtp": map[string]any{"enabled": false, "host": "mail.example.cn",
		"password": "mail-Password-1"}})
	if res.Status != 200 {
		t.Fatalf("%d %s", res.Status, res.Raw)
	}
	row := acted(t, a, 0, "settings.update", "settings")
	if string(row.Details) != `{"fields":["smtp"]}` || len(row.Before) != 64 || len(row.After) != 64 || row.Before == row.After {
		t.Errorf("%+v %s", row, row.Details)
	}
}

// TestSuperuser_RecordsLoginsAndOtherSuperusersAreRows changes records that have
// no history of their own, makes a second superuser and logs in well and badly.
func TestSuperuser_RecordsLoginsAndOtherSuperusersAreRows(t *testing.T) {
	a := testapp.New(t, testapp.Config{Production: true})
	before := len(onTrail(t, a.Runtime.App, "superuser.login"))
	super := a.Superuser()
	acted(t, a, before, "superuser.login", "")
	bad := len(onTrail(t, a.Runtime.App, "superuser.login_failed"))
	for _, who := range []string{demo.Superuser, "nobody@demo.hospay"} {
		res := a.Call("POST", "/api/collections/_superusers/auth-with-password", "", map[string]any{"identity": who, "password": "wrong-one"})
		if res.Status != 400 {
			t.Errorf("%d", res.Status)
		}
	}
	if rows := onTrail(t, a.Runtime.App, "superuser.login_failed"); len(rows) != bad+1 || rows[bad].Target == "" || rows[bad].Address == "" {
		t.Errorf("failed logins: %+v", rows)
	}
	if n := must(a.Store.CountLogins()); n != 1 {
		t.Errorf("%d counted", n)
	}
	made := a.Call("POST", "/api/collections/_superusers/records", super, map[string]any{"email": "second@demo.hospay",
		"password": "Demo-hospay-2027", "passwordConfirm": "Demo-hospay-2027"})
	if made.Status != 200 {
		t.Fatalf("%d %s", made.Status, made.Raw)
	}
	row := acted(t, a, 0, "record.create", "_superusers/"+made.Text("id"))
	if row.Before != "" || len(row.After) != 64 || strings.Contains(string(row.Details), "second@") {
		t.Errorf("%+v %s", row, row.Details)
	}
	if rows := onTrail(t, a.Runtime.App, "superuser.created"); rows[len(rows)-1].Target != made.Text("id") {
		t.Errorf("%+v", rows)
	}
	path := "/api/collections/_superusers/records/" + made.Text("id")
	if res := a.Call("PATCH", path, super, map[string]any{"email": "third@demo.hospay"}); res.Status != 200 {
		t.Fatalf("%d %s", res.Status, res.Raw)
	}
	row = acted(t, a, 0, "record.update", "_superusers/"+made.Text("id"))
	if !strings.Contains(string(row.Details), `"email"`) || row.Before == row.After || row.Before == "" {
		t.Errorf("%+v %s", row, row.Details)
	}
	if res := a.Call("DELETE", path, super, nil); res.Status != 204 {
		t.Errorf("%d %s", res.Status, res.Raw)
	}
	row = acted(t, a, 0, "record.delete", "_superusers/"+made.Text("id"))
	if row.After != "" || row.Before == "" {
		t.Errorf("%+v", row)
	}
	p := a.Login("P0003", "wechat")
	if res := a.Call("PATCH", "/api/collections/patients/records/"+p.ID, super, map[string]any{"via": "alipay"}); res.Status != 200 {
		t.Fatalf("%d %s", res.Status, res.Raw)
	}
	row = acted(t, a, 1, "record.update", "patients/"+p.ID)
	if !strings.Contains(string(row.Details), `"via"`) {
		t.Errorf("%s", row.Details)
	}
	if s := must(a.Store.VerifyAudit(t.Context())); s.Break != nil {
		t.Errorf("%+v", s.Break)
	}
}

// TestSuperuser_MadeByACommandIsARow: a command beside the server leaves its row,
// too, and does nothing in a keyed log without the key file.
func TestSuperuser_MadeByACommandIsARow(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	acts(t, a, 1, "")
	make := func(app core.App, email string) error {
		rec := core.NewRecord(must(app.FindCollectionByNameOrId(core.CollectionNameSuperusers)))
		rec.SetEmail(email)
		rec.SetPassword("Demo-hospay-2027")
		return app.Save(rec)
	}
	t.Setenv("HOSPAY_KEY_FILE", filepath.Join(a.Dir, "key.json"))
	with := cmd.NewApp(a.Dir)
	if err := with.Bootstrap(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = with.ClearBootstrap() }()
	if err := make(with, "command@demo.hospay"); err != nil {
		t.Fatal(err)
	}
	if rows := onTrail(t, a.Runtime.App, "superuser.created"); len(rows) == 0 || rows[len(rows)-1].Key == "" {
		t.Errorf("%+v", rows)
	}
	t.Setenv("HOSPAY_KEY_FILE", "")
	without := cmd.NewApp(a.Dir)
	if err := without.Bootstrap(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = without.ClearBootstrap() }()
	if err := make(without, "keyless@demo.hospay"); err == nil || !strings.Contains(err.Error(), "HOSPAY_KEY_FILE") {
		t.Errorf("without the key: %v", err)
	}
	if s := must(a.Store.VerifyAudit(t.Context())); s.Break != nil {
		t.Errorf("%+v", s.Break)
	}
}

// TestLogins_AreRows: staff, good and bad, with one factor and with two; patients'
// failures are counted; strangers do not fill the log.
func TestLogins_AreRows(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	app := a.Runtime.App
	before := len(onTrail(t, app, "staff.login"))
	a.Staff("finance")
	rows := onTrail(t, app, "staff.login")
	if len(rows) != before+1 || rows[before].ActorKind != "staff" || !strings.Contains(string(rows[before].Details), "password") {
		t.Errorf("%+v", rows)
	}
	for range 3 {
		if res := password(a, "cashier", "wrong-password"); res.Status != 400 {
			t.Fatal(res.Status)
		}
	}
	cashier := must(app.FindAuthRecordByEmail(collections.Staff, "cashier@demo.hospay"))
	failed := onTrail(t, app, "staff.login_failed")
	if len(failed) != 3 || failed[0].Target != cashier.Id || failed[0].Key == "" {
		t.Errorf("%+v", failed)
	}
	askForCodes(t, a)
	in := len(onTrail(t, app, "staff.login"))
	enrol(t, a, "auditor")
	if rows := onTrail(t, app, "staff.login"); len(rows) != in+1 || !strings.Contains(string(rows[in].Details), "totp") {
		t.Errorf("two factors: %d rows more, %+v", len(rows)-in, rows[len(rows)-1])
	}
	for range 8 {
		a.Call("POST", "/api/hospay/auth/ticket", "", map[string]any{"ticket": "forged.ticket"})
		password(a, "nobody", "wrong-password")
	}
	all := auditRows(t, a)
	if _, err := a.Jobs.RunNow(t.Context(), "logins"); err != nil {
		t.Fatal(err)
	}
	counted := onTrail(t, app, "login.failures")
	if len(counted) != 1 || !strings.Contains(string(counted[0].Details), `"patient":8`) || auditRows(t, a) != all+1 {
		t.Errorf("%+v", counted)
	}
}

// TestURLs_NoTokenIsLogged fetches with tokens in the address, well and badly,
// and looks through the request log.
func TestURLs_NoTokenIsLogged(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	w := paidOrder(t, a, "P0001", "wechat", 4321)
	rec := collected(t, a, w.Transfer.No)
	token := a.Call("POST", "/api/files/token", a.Staff("finance"), nil).Text("token")
	if len(token) < 20 {
		t.Fatal("no token")
	}
	secret := "SECRET-" + token[len(token)-12:]
	for _, path := range []string{"/api/files/receipts/" + rec.Id + "/" + rec.GetString("file") + "?token=" + token,
		"/api/files/receipts/none/none.pdf?token=" + secret, "/api/backups/none.zip?x=1&token=" + secret, "/none?ticket=" + secret,
		"/api/hospay/me?Token=" + secret + "&code=" + secret + "&state=" + secret, "/api/hospay/cards?%74oken=" + secret} {
		req := must(http.NewRequest("GET", a.URL+path, nil))
		req.Header.Set("Referer", "https://hospital.example.cn/?ticket="+secret)
		res := must(http.DefaultClient.Do(req))
		res.Body.Close()
	}
	logged := requestLog(t, a)
	if !strings.Contains(logged, "/api/files/receipts/none/none.pdf") || !strings.Contains(logged, "none.zip?token&x") {
		t.Fatalf("the log has too little: %s", logged)
	}
	for _, s := range []string{token, secret} {
		if i := strings.Index(logged, s); i >= 0 {
			t.Errorf("a token is logged: …%s", logged[max(0, i-120):i+40])
		}
	}
}

// requestLog reads what PocketBase has logged, once it is written.
func requestLog(t *testing.T, a *testapp.App) string {
	t.Helper()
	app := a.Runtime.App
	var out strings.Builder
	for range 50 {
		out.Reset()
		if h, ok := app.Logger().Handler().(*logger.BatchHandler); ok {
			if err := h.WriteAll(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		var rows []struct {
			Message string `db:"message"`
			Data    string `db:"data"`
		}
		if err := app.AuxDB().NewQuery("SELECT message, data FROM _logs").All(&rows); err != nil {
			t.Fatal(err)
		}
		for _, r := range rows {
			fmt.Fprintln(&out, r.Message, r.Data)
		}
		if strings.Contains(out.String(), "%74oken") {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	return out.String()
}

// TestSuperuser_TokensAreShort: a token that nobody renews ends within two hours.
func TestSuperuser_TokensAreShort(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	life := must(a.Runtime.App.FindCollectionByNameOrId("_superusers")).AuthToken.DurationTime()
	if life > 2*time.Hour || life < time.Hour {
		t.Errorf("a superuser's token lives for %s", life)
	}
}
