package cmd

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"hospay/collections"
	"hospay/hooks/kit"
	"hospay/internal/checkup"
	"hospay/store"

	"github.com/pocketbase/pocketbase/core"
	"golang.org/x/sync/errgroup"
)

// known refuses a word that is none of the environment's: one that is meant to
// say production and does not must not become something else.
func (o Options) known() error {
	switch o.Env {
	case "", EnvProduction, EnvDemo:
		return nil
	}
	return fmt.Errorf("%s=%s 不认识，只能是 %s 或 %s", envName, o.Env, EnvProduction, EnvDemo)
}

// servable says why the program must not serve with these options.
func (o Options) servable(dir string) error {
	if o.Env == EnvProduction && strings.TrimSpace(o.Proxy) == "" {
		return fmt.Errorf("请用环境变量 %s 说明前面有没有反向代理：没有写 none；有则写代理的地址，例如 127.0.0.1。"+
			"写错了，限流和审计日志里所有人都会是同一个地址，或者谁都可以冒充别人的地址", envProxy)
	}
	if o.Idle {
		return nil
	}
	return private(dir)
}

// within reports whether a file lies in a folder, whatever leads there.
func within(file, dir string) bool {
	real := func(path string) string {
		if abs, err := filepath.Abs(path); err == nil {
			path = abs
		}
		if at, err := filepath.EvalSymlinks(path); err == nil {
			path = at
		}
		return path
	}
	rel, err := filepath.Rel(real(dir), real(file))
	return err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator))
}

// private refuses a data folder that others on the machine can read.
func private(dir string) error {
	list, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	paths := []string{dir}
	for _, entry := range list {
		paths = append(paths, filepath.Join(dir, entry.Name()))
	}
	for _, path := range paths {
		info, err := os.Lstat(path)
		if errors.Is(err, os.ErrNotExist) {
			continue // gone meanwhile
		}
		if err != nil {
			return err
		}
		if open(info) {
			return fmt.Errorf("%s 的权限是 %04o，本机其他用户可以读取数据。请执行 chmod -R go= %s 后再启动", path, info.Mode().Perm(), dir)
		}
	}
	return nil
}

// makePrivate closes a data folder that is about to be used for the first time.
func makePrivate(dir string) error {
	if _, err := os.Stat(filepath.Join(dir, "data.db")); !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return errors.Join(os.MkdirAll(dir, 0o700), tighten(dir))
}

// listen serves, and beside it, where that is asked for, on a listener of IT's
// own.
func listen(se *core.ServeEvent, o Options) error {
	se.Server.MaxHeaderBytes = 32 << 10
	if o.Env == EnvProduction {
		se.InstallerFunc = nil // the first superuser is made by hospay superuser create
	}
	if o.Node != nil {
		se.Listener = o.Node.Listener(doorHTTP)
	}
	var l net.Listener
	if o.Admin != "" {
		var err error
		if l, err = o.door(doorAdmin, o.Admin); err != nil {
			return fmt.Errorf("--admin %s：%w", o.Admin, err)
		}
	}
	err := se.Next()
	if err == nil {
		err = behindEdge(se, o)
	}
	if l == nil || err != nil {
		if l != nil {
			err = errors.Join(err, l.Close())
		}
		return err
	}
	fmt.Printf("后台、设置、备份、日志只在 http://%s/_/\n", o.Admin)
	server := &http.Server{
		Handler: se.Server.Handler, MaxHeaderBytes: se.Server.MaxHeaderBytes, ErrorLog: log.New(noise{se.App}, "", 0),
		ReadTimeout: se.Server.ReadTimeout, WriteTimeout: se.Server.WriteTimeout, ReadHeaderTimeout: se.Server.ReadHeaderTimeout,
		BaseContext: func(net.Listener) context.Context { return kit.Admin(context.Background()) },
	}
	beside(se, server, "admin.listener", func() error { return server.Serve(l) })
	return nil
}

// noise is what net/http says of connections that broke.
type noise struct{ app core.App }

// Write implements io.Writer.
func (n noise) Write(p []byte) (int, error) {
	n.app.Logger().Debug(strings.TrimSpace(string(p)))
	return len(p), nil
}

// unconfirmed lists the addresses that are not HTTPS and that no two people have
// said to be right: those that were entered before this was asked for.
func unconfirmed(ctx context.Context, st *store.Store) (out []store.Address, err error) {
	all, err := st.Addresses()
	if err != nil {
		return nil, err
	}
	for _, a := range all {
		if a.Collection == collections.SMSConfigs || strings.HasPrefix(a.URL, "https://") {
			continue
		}
		two, err := st.ConfirmedByTwo(ctx, a)
		if err != nil {
			return nil, err
		}
		if !two {
			out = append(out, a)
		}
	}
	return out, nil
}

// refuseSimulators fails when one of the sides that are configured answers as a
// simulator, which has no place beside real money.
func refuseSimulators(ctx context.Context, st *store.Store) error {
	all, err := st.Addresses()
	if err != nil {
		return err
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(8)
	for _, a := range all {
		g.Go(func() error {
			if checkup.Simulated(ctx, a.URL) {
				return fmt.Errorf("%s：%s 是模拟器，生产环境拒绝使用", a.Institution, a.URL)
			}
			return nil
		})
	}
	return g.Wait()
}
