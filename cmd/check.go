package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"text/tabwriter"
	"time"

	"hospay/collections"
	"hospay/refund"

	"github.com/pocketbase/pocketbase"
	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
	"github.com/spf13/cobra"
)

// Prepare brings an app to where it would serve, without serving: migrations,
// store, hooks. Commands and tests use it.
func Prepare(app core.App, o Options) (*Runtime, error) {
	if !app.IsBootstrapped() {
		if err := app.Bootstrap(); err != nil {
			return nil, err
		}
	}
	if err := app.RunAllMigrations(); err != nil {
		return nil, err
	}
	router, err := apis.NewRouter(app)
	if err != nil {
		return nil, err
	}
	o.Idle = true
	return Assemble(&core.ServeEvent{App: app, Router: router}, o)
}

// configCommand checks what IT has entered.
func configCommand(app *pocketbase.PocketBase) *cobra.Command {
	cmd := &cobra.Command{Use: "config", Short: "配置检查"}
	cmd.AddCommand(&cobra.Command{
		Use: "check", Short: "检查密钥、机构、渠道和 HIS 的配置，逐项列出缺什么", Args: cobra.NoArgs, SilenceUsage: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			rt, err := Prepare(app, FromEnvironment(app.DataDir()))
			if err != nil {
				return err
			}
			return checkConfig(cmd.Context(), rt, cmd.OutOrStdout())
		},
	})
	return cmd
}

func checkConfig(ctx context.Context, rt *Runtime, out io.Writer) error {
	insts, err := rt.App.FindAllRecords(collections.Institutions)
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	defer w.Flush()
	bad := 0
	report := func(what string, err error) {
		if err != nil {
			bad++
			fmt.Fprintf(w, "✗\t%s\t%v\n", what, err)
			return
		}
		fmt.Fprintf(w, "✓\t%s\t\n", what)
	}
	if len(insts) == 0 {
		report("机构", errors.New("还没有机构，请在后台 institutions 中新建"))
	}
	for _, i := range insts {
		name := i.GetString("name")
		inst, err := rt.Store.Institution(ctx, i.Id)
		report(name+"：机构设置", err)
		if err == nil && inst.NoticeNo == "" {
			report(name+"：退款须知", errors.New("没有生效的须知，请在 notices 中新建并勾选 active"))
		}
		if err == nil && inst.Proxy.On && inst.Proxy.Consent == "" {
			report(name+"：亲友代办", errors.New("已开通，但没有生效的授权与隐私告知，请在 notices 中新建 kind = proxy 的一条并勾选 active"))
		}
		_, _, err = rt.Store.HIS(ctx, i.Id)
		report(name+"：HIS", err)
		configs, err := rt.App.FindRecordsByFilter(collections.ChannelConfigs, "institution = {:i} && active = true", "channel", 0, 0, map[string]any{"i": i.Id})
		if err != nil {
			return err
		}
		for _, c := range configs {
			_, err := rt.Store.Connection(ctx, i.Id, c.GetString("channel"))
			report(name+"：渠道 "+c.GetString("channel"), err)
		}
	}
	if bad > 0 {
		return fmt.Errorf("%d 项需要处理", bad)
	}
	return nil
}

// hisCommand probes a HIS.
func hisCommand(app *pocketbase.PocketBase) *cobra.Command {
	var p probe
	cmd := &cobra.Command{Use: "his", Short: "HIS 对接"}
	run := &cobra.Command{
		Use: "probe", Short: "用一位测试患者跑通 HIS 的全部调用，打印报告", Args: cobra.NoArgs, SilenceUsage: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			rt, err := Prepare(app, FromEnvironment(app.DataDir()))
			if err != nil {
				return err
			}
			return p.run(cmd.Context(), rt, cmd.OutOrStdout())
		},
	}
	run.Flags().StringVar(&p.institution, "institution", "", "机构代码；只有一家时可省略")
	run.Flags().StringVar(&p.patient, "patient", "", "测试患者编号")
	run.Flags().StringVar(&p.idNo, "id-no", "", "测试患者证件号")
	run.Flags().StringVar(&p.name, "name", "", "测试患者姓名")
	run.Flags().Int64Var(&p.fen, "amount", 0, "退预交金并随即撤销的金额（分）；0 表示不做会动钱的调用")
	cmd.AddCommand(run)
	return cmd
}

