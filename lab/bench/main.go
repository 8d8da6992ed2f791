// Command bench measures the program from outside: the server and the
// simulators run as processes of their own on this machine. It prints a table
// and writes the same figures as JSON.
package main

import (
	"cmp"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"hospay/lab/demo"

	"github.com/pocketbase/dbx"
)

// figure is one measured value with the aim of the design.
type figure struct {
	Name  string  `json:"name"`
	Value float64 `json:"value"`
	Unit  string  `json:"unit"`
	Aim   string  `json:"aim,omitempty"`
}

// bench is one run.
type bench struct {
	bin, dir, addr string
	older, duckdb  string // what reconcile is compared with
	work           string // folder for what is generated
	kept           bool   // the data folder is one of a former run
	at             demo.Endpoints
	api            *demo.API
	sims, server   *exec.Cmd
	figures        []figure
	people         []*demo.Person
	looks          map[string]*dbx.DB // by data folder
	past           map[string]int64   // the last order that was there before
}

// parts can be measured alone; lists come with their statistics.
var parts = []string{"recon", "inside", "payments", "refunds", "bare", "idle", "lists", "export", "archive", "big", "cluster"}

func main() {
	bin := flag.String("bin", "bin/hospay", "the program")
	out := flag.String("out", "bench.json", "where the figures go")
	rows := flag.String("rows", "100000,1000000", "sizes of the order table for the list query")
	seconds := flag.Int("seconds", 6, "length of each load")
	recon := flag.String("recon", "30000,250000,1000000", "lines a book for reconcile")
	only := flag.String("only", "", "measure one part: "+strings.Join(parts, ", "))
	older := flag.String("older", "", "another program, reconcile is run beside it")
	duckdb := flag.String("duckdb", "", "folder in which @duckdb/node-api is installed")
	bare := flag.String("bare", "", "be a bare PocketBase in this folder (started by itself)")
	sheet := flag.String("sheet", "", "write the cells of this file with a bare stream writer (started by itself)")
	keep := flag.String("keep", "", "folder where what was planted stays for later runs (lists, export, big)")
	full := flag.Bool("full", false, "its commits survive a power cut")
	flag.Parse()
	switch {
	case *bare != "":
		log.Fatal(serveBare(*bare, *full))
	case *sheet != "":
		if err := writeSheet(*sheet); err != nil {
			log.Fatal(err)
		}
		return
	}
	dir, err := os.MkdirTemp("", "hospay-bench")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	b := &bench{bin: *bin, older: *older, duckdb: *duckdb, work: dir, dir: filepath.Join(dir, "data"),
		addr: "127.0.0.1:18290", at: demo.At("127.0.0.1", 19301)}
	if *keep != "" {
		b.dir = filepath.Join(*keep, cmp.Or(*only, "all"))
	}
	b.api = demo.NewAPI("http://" + b.addr)
	defer b.stop()
	if *only != "" && !slices.Contains(parts, *only) {
		log.Fatalf("-only %s: %s", *only, strings.Join(parts, ", "))
	}
	if *only == "" || *only == "recon" {
		err = b.measureReconcile(strings.Split(*recon, ","))
	}
	if err == nil && *only != "recon" {
		err = b.run(time.Duration(*seconds)*time.Second, strings.Split(*rows, ","), *only)
	}
	if err != nil {
		b.stop()
		log.Fatal(err)
	}
	b.print()
	data, err := json.MarshalIndent(map[string]any{"go": runtime.Version(), "cpus": runtime.NumCPU(), "figures": b.figures}, "", "  ")
	if err != nil {
		log.Fatal(err)
	}
	if err := os.WriteFile(*out, append(data, '\n'), 0o644); err != nil {
		log.Fatal(err)
	}
}

func (b *bench) add(name string, value float64, unit, aim string) {
	b.figures = append(b.figures, figure{name, value, unit, aim})
	fmt.Fprintf(os.Stderr, "%s: %.1f %s\n", name, value, unit)
}

func (b *bench) print() {
	fmt.Printf("%-75s %12s  %-10s %s\n", "figure", "value", "unit", "aim")
	for _, f := range b.figures {
		digits := 1
		if f.Unit == "" { // a ratio
			digits = 2
		}
		fmt.Printf("%-75s %12.*f  %-10s %s\n", f.Name, digits, f.Value, f.Unit, f.Aim)
	}
}

func (b *bench) run(load time.Duration, rows []string, only string) error {
	if only == "cluster" {
		return b.measureCluster(load)
	}
	if err := b.prepare(); err != nil {
		return err
	}
	if err := b.measureStart(); err != nil {
		return err
	}
	if err := b.login(1500); err != nil {
		return err
	}
	b.apply(1, time.Second) // what is planted has a pattern
	if err := b.drain(); err != nil {
		return err
	}
	switch only {
	case "inside":
		return b.measureInside(100_000)
	case "bare":
		return b.measureBare(load)
	case "idle":
		return b.measureIdle("empty", load)
	case "archive":
		return b.measureArchive(load)
	case "big":
		return b.measureBig(load, 1_000_000, 10_000_000)
	}
	alone := only == "lists" || only == "export"
	kept := alone && b.kept // with the patterns of what is planted
	if only != "refunds" && !kept {
		if err := b.measurePayments(load, alone); err != nil || only == "payments" {
			return err
		}
	}
	if !kept {
		if err := b.measureSettle(load); err != nil {
			return err
		}
	}
	for _, clients := range []int{1, 16, 64} {
		if alone {
			break
		}
		if err := b.measureSubmit(clients, load); err != nil {
			return err
		}
	}
	for _, n := range slices.DeleteFunc(rows, func(n string) bool { return n == "" }) {
		count, err := strconv.Atoi(n)
		if err != nil {
			return err
		}
		if err := b.measureList(count); err != nil {
			return err
		}
	}
	if only != "" && only != "export" {
		return nil
	}
	return b.measureExport()
}

