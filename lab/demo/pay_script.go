package demo

import (
	"context"
	"errors"
	"fmt"
)

var channelsOf = []string{"wechat", "alipay"}

// payments are bills that are paid as they should be.
func (d *Day) payments(ctx context.Context) error {
	var bills []*Bill
	for i, channel := range channelsOf {
		p := func(n int) string { return fmt.Sprintf("P%04d", n+i) }
		fen := func(n int64) int64 { return n + int64(i)*111 }
		bills = append(bills,
			&Bill{Title: "门诊，自费", Patient: p(1), Channel: channel, Amount: fen(8650), Want: "done"},
			&Bill{Title: "挂号，自费，从号源选", Patient: p(14), Channel: channel, slot: true, Registration: true, Want: "done"},
			&Bill{Title: "门诊，医保与自费", Patient: p(7), Channel: channel, Insured: true, Amount: fen(23_800), Want: "done"},
			&Bill{Title: "挂号，医保与自费", Patient: p(17), Channel: channel, Insured: true, Registration: true, Amount: fen(3000), Want: "done",
				split: &split{fund: 2000}},
			&Bill{Title: "门诊，全部由医保支付", Patient: p(7), Channel: channel, Insured: true, Amount: fen(12_000), Want: "done",
				split: &split{fund: fen(9000), account: 3000}},
			&Bill{Title: "门诊，预结算后全自费", Patient: p(17), Channel: channel, Insured: true, Amount: fen(4500), Want: "done", split: &split{}},
			&Bill{Title: "门诊，家庭共济账户与其他费用", Patient: p(2), Channel: channel, Insured: true, Amount: fen(30_000), Want: "done",
				split: &split{fund: 12_000, account: 6000, family: 2000, other: 1500}})
	}
	bills = append(bills,
		&Bill{Title: "亲情付：家人的凭证，家人付现金", Patient: "P0005", phone: "P0020", Channel: "alipay", Insured: true, Amount: 9900, Want: "done"},
		&Bill{Title: "亲情付：家人的凭证，家人付现金", Patient: "P0005", phone: "P0019", Channel: "wechat", Insured: true, Amount: 9800, Want: "done"},
		&Bill{Title: "没有参保，不能用医保", Patient: "P0004", Channel: "wechat", Insured: true, Amount: 5000, Want: "not_enrolled"},
		&Bill{Title: "下单前已在窗口付清，不受理", Patient: "P0004", Channel: "wechat", Amount: 5100, Want: "bill_paid", before: d.atWindow},
		&Bill{Title: "同一账单在另一台设备上再下单，不受理", Patient: "P0003", Channel: "alipay", Amount: 5200, Want: "done", pays: d.secondDevice})
	return d.pay(ctx, bills)
}

func (d *Day) atWindow(ctx context.Context, b *Bill) error {
	return post(ctx, d.At.HIS+"/_sim/window/"+b.no, nil)
}

// secondDevice applies for the same bill once more before it is paid.
func (d *Day) secondDevice(ctx context.Context, b *Bill) error {
	p, err := d.payer(ctx, b)
	if err != nil {
		return err
	}
	var refusal *APIError
	_, err = p.Order(ctx, "", b.no, b.Insured)
	if !errors.As(err, &refusal) || refusal.Code != "bill_order_exists" {
		return fmt.Errorf("第二台设备的应答：%w", err)
	}
	return d.paid(ctx, b)
}

