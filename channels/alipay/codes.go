package alipay

import (
	"strings"

	"hospay/channels"
	"hospay/flow"
)

// The tables below list every documented code. The gateway signs its answers,
// so a listed refusal is authentic; still the query confirms it. Codes whose
// meaning is not published, or that may hide a payment, are Unknown and say why.

// class gives several codes the same rule.
type class struct {
	rule  channels.Rule
	codes string
}

func table(classes ...class) channels.Codes {
	t := channels.Codes{}
	for _, c := range classes {
		for _, code := range strings.Fields(c.codes) {
			t[code] = c.rule
		}
	}
	return t
}

// The ways a refusal can go. In brackets the class of the facts.
func unknown(words string) channels.Rule { return channels.Rule{Words: words} } // U

func alarm(words string) channels.Rule { // U, and something is wrong on our side
	return channels.Rule{Actor: flow.ActorIT, Words: words}
}

func later(actor flow.Actor, words string) channels.Rule { // R, M
	return channels.Rule{Verdict: flow.Refused, Actor: actor, Hold: true, Words: words}
}

func final(actor flow.Actor, words string) channels.Rule { // P, A, S
	return channels.Rule{Verdict: flow.Refused, Actor: actor, Words: words}
}

// transferCodes are the answers to a transfer, and the reasons of a failed one.
var transferCodes = table(
	// U: the outcome is open; the query tells, and only an identical repeat is safe.
	class{unknown("支付宝系统繁忙，结果以查询为准"), "SYSTEM_ERROR MRCHPROD_QUERY_ERROR BANK_RESPONSE_ERROR"},
	class{unknown("请求处理中，结果以查询为准"), "REQUEST_PROCESSING TRANS_ORDER_DEALING PROMO_TRANS_ORDER_DEALING"},
	class{alarm("单号冲突，结果以查询为准"), "BIZ_UNIQUE_EXCEPTION"},
	// The number is taken by other contents: an earlier call may have paid.
	class{alarm("同一单号的参数不一致，以查询为准"), "PAYMENT_INFO_INCONSISTENCY REP_INCONSISTENT"},
	class{unknown("支付失败，原因未说明，以查询为准"), "PAYMENT_FAIL PROCESS_FAIL"},

	// R: nothing was paid; the same number again later.
	class{later(flow.ActorFinance, "商户余额不足，充值后以原单号重试"), "PAYER_BALANCE_NOT_ENOUGH BALANCE_IS_NOT_ENOUGH BALANCE_NOT_ENOUGH"},
	class{later(flow.ActorNone, "请求过于频繁，稍后以原单号重试"), "RESOURCE_LIMIT_EXCEED"},
	class{later(flow.ActorFinance, "商户当日转账额度已用完"), "EXCEED_LIMIT_DM_AMOUNT EXCEED_LIMIT_DM_MAX_AMOUNT"},
	class{later(flow.ActorFinance, "商户当月转账额度已用完"), "EXCEED_LIMIT_MM_AMOUNT EXCEED_LIMIT_MM_MAX_AMOUNT"},
	class{later(flow.ActorNone, "收款人当日收款次数超限，次日重试"), "EXCEED_LIMIT_DC_RECEIVED PAYEE_RECEIVE_COUNT_EXCEED_LIMIT"},
	class{later(flow.ActorFinance, "余额支付额度已用完"), "PERM_PAY_USER_DAILY_QUOTA_ORG_BALANCE_LIMIT PERM_PAY_USER_MONTH_QUOTA_ORG_BALANCE_LIMIT " +
		"PERM_PAY_CUSTOMER_DAILY_QUOTA_ORG_BALANCE_LIMIT PERM_PAY_CUSTOMER_MONTH_QUOTA_ORG_BALANCE_LIMIT"},

	// P: this payee cannot be paid.
	class{final(flow.ActorPatient, "收款账号不存在或姓名不符"), "PAYEE_NOT_EXIST PAYEE_USERINFO_ERROR PAYEE_USER_INFO_ERROR PAYEE_ACCOUNT_NOT_EXSIT"},
	class{final(flow.ActorPatient, "登录号对应多个账户，请提供姓名或换用其他账号"), "PAYEE_ACC_OCUPIED"},
	class{final(flow.ActorPatient, "收款人证件信息不符"), "PAYEE_CERT_INFO_ERROR PAYEE_IDENTITY_NOT_MATCH"},
	class{final(flow.ActorPatient, "收款账户状态或类型不支持收款"), "PAYEE_ACCOUNT_STATUS_ERROR PAYEE_USERINFO_STATUS_ERROR PAYEE_USER_TYPE_ERROR"},
	class{final(flow.ActorPatient, "收款账户未实名或身份信息不完整"), "PAYEE_NOT_RELNAME_CERTIFY PERM_AML_NOT_REALNAME_REV PERMIT_NON_BANK_LIMIT_PAYEE " +
		"EXCEED_LIMIT_UNRN_DM_AMOUNT"},
	class{final(flow.ActorPatient, "收款账户被限制收款"), "PERMIT_LIMIT_PAYEE PERMIT_CHECK_RECEIVE_LIMIT RELEASE_USER_FORBBIDEN_RECIEVE " +
		"BLOCK_USER_FORBBIDEN_RECIEVE NO_ACCOUNT_USER_FORBBIDEN_RECIEVE GLOBAL_USER_FORBBIDEN_RECIEVE RECEIVER_USER_RISK_FREEZE"},
	class{final(flow.ActorPatient, "收付款账户不能相同"), "PAYER_PAYEE_CANNOT_SAME"},

	// A: amount or text.
	class{final(flow.ActorReviewer, "超过单笔转账限额"), "EXCEED_LIMIT_SM_AMOUNT EXCEED_LIMIT_PERSONAL_SM_AMOUNT EXCEED_LIMIT_ENT_SM_AMOUNT"},
	class{final(flow.ActorReviewer, "低于单笔最小金额"), "EXCEED_LIMIT_SM_MIN_AMOUNT"},
	class{final(flow.ActorReviewer, "单号已过期"), "PAYMENT_TIME_EXPIRE"},
	class{final(flow.ActorIT, "缺少转账备注"), "MEMO_REQUIRED_IN_TRANSFER_ERROR"},
	class{final(flow.ActorIT, "备注含有敏感词"), "REMARK_HAS_SENSITIVE_WORD"},
	class{final(flow.ActorIT, "参数有误"), "INVALID_PARAMETER PARAMETER_ERROR PARAM_ILLEGAL"},
	class{final(flow.ActorIT, "转账场景或报备信息有误"), "TRANSFER_SCENE_NAME_BLANK TRANSFER_SCENE_NAME_ILLEGAL TRANSFER_SCENE_REPORT_INFO_ILLEGAL " +
		"TRANSFER_SCENE_INFO_ADMIT_FAIL"},

	// M: trouble on the merchant's side; every transfer would fail.
	class{later(flow.ActorFinance, "付款账户状态异常"), "PAYER_STATUS_ERROR PAYCARD_UNABLE_PAYMENT PAYER_USER_INFO_ERROR PAYER_NOT_EXIST " +
		"PAYER_USERINFO_NOT_EXSIT INVALID_PAYER_ACCOUNT MONEY_PAY_CLOSED NO_AVAILABLE_PAYMENT_TOOLS"},
	class{later(flow.ActorFinance, "付款账户认证不足或证件过期"), "PAYER_CERTIFY_CHECK_FAIL PERMIT_CHECK_PERM_AML_CERT_EXPIRED " +
		"PERMIT_CHECK_PERM_AML_CERT_MISS_ACC_LIMIT"},
	class{later(flow.ActorFinance, "付款账户被限制或冻结"), "PERMIT_CHECK_PERM_IDENTITY_THEFT PERMIT_CHECK_PERM_LIMITED PERMIT_PAYER_FORBIDDEN " +
		"PERMIT_PAYER_LEVEL_FORBIDDEN USER_RISK_FREEZE BLOCK_USER_FORBBIDEN_SEND JUDICIAL_FREEZE"},
	class{later(flow.ActorIT, "产品未签约或没有权限"), "PRODUCT_NOT_SIGN NO_ACCOUNT_PAYMENT_PERMISSION NO_PERMISSION_ACCOUNT ISV_AUTH_ERROR " +
		"NOT_IN_WHITE_LIST"},
	class{later(flow.ActorIT, "签约信息有误"), "SIGN_INVALID SIGN_INVOKE_PID_INCONSISTENT SIGN_QUERY_APP_INFO_ERROR SIGN_QUERY_AGGREMENT_ERROR " +
		"SIGN_AGREEMENT_NO_INCONSISTENT SIGN_PARAM_INVALID SIGN_NOT_ALLOW_SKIP"},

	// S: risk control.
	class{final(flow.ActorReviewer, "被支付宝风险控制拒绝"), "SECURITY_CHECK_FAILED ILLEGAL_OPERATION"},

	// Not classed in public: the code proves nothing to us, the query does.
	class{alarm("银行卡或境外产品的代码，不应出现，以查询为准"), "CARD_BIN_ERROR PAYEE_CARD_INFO_ERROR INVALID_CARDNO INST_PAY_UNABLE " +
		"INST_PAY_REMARK_UNVALID_CHARS BANKCODE_OR_BRANCHNAME_INFO_ERROR BALANCE_NOT_ENOUGH_FOR_CARD_FEE OVERSEA_TRANSFER_CLOSE " +
		"CURRENCY_NOT_SUPPORT"},
	class{alarm("红包或营销产品的代码，不应出现，以查询为准"),
		"ALREADY_WITHDRAW_STD_RED_PACKET TRANS_AMOUNT_NOT_IN_PRIZE_LIMIT PROMO_CAMP_RELATION_CONFIG_MISSED " +
			"PERM_RECEIVE_CUSTOMER_ALMS_LIMIT"},
	class{alarm("记账本、托管或中间户的代码，不应出现，以查询为准"),
		"PAYEE_TRUSTEESHIP_ACC_OVER_LIMIT TRUSTEESHIP_ACCOUNT_NOT_EXIST TRUSTEESHIP_RECIEVE_QUOTA_LIMIT " +
			"TRUSTEESHIP_ACCOUNT_STATUS_ERROR NO_ACCOUNTBOOK_PERMISSION CONTRACTOR_ACCOUNT_BOOK_NOT_FUND PAYER_ACCOUNT_BOOK_INFO_EXCEPTION " +
			"RECEIVER_ACCOUNT_BOOK_INFO_EXCEPTION ACCOUNT_BOOK_SCENE_CODE_EXCEPTION PAYER_AND_PAYEE_BOTH_PERSONAL_ACCOUNT_BOOK " +
			"MID_ACCOUNT_STATUS_ERROR MID_ACCOUNT_TYPE_ERROR MID_ACCOUNT_CHECK_ERROR PAYEE_MID_CANNOT_SAME PAYER_MID_CANNOT_SAME " +
			"FUND_PROTITOPN_NOT_MATCH FUND_WALLET_INST_NOT_EXIST FUND_WALLET_UNAVAILABLE FORBID_OPERATION_USER_WALLET"},
	class{alarm("灵活用工、代发或税务产品的代码，不应出现，以查询为准"), "FLEXIBLE_STAFFING_RISK_CONSULT_UNSIGNED_MERCHANT " +
		"FLEXIBLE_STAFFING_RISK_CONSULT_UNAUTHORIZED_CONSULT FLEXIBLE_STAFFING_RISK_CONSULT_USER_NOT_EXIST " +
		"FLEXIBLE_STAFFING_RISK_CONSULT_RISK_RECEIVER FLEXIBLE_STAFFING_HIGH_RISK_RECEIVER FLEXIBLE_STAFFING_POTENTIAL_RISK_RECEIVER " +
		"FLEXIBLE_STAFFING_UN_KNOWN_RISK_RECEIVER UNAUTHORIZED_CONSULT INVALID_TAX_BILL_AGREEMENT TAX_BILL_AGREEMENT_MISS " +
		"PAY_SALARY_MODE_NOT_SUPPORT EMPLOYEE_SERVICE_NOT_EXIST UN_SUPPORT_EMPLOYEE_SERVICE"},
	class{alarm("委托或代付关系的代码，含义未公开，以查询为准"), "PAYER_REQUESTER_RELATION_INVALID AUTHOREE_IS_NOT_MATCH IDENTITY_FUND_RELATION_NOT_FOUND " +
		"USER_AGREEMENT_VERIFY_FAIL EXPAND_INDIRECT_VERIFY_FAIL PAYER_NOT_EQUAL_PAYEE_ERROR PAYER_NOT_EQUAL_PAYEE_FOR_BIZ_SCENE_REQUIRED " +
		"ILLEGAL_REQUEST_USER_ID"},
	class{alarm("含义未公开，以查询为准"), "CHECK_RECEIVER_CERT_NOT_ALLOW NO_ACCOUNT_RECEIVE_PERMISSION PAYMENT_MONEY_NOT_ENOUGH " +
		"PAYER_PERMLIMIT_CHECK_FAILURE PAYEE_OUT_PERMLIMIT_CHECK_FAILURE NOT_SUPPORT_PAYER_ACCOUNT_TYPE USER_NOT_EXIST PARTITION_FORMAT_ERROR " +
		"CURREBT_AFTER_INVALID_TIME PAYEE_USER_IS_INST PAYER_NOT_RELNAME_CERTIFY PERM_AML_NOT_REALNAME_PAY CONFIGURATION_ERROR " +
		"PAYER_PAYEE_ACCOUNT_NAME_CAN_NOT_SAME ACCOUNT_IN_NOT_EXIST ACCOUNT_OPERATION_LIMIT PAYER_UNABLE_PAYMENT " +
		"EXCEED_LIMIT_INTERNAL_SM_AMOUNT PAYER_ACCOUNT_LIMIT"},
	class{unknown("单据状态的代码，以查询为准"), "ORDER_NOT_EXIST NO_ORDER_PERMISSION ORDER_STATUS_INVALID ILLEGAL_STATUS_EXCEPTION"},
	// Of the predecessor only; not in the present list.
	class{alarm("旧接口的代码，以查询为准"), "PAYER_DATA_INCOMPLETE CERT_MISS_TRANS_LIMIT CERT_MISS_ACC_LIMIT ACCOUNT_NOT_EXIST PAYER_CERT_EXPIRED " +
		"PERMIT_PAYER_LOWEST_FORBIDDEN"},
)

