package cmd

import (
	"context"
	"errors"
	"fmt"
	"os/signal"
	"syscall"

	"hospay/internal/testday"
	"hospay/sim/all"

	"github.com/spf13/cobra"
)

// simulateCommand runs the simulators alone, in a process of their own.
func simulateCommand() *cobra.Command {
	var o all.Options
	cmd := &cobra.Command{
		Use: "simulate", Short: "单独运行模拟器（" + all.Titles() + "）", Args: cobra.NoArgs, SilenceUsage: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGINT, syscall.SIGTERM)
			defer stop()
			if err := errors.Join(refuseInProduction("simulate"), testday.Check()); err != nil {
				return err
			}
			o.Ahead = testday.Ahead()
			return simulate(ctx, cmd, o)
		},
	}
	cmd.Flags().IntVar(&o.BasePort, "base-port", 9101, "第一个端口；其余的依次排在后面")
	cmd.Flags().StringVar(&o.Dir, "dir", "", "保存密钥和账期的目录；为空则只在内存中")
	cmd.Flags().Int64Var(&o.Seed, "seed", 1, "测试患者和存款的种子")
	cmd.Flags().BoolVar(&o.SecondHIS, "second-his", false, "再运行一套账目独立的 HIS，用来演练更换 HIS")
	cmd.Flags().IntVar(&o.Patients, "patients", 20, "测试患者人数")
	return cmd
}

func simulate(ctx context.Context, cmd *cobra.Command, o all.Options) error {
	set, err := all.Start(ctx, o)
	if err != nil {
		return err
	}
	defer set.Close()
	out := cmd.OutOrStdout()
	for _, r := range set.Running {
		fmt.Fprintf(out, "%s %s\n", r.Title, r.URL())
	}
	fmt.Fprintln(out, "按 Ctrl-C 结束")
	<-ctx.Done()
	return nil
}