// paymentsBack are bills that are not paid, or go back.
func (d *Day) paymentsBack(ctx context.Context) error {
	none := func(context.Context, *Bill) error { return nil }
	return d.pay(ctx, []*Bill{
		{Title: "未支付，患者取消（医保订单撤销）", Patient: "P0001", Channel: "wechat", Insured: true, Amount: 15_000, Want: "cancelled", pays: d.givenUp},
		{Title: "未支付，患者取消", Patient: "P0002", Channel: "alipay", Amount: 15_100, Want: "cancelled", pays: d.givenUp},
		{Title: "没有人支付，过期", Patient: "P0003", Channel: "wechat", Amount: 5300, within: 6, Want: "expired", pays: none},
		{Title: "没有人支付，过期（医保订单撤销）", Patient: "P0008", Channel: "alipay", Insured: true, Amount: 5400, within: 8, Want: "expired",
			pays: none},
		{Title: "全部退费（医保与现金）", Patient: "P0007", Channel: "wechat", Insured: true, Amount: 20_000, Want: "refunded", after: d.back("all", 0)},
		{Title: "全部退费（医保与现金）", Patient: "P0008", Channel: "alipay", Insured: true, Amount: 20_200, Want: "refunded", after: d.back("all", 0)},
		{Title: "全部退费（自费挂号）", Patient: "P0014", Channel: "alipay", Registration: true, Amount: 1500, Want: "refunded", after: d.back("all", 0)},
		{Title: "只退医保部分", Patient: "P0017", Channel: "wechat", Insured: true, Amount: 18_000, Want: "part_refunded",
			split: &split{fund: 8000, account: 2000}, after: d.back("insurance", 0)},
		{Title: "只退医保部分", Patient: "P0018", Channel: "alipay", Insured: true, Amount: 18_100, Want: "part_refunded",
			split: &split{fund: 8000, account: 2000}, after: d.back("insurance", 0)},
		{Title: "只退一部分现金", Patient: "P0013", Channel: "wechat", Insured: true, Amount: 16_000, Want: "part_refunded",
			split: &split{fund: 10_000}, after: d.back("cash", 2500)},
		{Title: "退一部分现金", Patient: "P0015", Channel: "alipay", Amount: 6000, Want: "part_refunded", after: d.back("cash", 2600)},
	})
}

// givenUp is a patient who takes an order back instead of paying.
func (d *Day) givenUp(ctx context.Context, b *Bill) error {
	if no, err := d.payable(ctx, b); err != nil || no == "" {
		return err
	}
	p, err := d.payer(ctx, b)
	if err != nil {
		return err
	}
	return d.API.Call(ctx, "POST", "/api/hospay/payments/"+b.ID+"/cancel", p.Token, nil, nil)
}

// back lets finance give a paid bill back, and the patient authorise where the
// insurance's part goes back.
func (d *Day) back(kind string, cash int64) func(context.Context, *Bill) error {
	return func(ctx context.Context, b *Bill) error {
		staff, err := d.API.Staff(ctx, "finance")
		if err != nil {
			return err
		}
		err = d.API.Call(ctx, "POST", "/api/hospay/payments/"+b.ID+"/refund", staff,
			map[string]any{"kind": kind, "cash": cash, "reason": "患者退费"}, nil)
		if err != nil || !b.Insured || kind == "cash" {
			return err
		}
		if err := d.reaches(ctx, b, "refund_wait_auth"); err != nil {
			return err
		}
		return d.authoriseBack(ctx, b)
	}
}

// authoriseBack gives a refund the credential that it waits for.
func (d *Day) authoriseBack(ctx context.Context, b *Bill) error {
	p, err := d.payer(ctx, b)
	if err != nil {
		return err
	}
	code, err := p.Credential(ctx)
	if err != nil {
		return err
	}
	return d.API.Call(ctx, "POST", "/api/hospay/payments/"+b.ID+"/authorise", p.Token, map[string]any{"channel": b.Channel, "code": code}, nil)
}