// queryCodes are the answers to a query: none but ORDER_NOT_EXIST, which
// queryTransfer reads itself, proves anything.
var queryCodes = table(
	class{unknown("支付宝系统繁忙"), "SYSTEM_ERROR"},
	class{alarm("查询参数有误"), "INVALID_PARAMETER"},
	class{alarm("没有权限查询该单"), "NO_ORDER_PERMISSION"},
	class{unknown("单据不存在"), "ORDER_NOT_EXIST"},
)

// refundCodes are the answers to a refund, without their prefix ACQ.
var refundCodes = table(
	class{unknown("支付宝系统繁忙，结果以查询为准"), "SYSTEM_ERROR"},
	// The number is taken by another amount: an earlier call may have refunded.
	class{alarm("同一退款请求号的金额不一致，以查询为准"), "DISCORDANT_REPEAT_REQUEST"},
	class{later(flow.ActorFinance, "商户余额不足，充值后以原请求号重试"), "SELLER_BALANCE_NOT_ENOUGH"},
	class{final(flow.ActorIT, "参数有误"), "INVALID_PARAMETER CURRENCY_NOT_SUPPORT ALLOC_AMOUNT_VALIDATE_ERROR USER_NOT_MATCH_ERR " +
		"REFUND_ROYALTY_PAYEE_ACCOUNT_NOT_EXIST REFUNDALLOC_UNAUTH_LIMIT"},
	class{final(flow.ActorReviewer, "原交易不存在"), "TRADE_NOT_EXIST"},
	class{final(flow.ActorReviewer, "原交易已完结，不能再退款"), "TRADE_HAS_FINISHED TRADE_HAS_CLOSE"},
	class{final(flow.ActorReviewer, "原交易状态不允许退款"), "TRADE_STATUS_ERROR TRADE_NOT_ALLOW_REFUND REASON_TRADE_STATUS_INVALID " +
		"REASON_TRADE_BEEN_FREEZEN TRADE_SETTLE_ERROR"},
	class{final(flow.ActorReviewer, "退款金额不正确"), "REFUND_AMT_NOT_EQUAL_TOTAL REASON_TRADE_REFUND_FEE_ERR REFUND_FEE_ERROR"},
	class{final(flow.ActorReviewer, "原交易不支持部分退款或券退款"), "NOT_ALLOW_PARTIAL_REFUND ONLINE_TRADE_VOUCHER_NOT_ALLOW_REFUND"},
	class{final(flow.ActorReviewer, "退款被业务规则拒绝"), "ENTERPRISE_PAY_BIZ_ERROR CUSTOMER_VALIDATE_ERROR"},
	class{final(flow.ActorFinance, "退收费异常"), "REFUND_CHARGE_ERROR"},
	class{final(flow.ActorPatient, "买家账户不存在或状态异常"), "BUYER_NOT_EXIST BUYER_ENABLE_STATUS_FORBID BUYER_ERROR REFUND_ACCOUNT_NOT_EXIST"},
)

