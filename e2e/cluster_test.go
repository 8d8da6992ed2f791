package e2e

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"hospay/collections"
)

// TestTorture_Cluster runs three nodes behind nginx, each in a network of its own,
// with money going through, and kills the leader or another node, cuts one off from
// the others (it still reaches the HIS, the channels and the patients), stops one
// properly, pauses one or puts another one in its place. What ended is started again,
// as a service manager does. At the end all books must agree.
// TORTURE_CLUSTER says how often; without it nothing is tried, because it takes dqlite
// and networks.
func TestTorture_Cluster(t *testing.T) {
	times := number("TORTURE_CLUSTER", 0)
	if times == 0 {
		t.Skip("make torture-cluster runs it")
	}
	c := newClusterRun(t, 3, true)
	c.till.open = 2
	c.enter()
	var longest time.Duration
	seen := map[string]int{}
	for i := range times {
		c.faults(int64(i + 1))
		what := c.hit(c.rng.IntN(100))
		gap := c.probe.take()
		seen[what]++
		if longest = max(longest, gap); gap > 30*time.Second {
			t.Errorf("%s: nobody was served for %s", what, gap)
		}
		t.Logf("%d %s: nobody was served for %s", i+1, what, gap.Round(10*time.Millisecond))
	}
	c.faults(0)
	c.finish()
	t.Logf("%d times %v, at most %s without a server; %s", times, seen, longest.Round(10*time.Millisecond), c.verifyCluster())
}

// clusterRun is a cluster with everything around it.
type clusterRun struct {
	*killRun
	root   string // folder of it all
	bridge string // of the nodes' networks; empty: they share that of the test
	nodes  []*clusterNode
	probe  *probe
}

// probe asks again and again, each time anew, and remembers the longest time in
// which nobody was answered.
type probe struct {
	mu      sync.Mutex
	last    time.Time
	longest time.Duration
}

func newProbe(t *testing.T, url string) *probe {
	p := &probe{last: time.Now()}
	client := http.Client{Timeout: 40 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	t.Cleanup(func() { p.mu.Lock(); p.last = time.Time{}; p.mu.Unlock() })
	go func() {
		for p.goes() {
			go func() {
				res, err := client.Get(url)
				if err != nil {
					return
				}
				res.Body.Close()
				if res.StatusCode == http.StatusOK {
					p.answered()
				}
			}()
			time.Sleep(250 * time.Millisecond)
		}
	}()
	return p
}

func (p *probe) goes() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return !p.last.IsZero()
}

func (p *probe) answered() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.last.IsZero() {
		p.longest, p.last = max(p.longest, time.Since(p.last)), time.Now()
	}
}

// take tells the longest time, up to now, and begins again.
func (p *probe) take() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := max(p.longest, time.Since(p.last))
	p.longest = 0
	return out
}

type clusterNode struct {
	name, dir, address string
	bin                string
	web                string // where it is asked from outside, as nginx writes it
	http               string // where it listens
	ns, link           string
	join               []string

	mu    sync.Mutex
	proc  *exec.Cmd
	down  bool // must not be started again
	falls int  // ends that nobody had asked for
}

// newClusterRun starts a cluster whose first node was a machine alone before. With
// networks of their own its nodes can be cut off; that takes root.
func newClusterRun(t *testing.T, nodes int, networks bool) *clusterRun {
	have, err := exec.Command("dpkg-query", "-W", "-f", "${Version}", "libdqlite-dev").Output()
	if err != nil || !strings.HasPrefix(string(have), "1.11.") {
		t.Skipf("make dqlite installs what this needs: libdqlite-dev 1.11 of Debian 12, here: %q", have)
	}
	c := &clusterRun{killRun: newKillRunOf(t, buildCluster()), root: t.TempDir()}
	c.rng = rand.New(rand.NewPCG(uint64(number("TORTURE_FIRST", 1)), 7))
	if networks {
		c.bridge = fmt.Sprintf("hp%d", os.Getpid()%1_000_000)
		c.ip("link", "add", c.bridge, "type", "bridge")
		t.Cleanup(func() { _ = exec.Command("ip", "link", "del", c.bridge).Run() })
		c.ip("link", "set", c.bridge, "up")
		for port := range 6 {
			c.outside(port)
		}
	}
	c.do(exec.Command(c.bin, "cluster-keys", filepath.Join(c.root, "keys")))
	c.must(os.Mkdir(filepath.Join(c.root, "shared"), 0o700))
	for i := range nodes {
		c.add(i)
	}
	var up []string
	for _, n := range c.nodes {
		c.begin(n)
		up = append(up, n.web)
		c.waitFor(n)
	}
	nginxWith(t, strings.Join(up, "; server "), func(port int) map[string]string {
		return map[string]string{"listen 443 ssl http2;": fmt.Sprintf("listen 127.0.0.1:%d; listen %s;", port, c.addr),
			"ssl_certificate     /etc/nginx/tls/refund.pem;": "", "ssl_certificate_key /etc/nginx/tls/refund.key;": "",
			"listen 10.1.1.5:8443 ssl http2;": "listen unix:" + c.root + "/admin.sock;", "ssl_certificate     /etc/nginx/tls/admin.pem;": "",
			"ssl_certificate_key /etc/nginx/tls/admin.key;": ""}
	}, "http")
	c.probe = newProbe(t, "http://"+c.addr+"/api/health")
	return c
}

