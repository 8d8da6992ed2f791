package payment

import "hospay/flow"

// Codes of the checks and of the service. What a HIS says of a bill has codes of
// its own (bill_paid, bill_gone …).
const (
	CodeBillOrderExists    flow.Code = "bill_order_exists"   // one that is not at its end
	CodeBillChanged        flow.Code = "bill_changed"        // the amount is another than the patient has seen
	CodeBillUnreadable     flow.Code = "bill_unreadable"     // HIS tells it without amount or kind
	CodeBillsOff           flow.Code = "bills_off"           // HIS offers no bills
	CodeSlotsOff           flow.Code = "slots_off"           // HIS offers no registration
	CodeWayOff             flow.Code = "way_off"             // the institution does not let such bills be paid in this way here
	CodeRefundOff          flow.Code = "refund_off"          // it gives such bills back at the window
	CodeNotInsurable       flow.Code = "not_insurable"       // this bill, or not with what HIS tells of it
	CodeInsuranceOff       flow.Code = "insurance_off"       // not configured here, or not at this channel
	CodeIdentityMissing    flow.Code = "identity_missing"    // HIS does not know the choice of area and benefit
	CodeOrderExpired       flow.Code = "order_expired"       // nobody paid in time
	CodeNotAuthorised      flow.Code = "not_authorised"      // the credential is not there, or not any more
	CodeOtherPerson        flow.Code = "credential_of_other" // it is another person's than the one who is treated
	CodeInsuranceRefused   flow.Code = "insurance_refused"   // 6201 or 6202
	CodeCentreUnavailable  flow.Code = "centre_unavailable"
	CodeCentreBroken       flow.Code = "centre_broken" // its configuration cannot be used
	CodeAmountsOdd         flow.Code = "amounts_odd"   // the split cannot be taken as it is
	CodeChannelRefused     flow.Code = "channel_refused"
	CodeInsuranceFailed    flow.Code = "insurance_failed" // it did not settle; what was paid goes back
	CodeCashReturned       flow.Code = "cash_returned"    // the channel has given the cash back by itself
	CodeHISRefused         flow.Code = "his_refused"      // the write-back
	CodeHalfPaid           flow.Code = "half_paid"        // one half is paid, the other stays open
	CodeRefundRefused      flow.Code = "refund_refused"   // 6203
	CodeRefundUnclear      flow.Code = "refund_unclear"   // 6203 was sent and nothing shows
	CodeRefundNoAuth       flow.Code = "refund_no_auth"   // nobody has authorised in time
	CodeCashRefundFailed   flow.Code = "cash_refund_failed"
	CodeCashGone           flow.Code = "cash_gone" // went back, and not by us
	CodeReversalUnproved   flow.Code = "reversal_unproved"
	CodeNothingToRefund    flow.Code = "nothing_to_refund"
	CodeNothingPaid        flow.Code = "nothing_paid"          // or not wholly: people undo it otherwise
	CodeOverPaid           flow.Code = "over_paid"             // more than is still here
	CodeInsuranceWhole     flow.Code = "insurance_whole"       // the insurance's parts go back as they are or not at all
	CodeRefundUnproved     flow.Code = "refund_unproved"       // HIS says that the insurance has its part back, the centre does not
	CodeRefundPartNotTaken flow.Code = "refund_part_not_taken" // this part cannot go back here, or not alone
	CodeRefundRunning      flow.Code = "refund_running"
	CodeRefundIDTaken      flow.Code = "refund_id_taken" // HIS's number of a refund, with other amounts
	CodeRefundTakesTwo     flow.Code = "refund_takes_two"
	CodeRefundProposed     flow.Code = "refund_proposed" // one waits for its second person
	CodeRefundChanged      flow.Code = "refund_changed"  // what would go back is another than was proposed
	CodeNoRefundProposed   flow.Code = "no_refund_proposed"
	CodeContradicted       flow.Code = "contradicted" // the other side takes back what it has said
	CodeRestoredCopy       flow.Code = "restored_copy"
	CodeAtRest             flow.Code = "at_rest"  // there is nothing to ask for
	CodeNoWrite            flow.Code = "no_write" // nothing of it is to be written to HIS
	CodeTerminalInvalid    flow.Code = "terminal_invalid"
	CodeShownUnreadable    flow.Code = "shown_unreadable" // no credential and no card looks like this
	CodeShownOff           flow.Code = "shown_off"        // HIS does not know people by what they show
)
