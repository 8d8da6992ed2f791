package e2e

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hospay/collections"
	"hospay/lab/testapp"
	"hospay/refund"
	"hospay/store"

	"github.com/pocketbase/dbx"
)

// ask asks about all open orders of a restored copy, as its job does.
func ask(t *testing.T, a *testapp.App) {
	t.Helper()
	for d, recover := range map[store.CopyDomain]func(context.Context, string) error{store.CopyRefunds: a.Service.Recover,
		store.CopyPayments: a.Runtime.Bills.Recover} {
		ids, err := a.Store.Unchecked(t.Context(), d, 1000)
		if err != nil {
			t.Fatal(err)
		}
		for _, id := range ids {
			if err := recover(t.Context(), id); err != nil {
				t.Errorf("%s order %s: %v", d, id, err)
			}
		}
	}
}

// TestCopy_PaidAfterTheBackupIsNotRestored: an unmarked older copy, which
// nothing tells from the original, asks the channel before a balance goes back.
func TestCopy_PaidAfterTheBackupIsNotRestored(t *testing.T) {
	for _, end := range []string{"reject", "cancel"} {
		t.Run(end, func(t *testing.T) {
			a := testapp.New(t, testapp.Config{})
			p := a.Login("P0001", "alipay")
			id := apply(t, p, "alipay", "transfer", 1234, nil)
			a.Drain()
			old := a.Backup()
			a.Review(a.Staff("reviewer1"), id, "approve", "")
			a.Drain()
			wantStatus(t, a, id, refund.StatusSucceeded)

			b := a.Open(old)
			if err := collections.ReleaseCopy(b.Runtime.App); err != nil { // as if nobody had noticed
				t.Fatal(err)
			}
			b.Store.Forget()
			if end == "reject" {
				b.Review(b.Staff("reviewer1"), id, "reject", "资料不符")
			} else if res := b.Call("POST", "/api/hospay/refunds/"+id+"/cancel", p.Token, nil); res.Status != 200 {
				t.Fatal(res.Raw)
			}
			b.Drain()
			if n := moved(a.Sims.HIS.Core, "reverse"); n != 0 {
				t.Errorf("%d reversals of a paid order", n)
			}
			b.Advance(25 * time.Hour)
			b.Drain()
			w := wantStatus(t, b, id, refund.StatusSucceeded)
			if n := moved(a.Sims.Alipay.Core, "transfer"); n != 1 || w.Transfer == nil || w.Transfer.Attempt != 1 {
				t.Errorf("%d transfers, %+v", n, w.Transfer)
			}
		})
	}
}

// TestCopy_MovesNothingUntilTwoPeopleReleaseIt walks a restored copy from its
// mark to its release.
func TestCopy_MovesNothingUntilTwoPeopleReleaseIt(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	reviewing := apply(t, a.Login("P0001", "alipay"), "alipay", "transfer", 1234, nil)
	a.Drain()
	submitted := apply(t, a.Login("P0002", "alipay"), "alipay", "transfer", 500, nil)
	untouched := apply(t, a.Login("P0003", "alipay"), "alipay", "transfer", 700, nil)
	cancelled := apply(t, a.Login("P0004", "alipay"), "alipay", "transfer", 800, nil)
	old := a.Backup()
	a.Drain()
	owner := a.Login("P0004", "alipay")
	if res := a.Call("POST", "/api/hospay/refunds/"+cancelled+"/cancel", owner.Token, nil); res.Status != 200 {
		t.Fatal(res.Raw)
	}
	a.Review(a.Staff("reviewer1"), reviewing, "approve", "")
	a.Drain()
	wantStatus(t, a, reviewing, refund.StatusSucceeded)
	debits, reversals := moved(a.Sims.HIS.Core, "debit"), moved(a.Sims.HIS.Core, "reverse")

	b := a.Open(old)
	wantRefusal(t, "new application", b.Login("P0005", "alipay").Apply("alipay", "transfer", 900, nil), 503, "restored_copy")
	b.Drain()
	wantRefusal(t, "review", b.Review(b.Staff("reviewer1"), reviewing, "approve", ""), 503, "restored_copy")
	wantRefusal(t, "cancel of what HIS may have debited since", b.Call("POST", "/api/hospay/refunds/"+submitted+"/cancel",
		b.Login("P0002", "alipay").Token, nil), 503, "restored_copy")
	b.Drain()
	if d, r, p := moved(a.Sims.HIS.Core, "debit"), moved(a.Sims.HIS.Core, "reverse"), moved(a.Sims.Alipay.Core, "transfer"); d != debits ||
		r != reversals || p != 1 {
		t.Errorf("a marked copy moved money: %d debits of %d, %d reversals of %d, %d payouts", d, debits, r, reversals, p)
	}
	finance, config := b.Staff("finance"), b.Staff("config")
	wantRefusal(t, "too early", b.Call("POST", "/api/hospay/restored/release", finance, map[string]any{"note": "已核对"}), 409,
		"copy_unchecked")
	ask(t, b)
	var view struct {
		Marked    bool `json:"marked"`
		Unchecked int  `json:"unchecked"`
		Found     []struct{ Order, What string }
		Proposal  *struct{ Name string }
	}
	if res := b.Call("GET", "/api/hospay/restored", finance, nil); res.Status != 200 || json.Unmarshal(res.Raw, &view) != nil ||
		!view.Marked ||
		view.Unchecked != 0 || len(view.Found) != 4 {
		t.Fatalf("%d %s", res.Status, res.Raw)
	}
	_, err := b.Runtime.App.DB().Insert(collections.Institutions, dbx.Params{"id": "planted00000000", "code": "second",
		"name": "二院"}).Execute()
	if err != nil {
		t.Fatal(err)
	}
	other := (&house{App: b}).strange(t, "auditor") // of another institution in the same folder
	if res := b.Call("GET", "/api/hospay/restored", other, nil); res.Status != 200 || !strings.Contains(string(res.Raw), `"found":[]`) {
		t.Errorf("another institution reads our orders: %d %s", res.Status, res.Raw)
	}
	wantRefusal(t, "without a reason", b.Call("POST", "/api/hospay/restored/release", finance, map[string]any{"note": " "}), 400,
		"note_required")
	if res := b.Call("POST", "/api/hospay/restored/release", finance, map[string]any{"note": "已与渠道核对"}); res.Status != 200 {
		t.Fatal(res.Raw)
	}
	if err := json.Unmarshal(b.Call("GET", "/api/hospay/restored", finance, nil).Raw, &view); err != nil {
		t.Fatal(err)
	}
	seen := map[string]any{"seen": view.Proposal.Name}
	wantRefusal(t, "alone", b.Call("POST", "/api/hospay/restored/confirm", finance, seen), 403, "same_person")
	if res := b.Call("POST", "/api/hospay/restored/confirm", config, seen); res.Status != 200 {
		t.Fatal(res.Raw)
	}
	b.Advance(25 * time.Hour)
	b.Drain()
	wantStatus(t, b, reviewing, refund.StatusSucceeded)
	wantStatus(t, b, cancelled, refund.StatusCancelled)
	wantStatus(t, b, submitted, refund.StatusReviewing)
	wantStatus(t, b, untouched, refund.StatusReviewing)
	if d, r, p := moved(a.Sims.HIS.Core, "debit"), moved(a.Sims.HIS.Core, "reverse"), moved(a.Sims.Alipay.Core, "transfer"); d != debits ||
		r != reversals || p != 1 {
		t.Errorf("after the release: %d debits of %d, %d reversals of %d, %d payouts", d, debits, r, reversals, p)
	}
	if got := b.Login("P0005", "alipay").Apply("alipay", "transfer", 900, nil); got.Status != 200 {
		t.Errorf("%d %s", got.Status, got.Raw)
	}
}

