package wechat

import (
	"net/http"
	"strings"
	"testing"

	"hospay/channels"
	"hospay/flow"
	"hospay/refund"

	"github.com/wechatpay-apiv3/wechatpay-go/core"
	"pgregory.net/rapid"
)

// The documented codes of each call, with what they must mean.
func TestCodes_EveryDocumentedCode(t *testing.T) {
	type row struct {
		status int
		code   string
		want   flow.Verdict
		actor  flow.Actor
		hold   bool
	}
	const none, it, money, patient, review = flow.ActorNone, flow.ActorIT, flow.ActorFinance, flow.ActorPatient, flow.ActorReviewer
	create := []row{
		{400, "PARAM_ERROR", flow.Refused, it, false}, {400, "INVALID_REQUEST", flow.Unknown, it, false},
		{400, "ALREADY_EXISTS", flow.Unknown, it, false}, {401, "SIGN_ERROR", flow.Refused, it, true},
		{403, "NO_AUTH", flow.Refused, it, true}, {429, "QUOTA_EXCEED", flow.Refused, money, true},
		{403, "NOT_ENOUGH", flow.Refused, money, true},
		{403, "USER_ERROR", flow.Refused, it, true}, {429, "FREQUENCY_LIMIT_EXCEED", flow.Refused, none, true},
		{429, "RATELIMIT_EXCEEDED", flow.Refused, none, true}, {429, "FREQUENCY_LIMIT", flow.Refused, none, true},
		{429, "FREQUENCY_LIMITED", flow.Refused, none, true}, {500, "SYSTEM_ERROR", flow.Unknown, none, false},
		{500, "PARAM_ERROR", flow.Unknown, it, false}, {500, "NOT_ENOUGH", flow.Unknown, money, false},
		{400, "SYSTEM_ERROR", flow.Unknown, none, false}, {418, "NOT_LISTED", flow.Unknown, review, false},
	}
	original := []row{
		{400, "PARAM_ERROR", flow.Refused, it, false}, {400, "INVALID_REQUEST", flow.Unknown, it, false},
		{401, "SIGN_ERROR", flow.Refused, it, true}, {403, "NOT_ENOUGH", flow.Refused, money, true},
		{403, "USER_ACCOUNT_ABNORMAL", flow.Refused, patient, false}, {404, "RESOURCE_NOT_EXISTS", flow.Refused, review, false},
		{404, "MCH_NOT_EXISTS", flow.Refused, it, false}, {429, "FREQUENCY_LIMITED", flow.Refused, none, true},
		{500, "SYSTEM_ERROR", flow.Unknown, none, false},
	}
	check := func(p refund.Payout, r row) {
		srv := serve(t, func(w http.ResponseWriter, _ *http.Request, _ []byte) {
			refuse(w, r.status, r.code, "收款人 张三丰 oSecretOpenID0001 有误")
		})
		a := newClient(t, testConfig(srv.URL)).Pay(t.Context(), p)
		if a.Verdict != r.want || a.Reason.Actor != r.actor || a.Reason.Hold != r.hold || a.Reason.Code != r.code {
			t.Errorf("%s %d %s: %+v", p.Method, r.status, r.code, a)
		}
		if p.Method == refund.MethodTransfer && strings.Contains(a.Reason.Message, "张三丰") || strings.Contains(a.Reason.Message, "oSecret") {
			t.Errorf("%s: private text in %q", r.code, a.Reason.Message)
		}
	}
	for _, r := range create {
		check(transferPayout(), r)
	}
	for _, r := range original {
		check(originalPayout(), r)
	}
}

