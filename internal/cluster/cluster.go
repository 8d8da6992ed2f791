// Package cluster lets several machines be one hospay. dqlite keeps the database
// on each of them (Raft); one of them, the leader, works, and the others pass on
// whoever comes to them. What the program is told is committed lies on the disks of
// a majority.
package cluster

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// Environment is where the keys of a cluster lie, for commands beside the server.
const Environment = "HOSPAY_CLUSTER_KEYS"

// Folder is where a node keeps its part of the database, in the data folder.
const Folder = "cluster"

// Database is the name of the database that is shared.
const Database = "data.db"

// ErrNoCluster is what a program without dqlite says of a folder that belongs to a
// cluster, or of a wish to be in one.
var ErrNoCluster = errors.New("这个程序不带集群功能（dqlite）；请换用带集群功能的程序（见 docs/zh/集群.md）")

// ErrNoLeader means that no majority of the nodes can be reached.
var ErrNoLeader = errors.New("集群里没有主节点：多数节点没有运行，或互相连不上。请查看各节点的服务和网络，恢复后自动继续")

// Config says how a node takes part.
type Config struct {
	Name    string   // of this node, for people
	Address string   // where the other nodes reach it; the next port is for what is passed on
	Join    []string // nodes of the cluster that it belongs to; none: it founds one
	Dir     string   // data folder
	Server  *tls.Config
	Client  *tls.Config
	Latency time.Duration // between the nodes, as the engine wants to know it; zero: that of a house
	Fell    func(error)   // ends the program; it does not come back
}

// Check refuses what cannot be a node.
func (c Config) Check() error {
	for _, a := range append([]string{c.Address}, c.Join...) {
		host, port, err := net.SplitHostPort(a)
		if n, bad := strconv.Atoi(port); err != nil || host == "" || bad != nil || n < 1 || n > 65534 {
			return fmt.Errorf("集群地址 %q 应为本节点的 IP 和端口，例如 10.1.2.3:9100（9101 也会用到）", a)
		}
	}
	for _, a := range c.Join {
		if a == c.Address {
			return fmt.Errorf("--cluster-join 里的 %s 是本节点自己的地址", a)
		}
	}
	return nil
}

// Member reports whether a data folder belongs to a node of a cluster.
func Member(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, Folder, "info.yaml"))
	return err == nil
}

// Server is one node as the others see it.
type Server struct {
	ID      uint64
	Address string
	Role    string
	Leader  bool
}