// paymentFaults are the answers that get lost or lie, and the sides that refuse.
func (d *Day) paymentFaults(ctx context.Context) error {
	his, wx, ali, centre := d.At.HIS, d.At.WeChat, d.At.Alipay, d.At.Centre
	changed := map[string]any{"times": -1}
	insured := func(title, patient, channel string, fen int64, want string, faults ...strike) *Bill {
		return &Bill{Title: title, Patient: patient, Channel: channel, Insured: true, Amount: fen, Want: want, faults: faults}
	}
	plain := func(title, patient, channel string, fen int64, want string, faults ...strike) *Bill {
		return &Bill{Title: title, Patient: patient, Channel: channel, Amount: fen, Want: want, faults: faults}
	}
	refused := insured("HIS 不收，冲正不成，凭授权退医保，再退现金", "P0015", "alipay", 14_100, "refunded",
		strike{his, "charge", "D01", "window_paid", nil},
		strike{his, "uncharge", "D01", "refuse", map[string]any{"code": "1028", "message": "不支持免授权冲正"}})
	refused.pays = func(ctx context.Context, b *Bill) error {
		if err := d.paid(ctx, b); err != nil {
			return err
		}
		if err := d.reaches(ctx, b, "refunded", "refund_wait_auth"); err != nil || b.Got == "refunded" {
			return err
		}
		return d.authoriseBack(ctx, b)
	}
	return d.pay(ctx, []*Bill{
		insured("6201 已受理但应答丢失", "P0001", "wechat", 11_000, "done", strike{centre, "6201", "M01", "timeout_after", nil}),
		insured("6202 已提交后前置返回 504", "P0002", "alipay", 11_100, "done", strike{centre, "6202", "S01", "500_after", nil}),
		insured("6302 丢失，靠查询发现", "P0003", "wechat", 11_200, "done", strike{centre, "callback", "M01", "no_callback", changed}),
		insured("6302 来了两次", "P0013", "wechat", 11_300, "done", strike{centre, "callback", "M01", "duplicate_callback", nil}),
		insured("6302 的金额被改，不采信", "P0007", "alipay", 11_400, "done", strike{centre, "callback", "M01", "lie_amount", changed}),
		insured("微信医保下单后应答丢失", "P0008", "wechat", 11_500, "done", strike{wx, "mixed", "C01", "500_after", nil}),
		insured("支付宝医保下单后应答丢失", "P0013", "alipay", 11_600, "done", strike{ali, "mixed", "C01", "timeout_after", nil}),
		insured("支付后渠道的两种回调都没来", "P0017", "wechat", 11_700, "done", strike{wx, "callback_trade", "C01", "no_callback", changed},
			strike{wx, "callback_mixed", "C01", "no_callback", changed}),
		insured("医保晚于现金结算", "P0018", "wechat", 11_800, "done", strike{wx, "settle", "C01", "insurance_late", map[string]any{"delay_ms": 2000}}),
		insured("现金已付，医保结算失败，现金退回", "P0001", "alipay", 11_900, "refunded", strike{ali, "settle", "C01", "insurance_fail", nil}),
		insured("现金已付，医保结算失败，现金退回", "P0002", "wechat", 12_000, "refunded", strike{wx, "settle", "C01", "insurance_fail", nil}),
		plain("HIS 已入账但应答丢失", "P0004", "alipay", 7100, "done", strike{his, "charge", "D01", "500_after", nil}),
		plain("HIS 连接中断，未入账", "P0006", "wechat", 7200, "done", strike{his, "charge", "D01", "timeout_before", nil}),
		plain("微信下单应答丢失", "P0009", "wechat", 7300, "done", strike{wx, "order", "C01", "timeout_after", nil}),
		plain("支付宝下单应答签名错误", "P0010", "alipay", 7400, "done", strike{ali, "order", "C01", "bad_signature", nil}),
		plain("HIS 不收（已在窗口付清），现金退回", "P0011", "alipay", 7500, "refunded", strike{his, "charge", "D01", "window_paid", nil}),
		{Title: "授权时账单改价，订单关闭，没有收钱", Patient: "P0006", Channel: "alipay", Insured: true, Amount: 7600, Want: "cancelled", late: true,
			pays: d.dearer},
		insured("HIS 不收，免授权冲正，现金退回", "P0014", "wechat", 14_000, "refunded", strike{his, "charge", "D01", "window_paid", nil}),
		refused,
	})
}

// dearer lets the bill cost more while the patient is on the channel's page.
func (d *Day) dearer(ctx context.Context, b *Bill) error {
	if err := post(ctx, fmt.Sprintf("%s/_sim/price/%s?amount=%d", d.At.HIS, b.no, b.Amount+500), nil); err != nil {
		return err
	}
	return d.authoriseBack(ctx, b)
}
