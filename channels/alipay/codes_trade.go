package alipay

import (
	"maps"

	"hospay/channels"
	"hospay/flow"
)

// createCodes are the answers to a trade, without their prefix ACQ. Opening moves
// nothing; what speaks of a trade that exists is asked for.
var createCodes = table(
	class{unknown("支付宝系统繁忙，结果以查询为准"), "SYSTEM_ERROR"},
	class{alarm("同一单号的交易内容不一致，以查询为准"), "CONTEXT_INCONSISTENT TRADE_BUYER_NOT_MATCH"},
	class{unknown("交易已支付或已关闭，以查询为准"), "TRADE_HAS_SUCCESS TRADE_HAS_CLOSE"},
	class{final(flow.ActorPatient, "买家与卖家不能相同"), "BUYER_SELLER_EQUAL"},
	class{final(flow.ActorReviewer, "超过单笔支付限额"), "TOTAL_FEE_EXCEED"},
	class{final(flow.ActorIT, "下单参数或标题有误"), "INVALID_PARAMETER EXIST_FORBIDDEN_WORD PARTNER_ERROR"},
	class{final(flow.ActorIT, "应用没有签约这个支付产品"), "BIZ_PRODUCT_NOT_ALLOWED PRODUCT_NOT_SUPPORT_IN_TINY_APP OPEN_ID_NOT_TINY_APP"},
	class{later(flow.ActorIT, "应用没有支付权限"), "ACCESS_FORBIDDEN"},
)

// tradeQueryCodes are the answers to a trade's query; none proves anything.
var tradeQueryCodes = table(
	class{unknown("支付宝系统繁忙"), "SYSTEM_ERROR"},
	class{alarm("查询参数有误"), "INVALID_PARAMETER"},
)

// closeCodes are the answers to closing a trade. The payer may have been faster.
var closeCodes = table(
	class{unknown("支付宝系统繁忙，结果以查询为准"), "SYSTEM_ERROR"},
	class{final(flow.ActorIT, "关单参数有误"), "INVALID_PARAMETER"},
	class{unknown("当前状态不能关闭，以查询为准"), "TRADE_STATUS_ERROR REASON_TRADE_STATUS_INVALID REASON_ILLEGAL_STATUS"},
)

// with is a table and more rows.
func with(codes, more channels.Codes) channels.Codes {
	out := maps.Clone(codes)
	maps.Copy(out, more)
	return out
}

// applyCodes are the answers to a refund by asset.
var applyCodes = with(refundCodes, table(
	class{final(flow.ActorReviewer, "原交易状态不允许退款"), "REASON_ILLEGAL_STATUS"},
	class{final(flow.ActorReviewer, "退款金额不正确"), "REFUND_TRADE_FEE_ERROR"},
	class{final(flow.ActorIT, "合同没有开通按资产退款"), "UN_SUPPORT_BIZ_TYPE"},
))

// medicalCodes are the answers to orders with insurance. No table of them is
// public, so none proves anything.
var medicalCodes = table(
	class{unknown("支付宝系统繁忙，结果以查询为准"), "SYSTEM_ERROR"},
	class{alarm("医保支付的参数有误，以查询为准"), "INVALID_PARAMETER"},
)
