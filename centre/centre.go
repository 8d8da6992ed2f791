// Package centre speaks to the insurance centre (医保移动支付 2.0): it signs
// with SM2, encrypts with SM4, uploads fees (6201), asks for the price (6202),
// queries (6301), revokes (6401), refunds (6203) and reads what the centre tells
// (6302). Regional habits are data.
//
// It returns facts and keeps nothing. A call has one of three outcomes: Done and
// Refused are proven by a signed answer about the order that was asked for, with
// a listed code; everything else is Unknown and is asked for with 6301.
package centre

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"time"

	"hospay/flow"
	"hospay/internal/foreign"
	"hospay/internal/wire"
	"hospay/payment"
)

// maxAnswer is what is read of one answer.
const maxAnswer = 1 << 20

// Config is one connection to a centre.
type Config struct {
	Base        string // address before the paths
	Region      Region
	OrgCode     string // 定点医药机构编码
	OrgName     string
	AppID       string
	AppSecret   string
	PrivateKey  string // of the hospital's application, base64
	PlatformKey string // public key of the centre, base64
	Timeout     time.Duration
	Now         func() time.Time  // for tests; envelopes carry real time, whatever day the program plays
	Transport   http.RoundTripper // for tests
}

// Client calls one centre for one institution.
type Client struct {
	envelope
	org  string
	name string
	base *url.URL
	http *http.Client
	wait time.Duration
}

