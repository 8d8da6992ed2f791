package reconcile

import (
	"fmt"
	"strings"
	"time"

	"hospay/calendar"
	"hospay/money"
)

// explain writes the sentence for people: the likely cause, what it means for
// the money (长款 overage, 短款 shortage) and who should do what next.
func (e *shard) explain(v *view, o Order) string {
	var text string
	switch k := o.Kind; {
	case k == DayCut:
		text = e.explainCut(v)
	case k == Duplicate:
		text = explainDuplicate(v, textsOf(v.methodName(e)).twice)
	case k.Lacks():
		text = textsOf(v.methodName(e)).lacks[k]
	case k == Amount:
		text = e.explainAmount(v)
	case k == State && v.backAlone():
		text = fmt.Sprintf("渠道把往日付出的 %s 退回了商户账户，平台和 HIS 本日都没有这笔；请查往日的这张退款单，恢复患者余额或重新退款", v.sides[Channel].amount)
	case k == State && v.apart():
		text = "HIS 拒绝了这笔，平台已把钱退回，而 HIS 的账里有它；请核对患者的费用状态，在 HIS 冲正，或说明原因后处理"
	case k == State:
		text = explainState(v, textsOf(v.methodName(e)).state)
	case k == Time:
		text = e.list(v, "时间", func(r *row) string { return clock(r.at) }) + "，" + e.explainGap(v) + "；请核对各系统时钟和是否补录，记在别日的与该日一并核对"
	default:
		text = e.explainField(v, k)
	}
	return text + e.explainMoney(v, o.Kind) + e.explainFar(v)
}

// explainFar tells where a book that lacks the order dates it.
func (e *shard) explainFar(v *view) string {
	var b strings.Builder
	for _, book := range Books {
		if s := &v.sides[book]; s.rep == nil && s.far != nil {
			fmt.Fprintf(&b, "%s把它记在 %s，不属于本日，请与该日一并核对。", book.Chinese(), clock(s.far.at))
		}
	}
	return b.String()
}

// explainCut tells which clock moved the order to which day.
func (e *shard) explainCut(v *view) string {
	var here, there []string
	for _, b := range Books {
		switch s := &v.sides[b]; {
		case s.rep == nil && v.expected[b]:
			there = append(there, b.Chinese()+"当日没有")
		case s.rep == nil:
		case s.rep.place == inDay:
			here = append(here, b.Chinese()+" "+clock(s.rep.at))
		default:
			there = append(there, b.Chinese()+" "+clock(s.rep.at))
		}
	}
	return fmt.Sprintf("零点前后入账：%s；%s。多半是各系统时钟或入账先后所致，请%s", strings.Join(here, "，"), strings.Join(there, "，"), e.neighbour(v))
}

// neighbour names the day whose files should hold the rest.
func (e *shard) neighbour(v *view) string {
	for _, s := range v.sides {
		if s.rep == nil || s.rep.place == far {
			continue
		}
		day := "后一日"
		if s.rep.at < e.from+(e.to-e.from)/2 {
			day = "前一日"
		}
		return "在" + day + "的文件中找同号记录，找到即平"
	}
	return "在相邻日的文件中找同号记录"
}

func explainDuplicate(v *view, advice [books]string) string {
	var parts []string
	for _, b := range Books {
		if s := &v.sides[b]; s.count > 1 {
			parts = append(parts, fmt.Sprintf("%s有 %d 笔成功记录，合计 %s（%s）", b.Chinese(), s.count, s.amount, advice[b]))
		}
	}
	if v.order.twice {
		parts = append(parts, "同一商户单号出现在多个订单下（请查导出口径或接口重复）")
	}
	return strings.Join(parts, "；")
}

// explainGap tells how far apart the books are.
func (e *shard) explainGap(v *view) string {
	first, last, days := int64(0), int64(0), false
	for _, s := range v.sides {
		if s.rep == nil {
			continue
		}
		if at := s.rep.at; first == 0 {
			first, last = at, at
		} else {
			first, last = min(first, at), max(last, at)
		}
		days = days || s.rep.place == far
	}
	text := "相差 " + duration(last-first)
	if days {
		return text + "，不在同一个业务日"
	}
	return text + "，超过容许时差"
}