func buildCluster(more ...string) *exec.Cmd {
	build := exec.Command("go", append([]string{"build", "-tags", "dqlite,libsqlite3"}, more...)...)
	build.Env = append(os.Environ(), "CGO_ENABLED=1", "CGO_LDFLAGS_ALLOW=-Wl,-z,now")
	return build
}

func (c *clusterRun) ip(args ...string) {
	c.Helper()
	c.do(exec.Command("ip", args...))
}

// base is the first port of the simulators.
func (c *clusterRun) base() int {
	var p int
	_, err := fmt.Sscanf(c.at.WeChat, "http://127.0.0.1:%d", &p)
	c.must(err)
	return p
}

// outside makes what runs outside of the nodes' networks reachable for them.
func (c *clusterRun) outside(port int) {
	l, err := net.Listen("unix", fmt.Sprintf("%s/out%d.sock", c.root, port))
	c.must(err)
	c.Cleanup(func() { l.Close() })
	go relay(l, "tcp", fmt.Sprintf("127.0.0.1:%d", c.base()+port))
}

// add makes a node's folder.
func (c *clusterRun) add(i int) {
	n := &clusterNode{name: fmt.Sprintf("n%d", i), dir: c.dir, bin: c.bin}
	if c.bridge == "" {
		base, other := freePorts(c.T)
		n.address, n.http = fmt.Sprintf("127.0.0.1:%d", base), fmt.Sprintf("127.0.0.1:%d", other)
		n.web = n.http
	} else {
		n.address, n.http, n.web = fmt.Sprintf("10.78.0.%d:9100", i+1), "127.0.0.1:8090", fmt.Sprintf("unix:%s/n%d.sock", c.root, i)
		n.ns, n.link = fmt.Sprintf("%sn%d", c.bridge, i), fmt.Sprintf("%sv%d", c.bridge, i)
	}
	if i > 0 {
		n.dir = filepath.Join(c.root, n.name)
		c.must(os.MkdirAll(n.dir, 0o700))
		key, err := os.ReadFile(filepath.Join(c.dir, "demo-key.json"))
		c.must(err)
		c.must(os.WriteFile(filepath.Join(n.dir, "demo-key.json"), key, 0o600))
		for _, other := range c.nodes {
			n.join = append(n.join, other.address)
		}
	}
	c.must(os.RemoveAll(filepath.Join(n.dir, "storage")))
	c.must(os.Symlink(filepath.Join(c.root, "shared"), filepath.Join(n.dir, "storage")))
	c.nodes = append(c.nodes, n)
	if c.bridge != "" {
		c.network(n)
	}
}

// network makes a node's own one: a line to the other nodes, and relays for the rest.
func (c *clusterRun) network(n *clusterNode) {
	c.ip("netns", "add", n.ns)
	c.Cleanup(func() { _ = exec.Command("ip", "netns", "del", n.ns).Run() })
	c.ip("link", "add", n.link, "type", "veth", "peer", "name", "eth0", "netns", n.ns)
	c.ip("link", "set", n.link, "master", c.bridge, "up")
	host, _, _ := net.SplitHostPort(n.address)
	c.ip("-n", n.ns, "addr", "add", host+"/24", "dev", "eth0")
	c.ip("-n", n.ns, "link", "set", "eth0", "up")
	c.ip("-n", n.ns, "link", "set", "lo", "up")
	self, err := os.Executable()
	c.must(err)
	inside := exec.Command("ip", "netns", "exec", n.ns, self, "-test.run=^TestClusterRelays$")
	inside.Env = append(os.Environ(), fmt.Sprintf("CLUSTER_RELAYS=%s %s %d", c.root, strings.TrimPrefix(n.web, "unix:"), c.base()))
	inside.Stderr = os.Stderr
	c.must(inside.Start())
	c.Cleanup(func() { _ = inside.Process.Kill(); _ = inside.Wait() })
}

