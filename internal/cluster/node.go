//go:build dqlite

package cluster

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/canonical/go-dqlite"
	"github.com/canonical/go-dqlite/app"
	"github.com/canonical/go-dqlite/client"
)

// watchEvery is how often a node asks its engine who leads; lookBack is how long one
// that leads believes so while its engine does not answer. The engine lets a leader
// that hears of no majority step down, and another is elected after that; grace is what
// the new one leaves the former one to notice: longer than lookBack, whatever times the
// engine goes by.
const (
	watchEvery = 200 * time.Millisecond
	askOthers  = 2 * time.Second
	lookBack   = 3 * time.Second
	grace      = 4 * time.Second
)

// snapshots tells after how many commits the engine writes the whole database anew,
// and how many it keeps for nodes that were away. What came since is done again when
// a node starts, so that a small database is written often and a large one seldom.
func snapshots(dir string) dqlite.SnapshotParams {
	list, _ := filepath.Glob(filepath.Join(dir, "snapshot-*-*"))
	var largest int64
	for _, file := range list {
		if info, err := os.Stat(file); err == nil {
			largest = max(largest, info.Size())
		}
	}
	n := uint64(1024 + largest>>16)
	return dqlite.SnapshotParams{Threshold: n, Trailing: 2 * n}
}

// Node is this machine in the cluster.
type Node struct {
	cfg     Config
	app     *app.App
	doors   *doors
	leader  atomic.Pointer[string] // cluster address of the leader
	led     atomic.Int64           // when this node was last known to lead, on its own clock
	begun   time.Time
	serving atomic.Bool
	leaving atomic.Bool
	stop    context.CancelFunc
	asking  atomic.Bool
	others  atomic.Pointer[string] // whom they said to lead
}

// running is the node of this program, where it is one.
var running atomic.Pointer[Node]

// Start brings a node up and into its cluster.
func Start(ctx context.Context, cfg Config) (*Node, error) {
	if err := cfg.Check(); err != nil {
		return nil, err
	}
	dir := filepath.Join(cfg.Dir, Folder)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	if err := cfg.adopt(ctx, dir); err != nil {
		return nil, err
	}
	a, err := cfg.engine(dir)
	if err != nil {
		return nil, err
	}
	n := &Node{cfg: cfg, app: a, begun: time.Now()}
	n.doors = newDoors(cfg.Client, n.where)
	l, err := net.Listen("tcp", forward(cfg.Address))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("集群 %s：%w", forward(cfg.Address), err), a.Close())
	}
	n.doors.receive(l, cfg.Server)
	watching, stop := context.WithCancel(context.Background())
	n.stop = stop
	running.Store(n)
	go n.watch(watching)
	if err := a.Ready(ctx); err != nil {
		return nil, errors.Join(ErrNoLeader, n.Leave())
	}
	return n, nil
}

// engine starts dqlite in a folder.
func (c Config) engine(dir string) (*app.App, error) {
	options := []app.Option{app.WithAddress(c.Address), app.WithTLS(c.Server, c.Client), app.WithSnapshotParams(snapshots(dir)),
		app.WithLogFunc(tell), app.WithRolesAdjustmentFrequency(5 * time.Second)}
	if c.Latency > 0 {
		options = append(options, app.WithNetworkLatency(c.Latency))
	}
	if len(c.Join) > 0 {
		options = append(options, app.WithCluster(c.Join))
	}
	a, err := app.New(dir, options...)
	if err != nil {
		return nil, fmt.Errorf("集群节点 %s 没有启动：%w", c.Address, err)
	}
	return a, nil
}

// tell passes on what the engine says of itself, but for each vain attempt to find a
// leader.
func tell(level client.LogLevel, format string, args ...any) {
	if level >= client.LogWarn && !strings.HasPrefix(format, "attempt") {
		slog.Warn("cluster", "engine", fmt.Sprintf(format, args...))
	}
}

// Door opens a listener of this node: what is served at Listener once it leads.
func (n *Node) Door(name, address string) error { return n.doors.open(name, address) }

// Listener is where the program takes what comes in at a door, of any node; nil for
// a door that was not opened.
func (n *Node) Listener(name string) net.Listener { return n.doors.listener(name) }

// watch asks who leads, and ends the program when it served and leads no more.
func (n *Node) watch(ctx context.Context) {
	var c *client.Client
	for ctx.Err() == nil {
		at := time.Since(n.begun)
		leader, err := n.ask(ctx, &c)
		switch {
		case err != nil:
		case leader == n.cfg.Address:
			n.led.Store(int64(at))
		case n.serving.Load() && !n.leaving.Load():
			n.fall(fmt.Errorf("现在的主节点：%s", cmp.Or(leader, "没有")))
		}
		if old := n.leader.Swap(&leader); old == nil || *old != leader {
			n.doors.led(forwardOf(leader))
		}
		if n.serving.Load() && !n.leaving.Load() && n.Leads() != nil {
			n.fall(n.Leads())
		}
		time.Sleep(watchEvery)
	}
}

