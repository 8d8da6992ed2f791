package wechat

import (
	"errors"
	"maps"
	"strings"

	"hospay/channels"
	"hospay/flow"
	"hospay/refund"

	"github.com/wechatpay-apiv3/wechatpay-go/core"
)

// tradeCodes are the answers to an order. Opening moves nothing, so what is
// plainly wrong with the request is refused; what may hide an order that exists
// is asked for.
var tradeCodes = channels.Codes{
	"PARAM_ERROR":            {Verdict: flow.Refused, Actor: flow.ActorIT, Words: "下单参数有误"},
	"APPID_MCHID_NOT_MATCH":  {Verdict: flow.Refused, Actor: flow.ActorIT, Words: "AppID 没有绑定到这个商户号"},
	"MCH_NOT_EXISTS":         {Verdict: flow.Refused, Actor: flow.ActorIT, Words: "商户号不存在"},
	"SIGN_ERROR":             badSign,
	"NO_AUTH":                noAuth,
	"ACCOUNT_ERROR":          {Verdict: flow.Refused, Actor: flow.ActorPatient, Words: "付款账号异常，请换一个微信账号"},
	"RULE_LIMIT":             {Verdict: flow.Refused, Actor: flow.ActorIT, Words: "被业务规则限制"},
	"OUT_TRADE_NO_USED":      {Actor: flow.ActorIT, Words: "单号已被使用，以查询为准"},
	"ORDER_CLOSED":           {Words: "订单已关闭，以查询为准"},
	"TRADE_ERROR":            {Words: "交易错误，以查询为准"},
	"NOT_ENOUGH":             {Words: "余额不足，以查询为准"},
	"OPENID_MISMATCH":        {Actor: flow.ActorPatient, Words: "付款人的微信标识与应用不匹配"},
	"INVALID_REQUEST":        unclear,
	"FREQUENCY_LIMITED":      tooFast,
	"FREQUENCY_LIMIT_EXCEED": tooFast,
	"RATELIMIT_EXCEEDED":     tooFast,
	"SYSTEM_ERROR":           system,
}

// tradeQueryCodes are the answers to the query of an order.
var tradeQueryCodes = with(queryCodes, channels.Codes{"ORDER_NOT_EXIST": {Words: "记录不存在"}})

// closeCodes are the answers to closing an order. The payer may have been
// faster, so what speaks of the order's state proves nothing.
var closeCodes = channels.Codes{
	"PARAM_ERROR":       {Verdict: flow.Refused, Actor: flow.ActorIT, Words: "关单参数有误"},
	"MCH_NOT_EXISTS":    {Verdict: flow.Refused, Actor: flow.ActorIT, Words: "商户号不存在"},
	"SIGN_ERROR":        badSign,
	"NO_AUTH":           noAuth,
	"INVALID_REQUEST":   {Words: "当前状态不能关闭，以查询为准"},
	"RULE_LIMIT":        {Words: "当前状态不能关闭，以查询为准"},
	"TRADE_ERROR":       {Words: "订单可能已支付，以查询为准"},
	"ORDER_CLOSED":      {Words: "订单已关闭，以查询为准"},
	"FREQUENCY_LIMITED": tooFast,
	"SYSTEM_ERROR":      system,
}

// mixedCodes are the answers to orders with insurance, and to the notice of
// their refund.
var mixedCodes = channels.Codes{
	"ALREADY_EXISTS":         {Words: "订单已存在，以查询为准"},
	"PARAM_ERROR":            {Verdict: flow.Refused, Actor: flow.ActorIT, Words: "医保下单参数有误"},
	"RULE_LIMIT":             {Verdict: flow.Refused, Actor: flow.ActorIT, Words: "金额或字段不符合医保支付的规则"},
	"REQUEST_BLOCKED":        {Verdict: flow.Refused, Actor: flow.ActorIT, Words: "商户没有开通医保支付"},
	"NO_AUTH":                noAuth,
	"SIGN_ERROR":             badSign,
	"INVALID_REQUEST":        unclear,
	"NOT_FOUND":              {Words: "记录不存在"},
	"RESOURCE_NOT_EXISTS":    {Words: "记录不存在"},
	"ORDER_NOT_EXIST":        {Words: "记录不存在"},
	"FREQUENCY_LIMITED":      tooFast,
	"FREQUENCY_LIMIT_EXCEED": tooFast,
	"RATELIMIT_EXCEEDED":     tooFast,
	"SYSTEM_ERROR":           system,
}

