package payment

import (
	"crypto/sha256"
	"encoding/base32"
	"regexp"
	"time"

	"hospay/calendar"
	"hospay/flow"
	"hospay/money"
	"hospay/people"
)

// Order is the payment of one bill by one patient through one channel.
type Order struct {
	flow.Order
	Patient string // whose account it is; who is treated is in Secrets

	Kind     Kind
	BillNo   string
	CardNo   string
	Title    string
	Channel  string
	Terminal Terminal
	Kiosk    string // which kiosk it was made at; empty elsewhere
	Created  time.Time

	Insured  bool
	Area     string // 参保地
	Insutype string
	MedType  string

	Split                // Total is the bill's from the start; the parts are the centre's, or all of it cash
	Added      money.Fen // taken by the channel beside the insurance's cash: delivery
	Reduced    money.Fen // not taken by the channel: hospital's part, deposit
	CashBack   money.Fen // given back by us, or by HIS as it says
	Insurance  InsuranceState
	CashLeg    CashState
	ExpiresAt  time.Time // nobody can pay afterwards
	Target     Status    // where undoing ends
	CancelWish bool      // the patient wants it undone
	Agreed     bool      // the patient has seen who pays what at a kiosk, and wants the insurance settled
	GiveBack   bool      // undone although the cash was paid
	BackKind   BackKind  // of the one 6203, once its number was written down
	BackAt     time.Time // its time, the same for every send

	MedOrgOrd  string // our number at the centre (serial_no)
	PayOrdID   string // the centre's
	Batch      string // chrgBchno
	MdtrtID    string
	FeeType    string
	TradeNo    string // our number at the channel (out_trade_no)
	MixNo      string // the channel's number of the mixed order
	ChannelNo  string // the channel's number of the payment
	Settlement Settlement
	SettledAt  time.Time
	InsBackAt  time.Time // the insurance has its part back
	PaidAt     time.Time
	CashGoneAt time.Time // the channel has given the cash back by itself
	ReceiptNo  string    // HIS 收据号
	Guide      string    // where to go now
	WrittenAt  time.Time

	Secrets Secrets
}

// Secrets are what only the calls need: erased once no call can need them any
// more. They are sealed where they lie.
type Secrets struct {
	Patient  Person    `json:"patient"`           // who is treated
	Payer    string    `json:"payer,omitempty"`   // who pays, as the channel knows them
	Holder   Person    `json:"holder"`            // whose credential pays
	Family   bool      `json:"family,omitempty"`  // the holder is a relative (亲情付)
	Until    time.Time `json:"until,omitzero"`    // the credential's life
	Location string    `json:"location,omitzero"` // 经度,纬度
	City     string    `json:"city,omitempty"`
	Auth     string    `json:"auth,omitempty"`  // payAuthNo
	Ec       string    `json:"ec,omitempty"`    // ecToken
	Token    string    `json:"token,omitempty"` // payToken
	Revs     string    `json:"revs,omitempty"`  // revsToken
	Handle   string    `json:"handle,omitempty"`
	URL      string    `json:"url,omitempty"`
	IP       string    `json:"ip,omitempty"`
	Back     string    `json:"back,omitempty"`
}

// credential is what a call to the centre carries: one of the two.
func (s Secrets) credential() Credential {
	if s.Auth != "" {
		return Credential{PayAuthNo: s.Auth}
	}
	return Credential{EcToken: s.Ec}
}

// forgetCredential erases what the patient has authorised with.
func (s *Secrets) forgetCredential() {
	s.Auth, s.Ec, s.Revs, s.Location, s.Until = "", "", "", "", time.Time{}
}

// CashDue is what the channel takes.
func (o Order) CashDue() money.Fen { return o.Cash + o.Added - o.Reduced }

// CashKept is what of the cash is still here.
func (o Order) CashKept() money.Fen {
	switch o.CashLeg {
	case CashPaid, CashPartReturned:
		return o.CashDue() - o.CashBack
	}
	return 0
}

