package cmd

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hospay/lab/bookgen"
	"hospay/reconcile"

	"github.com/spf13/cobra"
	"github.com/xuri/excelize/v2"
)

const reconDate = "2026-11-23"

// ran is what a run of the command left.
type ran struct {
	code        int
	out, stderr string
	err         error
	dir         string
}

// runReconcile runs the command over the files of a day; change spoils the
// arguments.
func runReconcile(t *testing.T, files bookgen.Files, change func(args []string) []string) ran {
	t.Helper()
	r := ran{dir: t.TempDir()}
	args := []string{"--date", reconDate, "--platform", files.Platform, "--his", files.HIS, "--out", filepath.Join(r.dir, "out.xlsx"),
		"--json", filepath.Join(r.dir, "out.json"), "--lines", filepath.Join(r.dir, "out.csv.gz")}
	for _, c := range files.Channels {
		args = append(args, "--channel", c)
	}
	if change != nil {
		args = change(args)
	}
	cmd := reconcileCommand()
	var out, stderr bytes.Buffer
	cmd.SetOut(&out)
	cmd.SetErr(&stderr)
	cmd.SetArgs(args)
	cmd.SilenceErrors = true
	r.err = cmd.Execute()
	r.code, _ = ExitCode(r.err)
	r.out, r.stderr = out.String(), stderr.String()
	return r
}

// left lists the files that the run wrote.
func (r ran) left(t *testing.T) string {
	t.Helper()
	list, err := os.ReadDir(r.dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range list {
		names = append(names, e.Name())
	}
	return strings.Join(names, " ")
}

func generated(t *testing.T, o bookgen.Options) bookgen.Files {
	t.Helper()
	o.Date = reconDate
	files, err := bookgen.Make(o).Write(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestReconcile_BalancedIsZero(t *testing.T) {
	r := runReconcile(t, generated(t, bookgen.Options{Seed: 1, Orders: 200, Noise: true}), nil)
	if r.code != 0 || r.err != nil || !strings.Contains(r.out, "三方一致，账平。") || r.stderr != "" {
		t.Errorf("%d %v\n%s%s", r.code, r.err, r.out, r.stderr)
	}
	if got := r.left(t); got != "out.csv.gz out.json out.xlsx" {
		t.Error(got)
	}
}

func TestReconcile_DifferencesAreTwo(t *testing.T) {
	r := runReconcile(t, generated(t, bookgen.Options{Seed: 1, Orders: 50, Each: 1}), nil)
	if code, tell := ExitCode(r.err); code != 2 || tell || !strings.Contains(r.out, "不平") || !strings.Contains(r.out, "HIS缺失") ||
		!strings.Contains(r.out, "长款") {
		t.Errorf("%d %v\n%s", code, tell, r.out)
	}
	data, err := os.ReadFile(filepath.Join(r.dir, "out.json"))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(data)), "\n")
	if len(lines) != len(bookgen.Names())+1 {
		t.Errorf("%d lines for %d plants", len(lines), len(bookgen.Names()))
	}
	var last struct {
		Summary struct {
			Date        string
			Differences map[string]int
		}
	}
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &last); err != nil || last.Summary.Date != reconDate {
		t.Errorf("%+v, %v", last, err)
	}
	want := map[string]int{}
	for _, p := range bookgen.Names() {
		want[p[1]]++
	}
	if fmt.Sprint(want) != fmt.Sprint(last.Summary.Differences) {
		t.Errorf("got %v, want %v", last.Summary.Differences, want)
	}
	book, err := excelize.OpenFile(filepath.Join(r.dir, "out.xlsx"))
	if err != nil {
		t.Fatal(err)
	}
	defer book.Close()
	if got := strings.Join(book.GetSheetList(), " "); got != "汇总 渠道汇总 差异明细 三方明细" {
		t.Error(got)
	}
}

func TestReconcile_SameResultTwice(t *testing.T) {
	files := generated(t, bookgen.Options{Seed: 2, Orders: 100, Each: 1, Noise: true})
	var first string
	for range 2 {
		r := runReconcile(t, files, nil)
		data, err := os.ReadFile(filepath.Join(r.dir, "out.json"))
		if err != nil {
			t.Fatal(err)
		}
		if first != "" && first != string(data) {
			t.Error("the second run says something else")
		}
		first = string(data)
	}
}

