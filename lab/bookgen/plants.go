package bookgen

import "time"

// plant is a way to spoil an order. change reports whether a difference must
// be found.
type plant struct {
	kind, name, channel string
	change              func(d *Day, e *entry) bool
}

// changed wraps a change that always leaves a difference.
func changed(f func(d *Day, e *entry)) func(*Day, *entry) bool {
	return func(d *Day, e *entry) bool { f(d, e); return true }
}

// Names lists the planted differences with their kinds.
func Names() (out [][2]string) {
	for _, p := range plants {
		out = append(out, [2]string{p.name, p.kind})
	}
	return out
}

// plants are the ways to spoil an order, some kinds in several ways.
var plants = []plant{
	{"duplicate", "平台重复一行", "", changed(func(_ *Day, e *entry) { e.p = append(e.p, e.p[0]) })},
	{"duplicate", "HIS重复扣减", "", changed(func(_ *Day, e *entry) {
		again := e.h[0]
		again.HIS, again.At = again.HIS+"9", again.At.Add(time.Minute)
		e.h = append(e.h, again)
	})},
	{"duplicate", "渠道付了两次", "wechat", changed(func(_ *Day, e *entry) {
		e.transfer()
		again := e.c[0]
		again.Flow, again.No = again.Flow+"9", again.No+"9"
		e.c = append(e.c, again)
	})},
	{"only_platform", "只有平台有", "", changed(func(_ *Day, e *entry) { e.c, e.h = nil, nil })},
	{"only_platform", "现金只有平台有", "cash", changed(func(_ *Day, e *entry) { e.c, e.h = nil, nil })},
	{"only_channel", "只有渠道有", "", changed(func(_ *Day, e *entry) { e.p, e.h = nil, nil })},
	{"only_his", "只有HIS有", "", changed(func(_ *Day, e *entry) { e.p, e.c = nil, nil })},
	{"only_his", "现金只有HIS有", "cash", changed(func(_ *Day, e *entry) { e.p, e.c = nil, nil })},
	{"missing_platform", "平台没有", "", changed(func(_ *Day, e *entry) { e.p = nil })},
	{"missing_channel", "渠道没有", "", changed(func(_ *Day, e *entry) { e.c = nil })},
	{"missing_his", "HIS没有", "", changed(func(_ *Day, e *entry) { e.h = nil })},
	{"amount", "HIS金额不同", "", changed(func(_ *Day, e *entry) { e.h[0].Fen++ })},
	{"amount", "平台金额不同", "", changed(func(_ *Day, e *entry) { e.p[0].Fen += 100 })},
	{"amount", "渠道少付", "", changed(func(d *Day, e *entry) { e.c[0].Fen += 1 + d.rnd.Int63n(100) })},
	{"amount", "金额和卡号都不同", "", changed(func(_ *Day, e *entry) { e.h[0].Fen++; e.h[0].Card = "C9999999" })},
	{"state", "平台失败而渠道已付", "", changed(func(_ *Day, e *entry) { e.p[0].Status = "failed" })},
	{"state", "平台处理中而两边成功", "", changed(func(_ *Day, e *entry) { e.p[0].Status = "pending" })},
	{"state", "HIS失败而渠道已付", "", changed(func(_ *Day, e *entry) { e.h[0].Status = "failed" })},
	{"state", "渠道未付HIS成功平台失败", "", changed(func(_ *Day, e *entry) { e.p[0].Status, e.c = "failed", nil })},
	{"state", "渠道付后退回", "wechat", changed(func(_ *Day, e *entry) {
		e.transfer()
		back := e.c[0]
		back.In, back.Name, back.Flow, back.At = true, "商家转账回退", back.Flow+"B", back.At.Add(time.Minute)
		e.c = append(e.c, back)
	})},
	{"channel", "HIS记成另一渠道", "", changed(func(_ *Day, e *entry) {
		e.h[0].Channel = map[string]string{"wechat": "alipay", "alipay": "wechat"}[e.h[0].Channel]
	})},
	{"channel", "HIS记成现金", "", changed(func(_ *Day, e *entry) { e.h[0].Channel = "cash" })},
	{"method", "HIS记成另一方式", "", changed(func(_ *Day, e *entry) {
		e.h[0].Method = map[string]string{"transfer": "original", "original": "transfer"}[e.h[0].Method]
	})},
	{"card", "HIS扣错卡", "", changed(func(_ *Day, e *entry) { e.h[0].Card = "C8888888" })},
	{"time", "HIS记在三十小时前", "", changed(func(_ *Day, e *entry) { e.h[0].At = e.h[0].At.Add(-48 * time.Hour) })},
	{"time", "平台晚两天补记", "", changed(func(_ *Day, e *entry) { e.p[0].At = e.p[0].At.Add(50 * time.Hour) })},
	{"day_cut", "渠道次日入账", "", changed(func(d *Day, e *entry) { e.late(d); e.c = nil })},
	{"day_cut", "HIS次日记账", "", changed(func(d *Day, e *entry) { e.late(d); e.h[0].At = d.Date.AddDate(0, 0, 1).Add(3 * time.Minute) })},
	{"day_cut", "渠道前一日入账", "", changed(func(d *Day, e *entry) {
		e.p[0].At, e.h[0].At = d.Date.Add(4*time.Minute), d.Date.Add(2*time.Minute)
		e.c = nil
	})},
	{"day_cut", "昨日深夜的付款今日入账", "", changed(func(d *Day, e *entry) { e.c[0].At = d.Date.Add(5 * time.Minute); e.p, e.h = nil, nil })},
}

// transfer makes the order a transfer, which only the fund-flow bill holds.
func (e *entry) transfer() {
	for _, rows := range [][]Row{e.p, e.c, e.h} {
		for i := range rows {
			rows[i].Method = "transfer"
		}
	}
}

// late moves the order to the last minutes of the day.
func (e *entry) late(d *Day) {
	at := d.Date.AddDate(0, 0, 1).Add(-time.Duration(60+d.rnd.Intn(1500)) * time.Second)
	e.p[0].At, e.c[0].At, e.h[0].At = at, at.Add(time.Second), at.Add(-time.Second)
}
