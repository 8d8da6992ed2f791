package payments

import (
	"cmp"
	"context"
	"net/http"
	"strings"

	"hospay/calendar"
	"hospay/collections"
	"hospay/flow"
	"hospay/hooks/kit"
	"hospay/internal/i18n"
	"hospay/money"
	"hospay/payment"
	"hospay/store"

	"github.com/pocketbase/pocketbase/core"
)

// paymentFacts is everything that is known of a payment, and what may be done with
// it now.
type paymentFacts struct {
	Order     paymentView     `json:"order"`
	Patient   string          `json:"patient_name"` // masked
	Payer     string          `json:"payer_name"`   // masked; another than the patient where a relative pays
	Numbers   numbersView     `json:"numbers"`
	Insurance string          `json:"insurance_state"`
	CashState string          `json:"cash_state"`
	LegsText  legsText        `json:"legs"` // both parts and HIS in words
	Terminal  string          `json:"terminal"`
	Priced    splitView       `json:"priced"` // by 6202
	Centre    *centreView     `json:"centre"` // by 6301, asked now; null: nothing to ask
	HIS       *hisView        `json:"his"`    // by trade_check, asked now; null: nothing to ask
	Calls     []callView      `json:"calls"`
	Refunds   []refundLine    `json:"refunds"`
	Where     string          `json:"where"` // where the money of a suspended order lies
	Verbs     []payVerb       `json:"verbs"`
	Alone     money.Fen       `json:"refund_alone"`    // what of a payment one person may give back
	Wish      *refundWish     `json:"refund_proposal"` // null: no refund waits for a second person
	Actions   []payAction     `json:"actions"`
	Proposal  *payProposal    `json:"proposal"` // null: nobody proposes anything
	History   []paymentMoment `json:"history"`
}

// legsText are the parts of a payment and its write-back, in words.
type legsText struct {
	Insurance string `json:"insurance"` // empty without insurance
	Cash      string `json:"cash"`
	HIS       string `json:"his"`
}

func viewLegs(w payment.Work) legsText {
	return legsText{Insurance: text("insurance", string(w.Order.Insurance)), Cash: text("cash", string(w.Order.CashLeg)),
		HIS: text("his", hisState(w))}
}

// numbersView are the numbers of an order at all sides.
type numbersView struct {
	TradeNo   string `json:"out_trade_no"`
	MixNo     string `json:"mix_trade_no"`
	ChannelNo string `json:"channel_no"`
	MedOrgOrd string `json:"med_org_ord"`
	PayOrdID  string `json:"pay_ord_id"`
	SetlID    string `json:"setl_id"`
	ReceiptNo string `json:"receipt_no"`
}

// splitView says who pays what.
type splitView struct {
	Total        money.Fen `json:"total"`
	Fund         money.Fen `json:"fund"`
	Account      money.Fen `json:"account"`
	Family       money.Fen `json:"account_family"`
	Cash         money.Fen `json:"cash"`
	Other        money.Fen `json:"other"`
	HospitalPart money.Fen `json:"hospital_part"`
}

func viewSplit(s payment.Split) splitView {
	return splitView{Total: s.Total, Fund: s.Fund, Account: s.Account, Family: s.Family, Cash: s.Cash, Other: s.Other,
		HospitalPart: s.HospitalPart}
}

// centreView is what the centre says of an order at this moment.
type centreView struct {
	State  string     `json:"state"` // ordStas
	Text   string     `json:"text"`
	Split  *splitView `json:"split"` // null: it tells no amounts
	Agrees bool       `json:"agrees"`
	Error  string     `json:"error"` // why nothing is known
}

// hisView is what HIS says of the write-back at this moment.
type hisView struct {
	State     string     `json:"state"` // done, pending, not_found
	Text      string     `json:"text"`
	ReceiptNo string     `json:"receipt_no"`
	Total     *money.Fen `json:"total"` // null: it tells no amount
	Agrees    bool       `json:"agrees"`
	Error     string     `json:"error"` // why nothing is known
}

// callView is a number that was sent, with what became of it.
type callView struct {
	Kind     string    `json:"kind"`
	Text     string    `json:"text"`
	Side     string    `json:"side"` // channel, centre, his
	Attempt  int       `json:"attempt"`
	No       string    `json:"no"`
	Amount   money.Fen `json:"amount"`
	State    string    `json:"state"`
	Reported string    `json:"reported"`
	Theirs   string    `json:"theirs"`
	Code     string    `json:"code"`
	Message  string    `json:"message"`
	Sent     int       `json:"sent"`
	SentAt   string    `json:"sent_at"`
	DoneAt   string    `json:"done_at"`
}

// refundLine is a refund with who wanted it and why.
type refundLine struct {
	refundView
	Reason      string `json:"reason"`
	ByItself    bool   `json:"by_itself"`
	By          string `json:"by"`
	HISRefundID string `json:"his_refund_id"`
}

// payVerb is a verb, and why it is not safe now.
type payVerb struct {
	Verb payment.Verb `json:"verb"`
	Text string       `json:"text"`
	Safe bool         `json:"safe"`
	Code flow.Code    `json:"code"`
	Why  string       `json:"why"`
}

