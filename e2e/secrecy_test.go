package e2e

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"hospay/collections"
	"hospay/lab/testapp"
	"hospay/refund"
	"hospay/sim"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

// logBook keeps everything that is logged.
type logBook struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

// Write implements io.Writer.
func (l *logBook) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(b)
}

// String returns the book.
func (l *logBook) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// TestSecrecy_NothingPersonalOnDiskOrInLogs plays good and bad days, then looks
// for what it knows through every byte of the data folder and of the log.
func TestSecrecy_NothingPersonalOnDiskOrInLogs(t *testing.T) {
	book := &logBook{}
	a := testapp.New(t, testapp.Config{Log: slog.New(slog.NewTextHandler(book, &slog.HandlerOptions{Level: slog.LevelDebug}))})
	for _, core := range []*sim.Core{a.Sims.WeChat.Core, a.Sims.Alipay.Core} {
		if err := core.Faults().Set(sim.Plan{Rules: []sim.Rule{
			{Match: "transfer", Fault: sim.UnknownCode}, {Match: "query", Fault: sim.BadSignature}, {Match: "callback", Fault: sim.ForgedCallback},
		}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := a.Sims.HIS.Faults().Set(sim.Plan{Rules: []sim.Rule{{Match: "debit", Fault: sim.TruncatedAfter},
		{Match: "query_debit", Fault: sim.HTML502After}}}); err != nil {
		t.Fatal(err)
	}
	secrets := map[string]string{}
	reviewer := a.Staff("reviewer1")
	for i, channel := range []string{"wechat", "alipay"} {
		no := fmt.Sprintf("P%04d", i+1)
		p, who := a.Login(no, channel), a.Sims.World.Find(no)
		for what, s := range map[string]string{
			"ID number": who.IDNo, "name": who.Name, "phone": who.Phone, "Alipay account": who.AlipayLogon, "openid": who.Openid,
			"Alipay user": who.AlipayUserID,
		} {
			secrets[no+" "+what] = s
		}
		p.Call("GET", "/api/hospay/cards", p.Token, nil)
		id := apply(t, p, channel, "transfer", 1500, nil)
		for range 4 {
			a.Drain()
			a.Review(reviewer, id, "approve", "")
			a.Advance(time.Minute)
		}
		if w := a.Order(id); w.Transfer != nil && channel == "wechat" {
			_ = a.Sims.WeChat.Confirm(w.Transfer.No)
		}
		a.Advance(time.Minute)
		a.Drain()
	}
	for what, pem := range map[string]string{"WeChat key": a.Sims.WeChat.Config().MchPrivateKey, "Alipay key": a.Sims.Alipay.Config().
		AppPrivateKey} {
		lines := strings.Split(strings.TrimSpace(pem), "\n")
		secrets[what] = lines[len(lines)/2]
	}
	secrets["APIv3 key"], secrets["app secret"] = a.Sims.WeChat.Config().APIv3Key, a.Sims.WeChat.Config().AppSecret
	for range 100 { // the forged callback comes when it comes
		if book.String() != "" {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	files := map[string][]byte{"the log": []byte(book.String())}
	err := filepath.WalkDir(a.Dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || d.Name() == "key.json" {
			return err
		}
		files[d.Name()], err = os.ReadFile(path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(files["data.db"])+len(files["data.db-wal"]) < 100_000 || len(files["the log"]) == 0 {
		t.Fatalf("looked at too little: %d files", len(files))
	}
	for name, content := range files {
		for what, s := range secrets {
			if s == "" {
				t.Errorf("%s is not known", what)
			} else if bytes.Contains(content, []byte(s)) {
				at := bytes.Index(content, []byte(s))
				t.Errorf("%s lies open in %s: …%q…", what, name, content[max(at-60, 0):at])
			}
		}
	}
}

// TestFreeze_StopsPayoutsAndNothingElse freezes between approval and payout,
// and while a payout is open.
func TestFreeze_StopsPayoutsAndNothingElse(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	finance, reviewer := a.Staff("finance"), a.Staff("reviewer1")
	freeze := func(on bool) {
		t.Helper()
		who := map[bool]string{true: finance, false: a.Staff("config")}[on] // another person releases
		if res := a.Call("POST", "/api/hospay/payouts/freeze", who, map[string]any{"frozen": on, "note": "演练"}); res.Status != 200 {
			t.Fatalf("freeze: %d %s", res.Status, res.Raw)
		}
	}
	sent := func() int {
		return a.Sims.WeChat.Requests().Count("transfer", "") + a.Sims.Alipay.Requests().Count("transfer", "")
	}
	wantRefusal(t, "冻结没有理由", a.Call("POST", "/api/hospay/payouts/freeze", finance, map[string]any{"frozen": true}), 400, "note_required")
	p := a.Login("P0001", "wechat")
	w := awaiting(t, a, p)
	if err := a.Sims.Alipay.Faults().Plan("transfer", sim.TimeoutBefore); err != nil {
		t.Fatal(err)
	}
	lost := apply(t, a.Login("P0002", "alipay"), "alipay", "transfer", 1000, nil)
	a.Drain()
	a.Review(reviewer, lost, "approve", "")
	a.Drain()
	wantStatus(t, a, lost, refund.StatusPaying)
	freeze(true)
	before, queries := sent(), a.Sims.WeChat.Requests().Count("query", "")
	fresh := apply(t, a.Login("P0003", "alipay"), "alipay", "transfer", 1000, nil)
	a.Drain()
	a.Review(reviewer, fresh, "approve", "")
	for range 10 {
		a.Drain()
		a.Advance(time.Minute)
	}
	wantStatus(t, a, fresh, refund.StatusApproved)
	wantStatus(t, a, lost, refund.StatusPaying)
	if got := sent(); got != before {
		t.Fatalf("%d transfers left while payouts were frozen", got-before)
	}
	if a.Sims.WeChat.Requests().Count("query", "") == queries {
		t.Error("nobody asked about the payout that waits for its payee")
	}
	if err := a.Sims.WeChat.Confirm(w.Transfer.No); err != nil {
		t.Fatal(err)
	}
	a.Advance(10 * time.Minute)
	a.Drain()
	wantStatus(t, a, w.Order.ID, refund.StatusSucceeded)
	rejected := apply(t, a.Login("P0004", "alipay"), "alipay", "transfer", 1000, nil)
	a.Drain()
	a.Review(reviewer, rejected, "reject", "资料不符")
	a.Drain()
	wantStatus(t, a, rejected, refund.StatusRejected)
	freeze(false)
	a.Drain()
	wantStatus(t, a, fresh, refund.StatusSucceeded)
	wantStatus(t, a, lost, refund.StatusSucceeded)
	if n := countRows(t, a, collections.AuditLog, dbx.HashExp{"action": "payouts.freeze"}); n != 2 {
		t.Errorf("%d audit rows of two switches", n)
	}
	booksAgree(t, a)
}

// noNetworkInside counts the requests that leave while a transaction is open:
// the store's own, or any that holds the database for writing.
type noNetworkInside struct {
	app    *testapp.App
	db     *dbx.DB
	one    sync.Mutex // the watches must not see each other
	seen   atomic.Int64
	inside atomic.Int64
}

func (n *noNetworkInside) busy() bool {
	if n.app.Store.InTransaction() > 0 {
		return true
	}
	n.one.Lock()
	defer n.one.Unlock()
	ctx := context.Background()
	conn, err := n.db.DB().Conn(ctx)
	if err != nil {
		return true
	}
	defer conn.Close()
	if _, err := conn.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		return true
	}
	_, err = conn.ExecContext(ctx, "ROLLBACK")
	return err != nil
}

// RoundTrip implements http.RoundTripper.
func (n *noNetworkInside) RoundTrip(r *http.Request) (*http.Response, error) {
	n.seen.Add(1)
	if n.app != nil && n.busy() {
		n.inside.Add(1)
	}
	return http.DefaultTransport.RoundTrip(r)
}

// TestNetwork_NeverInsideATransaction runs every way of an order, one after the
// other so that no foreign transaction is open, through a watched transport.
func TestNetwork_NeverInsideATransaction(t *testing.T) {
	watch := &noNetworkInside{}
	a := testapp.New(t, testapp.Config{Transport: watch})
	db, err := dbx.Open("sqlite", filepath.Join(a.Dir, "data.db")+"?_pragma=busy_timeout(0)")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	watch.db, watch.app = db, a
	if err := a.Runtime.App.RunInTransaction(func(tx core.App) error {
		if _, err := tx.DB().NewQuery("UPDATE job_runs SET ok = TRUE").Execute(); err != nil {
			return err
		}
		if !watch.busy() {
			t.Error("the watch does not see an open transaction")
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	for _, core := range []*sim.Core{a.Sims.WeChat.Core, a.Sims.Alipay.Core} { // a callback's own transaction would be seen as well
		if err := core.Faults().Set(sim.Plan{Rules: []sim.Rule{{Match: "callback", Fault: sim.NoCallback, Times: -1}}}); err != nil {
			t.Fatal(err)
		}
	}
	reviewer := a.Staff("reviewer1")
	ends := map[refund.Status]int{}
	for i, c := range []struct{ channel, method, decision string }{
		{"wechat", "transfer", "approve"}, {"alipay", "transfer", "approve"}, {"wechat", "original", "approve"},
		{"alipay", "original", "approve"},
		{"wechat", "transfer", "reject"}, {"wechat", "transfer", "cancel"}, {"alipay", "transfer", "cancel"},
	} {
		p := a.Login(fmt.Sprintf("P%04d", i+1), c.channel)
		p.Call("GET", "/api/hospay/options?card_no="+p.Card, p.Token, nil)
		res := p.Apply(c.channel, c.method, 100, nil)
		if res.Status != 200 {
			continue
		}
		id := res.Text("id")
		a.Drain()
		if c.decision == "cancel" {
			p.Call("POST", "/api/hospay/refunds/"+id+"/cancel", p.Token, nil)
		} else {
			a.Review(reviewer, id, c.decision, "说明")
		}
		a.Drain()
		if w := a.Order(id); w.Order.Status == refund.StatusAwaitingPayee {
			_ = a.Sims.WeChat.Confirm(w.Transfer.No)
		}
		a.Advance(2 * time.Minute)
		a.Drain()
		ends[a.Order(id).Order.Status]++
	}
	deliverOneByOne(t, a)
	if watch.inside.Load() > 0 || watch.seen.Load() < 40 || ends[refund.StatusSucceeded] < 2 || ends[refund.StatusRejected] < 1 ||
		ends[refund.StatusCancelled] < 1 {
		t.Errorf("%d of %d requests left inside a transaction; orders ended %v", watch.inside.Load(), watch.seen.Load(), ends)
	}
}

// deliverOneByOne sends what is queued, one notice after the other: several at a
// time write their results beside each other's requests.
func deliverOneByOne(t *testing.T, a *testapp.App) {
	t.Helper()
	notices := func(set, where string) {
		t.Helper()
		query := a.Runtime.App.NonconcurrentDB().NewQuery("UPDATE notifications SET next_at = " + set + " WHERE state = 'queued' AND " + where)
		if _, err := query.Execute(); err != nil {
			t.Fatal(err)
		}
	}
	var ids []string
	err := a.Runtime.App.ConcurrentDB().NewQuery("SELECT id FROM notifications WHERE state = 'queued' AND via != 'in_app'").Column(&ids)
	if err != nil || len(ids) == 0 {
		t.Fatalf("%d notices: %v", len(ids), err)
	}
	notices("'9999-01-01 00:00:00.000Z'", "TRUE")
	for _, id := range ids {
		notices("'2000-01-01 00:00:00.000Z'", "id = '"+id+"'")
		if _, err := a.Notices.Deliver(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

// TestSecrecy_HashOfAPayoutIsNotTold: with the hash, what the masks leave open
// of a payee's account could be tried out.
func TestSecrecy_HashOfAPayoutIsNotTold(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	id := approved(t, a, "P0002", "alipay", "transfer", 3200)
	hash := wantStatus(t, a, id, refund.StatusSucceeded).Transfer.Hash
	for _, name := range []string{"cashier", "auditor", "finance", "reviewer1"} {
		if res := a.Call("GET", "/api/collections/transfer_orders/records", a.Staff(name), nil); res.Status != 200 ||
			res.Text("totalItems") != "1" || strings.Contains(string(res.Raw), hash) {
			t.Errorf("%s: %d %s", name, res.Status, res.Raw)
		}
	}
	for file, text := range unzip(t, a.Call("GET", "/api/hospay/refunds/"+id+"/evidence.zip", a.Staff("auditor"), nil).Raw) {
		if strings.Contains(text, hash) {
			t.Errorf("%s of the evidence tells it", file)
		}
	}
}