// missingMixed are the codes of a number that WeChat does not know.
var missingMixed = []string{"NOT_FOUND", "RESOURCE_NOT_EXISTS", "ORDER_NOT_EXIST"}

// tailMissing is the same in the finer code.
const tailMissing = "268529515"

// tailPaying: the payer has entered the password, the order cannot be closed.
const tailPaying = "268560650"

var (
	ourBug   = channels.Rule{Verdict: flow.Refused, Actor: flow.ActorIT, Words: "医保下单的字段或金额不符合要求"}
	notSame  = channels.Rule{Verdict: flow.Refused, Actor: flow.ActorPatient, Words: "姓名或证件号与医保电子凭证不一致"}
	againPls = channels.Rule{Verdict: flow.Refused, Actor: flow.ActorPatient, Words: "医保授权已失效，请重新授权"}
)

// tails are the finer codes at the end of Request-ID, which say what one of the
// codes above hides.
var tails = channels.Codes{
	"268435461": ourBug,
	"268529474": ourBug,
	"268529475": ourBug,
	"268529476": ourBug,
	"268529477": ourBug,
	"268529481": ourBug,
	"268510603": {Verdict: flow.Refused, Actor: flow.ActorIT, Words: "付款人的微信标识与应用不匹配"},
	"268510604": {Verdict: flow.Refused, Actor: flow.ActorIT, Words: "付款人的微信标识与子应用不匹配"},
	"268545961": notSame,
	"268545962": notSame,
	"268545963": {Verdict: flow.Refused, Actor: flow.ActorPatient, Words: "还没有激活医保电子凭证，请先在微信中激活"},
	"268545964": {Verdict: flow.Refused, Actor: flow.ActorPatient, Words: "没有绑定这位亲属，请使用本人的医保电子凭证"},
	"268545967": againPls,
	"268547120": againPls,
	"268510610": {Actor: flow.ActorReviewer, Words: "医保结算校验未通过，以医保中心为准"},
	"268512536": {Words: "订单已存在，以查询为准"},
	tailMissing: {Words: "记录不存在"},
	"268554200": {Actor: flow.ActorFinance, Words: "当前状态不能冲正，以查询为准"},
	"268554422": {Actor: flow.ActorFinance, Words: "冲正失败，以查询为准"},
	tailPaying:  {Words: "付款人已输入密码，正在支付"},
}

// with is a table and more rows.
func with(codes, more channels.Codes) channels.Codes {
	out := maps.Clone(codes)
	maps.Copy(out, more)
	return out
}

// tailOf is the finer code of an error answer, empty when it has none.
func tailOf(err error) string {
	var e *core.APIError
	if !errors.As(err, &e) || e.StatusCode/100 != 4 {
		return ""
	}
	id := e.Header.Get("Request-ID")
	return id[strings.LastIndexByte(id, '-')+1:]
}

// finer reads an error by its finer code where that one is listed.
func finer(err error, codes channels.Codes, private ...string) refund.PayoutAnswer {
	tail := tailOf(err)
	if _, ok := tails[tail]; !ok {
		return refusal(err, codes, private...)
	}
	var e *core.APIError
	errors.As(err, &e)
	a := tails.Answer(tail, wordsOf(e, private), private...)
	a.Reason.Code = tail // one of our list, so nothing private
	return a
}