// TestCopy_IsRecognised: moved, replaced by a copy, or only the database an
// older one; a restart in place is none of these.
func TestCopy_IsRecognised(t *testing.T) {
	copied := func(t *testing.T, a *testapp.App) string {
		t.Helper()
		c, err := collections.CopyOf(a.Runtime.App.DB())
		if err != nil {
			t.Fatal(err)
		}
		if c == nil {
			return ""
		}
		return c.Why
	}
	a := testapp.New(t, testapp.Config{})
	apply(t, a.Login("P0001", "alipay"), "alipay", "transfer", 1234, nil)
	old := a.Backup()
	if err := collections.ComeHome(a.Runtime.App); err != nil || copied(t, a) != "" {
		t.Errorf("a restart: %q %v", copied(t, a), err)
	}
	if why := copied(t, a.Open(old)); why != "moved" {
		t.Errorf("elsewhere: %q", why)
	}
	in := testapp.New(t, testapp.Config{Sims: a.Sims})
	apply(t, in.Login("P0002", "alipay"), "alipay", "transfer", 1234, nil)
	older := in.Backup()
	for range 2 {
		if err := collections.ComeHome(in.Runtime.App); err != nil {
			t.Fatal(err)
		}
	}
	if err := in.Runtime.App.ClearBootstrap(); err != nil {
		t.Fatal(err)
	}
	db, err := os.ReadFile(filepath.Join(older, "data.db"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"data.db-wal", "data.db-shm"} {
		if err := os.Remove(filepath.Join(in.Dir, name)); err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(in.Dir, "data.db"), db, 0o600); err != nil { // in place: the same file
		t.Fatal(err)
	}
	if why := copied(t, in.Open(in.Dir)); why != "older" {
		t.Errorf("only the database: %q", why)
	}
}

// TestCopy_OneProgramAFolder starts the program twice on one folder.
func TestCopy_OneProgramAFolder(t *testing.T) {
	bin := filepath.Join(t.TempDir(), "hospay")
	build := exec.Command("go", "build", "-o", bin, "..")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v %s", err, out)
	}
	a := testapp.New(t, testapp.Config{})
	dir := a.Backup()
	starts, err := os.ReadFile(filepath.Join(dir, "hospay.seen"))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	serve := func() *exec.Cmd {
		c := exec.CommandContext(ctx, bin, "serve", "--dir", dir, "--http", "127.0.0.1:0")
		c.Env = append(os.Environ(), "HOSPAY_ENV=demo", "HOSPAY_KEY_FILE="+filepath.Join(dir, "key.json"))
		return c
	}
	first := serve()
	if err := first.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = first.Process.Kill(); _ = first.Wait() }()
	for range 400 { // it has the folder once it has counted its start
		if now, err := os.ReadFile(filepath.Join(dir, "hospay.seen")); err == nil && string(now) != string(starts) {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	time.AfterFunc(30*time.Second, stop) // a second one that serves would never end
	out, err := serve().CombinedOutput()
	if err == nil || !chinese(string(out)) {
		t.Errorf("a second program: %v %s", err, out)
	}
}
