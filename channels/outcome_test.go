package channels_test

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"hospay/channels"
	"hospay/flow"
	"hospay/internal/wire"
	"hospay/refund"
)

func TestCodes_ZeroRuleIsUnknown(t *testing.T) {
	codes := channels.Codes{"A": {Verdict: flow.Refused, Hold: true, Words: "甲"}}
	if a := codes.Answer("B", "乙"); a.Verdict != flow.Unknown || a.Reason.Actor != flow.ActorReviewer || a.Reason.Code != "B" {
		t.Errorf("%+v", a)
	}
	if a := codes.Answer("A", "甲"); a.Verdict != flow.Refused || !a.Reason.Hold || a.Reason.Message != "甲" {
		t.Errorf("%+v", a)
	}
	if r := codes.Failure("A", ""); r.Hold || r.Actor != flow.ActorReviewer {
		t.Errorf("%+v", r)
	}
}

func TestRecover(t *testing.T) {
	a := func() (a refund.PayoutAnswer) {
		defer channels.Recover(&a)
		a.Verdict = flow.Done
		panic("张三丰")
	}()
	if a.Verdict != flow.Unknown || a.Reason.Code != channels.CodePanic {
		t.Errorf("%+v", a)
	}
	err := func() (err error) {
		defer channels.RecoverError(&err, channels.ErrBadCallback)
		panic("张三丰")
	}()
	if !errors.Is(err, channels.ErrBadCallback) || strings.Contains(err.Error(), "张三丰") {
		t.Error(err)
	}
}

func TestNoAnswer_KeepsNoDetails(t *testing.T) {
	for err, words := range map[error]string{
		&url.Error{Op: "Get", URL: "https://x/?secret=s3cret", Err: context.DeadlineExceeded}: "超时",
		&url.Error{Op: "Get", URL: "https://x/?secret=s3cret", Err: wire.ErrRedirect}:         "重定向",
		context.Canceled:              "取消",
		wire.ErrTooLarge:              "过大",
		errors.New("openid=s3cret"):   "连接、签名或格式",
		errors.New("anything s3cret"): "连接、签名或格式",
	} {
		a := channels.NoAnswer(err)
		if a.Verdict != flow.Unknown || !strings.Contains(a.Reason.Message, words) || strings.Contains(a.Reason.Message, "s3cret") {
			t.Errorf("%v: %+v", err, a)
		}
	}
}

func TestWithDeadline(t *testing.T) {
	ctx, cancel := wire.WithDeadline(context.Background(), time.Minute)
	defer cancel()
	if d, ok := ctx.Deadline(); !ok || time.Until(d) > time.Minute {
		t.Error(d, ok)
	}
	own, cancelOwn := context.WithTimeout(context.Background(), time.Hour)
	defer cancelOwn()
	ctx, cancel2 := wire.WithDeadline(own, time.Second)
	defer cancel2()
	if d, _ := ctx.Deadline(); time.Until(d) < time.Minute {
		t.Error("the caller's deadline was cut")
	}
}

func TestRegistry(t *testing.T) {
	channels.Register("test", func(channels.Config) (channels.Channel, error) { return nil, errors.New("缺少商户号") })
	if _, err := channels.New(channels.Config{Channel: "test"}); err == nil || err.Error() != "缺少商户号" {
		t.Error(err)
	}
	if _, err := channels.New(channels.Config{Channel: "nobody"}); err == nil {
		t.Error("unknown kind")
	}
	if n := channels.Names(); len(n) != 1 || n[0] != "test" {
		t.Error(n)
	}
}

func TestKeys(t *testing.T) {
	for _, text := range []string{"", "x", "-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----", "AAAA"} {
		if _, err := channels.PrivateKey(text); err == nil {
			t.Errorf("private %q", text)
		}
		if _, err := channels.PublicKey(text); err == nil {
			t.Errorf("public %q", text)
		}
		if _, err := channels.Certificates(text); err == nil {
			t.Errorf("certificates %q", text)
		}
	}
}