func healthCommand() *cobra.Command {
	var url string
	cmd := &cobra.Command{
		Use: "health", Short: "询问正在运行的服务是否就绪（供监控调用）", Args: cobra.NoArgs, SilenceUsage: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			client := &http.Client{Timeout: 5 * time.Second}
			res, err := client.Get(url + "/api/hospay/ready")
			if err != nil {
				return fmt.Errorf("服务没有应答：%w", err)
			}
			defer res.Body.Close()
			if res.StatusCode != http.StatusOK {
				return fmt.Errorf("服务未就绪（%d），原因见审核台或以员工身份查询 /api/hospay/ready", res.StatusCode)
			}
			fmt.Fprintln(cmd.OutOrStdout(), "就绪")
			return nil
		},
	}
	cmd.Flags().StringVar(&url, "url", "http://127.0.0.1:8090", "服务地址")
	return cmd
}

// probe runs every HIS call once and reports on each.
type probe struct {
	institution, patient, idNo, name string
	fen                              int64
	out                              *tabwriter.Writer
	failed                           int
}

func (p *probe) run(ctx context.Context, rt *Runtime, out io.Writer) error {
	inst, err := p.find(rt)
	if err != nil {
		return err
	}
	his, traits, err := rt.Store.HIS(ctx, inst.Id)
	if err != nil {
		return err
	}
	p.out = tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	defer p.out.Flush()
	fmt.Fprintf(p.out, "机构\t%s\t可查询 %v，幂等 %v，可撤销 %v\n", inst.GetString("name"), traits.Queryable, traits.Idempotent, traits.Reversible)
	card, err := p.read(ctx, his)
	if err != nil {
		return err
	}
	if p.fen > 0 && card != "" {
		p.move(ctx, his, card)
	}
	p.step("statement 对账明细", func() (string, error) {
		n := 0
		err := his.Statement(ctx, time.Now().In(refund.Beijing).Format(time.DateOnly), func(refund.StatementLine) error { n++; return nil })
		return fmt.Sprintf("今天 %d 行", n), err
	})
	if p.failed > 0 {
		return fmt.Errorf("%d 个调用没有成功，请把报告交给 HIS 厂商", p.failed)
	}
	return nil
}

func (p *probe) find(rt *Runtime) (*core.Record, error) {
	filter, params := "active = true", map[string]any{}
	if p.institution != "" {
		filter, params = "code = {:c}", map[string]any{"c": p.institution}
	}
	recs, err := rt.App.FindRecordsByFilter(collections.Institutions, filter, "", 2, 0, params)
	if err != nil {
		return nil, err
	}
	if len(recs) != 1 {
		return nil, errors.New("请用 --institution 指明机构代码")
	}
	return recs[0], nil
}

func (p *probe) step(name string, f func() (string, error)) {
	start := time.Now()
	said, err := f()
	took := time.Since(start).Round(time.Millisecond)
	if err != nil {
		p.failed++
		fmt.Fprintf(p.out, "✗ %s\t%s\t%v\n", name, took, err)
		return
	}
	fmt.Fprintf(p.out, "✓ %s\t%s\t%s\n", name, took, said)
}

func (p *probe) read(ctx context.Context, his refund.HISRecords) (card string, err error) {
	var person refund.Person
	p.step("person 患者信息", func() (string, error) {
		var err error
		person, err = his.Person(ctx, refund.Identity{PatientNo: p.patient, IDType: "01", IDNo: p.idNo, Name: p.name})
		return "查到", err
	})
	p.step("cards 就诊卡", func() (string, error) {
		cards, err := his.Cards(ctx, person)
		if len(cards) > 0 {
			card = cards[0].No
		}
		return fmt.Sprintf("%d 张", len(cards)), err
	})
	if card == "" {
		return "", errors.New("没有可用的就诊卡，后面的调用无法进行")
	}
	p.step("card 余额和预交金", func() (string, error) {
		c, err := his.Card(ctx, card)
		return fmt.Sprintf("余额 %s，可退 %s，%d 笔预交金", c.Balance, c.Refundable, len(c.Deposits)), err
	})
	return card, nil
}
