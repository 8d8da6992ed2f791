package e2e

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"hospay/collections"
	"hospay/lab/demo"
	"hospay/lab/invariant"

	"golang.org/x/sync/errgroup"
)

// TestTorture_Kill9 kills a real server at random moments beside simulators
// that live on and misbehave, restarts it, and compares all books at the end.
// TORTURE_KILLS says how often.
func TestTorture_Kill9(t *testing.T) {
	kills := number("TORTURE_KILLS", 5)
	if kills == 0 {
		return
	}
	k := newKillRun(t)
	k.till.open = 4
	k.start()
	for i := range kills {
		k.faults(int64(i + 1))
		k.load(int64(1+k.rng.IntN(12)), time.Duration(k.rng.IntN(300))*time.Millisecond)
		k.kill()
		k.start()
	}
	k.faults(0)
	k.finish()
	k.Logf("%d kills, %s", kills, k.verify())
}

type killRun struct {
	*testing.T
	rng     *rand.Rand
	bin     string
	dir     string
	env     []string // of the server, beside the test's own
	addr    string
	at      demo.Endpoints
	api     *demo.API
	server  *exec.Cmd
	people  []*demo.Person
	applied atomic.Int64
	till    killTill
}

func newKillRun(t *testing.T) *killRun {
	return newKillRunOf(t, exec.Command("go", "build"))
}

// newKillRunOf builds the program with a command of its own.
func newKillRunOf(t *testing.T, build *exec.Cmd) *killRun {
	k := &killRun{T: t, rng: rand.New(rand.NewPCG(42, 42)), dir: filepath.Join(t.TempDir(), "data")}
	k.bin = filepath.Join(t.TempDir(), "hospay")
	build.Args = append(build.Args, "-o", k.bin, "hospay")
	k.do(build)
	base, http := freePorts(t)
	k.addr, k.at = fmt.Sprintf("127.0.0.1:%d", http), demo.At("127.0.0.1", base)
	k.api = demo.NewAPI("http://" + k.addr)
	sims := exec.Command(k.bin, "simulate", "--base-port", fmt.Sprint(base), "--patients", "100")
	k.must(sims.Start())
	t.Cleanup(func() { _ = sims.Process.Kill(); _ = sims.Wait() })
	k.wait(k.at.Portal + "/_sim/config")
	k.do(exec.Command(k.bin, "demo", "--seed-only", "--dir", k.dir, "--sim-port", fmt.Sprint(base), "--http", k.addr))
	k.post(k.at.WeChat+"/_sim/settings", `{"auto_confirm":true,"refund_gap_sec":0,"callback_scale":0.05}`)
	k.post(k.at.Alipay+"/_sim/settings", `{"callback_scale":0.05}`)
	return k
}

// freePorts finds a base port with nine free ports, and one more, below those that
// connections going out are given: such a one could be taken before it is used.
func freePorts(t *testing.T) (base, other int) {
	t.Helper()
	for range 200 {
		p, free := 13_000+10*rand.IntN(1_800), true
		for n := range 10 {
			c, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", p+n))
			if err != nil {
				free = false
				break
			}
			c.Close()
		}
		if free {
			return p, p + 9
		}
	}
	t.Fatal("no free ports")
	return 0, 0
}

func (k *killRun) must(err error) {
	k.Helper()
	if err != nil {
		k.Fatal(err)
	}
}

func (k *killRun) do(cmd *exec.Cmd) {
	k.Helper()
	if out, err := cmd.CombinedOutput(); err != nil {
		k.Fatalf("%s: %v\n%s", cmd, err, out)
	}
}

func (k *killRun) post(url, body string) {
	k.Helper()
	res, err := http.Post(url, "application/json", strings.NewReader(body))
	k.must(err)
	res.Body.Close()
	if res.StatusCode/100 != 2 {
		k.Fatalf("%s: %d", url, res.StatusCode)
	}
}

func (k *killRun) wait(url string) {
	k.Helper()
	for range 1600 {
		res, err := http.Get(url)
		if err == nil {
			res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return
			}
		}
		time.Sleep(25 * time.Millisecond)
	}
	k.Fatalf("%s does not answer", url)
}

func (k *killRun) start() {
	k.Helper()
	k.server = exec.Command(k.bin, "serve", "--http", k.addr, "--dir", k.dir)
	k.server.Stderr, k.server.Env = os.Stderr, append(os.Environ(), k.env...)
	k.must(k.server.Start())
	k.enter()
}

// enter waits for the server and lets people log in, once.
func (k *killRun) enter() {
	k.Helper()
	k.wait("http://" + k.addr + "/api/health")
	if k.people == nil {
		for i := range 80 {
			p, err := k.api.Login(context.Background(), k.at.Portal, fmt.Sprintf("P%04d", i+1), []string{"wechat", "alipay"}[i%2])
			k.must(err)
			k.people = append(k.people, p)
		}
		var err error
		k.till.finance, err = k.api.Staff(context.Background(), "finance")
		k.must(err)
	}
}

