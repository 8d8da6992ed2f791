package sim

// Names of the faults. "before" means that nothing was executed, "after" that
// everything was and only the answer went wrong.
const (
	TimeoutBefore     = "timeout_before"
	TimeoutAfter      = "timeout_after"
	Error500Before    = "500_before"
	Error500After     = "500_after"
	HTML502After      = "html_502_after"
	BadSignature      = "bad_signature"
	Unsigned          = "unsigned"
	SignTest          = "signtest"
	UnknownCode       = "unknown_code"
	UnknownCodeAfter  = "unknown_code_after"
	Slow              = "slow"
	TruncatedAfter    = "truncated_after"
	RateLimited       = "rate_limited"
	NotEnough         = "not_enough"
	SystemErrorBefore = "system_error_before"
	SystemErrorAfter  = "system_error_after"
	NameMismatch      = "name_mismatch"
	DuplicateCallback = "duplicate_callback"
	LateCallback      = "late_callback"
	NoCallback        = "no_callback"
	ForgedCallback    = "forged_callback"
	WrongKeyCallback  = "wrong_key_callback"

	// Late requests: they are executed when their sender has long given up.
	LateDebit = "late_debit"
	LatePay   = "late_pay"
	Late500   = "late_500"

	// Lies: answers and callbacks that are rightly signed and tell something else.
	LiePayee      = "lie_payee"
	LieNoPayee    = "lie_no_payee"
	LieApp        = "lie_app"
	LieMerchant   = "lie_merchant"
	LieNumber     = "lie_number"
	LieAmount     = "lie_amount"
	LieNoAmount   = "lie_no_amount"
	LieZeroAmount = "lie_zero_amount"
	LieBadAmount  = "lie_bad_amount"

	// Refusals that no repeat mends. Nothing is executed and nothing is known afterwards.
	InvalidRequest = "invalid_request"
	NoAuth         = "no_auth"
	IPNotAllowed   = "ip_not_allowed"
	OpenidOtherApp = "openid_other_app"
	QuotaExceeded  = "quota_exceeded"
	Refuse         = "refuse"

	// A WeChat transfer whose package its sender never saw.
	LostPackage   = "lost_package"
	AcceptedFirst = "accepted_first"

	// A HIS that is wrong about itself.
	SameNumber = "same_number"
	FutureTime = "future_time"

	// What happens to a bill at the HIS just before a call about it.
	WindowPaid   = "window_paid"
	PriceChanged = "price_changed"
	SlotLost     = "slot_lost"
	Dispensed    = "dispensed"
	HalfWritten  = "half_written"
	AreaOff      = "area_off"
	NotEnrolled  = "not_enrolled"
	PausedFirst  = "paused_first"
	NotEnjoyed   = "not_enjoyed"

	// An insurance centre that is wrong, or that leaves a refund open.
	OddTotal        = "odd_total"
	OddAccount      = "odd_account"
	NoData          = "no_data"
	StaleAnswer     = "stale_answer"
	RefundFail      = "refund_fail"
	RefundExp       = "refund_exp"
	RefundExpBefore = "refund_exp_before"

	// An order of insurance and cash that goes wrong at a channel. The first three
	// strike the payment (operation settle), the others the call that they name.
	InsuranceFail = "insurance_fail"
	InsuranceLate = "insurance_late"
	AutoReversed  = "auto_reversed"
	OddStatus     = "odd_status"
	OddCredential = "odd_credential"
	UserPaying    = "user_paying"
)

// FaultNames lists every fault that a plan may name.
var FaultNames = func() (names []string) {
	for _, k := range Kinds {
		names = append(names, k.Name)
	}
	return names
}()

// Kind says in one line what a fault does; GET /_sim/faults lists them.
type Kind struct {
	Name string `json:"name"`
	What string `json:"what"`
}

