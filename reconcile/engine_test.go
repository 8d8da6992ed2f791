package reconcile_test

import (
	"fmt"
	"math/rand"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"hospay/calendar"
	"hospay/money"
	"hospay/reconcile"

	"pgregory.net/rapid"
)

const day = "2026-11-23"

// at reads "15:04:05" on the day, or "02 15:04:05" on another day of the month.
func at(s string) int64 {
	if !strings.Contains(s, " ") {
		s = "23 " + s
	}
	t, err := time.ParseInLocation("2006-01-02 15:04:05", "2026-11-"+s, calendar.Beijing)
	if err != nil {
		panic(err)
	}
	return t.Unix()
}

// change spoils a line.
type change func(*reconcile.Line)

func amount(f money.Fen) change        { return func(l *reconcile.Line) { l.Amount = f } }
func status(s reconcile.Status) change { return func(l *reconcile.Line) { l.Status = s } }
func clock(s string) change            { return func(l *reconcile.Line) { l.At = at(s) } }
func on(channel string) change         { return func(l *reconcile.Line) { l.Channel = channel } }
func by(method string) change          { return func(l *reconcile.Line) { l.Method = method } }
func card(c string) change             { return func(l *reconcile.Line) { l.CardNo = c } }
func order(no string) change           { return func(l *reconcile.Line) { l.OrderNo = no } }
func bill(no string) change            { return func(l *reconcile.Line) { l.BillNo = no } }
func flow(no string) change            { return func(l *reconcile.Line) { l.Flow = no } }
func file(n uint16) change             { return func(l *reconcile.Line) { l.File = n } }
func typed(t string) change            { return func(l *reconcile.Line) { l.Type = t } }
func channelNo(no string) change       { return func(l *reconcile.Line) { l.ChannelNo = no } }
func trade(l *reconcile.Line)          { l.Source = reconcile.Trade }
func back(l *reconcile.Line)           { l.Back = true }
func minus(l *reconcile.Line)          { l.Minus = true }

// books are the lines of a case.
type books [3][]reconcile.Line

func base(order string) reconcile.Line {
	return reconcile.Line{OrderNo: order, BillNo: "B" + order, CardNo: "C1", Amount: 10000, Method: "transfer", Channel: "wechat",
		Status: reconcile.Succeeded, At: at("10:00:00")}
}

func with(l reconcile.Line, changes []change) reconcile.Line {
	for _, c := range changes {
		c(&l)
	}
	return l
}

func (b books) p(order string, changes ...change) books {
	b[0] = append(slices.Clone(b[0]), with(base(order), changes))
	return b
}

func (b books) c(order string, changes ...change) books {
	l := base(order)
	l.OrderNo, l.CardNo, l.Type, l.Flow = "", "", "商家转账", "F"+order
	b[1] = append(slices.Clone(b[1]), with(l, changes))
	return b
}

func (b books) h(order string, changes ...change) books {
	l := base(order)
	l.HISNo = "H" + order
	b[2] = append(slices.Clone(b[2]), with(l, changes))
	return b
}

func clean(order string) books { return books{}.p(order).c(order).h(order) }

func run(t testing.TB, b books, opt reconcile.Options) *reconcile.Result {
	t.Helper()
	e, err := reconcile.New(opt)
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Bill("wechat"); err != nil {
		t.Fatal(err)
	}
	for i, lines := range b {
		for _, l := range lines {
			if err := e.Add(reconcile.Book(i), l); err != nil {
				t.Fatal(err)
			}
		}
	}
	return ended(t, e)
}

// ended runs an engine.
func ended(t testing.TB, e *reconcile.Engine) *reconcile.Result {
	t.Helper()
	res, err := e.Run()
	if err != nil {
		t.Fatal(err)
	}
	return res
}

