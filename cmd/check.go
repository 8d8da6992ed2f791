package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"hospay/centre"
	"hospay/channels"
	"hospay/collections"
	"hospay/deploy"
	"hospay/flow"
	"hospay/his"
	"hospay/his/samples"
	"hospay/internal/checkup"
	"hospay/internal/i18n"
	"hospay/money"
	"hospay/payment"

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
	if o.Now != nil {
		collections.SetClock(app, o.Now)
	}
	if err := o.program().Open(app); err != nil {
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
	cmd.AddCommand(&cobra.Command{
		Use: "alerts", Short: "打印自带的报警规则；改好后存为数据目录里的 alerts.yml，重启后按它报警", Args: cobra.NoArgs, SilenceUsage: true,
		Run: func(cmd *cobra.Command, _ []string) { fmt.Fprint(cmd.OutOrStdout(), deploy.Alerts) },
	})
	cmd.AddCommand(&cobra.Command{
		Use: "fields", Short: "列出每个渠道的设置和密钥：名称、默认值、含义", Args: cobra.NoArgs, SilenceUsage: true,
		Run: func(cmd *cobra.Command, _ []string) { printFields(cmd.OutOrStdout()) },
	})
	return cmd
}

// printFields writes what the channels read, as they describe it themselves.
func printFields(out io.Writer) {
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	defer w.Flush()
	for _, name := range channels.Names() {
		for _, f := range channels.Describe(name) {
			kind := string(f.Kind)
			if f.Secret {
				kind = "密钥"
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", name, f.Name, kind, f.Default, f.Label, f.Help)
		}
	}
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
			fmt.Fprintf(w, "✗\t%s\t%s\n", what, flow.WordsOf(err))
			return
		}
		fmt.Fprintf(w, "✓\t%s\t\n", what)
	}
	if err := reportAddresses(ctx, rt, report); err != nil {
		return err
	}
	if err := reportTests(ctx, rt, report); err != nil {
		return err
	}
	if _, err := alertRules(rt.App.DataDir()); err != nil {
		report("报警规则", err)
	}
	if err := collections.MissingArchives(rt.App); err != nil {
		report("归档文件", err)
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
		if i.GetString("service_phone") == "" { // they are served without, so it is no fault
			fmt.Fprintf(w, "!\t%s\t%s\n", name+"：服务电话", "没有填写，患者页面只能请人到窗口；请在系统配置 → 机构规则填写")
		}
		if err := reportNotices(ctx, rt, i.Id, name, report); err != nil {
			return err
		}
		_, _, err = rt.Store.HIS(ctx, i.Id)
		report(name+"：HIS", err)
		if c, err := rt.Store.CentreClient(ctx, i.Id); flow.CodeOf(err) != payment.CodeInsuranceOff { // a hospital may have none
			reportCentre(ctx, name, c, err, report)
		}
		configs, err := rt.App.FindRecordsByFilter(collections.ChannelConfigs, "institution = {:i} && active = true", "channel", 0, 0,
			map[string]any{"i": i.Id})
		if err != nil {
			return err
		}
		for _, c := range configs {
			conn, err := rt.Store.Connection(ctx, i.Id, c.GetString("channel"))
			report(name+"：渠道 "+c.GetString("channel"), err)
			if err == nil {
				reportChannel(ctx, name, c.GetString("channel"), conn, rt.now(), report)
			}
		}
	}
	if bad > 0 {
		return fmt.Errorf("%d 项需要处理", bad)
	}
	return nil
}

// reportAddresses looks, in production, at where requests go in the clear.
func reportAddresses(ctx context.Context, rt *Runtime, report func(string, error)) error {
	if !rt.Kit.Production {
		return nil
	}
	open, err := unconfirmed(ctx, rt.Store)
	for _, a := range open {
		report(a.Institution+"：地址 "+a.URL, errors.New("不是 https，也没有两个人确认过；请由配置人员在控制台“系统配置”重新提出，另一人确认"))
	}
	return err
}

// reportTests looks, in production, for an insurance that is booked in a test
// system.
func reportTests(ctx context.Context, rt *Runtime, report func(string, error)) error {
	if !rt.Kit.Production {
		return nil
	}
	tests, err := rt.Store.TestInsurances(ctx)
	for _, t := range tests {
		report(t.Name+"：医保测试环境", errors.New(t.Words()))
	}
	return err
}

// reportNotices looks at what patients are told on each event: the text, and a
// way in which it reaches them.
func reportNotices(ctx context.Context, rt *Runtime, institution, name string, report func(string, error)) error {
	faults, err := rt.Store.NoticeFaults(institution, func(via string) error { return rt.Store.CanSend(ctx, institution, via) })
	if err != nil {
		return err
	}
	for _, event := range slices.Sorted(maps.Keys(faults)) {
		report(name+"：通知 "+i18n.Text(i18n.Default, "notice."+string(event)+".title"), faults[event])
	}
	return nil
}

