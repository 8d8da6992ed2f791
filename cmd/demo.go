package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"hospay/calendar"
	"hospay/internal/testday"
	"hospay/internal/vault"
	"hospay/lab/demo"
	"hospay/lab/invariant"
	"hospay/refund"
	"hospay/sim/all"
	"hospay/store"

	"github.com/pocketbase/pocketbase"
	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
	"github.com/spf13/cobra"
)

// demoFlags are the flags of the demo command.
type demoFlags struct {
	http, dir              string
	simPort, orders        int
	history                int // days
	seed                   int64
	once, seedOnly, extern bool
}

// errBroken makes the program exit with 1 after the report has been printed.
var errBroken = errors.New("有不变量被破坏，或有订单没有按剧本结束")

func demoCommand() *cobra.Command {
	var f demoFlags
	cmd := &cobra.Command{
		Use: "demo", Short: "启动模拟器和演示数据，按剧本走完一天，核对每一分钱", Args: cobra.NoArgs, SilenceUsage: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := errors.Join(refuseInProduction("demo"), testday.Check()); err != nil {
				return err
			}
			ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGINT, syscall.SIGTERM)
			defer stop()
			return f.run(ctx, cmd)
		},
	}
	cmd.Flags().StringVar(&f.http, "http", "127.0.0.1:8090", "服务地址")
	cmd.Flags().StringVar(&f.dir, "dir", "hp_demo", "演示数据目录")
	cmd.Flags().IntVar(&f.simPort, "sim-port", 9101, "模拟器的第一个端口")
	cmd.Flags().IntVar(&f.orders, "orders", 44, "至少多少笔订单")
	cmd.Flags().IntVar(&f.history, "history-days", 30, "今天之前写多少天的历史，0 = 不写")
	cmd.Flags().Int64Var(&f.seed, "seed", 1, "测试患者和存款的种子")
	cmd.Flags().BoolVar(&f.once, "once", false, "走完剧本、核对后退出：全部成立为 0，否则为 1")
	cmd.Flags().BoolVar(&f.seedOnly, "seed-only", false, "只准备数据目录")
	cmd.Flags().BoolVar(&f.extern, "external-sim", false, "使用已经运行的模拟器")
	return cmd
}

func (f demoFlags) run(ctx context.Context, cmd *cobra.Command) error {
	if err := f.prepareDir(); err != nil {
		return err
	}
	at, closeSims, err := f.simulators(ctx)
	if err != nil {
		return err
	}
	defer closeSims()
	app := NewApp(f.dir)
	if f.seedOnly {
		return f.seedOnlyRun(ctx, cmd, app, at)
	}
	rt, wait, err := f.serve(ctx, app, at)
	if err != nil {
		return err
	}
	defer wait()
	out := cmd.OutOrStdout()
	past, err := f.past(ctx, rt, at)
	if err != nil {
		return fmt.Errorf("历史没有写成：%w", err)
	}
	day := &demo.Day{API: demo.NewAPI("http://" + f.http), At: at, DB: app.ConcurrentDB(), Out: out, Orders: f.orders, Now: rt.now,
		Log: func(s string) { fmt.Fprintln(out, s) }}
	day.Date = rt.Books.Today()
	if err := day.Play(ctx); err != nil {
		return err
	}
	broken, err := f.verify(cmd, rt, day, past, at)
	if err != nil {
		return err
	}
	balanced, err := demoBooks(ctx, rt, day, past, out)
	if err != nil {
		return err
	}
	if f.once {
		if broken || !balanced {
			return errBroken
		}
		return nil
	}
	if err := day.Leave(ctx); err != nil {
		return err
	}
	fmt.Fprintf(out, "\n服务在运行：http://%s （后台 /_/ ，账号 %s 密码 %s）\n患者入口 %s ，他们手机上的短信 %s\n", f.http, demo.Superuser,
		demo.Password, at.Portal, at.SMS)
	if err := f.tellKiosk(rt, at, out); err != nil {
		return err
	}
	fmt.Fprintln(out, "按 Ctrl-C 结束")
	<-ctx.Done()
	return nil
}