// ask asks the engine of this node.
func (n *Node) ask(ctx context.Context, c **client.Client) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, lookBack)
	defer cancel()
	var err error
	if *c == nil {
		if *c, err = n.app.Client(ctx); err != nil {
			*c = nil
			return "", err
		}
	}
	is, err := (*c).Leader(ctx)
	if err != nil {
		_ = (*c).Close()
		*c = nil
		return "", err
	}
	if is != nil && is.ID != 0 {
		n.others.Store(nil)
		return is.Address, nil
	}
	if n.serving.Load() {
		return "", nil
	}
	if n.asking.CompareAndSwap(false, true) {
		go n.askOthers()
	}
	if said := n.others.Load(); said != nil {
		return *said, nil
	}
	return "", nil
}

// askOthers: a node that has no vote is not told who leads, and asks those that have
// one, not too often.
func (n *Node) askOthers() {
	defer n.asking.Store(false)
	ctx, cancel := context.WithTimeout(context.Background(), askOthers)
	defer cancel()
	n.others.Store(nil)
	c, err := n.app.Leader(ctx)
	if err != nil {
		return
	}
	is, err := c.Leader(ctx)
	_ = c.Close()
	if err == nil && is != nil && is.ID != 0 && is.Address != n.cfg.Address {
		n.others.Store(&is.Address)
	}
	<-ctx.Done()
}

// forward is where a node takes what others pass on.
func forward(address string) string {
	host, port, _ := net.SplitHostPort(address)
	n, _ := strconv.Atoi(port)
	return net.JoinHostPort(host, strconv.Itoa(n+1))
}

func forwardOf(leader string) string {
	if leader == "" {
		return ""
	}
	return forward(leader)
}

// where tells where what comes in is served.
func (n *Node) where() (address string, here bool) {
	if n.serving.Load() {
		return "", true
	}
	if l := n.leader.Load(); l != nil && *l != n.cfg.Address {
		return forwardOf(*l), false
	}
	return "", false
}

// Leads is nil while this node was known a moment ago to lead. What moves money asks
// before each call that leaves.
func (n *Node) Leads() error {
	if ago := time.Since(n.begun) - time.Duration(n.led.Load()); n.led.Load() == 0 || ago > lookBack {
		return fmt.Errorf("本节点 %s 不再是主节点", n.cfg.Name)
	}
	return nil
}

// elected reports whether the engine said, when it was last asked, that this node leads.
func (n *Node) elected() bool {
	l := n.leader.Load()
	return l != nil && *l == n.cfg.Address && n.Leads() == nil
}

// MustLead ends the program unless this node is known to lead.
func (n *Node) MustLead() {
	if err := n.Leads(); err != nil {
		n.fall(err)
	}
}

// Lead waits until this node leads and a former leader has had the time to notice
// that it does not.
func (n *Node) Lead(ctx context.Context) error {
	for {
		if n.elected() {
			n.caughtUp(ctx)
		}
		since := time.Now()
		for n.elected() && ctx.Err() == nil {
			if time.Since(since) > grace {
				n.serving.Store(true)
				return nil
			}
			time.Sleep(askEvery)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(askEvery):
		}
	}
}

// caughtUp waits until the engine has done all that was committed before, which can
// take it longer than it may be silent afterwards.
func (n *Node) caughtUp(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	db, err := sql.Open(n.app.Driver(), Database)
	if err != nil {
		return
	}
	defer db.Close()
	var one int
	_ = db.QueryRowContext(ctx, "SELECT 1 FROM sqlite_master LIMIT 1").Scan(&one) // an answer, whatever it is
}

// fall ends the program as a crash does, before anybody acts upon what a connection
// that is gone has not said: a commit whose answer is lost may lie on the disks of
// the others. A program that is ending already just goes no further here.
func (n *Node) fall(why error) {
	if !n.leaving.Load() {
		n.cfg.Fell(why)
	}
	select {}
}

// Leave hands over what this node does and ends it.
func (n *Node) Leave() error {
	n.leaving.Store(true)
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := n.app.Handover(ctx); err != nil {
		slog.Warn("cluster", "handover", err)
	}
	n.stop()
	n.doors.close()
	running.CompareAndSwap(n, nil)
	return n.app.Close()
}
