package channels

import (
	"context"
	"errors"
	"fmt"
	"net"
	"regexp"
	"slices"

	"hospay/flow"
	"hospay/internal/foreign"
	"hospay/internal/wire"
	"hospay/refund"
)

// Codes of our own that a Reason may carry beside the channel's.
const (
	CodeNotSupported = "not_supported" // the channel has no such call
	CodeBadPayout    = "bad_payout"    // our own check refused the payout before sending it
	CodeNoAnswer     = "no_answer"     // timeout, reset, wrong signature, unreadable …
	CodeMismatch     = "mismatch"      // the answer speaks of another number
	CodeUnclear      = "unclear"       // the answer can be read in more than one way
	CodePanic        = "panic"         // a bug, caught
	CodeUnspecified  = "unspecified"   // the channel gave no code
)

// Rule is what one code of a channel means to us.
type Rule struct {
	Verdict flow.Verdict
	Actor   flow.Actor
	Hold    bool
	Words   string // Chinese, for staff
}

// Codes maps the codes of a channel to their rules. What it does not list is
// Unknown: a code never seen before proves nothing.
type Codes map[string]Rule

// Reason explains a code: our words for it, then the other side's, scrubbed.
// An unlisted code is for the reviewer to look at.
func (c Codes) Reason(code, words string, private ...string) flow.Reason {
	r, ok := c[code]
	if !ok {
		r = Rule{Actor: flow.ActorReviewer, Words: "渠道返回了未登记的代码"}
	}
	if code == "" {
		code = CodeUnspecified
	}
	text := r.Words
	if w := foreign.Scrub(words, private...); w != "" && w != r.Words {
		text += "：" + w
	}
	return flow.Reason{Code: foreign.Scrub(code, private...), Message: text, Actor: r.Actor, Hold: r.Hold}
}

// Answer is the outcome that a code stands for. A code that proves nothing, but
// asks somebody to act, counts as denied: it may be said for ever.
func (c Codes) Answer(code, words string, private ...string) refund.PayoutAnswer {
	a := refund.PayoutAnswer{Verdict: c[code].Verdict, Reason: c.Reason(code, words, private...)}
	a.Reason.Denied = a.Verdict == flow.Unknown && a.Reason.Actor != flow.ActorNone && code != ""
	return a
}

// Failure is the reason of a payout that the channel calls finally failed. It
// is never on hold: a new attempt needs a new number.
func (c Codes) Failure(code, words string, private ...string) flow.Reason {
	r := c.Reason(code, words, private...)
	r.Hold = false
	if r.Actor == flow.ActorNone {
		r.Actor = flow.ActorReviewer
	}
	return r
}

// NoAnswer is the outcome of a call without a proper answer.
func NoAnswer(err error) refund.PayoutAnswer {
	return doubt(CodeNoAnswer, "渠道没有给出可信的应答："+kindOf(err), flow.ActorNone)
}

// Mismatch is the outcome of an answer about something that was not asked.
func Mismatch(what string) refund.PayoutAnswer {
	return doubt(CodeMismatch, "渠道应答与请求不符："+what, flow.ActorIT)
}

// OfQuery keeps a query from refusing anything: that the question was refused
// says nothing about the payout.
func OfQuery(a refund.PayoutAnswer) refund.PayoutAnswer {
	if a.Verdict == flow.Refused {
		a.Verdict, a.Reason.Hold = flow.Unknown, false
	}
	return a
}

// NotSupported is the outcome of a call that the channel does not have.
func NotSupported(words string) refund.PayoutAnswer {
	return refund.PayoutAnswer{Verdict: flow.Refused, Reason: flow.Reason{Code: CodeNotSupported, Message: words}}
}

// BadPayout is the outcome of a payout that must not be sent as it is.
func BadPayout(actor flow.Actor, words string) refund.PayoutAnswer {
	return refund.PayoutAnswer{Verdict: flow.Refused, Reason: flow.Reason{Code: CodeBadPayout, Message: words, Actor: actor}}
}

