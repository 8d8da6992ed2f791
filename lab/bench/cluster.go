package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"hospay/lab/demo"
)

// trio is three nodes of one cluster on this machine. Each has a disk and processors
// of its own in a hospital; here they share them.
type trio struct {
	b     *bench
	dir   string
	nodes []*exec.Cmd
}

// atNode is where a node is reached by others, and where people reach it.
func atNode(i int) (cluster, web string) {
	return fmt.Sprintf("127.0.0.1:%d", 19401+10*i), fmt.Sprintf("127.0.0.1:%d", 18291+i)
}

func (t *trio) folder(i int) string { return filepath.Join(t.dir, fmt.Sprintf("n%d", i)) }

// make seeds the first node as a machine alone, and gives the others its key and the
// common folder of files.
func (t *trio) make() error {
	b := t.b
	shared := filepath.Join(t.dir, "shared")
	if err := os.MkdirAll(shared, 0o700); err != nil {
		return err
	}
	if out, err := exec.Command(b.bin, "cluster-keys", filepath.Join(t.dir, "keys")).CombinedOutput(); err != nil {
		return fmt.Errorf("cluster-keys: %w\n%s", err, out)
	}
	_, b.addr = atNode(0)
	if err := b.seed(t.folder(0)); err != nil {
		return err
	}
	key, err := os.ReadFile(filepath.Join(t.folder(0), "demo-key.json"))
	if err != nil {
		return err
	}
	for i := range 3 {
		dir := t.folder(i)
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return err
		}
		if i > 0 {
			if err := os.WriteFile(filepath.Join(dir, "demo-key.json"), key, 0o600); err != nil {
				return err
			}
		}
		_ = os.RemoveAll(filepath.Join(dir, "storage"))
		if err := os.Symlink(shared, filepath.Join(dir, "storage")); err != nil {
			return err
		}
	}
	t.nodes = make([]*exec.Cmd, 3)
	return nil
}

func (t *trio) start(i int) error {
	cluster, web := atNode(i)
	args := []string{"serve", "--http", web, "--dir", t.folder(i), "--cluster", fmt.Sprintf("n%d", i), "--cluster-address", cluster,
		"--cluster-keys", filepath.Join(t.dir, "keys")}
	if i > 0 {
		first, _ := atNode(0)
		args = append(args, "--cluster-join", first)
	}
	t.nodes[i] = exec.Command(t.b.bin, args...)
	if err := t.nodes[i].Start(); err != nil {
		return err
	}
	var err error
	for range 60 { // a node that comes back waits for a majority, and for who leads it
		if err = wait("http://" + web + "/api/health"); err == nil {
			return nil
		}
	}
	return err
}

func (t *trio) stop() {
	for _, n := range t.nodes {
		if n != nil && n.Process != nil {
			_ = n.Process.Signal(os.Interrupt)
		}
	}
	for _, n := range t.nodes {
		if n != nil {
			_ = n.Wait()
		}
	}
}

// leader is the node that leads.
func (t *trio) leader() (int, error) {
	for range 100 {
		for i := range t.nodes {
			cmd := exec.Command(t.b.bin, "cluster", "status", "--dir", t.folder(i))
			cmd.Env = append(os.Environ(), "HOSPAY_CLUSTER_KEYS="+filepath.Join(t.dir, "keys"))
			out, err := cmd.Output()
			for _, line := range strings.Split(string(out), "\n") {
				address, _, _ := strings.Cut(line, " ")
				for j := range t.nodes {
					if at, _ := atNode(j); err == nil && at == address && strings.Contains(line, "主节点") {
						return j, nil
					}
				}
			}
		}
		time.Sleep(100 * time.Millisecond)
	}
	return 0, fmt.Errorf("no node leads")
}

// total counts orders by the lists that people see; the other figures look into the
// database, which in a cluster is no file.
func (b *bench) total(filter string) (int, error) {
	staff, err := b.api.Staff(context.Background(), "reviewer1")
	if err != nil {
		return 0, err
	}
	var page struct {
		Total int `json:"totalItems"`
	}
	path := "/api/collections/refund_orders/records?perPage=1&filter=" + url.QueryEscape(filter)
	err = b.api.Call(context.Background(), "GET", path, staff, nil, &page)
	return page.Total, err
}