// in is a command within a node's network.
func (c *clusterRun) in(n *clusterNode, args ...string) *exec.Cmd {
	if c.bridge != "" {
		args = append([]string{"ip", "netns", "exec", n.ns}, args...)
	}
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Env = append(os.Environ(), "HOSPAY_CLUSTER_KEYS="+filepath.Join(c.root, "keys"))
	return cmd
}

// TestClusterRelays is no test: it is what runs within the network of a node.
func TestClusterRelays(t *testing.T) {
	var root, web string
	var base int
	if n, _ := fmt.Sscanf(os.Getenv("CLUSTER_RELAYS"), "%s %s %d", &root, &web, &base); n != 3 {
		t.Skip("only within a node's network")
	}
	for port := range 6 {
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", base+port))
		if err != nil {
			t.Fatal(err)
		}
		go relay(l, "unix", fmt.Sprintf("%s/out%d.sock", root, port))
	}
	l, err := net.Listen("unix", web)
	if err != nil {
		t.Fatal(err)
	}
	relay(l, "tcp", "127.0.0.1:8090")
}

// relay passes on what comes in. Who is not there refuses, as he would himself.
func relay(l net.Listener, network, address string) {
	for {
		in, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer in.Close()
			out, err := net.Dial(network, address)
			if err != nil {
				return
			}
			defer out.Close()
			go func() {
				_, _ = io.Copy(out, in)
				_ = out.(interface{ CloseWrite() error }).CloseWrite()
			}()
			_, _ = io.Copy(in, out)
		}()
	}
}

// begin starts a node, and starts it again whenever it ends.
func (c *clusterRun) begin(n *clusterNode) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.down = false
	c.spawn(n)
}

func (c *clusterRun) spawn(n *clusterNode) {
	args := []string{n.bin, "serve", "--http", n.http, "--dir", n.dir, "--cluster", n.name, "--cluster-address", n.address}
	if len(n.join) > 0 {
		args = append(args, "--cluster-join", strings.Join(n.join, ","))
	}
	n.proc = c.in(n, args...)
	n.proc.Env = append(n.proc.Env, c.env...)
	log, err := os.OpenFile(filepath.Join(c.root, n.name+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	c.must(err)
	n.proc.Stdout, n.proc.Stderr = log, log
	c.must(n.proc.Start())
	log.Close()
	proc := n.proc
	go func() {
		_ = proc.Wait()
		time.Sleep(time.Second)
		n.mu.Lock()
		defer n.mu.Unlock()
		if !n.down && n.proc == proc {
			n.falls++
			c.spawn(n)
		}
	}()
}

// end ends a node with a signal, for good or until begin.
func (c *clusterRun) end(n *clusterNode, by syscall.Signal) {
	n.mu.Lock()
	n.down = true
	proc := n.proc
	n.mu.Unlock()
	_ = proc.Process.Signal(by)
	for range 4800 {
		if proc.Process.Signal(syscall.Signal(0)) != nil {
			return
		}
		time.Sleep(25 * time.Millisecond)
	}
	c.Fatalf("%s does not end by %s", n.name, by)
}

// waitFor waits until a node answers for its cluster.
func (c *clusterRun) waitFor(n *clusterNode) {
	c.Helper()
	client := http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			var d net.Dialer
			if path, is := strings.CutPrefix(n.web, "unix:"); is {
				return d.DialContext(ctx, "unix", path)
			}
			return d.DialContext(ctx, "tcp", n.web)
		}}}
	for until := time.Now().Add(3 * time.Minute); time.Now().Before(until); time.Sleep(25 * time.Millisecond) {
		if res, err := client.Get("http://node/api/health"); err == nil {
			res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return
			}
		}
	}
	for _, n := range c.nodes {
		text, _ := os.ReadFile(filepath.Join(c.root, n.name+".log"))
		c.Logf("%s:\n%s", n.name, text)
	}
	c.Fatalf("%s does not answer", n.name)
}

// command runs the program beside a node, within its network.
func (c *clusterRun) command(n *clusterNode, args ...string) (string, error) {
	out, err := c.in(n, append([]string{c.bin}, append(args, "--dir", n.dir)...)...).CombinedOutput()
	return string(out), err
}

