// Package reconcile compares the three books of a business day, line by line:
// the platform's, the channels' bills and HIS's (三方对账). It is pure: lines go
// in from any source, orders with their differences come out. Time and memory
// grow linearly; the result depends neither on the order of the lines nor on
// the order of the books.
package reconcile

import (
	"strings"
	"time"

	"hospay/money"
)

// Book names one of the three books.
type Book uint8

// The three books.
const (
	Platform Book = iota
	Channel
	HIS
	books
)

// Books lists the three books in the order of the reports.
var Books = [...]Book{Platform, Channel, HIS}

// String is the name in files.
func (b Book) String() string { return [...]string{"platform", "channel", "his"}[b] }

// Chinese is the name on forms.
func (b Book) Chinese() string { return [...]string{"平台", "渠道", "HIS"}[b] }

// Status is what a line says about its money.
type Status uint8

// The statuses. The zero value is no status.
const (
	Succeeded Status = iota + 1 // money moved
	Failed                      // it did not, or it came back
	Pending                     // nobody knows yet
)

// String is the name in files.
func (s Status) String() string { return [...]string{"", "succeeded", "failed", "pending"}[s] }

// Chinese is the name on forms.
func (s Status) Chinese() string { return [...]string{"", "成功", "失败", "处理中"}[s] }

// Methods and channels that the engine knows; others are compared as text.
const (
	MethodOriginal = "original" // 原路退
	MethodTransfer = "transfer" // 转账退
	MethodPay      = "pay"      // 缴费: the money comes in
	MethodBack     = "back"     // 退费: the cash of a payment goes back
	ChannelWeChat  = "wechat"
	ChannelAlipay  = "alipay"
	ChannelHand    = "hand" // 线下: people have paid in cash or by the bank
)

// Source tells which kind of bill a channel line comes from. A refund that
// stands in bills of two sources is one refund.
type Source uint8

// The sources of channel lines.
const (
	FundFlow Source = iota // 资金账单、账务明细: the account's movements
	Trade                  // 交易账单、业务明细: the business behind them
	sources
)

// Line is one line of one book. Texts may be empty where the book has none;
// an empty text is never compared.
type Line struct {
	OrderNo   string // our order number; platform and HIS
	BillNo    string // number sent to the channel (out_bill_no)
	HISNo     string
	ChannelNo string // the channel's own number
	CardNo    string
	Amount    money.Fen // more than zero
	Method    string
	Channel   string
	Status    Status
	At        int64 // unix seconds
	OnDay     bool  // the caller knows that the line belongs to the business day, whatever its time
	Minus     bool  // tables only: the amount stood below zero there
	Apart     bool  // platform only: HIS has refused it, and must not hold it

	// Channel lines only.
	Source Source
	File   uint16    // which file, counted by the caller
	Flow   string    // number of the movement in its bill; the same one in two files is one movement
	Type   string    // business type as the bill writes it (业务类型)
	Name   string    // business name, where the bill has one beside the type (业务名称)
	Back   bool      // money came in; in a table: the booking was undone
	Paid   money.Fen // what the account paid of it, where a coupon or a fee bore the rest; 0 = all
	Other  bool      // the caller knows that it is other business: counted, not compared
	Of     string    // of a refund: the merchant's number of the payment, where the bill tells it
}

// Returned reports whether the line is the return of a payment, as far as its
// names tell. One that carries a number of ours is a return whatever its name.
func (l *Line) Returned() bool { return l.Back && !l.Fee() && (isReturn(l.Type) || isReturn(l.Name)) }

// Fee reports whether the line is a fee, or a fee that came back.
func (l *Line) Fee() bool { return holds(l.Type, feeWords) || holds(l.Name, feeWords) }

// The parts of names by which lines of bills are told apart.
var (
	feeWords    = []string{"手续费", "服务费", "收费"}
	returnWords = []string{"退回", "回退", "退票", "退款"}
	payoutWords = []string{"转账", "付款"} // with one of the ends below
	endWords    = []string{"关闭", "失败", "撤销"}
	ownWords    = []string{"提现", "充值", "结算", "分账"} // between accounts of the merchant
)

func isReturn(t string) bool {
	return holds(t, returnWords) || holds(t, payoutWords) && holds(t, endWords)
}

func holds(t string, parts []string) bool {
	for _, p := range parts {
		if strings.Contains(t, p) {
			return true
		}
	}
	return false
}

// Options of a run; Defaults gives the usual ones.
type Options struct {
	Day       string        // business day, yyyy-MM-dd
	Window    time.Duration // this near midnight a line may belong to the neighbouring day; 0 = never
	Tolerance time.Duration // times further apart are a difference; 0 = those of other business days are
	Types     []string      // parts of the business types of bill lines that are ours when money goes out
	Prefixes  []string      // beginnings of our merchant numbers, where others use the merchant account too; none = all are ours
	NoHIS     bool          // HIS gives no book: platform and channel are compared
	Memory    int           // bytes of lines that are kept in memory, the others on the disk; 0 = 64 MiB
	Folder    string        // where the others are while the run lasts; empty = the system's folder for such
}

// Defaults returns the usual options of a day: a window of 30 minutes, and
// times compared by their business days.
func Defaults(day string) Options {
	return Options{Day: day, Window: 30 * time.Minute, Types: DefaultTypes()}
}

// DefaultTypes lists what the business types of refunds and transfers hold in
// the bills of both channels. The names of transfers are not in any public
// paper of the channels, hence the list can be replaced.
func DefaultTypes() []string {
	return []string{"退款", "退费", "转账", "企业付款", "付款到"}
}

// Sum is a number of lines with their amount.
type Sum struct {
	Count  int       `json:"count"`
	Amount money.Fen `json:"amount"`
}

func (s *Sum) add(f money.Fen) {
	s.Count++
	s.Amount += f
}
