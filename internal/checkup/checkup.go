// Package checkup asks the other sides whether they can be reached and
// understand us. It reads, or asks for numbers that cannot exist, and moves no
// money but in Move, which the probe of a test card uses.
package checkup

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"hospay/channels"
	"hospay/flow"
	"hospay/refund"
)

// Step is one question with its answer, in Chinese.
type Step struct {
	Name string `json:"name"`
	OK   bool   `json:"ok"`
	MS   int64  `json:"ms"`
	Said string `json:"said"`
}

// List collects steps. Each is told as soon as it is done, when set.
type List struct {
	Steps []Step
	Each  func(Step)
}

// Failed counts the steps that did not succeed.
func (l *List) Failed() (n int) {
	for _, s := range l.Steps {
		if !s.OK {
			n++
		}
	}
	return n
}

func (l *List) step(name string, f func() (string, error)) {
	start := time.Now()
	said, err := f()
	s := Step{Name: name, OK: err == nil, MS: time.Since(start).Milliseconds(), Said: said}
	if err != nil {
		s.Said = words(err)
	}
	l.Steps = append(l.Steps, s)
	if l.Each != nil {
		l.Each(s)
	}
}

// words explains a failure of HIS to people.
func words(err error) string {
	switch flow.CodeOf(err) {
	case flow.CodeHISUnavailable:
		if e, ok := errors.AsType[*flow.Error](err); ok && e.Detail != "" { // which call and which field
			return "HIS 没有给出可信的应答（" + e.Detail + "）"
		}
		return "HIS 没有给出可信的应答"
	case flow.CodePatientNotFound:
		return "HIS 没有查到这位患者"
	}
	return flow.WordsOf(err)
}

// impossible is a number that hospay never gives: its orders begin with R.
func impossible() string { return fmt.Sprintf("CHECK%019d", rand.Int64()) }

// Channel asks a channel for a payout that cannot exist. WeChat answers 404
// NOT_FOUND, Alipay ORDER_NOT_EXIST; either proves that the address is right,
// that our signature was accepted and that the answer is the channel's.
func Channel(ctx context.Context, c channels.Channel) *List {
	l := &List{}
	l.step("查询一个不存在的单号", func() (string, error) {
		no := impossible()
		p := refund.Payout{No: no, Method: refund.MethodTransfer, Amount: 1}
		if !canTransfer(c) {
			p.Method, p.Original = refund.MethodOriginal, &refund.Payment{TradeNo: no}
		}
		a := c.Query(ctx, p)
		switch {
		case a.Verdict != flow.Done:
			return "", fmt.Errorf("%s（%s）", a.Reason.Message, a.Reason.Code)
		case a.State != refund.PayoutNotFound:
			return "", fmt.Errorf("应为查无此单，得到 %s", a.State)
		}
		return "地址可达，签名被接受，应答可信", nil
	})
	return l
}

func canTransfer(c channels.Channel) bool {
	for _, m := range c.Capabilities().Methods {
		if m == refund.MethodTransfer {
			return true
		}
	}
	return false
}

// Ping asks a HIS something that it can answer without a patient: for a number
// that cannot exist, or where it cannot be asked for numbers, for a card.
func Ping(ctx context.Context, his refund.HIS, traits refund.HISTraits) error {
	no := impossible()
	if traits.Queryable {
		a := his.QueryDebit(ctx, refund.Debit{No: no, OrderNo: no, CardNo: "0", Amount: 1, Method: refund.MethodTransfer, Channel: "wechat"})
		if a.Verdict != flow.Done {
			return errors.New(strings.TrimSpace("HIS 没有给出可信的应答 " + a.Reason.Code))
		}
		return nil
	}
	if _, err := his.Card(ctx, "0"); flow.CodeOf(err) == flow.CodeHISUnavailable {
		return errors.New("HIS 没有给出可信的应答")
	}
	return nil
}
