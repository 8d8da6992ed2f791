package cmd

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"hospay/store"

	"github.com/pocketbase/pocketbase"
	"github.com/spf13/cobra"
)

// AuditCommand looks after the audit log.
func AuditCommand(app *pocketbase.PocketBase) *cobra.Command {
	cmd := &cobra.Command{Use: "audit", Short: "审计日志"}
	cmd.AddCommand(auditVerify(app))
	return cmd
}

// auditVerify walks the chain and compares it with ends that were kept elsewhere.
func auditVerify(app *pocketbase.PocketBase) *cobra.Command {
	var at store.Anchor
	var file string
	cmd := &cobra.Command{
		Use: "verify", Short: "逐行核对审计日志，说出第一处不对的行；可与别处留存的行号和校验值比对", Args: cobra.NoArgs, SilenceUsage: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			anchors, err := readAnchors(at, file)
			if err != nil {
				return err
			}
			o := FromEnvironment(app.DataDir())
			v, err := openVault(app, o)
			if err != nil {
				return err
			}
			state, err := store.New(app, v).VerifyAudit(cmd.Context(), anchors...)
			if err != nil {
				return err
			}
			if state.Break != nil {
				return errors.New(state.Break.String())
			}
			fmt.Fprintf(cmd.OutOrStdout(), "审计日志共 %d 行，没有缺失和改动。末行 %d，校验值 %s\n", state.Rows, state.Seq, state.Head)
			return nil
		},
	}
	cmd.Flags().Int64Var(&at.Seq, "seq", 0, "别处留存的行号（程序日志 audit.anchor、月结表、备份）")
	cmd.Flags().StringVar(&at.Head, "head", "", "该行的校验值")
	cmd.Flags().StringVar(&file, "anchor", "", "备份中的 hospay.anchor 文件")
	return cmd
}

func readAnchors(at store.Anchor, file string) ([]store.Anchor, error) {
	var out []store.Anchor
	if (at.Seq == 0) != (at.Head == "") {
		return nil, errors.New("--seq 和 --head 要一起给")
	}
	if at.Seq > 0 {
		out = append(out, at)
	}
	if file == "" {
		return out, nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var a store.Anchor
	if err := json.Unmarshal(text, &a); err != nil || a.Seq == 0 || a.Head == "" {
		return nil, fmt.Errorf("%s 不是备份留下的 hospay.anchor", file)
	}
	return append(out, a), nil
}