// WentBack is what of a payment went back.
func (o Order) WentBack() money.Fen {
	if o.Insurance == InsuranceReturned {
		return o.CashBack + o.Fund + o.Account
	}
	return o.CashBack
}

// RefundKind says which parts of a paid bill go back.
type RefundKind string

// The kinds of refunds.
const (
	RefundAll       RefundKind = "all"
	RefundInsurance RefundKind = "insurance"
	RefundCash      RefundKind = "cash"
)

// The states of a refund.
const (
	RefundProposedState  = "proposed" // one person wants it, another must confirm
	RefundDeclinedState  = "declined" // nobody did
	RefundOpenState      = "open"
	RefundDoneState      = "done"
	RefundWithdrawnState = "withdrawn" // nothing of it went back
)

// Refund is one wish to give a paid bill back, whole or in part.
type Refund struct {
	Seq         int
	No          string
	Kind        RefundKind
	Insurance   bool // the insurance's part goes back
	Fund        money.Fen
	Account     money.Fen
	Cash        money.Fen
	CashDone    bool
	ByItself    bool // the system's: HIS has refused, or the other half has failed
	Reason      string
	By          people.By
	HISRefundID string // HIS's number of the refund that it has asked for, or made itself
	HISRefundAt time.Time
	Told        bool   // HIS has made it itself: nothing of it is moved here
	CashNo      string // the number under which the cash went back: the channel's, where it told one
	CashAt      time.Time
	InsuranceNo string // the number under which the insurance's part did
	AskedAt     time.Time
	DoneAt      time.Time
	State       string
	From        Status // done or part_refunded, where a refund that people do not go on with returns to
}

// Total is all that a refund gives back.
func (r Refund) Total() money.Fen { return r.Fund + r.Account + r.Cash }

// Work is an order with the journal rows that its next step needs.
type Work struct {
	Order    Order
	Calls    map[string]*flow.Call // the newest of each kind
	Refund   *Refund               // the newest that began
	Wish     *Refund               // what somebody proposes to give back
	Refunds  int                   // how many there are, also those that nobody confirmed
	Proposal *flow.Proposal        // what somebody proposes to do with a suspended order
}

// TakeRefunds takes the refunds of an order, in their order.
func (w *Work) TakeRefunds(all []Refund) {
	w.Refund, w.Wish, w.Refunds = nil, nil, len(all)
	for i := range all {
		switch r := &all[i]; r.State {
		case RefundProposedState:
			w.Wish = r
		case RefundDeclinedState:
		default:
			w.Refund = r
		}
	}
}

// numbers without the letters that people misread.
var orderDigits = base32.NewEncoding("0123456789ABCDEFGHJKMNPQRSTVWXYZ").WithPadding(base32.NoPadding)

// OrderNo derives the human order number: P, the Beijing date, ten places from
// the record id. With the three places of a call it has the 20 that the insurance
// and WeChat take.
func OrderNo(id string, at time.Time) string {
	sum := sha256.Sum256([]byte("payment|" + id))
	return NumberPrefix + at.In(calendar.Beijing).Format("060102") + orderDigits.EncodeToString(sum[:])[:10]
}

// callForm is the form of the numbers of calls: that of an order with a letter and
// two digits.
var callForm = regexp.MustCompile(`^P\d{6}[0-9A-HJKMNP-TV-Z]{10}[A-Z]\d{2}$`)

// Numbered reports whether a number has the form of those that payments send out,
// whoever knows it: by it the bills of others tell payments from other business.
func Numbered(no string) bool { return callForm.MatchString(no) }

func byChannel(channel string) people.By { return people.By{Kind: people.ByChannel, ID: channel} }

// byCentre is the insurance centre, which speaks as a channel does.
func byCentre() people.By { return people.By{Kind: people.ByChannel, ID: "centre"} }
