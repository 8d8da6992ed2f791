package refund

import "hospay/flow"

// Codes of the checks and of the service.
const (
	CodeAccountInvalid      flow.Code = "account_invalid"
	CodeBelowMinimum        flow.Code = "below_minimum"
	CodeConsentOutdated     flow.Code = "consent_outdated"
	CodeDepositTooOld       flow.Code = "deposit_too_old"
	CodeImageInvalid        flow.Code = "image_invalid"
	CodeImageTooLarge       flow.Code = "image_too_large"
	CodeImageTooMany        flow.Code = "image_too_many"
	CodeMethodOff           flow.Code = "method_off"
	CodeNameMismatch        flow.Code = "name_mismatch"
	CodeNoOriginalPayment   flow.Code = "no_original_payment"
	CodeNoticeOutdated      flow.Code = "notice_outdated"
	CodeOverBalance         flow.Code = "over_balance"
	CodeOverSingleLimit     flow.Code = "over_single_limit"
	CodePrincipalNotFound   flow.Code = "principal_not_found"
	CodeEntryRefused        flow.Code = "entry_refused" // whatever of name, number, card and account does not fit
	CodePaperInvalid        flow.Code = "paper_no_invalid"
	CodeProxyCaseMismatch   flow.Code = "proxy_case_mismatch"
	CodeProxyClosed         flow.Code = "proxy_closed"
	CodeProxyMissing        flow.Code = "proxy_materials_missing"
	CodeProxyOff            flow.Code = "proxy_off"
	CodeProxySelf           flow.Code = "proxy_self"
	CodeProxyNotApproved    flow.Code = "proxy_not_approved"
	CodeReviewSingly        flow.Code = "review_singly"
	CodeSameReviewer        flow.Code = "same_reviewer"
	CodeSelfReview          flow.Code = "self_review"
	CodeTooManyToday        flow.Code = "too_many_today"
	CodePayoutReturned      flow.Code = "payout_returned"
	CodeConfirmationExpired flow.Code = "confirmation_expired"
)