// duration writes seconds in days, hours and minutes.
func duration(sec int64) string {
	d, h, m := sec/86400, sec/3600%24, sec/60%60
	switch {
	case d > 0:
		return fmt.Sprintf("%d 天 %d 小时", d, h)
	case h > 0:
		return fmt.Sprintf("%d 小时 %d 分", h, m)
	case m > 0:
		return fmt.Sprintf("%d 分 %d 秒", m, sec%60)
	}
	return fmt.Sprintf("%d 秒", sec)
}

func (e *shard) explainAmount(v *view) string {
	var parts []string
	for _, b := range Books {
		if s := &v.sides[b]; s.rep != nil {
			text := fmt.Sprintf("%s %s", b.Chinese(), s.amount)
			if paid := s.rep.paid; paid > 0 {
				text += fmt.Sprintf("（账户实付 %s，其余由代金券或退回的手续费承担）", paid)
			}
			parts = append(parts, text)
		}
	}
	return "金额不一致：" + strings.Join(parts, "，") + "；请以渠道实付为准查明差额" + odd(v)
}

// odd names the book that stands against two equal ones.
func odd(v *view) string {
	var a [books]money.Fen
	for i, s := range v.sides {
		if s.rep == nil {
			return ""
		}
		a[i] = s.amount
	}
	switch {
	case a[Channel] == a[HIS]:
		return "并更正平台"
	case a[Platform] == a[Channel]:
		return "并更正 HIS"
	case a[Platform] == a[HIS]:
		return "，渠道与两边都不同，可能少付或多付"
	}
	return ""
}

func explainState(v *view, advice [4]string) string {
	var parts []string
	for _, b := range Books {
		switch s := &v.sides[b]; {
		case s.rep == nil:
			if v.expected[b] {
				parts = append(parts, b.Chinese()+"没有")
			}
		case s.returned && b == Channel:
			parts = append(parts, b.Chinese()+"已退回（付款后钱又退回商户）")
		case s.returned:
			parts = append(parts, b.Chinese()+"已冲正（有一笔相反的记录）")
		default:
			parts = append(parts, b.Chinese()+s.status.Chinese())
		}
	}
	return "状态不一致：" + strings.Join(parts, "，") + "；" + stateAdvice(v, advice)
}

// stateAdvice trusts the channel, which holds the money.
func stateAdvice(v *view, advice [4]string) string {
	switch ch := &v.sides[Channel]; {
	case ch.rep != nil && ch.returned:
		return advice[0]
	case ch.rep != nil:
		return advice[1]
	case v.expected[Channel]:
		return advice[2]
	}
	return advice[3]
}

// explainField names the values of a field that differ.
func (e *shard) explainField(v *view, k Kind) string {
	switch k {
	case WrongChannel:
		return e.list(v, "渠道", func(r *row) string { return ChannelChinese(e.names.get(r.channel)) }) + "；请以账单所属渠道为准更正"
	case Method:
		return e.list(v, "方式", func(r *row) string { return MethodChinese(e.names.get(r.method)) }) + "；请以账单为准更正登记的退款方式"
	}
	return e.list(v, "卡号", func(r *row) string { return e.texts.get(r.card) }) + "；可能扣错卡，请核对患者并更正 HIS 记账"
}

func (e *shard) list(v *view, what string, text func(*row) string) string {
	var parts []string
	for _, b := range Books {
		if r := v.sides[b].rep; r != nil && text(r) != "" {
			parts = append(parts, b.Chinese()+" "+text(r))
		}
	}
	return what + "不一致：" + strings.Join(parts, "，")
}

// ChannelChinese names a channel on forms.
func ChannelChinese(c string) string {
	switch c {
	case ChannelWeChat:
		return "微信"
	case ChannelAlipay:
		return "支付宝"
	case ChannelHand:
		return "线下"
	case "cash":
		return "现金"
	}
	return c
}

// MethodChinese names a method on forms.
func MethodChinese(m string) string {
	switch m {
	case MethodOriginal:
		return "原路退"
	case MethodTransfer:
		return "转账退"
	case MethodPay:
		return "缴费"
	case MethodBack:
		return "退费"
	}
	return m
}

func clock(at int64) string { return time.Unix(at, 0).In(calendar.Beijing).Format(time.DateTime) }