// refundWish is a refund that one person has proposed, and whether another may
// confirm it now.
type refundWish struct {
	refundView
	Seq    int       `json:"seq"`
	Text   string    `json:"text"`
	Total  money.Fen `json:"total"`
	By     string    `json:"by"`
	Reason string    `json:"reason"`
	Safe   bool      `json:"safe"`
	Why    string    `json:"why"`
}

// paymentMoment is an event of a payment.
type paymentMoment struct {
	Text      string `json:"text"`
	Reason    string `json:"reason"` // in words; empty where the message is all there is
	Seq       int    `json:"seq"`
	At        string `json:"at"`
	Event     string `json:"event"`
	From      string `json:"from"`
	To        string `json:"to"`
	Actor     string `json:"actor"`
	ActorKind string `json:"actor_kind"`
	Code      string `json:"code"`
	Message   string `json:"message"`
}

// facts tells staff everything about a payment, with what the centre says of it at
// this moment. A centre that is silent does not keep the rest back.
func (h *Hooks) facts(e *core.RequestEvent) error {
	w, err := h.ofHouse(e)
	if err != nil {
		return h.fail(e, err)
	}
	ctx, o := e.Request.Context(), w.Order
	rec, err := e.App.FindRecordById(collections.PaymentOrders, o.ID)
	if err != nil {
		return h.fail(e, err)
	}
	out := paymentFacts{Order: viewPayment(w), Patient: rec.GetString("patient_name"), Payer: rec.GetString("payer_name"),
		Numbers: numbersView{TradeNo: o.TradeNo, MixNo: o.MixNo, ChannelNo: o.ChannelNo, MedOrgOrd: o.MedOrgOrd, PayOrdID: o.PayOrdID,
			SetlID: o.Settlement.SetlID, ReceiptNo: o.ReceiptNo},
		Insurance: string(o.Insurance), CashState: string(o.CashLeg), LegsText: viewLegs(w),
		Terminal: string(o.Terminal), Priced: viewSplit(o.Split)}
	if out.Centre, err = h.atCentre(ctx, w); err != nil {
		return h.fail(e, err)
	}
	if out.HIS, err = h.atHIS(ctx, w); err != nil {
		return h.fail(e, err)
	}
	if err := h.books(ctx, w, &out); err != nil {
		return h.fail(e, err)
	}
	if err := h.offers(ctx, w, &out); err != nil {
		return h.fail(e, err)
	}
	return e.JSON(http.StatusOK, out)
}

// atCentre asks the centre (6301).
func (h *Hooks) atCentre(ctx context.Context, w payment.Work) (*centreView, error) {
	a, ok, err := h.Bills.AtCentre(ctx, w)
	switch code := flow.CodeOf(err); {
	case err != nil && code == "":
		return nil, err
	case err != nil:
		return &centreView{Error: kit.ErrorText(code)}, nil
	case !ok:
		return nil, nil
	case a.Verdict != flow.Done:
		return &centreView{Error: cmp.Or(a.Reason.Message, kit.ErrorText(payment.CodeCentreUnavailable))}, nil
	}
	v := &centreView{State: a.Stas.String(), Text: text("stas", a.Stas.String())}
	if a.Told {
		split := viewSplit(a.Split)
		v.Split, v.Agrees = &split, a.Agrees(w.Order.Split)
	}
	return v, nil
}

// atHIS asks HIS (trade_check).
func (h *Hooks) atHIS(ctx context.Context, w payment.Work) (*hisView, error) {
	r, ok, err := h.Bills.AtHIS(ctx, w)
	switch code := flow.CodeOf(err); {
	case err != nil && code == "":
		return nil, err
	case err != nil:
		return &hisView{Error: kit.ErrorText(code)}, nil
	case !ok:
		return nil, nil
	case r.Verdict != flow.Done:
		return &hisView{Error: cmp.Or(r.Reason.Message, kit.ErrorText(flow.CodeHISUnavailable))}, nil
	}
	v := &hisView{State: string(r.State), Text: text("receipt", string(r.State)), ReceiptNo: r.HISNo, Agrees: true}
	if r.State == payment.ReceiptDone && r.Told {
		v.Total, v.Agrees = &r.Amount, r.Amount == w.Order.Total && r.Differs == ""
	}
	return v, nil
}

