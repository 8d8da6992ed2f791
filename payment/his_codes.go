package payment

import "hospay/flow"

// The codes by which a HIS says no to what is about a bill. A mapping gives them
// as the meaning ("as") of the HIS's own codes.
const (
	CodeBillPaid      flow.Code = "bill_paid"     // at the window, or by another device
	CodeBillGone      flow.Code = "bill_gone"     // cancelled, expired, never there
	CodePriceChanged  flow.Code = "price_changed" // the amount is not the bill's any more
	CodeSlotLost      flow.Code = "slot_lost"     // taken, or the lock has run out
	CodeAreaOff       flow.Code = "area_not_offered"
	CodeNotEnrolled   flow.Code = "not_enrolled" // in the area that was asked
	CodeBenefitOff    flow.Code = "benefit_not_offered"
	CodeGoToWindow    flow.Code = "go_to_window"    // HIS gives it back at the window only: dispensed, examined, reported
	CodeHISNoUncharge flow.Code = "his_no_uncharge" // it reverses nothing without the patient
)
