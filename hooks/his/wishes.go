package his

import (
	"regexp"
	"slices"
	"time"

	"hospay/flow"
	"hospay/money"
)

// Codes of what a system of the hospital may get wrong.
const (
	CodeRefundIDInvalid   flow.Code = "his_refund_id_invalid"
	CodeRefundTimeInvalid flow.Code = "his_refund_time_invalid"
	CodeTradeNoInvalid    flow.Code = "trade_no_invalid"
	CodeDayInvalid        flow.Code = "day_invalid"
	CodePageInvalid       flow.Code = "page_invalid"
	CodeChannelInvalid    flow.Code = "channel_invalid"
	CodeTradeUnknown      flow.Code = "trade_unknown"
	CodeRefundUnknown     flow.Code = "refund_unknown"
)

// RefundWish is a refund that a system of the hospital asks for. Amounts are
// fen, 0 where nothing of the part goes back. The same id with the same content
// is one refund; with any other it is an error.
type RefundWish struct {
	TradeNo       string    `json:"trade_no"`
	HISRefundID   string    `json:"his_refund_id"`
	HISRefundTime int64     `json:"his_refund_time"` // Unix seconds
	AmountSI      money.Fen `json:"amount_si"`       // fund
	AmountAcc     money.Fen `json:"amount_acc"`      // personal account
	AmountCash    money.Fen `json:"amount_cash"`
}

var (
	idForm    = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)
	tradeForm = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)
)

// maxPart is more than any bill.
const maxPart money.Fen = 1_000_000_00

// oldest is how long ago a refund may have been decided that comes now.
const oldest = 366 * 24 * time.Hour

// Check refuses a wish that cannot be meant.
func (w RefundWish) Check(now time.Time) error {
	parts := []money.Fen{w.AmountSI, w.AmountAcc, w.AmountCash}
	switch {
	case !idForm.MatchString(w.HISRefundID):
		return flow.NewError(CodeRefundIDInvalid, "")
	case !tradeForm.MatchString(w.TradeNo):
		return flow.NewError(CodeTradeNoInvalid, "")
	case slices.Min(parts) < 0 || slices.Max(parts) > maxPart || slices.Max(parts) == 0:
		return flow.NewError(flow.CodeAmountInvalid, "")
	}
	at := time.Unix(w.HISRefundTime, 0)
	if at.Before(now.Add(-oldest)) || at.After(now.Add(24*time.Hour)) {
		return flow.NewError(CodeRefundTimeInvalid, "")
	}
	return nil
}

// Insured reports whether part of it is the insurance's.
func (w RefundWish) Insured() bool { return w.AmountSI > 0 || w.AmountAcc > 0 }

// RefundFacts are what became of a refund. Amounts are fen: 0 where a part has
// not gone back, below zero where it has. Times are Unix seconds, 0 before.
type RefundFacts struct {
	TradeNo         string    `json:"trade_no"`
	HISRefundID     string    `json:"his_refund_id"`
	HISRefundTime   int64     `json:"his_refund_time"`
	RefundTradeNo   string    `json:"refund_trade_no"` // ours
	RefundTradeTime int64     `json:"refund_trade_time"`
	Status          string    `json:"status"`
	SetlID          string    `json:"setl_id"`
	MdtrtID         string    `json:"mdtrt_id"`
	SIRefundID      string    `json:"si_refund_id"`
	SIRefundTime    int64     `json:"si_refund_time"`
	CashRefundID    string    `json:"cash_refund_id"`
	CashRefundTime  int64     `json:"cash_refund_time"`
	AmountSI        money.Fen `json:"amount_si"`
	AmountAcc       money.Fen `json:"amount_acc"`
	AmountOther     money.Fen `json:"amount_other"`
	AmountCash      money.Fen `json:"amount_cash"`
	AmountReduction money.Fen `json:"amount_reduction"`
}

// States of a refund as HIS reads them.
const (
	stateProcessing = "processing"
	stateWaitAuth   = "wait_auth" // the patient authorises the insurance's part
	stateManual     = "manual"    // people of finance decide
	stateDone       = "done"
	stateWithdrawn  = "withdrawn" // nothing went back
)

// RefundAsk asks what became of a refund: by the number of HIS, or by ours.
type RefundAsk struct {
	HISRefundID   string `json:"his_refund_id"`
	RefundTradeNo string `json:"refund_trade_no"`
}

// RefundDone is a refund that HIS has made itself and tells of.
type RefundDone struct {
	RefundWish
	SetlID         string `json:"setl_id"`
	MdtrtID        string `json:"mdtrt_id"`
	SIRefundID     string `json:"si_refund_id"`
	SIRefundTime   int64  `json:"si_refund_time"`
	CashRefundID   string `json:"cash_refund_id"`
	CashRefundTime int64  `json:"cash_refund_time"`
}

// Check refuses a notice that cannot be meant: a part that went back has the
// number under which it did.
func (d RefundDone) Check(now time.Time) error {
	if err := d.RefundWish.Check(now); err != nil {
		return err
	}
	if d.Insured() && !idForm.MatchString(d.SIRefundID) || d.AmountCash > 0 && !idForm.MatchString(d.CashRefundID) {
		return flow.NewError(CodeRefundIDInvalid, "")
	}
	return nil
}

// BillAsk asks for the settlements of a day of one channel, or of all.
type BillAsk struct {
	Date    string `json:"date"` // yyyy-MM-dd, Beijing
	Channel string `json:"channel"`
	Offset  int    `json:"offset"`
	Length  int    `json:"length"`
}

// maxLength is how many rows one answer has at most.
const maxLength = 1000

// Check refuses what is no day, channel or page, and makes the length the usual
// one where none is told.
func (b *BillAsk) Check() error {
	if b.Length == 0 {
		b.Length = maxLength
	}
	day, err := time.Parse(time.DateOnly, b.Date)
	switch {
	case err != nil || day.Year() < 2000:
		return flow.NewError(CodeDayInvalid, "")
	case b.Channel != "" && b.Channel != "wechat" && b.Channel != "alipay":
		return flow.NewError(CodeChannelInvalid, "")
	case b.Offset < 0 || b.Length < 0 || b.Length > maxLength:
		return flow.NewError(CodePageInvalid, "")
	}
	return nil
}

// BillPage is a part of a day's settlements.
type BillPage struct {
	Total  int       `json:"total"`
	Offset int       `json:"offset"`
	Length int       `json:"length"`
	List   []BillRow `json:"list"`
}

// BillRow is a settlement, or with amounts below zero what went back of one.
// Amount is the sum of fund, account, other and cash: what has moved.
type BillRow struct {
	ID               string    `json:"id"` // the payment's number, or the refund's
	TradeNo          string    `json:"trade_no"`
	HISRefundID      string    `json:"his_refund_id"`
	Amount           money.Fen `json:"amount"`
	AmountSI         money.Fen `json:"amount_si"`
	AmountAcc        money.Fen `json:"amount_acc"`
	AmountOther      money.Fen `json:"amount_other"`
	AmountCash       money.Fen `json:"amount_cash"`
	AmountReduction  money.Fen `json:"amount_reduction"`
	TimePayed        int64     `json:"time_payed"`
	TimeTrade        int64     `json:"time_trade"`
	SetlID           string    `json:"setl_id"`
	MdtrtID          string    `json:"mdtrt_id"`
	MedTransID       string    `json:"med_trans_id"`
	CashPayID        string    `json:"cash_pay_id"`
	TerminalType     string    `json:"terminal_type"`
	ReconciliationNo string    `json:"reconciliation_no"` // HIS's receipt
	Channel          string    `json:"channel"`
}
