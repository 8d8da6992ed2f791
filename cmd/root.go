package cmd

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"hospay/collections"
	"hospay/internal/cluster"
	"hospay/internal/vault"
	"hospay/store"

	"github.com/kardianos/service"
	"github.com/pocketbase/pocketbase"
	pbcmd "github.com/pocketbase/pocketbase/cmd"
	"github.com/pocketbase/pocketbase/core"
	"github.com/spf13/cobra"
)

// defaultDir is the data folder when --dir names none.
const defaultDir = "hp_data"

// Execute runs the program with its arguments.
func Execute(ctx context.Context) error {
	keepPrivate()
	if len(os.Args) < 2 || os.Args[1] != "setup" { // which writes the file
		if err := loadEnvironment(os.Stderr); err != nil {
			return err
		}
	}
	if err := (Options{Env: os.Getenv(envName)}).known(); err != nil {
		return err
	}
	alone := &cobra.Command{Use: "hospay", SilenceErrors: true}
	alone.AddCommand(demoCommand(), simulateCommand(), healthCommand(), versionCommand(), vaultInitCommand(), reconcileCommand(),
		backupCommand(), restoreCommand(), serviceCommand(), setupCommand(), samplesCommand(), upgradeCommand(), edgeKeysCommand(),
		clusterKeysCommand(), clusterCommand())
	if isEdge(os.Args[1:]) {
		alone.AddCommand(edgeCommand())
	}
	if needsNoData(alone, os.Args[1:]) {
		return alone.ExecuteContext(ctx)
	}
	if err := secretFromFile(envSealing); err != nil {
		return err
	}
	app := NewApp("")
	var at listening
	var node *cluster.Node
	Mount(app, func() Options {
		o := FromEnvironment(app.DataDir())
		o.Admin, o.EdgeListen, o.Node = at.admin, at.edge, node
		return o
	}, nil)
	root := app.RootCmd
	root.Use = "hospay"
	root.Short = "预交金线上退款与医保移动支付"
	root.Version = version()
	root.SetContext(ctx)
	for _, c := range []*cobra.Command{demoCommand(), simulateCommand(), healthCommand(), versionCommand(), reconcileCommand(),
		backupCommand(), restoreCommand(), serviceCommand(), setupCommand(), upgradeCommand(), edgeKeysCommand(), clusterKeysCommand(),
		vaultCommand(app), configCommand(app), hisCommand(app), centreCommand(app), statsCommand(app), AuditCommand(app),
		pbcmd.NewSuperuserCommand(app), clusterCommand(), archiveCommand(app)} {
		root.AddCommand(c)
	}
	serve := serveCommand(app, &at)
	root.AddCommand(serve)
	if len(os.Args) > 1 && os.Args[1] == "serve" {
		if err := UseScripts(app); err != nil {
			fmt.Fprintln(os.Stderr, err)
			app.OnServe().BindFunc(func(e *core.ServeEvent) error {
				e.App.Logger().Error("scripts", "error", err)
				return e.Next()
			})
		}
	}
	node, err := at.lead(ctx, root, serve, app.DataDir())
	if err != nil || node == nil && at.name != "" {
		return err
	}
	if node == nil {
		return execute(app)
	}
	return errors.Join(execute(app), node.Leave())
}

// execute runs the command. A service of Windows is started and stopped by calls
// instead of signals.
func execute(app *pocketbase.PocketBase) error {
	if runtime.GOOS != "windows" || service.Interactive() {
		return app.Execute()
	}
	s, err := manager(service.Config{}, newManaged(app.Execute, func() error {
		end := func(e *core.TerminateEvent) error { return e.App.ClearBootstrap() }
		return app.OnTerminate().Trigger(&core.TerminateEvent{App: app}, end)
	}, os.Exit))
	if err != nil {
		return err
	}
	return s.Run()
}

