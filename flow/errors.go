package flow

import (
	"errors"

	"hospay/people"
)

// Code is a stable error code; pages and integrators switch on it, and the
// language files turn it into a sentence.
type Code string

// The codes that both domains and the books share.
const (
	CodeAccountRequired    Code = "account_required"
	CodeActiveOrderExists  Code = "active_order_exists"
	CodeAmountInvalid      Code = "amount_invalid"
	CodeBadRequest         Code = "bad_request"
	CodeCardNotYours       Code = "card_not_yours"
	CodeChannelNotBound    Code = "channel_not_bound"
	CodeChannelOff         Code = "channel_off"
	CodeChannelBroken      Code = "channel_broken" // its configuration cannot be used
	CodeChannelUnavailable Code = "channel_unavailable"
	CodeConflict           Code = "conflict"
	CodeHISBroken          Code = "his_broken" // its configuration cannot be used
	CodeHISUnavailable     Code = "his_unavailable"
	CodeIDNoInvalid        Code = "id_no_invalid"
	CodeInstitutionOff     Code = "institution_off"
	CodeNotAllowed         Code = "not_allowed"
	CodeNotFound           Code = "not_found"
	CodeNoteRequired       Code = "note_required"
	CodePatientNotFound    Code = "patient_not_found"
	CodePhoneInvalid       Code = "phone_invalid"
	CodeActionUnsafe       Code = "action_unsafe"
	CodeEvidenceRequired   Code = "evidence_required"
	CodeNoProposal         Code = "no_proposal"
	CodeProposalExists     Code = "proposal_exists"
	CodeProposerGone       Code = Code(people.ProposerGone)
	CodeSamePerson         Code = Code(people.SamePerson)
	CodeAmountMismatch     Code = "amount_mismatch"
	CodeHISNoReversal      Code = "his_no_reversal"
	CodeHISNotQueryable    Code = "his_not_queryable"
	CodeUnknownTooLong     Code = "unknown_too_long"
	CodePendingTooLong     Code = "pending_too_long"
	CodePaidAfterFailure   Code = "paid_after_failure"
	CodePaidOldNumber      Code = "paid_old_number"
	CodePartyMismatch      Code = "party_mismatch"   // an answer about another payee, merchant, application or payment
	CodeNumberTaken        Code = "number_taken"     // the other side gave one number of its own to two of ours
	CodeRefusedForGood     Code = "refused_for_good" // the same refusal again and again, and the number is not known
	CodeHeldTooLong        Code = "held_too_long"
	CodeNotTold            Code = "not_told" // an answer that leaves out what it should prove
)

// Error is a refusal with a stable code. Detail is for the log and staff; it
// never holds personal data.
type Error struct {
	Code   Code
	Detail string
}

// Error implements error.
func (e *Error) Error() string {
	if e.Detail == "" {
		return string(e.Code)
	}
	return string(e.Code) + ": " + e.Detail
}

// Is makes errors with one code equal.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Code == e.Code
}

// NewError returns an Error with the code.
func NewError(c Code, detail string) error { return &Error{Code: c, Detail: detail} }

// CodeOf returns the code of err, or "" when it carries none. The refusals of
// people are codes.
func CodeOf(err error) Code {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	if e, ok := errors.AsType[people.Refusal](err); ok {
		return Code(e)
	}
	return ""
}

// DetailOf returns the detail of err, or "" when it carries none.
func DetailOf(err error) string {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Detail
	}
	return ""
}

// Broken reports whether err comes from a configuration that cannot be used.
func Broken(err error) bool {
	code := CodeOf(err)
	return code == CodeChannelBroken || code == CodeHISBroken
}

// WordsOf is what an error says to staff: its detail where it has one.
func WordsOf(err error) string {
	if said := DetailOf(err); said != "" {
		return said
	}
	return err.Error()
}

// ErrConflict reports that somebody else moved the order first.
var ErrConflict error = &Error{Code: CodeConflict}

// ErrNotFound reports that there is no such order.
var ErrNotFound error = &Error{Code: CodeNotFound}