func (k *killRun) kill() {
	k.Helper()
	k.must(k.server.Process.Kill())
	_ = k.server.Wait()
}

// faults makes every side misbehave at random; seed 0 ends it.
func (k *killRun) faults(seed int64) {
	for _, base := range []string{k.at.WeChat, k.at.Alipay, k.at.HIS, k.at.Centre} {
		if seed == 0 {
			req, _ := http.NewRequest(http.MethodDelete, base+"/_sim/faults", nil)
			res, err := http.DefaultClient.Do(req)
			k.must(err)
			res.Body.Close()
			continue
		}
		k.post(base+"/_sim/faults", fmt.Sprintf(`{"seed":%d,"rate":0.25,"ops":["debit","query_debit","reverse","query_reverse","transfer",`+
			`"query","refund","refund_query","callback","order","order_query","order_close","mixed","mixed_query","upload","undo","charge",`+
			`"trade_check","uncharge","uncharge_check"]}`, seed))
	}
}

// load applies as fast as the patients' cards allow: until so many applications
// were accepted, however slow the machine is, and a little longer.
func (k *killRun) load(accepted int64, more time.Duration) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	enough, paid := k.applied.Load()+accepted, k.till.ordered.Load()+int64(k.till.open)
	go func() {
		for (k.applied.Load() < enough || k.till.ordered.Load() < paid) && ctx.Err() == nil {
			time.Sleep(5 * time.Millisecond)
		}
		time.Sleep(more)
		cancel()
	}()
	var g errgroup.Group
	for i := range k.till.open {
		first := 40 + 10*i
		g.Go(func() error { return k.pays(ctx, uint64(enough)+uint64(i), k.people[first:first+10]) })
	}
	for i, p := range k.people {
		g.Go(func() error {
			for n := 0; ctx.Err() == nil; n++ {
				_, err := k.api.Apply(ctx, p, demo.Wish{Channel: p.Via, Method: "transfer", Amount: int64(100 + i)})
				if err == nil {
					k.applied.Add(1)
				}
				var refused *demo.APIError
				if errors.As(err, &refused) && refused.Code == "active_order_exists" {
					time.Sleep(20 * time.Millisecond)
				}
			}
			return nil
		})
	}
	_ = g.Wait()
}

// finish lets the server settle everything.
func (k *killRun) finish() {
	staff, err := k.api.Staff(context.Background(), "reviewer1")
	k.must(err)
	for range 240 {
		var page struct {
			Items []struct {
				ID     string `json:"id"`
				Status string `json:"status"`
			} `json:"items"`
		}
		open := `/api/collections/refund_orders/records?perPage=200&skipTotal=1&filter=` +
			`(status!='succeeded'%26%26status!='failed'%26%26status!='refused'%26%26status!='rejected'%26%26status!='cancelled')`
		k.must(k.api.Call(context.Background(), "GET", open, staff, nil, &page))
		if open := k.settlePayments(context.Background(), k.rng); len(page.Items) == 0 && open == 0 {
			return
		}
		for _, o := range page.Items {
			if o.Status == "reviewing" {
				_ = k.api.Call(context.Background(), "POST", "/api/collections/reviews/records", staff,
					map[string]any{"order": o.ID, "decision": "approve"}, nil)
			}
		}
		time.Sleep(500 * time.Millisecond)
	}
}

// verify compares the books with the ledgers, but for what cannot hold here, and
// tells what there is.
func (k *killRun) verify(but ...string) string {
	k.must(k.server.Process.Signal(os.Interrupt))
	_ = k.server.Wait()
	return k.compare(filepath.Join(k.dir, "data.db"), but...)
}

// compare compares the books in a database with the ledgers.
func (k *killRun) compare(file string, but ...string) string {
	db, err := collections.Connect(file)
	k.must(err)
	defer db.Close()
	var ok string
	k.must(db.NewQuery("PRAGMA integrity_check").Row(&ok))
	if ok != "ok" {
		k.Errorf("database: %s", ok)
	}
	books, err := invariant.Load(db)
	k.must(err)
	ledgers, err := invariant.Fetch(invariant.One(k.at.HIS, k.at.Centre, k.at.WeChat, k.at.Alipay))
	k.must(err)
	for _, v := range invariant.Check(books, ledgers, true) {
		if !slices.Contains(but, v.Invariant) {
			k.Error(v.String())
		}
	}
	if int64(len(books.Orders)) < k.applied.Load() {
		k.Errorf("%d orders were acknowledged, %d are there", k.applied.Load(), len(books.Orders))
	}
	if int64(len(books.Payments)) < k.till.ordered.Load() {
		k.Errorf("%d payments were acknowledged, %d are there", k.till.ordered.Load(), len(books.Payments))
	}
	return fmt.Sprintf("%d refunds: %v; %d payments: %v", len(books.Orders), invariant.Summary(books), len(books.Payments),
		invariant.SummaryOfPayments(books))
}
