package cmd

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"hospay/backup"
	"hospay/calendar"
	"hospay/collections"
	"hospay/internal/vault"
	"hospay/jobs"
	"hospay/store"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/spf13/cobra"
)

// BackupOptions say where the nightly backups go; without a folder there are none.
type BackupOptions struct {
	Folder string
	Second string // a second place, on another machine or disk
	Keep   int
	S3     string // https://endpoint/bucket?region=…
}

// Environment variables of the backups that serve makes by itself.
const (
	envBackups = "HOSPAY_BACKUP_DIR"
	envSecond  = "HOSPAY_BACKUP_SECOND"
	envKeep    = "HOSPAY_BACKUP_KEEP"
	envS3      = "HOSPAY_BACKUP_S3"
	envS3Key   = "HOSPAY_BACKUP_S3_KEY"
	envS3Pass  = "HOSPAY_BACKUP_S3_SECRET"
)

func backupsFromEnvironment() BackupOptions {
	b := BackupOptions{Folder: os.Getenv(envBackups), Second: os.Getenv(envSecond), Keep: 14, S3: os.Getenv(envS3)}
	if text := os.Getenv(envKeep); text != "" {
		b.Keep, _ = strconv.Atoi(text) // what is no number is refused when it is used
	}
	return b
}

// backupCommand makes a backup, and opens one to see whether it can be used.
func backupCommand() *cobra.Command {
	var dir, out string
	cmd := &cobra.Command{
		Use: "backup", Short: "备份数据目录为一个加密文件；服务不必停", Args: cobra.NoArgs, SilenceUsage: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if out == "" {
				return errors.New("请用 --out 指明备份文件，放在另一块磁盘或另一台机器上")
			}
			if within(out, dir) {
				return errors.New("备份文件不能放在数据目录里")
			}
			if err := ownFolder(dir); err != nil {
				return err
			}
			keys, err := backupKeys(dir)
			if err != nil {
				return err
			}
			s := backup.Source{Dir: dir, Release: Release, Now: FromEnvironment(dir).clock(), Keys: keys}
			if err := noteBackup(dir, filepath.Base(out), cmd.ErrOrStderr()); err != nil {
				return err
			}
			if _, err := s.File(cmd.Context(), out); err != nil {
				return err
			}
			return verifyBackup(cmd, out, dir)
		},
	}
	cmd.PersistentFlags().StringVar(&dir, "dir", dataDir(), "数据目录")
	cmd.Flags().StringVar(&out, "out", "", "备份文件")
	cmd.AddCommand(&cobra.Command{
		Use: "verify FILE", Short: "打开一份备份，核对数据库、审计日志和每个文件", Args: cobra.ExactArgs(1), SilenceUsage: true,
		RunE: func(cmd *cobra.Command, args []string) error { return verifyBackup(cmd, args[0], dir) },
	})
	return cmd
}

// restoreCommand makes a data folder of a backup.
func restoreCommand() *cobra.Command {
	var from, dir string
	cmd := &cobra.Command{
		Use: "restore", Short: "用备份恢复出一个新的数据目录；恢复后先核对、由两人放行，才会付款", Args: cobra.NoArgs, SilenceUsage: true,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if from == "" || dir == "" {
				return errors.New("请用 --from 指明备份文件，用 --dir 指明新的数据目录")
			}
			keys, err := backupKeys("")
			if err != nil {
				return err
			}
			f, err := os.Open(from)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, f.Close()) }()
			m, err := backup.Restore(cmd.Context(), f, keys, dir, FromEnvironment("").clock()())
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "已恢复到 %s：%s\n", dir, tell(m))
			fmt.Fprintf(cmd.OutOrStdout(), "接下来：\n"+
				"1. 原来的服务确认已停止，不再使用原来的数据目录。\n"+
				"2. 用原来的密钥文件启动：%s=… hospay serve --dir %s\n"+
				"3. 服务先只查询不付款：向 HIS、微信、支付宝、医保中心逐笔询问备份之后发生的事。\n"+
				"4. 控制台“恢复核对”页列出差异；财务或信息科一人提出、另一人确认后放行。\n", envKeyFile, dir)
			return nil
		},
	}
	cmd.Flags().StringVar(&from, "from", "", "备份文件")
	cmd.Flags().StringVar(&dir, "dir", "", "新的数据目录（不存在或为空）")
	return cmd
}

// backupKeys reads the key file; a demo folder holds its own. Whoever looks into a
// backup needs the key of PocketBase's settings, too.
func backupKeys(dir string) (*vault.Backups, error) {
	if err := secretFromFile(envSealing); err != nil {
		return nil, err
	}
	path := os.Getenv(envKeyFile)
	if path == "" && dir != "" {
		path = FromEnvironment(dir).KeyFile
	}
	if path == "" {
		return nil, fmt.Errorf("没有密钥文件：请用环境变量 %s 指明它；备份用它加密，恢复也要它", envKeyFile)
	}
	file, err := vault.ReadKeyFile(path)
	if err != nil {
		return nil, err
	}
	return file.Backups()
}

func verifyBackup(cmd *cobra.Command, path, dir string) error {
	o := FromEnvironment(dir)
	keys, err := backupKeys(dir)
	if err != nil {
		return err
	}
	m, err := openBackup(cmd.Context(), path, o, keys)
	if err != nil {
		return err
	}
	fmt.Fprintf(cmd.OutOrStdout(), "备份 %s 已打开核对，可以使用：%s\n", path, tell(m))
	return nil
}