// told writes the differences as "order kind+also".
func told(res *reconcile.Result) string {
	var out []string
	for _, d := range res.Differences {
		text := d.OrderNo + d.Kind.String()
		if d.OrderNo == "" {
			text = "?" + d.BillNo + d.Kind.String()
		}
		for _, k := range d.Also {
			text += "+" + k.String()
		}
		out = append(out, text)
	}
	return strings.Join(out, " ")
}

func TestKinds(t *testing.T) {
	failed, pending := status(reconcile.Failed), status(reconcile.Pending)
	for _, c := range []struct {
		name string
		in   books
		want string
	}{
		{"三方一致", clean("R"), ""},
		{"平台重复", clean("R").p("R"), "Rduplicate"},
		{"HIS 重复扣减", clean("R").h("R"), "Rduplicate"},
		{"渠道同一文件里付了两次", clean("R").c("R", flow("F2")), "Rduplicate"},
		{"渠道同一流水在同一文件里出现两次", clean("R").c("R"), "Rduplicate"},
		{"失败后换号重退，渠道只付一次", books{}.p("R", failed).p("R", bill("BR2")).c("R", bill("BR2")).h("R", bill("")), ""},
		{"失败的号也付了钱，即重复付款", books{}.p("R", failed).p("R", bill("BR2")).c("R").c("R", bill("BR2"), flow("F2")).h("R", bill("")), "Rduplicate"},
		{"两个退款单用同一个商户单号", clean("R").p("S", bill("BR")), "Rduplicate Sduplicate+only_platform"},
		{"只有平台", books{}.p("R"), "Ronly_platform"},
		{"只有渠道", books{}.c("R"), "?BRonly_channel"},
		{"只有 HIS", books{}.h("R"), "Ronly_his"},
		{"平台缺失", books{}.c("R").h("R"), "Rmissing_platform"},
		{"渠道缺失", books{}.p("R").h("R"), "Rmissing_channel"},
		{"HIS 缺失", books{}.p("R").c("R"), "Rmissing_his"},
		{"HIS 没有商户单号，按退款单号对上", books{}.p("R").c("R").h("R", bill("")), ""},
		{"HIS 的商户单号别处没有，按退款单号对上", books{}.p("R").c("R").h("R", bill("HIS-CALL-1")), ""},
		{"HIS 退款单号写错，商户单号对得上", books{}.p("R").c("R").h("X", bill("BR")), ""},
		{"平台没有，HIS 的商户单号对上渠道", books{}.c("R").h("R9", bill("BR")), "R9missing_platform"},
		{"金额不符", books{}.p("R").c("R").h("R", amount(9999)), "Ramount"},
		{"金额不符又扣错卡", books{}.p("R").c("R").h("R", amount(9999), card("C2")), "Ramount+card"},
		{"平台失败，渠道已付，HIS 成功", books{}.p("R", failed).c("R").h("R"), "Rstate"},
		{"平台失败，HIS 成功，渠道未付", books{}.p("R", failed).h("R"), "Rstate"},
		{"平台失败，渠道已付，HIS 没有", books{}.p("R", failed).c("R"), "Rstate"},
		{"平台处理中，HIS 失败", books{}.p("R", pending).h("R", failed), "Rstate"},
		{"平台、HIS 都失败", books{}.p("R", failed).h("R", failed), ""},
		{"只有平台的失败单", books{}.p("R", failed), ""},
		{"只有 HIS 的处理中单", books{}.h("R", pending), ""},
		{"渠道付后退回", clean("R").c("R", back, flow("F2"), typed("商家转账回退")), "Rstate"},
		{"渠道付后退回，两边都已记失败", books{}.p("R", failed).h("R", failed).c("R").c("R", back, flow("F2"), typed("商家转账回退")), ""},
		{"渠道付后退回一部分", clean("R").c("R", back, flow("F2"), typed("商家转账回退"), amount(4000)), "Ramount"},
		{"重复付款，多付的已退回", clean("R").c("R", flow("F2")).c("R", back, flow("F3"), typed("商家转账回退")), ""},
		{"手续费行带着同一单号", clean("R").c("R", flow("F2"), typed("手续费"), amount(10)), ""},
		{"HIS 记成支付宝", books{}.p("R").c("R").h("R", on("alipay")), "Rchannel"},
		{"平台记成支付宝，微信账单里付了", books{}.p("R", on("alipay")).c("R").h("R"), "Rchannel"},
		{"HIS 记成原路退", books{}.p("R").c("R").h("R", by("original")), "Rmethod"},
		{"账单不说明方式，不比", books{}.p("R").c("R", by("")).h("R"), ""},
		{"扣错卡", books{}.p("R").c("R").h("R", card("C2")), "Rcard"},
		{"HIS 早了两天", books{}.p("R").c("R").h("R", clock("21 06:00:00")), "Rtime"},
		{"HIS 记在前一日", books{}.p("R").c("R").h("R", clock("22 20:00:00")), "Rtime"},
		{"往日付款今日退回", clean("R").c("S", back, typed("退款关闭"), flow("F2")), "?BSstate"},
		{"往日付款今日退回，在两份账单里", clean("R").c("S", back, typed("退款退回"), flow("F2")).c("S", back, typed("退款"), flow("T2"), trade, file(1)), "?BSstate"},
		{"往日付款今日退回，两边都已记失败", books{}.c("S", back, typed("退款关闭")).p("S", failed).h("S", failed), ""},
		{"往日付款今日退回，平台仍记成功", books{}.c("S", back, typed("退款关闭")).p("S").h("S"), "Sstate"},
		{"付后退回，名目是别的", clean("R").c("R", back, flow("F2"), typed("其他收入")), "Rstate"},
		{"退回的手续费带着同一单号", clean("R").c("R", back, flow("F2"), typed("退手续费"), amount(60)), ""},
		{"退回的手续费，名目是别的", clean("R").c("R", back, flow("F2"), typed("其他收入"), amount(60)), ""},
		{"往日的手续费退回", clean("R").c("S", back, typed("交易手续费退回"), amount(60)), ""},
		{"扣除的手续费，业务名称是退款", clean("R").c("R", flow("F2"), amount(60), func(l *reconcile.Line) { l.Name, l.Type = "退款", "扣除交易手续费" }), ""},
		{"手工的企业付款", clean("R").c("X", typed("企业付款到零钱")), "?BXonly_channel"},
		{"更名的转账", clean("R").c("X", typed("商家转账到余额")), "?BXonly_channel"},
		{"充值提现是其他业务", clean("R").c("X", func(l *reconcile.Line) { l.Name, l.Type = "充值/提现", "提现" }).c("Y", back, typed("充值")), ""},
		{"账户少付了代金券的部分", books{}.p("R").h("R").c("R", amount(9966), typed("退款")).c("R", trade, flow("T1"), typed("退款"), file(1)), ""},
		{"账户比账单多付", books{}.p("R").h("R").c("R", amount(10034)).c("R", trade, flow("T1"), file(1)), "Ramount"},
		{"HIS 全是负数", books{}.p("R").c("R").h("R", minus), ""},
		{"HIS 的退款为负，充值为正", books{}.p("R").c("R").h("R", minus).h("S", amount(50000)), ""},
		{"HIS 的退款为正，有一笔冲正", clean("R").h("R", minus), "Rstate"},
		{"HIS 的退款为正，冲正后两边都没付", books{}.h("R").h("R", minus).p("S").c("S").h("S"), ""},
		{"HIS 重复扣减后冲正一笔", clean("R").h("R").h("R", minus), ""},

		{"现金只核对两方", books{}.p("R", on("cash")).h("R", on("cash")), ""},
		{"现金只有 HIS", books{}.h("R", on("现金")), "Ronly_his"},
		{"现金金额不符", books{}.p("R", on("cash")).h("R", on("cash"), amount(1)), "Ramount"},
		{"没给支付宝账单，只核对两方", books{}.p("R", on("alipay")).h("R", on("alipay")), ""},
		{"资金账单和交易账单里是同一笔", clean("R").c("R", trade, flow("T1"), typed("退款"), file(1)), ""},
		{"重叠下载的同一流水", clean("R").c("R", file(1)), ""},
		{"两个账户各付了一次", clean("R").c("R", flow("F2"), file(1)), "Rduplicate"},
		{"其他业务只计数", clean("R").c("X", typed("手续费")).c("Y", back, typed("交易")), ""},
		{"类型不在列表但单号对得上", books{}.p("R").c("R", typed("新业务")).h("R"), ""},
		{"账单凭证号是渠道自己的单号", books{}.p("R", channelNo("1310")).c("R", bill("1310"), channelNo("1310")).h("R"), ""},
		{"其他日期的记录放在一边", clean("R").p("O", clock("22 10:00:00")).h("O", clock("24 10:00:00")).c("N", clock("24 09:00:00")), ""},
		{"零点前，渠道次日入账", books{}.p("R", clock("23:58:00")).h("R", clock("23:57:00")), "Rday_cut+missing_channel"},
		{"零点前，渠道记在次日且在文件里", books{}.p("R", clock("23:58:00")).c("R", clock("24 00:03:00")).h("R", clock("23:57:00")), "Rday_cut"},
		{"零点后，昨日的付款今日入账", books{}.c("R", clock("00:04:00")), "?BRday_cut+only_channel"},
		{"零点前后且金额不符，先报金额", books{}.p("R", clock("23:58:00")).c("R", clock("24 00:03:00"), amount(1)).h("R", clock("23:57:00")),
			"Ramount+day_cut"},
		{"窗口之外不算跨日", books{}.p("R", clock("23:29:00")).h("R", clock("23:28:00")), "Rmissing_channel"},
		{"三方都在次日零点后，属于次日", books{}.p("R", clock("24 00:01:00")).c("R", clock("24 00:01:00")).h("R", clock("24 00:01:00")), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := told(run(t, c.in, reconcile.Defaults(day))); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// TestLedger_CountsOnceWhereTheAccountPaidLess: Alipay's ledger names the
// payment, and is short of the fee that came back.
func TestLedger_CountsOnceWhereTheAccountPaidLess(t *testing.T) {
	alipay := func(l *reconcile.Line) {
		l.Channel, l.Method, l.ChannelNo, l.Type = "alipay", "original", "T1", "交易退款"
	}
	ours := func(l *reconcile.Line) { l.Channel, l.Method, l.ChannelNo = "alipay", "original", "T1" }
	biz := func(l *reconcile.Line) {
		alipay(l)
		l.Source, l.Type, l.Flow = reconcile.Trade, "退款", "T1/"+l.BillNo
	}
	for _, c := range []struct {
		name string
		in   books
		want string
		sum  money.Fen
	}{
		{"一笔", books{}.p("R", ours).h("R", ours).c("R", biz).c("PAY", alipay, amount(9940)), "", 10000},
		{"两笔分次退", books{}.p("R", ours).h("R", ours).p("S", ours, amount(3000)).h("S", ours, amount(3000)).c("R", biz).c("S", biz, amount(3000)).
			c("PAY", alipay, amount(9940), flow("L1")).c("PAY", alipay, amount(2982), flow("L2")), "", 13000},
		{"只有账务明细", books{}.p("R", ours).h("R", ours).c("PAY", alipay, amount(9940)), "Ramount", 9940},
		{"账务明细多付了", books{}.p("R", ours).h("R", ours).c("R", biz).c("PAY", alipay, amount(10060)), "?BPAYonly_channel", 20060},
	} {
		e, err := reconcile.New(reconcile.Defaults(day))
		if err != nil {
			t.Fatal(err)
		}
		for i, lines := range c.in {
			for _, l := range lines {
				if err := e.Add(reconcile.Book(i), l); err != nil {
					t.Fatal(err)
				}
			}
		}
		res := ended(t, e)
		if got := told(res); got != c.want || res.Summary.Books[reconcile.Channel].Amount != c.sum {
			t.Errorf("%s: %q, want %q; channel %s", c.name, got, c.want, res.Summary.Books[reconcile.Channel].Amount)
		}
	}
}

func TestKinds_OwnNumbers(t *testing.T) {
	in := clean("R").c("X", bill("MZ1")).c("Y", back, bill("MZ2"), typed("退款退回")).c("Z", bill("BZ"))
	opt := reconcile.Defaults(day)
	if got := told(run(t, in, opt)); got != "?BZonly_channel ?MZ1only_channel ?MZ2state" {
		t.Errorf("all are ours: %s", got)
	}
	opt.Prefixes = []string{"B"}
	res := run(t, in, opt)
	if got := told(res); got != "?BZonly_channel" || res.Summary.Other.Count != 2 {
		t.Errorf("by prefix: %s, %+v", got, res.Summary.Other)
	}
}

func TestTimes_TheGapIsTold(t *testing.T) {
	for at, want := range map[string]string{"22 20:00:00": "相差 14 小时 0 分，不在同一个业务日", "21 06:00:00": "相差 2 天 4 小时，不在同一个业务日"} {
		d := run(t, books{}.p("R").c("R").h("R", clock(at)), reconcile.Defaults(day)).Differences
		if len(d) != 1 || !strings.Contains(d[0].Explain, want) {
			t.Errorf("%s: %+v", at, d)
		}
	}
	opt := reconcile.Defaults(day)
	opt.Tolerance = time.Minute
	if d := run(t, books{}.p("R").c("R", clock("10:02:00")).h("R"), opt).Differences; len(d) != 1 ||
		!strings.Contains(d[0].Explain, "相差 2 分 0 秒，超过容许时差") {
		t.Errorf("%+v", d)
	}
}

func TestKinds_OptionsDecide(t *testing.T) {
	late := books{}.p("R", clock("23:58:00")).h("R", clock("23:57:00"))
	opt := reconcile.Defaults(day)
	opt.Window = 0
	if got := told(run(t, late, opt)); got != "Rmissing_channel" {
		t.Errorf("no window: %s", got)
	}
	opt = reconcile.Defaults(day)
	opt.Tolerance = time.Minute
	if got := told(run(t, books{}.p("R").c("R", clock("10:02:00")).h("R"), opt)); got != "Rtime" {
		t.Errorf("small tolerance: %s", got)
	}
	opt = reconcile.Defaults(day)
	opt.Types = []string{"手续费"}
	if got := told(run(t, books{}.c("R").c("S", typed("手续费")), opt)); got != "?BSonly_channel" {
		t.Errorf("other types: %s", got)
	}
}

// TestAlipay_LedgerNamesThePayment: a refund in the ledger tells the payment's
// numbers only; the business bill tells the refund's.
func TestAlipay_LedgerNamesThePayment(t *testing.T) {
	ali := func(b books, no string) books {
		return b.p(no, on("alipay"), by("original")).h(no, on("alipay"), by("original"))
	}
	ledger := []change{on("alipay"), by("original"), bill("PAY1"), channelNo("T1"), typed("交易退款")}
	request := []change{on("alipay"), by("original"), channelNo("T1"), typed("退款"), trade, file(1)}
	both := ali(books{}, "R").c("L", append(ledger, flow("L1"))...).c("R", append(request, flow("T1/BR"))...)
	for _, c := range []struct {
		name string
		in   books
		want string
	}{
		{"两张账单是同一笔", both, ""},
		{"账务明细里多退一笔", both.c("L", append(ledger, flow("L2"))...), "?PAY1only_channel"},
		{"重叠下载的账务明细", both.c("L", append(ledger, flow("L1"), file(2))...), ""},
		{"同一笔付款两次部分退款", ali(both, "S").c("L", append(ledger, flow("L2"))...).c("S", append(request, flow("T1/BS"))...), ""},
		{"只有账务明细，平台知道交易号", books{}.p("R", on("alipay"), by("original"), channelNo("T1")).h("R", on("alipay"), by("original")).
			c("L", append(ledger, flow("L1"))...), ""},
		{"只有账务明细，平台不知道交易号", ali(books{}, "R").c("L", append(ledger, flow("L1"))...), "?PAY1only_channel Rmissing_channel"},
	} {
		t.Run(c.name, func(t *testing.T) {
			e, err := reconcile.New(reconcile.Defaults(day))
			if err != nil {
				t.Fatal(err)
			}
			if err := e.Bill("alipay"); err != nil {
				t.Fatal(err)
			}
			for i, lines := range c.in {
				for _, l := range lines {
					if err := e.Add(reconcile.Book(i), l); err != nil {
						t.Fatal(err)
					}
				}
			}
			if got := told(ended(t, e)); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestSummary_CountsOnceAndByChannel(t *testing.T) {
	in := clean("R").c("R", trade, flow("T1"), typed("退款"), file(1)).
		p("K", on("cash"), by("original"), amount(700)).h("K", on("cash"), by("original"), amount(700)).
		h("L", amount(300)).c("M", amount(50)).
		c("P", back, typed("交易"), amount(9)).c("Q", back, typed("商家转账回退"), amount(11)).h("N", amount(5), status(reconcile.Failed)).
		p("O", clock("20 10:00:00")).p("F", status(reconcile.Failed))
	s := run(t, in, reconcile.Defaults(day)).Summary
	want := reconcile.Summary{
		Day: day, Books: [3]reconcile.Sum{{Count: 2, Amount: 10700}, {Count: 2, Amount: 10050}, {Count: 3, Amount: 11000}},
		Orders: 7, Matched: 4, Idle: 2, SetAside: [3]reconcile.Sum{{Count: 1, Amount: 10000}}, Other: reconcile.Sum{Count: 1, Amount: 9},
		Returned: reconcile.Sum{Count: 1, Amount: 11},
		Unbilled: reconcile.Sum{Count: 1, Amount: 700}, Unbills: []string{"cash"}, Overage: 300, Shortage: 50,
		Channels: []reconcile.ChannelSum{
			{Channel: "cash", Method: "original", Books: [3]reconcile.Sum{{Count: 1, Amount: 700}, {}, {Count: 1, Amount: 700}}},
			{Channel: "wechat", Method: "transfer", Books: [3]reconcile.Sum{{Count: 1, Amount: 10000}, {Count: 2, Amount: 10050},
				{Count: 2, Amount: 10300}}, Differences: 3},
		},
	}
	want.Pairs = [3]reconcile.Pair{
		{A: reconcile.Platform, B: reconcile.Channel, Agree: reconcile.Sum{Count: 1, Amount: 10000}, OnlyB: reconcile.Sum{Count: 1, Amount: 50}},
		{A: reconcile.Platform, B: reconcile.HIS, Agree: reconcile.Sum{Count: 2, Amount: 10700}, OnlyB: reconcile.Sum{Count: 1, Amount: 300}},
		{A: reconcile.Channel, B: reconcile.HIS, Agree: reconcile.Sum{Count: 1, Amount: 10000}, OnlyA: reconcile.Sum{Count: 1, Amount: 50},
			OnlyB: reconcile.Sum{Count: 1, Amount: 300}},
	}
	want.Differences[reconcile.OnlyHIS], want.Differences[reconcile.OnlyChannel], want.Differences[reconcile.State] = 1, 1, 1
	if !reflect.DeepEqual(s, want) {
		t.Errorf("got  %+v\nwant %+v", s, want)
	}
}

func TestOrder_TellsBothSidesOfADuplicate(t *testing.T) {
	d := run(t, clean("R").c("R", flow("F2")), reconcile.Defaults(day)).Differences[0]
	if c := d.Books[reconcile.Channel]; c.Count != 2 || c.Amount != 20000 || d.Gap != -10000 {
		t.Errorf("%+v, gap %s", c, d.Gap)
	}
	if !strings.Contains(d.Explain, "短款 ¥100.00") || !strings.Contains(d.Explain, "重复付款") {
		t.Error(d.Explain)
	}
}

func TestAdd_RefusesWhatIsNoLine(t *testing.T) {
	e, err := reconcile.New(reconcile.Defaults(day))
	if err != nil {
		t.Fatal(err)
	}
	for name, l := range map[string]reconcile.Line{
		"no amount": with(base("R"), []change{amount(0)}), "negative": with(base("R"), []change{amount(-1)}),
		"huge":      with(base("R"), []change{amount(money.Max + 1)}),
		"no status": with(base("R"), []change{status(0)}), "bad status": with(base("R"), []change{status(9)}),
		"no number": with(base("R"), []change{order(""), bill("")}),
	} {
		if e.Add(reconcile.Platform, l) == nil {
			t.Errorf("%s was taken", name)
		}
	}
	for _, o := range []reconcile.Options{{Day: "2026-13-01"}, {Day: day, Window: 13 * time.Hour}, {Day: day, Tolerance: -1}} {
		if _, err := reconcile.New(o); err == nil {
			t.Errorf("%+v was taken", o)
		}
	}
}

func TestFeed_StopsAtTheFirstError(t *testing.T) {
	e, err := reconcile.New(reconcile.Defaults(day))
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	err = e.Feed(reconcile.HIS, func(yield func(reconcile.Line) error) error {
		for range 3 {
			n++
			if err := yield(reconcile.Line{}); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil || n != 1 {
		t.Errorf("%d lines, %v", n, err)
	}
}

// TestOrder_OfLinesDoesNotMatter draws small books full of collisions.
func TestOrder_OfLinesDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var in books
		for b := range in {
			for range rapid.IntRange(0, 12).Draw(rt, "n") {
				in[b] = append(in[b], drawn(rt, b))
			}
		}
		first := run(t, in, reconcile.Defaults(day))
		rnd := rand.New(rand.NewSource(rapid.Int64().Draw(rt, "seed")))
		for b := range in {
			rnd.Shuffle(len(in[b]), func(i, j int) { in[b][i], in[b][j] = in[b][j], in[b][i] })
		}
		again := run(t, in, reconcile.Defaults(day))
		if !reflect.DeepEqual(first.Differences, again.Differences) || !reflect.DeepEqual(first.Summary, again.Summary) {
			rt.Fatalf("%s\n%s\n%+v\n%+v", told(first), told(again), first.Summary, again.Summary)
		}
	})
}

func drawn(rt *rapid.T, b int) reconcile.Line {
	pick := func(what string, n int) int { return rapid.IntRange(0, n-1).Draw(rt, what) }
	l := reconcile.Line{
		BillNo: fmt.Sprint("B", pick("bill", 4)), Amount: money.Fen(1 + pick("amount", 2)), Status: reconcile.Status(1 + pick("status", 3)),
		Channel: []string{"wechat", "cash"}[pick("channel", 2)], Method: []string{"", "transfer"}[pick("method", 2)],
		CardNo: fmt.Sprint(pick("card", 2)),
		At:     at([]string{"00:01:00", "10:00:00", "23:59:00", "24 00:01:00", "21 10:00:00"}[pick("at", 5)]),
	}
	if b != 1 {
		l.OrderNo, l.HISNo = fmt.Sprint("R", pick("order", 4)), fmt.Sprint("H", pick("his", 3))
		return l
	}
	l.CardNo, l.Status, l.Channel, l.Type = "", reconcile.Succeeded, "wechat", []string{"商家转账", "手续费"}[pick("type", 2)]
	l.Back, l.File, l.Source, l.Flow = pick("back", 3) == 0, uint16(pick("file", 2)), reconcile.Source(pick("source", 2)),
		fmt.Sprint("F", l.BillNo, l.Amount, pick("flow", 2))
	return l
}