// New checks a connection; the messages of its errors are for who configures.
func New(c Config) (*Client, error) {
	if err := c.Region.Check(); err != nil {
		return nil, err
	}
	base, err := wire.ParseBase(c.Base)
	if err != nil {
		return nil, fmt.Errorf("医保中心%w", err)
	}
	if c.OrgCode == "" {
		return nil, errors.New("缺少定点医药机构编码")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	out := &Client{org: c.OrgCode, name: c.OrgName, base: base, wait: c.Timeout,
		envelope: envelope{appID: c.AppID, secret: c.AppSecret, region: c.Region, now: c.Now}}
	if out.wait <= 0 {
		out.wait = wire.DefaultTimeout
	}
	out.userID = c.Region.userID(c.AppSecret)
	if out.own, err = privateKey(c.PrivateKey); err != nil {
		return nil, err
	}
	if out.theirs, err = publicKey(c.PlatformKey); err != nil {
		return nil, err
	}
	if out.content, err = contentKey(c.AppID, c.AppSecret); err != nil {
		return nil, err
	}
	out.http, err = wire.Client(wire.Rules{Only: base, Limit: maxAnswer, Inner: c.Transport})
	return out, err
}

var _ payment.Centre = (*Client)(nil)

// Region is how the centre's region does it.
func (c *Client) Region() Region { return c.region }

// Habits are what of it an order goes by.
func (c *Client) Habits() payment.Habits {
	r := c.region
	minutes := func(n int) time.Duration { return time.Duration(n) * time.Minute }
	return payment.Habits{OrgCode: c.org, OrgName: c.name, AppID: c.appID, WechatCity: r.WechatCity, Areas: r.Areas,
		InsuranceFirst: r.Order == InsuranceFirst, HospPartAsReduce: r.HospPartAsReduce, PartialCash: r.PartialCash,
		HISReverses: r.AfterRefusedWrite == RefundByHIS, AuthFor: minutes(r.AuthMinutes), PriceFor: minutes(r.PriceMinutes),
		OrderFor: minutes(r.OrderMinutes), RefundWait: time.Duration(r.RefundWaitDays) * 24 * time.Hour}
}

// Codes of our own that a Reason may carry beside the centre's.
const (
	CodeBadCall  = "bad_call"  // our own check refused the call before sending it
	CodeNoAnswer = "no_answer" // timeout, reset, wrong signature, unreadable …
	CodeMismatch = "mismatch"  // the answer is about another order
	CodeAmounts  = "amounts"   // amounts are missing, do not add up, or are others than before
	CodeUnclear  = "unclear"   // a state that proves nothing
	CodeUnsigned = "unsigned"  // what was said is not signed
)

func doubt(code, words string, who flow.Actor) payment.Result {
	return payment.Result{Reason: flow.Reason{Code: code, Message: words, Actor: who}}
}

// badCall is the outcome of a call that must not be sent as it is.
func badCall(words string) payment.Result {
	return payment.Result{Verdict: flow.Refused, Reason: flow.Reason{Code: CodeBadCall, Message: words, Actor: flow.ActorIT}}
}

var done = payment.Result{Verdict: flow.Done}

// call sends business data and returns that of the answer when the envelope
// proves that it was done. private is what must not come back in messages.
func (c *Client) call(ctx context.Context, path string, data any, private ...string) (d record, a payment.Result) {
	defer func() {
		if r := recover(); r != nil {
			d, a = nil, doubt(CodeNoAnswer, "处理医保中心应答时程序出错，按结果未知处理", flow.ActorIT)
		}
	}()
	body, err := c.seal(sealed{}, data)
	if err != nil {
		return nil, badCall("请求无法签名或加密")
	}
	answer, err := c.post(ctx, path, body)
	if err != nil {
		return nil, doubt(CodeNoAnswer, "医保中心没有给出可信的应答："+kindOf(err), flow.ActorNone)
	}
	o, err := c.open(answer, c.region.answerAge())
	if err != nil {
		return nil, doubt(CodeNoAnswer, err.Error(), flow.ActorIT)
	}
	if a := c.said(o, private); a.Verdict != flow.Done {
		return nil, a
	}
	return o.Data, done
}

// said is what an envelope proves before anybody has read its data.
func (c *Client) said(o opened, private []string) payment.Result {
	if o.Good {
		if !o.Signed {
			return doubt(CodeUnsigned, "医保中心的成功应答没有签名", flow.ActorIT)
		}
		return done
	}
	words, code := foreign.Scrub(o.Message, private...), foreign.Scrub(o.Code)
	rule, listed := c.region.Refusals[o.Code]
	if !listed {
		a := doubt(code, "医保中心返回了未登记的代码："+words, flow.ActorReviewer)
		a.Reason.Denied = o.Code != ""
		return a
	}
	a := payment.Result{Verdict: flow.Refused, Reason: flow.Reason{Code: code, Message: rule.Words, Actor: rule.Who, Hold: rule.Hold}}
	if !o.Signed && !c.region.UnsignedRefusals {
		a.Verdict, a.Reason.Hold, a.Reason.Denied = flow.Unknown, false, true
	}
	return a
}

// httpStatus is any status but 200.
type httpStatus int

// Error names the status.
func (s httpStatus) Error() string { return fmt.Sprintf("HTTP %d", int(s)) }

// kindOf names the kind of a failure and nothing else of it.
func kindOf(err error) string {
	var n net.Error
	var status httpStatus
	switch {
	case errors.As(err, &status):
		return status.Error()
	case errors.Is(err, wire.ErrTransaction):
		return "事务中不能发送请求"
	case errors.Is(err, wire.ErrTooLarge):
		return "应答过大"
	case errors.Is(err, wire.ErrRedirect), errors.Is(err, wire.ErrAddress):
		return "地址不在允许范围"
	case errors.Is(err, context.DeadlineExceeded) || errors.As(err, &n) && n.Timeout():
		return "超时"
	}
	return "连接不成功或中断"
}

// post returns the whole answer. Any status but 200 proves nothing.
func (c *Client) post(ctx context.Context, path string, body []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, c.wait)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.base.String()+path, bytes.NewReader(body))
	if err != nil || req.URL.Host != c.base.Host {
		return nil, wire.ErrAddress
	}
	req.Header.Set("Content-Type", "application/json;charset=UTF-8")
	res, err := c.http.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return nil, httpStatus(res.StatusCode)
	}
	return io.ReadAll(res.Body)
}

// orderNo is a number that channels take too: WeChat's serial_no has 20 places.
var orderNo = regexp.MustCompile(`^[0-9A-Za-z]{1,20}$`)

// serialNo is a number of a single call.
var serialNo = regexp.MustCompile(`^[0-9A-Za-z]{1,40}$`)

// of reports whether an answer is about the order, as far as it names one.
func (d record) of(payOrdID, medOrgOrd string) bool {
	theirs, ours := d.text("payOrdId"), d.text("medOrgOrd")
	return (theirs == "" || theirs == payOrdID) && (ours == "" || medOrgOrd == "" || ours == medOrgOrd)
}