// openBackup unpacks a backup beside it and looks into it.
func openBackup(ctx context.Context, path string, o Options, keys *vault.Backups) (m backup.Manifest, err error) {
	f, err := os.Open(path)
	if err != nil {
		return m, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return backup.Check(ctx, f, keys, filepath.Dir(path), func(dir string, m backup.Manifest) error { return lookInto(ctx, dir, o, m) })
}

// tell says what a backup is of.
func tell(m backup.Manifest) string {
	return fmt.Sprintf("截至 %s，退款 %d 笔、缴费 %d 笔，审计日志 %d 行，文件 %d 个，共 %.1f MB，程序 %s",
		m.Made.In(calendar.Beijing).Format("2006-01-02 15:04:05"), m.Rows["refund_orders"], m.Rows["payment_orders"], m.Rows["audit_log"],
		m.Files, float64(m.Bytes)/1e6, m.Release)
}

// lookInto opens the folder of a backup as this program would, and sees that its
// guards stand, its secrets can be read, its audit log is whole and no file is
// missing.
func lookInto(ctx context.Context, dir string, o Options, m backup.Manifest) error {
	file, err := vault.ReadKeyFile(o.KeyFile)
	if err != nil {
		return err
	}
	chain, err := file.Chain()
	if err != nil {
		return err
	}
	// not NewApp: PocketBase's own takes its folder from the arguments of whichever command runs
	app := core.NewBaseApp(core.BaseAppConfig{DataDir: dir, EncryptionEnv: envSealing, DBConnect: collections.Connect})
	defer func() { _ = app.ClearBootstrap() }()
	if err := app.Bootstrap(); err != nil {
		return err
	}
	store.SetChain(app, chain)
	if err := ThisProgram().Open(app); err != nil {
		return err
	}
	v, err := openVault(app, o)
	if err != nil {
		return err
	}
	var anchors []store.Anchor
	if m.Seq > 0 {
		anchors = append(anchors, store.Anchor{Seq: m.Seq, Head: m.Head})
	}
	state, err := store.New(app, v).VerifyAudit(ctx, anchors...)
	if err != nil {
		return err
	}
	if state.Break != nil {
		return errors.New(state.Break.String())
	}
	return allFiles(app)
}

// allFiles sees that every file that a row names lies in the folder.
func allFiles(app core.App) error {
	tables, err := app.FindAllCollections(core.CollectionTypeBase, core.CollectionTypeAuth)
	if err != nil {
		return err
	}
	for _, c := range tables {
		for _, field := range c.Fields {
			if field.Type() != core.FieldTypeFile {
				continue
			}
			if err := filesOf(app, c, field.GetName()); err != nil {
				return err
			}
		}
	}
	return nil
}

func filesOf(app core.App, c *core.Collection, field string) error {
	rows, err := app.DB().Select("id", field).From(c.Name).Where(dbx.Not(dbx.In(field, "", "[]"))).Rows()
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var id, text string
		if err := rows.Scan(&id, &text); err != nil {
			return err
		}
		names := []string{text}
		if strings.HasPrefix(text, "[") {
			if err := json.Unmarshal([]byte(text), &names); err != nil {
				return err
			}
		}
		for _, name := range names {
			if _, err := os.Stat(filepath.Join(app.DataDir(), core.LocalStorageDirName, c.BaseFilesPath(), id, name)); err != nil {
				return fmt.Errorf("%s 的记录 %s 有一个文件不在备份里：%w", c.Name, id, err)
			}
		}
	}
	return rows.Err()
}

// keeper is what makes the nightly backups; nil where there is no folder for
// them.
func (rt *Runtime) keeper(o Options, v *vault.Vault) (*backup.Keeper, error) {
	b := o.Backups
	if b.Folder == "" {
		return nil, nil
	}
	if b.Keep < 1 {
		return nil, fmt.Errorf("%s 应是保留几份的数字，至少 1", envKeep)
	}
	for _, folder := range slices.DeleteFunc([]string{b.Folder, b.Second}, func(s string) bool { return s == "" }) {
		if within(folder, rt.App.DataDir()) {
			return nil, fmt.Errorf("备份目录 %s 在数据目录里：磁盘坏了两样都没有。请换一个目录（%s、%s）", folder, envBackups, envSecond)
		}
		if info, err := os.Stat(folder); err != nil || !info.IsDir() {
			return nil, fmt.Errorf("备份目录 %s 不存在或不能读取，请先建好（%s、%s）", folder, envBackups, envSecond)
		}
	}
	keys, err := v.Backups()
	if err != nil {
		return nil, err
	}
	far, err := farPlace(b.S3)
	if err != nil {
		return nil, err
	}
	return &backup.Keeper{
		Far:    far,
		Source: backup.Source{Dir: rt.App.DataDir(), Release: Release, Now: rt.now, Keys: keys},
		Folder: b.Folder, Second: b.Second, Keep: b.Keep,
		Begin: func(name string) error {
			a, err := rt.Store.AnchorBackup(name)
			if err == nil {
				rt.log.Info("audit.anchor", "where", "backup", "name", name, "seq", a.Seq, "head", a.Head)
			}
			return err
		},
		More: func(ctx context.Context, dir string, m backup.Manifest) error { return lookInto(ctx, dir, o, m) },
	}, nil
}

// backups is the nightly job, where a folder was named for it.
func (rt *Runtime) backups() []jobs.Job {
	if rt.keep == nil {
		return nil
	}
	return []jobs.Job{{Name: "backup", At: "30 2 * * *", Run: rt.keep.Run}}
}
