package refund

import (
	"context"
	"time"

	"hospay/flow"
	"hospay/money"
)

// Review is a decision on an order.
type Review struct {
	Stage    ReviewStage
	Decision Outcome
	Reviewer string // staff id, empty for the rules
	Note     string
	Verdicts []RuleVerdict
}

// ReviewStage says which look at an order a review row records; there is one
// row per order and stage.
type ReviewStage string

// The stages. StageShadow is what the rules would have decided.
const (
	StageAuto   ReviewStage = "auto"
	StageShadow ReviewStage = "shadow"
	StageFirst  ReviewStage = "first"
	StageSecond ReviewStage = "second" // 复核
)

// The events that are told about, once per order and event; flow.NoticeSuspense each
// time that an order needs people.
const (
	NoticeSucceeded     flow.NoticeEvent = "succeeded"
	NoticeRejected      flow.NoticeEvent = "rejected"
	NoticeFailed        flow.NoticeEvent = "failed"
	NoticeAwaitingPayee flow.NoticeEvent = "awaiting_payee"
	NoticeReturned      flow.NoticeEvent = "returned"
	NoticePaidByHand    flow.NoticeEvent = "paid_by_hand"
	NoticeProxyApproved flow.NoticeEvent = "proxy_approved"
	NoticeProxyRejected flow.NoticeEvent = "proxy_rejected"
	NoticeEntered       flow.NoticeEvent = "entered" // an account registered as this person
)

// Change is everything that one transaction writes: the order's new summary,
// the events that led there, and the rows that go with them. The store applies
// it only if the order still has Version and From.
type Change struct {
	flow.Change
	Order      Order      // new values of the changeable fields
	Debit      *flow.Call // insert or update by number
	Reversal   *flow.Call
	Transfer   *Transfer
	Review     *Review
	Callback   *flow.CallbackRow
	Compensate *Order // a new order that restores a returned payout
	// Heard are calls whose foreign number was heard for the first time: where
	// another call bears it meanwhile, the change is ErrConflict.
	Heard []*flow.Call
}

// Store keeps orders. Every method is one transaction.
type Store interface {
	// Claim leases up to limit due orders to owner and returns those that can
	// be read, with an error about the others.
	Claim(ctx context.Context, owner string, now, leaseUntil time.Time, limit int) ([]Work, error)
	// Get reads an order with its journal rows.
	Get(ctx context.Context, id string) (Work, error)
	// ByPayout finds the order of a payout number of an institution.
	ByPayout(ctx context.Context, institution, no string) (Work, error)
	// Commit writes a change, or returns ErrConflict without writing anything.
	// An approval of an order whose proxy application is no longer approved is
	// refused with CodeProxyClosed; an act of a staff member who has lost the
	// role meanwhile, or whom the order concerns, with CodeNotAllowed or
	// CodeSelfReview.
	Commit(context.Context, *Change) error
	// Taken reports whether the other side has given its number to another call of
	// the same kind, at the same institution and (payouts) channel.
	Taken(ctx context.Context, o Order, c *flow.Call, theirs string) (bool, error)
	// Rewind makes up for a clock that has gone back: what waits was to wait from
	// now on. It returns by how much, 0 when the clock has not, and tells staff.
	Rewind(ctx context.Context, now time.Time) (back time.Duration, moved int64, err error)
	// Facts gathers what the automatic review looks at.
	Facts(ctx context.Context, o Order, now time.Time) (Facts, error)
}

// Institution is the part of an institution's settings that decides orders.
type Institution struct {
	ID        string
	Name      string
	Active    bool
	Frozen    bool // payouts are frozen
	Restored  bool // the data folder is a restored copy that nobody has released: nothing that moves money leaves
	DebitAt   DebitAt
	Methods   []Method
	SelfEntry bool      // patients come in by themselves, by what HIS knows of them
	Choice    bool      // patients may have a transfer where the money could go back the way it came
	DayLimit  int       // orders per patient and day; 0 = no limit
	MinAmount money.Fen // institution's own floor
	Review    ReviewSettings
	NoticeNo  string // version of the refund notice (须知) in force; empty = none
	Proxy     ProxySettings
}

// ProxySettings is how an institution lets relatives act (亲友代办).
type ProxySettings struct {
	On      bool
	Payee   ProxyPayee // who gets transfers
	Days    int        // how long an approval lives
	Consent string     // version of the consent text in force; empty = none
}

// HISTraits says what an institution's HIS can do.
type HISTraits struct {
	Queryable  bool // a debit and a reversal can be asked for by our number
	Idempotent bool // the same number twice is one debit
	Reversible bool // it offers 撤销
}

// Directory finds an institution's settings and its connections.
type Directory interface {
	Institution(ctx context.Context, id string) (Institution, error)
	// Channel and HIS are the connections in force, for what begins now.
	Channel(ctx context.Context, institution, channel string) (Channel, error)
	HIS(ctx context.Context, institution string) (HIS, HISTraits, error)
	// ChannelOf and HISOf are the connections that a call names. Whatever
	// happens to its number later happens there.
	ChannelOf(ctx context.Context, connection string) (Channel, error)
	// Reached names the connections to a channel that were in force at any time
	// since then, the present one first.
	Reached(ctx context.Context, institution, channel string, since time.Time) ([]string, error)
	HISOf(ctx context.Context, connection string) (HIS, HISTraits, error)
}