// reportCentre asks the insurance centre for an order that cannot exist.
func reportCentre(ctx context.Context, name string, c *centre.Client, err error, report func(string, error)) {
	report(name+"：医保中心", err)
	if err != nil {
		return
	}
	for _, s := range checkup.Centre(ctx, c).Steps {
		var wrong error
		if !s.OK {
			wrong = errors.New(s.Said)
		}
		report(name+"：医保中心 "+s.Name, wrong)
	}
}

// reportChannel asks the channel for a number that cannot exist, and looks at
// the days that its certificates have left.
func reportChannel(ctx context.Context, house, name string, conn channels.Channel, now time.Time, report func(string, error)) {
	for _, s := range checkup.Channel(ctx, conn).Steps {
		var err error
		if !s.OK {
			err = errors.New(s.Said)
		}
		report(house+"：渠道 "+name+" "+s.Name, err)
	}
	for _, c := range checkup.Certificates(name, conn, now) {
		if c.Days != nil && *c.Days < 30 {
			report(house+"：渠道 "+name+" "+c.Label, fmt.Errorf("%s 到期，还有 %d 天", c.Expires.Format(time.DateOnly), *c.Days))
		}
	}
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
	run.Flags().StringVar(&p.patient.No, "patient", "", "测试患者编号")
	run.Flags().StringVar(&p.patient.IDNo, "id-no", "", "测试患者证件号")
	run.Flags().StringVar(&p.patient.Name, "name", "", "测试患者姓名")
	run.Flags().Int64Var(&p.fen, "amount", 0, "退预交金并随即撤销的金额（分）；0 表示不做会动钱的调用")
	run.Flags().BoolVar(&p.tape.show, "show", false, "每个调用都显示发出和收到的内容（个人信息已遮盖）；不加时只显示没有成功的")
	cmd.AddCommand(run, hisSample())
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
	institution string
	patient     checkup.Patient
	fen         int64
	tape        tape
}

// samplesCommand is the part of the HIS commands that opens no data folder.
func samplesCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "his", Short: "HIS 对接"}
	cmd.AddCommand(hisSample())
	return cmd
}

func hisSample() *cobra.Command {
	return &cobra.Command{
		Use: "sample rest|soap-utf8|soap-gbk", Short: "打印一份完整的 HIS 映射样例", Args: cobra.ExactArgs(1), SilenceUsage: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			text, _, err := samples.Mapping(args[0])
			if err == nil {
				fmt.Fprint(cmd.OutOrStdout(), text)
			}
			return err
		},
	}
}

func (p *probe) run(ctx context.Context, rt *Runtime, out io.Writer) error {
	inst, err := p.find(rt)
	if err != nil {
		return err
	}
	p.tape.private = []string{p.patient.No, p.patient.IDNo, p.patient.Name}
	if rec, err := rt.App.FindFirstRecordByFilter(collections.HISConfigs, "institution = {:i}", map[string]any{"i": inst.Id}); err == nil {
		secrets, err := rt.Store.RecordSecrets(rec)
		if err != nil {
			return err
		}
		p.tape.private = append(p.tape.private, values(secrets)...)
	}
	rt.Store.HISTap = p.tape.hear
	conn, traits, err := rt.Store.HIS(ctx, inst.Id)
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	defer w.Flush()
	fmt.Fprintf(w, "机构\t%s\t可查询 %v，幂等 %v，可撤销 %v\n", inst.GetString("name"), traits.Queryable, traits.Idempotent, traits.Reversible)
	l := &checkup.List{Each: func(s checkup.Step) { printStep(w, s); p.tape.play(w, s.OK) }}
	card := l.Read(ctx, conn, p.patient)
	if card == "" {
		return errors.New("没有可用的就诊卡，后面的调用无法进行")
	}
	if p.fen > 0 {
		l.Move(ctx, conn, card, money.Fen(p.fen), rt.now())
	}
	l.Statement(ctx, conn, rt.Books.Today())
	if bills, ok := conn.(his.HIS); ok {
		printFeatures(w, bills.Features())
		l.Bills(ctx, bills, payment.Insured{PatientNo: p.patient.No, CardNo: card, IDType: "01", IDNo: p.patient.IDNo, Name: p.patient.Name},
			rt.Books.Today())
	}
	if n := l.Failed(); n > 0 {
		return fmt.Errorf("%d 个调用没有成功，请把报告交给 HIS 厂商", n)
	}
	return nil
}

// printFeatures says what of bills the mapping offers, and what follows where
// it does not.
func printFeatures(w io.Writer, all []his.Feature) {
	for _, f := range all {
		if f.Offered {
			fmt.Fprintf(w, "功能 %s\t已配置\t\n", f.Title)
			continue
		}
		fmt.Fprintf(w, "功能 %s\t未配置\t缺少 %s：%s\n", f.Title, strings.Join(f.Lacks, "、"), f.Without)
	}
}

func printStep(w io.Writer, s checkup.Step) {
	mark := "✓"
	if !s.OK {
		mark = "✗"
	}
	fmt.Fprintf(w, "%s %s\t%d ms\t%s\n", mark, s.Name, s.MS, s.Said)
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
