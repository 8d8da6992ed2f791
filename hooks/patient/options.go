package patient

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"hospay/calendar"
	"hospay/collections"
	"hospay/flow"
	"hospay/internal/i18n"
	"hospay/internal/richtext"
	"hospay/money"
	"hospay/refund"
)

// optionsView is what the patient may choose. The card's part is there when a
// card is asked about.
type optionsView struct {
	Notice     *noticeView     `json:"notice"` // null: none is in force
	Open       bool            `json:"open"`
	Methods    []refund.Method `json:"methods"`
	Choice     bool            `json:"transfer_choice"` // a transfer may be had instead of the original route: method=transfer
	Channels   []channelView   `json:"channels"`
	MinAmount  money.Fen       `json:"min_amount"`
	DayLimit   int             `json:"day_limit"`
	Payee      payeeView       `json:"payee"`
	CardNo     string          `json:"card_no,omitempty"`
	Refundable *money.Fen      `json:"refundable,omitempty"`
	Suggestion *adviceView     `json:"suggestion,omitempty"`
}

// noticeView is a text that must be agreed to.
type noticeView struct {
	Version string `json:"version"`
	Title   string `json:"title"`
	Content string `json:"content"`
}

// payeeView is whom a transfer pays.
type payeeView struct {
	Who  refund.ProxyPayee `json:"who"`
	Name string            `json:"name"`
}

// channelView is a channel: what it can do, or why it is off.
type channelView struct {
	Channel string    `json:"channel"`
	Name    string    `json:"name"`
	On      bool      `json:"on"`
	Bound   bool      `json:"bound"`
	Reason  string    `json:"reason,omitempty"`
	Code    flow.Code `json:"code,omitempty"`
	*ChannelBounds
}

// ChannelBounds is what a channel that is on can do.
type ChannelBounds struct {
	Methods       []refund.Method `json:"methods"`
	MinAmount     money.Fen       `json:"min_amount"`
	SingleLimit   money.Fen       `json:"single_limit"`
	PayeeConfirms bool            `json:"payee_confirms"`
	OriginalDays  int             `json:"original_days"`
}

// adviceView is the suggested split; Left is what no route can carry, and why.
type adviceView struct {
	Routes  []routeView `json:"routes"`
	Left    money.Fen   `json:"left"`
	Why     string      `json:"why,omitempty"`
	WhyCode string      `json:"why_code,omitempty"`
}

// routeView is one order of the split.
type routeView struct {
	Method    refund.Method `json:"method"`
	Channel   string        `json:"channel"`
	Amount    money.Fen     `json:"amount"`
	DepositNo string        `json:"deposit_no"`
	Why       string        `json:"why"`
	WhyCode   string        `json:"why_code"`
	Paid      money.Fen     `json:"paid,omitempty"` // what was paid in then, with PaidAt: the payment that goes back
	PaidAt    string        `json:"paid_at,omitempty"`
}

