package patient

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"

	"hospay/collections"
	"hospay/flow"
	"hospay/hooks/kit"
	"hospay/internal/vault"
	"hospay/money"
	"hospay/people"
	"hospay/refund"

	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
)

// bindRefundEvents takes a patient's application as the creation of a record
// of refund_orders.
func (h *Hooks) bindRefundEvents() {
	h.App.OnRecordCreateRequest(collections.RefundOrders).BindFunc(h.submit)
	h.App.OnRecordCreate(collections.RefundOrders).BindFunc(h.submitted)
	h.App.OnRecordAfterCreateSuccess(collections.RefundOrders).BindFunc(func(e *core.RecordEvent) error {
		h.Worker.Kick()
		return e.Next()
	})
}

// submit checks an application and fills in everything that is the server's.
// The same client-made id with the same content is one order.
func (h *Hooks) submit(e *core.RecordRequestEvent) error {
	if e.Auth == nil || e.Auth.Collection().Name != collections.Patients {
		return kit.Denied(e.RequestEvent)
	}
	a, group, err := application(e.Record)
	if err != nil {
		return h.Fail(e.RequestEvent, err)
	}
	defer h.Worker.PersonWaits()()
	ctx := e.Request.Context()
	if err := h.ownPhone(ctx, e, &a); err != nil {
		return h.Fail(e.RequestEvent, err)
	}
	ps, err := h.Intake.Parties(ctx, who(e.Auth), a.Proxy)
	if err != nil {
		return h.Fail(e.RequestEvent, err)
	}
	if err := h.Intake.Payee(ctx, ps.Payee, &a); err != nil {
		return h.Fail(e.RequestEvent, err)
	}
	if e.Record.Id == "" {
		e.Record.Id = core.GenerateDefaultRandomId()
	} else if done, err := h.submittedBefore(e, a, group); done {
		return err
	}
	s, err := h.situation(ctx, e.Auth, a, group, ps)
	if err != nil {
		return h.Fail(e.RequestEvent, err)
	}
	refund.NameHolder(&a, s)
	if err := refund.Check(a, s); err != nil {
		// The same application may have become an order since it was looked for.
		if done, again := h.submittedBefore(e, a, group); done {
			return again
		}
		return h.Fail(e.RequestEvent, err)
	}
	refund.NamePayee(&a, s)
	if err := h.fillOrder(ctx, e, a, group, s); err != nil {
		return h.Fail(e.RequestEvent, err)
	}
	h.Allow(e.Record)
	defer h.Forget(e.Record)
	err = e.Next()
	if err == nil {
		return nil
	}
	if done, again := h.submittedBefore(e, a, group); done {
		return again
	}
	if busy, _ := h.Store.ActiveElsewhere(ctx, s.Institution.ID, a.CardNo, group); busy {
		return kit.Error(http.StatusConflict, string(flow.CodeActiveOrderExists), "")
	}
	if a.Proxy != "" {
		if _, err := h.Intake.StandIn(ctx, who(e.Auth), a.Proxy, a.CardNo); err != nil { // closed at the same moment
			return h.Fail(e.RequestEvent, err)
		}
	}
	if group != "" { // two of one wish at the same moment took the same place
		return kit.Error(http.StatusConflict, string(flow.CodeConflict), "")
	}
	return err
}

// application reads the fields that are the patient's to send.
func application(r *core.Record) (refund.Application, string, error) {
	amount := r.GetFloat("amount")
	phone, _ := people.Phone(r.GetString("notify_phone"))
	account, _ := people.Phone(r.GetString("payee_account")) // at Alipay a phone number may be one
	a := refund.Application{
		CardNo: strings.TrimSpace(r.GetString("card_no")), DepositNo: r.GetString("deposit_no"), Method: refund.Method(r.GetString("method")),
		Channel: r.GetString("channel"), NotifyPhone: phone,
		NoticeVersion: r.GetString("notice_version"),
		Proxy:         r.GetString("proxy_application"),
		Payee:         refund.Payee{Account: account, Name: strings.TrimSpace(r.GetString("payee_name"))},
	}
	if amount != float64(int64(amount)) || amount <= 0 || amount > float64(money.Max) {
		return a, "", flow.NewError(flow.CodeAmountInvalid, "")
	}
	a.Amount = money.Fen(int64(amount))
	if a.Method != refund.MethodOriginal { // a transfer returns no deposit in particular, and HIS is to choose
		a.DepositNo = ""
	}
	return a, r.GetString("group"), nil
}

// ownPhone fills in the applicant's number where it was sent as they are shown
// it, masked: the page holds no other, and a number with stars is nobody else's.
func (h *Hooks) ownPhone(ctx context.Context, e *core.RecordRequestEvent, a *refund.Application) error {
	shown := strings.TrimSpace(e.Record.GetString("notify_phone"))
	if shown == "" || !strings.Contains(shown, "*") || shown != e.Auth.GetString("phone") {
		return nil
	}
	own, err := h.Store.OpenPerson(ctx, e.Auth)
	a.NotifyPhone = own.Phone
	return err
}

// submittedBefore answers a repeated application with the order that it made.
func (h *Hooks) submittedBefore(e *core.RecordRequestEvent, a refund.Application, group string) (bool, error) {
	have, err := e.App.FindRecordById(collections.RefundOrders, e.Record.Id)
	if err != nil {
		return false, nil //nolint:nilerr // there is none
	}
	same, err := h.sameContent(have, e.Auth.Id, a, group)
	if err != nil {
		return true, h.Fail(e.RequestEvent, err)
	}
	if !same {
		return true, kit.Error(http.StatusConflict, string(flow.CodeConflict), "")
	}
	if err := apis.EnrichRecord(e.RequestEvent, have); err != nil {
		return true, err
	}
	return true, e.JSON(http.StatusOK, have)
}