// serveCommand is PocketBase's, with a listener for IT, one for the edge, and the
// node of a cluster.
func serveCommand(app *pocketbase.PocketBase, at *listening) *cobra.Command {
	c := pbcmd.NewServeCommand(app, os.Getenv(envName) != EnvDemo)
	if address := os.Getenv(envHTTP); address != "" {
		_ = c.PersistentFlags().Set("http", address) // what the command line says comes later
	}
	c.Flags().StringVar(&at.admin, "admin", os.Getenv(envAdmin), "后台、备份、设置和日志另用的监听地址，例如 127.0.0.1:8091；--http 的地址上就不再有它们")
	c.Flags().StringVar(&at.edge, "edge-listen", os.Getenv(envEdgeListen), "前置机接入的地址，例如 10.1.2.3:8443；密钥在 "+
		envEdgeKeys+" 的目录里；前置机自己用 serve --edge（见 docs/zh/安装.md）")
	at.flags(c)
	return c
}

// needsNoData reports whether the arguments name a command that opens no data
// folder, or one of its own: PocketBase's root command would open the default
// one first.
func needsNoData(alone *cobra.Command, args []string) bool {
	found, _, err := alone.Find(args)
	return err == nil && found != alone && found.Runnable()
}

// NewApp returns a PocketBase app with hospay's database settings. Whichever
// command opens the data folder, its migrations and guards are looked after
// first.
func NewApp(dir string) *pocketbase.PocketBase {
	if dir == "" {
		dir = dataDir()
	}
	app := pocketbase.NewWithConfig(pocketbase.Config{
		DefaultDataDir: dir, DefaultEncryptionEnv: envSealing, DBConnect: collections.Connect, HideStartBanner: os.Getenv(envName) == EnvDemo,
	})
	app.OnBootstrap().BindFunc(func(e *core.BootstrapEvent) error {
		if err := errors.Join(ownFolder(e.App.DataDir()), makePrivate(e.App.DataDir())); err != nil {
			return err
		}
		if err := e.Next(); err != nil {
			return err
		}
		keyChain(e.App, e.App.DataDir())
		store.TraceSuperusers(e.App)
		if err := backupFirst(e.App); err != nil {
			return err
		}
		return ThisProgram().Open(e.App)
	})
	return app
}

// keyChain gives an app the key of its audit log where the key file can be read:
// whatever a command does must be written down, too. A command that works without
// the file is refused by the log once it has something to write.
func keyChain(app core.App, dir string) {
	file, err := vault.ReadKeyFile(FromEnvironment(dir).KeyFile)
	if err != nil {
		return
	}
	if c, err := file.Chain(); err == nil {
		store.SetChain(app, c)
	}
}

func versionCommand() *cobra.Command {
	return &cobra.Command{Use: "version", Short: "显示版本", Args: cobra.NoArgs, Run: func(cmd *cobra.Command, _ []string) {
		fmt.Fprintln(cmd.OutOrStdout(), version())
	}}
}

// Release is what this program is: the newest section of the changelog, or the
// coming one with -dev, from the first change of the tables or the guards on.
const Release = "0.2.0-dev"

// ThisProgram is what this program brings to a data folder.
func ThisProgram() collections.Program {
	return collections.Program{Release: Release, Migrations: core.AppMigrations, Guards: collections.Guards(), Clock: time.Now,
		Record: store.GuardsInstalled}
}

// version names the release, the commit, the Go release and the PocketBase
// release.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "hospay " + Release
	}
	commit, pb := "dev", "?"
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			commit = s.Value[:min(len(s.Value), 12)]
		}
	}
	for _, d := range info.Deps {
		if d.Path == "github.com/pocketbase/pocketbase" {
			pb = d.Version
		}
	}
	return fmt.Sprintf("hospay %s (%s, %s, PocketBase %s)", Release, commit, info.GoVersion, pb)
}

// secretFromFile sets an environment variable from the file that the variable
// of the same name with _FILE names, unless it is set itself.
func secretFromFile(name string) error {
	path := os.Getenv(name + "_FILE")
	if path == "" || os.Getenv(name) != "" {
		return nil
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("%s_FILE 无法读取：%w", name, err)
	}
	return os.Setenv(name, strings.TrimSpace(string(data)))
}
