package reconcile

import "fmt"

// advice is what people are told of one way of money.
type advice struct {
	lacks map[Kind]string
	twice [books]string
	state [4]string // the channel gave it back; paid; has none though it should; nobody's bill tells
	money [4]string // what HIS and the channel differ by: both moved, one alone, either way round
}

// Advice is the sentence of a kind that lacks a book: the likely cause and what
// to do about an order of a method.
func (k Kind) Advice(method string) string { return textsOf(method).lacks[k] }

func textsOf(method string) advice {
	switch method {
	case MethodPay:
		return payTexts
	case MethodBack:
		return backTexts
	}
	return refundTexts
}

// explainMoney adds what the difference means for the money on hand.
func (e *shard) explainMoney(v *view, k Kind) string {
	g := v.gap()
	his, moved := v.sides[HIS].day.Count > 0, v.sides[Channel].day.Count > 0
	t := textsOf(v.methodName(e)).money
	switch {
	case k == DayCut || g == 0:
		return "。"
	case k == Time:
		return fmt.Sprintf("。本日 HIS 与渠道相差 %s，记在别日的一并看才平。", max(g, -g))
	case g > 0 && his && moved:
		return fmt.Sprintf("。长款 %s：%s。", g, t[0])
	case g > 0:
		return fmt.Sprintf("。长款 %s：%s。", g, t[1])
	case his && moved:
		return fmt.Sprintf("。短款 %s：%s。", -g, t[2])
	}
	return fmt.Sprintf("。短款 %s：%s。", -g, t[3])
}

// refundTexts are those of deposits that go back.
var refundTexts = advice{
	lacks: map[Kind]string{
		OnlyPlatform:    "只有平台记成功，其他账本都没有；请用商户单号向渠道查单，渠道无此单则更正平台状态",
		OnlyChannel:     "渠道已付款，平台和 HIS 都没有这笔；可能由商户平台手工发起或由其他系统发起，请查明经办人后补记两边或追回",
		OnlyHIS:         "只有 HIS 记了退款，其他账本都没有；患者可能未收到钱，请核实后在 HIS 撤销或补退",
		MissingPlatform: "渠道已付款、HIS 已记账，平台没有这笔；可能绕过平台办理，请核实后补记平台",
		MissingChannel:  "平台和 HIS 都记成功，渠道账单没有这笔；请先确认账单已给全（微信转账在运营账户资金账单，支付宝转账在账务明细，原路退在资金账单或交易账单），再用商户单号查单",
		MissingHIS:      "平台记成功、渠道已付款，HIS 没有扣减预交金；请核对患者余额后在 HIS 补记",
	},
	twice: [books]string{
		Platform: "请查是否重复导出或重复入账，只保留一笔",
		Channel:  "可能重复付款，请立即停止补发并核实，多付的向收款人追回",
		HIS:      "可能重复扣减预交金，请核实后冲正多记的一笔",
	},
	state: [4]string{"钱已回到商户账户，请更正平台状态并恢复患者余额，或重新退款", "渠道已付款，请把记为失败或处理中的一方更正为成功",
		"渠道账单没有这笔，请用商户单号查单；未付则把记为成功的一方撤销", "请双方核实后更正"},
	money: [4]string{"HIS 比渠道多记", "HIS 已记账而渠道未付", "渠道比 HIS 多付", "渠道已付款而 HIS 未记账"},
}

// payTexts are those of bills that are paid.
var payTexts = advice{
	lacks: map[Kind]string{
		OnlyPlatform:    "只有平台记已缴费，其他账本都没有；请用商户单号向渠道查单，渠道无此单则患者没有付钱",
		OnlyChannel:     "渠道收了这笔，单号是本系统的，平台和 HIS 都没有；请查平台订单，收了钱而没有缴成的退给患者",
		OnlyHIS:         "只有 HIS 收了费，渠道没有收到钱；请核实是否在窗口收款或误记，在 HIS 更正",
		MissingPlatform: "渠道已收款、HIS 已收费，平台没有这笔；请核实后补记",
		MissingChannel:  "平台和 HIS 都记已缴费，渠道交易账单没有这笔；请先确认账单已给全，再用商户单号查单：没有收到钱的费用须追缴或在 HIS 撤销",
		MissingHIS:      "平台记已缴费、渠道已收款，HIS 没有收费；患者可能取不了药，请查这张缴费单：回写 HIS，或退还患者",
	},
	twice: [books]string{
		Platform: "请查是否重复入账，只保留一笔",
		Channel:  "患者可能付了两次，请立即核实，多收的退还患者",
		HIS:      "可能重复收费，请核实后冲正多记的一笔",
	},
	state: [4]string{"钱已退给患者，请更正记为成功的一方", "渠道已收款，请把记为失败或处理中的一方更正，或退还患者",
		"渠道账单没有这笔，请用商户单号查单；没有收款则把记为成功的一方撤销", "请双方核实后更正"},
	money: [4]string{"渠道比 HIS 多收", "渠道已收款而 HIS 未收费", "HIS 比渠道多收", "HIS 已收费而渠道未收款"},
}

// backTexts are those of what goes back of a paid bill.
var backTexts = advice{
	lacks: map[Kind]string{
		OnlyPlatform:    "只有平台记已退费，其他账本都没有；请用商户退款单号向渠道查单，渠道无此单则患者没有收到钱",
		OnlyChannel:     "渠道退了这笔缴费的钱，平台和 HIS 都没有；多半在商户平台手工退款，请查明经办人，补记两边",
		OnlyHIS:         "只有 HIS 记了退费，渠道没有退钱；患者可能没有收到钱，请核实后补退或在 HIS 撤销",
		MissingPlatform: "渠道已退款、HIS 已退费，平台没有这笔；可能绕过平台办理，请核实后补记",
		MissingChannel:  "平台和 HIS 都记已退费，渠道交易账单没有这笔；请先确认账单已给全，再用商户退款单号查单",
		MissingHIS:      "平台记已退费、渠道已退款，HIS 没有退费；请在 HIS 补退，否则费用仍算已收",
	},
	twice: [books]string{
		Platform: "请查是否重复入账，只保留一笔",
		Channel:  "可能退了两次，请立即核实，多退的向患者追回",
		HIS:      "可能重复退费，请核实后冲正多记的一笔",
	},
	state: [4]string{"退款又回到商户账户，请更正平台状态，重新退给患者", "渠道已退款，请把记为失败或处理中的一方更正为成功",
		"渠道账单没有这笔退款，请用商户退款单号查单；未退则把记为成功的一方撤销", "请双方核实后更正"},
	money: [4]string{"HIS 比渠道多退", "HIS 已退费而渠道未退", "渠道比 HIS 多退", "渠道已退款而 HIS 未退费"},
}
