package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"

	"hospay/collections"
	"hospay/store"

	"github.com/pocketbase/pocketbase"
	"github.com/pocketbase/pocketbase/core"
	"github.com/spf13/cobra"
)

// archiveCommand moves the history of a closed year's orders into a file of its own.
func archiveCommand(app *pocketbase.PocketBase) *cobra.Command {
	cmd := &cobra.Command{
		Use: "archive YEAR", Short: "把往年已结单据的处理记录移到只读的归档文件；先备份，停服务再运行",
		Args: cobra.ExactArgs(1), SilenceUsage: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			year, err := strconv.Atoi(args[0])
			if err != nil || year < 2000 || year > 9999 {
				return fmt.Errorf("%q 不是年份；例如 hospay archive 2024", args[0])
			}
			return archiveYear(cmd.Context(), cmd.OutOrStdout(), app, year)
		},
	}
	cmd.AddCommand(&cobra.Command{
		Use: "list", Short: "列出归档文件，并核对它们没有被改动", Args: cobra.NoArgs, SilenceUsage: true,
		RunE: func(cmd *cobra.Command, _ []string) error { return listArchives(cmd.OutOrStdout(), app) },
	})
	return cmd
}

func archiveYear(ctx context.Context, out io.Writer, app core.App, year int) error {
	rt, err := Prepare(app, FromEnvironment(app.DataDir()))
	if err != nil {
		return err
	}
	if err := alone(app); err != nil {
		return errors.Join(errors.New("请先停止服务（hospay service stop），再归档"), err)
	}
	size, err := databaseSize(app.DataDir())
	if err != nil {
		return err
	}
	if err := roomFor(app.DataDir(), 3*size, "归档"); err != nil {
		return err
	}
	a, err := ThisProgram().Archive(ctx, app, year, func(tx core.App, a collections.Archive) error {
		return store.Audit(tx, store.AuditEntry{ActorKind: "system", Action: "archive.made", Target: strconv.Itoa(a.Year),
			Details: map[string]any{"file": a.File, "sha256": a.SHA256, "bytes": a.Bytes, "rows": a.Rows}})
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%d 年已归档：%s（%s），%s\n", a.Year, a.File, megabytes(a.Bytes), rowsMoved(a))
	for _, sql := range []string{"VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)"} {
		if _, err := rt.App.NonconcurrentDB().NewQuery(sql).WithContext(ctx).Execute(); err != nil {
			fmt.Fprintf(out, "归档已完成，但数据库没有缩小（%v）；空出的地方以后会用上，不必处理。\n", err)
			return nil
		}
	}
	smaller, err := databaseSize(app.DataDir())
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "数据库 %s → %s。归档文件在数据目录的 %s 里，备份会带上它；不要移动或改动。现在可以启动服务。\n",
		megabytes(size), megabytes(smaller), collections.ArchiveDir)
	return nil
}

func rowsMoved(a collections.Archive) string {
	n := a.Rows[collections.RefundEvents] + a.Rows[collections.PaymentEvents]
	return fmt.Sprintf("处理记录 %d 条、审核 %d 条、通知 %d 条、渠道通知 %d 条", n, a.Rows[collections.Reviews],
		a.Rows[collections.Notifications], a.Rows[collections.Callbacks])
}

func listArchives(out io.Writer, app core.App) error {
	list, err := collections.Archives(app.DB())
	if err != nil {
		return err
	}
	if len(list) == 0 {
		fmt.Fprintln(out, "还没有归档。")
	}
	for _, a := range list {
		said := "与归档时相同"
		if bad := a.Whole(app.DataDir()); bad != nil {
			said, err = "不能用", errors.Join(err, bad)
		}
		fmt.Fprintf(out, "%d 年\t%s\t%s\t%s\t%s\n", a.Year, a.File, megabytes(a.Bytes), rowsMoved(a), said)
	}
	return err
}