// refundQueryCodes are the answers to a refund's query; none proves anything.
var refundQueryCodes = table(
	class{unknown("支付宝系统繁忙"), "SYSTEM_ERROR"},
	class{alarm("查询参数有误"), "INVALID_PARAMETER"},
	class{unknown("退款查询被业务规则拒绝"), "ENTERPRISE_PAY_BIZ_ERROR"},
)

// gatewayCodes are the codes of the gateway itself. Those of configuration count
// only with a sub code of the gateway (isv., aop.): then no business was begun.
var gatewayCodes = channels.Codes{
	"20000":       unknown("支付宝服务不可用，结果以查询为准"),
	"20001":       later(flow.ActorIT, "授权不足，请检查应用授权"),
	"40001":       later(flow.ActorIT, "请求缺少参数，请检查应用与证书配置"),
	"40002":       later(flow.ActorIT, "请求参数无效，请检查应用、证书与签名配置"),
	"40003":       alarm("条件异常，结果以查询为准"),
	codeRateLimit: later(flow.ActorNone, "调用过于频繁，稍后以原单号重试"),
	"40006":       later(flow.ActorIT, "应用没有该接口的权限"),
}

// configCodes are the gateway codes of configuration.
var configCodes = map[string]bool{"20001": true, "40001": true, "40002": true, "40006": true}