// options tells what the patient may choose for a card, with the reasons for
// what is off and the suggested split: of the whole refundable balance or of
// an amount, with the transfers through the preferred channel.
func (h *Hooks) options(e *core.RequestEvent) error {
	ctx, q := e.Request.Context(), e.Request.URL.Query()
	inst, err := h.Store.Institution(ctx, e.Auth.GetString("institution"))
	if err != nil {
		return h.Fail(e, err)
	}
	offers, err := h.Store.Offers(ctx, inst.ID)
	if err != nil && !flow.Broken(err) { // the channels that are not broken stand
		return h.Fail(e, err)
	}
	cardNo := q.Get("card_no")
	ps, err := h.Intake.StandIn(ctx, who(e.Auth), q.Get("proxy"), cardNo)
	if err != nil {
		return h.Fail(e, err)
	}
	payee, err := e.App.FindRecordById(collections.Patients, ps.Payee)
	if err != nil {
		return h.Fail(e, err)
	}
	out := optionsView{
		Notice: h.notice(e, inst, collections.NoticeRefund), Open: inst.Active, Methods: inst.Methods,
		Choice:   inst.Choice && slices.Contains(inst.Methods, refund.MethodOriginal) && slices.Contains(inst.Methods, refund.MethodTransfer),
		Channels: viewChannels(payee, inst, offers), MinAmount: inst.MinAmount, DayLimit: inst.DayLimit,
		Payee: payeeView{Who: ps.Who, Name: payee.GetString("name")},
	}
	if cardNo == "" {
		return e.JSON(http.StatusOK, out)
	}
	if err := h.Intake.Fresh(ctx, who(e.Auth), cardNo, q.Get("proxy")); err != nil {
		return h.Fail(e, err)
	}
	card, err := h.Store.Card(ctx, ps.Owner, cardNo)
	if err == nil && card == nil {
		err = flow.NewError(flow.CodeCardNotYours, "")
	}
	if err != nil {
		return h.Fail(e, err)
	}
	wish := *card
	if amount := q.Get("amount"); amount != "" {
		n, err := strconv.ParseInt(amount, 10, 64)
		if err != nil || n <= 0 || money.Fen(n) > card.Refundable {
			return h.Fail(e, flow.NewError(flow.CodeAmountInvalid, ""))
		}
		wish.Refundable = money.Fen(n)
	}
	prefer := cmp.Or(q.Get("prefer"), e.Auth.GetString("via"))
	out.CardNo, out.Refundable = card.No, &card.Refundable
	methods := inst.Methods
	if out.Choice && q.Get("method") == string(refund.MethodTransfer) {
		methods = []refund.Method{refund.MethodTransfer}
	}
	out.Suggestion = viewAdvice(refund.Advise(wish, methods, offers, prefer, h.Now()), card.Deposits)
	return e.JSON(http.StatusOK, out)
}

// viewAdvice adds the sentence to every suggested route, and which payment goes back.
func viewAdvice(a refund.Advice, deposits []refund.Deposit) *adviceView {
	out := adviceView{Routes: []routeView{}, Left: a.Left}
	for _, r := range a.Routes {
		v := routeView{
			Method: r.Method, Channel: r.Channel, Amount: r.Amount, DepositNo: r.DepositNo,
			Why: i18n.Text(i18n.Default, "route."+r.Why), WhyCode: r.Why,
		}
		if at := slices.IndexFunc(deposits, func(d refund.Deposit) bool { return r.DepositNo != "" && d.No == r.DepositNo }); at >= 0 {
			v.Paid, v.PaidAt = deposits[at].Amount, calendar.Clock(deposits[at].Payment.PaidAt)
		}
		out.Routes = append(out.Routes, v)
	}
	if a.Why != "" {
		out.Why, out.WhyCode = i18n.Text(i18n.Default, "route."+a.Why), a.Why
	}
	return &out
}

// notice tells the text of a kind that is in force.
func (h *Hooks) notice(e *core.RequestEvent, inst refund.Institution, kind string) *noticeView {
	const inForce = "institution = {:i} && kind = {:k} && active = true"
	rec, err := e.App.FindFirstRecordByFilter(collections.Notices, inForce, dbx.Params{"i": inst.ID, "k": kind})
	if err != nil {
		return nil
	}
	return &noticeView{Version: rec.GetString("version"), Title: rec.GetString("title"), Content: richtext.Sanitize(rec.GetString("content"))}
}

func viewChannels(payee *core.Record, inst refund.Institution, offers []refund.Offer) []channelView {
	can := map[string]refund.Capabilities{}
	for _, o := range offers {
		can[o.Name] = o.Can
	}
	out := []channelView{}
	for _, name := range []string{"wechat", "alipay"} {
		c, on := can[name]
		v := channelView{Channel: name, Name: i18n.Text(i18n.Default, "channel."+name), On: on, Bound: payee.GetBool(name + "_bound")}
		if on {
			v.ChannelBounds = &ChannelBounds{
				Methods: c.Methods, MinAmount: max(c.MinAmount, inst.MinAmount), SingleLimit: c.SingleLimit, PayeeConfirms: c.PayeeConfirms,
				OriginalDays: int(c.OriginalWindow.Hours() / 24),
			}
		} else {
			v.Reason, v.Code = i18n.Text(i18n.Default, "error.channel_off"), flow.CodeChannelOff
		}
		out = append(out, v)
	}
	return out
}