func TestReconcile_RejectsAreTwo(t *testing.T) {
	files := generated(t, bookgen.Options{Seed: 1, Orders: 20})
	f, err := os.OpenFile(files.HIS, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintln(f, "R1,B1,H1,C1,abc,transfer,wechat,succeeded,2026-11-23 10:00:00")
	f.Close()
	r := runReconcile(t, files, nil)
	data, err := os.ReadFile(filepath.Join(r.dir, "out.json"))
	if err != nil || r.code != 2 {
		t.Fatal(r.code, err)
	}
	if want := fmt.Sprintf(`{"reject":{"file":%q,"line":22,"reason":"金额 \"abc\" 无法识别"}}`, files.HIS); !strings.Contains(string(data), want) {
		t.Errorf("%s\nlacks %s", data, want)
	}
}

// TestReconcile_ErrorsAreOne: an error names file and line in Chinese, and a
// failed run writes nothing and leaves old results as they were.
func TestReconcile_ErrorsAreOne(t *testing.T) {
	files := generated(t, bookgen.Options{Seed: 1, Orders: 20})
	set := func(flag, value string) func([]string) []string {
		return func(args []string) []string {
			for i, a := range args {
				if a == flag {
					args[i+1] = value
					break
				}
			}
			return args
		}
	}
	broken := filepath.Join(t.TempDir(), "坏账单.csv")
	data, err := os.ReadFile(files.Channels[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(broken, bytes.Replace(data, []byte("支出金额\r\n`"), []byte("支出金额\r\n`9"), 1), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		change func([]string) []string
		want   string
	}{
		{"账单合计不对", set("--channel", broken), "坏账单.csv 第 "},
		{"平台文件不存在", set("--platform", "nowhere.csv"), "nowhere.csv 打不开：文件或目录不存在"},
		{"平台文件是目录", set("--platform", t.TempDir()), "不是文件"},
		{"把账单当平台文件", set("--platform", files.Channels[0]), "找不到表头"},
		{"把平台文件当账单", set("--channel", files.Platform), "找不到微信或支付宝账单的表头"},
		{"别日的账单", set("--date", "2026-11-25"), "日期"},
		{"日期写错", set("--date", "20261123"), "yyyy-MM-dd"},
		{"缺少参数", set("--his", ""), "缺少参数 --his"},
		{"窗口太大", func(a []string) []string { return append(a, "--day-cut-window", "13h") }, "12 小时"},
		{"时差为负", func(a []string) []string { return append(a, "--time-tolerance", "-1h") }, "不能为负"},
		{"不认识的参数", func(a []string) []string { return append(a, "--nope") }, "参数不对"},
		{"结果覆盖输入", set("--out", files.HIS), "会把它覆盖"},
		{"结果目录不存在", set("--lines", "/nowhere/x.csv.gz"), "写不出来"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := runReconcile(t, files, c.change)
			code, tell := ExitCode(r.err)
			if code != 1 || !tell || !strings.Contains(r.err.Error(), c.want) {
				t.Errorf("%d %v", code, r.err)
			}
			if left := r.left(t); left != "" {
				t.Errorf("left behind: %s", left)
			}
		})
	}
}

func TestReconcile_FailedRunKeepsTheOldResult(t *testing.T) {
	files := generated(t, bookgen.Options{Seed: 1, Orders: 20})
	old := filepath.Join(t.TempDir(), "old.xlsx")
	if err := os.WriteFile(old, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	r := runReconcile(t, files, func(args []string) []string { return append(args, "--out", old, "--json", "/nowhere/x") })
	if data, err := os.ReadFile(old); err != nil || string(data) != "old" || r.code != 1 {
		t.Errorf("%d %q %v", r.code, data, err)
	}
}

func TestReconcile_SameFileTwiceCountsOnce(t *testing.T) {
	files := generated(t, bookgen.Options{Seed: 3, Orders: 50})
	data, err := os.ReadFile(files.Channels[0])
	if err != nil {
		t.Fatal(err)
	}
	again := filepath.Join(t.TempDir(), "renamed.csv")
	if err := os.WriteFile(again, data, 0o600); err != nil {
		t.Fatal(err)
	}
	files.Channels = append(files.Channels, again)
	if r := runReconcile(t, files, nil); r.code != 0 || !strings.Contains(r.out, "renamed.csv与前面的渠道账单内容相同") {
		t.Errorf("%d %v\n%s", r.code, r.err, r.out)
	}
}

func TestReconcile_ForgottenBillIsSaid(t *testing.T) {
	files := generated(t, bookgen.Options{Seed: 3, Orders: 50})
	files.Channels = files.Channels[:3]
	if r := runReconcile(t, files, nil); !strings.Contains(r.out, "没有给支付宝的账单") {
		t.Errorf("%d\n%s", r.code, r.out)
	}
}

func TestReconcile_NeedsNoDataFolder(t *testing.T) {
	alone := &cobra.Command{Use: "hospay"}
	alone.AddCommand(reconcileCommand())
	if !needsNoData(alone, []string{"reconcile", "--date", reconDate, "--platform", "p.csv"}) {
		t.Error("reconcile would open the data folder")
	}
}

// TestReadAll_TheFirstFileThatFailsIsTold, however many others fail beside it,
// and whichever of them ends first.
func TestReadAll_TheFirstFileThatFailsIsTold(t *testing.T) {
	files := generated(t, bookgen.Options{Seed: 3, Orders: 3000})
	dir := t.TempDir()
	for i := range files.Channels {
		files.Channels[i] = filepath.Join(dir, fmt.Sprintf("bad%d.csv", i))
		if err := os.WriteFile(files.Channels[i], fmt.Appendf(nil, "没有表头 %d\n", i), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for range 20 {
		if r := runReconcile(t, files, nil); r.code != 1 || !strings.Contains(fmt.Sprint(r.err), "bad0.csv") || r.left(t) != "" {
			t.Fatalf("%d %v %s", r.code, r.err, r.left(t))
		}
	}
	data, err := os.ReadFile(files.HIS)
	if err != nil {
		t.Fatal(err)
	}
	files.HIS = filepath.Join(dir, "his.csv") // fails at its very end, long after the bills
	if err := os.WriteFile(files.HIS, append(data, strings.Repeat("x", 300<<10)...), 0o600); err != nil {
		t.Fatal(err)
	}
	if r := runReconcile(t, files, nil); r.code != 1 || !strings.Contains(fmt.Sprint(r.err), "his.csv 第 3002 行：一行超过") {
		t.Errorf("%d %v", r.code, r.err)
	}
}

func TestReadOne_PanicsBecomeErrors(t *testing.T) {
	engine, err := reconcile.New(reconcile.Defaults(reconDate))
	if err != nil {
		t.Fatal(err)
	}
	j := &reconcileJob{opt: reconcile.Defaults(reconDate)}
	in := &input{name: "his.csv"}
	err = j.readOne(&reading{in: in, book: reconcile.HIS, lines: engine.Feeder()}, 1, nil) // no progress to tell
	if err == nil || !strings.Contains(err.Error(), "内部错误") {
		t.Error(err)
	}
}