// tellKiosk says where the demo's kiosk is, with a code to enter a browser as one.
func (f demoFlags) tellKiosk(rt *Runtime, at demo.Endpoints, out io.Writer) error {
	id, inst, err := demo.KioskID(rt.App)
	if err != nil {
		return err
	}
	code, until, err := rt.Store.KioskCode(id, store.AuditEntry{Institution: inst, ActorKind: "system", Actor: "demo"})
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "自助机 http://%s/kiosk/ ，设备码 %s（%s 前有效，之后在“系统配置—自助机”取），扫码口和读卡器的模拟器 %s/kiosk\n", f.http, code,
		until.In(calendar.Beijing).Format("15:04"), at.Portal)
	return nil
}

// prepareDir makes the demo's key file. A folder of an earlier demo starts
// again from nothing, unless its other sides still run.
func (f demoFlags) prepareDir() error {
	if err := errors.Join(os.MkdirAll(f.dir, 0o700), tighten(f.dir)); err != nil {
		return err
	}
	key := filepath.Join(f.dir, demoKey)
	_, err := os.Stat(key)
	fresh := errors.Is(err, os.ErrNotExist)
	if _, dataErr := os.Stat(filepath.Join(f.dir, "data.db")); fresh && dataErr == nil {
		return fmt.Errorf("%s 里有不属于演示的数据，换一个 --dir", f.dir)
	}
	if !fresh && !f.extern && !f.seedOnly {
		for _, name := range []string{"data.db", "data.db-wal", "data.db-shm", "auxiliary.db", "auxiliary.db-wal", "auxiliary.db-shm", "storage",
			"backups"} {
			if err := os.RemoveAll(filepath.Join(f.dir, name)); err != nil {
				return err
			}
		}
	}
	if fresh {
		return vault.NewKeyFile(vault.AlgSM4, true).Write(key)
	}
	return nil
}

// simulators starts the other sides, or finds those that run. Their keys are
// the same in every process, so a folder can be prepared before they run.
func (f demoFlags) simulators(ctx context.Context) (demo.Endpoints, func(), error) {
	at := demo.At("127.0.0.1", f.simPort)
	if f.extern {
		return at, func() {}, nil
	}
	o := all.Options{BasePort: f.simPort, Seed: f.seed, Ahead: testday.Ahead()}
	if f.history > 0 {
		o.Patients = historyPatients
	}
	if f.seedOnly {
		if c, err := net.DialTimeout("tcp", fmt.Sprintf("127.0.0.1:%d", f.simPort), time.Second); err == nil {
			c.Close() // they run already
			return at, func() {}, nil
		}
	}
	set, err := all.Start(ctx, o)
	if err != nil {
		return at, nil, fmt.Errorf("模拟器无法启动：%w", err)
	}
	return at, func() { _ = set.Close() }, nil
}

// historyPatients is how many people the demo's own simulators know, so that
// the history is not that of a few.
const historyPatients = 60

// past writes the days before today. It is for runs that play the day.
func (f demoFlags) past(ctx context.Context, rt *Runtime, at demo.Endpoints) (demo.Told, error) {
	h := demo.History{App: rt.App, Store: rt.Store, At: at, Review: f.settings().Review, Seed: f.seed, Days: f.history, Now: rt.now()}
	return h.Write(ctx)
}

func (f demoFlags) settings() demo.Settings {
	var rules []refund.Rule
	for _, r := range refund.DefaultRules() {
		switch r.Name {
		case refund.RuleMaxAmount:
			r.Limit = 20_000
		case refund.RuleOrdersToday:
			r.Count = 1000
		case refund.RuleNightHours, refund.RuleTopUpSoon, refund.RuleCardAge:
			continue // the demo runs at any hour
		}
		rules = append(rules, r)
	}
	return demo.Settings{PublicURL: "http://" + f.http, Review: refund.ReviewSettings{Auto: true, Rules: rules, SecondFrom: demo.SecondFrom}}
}