// sameContent compares an order with an application in everything that is the
// patient's to say. A deposit that was left to us, and the name of the holder
// that a proxy leaves out, are as they were filled in.
func (h *Hooks) sameContent(have *core.Record, patient string, a refund.Application, group string) (bool, error) {
	said := map[string]string{
		"patient": patient, "card_no": a.CardNo, "method": string(a.Method), "channel": a.Channel, "group": group,
		"notice_version": a.NoticeVersion, "proxy_application": a.Proxy,
	}
	if a.DepositNo != "" {
		said["deposit_no"] = a.DepositNo
	}
	for field, text := range said {
		if have.GetString(field) != text {
			return false, nil
		}
	}
	kept := map[string]string{}
	for _, field := range []string{"payee_name", "payee_account", "notify_phone"} {
		place := vault.Place(collections.RefundOrders, field, have.Id)
		plain, err := h.Store.Vault().Open(place, have.GetString(field+"_sealed"))
		if err != nil {
			return false, err
		}
		kept[field] = plain
	}
	filled := a.Proxy != "" && a.Method == refund.MethodOriginal && a.Payee.Name == ""
	return int64(have.GetFloat("amount")) == int64(a.Amount) && (filled || people.SameName(kept["payee_name"], a.Payee.Name)) &&
		kept["payee_account"] == a.Payee.Account && kept["notify_phone"] == a.NotifyPhone, nil
}

// situation reads what the checks of an application need to know.
func (h *Hooks) situation(
	ctx context.Context, applicant *core.Record, a refund.Application, group string, ps refund.Parties,
) (refund.Situation, error) {
	s := refund.Situation{Now: h.Now(), Proxy: ps.Proxy}
	var err error
	if ps.Proxy != nil {
		if s.PayeeName, err = h.Store.RealName(ctx, ps.Payee); err != nil {
			return s, err
		}
	}
	if s.Institution, err = h.Store.Institution(ctx, applicant.GetString("institution")); err != nil {
		return s, err
	}
	if s.Card, err = h.Store.Card(ctx, ps.Owner, a.CardNo); err != nil {
		return s, err
	}
	if s.ChannelOn, err = h.Store.ChannelOn(ctx, s.Institution.ID, a.Channel); err != nil {
		return s, err
	}
	if s.ChannelOn {
		ch, err := h.Store.Channel(ctx, s.Institution.ID, a.Channel)
		if err != nil {
			return s, err
		}
		s.Channel = ch.Capabilities()
	}
	if s.OrdersToday, err = h.Store.OrdersToday(ctx, s.Now, applicant.Id, ps.Owner); err != nil {
		return s, err
	}
	s.OtherActive, err = h.Store.ActiveElsewhere(ctx, s.Institution.ID, a.CardNo, group)
	return s, err
}

// fillOrder sets every field of the new order; whatever else the patient sent
// is dropped.
func (h *Hooks) fillOrder(ctx context.Context, e *core.RecordRequestEvent, a refund.Application, group string, s refund.Situation) error {
	r := e.Record
	clearFields(r)
	seq, err := h.Store.GroupSize(ctx, e.Auth.Id, group)
	if err != nil {
		return err
	}
	set := map[string]any{
		"no": refund.OrderNo(r.Id, s.Now), "institution": s.Institution.ID, "patient": e.Auth.Id, "card_no": a.CardNo, "deposit_no": a.DepositNo,
		"amount": int64(a.Amount), "method": string(a.Method), "channel": a.Channel, "status": string(refund.StatusSubmitted),
		"group": group, "group_seq": seq,
		"payee_name": vault.MaskName(a.Payee.Name), "payee_account": vault.MaskAccount(a.Payee.Account), "payee_type": string(a.Payee.Type),
		"notify_phone": vault.MaskPhone(a.NotifyPhone), "notice_version": a.NoticeVersion, "debit_at": string(s.Institution.DebitAt),
		"next_at":           s.Now,
		"proxy_application": a.Proxy,
	}
	if a.Payee.Account != "" {
		set["payee_index"] = h.Store.PayeeIndex(a.Payee.Account)
	}
	if a.Method == refund.MethodOriginal {
		d, err := refund.ChooseDeposit(*s.Card, a, s.Channel.OriginalWindow, s.Now)
		if err != nil {
			return err
		}
		original, err := json.Marshal(d.Payment)
		if err != nil {
			return err
		}
		set["deposit_no"], set["original"] = d.No, string(original)
	}
	for field, plain := range map[string]string{"payee_name": a.Payee.Name, "payee_account": a.Payee.Account, "notify_phone": a.NotifyPhone} {
		sealed, err := h.Store.Vault().Seal(vault.Person, vault.Place(collections.RefundOrders, field, r.Id), plain)
		if err != nil {
			return err
		}
		set[field+"_sealed"] = sealed
	}
	r.Load(set)
	return nil
}

// submitted writes the first event in the transaction of the order itself.
func (h *Hooks) submitted(e *core.RecordEvent) error {
	app, together := e.App, h.Store.Together
	if app.IsTransactional() { // of a batch of requests, which shares nothing with others
		together = app.RunInTransaction
	}
	err := together(func(tx core.App) error {
		e.App = tx
		if err := e.Next(); err != nil {
			return err
		}
		return h.Store.FirstEvent(tx, e.Record)
	})
	e.App = app
	return err
}