// leader finds who leads, by asking nodes until one knows.
func (c *clusterRun) leader() *clusterNode {
	c.Helper()
	for until := time.Now().Add(3 * time.Minute); time.Now().Before(until); time.Sleep(100 * time.Millisecond) {
		for _, n := range c.nodes {
			out, err := c.command(n, "cluster", "status")
			if err != nil {
				continue
			}
			for _, line := range strings.Split(out, "\n") {
				if !strings.Contains(line, "主节点") {
					continue
				}
				address, _, _ := strings.Cut(line, " ")
				if i := slices.IndexFunc(c.nodes, func(n *clusterNode) bool { return n.address == address }); i >= 0 {
					return c.nodes[i]
				}
			}
		}
	}
	c.Fatal("nobody leads")
	return nil
}

// hit does something to a node while money goes through, and waits until all is as
// before. The number says what, out of a hundred.
func (c *clusterRun) hit(kind int) (what string) {
	loaded := make(chan struct{})
	go func() {
		defer close(loaded)
		c.load(int64(2+c.rng.IntN(6)), time.Duration(c.rng.IntN(300))*time.Millisecond)
	}()
	at, later := c.rng.IntN(400), time.Duration(500+c.rng.IntN(6000))*time.Millisecond
	time.Sleep(time.Duration(at) * time.Millisecond)
	n := c.leader()
	if kind%10 == 9 { // another one than the leader
		n = c.nodes[(slices.Index(c.nodes, n)+1)%len(c.nodes)]
	}
	back := func() { c.begin(n) }
	switch {
	case kind < 45:
		what = "killed"
		c.end(n, syscall.SIGKILL)
	case kind < 72:
		what = "cut off"
		c.ip("link", "set", n.link, "down")
		back = func() { c.ip("link", "set", n.link, "up") }
	case kind < 82:
		what = "stopped"
		c.end(n, syscall.SIGTERM)
	case kind < 90:
		what = "paused"
		_ = n.proc.Process.Signal(syscall.SIGSTOP)
		back = func() { _ = n.proc.Process.Signal(syscall.SIGCONT) }
	case kind < 94:
		what = "all killed"
		for _, n := range c.nodes {
			c.end(n, syscall.SIGKILL)
		}
		back = func() {
			for _, n := range c.nodes {
				c.begin(n)
			}
		}
		later = 0
	default:
		what = "replaced"
		c.replace(n)
		back = func() {}
	}
	time.Sleep(later)
	back()
	for _, n := range c.nodes {
		c.waitFor(n)
	}
	<-loaded
	return what
}

// replace takes a node's disk away: it is removed from the cluster and comes back as
// a new one.
func (c *clusterRun) replace(n *clusterNode) {
	c.end(n, syscall.SIGKILL)
	other := c.nodes[(slices.Index(c.nodes, n)+1)%len(c.nodes)]
	for until := time.Now().Add(3 * time.Minute); ; time.Sleep(200 * time.Millisecond) {
		out, err := c.command(other, "cluster", "remove", n.address)
		if err == nil {
			break
		}
		if time.Now().After(until) {
			c.Fatalf("%s is not removed: %s", n.name, out)
		}
	}
	c.must(os.RemoveAll(filepath.Join(n.dir, "cluster")))
	n.join = nil
	for _, o := range c.nodes {
		if o != n {
			n.join = append(n.join, o.address)
		}
	}
	c.begin(n)
}

// verifyCluster compares the books that the cluster holds with the ledgers.
func (c *clusterRun) verifyCluster() string {
	c.Helper()
	file := filepath.Join(c.root, "copy.db")
	if out, err := c.command(c.leader(), "cluster", "copy", file); err != nil {
		c.Fatal(out)
	}
	for _, n := range c.nodes {
		c.end(n, syscall.SIGTERM)
		if n.falls > 0 {
			c.Logf("%s ended by itself %d times", n.name, n.falls)
		}
	}
	return c.compare(file)
}

// TestCluster_NothingIsLostWhateverDies: a machine alone becomes the first of three;
// the leader is killed while money goes through, all are killed at once, one loses its
// disk; what stands beside the server reaches the data from any node; a backup is made
// and taken back to one machine, which begins frozen.
func TestCluster_NothingIsLostWhateverDies(t *testing.T) {
	c := newClusterRun(t, 3, false)
	c.till.open = 1
	if !exists(filepath.Join(c.dir, "data.db.before-cluster")) || exists(filepath.Join(c.dir, "data.db")) {
		t.Error("the database of the machine alone is not put away")
	}
	c.enter()
	for i, kind := range []int{0, 92, 99} { // killed, all killed, another one replaced
		c.faults(int64(i + 1))
		c.Log(c.hit(kind))
	}
	c.faults(0)
	leader := c.leader()
	other := c.nodes[(slices.Index(c.nodes, leader)+1)%3]
	if out, err := c.command(other, "superuser", "upsert", "it@example.com", "correct horse battery"); err != nil {
		t.Errorf("superuser beside a node: %v %s", err, out)
	}
	c.finish()
	saved := filepath.Join(c.root, "one.backup")
	if out, err := c.command(other, "backup", "--out", saved); err != nil {
		t.Errorf("backup: %v %s", err, out)
	}
	plain := filepath.Join(c.root, "hospay")
	c.do(exec.Command("go", "build", "-o", plain, "hospay"))
	out, err := exec.Command(plain, "serve", "--dir", c.dir, "--http", "127.0.0.1:1").CombinedOutput()
	if err == nil || !strings.Contains(string(out), "属于集群") {
		t.Errorf("a program without the engine serves the folder of a node: %s", out)
	}
	c.Log(c.verifyCluster())
	c.takenBack(plain, saved)
}

