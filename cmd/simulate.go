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
		Use: "simulate", Short: "单独运行模拟器（微信支付、支付宝、HIS、医院门户）", Args: cobra.NoArgs, SilenceUsage: true,
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
	cmd.Flags().IntVar(&o.BasePort, "base-port", 9101, "第一个端口；依次为微信支付、支付宝、HIS、医保中心、门户")
	cmd.Flags().StringVar(&o.Dir, "dir", "", "保存密钥和账期的目录；为空则只在内存中")
	cmd.Flags().Int64Var(&o.Seed, "seed", 1, "测试患者和存款的种子")
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
	fmt.Fprintf(out, "微信支付 %s\n支付宝   %s\nHIS      %s\n医院门户 %s\n按 Ctrl-C 结束\n", set.WeChat.URL(), set.Alipay.URL(), set.HIS.URL(), set.Portal.URL())
	<-ctx.Done()
	return nil
}