// prepare starts the simulators and seeds a data folder.
func (b *bench) prepare() error {
	b.sims = exec.Command(b.bin, "simulate", "--base-port", "19301", "--patients", "2000")
	if err := b.sims.Start(); err != nil {
		return err
	}
	if err := wait(b.at.Portal + "/_sim/config"); err != nil {
		return err
	}
	_, err := os.Stat(filepath.Join(b.dir, "data.db"))
	if b.kept = err == nil; !b.kept {
		if err := b.seed(b.dir); err != nil {
			return err
		}
	}
	return b.sim(b.at.WeChat, `{"auto_confirm":true}`)
}

// seed makes a data folder, which is the one that is served from now on.
func (b *bench) seed(dir string) error {
	b.dir = dir
	seed := exec.Command(b.bin, "demo", "--seed-only", "--dir", b.dir, "--sim-port", "19301", "--http", b.addr)
	if out, err := seed.CombinedOutput(); err != nil {
		return fmt.Errorf("seed: %w\n%s", err, out)
	}
	return nil
}

func (b *bench) sim(base, settings string) error {
	res, err := http.Post(base+"/_sim/settings", "application/json", strings.NewReader(settings))
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode/100 != 2 {
		return fmt.Errorf("%s: %d", base, res.StatusCode)
	}
	return nil
}

func (b *bench) start() (time.Duration, error) {
	begin := time.Now()
	b.server = exec.Command(b.bin, "serve", "--http", b.addr, "--dir", b.dir)
	said := &tail{}
	b.server.Stderr = said
	if err := b.server.Start(); err != nil {
		return 0, err
	}
	err := wait("http://" + b.addr + "/api/health")
	if err != nil {
		err = fmt.Errorf("%w: %s", err, said.last)
	}
	return time.Since(begin), err
}

func (b *bench) stopServer() {
	if b.server != nil {
		_ = b.server.Process.Signal(os.Interrupt)
		_ = b.server.Wait()
		b.server = nil
	}
}

func (b *bench) stop() {
	b.stopServer()
	if b.sims != nil {
		_ = b.sims.Process.Kill()
		_ = b.sims.Wait()
		b.sims = nil
	}
}

func wait(url string) error {
	for range 2000 {
		res, err := http.Get(url)
		if err == nil {
			res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return nil
			}
		}
		time.Sleep(5 * time.Millisecond)
	}
	return fmt.Errorf("%s does not answer", url)
}

func (b *bench) measureStart() error {
	took, err := b.start()
	if err != nil {
		return err
	}
	b.add("start until healthy", float64(took.Milliseconds()), "ms", "≤ 2000")
	time.Sleep(3 * time.Second)
	rss, err := memory(b.server.Process.Pid, "VmRSS:")
	b.add("idle memory (RSS)", rss, "MiB", "≤ 150")
	return err
}

// memory reads a figure of a process's memory in MiB.
func memory(pid int, key string) (float64, error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	for _, line := range strings.Split(string(data), "\n") {
		if rest, ok := strings.CutPrefix(line, key); ok {
			kb, err := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			return kb / 1024, err
		}
	}
	return 0, nil
}

// apply has clients apply for the time of the load, each for patients of its
// own, and returns how long the accepted ones took.
func (b *bench) apply(clients int, load time.Duration) []time.Duration {
	end := time.Now().Add(load)
	var mu sync.Mutex
	var took []time.Duration
	var wg sync.WaitGroup
	for c := range clients {
		wg.Go(func() {
			var mine []time.Duration
			for i := c; time.Now().Before(end); i += clients {
				p := b.people[i%len(b.people)]
				begin := time.Now()
				if _, err := b.api.Apply(context.Background(), p, demo.Wish{Channel: p.Via, Method: "transfer", Amount: 100}); err == nil {
					mine = append(mine, time.Since(begin))
				}
			}
			mu.Lock()
			defer mu.Unlock()
			took = append(took, mine...)
		})
	}
	wg.Wait()
	return took
}

func (b *bench) measureSubmit(clients int, load time.Duration) error {
	took := b.apply(clients, load)
	if len(took) == 0 {
		return fmt.Errorf("no order was accepted with %d clients", clients)
	}
	aim := ""
	if clients == 16 {
		aim = "≤ 100"
	}
	b.add(fmt.Sprintf("submit p50, %d clients", clients), ms(took, 50), "ms", "")
	b.add(fmt.Sprintf("submit p95, %d clients", clients), ms(took, 95), "ms", aim)
	b.add(fmt.Sprintf("submit rate, %d clients", clients), float64(len(took))/load.Seconds(), "orders/s", "")
	return b.drain()
}

// measureSettle counts orders that went the whole way, application to money,
// while people keep applying: once until the last application, and once until
// the last order had settled.
func (b *bench) measureSettle(load time.Duration) error {
	before, err := b.settled()
	if err != nil {
		return err
	}
	size, err := b.sizes()
	if err != nil {
		return err
	}
	begin := time.Now()
	b.apply(16, 3*load)
	during, err := b.settled()
	if err != nil {
		return err
	}
	b.add("settled end to end while applying, both channels", float64(during-before)/time.Since(begin).Seconds(), "orders/s", "≥ 40")
	if err := b.drain(); err != nil {
		return err
	}
	after, err := b.settled()
	if err != nil {
		return err
	}
	b.add("settled end to end until the last one", float64(after-before)/time.Since(begin).Seconds(), "orders/s", "")
	return b.tellSize(after-before, size)
}
