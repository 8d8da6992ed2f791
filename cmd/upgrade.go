package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"hospay/backup"
	"hospay/calendar"
	"hospay/collections"
	"hospay/internal/checkup"
	"hospay/internal/cluster"

	"github.com/pocketbase/pocketbase/core"
	"github.com/spf13/cobra"
)

// upgradeCommand says what the first start of this program will do to a data
// folder, by doing it to a copy.
func upgradeCommand() *cobra.Command {
	var dir, temp string
	cmd := &cobra.Command{Use: "upgrade", Short: "升级"}
	check := &cobra.Command{
		Use: "check", Short: "用新程序在数据库的副本上预演升级：改什么、多久、要多少空间；服务不必停，不改原数据", Args: cobra.NoArgs, SilenceUsage: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return checkUpgrade(cmd.Context(), cmd.OutOrStdout(), dir, temp)
		},
	}
	check.Flags().StringVar(&dir, "dir", dataDir(), "数据目录")
	check.Flags().StringVar(&temp, "temp", "", "副本放在哪里（与数据库一样大），默认是数据目录旁边")
	cmd.AddCommand(check)
	return cmd
}

func checkUpgrade(ctx context.Context, out io.Writer, dir, temp string) (err error) {
	if err := ownFolder(dir); err != nil {
		return err
	}
	size, err := databaseSize(dir)
	if err != nil {
		return fmt.Errorf("%s 不是数据目录：%w", dir, err)
	}
	if temp == "" {
		temp = filepath.Dir(filepath.Clean(dir))
	}
	if err := roomFor(temp, 2*size, "副本"); err != nil {
		return err
	}
	work, err := os.MkdirTemp(temp, "hospay-upgrade-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()
	if err := backup.Copy(ctx, dir, work); err != nil {
		return err
	}
	if _, err := backupKeys(dir); err != nil {
		return err // the installation of guards is written into the audit log, which wants the key
	}
	return rehearse(out, dir, work, size)
}

// rehearse upgrades the copy and tells what that was.
func rehearse(out io.Writer, dir, work string, size int64) error {
	app := core.NewBaseApp(core.BaseAppConfig{DataDir: work, EncryptionEnv: envSealing, DBConnect: collections.Connect})
	defer func() { _ = app.ClearBootstrap() }()
	if err := app.Bootstrap(); err != nil {
		return err
	}
	p := ThisProgram()
	pending, err := p.Pending(app)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "数据目录 %s（数据库 %s）由 %s 或更新的程序打开；当前程序是 %s\n", dir, megabytes(size), pending.Needs, Release)
	if len(pending.Files) == 0 && !pending.Guards {
		fmt.Fprintln(out, "没有要改的表和守卫：换上程序重新启动即可。")
		return nil
	}
	keyChain(app, dir)
	before, err := shape(app)
	if err != nil {
		return err
	}
	clock := p.Clock
	start := clock()
	if err := p.Open(app); err != nil {
		return fmt.Errorf("在副本上升级没有成功，原数据没有动；请把这一行交给技术支持：%w", err)
	}
	took := clock().Sub(start)
	after, err := shape(app)
	if err != nil {
		return err
	}
	if _, err := app.NonconcurrentDB().NewQuery("PRAGMA wal_checkpoint(TRUNCATE)").Execute(); err != nil {
		return err
	}
	grown, err := databaseSize(work)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "将执行 %d 个迁移：%s\n", len(pending.Files), strings.Join(pending.Files, "、"))
	tellShape(out, before, after)
	if pending.Guards {
		fmt.Fprintln(out, "触发器和访问规则换成新程序的（审计日志记 guards.installed）")
	}
	need := 2*size + 2*max(grown, size)
	fmt.Fprintf(out, "在副本上预演：用时 %s，数据库 %s → %s。升级期间服务停止这么久，再加升级前的自动备份。\n", took.Round(time.Millisecond), megabytes(size),
		megabytes(grown))
	if err := roomFor(dir, need, "升级和升级前的备份"); err != nil {
		return err
	}
	fmt.Fprintf(out, "数据盘空间足够（需要约 %s）。可以升级：停服务，换程序，启动。不能退回旧程序；要退回，用升级前的自动备份恢复。\n", megabytes(need))
	return nil
}

// shape is every table with its fields.
func shape(app core.App) (map[string][]string, error) {
	all, err := app.FindAllCollections()
	out := map[string][]string{}
	for _, c := range all {
		out[c.Name] = c.Fields.FieldNames()
	}
	return out, err
}

