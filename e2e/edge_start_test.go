package e2e

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hospay/cmd"
	"hospay/collections"
	"hospay/internal/checkup"
	"hospay/internal/vault"
	"hospay/lab/demo"
	"hospay/lab/testapp"
	"hospay/refund"

	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
)

// begin starts a program on the folder of another that has ended.
func begin(t *testing.T, a *testapp.App, o cmd.Options) error {
	t.Helper()
	app := testapp.Bare(a.Dir)
	if err := app.Bootstrap(); err != nil {
		t.Fatal(err)
	}
	defer app.ClearBootstrap()
	o.Timing, o.Now, o.Idle, o.Log = refund.DefaultTiming(), a.Now, true, slog.New(slog.DiscardHandler)
	_, err := cmd.Assemble(&core.ServeEvent{App: app, Router: must(apis.NewRouter(app))}, o)
	return err
}

// anotherKey writes the key file of a folder with changes beside the folder.
func anotherKey(t *testing.T, a *testapp.App, change func(*vault.KeyFile)) string {
	t.Helper()
	k := must(vault.ReadKeyFile(filepath.Join(a.Dir, "key.json")))
	change(&k)
	path := filepath.Join(t.TempDir(), "key.json")
	if err := k.Write(path); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestStart_SimulatorsAreKnownByWhatTheyAnswer, on whatever port, and what is
// none is not taken for one.
func TestStart_SimulatorsAreKnownByWhatTheyAnswer(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	for _, r := range a.Sims.Running {
		if !checkup.Simulated(t.Context(), r.URL()) || !checkup.Simulated(t.Context(), r.URL()+"/some/path") {
			t.Errorf("%s is not recognised", r.Title)
		}
	}
	below := httptest.NewServer(http.StripPrefix("/his", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"requests":[]}`))
	})))
	defer below.Close()
	if !checkup.Simulated(t.Context(), below.URL+"/his") {
		t.Error("one below a path is not recognised")
	}
	for _, said := range []string{`{"code":0}`, `[]`, `<html>`, ``, `{"requests":null}`, `{"requests":"none"}`} {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(said)) }))
		if checkup.Simulated(t.Context(), srv.URL) {
			t.Errorf("%q is taken for a simulator", said)
		}
		srv.Close()
	}
	if checkup.Simulated(t.Context(), "http://127.0.0.1:1/") || checkup.Simulated(t.Context(), "nonsense") {
		t.Error("nobody is taken for a simulator")
	}
	if err := a.Runtime.App.ClearBootstrap(); err != nil {
		t.Fatal(err)
	}
	key := anotherKey(t, a, func(k *vault.KeyFile) { k.Demo = false })
	if err := begin(t, a, cmd.Options{Env: cmd.EnvProduction, KeyFile: key}); err == nil || !strings.Contains(err.Error(), "模拟器") {
		t.Errorf("production on simulators: %v", err)
	}
}

// TestStart_AnotherIndexKeyIsNoticed, also in a folder that has never told its
// mark, where a person tells.
func TestStart_AnotherIndexKeyIsNoticed(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	a.Login("P0001", "wechat")
	db := a.Runtime.App.NonconcurrentDB()
	other := anotherKey(t, a, func(k *vault.KeyFile) { k.IndexKey = vault.NewKeyFile(vault.AlgSM4, true).IndexKey })
	rotated := anotherKey(t, a, func(k *vault.KeyFile) { k.AddKEK() })
	forget := "DELETE FROM _params WHERE id = 'hospay_index'"
	for _, step := range []struct {
		name, sql, key string
		ok             bool
	}{{"the same", "", filepath.Join(a.Dir, "key.json"), true}, {"another", "", other, false}, {"another wrapping key", "", rotated, true},
		{"never told, another", forget, other, false}, {"never told, the same", forget, rotated, true}, {"told again", "", other, false}} {
		if step.sql != "" {
			if _, err := db.NewQuery(step.sql).Execute(); err != nil {
				t.Fatal(err)
			}
		}
		err := begin(t, a, cmd.Options{Env: cmd.EnvDemo, KeyFile: step.key})
		if (err == nil) != step.ok || err != nil && !strings.Contains(err.Error(), "index_key") {
			t.Errorf("%s: %v", step.name, err)
		}
	}
}

// TestStart_AddressesOfProduction: superusers enter none alone that is not
// HTTPS, two people only those inside the house, and nobody the machine's own
// link.
func TestStart_AddressesOfProduction(t *testing.T) {
	a := testapp.New(t, testapp.Config{Production: true})
	his := must(a.Runtime.App.FindFirstRecordByFilter(collections.HISConfigs, "institution = {:i}", map[string]any{"i": a.Institution}))
	root := a.Superuser()
	patch := func(base string) testapp.Answer {
		return a.Call("PATCH", "/api/collections/his_configs/records/"+his.Id, root, map[string]any{"base_url": base})
	}
	for base, status := range map[string]int{"https://his.example.cn": 200, "http://10.1.2.3:8080": 400, "http://his.example.cn": 400,
		"http://8.8.8.8": 400, "https://169.254.169.254": 400, "http://[fe80::1]": 400, "https://100.100.100.200": 400} {
		if res := patch(base); res.Status != status || status == 400 && res.Code() != "config_invalid" {
			t.Errorf("a superuser enters %s: %d %s", base, res.Status, res.Raw)
		}
	}
	propose := func(base string) testapp.Answer {
		return a.Call("POST", "/api/hospay/config/changes", a.Staff("config"), map[string]any{"note": "换地址",
			"target": map[string]any{"collection": "his_configs", "id": his.Id}, "values": map[string]any{"base_url": base}})
	}
	for base, ok := range map[string]bool{"http://8.8.8.8": false, "http://his.example.cn": false, "http://169.254.1.1": false,
		"https://169.254.169.254": false, "https://his2.example.cn": true, "http://10.1.2.3:8080": true} {
		if res := propose(base); (res.Status == 200) != ok {
			t.Errorf("people propose %s: %d %s", base, res.Status, res.Raw)
		}
	}
	confirmed := func() bool {
		a.Store.Forget()
		all := must(a.Store.Addresses())
		for _, one := range all {
			if one.Collection == collections.HISConfigs {
				return must(a.Store.ConfirmedByTwo(context.Background(), one))
			}
		}
		t.Fatal("no address of HIS")
		return false
	}
	change := propose("http://10.1.2.4:8080").Text("id")
	if confirmed() {
		t.Error("nobody has confirmed anything")
	}
	if res := a.Call("POST", "/api/hospay/config/changes/"+change+"/confirm", a.Staff("finance"), map[string]any{}); res.Status != 200 {
		t.Fatalf("confirm: %d %s", res.Status, res.Raw)
	}
	if !confirmed() {
		t.Error("two people have said it")
	}
	if res := a.Call("PATCH", "/api/collections/his_configs/records/"+his.Id, root, map[string]any{"timeout_ms": 6000}); res.Status != 200 {
		t.Errorf("a superuser leaves the address alone: %d %s", res.Status, res.Raw)
	}
	res := a.Fetch("GET", "/", "", "", nil)
	res.Body.Close()
	if got := res.Header.Get("Strict-Transport-Security"); !strings.HasPrefix(got, "max-age=31536000") {
		t.Errorf("HSTS %q", got)
	}
}

// TestServe_TwoListeners: the program as it serves, with the listener of IT.
func TestServe_TwoListeners(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	if err := a.Runtime.App.ClearBootstrap(); err != nil {
		t.Fatal(err)
	}
	free := func() string {
		l := must(net.Listen("tcp", "127.0.0.1:0"))
		defer l.Close()
		return l.Addr().String()
	}
	public, admin := free(), free()
	app := testapp.Bare(a.Dir)
	if err := app.Bootstrap(); err != nil {
		t.Fatal(err)
	}
	o := cmd.Options{Env: cmd.EnvDemo, KeyFile: filepath.Join(a.Dir, "key.json"), Timing: refund.DefaultTiming(), Now: a.Now, Idle: true,
		Log: slog.New(slog.DiscardHandler), Admin: admin}
	cmd.Mount(app, func() cmd.Options { return o }, nil)
	ended := make(chan error, 1)
	go func() { ended <- apis.Serve(app, apis.ServeConfig{HttpAddr: public}) }()
	defer func() {
		event := &core.TerminateEvent{}
		event.App = app
		_ = app.OnTerminate().Trigger(event, func(e *core.TerminateEvent) error { return e.App.ClearBootstrap() })
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if _, err := http.Get("http://" + admin + "/api/health"); err == nil {
			t.Error("the listener of IT goes on after the end")
		}
	}()
	api := demo.NewAPI("http://" + public)
	for range 400 {
		if api.Call(t.Context(), "GET", "/api/health", "", nil, nil) == nil {
			break
		}
		time.Sleep(25 * time.Millisecond)
	}
	for path, want := range map[string][2]int{"/_/": {404, 200}, "/_/images/logo.svg": {404, 200}, "/api/settings": {404, 401},
		"/api/backups": {404, 401}, "/api/logs": {404, 401}, "/api/collections": {404, 401},
		"/api/hospay/overview": {404, 401}, "/api/health": {200, 200}} {
		for i, at := range []string{public, admin} {
			res := must(http.Get(fmt.Sprintf("http://%s%s", at, path)))
			res.Body.Close()
			if res.StatusCode != want[i] {
				t.Errorf("%s at %s: %d, want %d", path, []string{"--http", "--admin"}[i], res.StatusCode, want[i])
			}
		}
	}
}
