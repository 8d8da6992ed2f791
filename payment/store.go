package payment

import (
	"context"
	"time"

	"hospay/flow"
	"hospay/money"
)

// The events that patients are told about, and what staff is told of payments where
// every domain says flow.NoticeHold and flow.NoticeSuspense.
const (
	NoticeHold         flow.NoticeEvent = "payment_hold"
	NoticeSuspense     flow.NoticeEvent = "payment_suspense"
	NoticeRegistered   flow.NoticeEvent = "payment_registered" // a registration is paid
	NoticePaid         flow.NoticeEvent = "payment_paid"       // an outpatient bill is
	NoticeReceived     flow.NoticeEvent = "payment_received"   // the money is here, HIS is being asked
	NoticeNotPaid      flow.NoticeEvent = "payment_ended"      // cancelled or expired
	NoticeRefunded     flow.NoticeEvent = "payment_refunded"
	NoticePartRefunded flow.NoticeEvent = "payment_part_refunded"
	NoticeRefundAuth   flow.NoticeEvent = "payment_refund_auth" // the patient authorises the refund
)

// Change is everything that one transaction writes: the order's new summary,
// the events that led there, and the rows that go with them. The store applies
// it only if the order still has Version and From.
type Change struct {
	flow.Change
	Order    Order        // new values of the changeable fields
	Calls    []*flow.Call // insert or update by kind and number
	Refund   *Refund      // insert or update by its sequence
	Callback *flow.CallbackRow
	// Heard are calls whose foreign number was heard for the first time: where
	// another call bears it meanwhile, the change is ErrConflict.
	Heard []*flow.Call
}

// Store keeps orders. Every method is one transaction.
type Store interface {
	// Create inserts an order with its first event. Another order of the bill that
	// is not at its end is CodeBillOrderExists.
	Create(ctx context.Context, o Order) error
	// Claim leases up to limit due orders to owner and returns those that can
	// be read, with an error about the others.
	Claim(ctx context.Context, owner string, now, leaseUntil time.Time, limit int) ([]Work, error)
	// Get reads an order with its journal rows.
	Get(ctx context.Context, id string) (Work, error)
	// ByNumber finds the order of a number: its own, or one that was sent to a channel
	// (out_trade_no, out_refund_no), to the centre (medOrgOrd) or to HIS.
	ByNumber(ctx context.Context, institution, no string) (Work, error)
	// Commit writes a change, or returns ErrConflict without writing anything. An
	// act of a staff member who has lost the role meanwhile, or whom the order
	// concerns, is refused.
	Commit(context.Context, *Change) error
	// Taken reports whether the other side has given its number to another call of
	// the same kind through the same connection.
	Taken(ctx context.Context, o Order, c *flow.Call, theirs string) (bool, error)
	// RefundByHIS finds the refund that HIS has asked for under a number of its own.
	RefundByHIS(ctx context.Context, institution, hisRefundID string) (Work, *Refund, error)
	// Rewind makes up for a clock that has gone back, as for refunds.
	Rewind(ctx context.Context, now time.Time) (back time.Duration, moved int64, err error)

	// AwaitingAuth lists a patient's orders at a channel that wait for a credential.
	AwaitingAuth(ctx context.Context, patient, channel string) ([]string, error)

	// Insured is a patient as HIS and insurance know them, if the card is theirs:
	// CodeCardNotYours otherwise. Without a card it is who they are.
	Insured(ctx context.Context, patient, cardNo string) (Insured, error)
	// Payer is a patient's account at a channel, empty where none is known.
	Payer(ctx context.Context, patient, channel string, terminal Terminal) (string, error)
	// KeepCredential keeps what a patient has authorised with at a channel, until an
	// order takes it; TakeCredential hands it over and forgets it.
	KeepCredential(ctx context.Context, patient, channel string, g Grant) error
	Credential(ctx context.Context, patient, channel string) (Grant, error)
	TakeCredential(ctx context.Context, patient, channel string) (Grant, error)
}

// Grant is a credential that a patient has authorised with; the zero value is
// none. It is sealed where it lies.
type Grant struct {
	Credential
	Holder   Person
	Masked   bool // of the holder's name only a part is known
	Family   bool
	Location string
	City     string
	Area     string
	Until    time.Time
}

// Institution is the part of an institution's settings that decides payments.
type Institution struct {
	ID       string
	Name     string
	Active   bool
	Frozen   bool // nothing goes back
	Restored bool // a restored copy that nobody has released: nothing that moves money leaves
	Scenes   map[Kind]Scene
}

// Channel is a connection to a channel. MedIns is nil where it takes no insurance.
type Channel struct {
	Trades
	MedIns MedIns
}

// Directory finds an institution's settings and its connections.
type Directory interface {
	Institution(ctx context.Context, id string) (Institution, error)
	// RefundAlone is how much of a payment one member of the staff may give back
	// without a second person; 0: every refund takes two.
	RefundAlone(ctx context.Context, institution string) (money.Fen, error)
	// Channel, Centre and HIS are the connections in force, for what begins now. A
	// channel that is off, or has no payments, is CodeChannelOff; no centre is
	// CodeInsuranceOff.
	Channel(ctx context.Context, institution, channel string) (Channel, error)
	Centre(ctx context.Context, institution string) (Centre, error)
	HIS(ctx context.Context, institution string) (HIS, error)
	// Reached names the connections to a channel that were in force at any time since
	// then.
	Reached(ctx context.Context, institution, channel string, since time.Time) ([]string, error)
	// ChannelOf, CentreOf and HISOf are the connections that a call names. Whatever
	// happens to its number later happens there.
	ChannelOf(ctx context.Context, connection string) (Channel, error)
	CentreOf(ctx context.Context, connection string) (Centre, error)
	HISOf(ctx context.Context, connection string) (HIS, error)
}