// tellShape says what is in the tables of after and not in those of before, and
// the other way round.
func tellShape(out io.Writer, before, after map[string][]string) {
	var lines []string
	for name, fields := range after {
		old, was := before[name]
		if !was {
			lines = append(lines, "新表 "+name)
			continue
		}
		if added := without(fields, old); len(added) > 0 {
			lines = append(lines, name+" 新增字段 "+strings.Join(added, "、"))
		}
		if gone := without(old, fields); len(gone) > 0 {
			lines = append(lines, name+" 去掉字段 "+strings.Join(gone, "、"))
		}
	}
	for name := range before {
		if _, is := after[name]; !is {
			lines = append(lines, "去掉表 "+name)
		}
	}
	slices.Sort(lines)
	for _, line := range lines {
		fmt.Fprintln(out, "  "+line)
	}
}

func without(list, those []string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(s string) bool { return slices.Contains(those, s) })
}

func databaseSize(dir string) (int64, error) {
	if cluster.Member(dir) {
		return folderSize(filepath.Join(dir, cluster.Folder))
	}
	var sum int64
	for _, name := range []string{"data.db", "auxiliary.db"} {
		for _, file := range []string{name, name + "-wal"} {
			info, err := os.Stat(filepath.Join(dir, file))
			switch {
			case err == nil:
				sum += info.Size()
			case file == "data.db":
				return 0, err
			}
		}
	}
	return sum, nil
}

func folderSize(dir string) (sum int64, err error) {
	list, err := os.ReadDir(dir)
	for _, entry := range list {
		if info, err := entry.Info(); err == nil {
			sum += info.Size()
		}
	}
	return sum, err
}

// roomFor refuses where the disk of a folder is too small.
func roomFor(dir string, need int64, what string) error {
	free, err := checkup.DiskFree(dir)
	if err != nil {
		return err
	}
	if int64(free) < need {
		return fmt.Errorf("%s 所在的磁盘只剩 %s，%s需要约 %s：请先清理或扩容", dir, megabytes(int64(free)), what, megabytes(need))
	}
	return nil
}

func megabytes(n int64) string { return fmt.Sprintf("%.1f MB", float64(n)/1e6) }

// beforeUpgrade is the folder, within the data folder, of the backups that are
// made before an upgrade where no other folder was named for backups.
const (
	beforeUpgrade     = "before-upgrade"
	keptBeforeUpgrade = 3
)

// backupFirst makes a backup before a newer program changes the tables or the
// guards of a folder that is in use. It is opened, which upgrades a copy: what
// fails there never touches the folder.
func backupFirst(app core.App) error {
	pending, err := ThisProgram().Pending(app)
	if err != nil || pending.Fresh || len(pending.Files) == 0 && !pending.Guards {
		return err
	}
	dir := app.DataDir()
	keys, err := backupKeys(dir)
	if err != nil {
		return fmt.Errorf("升级前要先备份：%w", err)
	}
	o := FromEnvironment(dir)
	folder := o.Backups.Folder
	if folder == "" {
		folder = filepath.Join(dir, beforeUpgrade)
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	size, err := databaseSize(dir)
	if err != nil {
		return err
	}
	if err := roomFor(folder, 3*size, "升级前的备份"); err != nil {
		return err
	}
	now := o.clock()
	path := filepath.Join(folder, fmt.Sprintf("before-%s-%s.backup", Release, now().In(calendar.Beijing).Format("20060102-150405")))
	fmt.Fprintf(os.Stderr, "数据目录要升级到 %s：先备份到 %s\n", Release, path)
	s := backup.Source{Dir: dir, Release: Release, Now: now, Keys: keys, Temp: folder}
	if _, err := s.File(context.Background(), path); err != nil {
		return fmt.Errorf("升级前的备份没有做成，数据没有动：%w", err)
	}
	if _, err := openBackup(context.Background(), path, o, keys); err != nil {
		return fmt.Errorf("升级前的备份打不开，或在它的副本上升级没有成功，数据没有动：%w", err)
	}
	return keepNewest(folder, "before-*.backup", keptBeforeUpgrade)
}

// keepNewest deletes all but the newest files of a pattern.
func keepNewest(folder, pattern string, n int) error {
	files, err := filepath.Glob(filepath.Join(folder, pattern))
	if err != nil {
		return err
	}
	slices.SortFunc(files, func(a, b string) int { return strings.Compare(age(b), age(a)) })
	for _, file := range files[min(n, len(files)):] {
		if err := os.Remove(file); err != nil {
			return err
		}
	}
	return nil
}

// age is the moment in the name of a file.
func age(file string) string {
	name := strings.TrimSuffix(filepath.Base(file), ".backup")
	return name[max(0, len(name)-len("20060102-150405")):]
}