func doubt(code, words string, actor flow.Actor) refund.PayoutAnswer {
	return refund.PayoutAnswer{Reason: flow.Reason{Code: code, Message: words, Actor: actor}}
}

// Unclear is the outcome of an answer that can be read in more than one way.
func Unclear(words string) refund.PayoutAnswer { return doubt(CodeUnclear, words, flow.ActorFinance) }

// Recover turns a panic into an unknown outcome. Defer it directly.
func Recover(a *refund.PayoutAnswer) {
	if r := recover(); r != nil {
		*a = doubt(CodePanic, "处理渠道应答时程序出错，按结果未知处理", flow.ActorIT)
	}
}

// RecoverError turns a panic into the given error. Defer it directly.
func RecoverError(err *error, as error) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("%w: panic", as)
	}
}

// Unavailable wraps a transport or format error without its details, which may
// hold addresses or secrets.
func Unavailable(err error) error { return fmt.Errorf("%w: %s", ErrUnavailable, kindOf(err)) }

// kindOf names the kind of an error and nothing else of it.
func kindOf(err error) string {
	var n net.Error
	for known, words := range map[error]string{
		context.Canceled: "已取消", wire.ErrRedirect: "重定向被拒绝", wire.ErrTooLarge: "应答过大",
		ErrHost: "主机不在允许范围", wire.ErrAddress: "地址不在允许范围",
	} {
		if errors.Is(err, known) {
			return words
		}
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded) || (errors.As(err, &n) && n.Timeout()):
		return "超时"
	case errors.As(err, &n):
		return "网络故障"
	}
	return "连接、签名或格式不正确"
}

var payoutNo = regexp.MustCompile(`^[0-9A-Za-z]{1,32}$`)

// CheckPayout finds what every channel would refuse: it returns the outcome
// and false, or true when the payout may be sent.
func CheckPayout(p refund.Payout, caps refund.Capabilities, accounts ...refund.AccountType) (refund.PayoutAnswer, bool) {
	bad := func(actor flow.Actor, words string) (refund.PayoutAnswer, bool) {
		return BadPayout(actor, words), false
	}
	switch {
	case !payoutNo.MatchString(p.No):
		return bad(flow.ActorIT, "支付单号只能是 32 位以内的字母和数字")
	case !slices.Contains(caps.Methods, p.Method):
		return bad(flow.ActorIT, "该渠道未开通此退款方式")
	case p.Amount <= 0:
		return bad(flow.ActorIT, "金额必须大于 0")
	}
	if p.Method == refund.MethodOriginal {
		o := p.Original
		if o == nil || (o.TradeNo == "" && o.ChannelNo == "") {
			return bad(flow.ActorReviewer, "原路退缺少原支付单号")
		}
		if o.Amount > 0 && p.Amount > o.Amount {
			return bad(flow.ActorReviewer, "退款金额超过原支付金额")
		}
		return refund.PayoutAnswer{}, true
	}
	switch {
	case !slices.Contains(accounts, p.Payee.Type) || p.Payee.Account == "":
		return bad(flow.ActorPatient, "收款账号类型不适用于该渠道")
	case p.Amount < caps.MinAmount:
		return bad(flow.ActorReviewer, "金额低于渠道的单笔下限")
	case caps.SingleLimit > 0 && p.Amount > caps.SingleLimit:
		return bad(flow.ActorReviewer, "金额超过渠道的单笔上限")
	case caps.NameFrom > 0 && p.Amount >= caps.NameFrom && p.Payee.Name == "":
		return bad(flow.ActorReviewer, "该金额必须提供收款人姓名")
	}
	return refund.PayoutAnswer{}, true
}

// Clip cuts a text to n characters, so that a repeat sends the same text.
func Clip(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n])
	}
	return s
}
