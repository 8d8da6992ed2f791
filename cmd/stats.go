package cmd

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"hospay/store"

	"github.com/pocketbase/pocketbase"
	"github.com/spf13/cobra"
)

// statsCommand recounts the statistics; IT repairs them by name and note.
func statsCommand(app *pocketbase.PocketBase) *cobra.Command {
	cmd := &cobra.Command{Use: "stats", Short: "统计汇总：核对、重算"}
	cmd.AddCommand(statsVerify(app), statsRepair(app))
	return cmd
}

func statsVerify(app *pocketbase.PocketBase) *cobra.Command {
	return &cobra.Command{
		Use: "verify", Short: "逐单重新统计，列出汇总与订单不一致之处", Args: cobra.NoArgs, SilenceUsage: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			rt, err := Prepare(app, FromEnvironment(app.DataDir()))
			if err != nil {
				return err
			}
			diffs, err := rt.Store.VerifyStatistics(cmd.Context())
			if err != nil {
				return err
			}
			printDiffs(cmd.OutOrStdout(), diffs)
			if len(diffs) > 0 {
				return errors.New("统计汇总与订单不一致")
			}
			return nil
		},
	}
}

func statsRepair(app *pocketbase.PocketBase) *cobra.Command {
	var by, note string
	cmd := &cobra.Command{
		Use: "repair", Short: "按订单重算统计汇总；须写明经手人和原因，记入审计日志", Args: cobra.NoArgs, SilenceUsage: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if strings.TrimSpace(by) == "" || strings.TrimSpace(note) == "" {
				return errors.New("请用 --by 写明经手人，用 --note 写明原因")
			}
			rt, err := Prepare(app, FromEnvironment(app.DataDir()))
			if err != nil {
				return err
			}
			diffs, err := rt.Store.RepairStatistics(cmd.Context(), store.AuditEntry{ActorKind: "it", Actor: by}, note)
			if err != nil {
				return err
			}
			printDiffs(cmd.OutOrStdout(), diffs)
			fmt.Fprintln(cmd.OutOrStdout(), "已按订单重算，并记入审计日志。")
			return nil
		},
	}
	cmd.Flags().StringVar(&by, "by", "", "经手人")
	cmd.Flags().StringVar(&note, "note", "", "原因")
	return cmd
}

func printDiffs(w io.Writer, diffs []store.StatisticsDiff) {
	for _, d := range diffs {
		fmt.Fprintf(w, "机构 %s  %s：汇总比订单多 %d 分、%d 笔\n", d.Institution, d.Key, d.Amount, d.Count)
	}
	fmt.Fprintf(w, "不一致 %d 处\n", len(diffs))
}
