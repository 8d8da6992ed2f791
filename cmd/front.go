package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"hospay/hooks/gate"
	"hospay/internal/front"

	"github.com/pocketbase/pocketbase/core"
	"github.com/spf13/cobra"
)

// Environment variables of the edge (前置机) and of the core behind it.
const (
	envEdgeListen = "HOSPAY_EDGE_LISTEN"
	envEdgeKeys   = "HOSPAY_EDGE_KEYS"
	envCore       = "HOSPAY_CORE"
)

// isEdge reports whether the edge is asked for, which has no data folder: by its
// flag, or by settings that name a core.
func isEdge(args []string) bool {
	return len(args) > 0 && args[0] == "serve" && (slices.Contains(args, "--edge") || os.Getenv(envCore) != "")
}

// edgeKeysCommand makes the keys of both ends.
func edgeKeysCommand() *cobra.Command {
	return &cobra.Command{
		Use: "edge-keys DIR", Short: "为前置机与内网主机之间的连接生成两端的密钥和证书", Args: cobra.ExactArgs(1), SilenceUsage: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := front.MakeKeys(args[0], time.Now()); err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "已生成（%d 年有效）。\n  前置机放：edge.key、edge.pem、core.pem\n  内网主机放：core.key、core.pem、edge.pem\n"+
				"分发后请删除 %s；两个 .key 文件不要出现在同一台机器上。\n", int(front.KeysLast.Hours()/24/365), args[0])
			return nil
		},
	}
}

// edgeCommand is `serve --edge`: the program in the DMZ.
func edgeCommand() *cobra.Command {
	address, inner, keys := os.Getenv(envHTTP), os.Getenv(envCore), os.Getenv(envEdgeKeys)
	c := &cobra.Command{
		Use: "serve", Short: "作为前置机运行：只转发患者端和渠道、医保的通知", Args: cobra.NoArgs, SilenceUsage: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if address == "" {
				address = "127.0.0.1:8090"
			}
			return serveEdge(cmd.Context(), cmd.OutOrStdout(), address, inner, keys)
		},
	}
	c.Flags().Bool("edge", false, "前置机：没有数据，只转发")
	c.Flags().StringVar(&address, "http", address, "患者访问的监听地址")
	c.Flags().StringVar(&inner, "core", inner, "内网主机上 --edge-listen 的地址，例如 10.1.2.3:8443")
	c.Flags().StringVar(&keys, "edge-keys", keys, "放 edge.key、edge.pem 和 core.pem 的目录")
	return c
}

func serveEdge(ctx context.Context, out io.Writer, address, inner, keys string) error {
	if os.Getenv(envName) != EnvDemo && strings.TrimSpace(os.Getenv(envProxy)) == "" {
		return fmt.Errorf("请用环境变量 %s 说明前置机前面有没有反向代理：没有写 none；有则写代理的地址", envProxy)
	}
	if _, _, err := net.SplitHostPort(inner); err != nil {
		return fmt.Errorf("--core 应为内网主机的地址和端口，例如 10.1.2.3:8443（环境变量 %s）", envCore)
	}
	proxies, err := gate.ParseProxies(os.Getenv(envProxy), os.Getenv(envHeader))
	if err != nil {
		return err
	}
	pair, err := front.ReadPair(keys, front.Edge)
	if err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(out, nil))
	edge := front.Outer{Core: inner, Pair: pair, Client: proxies.Client, Log: log}
	server := edge.Server(address)
	l, err := net.Listen("tcp", address)
	if err != nil {
		return fmt.Errorf("--http %s：%w", address, err)
	}
	fmt.Fprintf(out, "前置机 http://%s 转发到 %s；连接的证书到 %s 为止\n", l.Addr(), inner, pair.Until.Format("2006-01-02"))
	stop := context.AfterFunc(ctx, func() {
		ending, done := context.WithTimeout(context.Background(), 5*time.Second)
		defer done()
		if server.Shutdown(ending) != nil {
			_ = server.Close() // pages that wait for news never end by themselves
		}
	})
	defer stop()
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// behindEdge serves the edge on a listener of its own.
func behindEdge(se *core.ServeEvent, o Options) error {
	if o.EdgeListen == "" {
		return nil
	}
	pair, err := front.ReadPair(o.EdgeKeys, front.Core)
	if err != nil {
		return err
	}
	l, err := o.door(doorEdge, o.EdgeListen)
	if err != nil {
		return fmt.Errorf("--edge-listen %s：%w", o.EdgeListen, err)
	}
	fmt.Printf("前置机由 %s 接入；连接的证书到 %s 为止\n", l.Addr(), pair.Until.Format("2006-01-02"))
	server := front.InnerServer(se.Server.Handler, pair, se.App.Logger())
	beside(se, server, "edge.listener", func() error { return server.ServeTLS(l, "", "") })
	return nil
}

// beside runs a further server until the program ends.
func beside(se *core.ServeEvent, server *http.Server, name string, serve func() error) {
	ctx, cancel := context.WithCancel(context.Background())
	if base := server.BaseContext; base != nil {
		server.BaseContext = func(l net.Listener) context.Context {
			inner, end := context.WithCancel(base(l))
			context.AfterFunc(ctx, end)
			return inner
		}
	} else {
		server.BaseContext = func(net.Listener) context.Context { return ctx }
	}
	se.App.OnTerminate().BindFunc(func(e *core.TerminateEvent) error {
		cancel() // ends what stays open
		ending, done := context.WithTimeout(context.Background(), time.Second)
		defer done()
		_ = server.Shutdown(ending)
		return e.Next()
	})
	go func() {
		if err := serve(); err != nil && !errors.Is(err, http.ErrServerClosed) {
			se.App.Logger().Error(name, "error", err)
		}
	}()
}
