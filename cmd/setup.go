package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"hospay/config"

	"github.com/pocketbase/pocketbase/core"
	"github.com/spf13/cobra"
)

// setupCommand leads the first installation from nothing to checks that are all
// green. It looks at what is there, so it can be left at any question and run
// again.
func setupCommand() *cobra.Command {
	var dir, answers string
	var page bool
	cmd := &cobra.Command{
		Use: "setup", Short: "首次安装，一步一步问：可随时离开，下次从没做完的一步继续", Args: cobra.NoArgs, SilenceUsage: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if dir != "" {
				if err := os.Setenv(envDir, dir); err != nil {
					return err
				}
			}
			a, err := newAsker(cmd.InOrStdin(), cmd.OutOrStdout(), answers)
			if err != nil {
				return err
			}
			return setUp(cmd.Context(), a, page)
		},
	}
	cmd.Flags().StringVar(&dir, "dir", "", "数据目录")
	cmd.Flags().StringVar(&answers, "answers", "", "答案文件（JSON）：不再提问；@路径 表示取文件内容")
	cmd.Flags().BoolVar(&page, "page", false, "只做设置文件、密钥和后台账号，其余在后台的网页上做")
	return cmd
}

// wizard is a setup that is under way.
type wizard struct {
	*asker
	rt        *Runtime
	settings  *config.Service
	superuser string       // its id
	house     *core.Record // the institution
}

// step is one part of the setup. done says what is there already.
type step struct {
	title string
	done  func(*wizard) (string, error)
	run   func(context.Context, *wizard) error
}

func steps() []step {
	return []step{
		{"后台账号（信息科）", doneSuperuser, runSuperuser},
		{"机构", doneHouse, runHouse},
		{"员工账号", doneStaff, runStaff},
		{"渠道：微信支付", doneChannel("wechat"), runChannel("wechat")},
		{"渠道：支付宝", doneChannel("alipay"), runChannel("alipay")},
		{"HIS", doneHIS, runHIS},
		{"审核规则、退款须知、通知", doneTexts, runTexts},
	}
}

func setUp(ctx context.Context, a *asker, page bool) error {
	fmt.Fprintln(a.out, "hospay 首次安装。每一步都可以按 Ctrl-D 离开，再次运行从没做完的一步继续。")
	total := len(steps()) + 2
	fmt.Fprintf(a.out, "\n—— 1/%d 设置文件、密钥文件、数据目录\n", total)
	if err := a.place(); err != nil {
		return err
	}
	w := &wizard{asker: a}
	app, err := w.open()
	if err != nil {
		return err
	}
	defer func() {
		_ = app.OnTerminate().Trigger(&core.TerminateEvent{App: app}, func(e *core.TerminateEvent) error { return e.App.ClearBootstrap() })
	}()
	all := steps()
	if page {
		all = all[:1]
	}
	if err := w.steps(ctx, all, 2, total); err != nil {
		return err
	}
	if rest := a.unused(); len(rest) > 0 && a.from == nil {
		return fmt.Errorf("答案文件里这些没有用到，可能写错了名称或步骤已经做过：%s", strings.Join(rest, "、"))
	}
	if page {
		fmt.Fprintf(a.out, "\n接下来：启动服务（hospay service install，hospay service start），用后台账号打开 http://%s/_/#/hospay-setup，其余各步在网页上做。\n",
			adminAddress())
		return nil
	}
	fmt.Fprintf(a.out, "\n—— %d/%d 检查\n", total, total)
	return w.finish(ctx)
}

// adminAddress is where IT's pages are.
func adminAddress() string {
	if address := os.Getenv(envAdmin); address != "" {
		return address
	}
	return os.Getenv(envHTTP)
}

// steps goes through those steps that are not done yet; the first is number n.
func (w *wizard) steps(ctx context.Context, all []step, n, total int) error {
	for i, s := range all {
		fmt.Fprintf(w.out, "\n—— %d/%d %s\n", i+n, total, s.title)
		have, err := s.done(w)
		if err != nil {
			return err
		}
		if have != "" {
			fmt.Fprintf(w.out, "✓ 已有：%s\n", have)
			continue
		}
		if err := s.run(ctx, w); err != nil {
			return err
		}
	}
	return nil
}

// open brings the data folder to where it would serve. While a service works in
// it nothing is set up beside.
func (w *wizard) open() (core.App, error) {
	app := NewApp(dataDir())
	o := FromEnvironment(app.DataDir())
	rt, err := Prepare(app, o)
	if err != nil {
		return nil, err
	}
	if err := alone(app); err != nil {
		return nil, errors.Join(errors.New("请先停止服务（hospay service stop），再运行 hospay setup"), err)
	}
	w.rt, w.settings = rt, &config.Service{App: app, Store: rt.Store, Production: o.Env == EnvProduction}
	return app, nil
}

// save writes a record as a superuser does in the dashboard, with the same checks
// and traces.
func (w *wizard) save(rec *core.Record) error {
	err := w.rt.App.RunInTransaction(func(tx core.App) error {
		return w.settings.Dashboard(tx, rec, w.superuser, "setup", func() error { return tx.Save(rec) })
	})
	w.rt.Store.Forget()
	return err
}

// fresh is a new record of the institution.
func (w *wizard) fresh(collection string) (*core.Record, error) {
	c, err := w.rt.App.FindCachedCollectionByNameOrId(collection)
	if err != nil {
		return nil, err
	}
	rec := core.NewRecord(c)
	if w.house != nil {
		rec.Set("institution", w.house.Id)
	}
	return rec, nil
}

// finish runs the checks and says what comes next.
func (w *wizard) finish(ctx context.Context) error {
	err := checkConfig(ctx, w.rt, w.out)
	if err != nil {
		fmt.Fprintf(w.out, "\n%v：每一项的原因和做法见 docs/zh/故障处理.md。处理后运行 hospay config check 再看。\n", err)
	} else {
		fmt.Fprintln(w.out, "\n检查全部通过。")
	}
	next(w.out)
	return err
}

func next(out io.Writer) {
	fmt.Fprintf(out, "接下来：\n"+
		"1. hospay service install，hospay service start；前面放 nginx（样例 deploy/nginx.conf）。\n"+
		"2. 每位员工用初始密码登录控制台 /staff/，改密码，绑定手机动态口令。\n"+
		"3. 给自己退 1 元：在本院门户用本人就诊卡申请 1 元退款，审核员批准，看到 HIS 扣减、微信或支付宝到账，第二天对账平。\n"+
		"4. 密钥文件另存一份到保险柜；配好每晚备份（%s），用 hospay backup 做第一份。\n", envBackups)
}