// books adds the numbers that were sent, the refunds and the history.
func (h *Hooks) books(ctx context.Context, w payment.Work, out *paymentFacts) error {
	calls, err := h.Store.Payments().Calls(ctx, w.Order.ID)
	if err != nil {
		return err
	}
	out.Calls, out.Refunds = []callView{}, []refundLine{}
	for _, c := range calls {
		out.Calls = append(out.Calls, callView{Kind: c.Kind, Text: text("call", c.Kind), Side: payment.CallSide(c.Kind), Attempt: c.Attempt,
			No: c.No, Amount: money.Fen(c.Amount), State: c.State, Reported: c.Reported, Theirs: c.Theirs, Code: c.Code, Message: c.Message,
			Sent: c.Sent, SentAt: calendar.Clock(c.SentAt.Time()), DoneAt: calendar.Clock(c.DoneAt.Time())})
	}
	refunds, err := h.Store.Payments().Refunds(ctx, w.Order.ID)
	if err != nil {
		return err
	}
	for _, r := range refunds {
		line := refundLine{refundView: viewRefund(r), Reason: r.Reason, ByItself: r.ByItself, By: r.By.ID, HISRefundID: r.HISRefundID}
		if r.ByItself {
			line.Reason = store.ReasonText(r.Reason, "")
		}
		out.Refunds = append(out.Refunds, line)
	}
	out.History, err = h.history(ctx, w.Order.ID)
	return err
}

// hisState is what HIS knows of a payment, as the list tells it.
func hisState(w payment.Work) string {
	charge, back := w.Calls[payment.CallCharge], w.Calls[payment.CallUncharge]
	switch {
	case back != nil && back.State == flow.CallDone:
		return store.HISReversed
	case !w.Order.WrittenAt.IsZero():
		return store.HISWritten
	case charge == nil:
		return store.HISNone
	case charge.State == flow.CallRefused:
		return store.HISRefused
	}
	return store.HISOpen
}

// history tells every event of a payment.
func (h *Hooks) history(ctx context.Context, order string) ([]paymentMoment, error) {
	out := []paymentMoment{}
	events, err := store.Workable(h.Store.Payments().Events(ctx, order))
	for _, ev := range events {
		out = append(out, paymentMoment{Text: eventText(ev), Reason: eventReason(ev), Seq: ev.Seq,
			At: calendar.Clock(ev.Created.Time()), Event: ev.Event, From: ev.From,
			To: ev.To, Actor: ev.Actor, ActorKind: ev.ActorKind, Code: ev.Code, Message: ev.Message})
	}
	return out, err
}

// eventText is an event in words; that of the desk names its action.
func eventText(ev store.Event) string {
	words := cmp.Or(text("event", ev.Event), callText(ev.Event), ev.Event)
	if action := text("action", ev.Code); action != "" && strings.HasPrefix(ev.Event, flow.EventSuspense) {
		words += "“" + action + "”"
	}
	return words
}

// callText is what became of a call, in words.
func callText(event string) string {
	kind, outcome, _ := strings.Cut(event, ".")
	if words := text("call", kind); words != "" {
		return words + text("outcome", outcome)
	}
	return ""
}

// eventReason is why something happened, where its code has words; the message is
// told beside it as it came.
func eventReason(ev store.Event) string {
	if ev.Event == "refund.wait_auth" { // the words of the code are for who pays
		return ""
	}
	if strings.HasPrefix(ev.Event, flow.EventSuspense) || !i18n.Has("reason."+ev.Code) && !i18n.Has("error."+ev.Code) {
		return ""
	}
	return store.ReasonText(ev.Code, "")
}

// offers adds what may be done now, and why the rest may not.
func (h *Hooks) offers(ctx context.Context, w payment.Work, out *paymentFacts) error {
	verbs, err := h.Bills.Verbs(ctx, w)
	if err != nil {
		return err
	}
	out.Verbs, out.Actions = []payVerb{}, []payAction{}
	for _, v := range verbs {
		view := payVerb{Verb: v.Verb, Text: text("verb", string(v.Verb)), Safe: v.Safe, Code: v.Why}
		if view.Why = text("why", v.Detail); v.Why != flow.CodeActionUnsafe && !v.Safe {
			view.Why = codeText(v.Why, v.Detail)
		}
		out.Verbs = append(out.Verbs, view)
	}
	if out.Alone, err = h.Store.Payments().RefundAlone(ctx, w.Order.Institution); err != nil {
		return err
	}
	if out.Wish, err = h.wish(ctx, w); err != nil || w.Order.Status != payment.StatusSuspense {
		return err
	}
	out.Where, out.Actions, out.Proposal = whereText(w), h.actions(w), viewProposal(w.Proposal)
	return nil
}

// codeText is the sentence of a code, by payments' own words where they have some.
func codeText(code flow.Code, detail string) string {
	return cmp.Or(text("error", string(code), "detail", detail), i18n.Text(i18n.Default, "error."+string(code), "detail", detail))
}

// wish is the refund that waits for a second person.
func (h *Hooks) wish(ctx context.Context, w payment.Work) (*refundWish, error) {
	r := w.Wish
	if r == nil {
		return nil, nil
	}
	v := &refundWish{refundView: viewRefund(*r), Seq: r.Seq, Text: text("verb", "refund_"+string(r.Kind)), Total: r.Total(), By: r.By.ID,
		Reason: r.Reason, Safe: true}
	if err := h.Bills.Wished(ctx, w); err != nil {
		code := flow.CodeOf(err)
		if code == "" {
			return nil, err
		}
		v.Safe, v.Why = false, codeText(code, flow.DetailOf(err))
	}
	return v, nil
}