// Kinds are all faults.
var Kinds = []Kind{
	{TimeoutBefore, "not executed; the connection ends after hang_ms"},
	{TimeoutAfter, "executed; the connection ends after hang_ms"},
	{Error500Before, "not executed; HTTP 500"},
	{Error500After, "executed; HTTP 500"},
	{HTML502After, "executed; an HTML page of a proxy"},
	{BadSignature, "executed; wrongly signed"},
	{Unsigned, "executed; not signed"},
	{SignTest, "executed; signed as a WeChat signature probe"},
	{UnknownCode, "not executed; a code that is in no list"},
	{UnknownCodeAfter, "executed; a code that is in no list"},
	{Slow, "executed; answered after delay_ms"},
	{TruncatedAfter, "executed; half a body"},
	{RateLimited, "not executed; too many requests"},
	{NotEnough, "not executed; the account that pays is empty"},
	{SystemErrorBefore, "not executed; the channel's own SYSTEM_ERROR"},
	{SystemErrorAfter, "executed; the channel's own SYSTEM_ERROR"},
	{NameMismatch, "refused by the payee's name"},
	{DuplicateCallback, "executed; the callback comes twice"},
	{LateCallback, "executed; the callback comes delay_ms later"},
	{NoCallback, "executed; no callback"},
	{ForgedCallback, "executed; a wrongly signed callback comes before the true one"},
	{WrongKeyCallback, "executed; a callback signed by an unknown key comes before the true one"},
	{LateDebit, "executed delay_ms of virtual time later; the connection ends at once"},
	{LatePay, "the same at a channel"},
	{Late500, "executed delay_ms of virtual time later; HTTP 500 at once"},
	{LiePayee, "answer or callback tells another openid, receiver, buyer or card"},
	{LieNoPayee, "answer or callback tells no payee"},
	{LieApp, "answer or callback tells another application"},
	{LieMerchant, "answer or callback tells another merchant"},
	{LieNumber, "answer or callback tells another number than the one that was sent"},
	{LieAmount, "answer or callback tells one yuan more"},
	{LieNoAmount, "answer or callback tells no amount"},
	{LieZeroAmount, "answer or callback tells the amount 0"},
	{LieBadAmount, "answer or callback tells an amount that cannot be read"},
	{InvalidRequest, "refused for good: over a limit, or a payment that cannot be refunded"},
	{NoAuth, "refused for good: the product is not opened"},
	{IPNotAllowed, "refused for good: the address is not on the merchant's list"},
	{OpenidOtherApp, "refused for good: the payee's id is one of another application"},
	{QuotaExceeded, "refused for good: the day's quota is used up"},
	{Refuse, "refused with the code, message and status of the rule"},
	{LostPackage, "executed, the answer is lost; only an equal request is told the package (WeChat transfer)"},
	{AcceptedFirst, "executed, the answer is ACCEPTED without a package although the payee is asked already (WeChat transfer)"},
	{SameNumber, "executed; the refund number is that of the debit before (HIS debit)"},
	{FutureTime, "executed; the time that is told lies in 2099 (HIS debit and reverse)"},
	{WindowPaid, "the bill is paid at the window just before (HIS bill, save_identity, charge)"},
	{PriceChanged, "the bill costs one yuan more just before (HIS bill, save_identity, charge)"},
	{SlotLost, "the slot is lost just before (HIS lock, charge)"},
	{Dispensed, "what was paid for is handed out just before (HIS uncharge, refund_check)"},
	{HalfWritten, "executed; of the two flags of the answer the insurance's is FAIL (HIS charge)"},
	{AreaOff, "refused: the hospital does not take the area (HIS enrolment, save_identity)"},
	{NotEnrolled, "refused: not insured in the area (HIS enrolment, save_identity)"},
	{PausedFirst, "executed; a paused insurance stands before the others (HIS enrolment)"},
	{NotEnjoyed, "executed; no benefit is enjoyed, with a reason (HIS enrolment)"},
	{OddTotal, "executed; the total is one fen more than its parts (centre 6202, 6301)"},
	{OddAccount, "executed; own and family account are one fen more than the account (centre 6202, 6301)"},
	{NoData, "executed; success without data and signature (centre)"},
	{StaleAnswer, "executed; rightly signed, and an hour old (centre)"},
	{RefundFail, "not executed; refStatus FAIL (centre 6203)"},
	{RefundExp, "executed; refStatus EXP (centre 6203)"},
	{RefundExpBefore, "not executed; refStatus EXP (centre 6203)"},
	{InsuranceFail, "the cash is collected, the insurance's part fails, with message as the reason (settle)"},
	{InsuranceLate, "the cash is collected, the insurance's part settles delay_ms of virtual time later (settle)"},
	{AutoReversed, "both are done, then the channel takes both back and the order is dead (settle)"},
	{OddStatus, "executed; code is told instead of the order's state (query of an order with insurance)"},
	{OddCredential, "executed; both numbers of the credential are told, with code none neither (WeChat userQuery)"},
	{UserPaying, "not closed: the payer has entered the password, and pays delay_ms later (closing a trade)"},
}

var (
	callbackFaults = []string{DuplicateCallback, LateCallback, NoCallback, ForgedCallback, WrongKeyCallback}
	lies           = []string{LiePayee, LieNoPayee, LieApp, LieMerchant, LieNumber, LieAmount, LieNoAmount, LieZeroAmount, LieBadAmount}
	moneyOps       = []string{"transfer", "refund", "debit", "reverse", "cancel", "charge", "uncharge"}
	liableOps      = []string{"transfer", "query", "refund", "refund_query", "debit", "query_debit", "reverse", "query_reverse",
		"order_query", "mixed_query", "charge", "trade_check"}
	moneyFaults = []string{TimeoutBefore, TimeoutAfter, Error500Before, Error500After, HTML502After, BadSignature, Unsigned,
		SignTest, UnknownCode, UnknownCodeAfter, TruncatedAfter, RateLimited, SystemErrorBefore, SystemErrorAfter}
	readFaults = []string{TimeoutBefore, Error500Before, HTML502After, BadSignature, Unsigned, TruncatedAfter, RateLimited}
	hisFaults  = []string{TimeoutBefore, TimeoutAfter, Error500Before, Error500After, HTML502After, UnknownCode, UnknownCodeAfter,
		TruncatedAfter, RateLimited, SystemErrorBefore, SystemErrorAfter, LateDebit}
	centreFaults = []string{TimeoutBefore, TimeoutAfter, Error500Before, Error500After, HTML502After, BadSignature, Unsigned, UnknownCode,
		UnknownCodeAfter, TruncatedAfter, RateLimited, SystemErrorBefore, SystemErrorAfter, NoData, StaleAnswer}
	openOps  = []string{"order", "mixed"} // they move nothing, and have an outcome all the same
	hisReads = []string{TimeoutBefore, Error500Before, HTML502After, TruncatedAfter, RateLimited}
)

// families are the faults that a seeded plan chooses only when its "with" names
// their family: a program must be ready for them first.
var families = map[string][]string{
	"late":     {LatePay, Late500},
	"lies":     lies,
	"refusals": {InvalidRequest, NoAuth, IPNotAllowed, OpenidOtherApp, QuotaExceeded},
	"lost":     {LostPackage, AcceptedFirst},
	"odd":      {SameNumber, FutureTime},
	"bills":    {WindowPaid, PriceChanged, HalfWritten},
	"centre":   {OddTotal, OddAccount, RefundFail, RefundExp, RefundExpBefore},
	"mixed":    {InsuranceFail, InsuranceLate, AutoReversed},
}
