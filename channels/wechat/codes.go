package wechat

import (
	"hospay/channels"
	"hospay/flow"
)

// The tables below list every documented code. Error bodies of WeChat are not
// signed, so a refusal is only a strong hint that the query must confirm, and
// codes that may hide an accepted transfer are Unknown.

var (
	badParam = channels.Rule{Verdict: flow.Refused, Actor: flow.ActorIT, Words: "请求参数有误，请检查转账场景等配置"}
	noAuth   = channels.Rule{Verdict: flow.Refused, Actor: flow.ActorIT, Hold: true, Words: "商户号没有该产品的权限"}
	badSign  = channels.Rule{Verdict: flow.Refused, Actor: flow.ActorIT, Hold: true, Words: "签名未通过，请检查商户私钥与证书序列号"}
	tooFast  = channels.Rule{Verdict: flow.Refused, Hold: true, Words: "请求过于频繁，稍后以原单号重试"}
	noFunds  = channels.Rule{Verdict: flow.Refused, Actor: flow.ActorFinance, Hold: true, Words: "商户账户余额不足，充值后以原单号重试"}
	noQuota  = channels.Rule{Verdict: flow.Refused, Actor: flow.ActorFinance, Hold: true, Words: "商户额度已用完，调整额度或次日以原单号重试"}
	system   = channels.Rule{Words: "微信支付系统错误，结果以查询为准"}
	unclear  = channels.Rule{Actor: flow.ActorIT, Words: "请求未通过校验，是否受理以查询为准"}
)

// createCodes are the answers to a transfer.
var createCodes = channels.Codes{
	"PARAM_ERROR":            badParam,
	"NO_AUTH":                noAuth,
	"SIGN_ERROR":             badSign,
	"USER_ERROR":             {Verdict: flow.Refused, Actor: flow.ActorIT, Hold: true, Words: "商户存在异常，暂时无法转账"},
	"NOT_ENOUGH":             noFunds,
	"QUOTA_EXCEED":           noQuota, // of the predecessor, and still seen
	"FREQUENCY_LIMIT_EXCEED": tooFast,
	"RATELIMIT_EXCEEDED":     tooFast,
	"FREQUENCY_LIMIT":        tooFast,
	"FREQUENCY_LIMITED":      tooFast,
	"SYSTEM_ERROR":           system,
	"INVALID_REQUEST":        unclear, // also limits, IP list, and perhaps a number already in use
	"ALREADY_EXISTS":         {Actor: flow.ActorIT, Words: "单号已存在但信息不一致，以查询为准"},
}

// queryCodes are the answers to a query: none of them proves anything, but
// NOT_FOUND with 404, which queryTransfer reads itself.
var queryCodes = channels.Codes{
	"PARAM_ERROR":            {Actor: flow.ActorIT, Words: "查询参数有误"},
	"INVALID_REQUEST":        {Actor: flow.ActorIT, Words: "查询请求有误"},
	"NO_AUTH":                {Actor: flow.ActorIT, Words: "商户号没有该产品的权限"},
	"SIGN_ERROR":             {Actor: flow.ActorIT, Words: "签名未通过，请检查商户私钥与证书序列号"},
	"NOT_FOUND":              {Words: "记录不存在"},
	"RESOURCE_NOT_EXISTS":    {Words: "记录不存在"},
	"MCH_NOT_EXISTS":         {Actor: flow.ActorIT, Words: "商户号不存在"},
	"FREQUENCY_LIMITED":      {Words: "查询过于频繁"},
	"FREQUENCY_LIMIT_EXCEED": {Words: "查询过于频繁"},
	"RATELIMIT_EXCEEDED":     {Words: "查询过于频繁"},
	"SYSTEM_ERROR":           {Words: "微信支付系统错误"},
}

// cancelCodes are the answers to a cancellation. INVALID_REQUEST is what a
// payee who was faster looks like.
var cancelCodes = channels.Codes{
	"PARAM_ERROR":            badParam,
	"INVALID_REQUEST":        {Words: "当前状态不能撤销，以查询为准"},
	"SIGN_ERROR":             badSign,
	"SYSTEM_ERROR":           system,
	"FREQUENCY_LIMIT_EXCEED": tooFast,
	"RATELIMIT_EXCEEDED":     tooFast,
}

// refundCodes are the answers to a refund.
var refundCodes = channels.Codes{
	"PARAM_ERROR":           badParam,
	"INVALID_REQUEST":       unclear, // business rules, also "already refunded"
	"SIGN_ERROR":            badSign,
	"NO_AUTH":               noAuth,
	"NOT_ENOUGH":            noFunds,
	"QUOTA_EXCEED":          noQuota,
	"USER_ACCOUNT_ABNORMAL": {Verdict: flow.Refused, Actor: flow.ActorPatient, Words: "用户账户异常或已注销，请改用其他退款方式"},
	"RESOURCE_NOT_EXISTS":   {Verdict: flow.Refused, Actor: flow.ActorReviewer, Words: "原支付订单不存在"},
	"MCH_NOT_EXISTS":        {Verdict: flow.Refused, Actor: flow.ActorIT, Words: "商户号不存在"},
	"FREQUENCY_LIMITED":     tooFast,
	"SYSTEM_ERROR":          system,
}

