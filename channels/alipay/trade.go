package alipay

import (
	"context"
	"errors"
	"regexp"
	"strings"
	"time"

	"hospay/calendar"
	"hospay/channels"
	"hospay/flow"
	"hospay/internal/wire"
	"hospay/payment"
	"hospay/refund"
)

// The methods of ordinary payments.
const (
	methodCreate     = "alipay.trade.create"    // the payer is known
	methodPrecreate  = "alipay.trade.precreate" // a code to scan
	methodTradeQuery = "alipay.trade.query"
	methodClose      = "alipay.trade.close"
)

// unscanned is how long after its end a code that nobody has scanned may still
// make a trade, since two clocks are never the same.
const unscanned = time.Minute

// traded is Alipay's view of a payment.
type traded struct {
	head
	No        string `json:"out_trade_no"`
	ChannelNo string `json:"trade_no"`
	Status    string `json:"trade_status"`
	Total     string `json:"total_amount"`
	PaidAt    string `json:"send_pay_date"`
	Notified  string `json:"gmt_payment"` // its name in notifications
	BuyerUser string `json:"buyer_user_id"`
	BuyerOpen string `json:"buyer_open_id"`
	QR        string `json:"qr_code"`
}

var (
	userID = regexp.MustCompile(`^2088[0-9]{12}$`)
	// untitled are characters that a title must not have.
	untitled = strings.NewReplacer("/", " ", "=", " ", "&", " ")
)

// OpenTrade makes a trade that the payer can then pay: for a payer who is known,
// or as a code at a kiosk.
func (c *Client) OpenTrade(ctx context.Context, t payment.Trade) (a payment.TradeAnswer) {
	defer channels.RecoverTo(&a, channels.TradeOf)
	if bad, ok := channels.CheckTrade(t); !ok {
		return channels.TradeOf(bad)
	}
	if c.platformPays(t) {
		return payment.TradeAnswer{Verdict: flow.Done, State: payment.TradeOpen}
	}
	method, biz := methodCreate, c.tradeBiz(t)
	switch {
	case t.Terminal == payment.TerminalKiosk:
		method = methodPrecreate
	case t.Payer == "":
		return channels.TradeOf(channels.BadTrade(flow.ActorPatient, "没有付款人的支付宝标识，请从支付宝进入"))
	default:
		c.buyer(biz, t.Payer)
	}
	ctx, cancel := wire.WithDeadline(ctx, c.timeout)
	defer cancel()
	var r traded
	if err := c.call(ctx, method, biz, c.notifyParam(), &r); err != nil {
		return channels.TradeOf(noAnswer(err))
	}
	handle := r.ChannelNo
	if method == methodPrecreate {
		handle = r.QR
	}
	switch {
	case r.No != "" && r.No != t.No:
		return channels.TradeOf(channels.Mismatch("单号不同"))
	case r.Code != codeDone:
		return channels.TradeOf(r.refusal(createCodes))
	case r.No == "" || handle == "":
		return channels.TradeOf(channels.Mismatch("没有单号或支付参数"))
	}
	return payment.TradeAnswer{Verdict: flow.Done, State: payment.TradeOpen, Handle: handle, ChannelNo: r.ChannelNo}
}

// platformPays reports whether the cash of an order with insurance is collected
// by the call that opens the order, so that there is no trade of its own.
func (c *Client) platformPays(t payment.Trade) bool { return t.Insured && c.ins.platform }

// tradeBiz writes the same contents for the same trade.
func (c *Client) tradeBiz(t payment.Trade) map[string]any {
	biz := map[string]any{"out_trade_no": t.No, "total_amount": t.Amount.Yuan(), "subject": channels.Clip(untitled.Replace(t.Title), 128)}
	if !t.Expires.IsZero() {
		biz["time_expire"] = t.Expires.In(calendar.Beijing).Format(time.DateTime)
	}
	return biz
}

// buyer names who pays, and for mini programs what the contract wants besides.
func (c *Client) buyer(biz map[string]any, id string) {
	biz["buyer_open_id"] = id
	if userID.MatchString(id) {
		delete(biz, "buyer_open_id")
		biz["buyer_id"] = id
	}
	for key, value := range map[string]string{"product_code": c.tradeProduct, "op_app_id": c.opApp} {
		if value != "" {
			biz[key] = value
		}
	}
}

// notifyParam asks for notifications where there is somewhere to send them.
func (c *Client) notifyParam() map[string]any {
	if c.NotifyURL == "" {
		return nil
	}
	return map[string]any{"notify_url": c.NotifyURL}
}

// QueryTrade asks for a trade by our number.
func (c *Client) QueryTrade(ctx context.Context, t payment.Trade) (a payment.TradeAnswer) {
	defer channels.RecoverTo(&a, channels.TradeOf)
	ctx, cancel := wire.WithDeadline(ctx, c.timeout)
	defer cancel()
	var r traded
	if err := c.call(ctx, methodTradeQuery, map[string]any{"out_trade_no": t.No}, nil, &r); err != nil {
		return channels.TradeOf(noAnswer(err))
	}
	switch {
	case r.No != "" && r.No != t.No:
		return channels.TradeOf(channels.Mismatch("单号不同"))
	case r.Code == codeBusiness && noTrade[r.SubCode]:
		return c.missing(t)
	case r.Code != codeDone:
		return channels.TradeOf(channels.OfQuery(r.refusal(tradeQueryCodes)))
	case r.No == "":
		return channels.TradeOf(channels.Mismatch("没有单号"))
	}
	a = r.answer()
	if a.State == payment.TradeOpen && t.Terminal != payment.TerminalKiosk {
		a.Handle = a.ChannelNo // also of a trade whose opening was not answered
	}
	return a
}