func TestCodes_QueriesAndCancelsProveNothing(t *testing.T) {
	for _, code := range strings.Fields("PARAM_ERROR INVALID_REQUEST NO_AUTH SIGN_ERROR NOT_FOUND FREQUENCY_LIMITED SYSTEM_ERROR " +
		"FREQUENCY_LIMIT_EXCEED RATELIMIT_EXCEEDED") {
		r, ok := queryCodes[code]
		if !ok || r.Verdict != flow.Unknown || r.Words == "" {
			t.Errorf("query %s: %+v", code, r)
		}
	}
	for _, code := range strings.Fields("PARAM_ERROR INVALID_REQUEST SIGN_ERROR SYSTEM_ERROR FREQUENCY_LIMIT_EXCEED RATELIMIT_EXCEEDED") {
		if _, ok := cancelCodes[code]; !ok {
			t.Errorf("cancel %s is not listed", code)
		}
	}
}

const allFailReasons = `ACCOUNT_FROZEN ACCOUNT_NOT_EXIST BANK_CARD_ACCOUNT_ABNORMAL BANK_CARD_BANK_INFO_WRONG BANK_CARD_CARD_INFO_WRONG
BANK_CARD_COLLECTIONS_ABOVE_QUOTA BANK_CARD_PARAM_ERROR BANK_CARD_STATUS_ABNORMAL BLOCK_B2C_USERLIMITAMOUNT_BSRULE_MONTH
BLOCK_B2C_USERLIMITAMOUNT_MONTH DAY_RECEIVED_COUNT_EXCEED DAY_RECEIVED_QUOTA_EXCEED EXCEEDED_ESTIMATED_AMOUNT
ID_CARD_NOT_CORRECT MCH_CANCEL MERCHANT_REJECT MERCHANT_NOT_CONFIRM NAME_NOT_CORRECT OPENID_INVALID
OTHER_FAIL_REASON_TYPE OVERDUE_CLOSE PAYEE_ACCOUNT_ABNORMAL PAYER_ACCOUNT_ABNORMAL PRODUCT_AUTH_CHECK_FAIL
REALNAME_ACCOUNT_RECEIVED_QUOTA_EXCEED REAL_NAME_CHECK_FAIL RECEIVE_ACCOUNT_NOT_CONFIGURE RESERVATION_INFO_NOT_MATCH
RESERVATION_SCENE_NOT_MATCH RESERVATION_STATE_INVALID TRANSFER_QUOTA_EXCEED TRANSFER_REMARK_SET_FAIL
TRANSFER_RISK TRANSFER_SCENE_INVALID TRANSFER_SCENE_UNAVAILABLE RELATED_ORDER_TRANSFER_AMOUNT_EXCEED
RELATED_ORDER_TRANSFER_COUNT_EXCEED BUDGET_NOT_ENOUGH`

func TestFailReasons_AllListedAllAssigned(t *testing.T) {
	list := strings.Fields(allFailReasons)
	for _, code := range list {
		if r, ok := failReasons[code]; !ok || r.Actor == flow.ActorNone || r.Words == "" || r.Verdict != flow.Unknown || r.Hold {
			t.Errorf("%s: %+v", code, r)
		}
	}
	if len(list) != len(failReasons) {
		t.Errorf("%d documented, %d listed", len(list), len(failReasons))
	}
	if r := failReasons.Failure("BRAND_NEW", ""); r.Actor != flow.ActorReviewer || r.Code != "BRAND_NEW" {
		t.Errorf("unlisted: %+v", r)
	}
}

func TestCodes_UnlistedIsNeverRefused(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		code := rapid.OneOf(rapid.String(), rapid.StringMatching(`[A-Z_]{1,30}`)).Draw(t, "code")
		status := rapid.IntRange(300, 599).Draw(t, "status")
		for name, codes := range map[string]channels.Codes{"create": createCodes, "query": queryCodes, "cancel": cancelCodes,
			"refund": refundCodes} {
			a := outcome(&core.APIError{StatusCode: status, Code: code}, codes, transferPayout())
			if _, listed := codes[code]; (!listed || status >= 500) && a.Verdict != flow.Unknown || a.Verdict == flow.Done {
				t.Fatalf("%s %d %q: %+v", name, status, code, a)
			}
		}
	})
}
