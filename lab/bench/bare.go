package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
	_ "github.com/pocketbase/pocketbase/migrations" // its own tables
)

// bareAddr is where bare PocketBase listens.
const bareAddr = "127.0.0.1:18291"

// bareColumns are those of a refund's order that an application fills.
var bareColumns = []string{"no", "institution", "patient", "card_no", "method", "channel", "status", "payee_name", "payee_name_sealed",
	"payee_account", "payee_account_sealed", "payee_index", "notify_phone", "notify_phone_sealed", "notice_version", "deposit_no",
	"review_mode"}

// serveBare runs PocketBase as it comes, with one collection and no code of
// ours. full makes its commits survive a power cut, as those of hospay do;
// PocketBase's own setting does not.
func serveBare(dir string, full bool) error {
	c := core.BaseAppConfig{DataDir: dir}
	if full {
		c.DBConnect = func(path string) (*dbx.DB, error) {
			return dbx.Open("sqlite", path+"?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=journal_size_limit(200000000)&"+
				"_pragma=synchronous(FULL)&_pragma=foreign_keys(ON)&_pragma=temp_store(MEMORY)&_pragma=cache_size(-32000)")
		}
	}
	app := core.NewBaseApp(c)
	if err := app.Bootstrap(); err != nil {
		return err
	}
	if err := app.RunAllMigrations(); err != nil {
		return err
	}
	orders := core.NewBaseCollection("orders")
	anybody := ""
	orders.CreateRule = &anybody
	for _, name := range bareColumns {
		orders.Fields.Add(&core.TextField{Name: name})
	}
	orders.Fields.Add(&core.NumberField{Name: "amount", OnlyInt: true}, &core.AutodateField{Name: "created", OnCreate: true})
	orders.AddIndex("idx_no", true, "no", "")
	orders.AddIndex("idx_card", false, "card_no, created", "")
	orders.AddIndex("idx_status", false, "status, created", "")
	if err := app.Save(orders); err != nil {
		return err
	}
	return apis.Serve(app, apis.ServeConfig{HttpAddr: bareAddr})
}

// startBare starts this program as a bare PocketBase.
func (b *bench) startBare(full bool) (*exec.Cmd, error) {
	dir := filepath.Join(b.work, fmt.Sprintf("bare-%t", full))
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	run := exec.Command(self, "-bare", dir, "-full="+fmt.Sprint(full))
	run.Stderr = os.Stderr
	if err := run.Start(); err != nil {
		return nil, err
	}
	return run, wait("http://" + bareAddr + "/api/health")
}

// create has clients create records for the time of the load.
func create(clients int, load time.Duration, serial *atomic.Int64) ([]time.Duration, error) {
	client := http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: clients}}
	defer client.CloseIdleConnections()
	end := time.Now().Add(load)
	var mu sync.Mutex
	var took []time.Duration
	var failed error
	var wg sync.WaitGroup
	for range clients {
		wg.Go(func() {
			var mine []time.Duration
			var err error
			for err == nil && time.Now().Before(end) {
				n := serial.Add(1)
				row := map[string]any{"amount": 100}
				for _, c := range bareColumns {
					row[c] = fmt.Sprintf("%-16s", c)
					if strings.HasSuffix(c, "sealed") {
						row[c] = strings.Repeat("x", 60)
					}
				}
				row["no"], row["card_no"] = fmt.Sprintf("R%020d", n), fmt.Sprintf("C%04d", n%2000)
				begin := time.Now()
				if err = post(&client, row); err == nil {
					mine = append(mine, time.Since(begin))
				}
			}
			mu.Lock()
			defer mu.Unlock()
			took, failed = append(took, mine...), firstOf(failed, err)
		})
	}
	wg.Wait()
	return took, failed
}

func firstOf(a, b error) error {
	if a != nil {
		return a
	}
	return b
}

func post(client *http.Client, row map[string]any) error {
	body, err := json.Marshal(row)
	if err != nil {
		return err
	}
	res, err := client.Post("http://"+bareAddr+"/api/collections/orders/records", "application/json", bytes.NewReader(body))
	if err != nil {
		return err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("bare PocketBase: %d %s", res.StatusCode, answer)
	}
	return err
}

// measureBare has sixteen patients apply, and beside it, turn by turn, sixteen
// clients create a record of the same columns in PocketBase as it comes. What
// hospay does with the orders meanwhile is part of its figure; between the turns
// nothing is under way.
func (b *bench) measureBare(load time.Duration) error {
	const clients = 16
	for _, full := range []bool{false, true} {
		server, err := b.startBare(full)
		if err != nil {
			return err
		}
		err = b.besideBare(clients, load, full)
		_ = server.Process.Kill()
		_ = server.Wait()
		if err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) besideBare(clients int, load time.Duration, full bool) error {
	var serial atomic.Int64
	var ours, theirs, ratios, p95, bareP95 []float64
	for range pairs {
		a := b.apply(clients, load)
		if len(a) == 0 {
			return fmt.Errorf("no order was accepted")
		}
		if err := b.drain(); err != nil {
			return err
		}
		c, err := create(clients, load, &serial)
		if err != nil {
			return err
		}
		ours, theirs = append(ours, float64(len(a))/load.Seconds()), append(theirs, float64(len(c))/load.Seconds())
		ratios = append(ratios, float64(len(a))/float64(len(c)))
		p95, bareP95 = append(p95, ms(a, 95)), append(bareP95, ms(c, 95))
	}
	name := "bare PocketBase"
	if full {
		name += " with synchronous=FULL"
	}
	b.add("submit beside "+name+", 16 clients", middle(ours), "orders/s", "")
	b.add("submit beside "+name+", 16 clients, p95", middle(p95), "ms", "≤ 80")
	b.add(name+", create, 16 clients", middle(theirs), "records/s", "")
	b.add(name+", create, 16 clients, p95", middle(bareP95), "ms", "")
	b.add("submit, ratio to "+name, middle(ratios), "", "≥ 0.6")
	return nil
}

func middle(list []float64) float64 {
	list = slices.Sorted(slices.Values(list))
	return list[len(list)/2]
}

func ms(took []time.Duration, percent int) float64 {
	slices.Sort(took)
	return float64(took[min(len(took)*percent/100, len(took)-1)].Microseconds()) / 1000
}