// throughput applies with 16 clients and waits until all has settled: what is
// accepted a second, how long that takes one client, and what settles a second.
func (b *bench) throughput(load time.Duration) (accepted, p95, settled float64, err error) {
	if err := b.login(400); err != nil {
		return 0, 0, 0, err
	}
	before, err := b.total("status='succeeded'")
	if err != nil {
		return 0, 0, 0, err
	}
	begin := time.Now()
	took := b.apply(16, load)
	for range 1200 {
		n, err := b.total("status!='succeeded'&&status!='failed'&&status!='refused'&&status!='rejected'&&status!='reviewing'")
		if err != nil {
			return 0, 0, 0, err
		}
		if n == 0 {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	all := time.Since(begin)
	after, err := b.total("status='succeeded'")
	if err == nil && len(took) == 0 {
		err = fmt.Errorf("no order was accepted")
	}
	if err != nil {
		return 0, 0, 0, err
	}
	return float64(len(took)) / load.Seconds(), ms(took, 95), float64(after-before) / all.Seconds(), nil
}

// measureCluster compares one machine with three nodes, turn by turn, and kills the
// leader to see how long nobody is served.
func (b *bench) measureCluster(load time.Duration) error {
	if err := b.prepare(); err != nil {
		return err
	}
	one, alone := b.dir, b.addr
	t := &trio{b: b, dir: filepath.Join(b.work, "cluster")}
	defer t.stop()
	if err := t.make(); err != nil {
		return err
	}
	const rounds = 3
	var figures [2][3][]float64 // one machine, cluster
	for range rounds {
		b.dir, b.addr, b.api = one, alone, demo.NewAPI("http://"+alone)
		if _, err := b.start(); err != nil {
			return err
		}
		if err := keep(&figures[0], b, load); err != nil {
			return err
		}
		b.stopServer()
		if err := t.together(); err != nil {
			return err
		}
		_, web := atNode(0)
		b.api = demo.NewAPI("http://" + web)
		if err := keep(&figures[1], b, load); err != nil {
			return err
		}
		t.stop()
	}
	for i, what := range []struct{ name, unit string }{{"submit rate, 16 clients", "orders/s"}, {"submit p95, 16 clients", "ms"},
		{"settled end to end", "orders/s"}} {
		a, c := middle(figures[0][i]), middle(figures[1][i])
		b.add(what.name+", one machine", a, what.unit, "")
		b.add(what.name+", three nodes", c, what.unit, "")
		b.add(what.name+", three nodes / one machine", c/a, "", "")
	}
	if err := t.together(); err != nil {
		return err
	}
	if err := t.failover("", 5); err != nil {
		return err
	}
	t.stop()
	return b.measureClusterFull(100_000)
}

// measureClusterFull moves a machine with so many orders into a cluster.
func (b *bench) measureClusterFull(orders int) error {
	t := &trio{b: b, dir: filepath.Join(b.work, "full")}
	defer t.stop()
	if err := t.make(); err != nil {
		return err
	}
	b.api = demo.NewAPI("http://" + b.addr)
	if _, err := b.start(); err != nil {
		return err
	}
	if err := b.login(100); err != nil {
		return err
	}
	b.apply(1, time.Second) // what is planted has a pattern
	if err := b.drain(); err != nil {
		return err
	}
	b.stopServer()
	if err := b.plant(orders); err != nil {
		return err
	}
	with := fmt.Sprintf(", %d orders", orders)
	begin := time.Now()
	if err := t.start(0); err != nil {
		return err
	}
	b.add("a machine becomes the first node"+with, time.Since(begin).Seconds(), "s", "")
	for i := 1; i < 3; i++ {
		begin := time.Now()
		if err := t.start(i); err != nil {
			return err
		}
		b.add(fmt.Sprintf("node %d joins", i+1)+with, time.Since(begin).Seconds(), "s", "")
	}
	rss, err := memory(t.nodes[0].Process.Pid, "VmRSS:")
	if err != nil {
		return err
	}
	b.add("memory of the leader (RSS)"+with, rss, "MiB", "")
	if err := b.login(400); err != nil {
		return err
	}
	took := b.apply(16, 5*time.Second)
	b.add("submit rate, 16 clients, three nodes"+with, float64(len(took))/5, "orders/s", "")
	return t.failover(with, 3)
}

func keep(into *[3][]float64, b *bench, load time.Duration) error {
	rate, p95, settled, err := b.throughput(load)
	for i, v := range []float64{rate, p95, settled} {
		into[i] = append(into[i], v)
	}
	return err
}

// together starts all nodes at once: after the first time none leads alone.
func (t *trio) together() error {
	if t.nodes[0] == nil {
		for i := range t.nodes {
			if err := t.start(i); err != nil {
				return err
			}
		}
		return nil
	}
	done := make(chan error, len(t.nodes))
	for i := range t.nodes {
		go func() { done <- t.start(i) }()
	}
	for range t.nodes {
		if err := <-done; err != nil {
			return err
		}
	}
	return nil
}

// failover kills whoever leads and asks the next node until it is answered.
func (t *trio) failover(with string, times int) error {
	var took []float64
	for range times {
		i, err := t.leader()
		if err != nil {
			return err
		}
		_, next := atNode((i + 1) % len(t.nodes))
		begin := time.Now()
		_ = t.nodes[i].Process.Kill()
		_ = t.nodes[i].Wait()
		c := http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
		for {
			res, err := c.Get("http://" + next + "/api/health")
			if err == nil {
				res.Body.Close()
			}
			if err == nil && res.StatusCode == http.StatusOK {
				break
			}
			if time.Since(begin) > time.Minute {
				return fmt.Errorf("nobody took over: %v", err)
			}
			time.Sleep(20 * time.Millisecond)
		}
		took = append(took, time.Since(begin).Seconds())
		if err := t.start(i); err != nil {
			return err
		}
		time.Sleep(2 * time.Second) // the node catches up
	}
	b := t.b
	b.add(fmt.Sprintf("failover after kill -9, median of %d%s", times, with), middle(took), "s", "< 30")
	b.add("failover after kill -9, longest"+with, slices.Max(took), "s", "< 30")
	return nil
}