// takenBack restores a backup of the cluster to one machine.
func (c *clusterRun) takenBack(plain, saved string) {
	dir := filepath.Join(c.root, "alone")
	key := filepath.Join(c.dir, "demo-key.json")
	restore := exec.Command(plain, "restore", "--from", saved, "--dir", dir)
	restore.Env = append(os.Environ(), "HOSPAY_KEY_FILE="+key)
	c.do(restore)
	text, err := os.ReadFile(key)
	c.must(err)
	c.must(os.WriteFile(filepath.Join(dir, "demo-key.json"), text, 0o600))
	db, err := collections.Connect(filepath.Join(dir, "data.db"))
	c.must(err)
	defer db.Close()
	var orders int
	c.must(db.NewQuery("SELECT COUNT(*) FROM refund_orders").Row(&orders))
	if mark, err := collections.CopyOf(db); err != nil || mark == nil || int64(orders) < c.applied.Load() {
		c.Errorf("restored from the cluster: %d orders, mark %v, %v", orders, mark, err)
	}
}

// TestCluster_IsUpgradedNodeByNode: while patients apply, one node after the other gets
// a program that changes the tables, the leader last. The first new leader makes a
// backup and changes them; a node of before cannot lead any more and gives the lead
// away.
func TestCluster_IsUpgradedNodeByNode(t *testing.T) {
	c := newClusterRun(t, 3, false)
	c.enter()
	newer := filepath.Join(c.root, "newer")
	made := filepath.Join(c.root, "later.go")
	c.must(os.WriteFile(made, []byte(`package pb_migrations

import (
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/migrations"
)

func init() {
	migrations.Register(func(app core.App) error { return app.Save(core.NewBaseCollection("later")) }, nil)
}
`), 0o600))
	overlay := filepath.Join(c.root, "overlay.json")
	at, err := filepath.Abs("../pb_migrations/209901010101_later.go")
	c.must(err)
	c.must(os.WriteFile(overlay, []byte(fmt.Sprintf(`{"Replace": {%q: %q}}`, at, made)), 0o600))
	c.do(buildCluster("-overlay", overlay, "-o", newer, "hospay"))
	leader := c.leader()
	order := slices.DeleteFunc(slices.Clone(c.nodes), func(n *clusterNode) bool { return n == leader })
	for _, n := range append(order, leader) {
		loaded := make(chan struct{})
		go func() {
			defer close(loaded)
			c.load(5, 0)
		}()
		c.end(n, syscall.SIGTERM)
		n.bin = newer
		c.begin(n)
		c.waitFor(n)
		<-loaded
	}
	now := c.leader()
	if kept, err := filepath.Glob(filepath.Join(now.dir, "before-upgrade", "before-*.backup")); err != nil || len(kept) == 0 {
		for _, n := range c.nodes {
			more, _ := filepath.Glob(filepath.Join(n.dir, "before-upgrade", "before-*.backup"))
			kept = append(kept, more...)
		}
		if len(kept) == 0 {
			t.Error("the tables were changed without a backup")
		}
	}
	old := c.nodes[(slices.Index(c.nodes, now)+1)%3]
	third := c.nodes[(slices.Index(c.nodes, now)+2)%3]
	c.end(old, syscall.SIGTERM)
	old.bin = c.bin
	c.begin(old)
	c.end(third, syscall.SIGTERM) // only the old program is left to take over
	c.end(now, syscall.SIGTERM)
	c.begin(third)
	c.waitFor(third)
	if c.leader() == old {
		t.Error("a program of before leads")
	}
	c.begin(now)
	c.end(old, syscall.SIGTERM)
	old.bin = newer
	c.begin(old)
	c.waitFor(now)
	c.finish()
	c.Log(c.verifyCluster())
}