// refundStates explains the refund states that need people.
var refundStates = channels.Codes{
	"CLOSED":   {Actor: flow.ActorReviewer, Words: "退款已关闭"},
	"ABNORMAL": {Actor: flow.ActorFinance, Words: "退款异常：款项被退回商户，需在商户平台处理"},
}

var (
	payee    = flow.ActorPatient
	reviewer = flow.ActorReviewer
	finance  = flow.ActorFinance
	it       = flow.ActorIT
)

// failReasons explains FAIL. The state decides, the reason only says who acts.
var failReasons = channels.Codes{
	"ACCOUNT_FROZEN":                         {Actor: payee, Words: "收款账户被冻结"},
	"ACCOUNT_NOT_EXIST":                      {Actor: payee, Words: "收款账户不存在"},
	"PAYEE_ACCOUNT_ABNORMAL":                 {Actor: payee, Words: "收款账户异常"},
	"NAME_NOT_CORRECT":                       {Actor: payee, Words: "姓名与收款账户不一致"},
	"REAL_NAME_CHECK_FAIL":                   {Actor: payee, Words: "收款账户未实名或实名校验未通过"},
	"ID_CARD_NOT_CORRECT":                    {Actor: payee, Words: "证件号与收款账户不一致"},
	"OPENID_INVALID":                         {Actor: payee, Words: "收款人标识无效"},
	"RECEIVE_ACCOUNT_NOT_CONFIGURE":          {Actor: payee, Words: "收款账户未设置"},
	"BANK_CARD_ACCOUNT_ABNORMAL":             {Actor: payee, Words: "银行卡账户异常"},
	"BANK_CARD_BANK_INFO_WRONG":              {Actor: payee, Words: "银行信息有误"},
	"BANK_CARD_CARD_INFO_WRONG":              {Actor: payee, Words: "银行卡信息有误"},
	"BANK_CARD_STATUS_ABNORMAL":              {Actor: payee, Words: "银行卡状态异常"},
	"OVERDUE_CLOSE":                          {Actor: payee, Words: "超过确认期限未收款，已关闭"},
	"MCH_CANCEL":                             {Actor: payee, Words: "转账已撤销"},
	"DAY_RECEIVED_COUNT_EXCEED":              {Actor: reviewer, Words: "收款人当日收款次数超限"},
	"DAY_RECEIVED_QUOTA_EXCEED":              {Actor: reviewer, Words: "收款人当日收款额度超限"},
	"REALNAME_ACCOUNT_RECEIVED_QUOTA_EXCEED": {Actor: reviewer, Words: "收款人账户收款额度超限"},
	"BLOCK_B2C_USERLIMITAMOUNT_MONTH":        {Actor: reviewer, Words: "收款人本月收款额度超限"},
	"BLOCK_B2C_USERLIMITAMOUNT_BSRULE_MONTH": {Actor: reviewer, Words: "收款人本月收款额度超限"},
	"BANK_CARD_COLLECTIONS_ABOVE_QUOTA":      {Actor: reviewer, Words: "银行卡收款额度超限"},
	"TRANSFER_QUOTA_EXCEED":                  {Actor: reviewer, Words: "转账额度超限"},
	"EXCEEDED_ESTIMATED_AMOUNT":              {Actor: reviewer, Words: "超过预估金额"},
	"BANK_CARD_PARAM_ERROR":                  {Actor: it, Words: "银行卡参数有误"},
	"RESERVATION_INFO_NOT_MATCH":             {Actor: it, Words: "预约信息不符"},
	"RESERVATION_SCENE_NOT_MATCH":            {Actor: it, Words: "预约场景不符"},
	"RESERVATION_STATE_INVALID":              {Actor: it, Words: "预约状态无效"},
	"TRANSFER_REMARK_SET_FAIL":               {Actor: it, Words: "转账备注设置失败"},
	"TRANSFER_SCENE_INVALID":                 {Actor: it, Words: "转账场景无效"},
	"TRANSFER_SCENE_UNAVAILABLE":             {Actor: it, Words: "转账场景不可用"},
	"PRODUCT_AUTH_CHECK_FAIL":                {Actor: it, Words: "产品权限校验未通过"},
	"PAYER_ACCOUNT_ABNORMAL":                 {Actor: finance, Words: "商户账户异常"},
	"BUDGET_NOT_ENOUGH":                      {Actor: finance, Words: "预算不足"},
	"MERCHANT_REJECT":                        {Actor: finance, Words: "商户在平台上拒绝了转账"},
	"MERCHANT_NOT_CONFIRM":                   {Actor: finance, Words: "商户未在平台上确认转账"},
	"RELATED_ORDER_TRANSFER_AMOUNT_EXCEED":   {Actor: reviewer, Words: "关联订单转账金额超限"},
	"RELATED_ORDER_TRANSFER_COUNT_EXCEED":    {Actor: reviewer, Words: "关联订单转账次数超限"},
	"OTHER_FAIL_REASON_TYPE":                 {Actor: reviewer, Words: "其他原因"},
	"TRANSFER_RISK":                          {Actor: reviewer, Words: "存在风险，转账被拒绝"},
}