func (f demoFlags) seedOnlyRun(ctx context.Context, cmd *cobra.Command, app *pocketbase.PocketBase, at demo.Endpoints) error {
	rt, err := Prepare(app, FromEnvironment(f.dir))
	if err != nil {
		return err
	}
	if _, err := demo.Seed(ctx, rt.App, at, f.settings()); err != nil {
		return err
	}
	fmt.Fprintf(cmd.OutOrStdout(), "%s 已准备好：bin/hospay serve --http %s --dir %s\n", f.dir, f.http, f.dir)
	return app.ClearBootstrap()
}

// serve runs the program in this process and returns once it listens.
func (f demoFlags) serve(ctx context.Context, app *pocketbase.PocketBase, at demo.Endpoints) (*Runtime, func(), error) {
	if err := app.Bootstrap(); err != nil {
		return nil, nil, err
	}
	ready := make(chan *Runtime, 1)
	failed := make(chan error, 1)
	Mount(app, func() Options { o := FromEnvironment(f.dir); o.Env = EnvDemo; return o }, func(rt *Runtime) { ready <- rt })
	app.OnServe().BindFunc(func(se *core.ServeEvent) error {
		if _, err := demo.Seed(ctx, app, at, f.settings()); err != nil {
			return err
		}
		return se.Next()
	})
	go func() { failed <- apis.Serve(app, apis.ServeConfig{HttpAddr: f.http, ShowStartBanner: false}) }()
	stop := func() {
		event := new(core.TerminateEvent)
		event.App = app
		_ = app.OnTerminate().Trigger(event, func(e *core.TerminateEvent) error { return e.App.ClearBootstrap() })
	}
	select {
	case err := <-failed:
		return nil, nil, err
	case rt := <-ready:
		return rt, stop, f.listening(ctx, failed)
	}
}

func (f demoFlags) listening(ctx context.Context, failed chan error) error {
	api := demo.NewAPI("http://" + f.http)
	for range 200 {
		select {
		case err := <-failed:
			return err
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
		if api.Call(ctx, "GET", "/api/health", "", nil, nil) == nil {
			return nil
		}
	}
	return fmt.Errorf("服务没有在 %s 上应答", f.http)
}

// verify prints the day's table and compares all books.
func (f demoFlags) verify(cmd *cobra.Command, rt *Runtime, day *demo.Day, past demo.Told, at demo.Endpoints) (broken bool, err error) {
	out := cmd.OutOrStdout()
	if err := day.Table(out); err != nil {
		return false, err
	}
	if err := day.BillTable(out); err != nil {
		return false, err
	}
	if past.Orders > 0 {
		fmt.Fprintf(out, "\n%s\n", strings.Join(append([]string{past.Line()}, past.Planted...), "\n  · "))
	}
	books, err := invariant.Load(rt.App.ConcurrentDB())
	if err != nil {
		return false, err
	}
	ledgers, err := invariant.Fetch(invariant.One(at.HIS, at.Centre, at.WeChat, at.Alipay))
	if err != nil {
		return false, err
	}
	fmt.Fprintf(out, "\n%d 笔退款，%v\n%d 笔缴费，%v\n核对：%s\n", len(books.Orders), invariant.Summary(books), len(books.Payments),
		invariant.SummaryOfPayments(books), strings.Join(invariant.Names(), "，"))
	bad := day.Mismatches()
	for _, v := range invariant.Check(books, ledgers, true) {
		bad = append(bad, v.String())
	}
	for _, line := range bad {
		fmt.Fprintln(out, "✗ "+line)
	}
	if len(bad) == 0 {
		fmt.Fprintln(out, "✓ 全部成立：没有重复付款，没有少一分钱")
	}
	return len(bad) > 0, nil
}
