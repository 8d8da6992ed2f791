package cmd

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"time"

	"hospay/calendar"
	"hospay/money"
	"hospay/reconcile"
	"hospay/reconcile/files"
	"hospay/report"

	"github.com/spf13/cobra"
)

// Exit statuses of reconcile beside 0: the books balance.
const (
	exitError       = 1
	exitDifferences = 2
)

// Garbage collection: little books need hardly any, and big ones must not pile
// up garbage beside the millions of lines that stay.
const (
	gcLittle  = 400
	gcBig     = 40
	bigInputs = 100 << 20
)

// exitStatus is an error that only sets the exit status; all was said already.
type exitStatus int

// Error names the status.
func (e exitStatus) Error() string { return fmt.Sprintf("exit status %d", int(e)) }

// ExitCode is the exit status of the process for an error of Execute, and
// whether the error still has to be told.
func ExitCode(err error) (code int, tell bool) {
	var status exitStatus
	switch {
	case err == nil:
		return 0, false
	case errors.As(err, &status):
		return int(status), false
	}
	return exitError, true
}

// reconcileJob is a run of `hospay reconcile`.
type reconcileJob struct {
	opt              reconcile.Options
	platform, his    string
	channels         []string
	out, json, lines string
	unit             string
	types            []string
	words, sign      string
	table            files.Options
	stdout, stderr   io.Writer
	result           report.Recon
	bar              *progress
	started          time.Time
}

// reconcileCommand compares three books from files alone.
func reconcileCommand() *cobra.Command {
	j := &reconcileJob{opt: reconcile.Defaults("")}
	cmd := &cobra.Command{
		Use: "reconcile --date 日期 --platform 文件 --channel 文件… --his 文件 --out 结果.xlsx", Short: "三方对账：只用文件核对平台、渠道账单和 HIS",
		Long: "三方对账：逐笔核对平台、渠道账单和 HIS，不需要数据目录和网络。\n渠道账单用渠道下载的原始文件；平台和 HIS 用 CSV 或 XLSX。\n退出码：0 平，2 有差异或无法识别的行，1 出错。",
		Args: cobra.NoArgs, SilenceUsage: true,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			defer func() {
				if p := recover(); p != nil {
					err = fmt.Errorf("对账程序内部错误，没有产生结果：%v", p)
				}
			}()
			j.stdout, j.stderr = cmd.OutOrStdout(), cmd.ErrOrStderr()
			return j.run()
		},
	}
	cmd.SetFlagErrorFunc(func(_ *cobra.Command, err error) error {
		return fmt.Errorf("参数不对：%w（用 --help 看用法）", err)
	})
	f := cmd.Flags()
	f.StringVar(&j.opt.Day, "date", "", "对账日期 yyyy-MM-dd（北京时间）")
	f.StringVar(&j.platform, "platform", "", "平台明细（CSV 或 XLSX）")
	f.StringArrayVar(&j.channels, "channel", nil, "渠道账单，可重复：微信资金账单、交易账单（CSV、CSV.gz），支付宝账务明细、业务明细（ZIP）")
	f.StringVar(&j.his, "his", "", "HIS 明细（CSV 或 XLSX）")
	f.StringVar(&j.out, "out", "", "结果工作簿（XLSX）")
	f.StringVar(&j.json, "json", "", "差异和汇总，每行一个 JSON")
	f.StringVar(&j.lines, "lines", "", "全部明细（CSV.gz）")
	f.StringVar(&j.unit, "unit", "", "编制单位，印在表头")
	f.DurationVar(&j.opt.Tolerance, "time-tolerance", j.opt.Tolerance, "各方时间相差多久以内不算差异；0 为只比业务日")
	f.DurationVar(&j.opt.Window, "day-cut-window", j.opt.Window, "零点前后多久以内可能记在相邻日")
	f.StringSliceVar(&j.types, "types", nil, "账单中属于退款和转账的业务类型所含的字，逗号分隔，代替默认的："+strings.Join(reconcile.DefaultTypes(), ","))
	f.StringSliceVar(&j.opt.Prefixes, "own-prefix", nil, "本系统商户单号的开头，逗号分隔；商户号与其他业务共用时，别的开头算其他业务")
	f.StringVar(&j.words, "words", "", "词表：每行“对方的词=意思”，如 完结=成功、WXP=微信")
	f.StringVar(&j.sign, "his-sign", "auto", "HIS 表里退款的金额：negative 负数（正数不是退款），positive 正数（负数是冲正），auto 按单号自动判断")
	return cmd
}

func (j *reconcileJob) run() error {
	if err := j.check(); err != nil {
		return err
	}
	j.started = time.Now()
	defer debug.SetGCPercent(debug.SetGCPercent(100))
	j.opt.Folder = filepath.Dir(j.out)
	engine, err := reconcile.New(j.opt)
	if err != nil {
		return err
	}
	defer engine.Close()
	if err := j.read(engine); err != nil {
		return err
	}
	j.result.Unit, j.result.Printed = j.unit, j.started.In(calendar.Beijing).Format("2006-01-02 15:04")
	if err := j.write(); err != nil {
		return err
	}
	j.print()
	if j.result.Result.Summary.Total() > 0 || len(j.result.Rejects) > 0 {
		return exitStatus(exitDifferences)
	}
	return nil
}