// missing is a trade that Alipay does not know. A code makes its trade only when
// somebody scans it, so as long as it lives it is open; and whether the platform
// keeps the cash of an order under our number is not published.
func (c *Client) missing(t payment.Trade) payment.TradeAnswer {
	switch {
	case c.platformPays(t):
		return channels.TradeOf(channels.Unclear("支付宝没有用这个单号登记现金部分，以医保订单为准"))
	case t.Terminal == payment.TerminalKiosk && t.Handle != "" && (t.Expires.IsZero() || c.Now().Before(t.Expires.Add(unscanned))):
		return payment.TradeAnswer{Verdict: flow.Done, State: payment.TradeOpen}
	}
	return payment.TradeAnswer{Verdict: flow.Done, State: payment.TradeNotFound}
}

// answer reads a trade that is surely Alipay's. A trade that was paid and has
// gone back in full is closed too; that it was paid shows in the time.
func (r traded) answer() payment.TradeAnswer {
	m := toldAmount(r.Total)
	a := payment.TradeAnswer{Verdict: flow.Done, ChannelNo: r.ChannelNo, PaidAt: at(r.PaidAt), Told: m.Told, Amount: m.Amount,
		Payer: r.BuyerUser}
	if a.PaidAt.IsZero() {
		a.PaidAt = at(r.Notified)
	}
	if a.Payer == "" {
		a.Payer = r.BuyerOpen
	}
	switch r.Status {
	case "WAIT_BUYER_PAY":
		a.State = payment.TradeOpen
	case "TRADE_SUCCESS", "TRADE_FINISHED":
		a.State = payment.TradePaid
	case "TRADE_CLOSED":
		a.State = payment.TradeClosed
		if !a.PaidAt.IsZero() {
			a.State = payment.TradeRefunded
		}
	default:
		return channels.TradeOf(channels.Unclear("支付宝返回了未登记的交易状态"))
	}
	return a
}

// CloseTrade closes a trade that nobody has paid. A code that nobody has scanned
// has no trade that could be closed: it ends by itself.
func (c *Client) CloseTrade(ctx context.Context, t payment.Trade) (a payment.TradeAnswer) {
	defer channels.RecoverTo(&a, channels.TradeOf)
	ctx, cancel := wire.WithDeadline(ctx, c.timeout)
	defer cancel()
	var r traded
	if err := c.call(ctx, methodClose, map[string]any{"out_trade_no": t.No}, nil, &r); err != nil {
		return channels.TradeOf(noAnswer(err))
	}
	switch {
	case r.No != "" && r.No != t.No:
		return channels.TradeOf(channels.Mismatch("单号不同"))
	case r.Code == codeBusiness && noTrade[r.SubCode]:
		if a = c.missing(t); a.State == payment.TradeOpen {
			return channels.TradeOf(channels.Codes{r.SubCode: unknown("收款码还没有人扫，到期后自动失效")}.Answer(r.SubCode, ""))
		}
		return a
	case r.Code != codeDone:
		return channels.TradeOf(r.refusal(closeCodes))
	case r.No == "":
		return channels.TradeOf(channels.Mismatch("没有单号"))
	}
	return payment.TradeAnswer{Verdict: flow.Done, State: payment.TradeClosed, ChannelNo: r.ChannelNo}
}

// RefundTrade gives a trade's money back, as the refund of a deposit's payment
// does; the cash of an order with insurance in the way that the contract has.
func (c *Client) RefundTrade(ctx context.Context, r payment.TradeRefund) (a payment.RefundAnswer) {
	as := func(a refund.PayoutAnswer) payment.RefundAnswer { return channels.RefundOf(a, r) }
	defer channels.RecoverTo(&a, as)
	if bad, ok := channels.CheckTradeRefund(r); !ok {
		return as(bad)
	}
	ctx, cancel := wire.WithDeadline(ctx, c.timeout)
	defer cancel()
	switch {
	case c.platformPays(r.Trade):
		return as(c.platformRefund(ctx, r))
	case r.Trade.Insured && c.ins.byAsset:
		return as(c.assetRefund(ctx, cashAsset(r)))
	}
	return as(c.createRefund(ctx, channels.PayoutOf(r)))
}

// QueryTradeRefund asks for a refund by our number.
func (c *Client) QueryTradeRefund(ctx context.Context, r payment.TradeRefund) (a payment.RefundAnswer) {
	as := func(a refund.PayoutAnswer) payment.RefundAnswer { return channels.RefundOf(a, r) }
	defer channels.RecoverTo(&a, as)
	ctx, cancel := wire.WithDeadline(ctx, c.timeout)
	defer cancel()
	if c.platformPays(r.Trade) {
		return as(channels.OfQuery(c.platformRefundQuery(ctx, r)))
	}
	return as(channels.OfQuery(c.queryRefund(ctx, channels.PayoutOf(r))))
}

// TradePage is what the payer's client opens the payment with.
func (c *Client) TradePage(t payment.Trade) (payment.Page, error) {
	switch {
	case t.Handle == "":
		return payment.Page{}, errors.New("alipay: the trade was not opened")
	case t.Terminal == payment.TerminalKiosk:
		return payment.Page{Form: "code", Values: map[string]string{"url": t.Handle}}, nil
	}
	return payment.Page{Form: "alipay_trade", Values: map[string]string{"tradeNO": t.Handle}}, nil
}

// paymentTraits: how long a number is answered for is not published; it is taken
// to be as short as that of transfers.
var paymentTraits = flow.Traits{Queryable: true, Repeatable: true, ConfirmRefuse: true, ProofDays: 29}

// TradeTraits is what the answers about trades and refunds are worth.
func (c *Client) TradeTraits() (trade, refund flow.Traits) { return paymentTraits, paymentTraits }
