package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"hospay/centre"
	"hospay/internal/checkup"

	"github.com/pocketbase/pocketbase"
	"github.com/spf13/cobra"
)

// centreCommand probes an insurance centre.
func centreCommand(app *pocketbase.PocketBase) *cobra.Command {
	var p probe
	cmd := &cobra.Command{Use: "centre", Short: "医保移动支付中心对接"}
	run := &cobra.Command{
		Use: "probe", Short: "向医保中心查询一笔不存在的订单，核对地址、签名和密钥，并列出地区设置；不动任何资金", Args: cobra.NoArgs,
		SilenceUsage: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			rt, err := Prepare(app, FromEnvironment(app.DataDir()))
			if err != nil {
				return err
			}
			return p.centre(cmd.Context(), rt, cmd.OutOrStdout())
		},
	}
	run.Flags().StringVar(&p.institution, "institution", "", "机构代码，只有一家时可省略")
	cmd.AddCommand(run)
	return cmd
}

func (p *probe) centre(ctx context.Context, rt *Runtime, out io.Writer) error {
	inst, err := p.find(rt)
	if err != nil {
		return err
	}
	c, err := rt.Store.CentreClient(ctx, inst.Id)
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	defer w.Flush()
	fmt.Fprintf(w, "机构\t%s\t%s\n", inst.GetString("name"), c.Habits().OrgCode)
	for _, line := range regionWords(c.Region()) {
		fmt.Fprintln(w, line)
	}
	l := checkup.Centre(ctx, c)
	for _, s := range l.Steps {
		printStep(w, s)
	}
	if l.Failed() > 0 {
		return errors.New("医保中心没有接通，请按上面的提示核对配置")
	}
	return nil
}

// regionWords says how a region does it, for who compares it with what the centre
// has told.
func regionWords(r centre.Region) []string {
	yes := map[bool]string{true: "是", false: "否"}
	order := map[string]string{centre.CashFirst: "先自费后医保", centre.InsuranceFirst: "先医保后自费"}[r.Order]
	areas := strings.Join(r.Areas, "、")
	if areas == "" {
		areas = "全部"
	}
	back := map[string]string{centre.RefundByHIS: "HIS 免授权冲正", centre.RefundByCredential: "患者再次授权后退费"}[r.AfterRefusedWrite]
	return []string{
		fmt.Sprintf("地区\t%s\t%s", r.Code, r.Title),
		fmt.Sprintf("资金顺序\t%s\t", order),
		fmt.Sprintf("参保地\t%s\t", areas),
		fmt.Sprintf("其他费用计入总额\t%s\t医院负担抵减自费 %s", yes[r.OtherInTotal], yes[r.HospPartAsReduce]),
		fmt.Sprintf("回写被拒后\t%s\t自费可部分退 %s", back, yes[r.PartialCash]),
		fmt.Sprintf("授权 / 预结算 / 订单有效期\t%d / %d / %d 分钟\t退费等待授权 %d 天", r.AuthMinutes, r.PriceMinutes, r.OrderMinutes,
			r.RefundWaitDays),
		fmt.Sprintf("证明未办理的代码\t%d 个\t未列出的代码一律按结果未知处理", len(r.Refusals)),
	}
}