// check looks at the arguments.
func (j *reconcileJob) check() error {
	for _, f := range []struct {
		name, value string
	}{{"--date", j.opt.Day}, {"--platform", j.platform}, {"--channel", strings.Join(j.channels, "")}, {"--his", j.his}, {"--out", j.out}} {
		if f.value == "" {
			return fmt.Errorf("缺少参数 %s（用 --help 看用法）", f.name)
		}
	}
	if _, err := time.Parse(time.DateOnly, j.opt.Day); err != nil {
		return fmt.Errorf("--date 应为 yyyy-MM-dd，不能是 %q", j.opt.Day)
	}
	if j.opt.Window < 0 || j.opt.Window > 12*time.Hour {
		return errors.New("--day-cut-window 应在 0 到 12 小时之间")
	}
	if j.opt.Tolerance < 0 {
		return errors.New("--time-tolerance 不能为负")
	}
	if len(j.types) > 0 {
		j.opt.Types = j.types
	}
	var ok bool
	if j.table.Sign, ok = files.SignOf(j.sign); !ok {
		return errors.New("--his-sign 应为 auto、negative 或 positive")
	}
	j.table.Strict = true
	if j.words != "" {
		var err error
		if j.table.Words, err = readWords(j.words); err != nil {
			return err
		}
	}
	return j.checkPaths()
}

// checkPaths sees that no result is written over an input or another result.
func (j *reconcileJob) checkPaths() error {
	seen := map[string]bool{}
	for _, path := range append([]string{j.platform, j.his, j.words}, j.channels...) {
		seen[absolute(path)] = path != ""
	}
	for _, path := range []string{j.out, j.json, j.lines} {
		if path != "" && seen[absolute(path)] {
			return fmt.Errorf("结果文件 %s 与另一个文件同名，会把它覆盖", path)
		}
		seen[absolute(path)] = true
	}
	return nil
}

func absolute(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return filepath.Clean(path)
}

// print writes the summary for people.
func (j *reconcileJob) print() {
	s, w := &j.result.Result.Summary, j.stdout
	row := func(name string, count int, sum money.Fen) {
		fmt.Fprintf(w, "  %s%10d 笔 %16s 元\n", padded(name, 28), count, sum.Yuan())
	}
	fmt.Fprintf(w, "三方对账 %s\n\n", s.Day)
	for _, b := range reconcile.Books {
		row(b.Chinese()+"成功退款", s.Books[b].Count, s.Books[b].Amount)
	}
	for _, c := range []struct {
		name string
		sum  reconcile.Sum
	}{{"没有账单、只核对平台与 HIS", s.Unbilled}, {"账单中的其他业务", s.Other}, {"其他日期的记录", j.aside()}} {
		if c.sum.Count > 0 {
			row(c.name, c.sum.Count, c.sum.Amount)
		}
	}
	fmt.Fprintf(w, "\n订单 %d 笔，一致 %d 笔%s，差异 %d 笔，无法识别的行 %d 行\n", s.Orders, s.Matched, idle(s), s.Total(), len(j.result.Rejects))
	for _, k := range reconcile.Kinds() {
		if n := s.Differences[k]; n > 0 {
			fmt.Fprintf(w, "  %s%10d 笔\n", padded(k.Chinese(), 28), n)
		}
	}
	if s.Overage != 0 || s.Shortage != 0 {
		fmt.Fprintf(w, "长款 %s 元，短款 %s 元\n", s.Overage.Yuan(), s.Shortage.Yuan())
	}
	for _, n := range j.result.Notes {
		fmt.Fprintf(w, "注意：%s\n", n)
	}
	verdict := "三方一致，账平。"
	if s.Total() > 0 || len(j.result.Rejects) > 0 {
		verdict = "不平，逐笔见差异明细。"
	}
	fmt.Fprintf(w, "%s结果在 %s\n", verdict, j.out)
}

// idle says how many of the orders that agree have moved no money.
func idle(s *reconcile.Summary) string {
	if s.Idle == 0 {
		return ""
	}
	return fmt.Sprintf("（其中 %d 笔失败或处理中，没有动钱）", s.Idle)
}

// padded fills a text up to a width on the terminal, where a Chinese character
// takes two places.
func padded(s string, width int) string {
	for _, r := range s {
		if width--; r > 0x2e7f {
			width--
		}
	}
	return s + strings.Repeat(" ", max(0, width))
}

func (j *reconcileJob) aside() (sum reconcile.Sum) {
	for _, s := range j.result.Result.Summary.SetAside {
		sum.Count += s.Count
		sum.Amount += money.Fen(s.Amount)
	}
	return sum
}

// write writes all results to temporary files first, so that a failed run
// leaves none behind and an old result stays until the new one is whole.
func (j *reconcileJob) write() (err error) {
	outputs := []struct {
		path  string
		write func(io.Writer) error
	}{
		{j.out, func(w io.Writer) error { return report.Write(w, j.result.Sheets()...) }},
		{j.json, j.result.WriteJSON},
		{j.lines, j.result.WriteLines},
	}
	var temps [][2]string
	defer func() {
		for _, t := range temps {
			os.Remove(t[0])
		}
	}()
	for _, o := range outputs {
		if o.path == "" {
			continue
		}
		temp, err := writeTemp(o.path, o.write)
		if temp != "" {
			temps = append(temps, [2]string{temp, o.path})
		}
		if err != nil {
			return fmt.Errorf("%s 写不出来：%w", o.path, err)
		}
	}
	for _, t := range temps {
		if err := os.Rename(t[0], t[1]); err != nil {
			return fmt.Errorf("%s 写不出来：%w", t[1], err)
		}
	}
	return nil
}
