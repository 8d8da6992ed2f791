package cmd

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

	"hospay/collections"
	"hospay/internal/cluster"
	"hospay/internal/front"
	"hospay/internal/wire"

	"github.com/spf13/cobra"
)

// Environment variables of a node.
const (
	envCluster        = "HOSPAY_CLUSTER"
	envClusterAddress = "HOSPAY_CLUSTER_ADDRESS"
	envClusterJoin    = "HOSPAY_CLUSTER_JOIN"
	envClusterLatency = "HOSPAY_CLUSTER_LATENCY"
)

// The listeners of a node, as its cluster calls them.
const (
	doorHTTP  = "http"
	doorAdmin = "admin"
	doorEdge  = "edge"
)

// fallen is how a node ends that was the leader and is it no more; whatever manages
// the service starts it again.
const fallen = 75

// listening is where a server takes its work from.
type listening struct {
	admin, edge               string
	name, address, join, keys string
}

func (l *listening) flags(c *cobra.Command) {
	c.Flags().StringVar(&l.name, "cluster", os.Getenv(envCluster), "作为集群的一个节点运行：本节点的名字（见 docs/zh/集群.md）")
	c.Flags().StringVar(&l.address, "cluster-address", os.Getenv(envClusterAddress), "其他节点找到本节点的地址，例如 10.1.2.3:9100；下一个端口也会用到")
	c.Flags().StringVar(&l.join, "cluster-join", os.Getenv(envClusterJoin), "集群里已有节点的地址，逗号分隔；建立集群的第一个节点不写")
	c.Flags().StringVar(&l.keys, "cluster-keys", os.Getenv(cluster.Environment), "放 cluster.key 和 cluster.pem 的目录（hospay cluster-keys 生成）")
}

// lead brings a node into its cluster and waits until it leads. Whoever comes to it
// until then is passed on to the leader. Without --cluster, and for other commands
// than serve, there is none.
func (l *listening) lead(ctx context.Context, root, serve *cobra.Command, dir string) (*cluster.Node, error) {
	c, args, err := root.Find(os.Args[1:])
	if err != nil || c != serve || serve.ParseFlags(args) != nil {
		return nil, nil // which the command itself tells
	}
	if l.name == "" {
		if cluster.Member(dir) {
			return nil, fmt.Errorf("%s 属于集群，请用 serve --cluster 启动（%s）；要回到单机，请从备份恢复到另一个目录", dir, envCluster)
		}
		return nil, nil
	}
	o := FromEnvironment(dir)
	if err := o.servable(dir); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	cfg, err := l.config(dir)
	if err != nil {
		return nil, err
	}
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := collections.InOneFile(cfg.Dir); err != nil {
		return nil, err
	}
	node, err := cluster.Start(ctx, cfg)
	if err != nil {
		return nil, err
	}
	web := serve.Flag("http").Value.String()
	if web == "" {
		web = "127.0.0.1:8090"
	}
	for name, address := range map[string]string{doorHTTP: web, doorAdmin: l.admin, doorEdge: l.edge} {
		if address == "" {
			continue
		}
		if err := node.Door(name, address); err != nil {
			return nil, errors.Join(fmt.Errorf("监听 %w", err), node.Leave())
		}
	}
	log.Printf("集群节点 %s（%s）已加入", l.name, l.address)
	if err := node.Lead(ctx); err != nil {
		if errors.Is(err, context.Canceled) {
			err = nil
		}
		return nil, errors.Join(err, node.Leave())
	}
	wire.Leaving = node.MustLead
	log.Printf("集群节点 %s 成为主节点", l.name)
	return node, nil
}

func (l *listening) config(dir string) (cluster.Config, error) {
	pair, err := front.ReadCluster(l.keys)
	if err != nil {
		return cluster.Config{}, err
	}
	cfg := cluster.Config{Name: l.name, Address: l.address, Dir: dir, Server: pair.Server(), Client: pair.Client(),
		Fell: func(why error) {
			log.Printf("集群节点 %s 不再是主节点（%v），程序退出，由服务管理器重新启动", l.name, why)
			os.Exit(fallen)
		}}
	for _, a := range strings.Split(l.join, ",") {
		if a = strings.TrimSpace(a); a != "" {
			cfg.Join = append(cfg.Join, a)
		}
	}
	if text := os.Getenv(envClusterLatency); text != "" {
		if cfg.Latency, err = time.ParseDuration(text); err != nil || cfg.Latency <= 0 {
			return cfg, fmt.Errorf("%s=%s 应为节点之间的网络时延，例如 20ms", envClusterLatency, text)
		}
	}
	return cfg, errors.Join(ownFolder(dir), makePrivate(dir))
}

// door is a listener of this machine, or of all machines of a cluster.
func (o Options) door(name, address string) (net.Listener, error) {
	if o.Node != nil {
		return o.Node.Listener(name), nil
	}
	return net.Listen("tcp", address)
}

// clusterKeysCommand makes what all nodes hold.
func clusterKeysCommand() *cobra.Command {
	return &cobra.Command{
		Use: "cluster-keys DIR", Short: "为集群节点之间的连接生成密钥和证书", Args: cobra.ExactArgs(1), SilenceUsage: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := front.MakeCluster(args[0], time.Now()); err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "已生成 %s 和 %s（%d 年有效）。每个节点放同一份，权限 0600；拿到它的人可以读写整个数据库。\n",
				filepath.Join(args[0], "cluster.key"), filepath.Join(args[0], "cluster.pem"), int(front.KeysLast.Hours()/24/365))
			return nil
		},
	}
}

// clusterCommand tells of the nodes and takes lost ones out.
func clusterCommand() *cobra.Command {
	var dir string
	c := &cobra.Command{Use: "cluster", Short: "集群的节点"}
	c.PersistentFlags().StringVar(&dir, "dir", dataDir(), "数据目录")
	c.AddCommand(&cobra.Command{
		Use: "status", Short: "列出节点和主节点", Args: cobra.NoArgs, SilenceUsage: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			all, err := cluster.Servers(cmd.Context(), dir)
			if err != nil {
				return err
			}
			w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 4, 2, ' ', 0)
			for _, s := range all {
				fmt.Fprintf(w, "%s\t%s\t%s\n", s.Address, clusterRoles[s.Role], map[bool]string{true: "主节点"}[s.Leader])
			}
			return w.Flush()
		},
	}, &cobra.Command{
		Use: "copy FILE", Short: "把集群的数据库在此刻的样子存成一个文件（未加密，用完请删除）", Args: cobra.ExactArgs(1), SilenceUsage: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			if _, err := os.Stat(args[0]); !errors.Is(err, os.ErrNotExist) {
				return fmt.Errorf("%s 已经存在，不会覆盖", args[0])
			}
			return cluster.Copy(cmd.Context(), dir, args[0])
		},
	}, &cobra.Command{
		Use: "remove ADDRESS", Short: "移除一个不再回来的节点", Args: cobra.ExactArgs(1), SilenceUsage: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := cluster.Remove(cmd.Context(), dir, args[0]); err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s 已移除。那台机器上的数据目录请删除或封存，不要再启动。\n", args[0])
			return nil
		},
	})
	return c
}

// clusterRoles are what the engine's words for a node's part mean to people.
var clusterRoles = map[string]string{"voter": "有表决权", "stand-by": "同步数据，无表决权", "spare": "备用"}
