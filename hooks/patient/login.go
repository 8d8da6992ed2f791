package patient

import (
	"context"
	"errors"
	"net/http"
	"regexp"
	"time"

	"hospay/channels"
	"hospay/collections"
	"hospay/flow"
	"hospay/hooks/kit"
	"hospay/refund"
	"hospay/store"

	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
)

// codeForm is what a channel's OAuth codes look like.
var codeForm = regexp.MustCompile(`^[0-9A-Za-z_.~-]{1,256}$`)

// ofTickets is how often one person may come in. HIS is asked each time.
var ofTickets = kit.Budget{Name: "tickets", Most: 10, Span: time.Minute}

// exchangeTime bounds how long a login waits for the channel.
const exchangeTime = 10 * time.Second

func (h *Hooks) bindAuthRoutes(se *core.ServeEvent) {
	g := se.Router.Group("/api/hospay/auth")
	g.Bind(apis.BodyLimit(16 << 10))
	g.POST("/ticket", h.loginByTicket)
	g.POST("/wechat", func(e *core.RequestEvent) error { return h.loginByChannel(e, "wechat") })
	g.POST("/alipay", func(e *core.RequestEvent) error { return h.loginByChannel(e, "alipay") })
	g.POST("/register", h.register)
}

// loginByTicket admits a person whom the hospital's portal sends.
func (h *Hooks) loginByTicket(e *core.RequestEvent) error {
	var body struct {
		Ticket string `json:"ticket" form:"ticket"`
	}
	if err := e.BindBody(&body); err != nil {
		return kit.Error(http.StatusBadRequest, "bad_request", "")
	}
	t, rec, err := h.checkTicket(body.Ticket)
	if err != nil {
		switch code := flow.CodeOf(err); {
		case code != "":
			return h.Fail(e, err)
		case errors.Is(err, errTicketOdd):
			return kit.BadRequest()
		}
		return kit.Error(http.StatusUnauthorized, err.Error(), "")
	}
	if !h.Within(ofTickets, rec.Id+" "+t.Subject) {
		return kit.TooMany()
	}
	v, err := h.visitor(e.Request.Context(), rec.Id, t)
	if err != nil {
		return h.Fail(e, err)
	}
	fresh, err := h.Store.UseTicket(t.ID, h.Now().Add(time.Unix(t.ExpiresAt, 0).Sub(realTime())))
	if err != nil {
		return h.Fail(e, err)
	}
	if !fresh {
		return kit.Error(http.StatusUnauthorized, "ticket_used", "")
	}
	patient, err := h.Store.SaveVisitor(rec.Id, v)
	if err != nil {
		return h.Fail(e, err)
	}
	return h.entered(e, patient, "ticket")
}

func (h *Hooks) checkTicket(s string) (Ticket, *core.Record, error) {
	t, signed, sum, err := readTicket(s)
	if err != nil {
		return t, nil, err
	}
	inst, secrets, err := h.Store.InstitutionByCode(t.Institution)
	if err != nil {
		return t, nil, err
	}
	if err := verifyTicket(t, signed, sum, secrets["portal_secret"], realTime()); err != nil {
		return t, nil, err
	}
	if !inst.GetBool("active") {
		return t, nil, flow.NewError(flow.CodeInstitutionOff, "")
	}
	return t, inst, nil
}

// visitor is the person of a ticket, as the portal and the identity source tell.
func (h *Hooks) visitor(ctx context.Context, institution string, t Ticket) (store.Visitor, error) {
	v := store.Visitor{Via: t.Via, Wechat: h.openidOf(ctx, institution, t)}
	if v.Via != "alipay" {
		v.Via = "wechat"
	}
	if t.AlipayUserID != "" {
		v.Alipay = refund.Payee{Account: t.AlipayUserID, Type: refund.AccountAlipayUserID}
	}
	var err error
	told := refund.Person{PatientNo: t.Subject, Name: t.Name, IDType: t.IDType, IDNo: t.IDNo, Phone: t.Phone}
	v.Person, err = h.Intake.Identify(ctx, institution, told)
	return v, err
}

// openidOf is the WeChat account of a ticket. One of an application that is not
// the institution's is none: the person gets in without it.
func (h *Hooks) openidOf(ctx context.Context, institution string, t Ticket) string {
	if t.WechatAppID == "" || t.WechatOpenID == "" {
		return t.WechatOpenID
	}
	conn, err := h.Store.Connection(ctx, institution, "wechat")
	if err == nil {
		if apps, err := channels.As[channels.Apps](conn); err == nil {
			if account, ok := apps.Within(t.WechatAppID, t.WechatOpenID); ok {
				return account
			}
		}
	}
	h.Log.Warn("ticket.app", "app_id", t.WechatAppID)
	return ""
}

// loginByChannel exchanges an OAuth code. A patient who is logged in binds the
// account; otherwise the patient to whom it is bound logs in.
func (h *Hooks) loginByChannel(e *core.RequestEvent, channel string) error {
	var body struct {
		Code        string `json:"code" form:"code"`
		Institution string `json:"institution" form:"institution"` // its code; may be left out when there is one
		Terminal    string `json:"terminal" form:"terminal"`       // mini: the code is of the mini program's login
	}
	if err := e.BindBody(&body); err != nil || body.Code == "" || (body.Terminal != "" && body.Terminal != "h5" && body.Terminal != "mini") {
		return kit.Error(http.StatusBadRequest, "bad_request", "")
	}
	if !codeForm.MatchString(body.Code) { // none that a channel gives out, so none is asked
		return kit.Error(http.StatusUnauthorized, "code_invalid", "")
	}
	inst, err := h.loginInstitution(e, body.Institution)
	if err != nil {
		return h.Fail(e, err)
	}
	conn, err := h.Store.Connection(e.Request.Context(), inst, channel)
	if err != nil {
		return h.Fail(e, err)
	}
	account, err := exchange(e.Request.Context(), conn, body.Terminal, body.Code)
	switch {
	case errors.Is(err, channels.ErrBadCode):
		return kit.Error(http.StatusUnauthorized, "code_invalid", "")
	case errors.Is(err, channels.ErrNotSupported):
		return kit.Error(http.StatusBadRequest, string(flow.CodeChannelOff), "")
	case err != nil:
		return h.Fail(e, err)
	}
	rec, err := h.enter(e, inst, account)
	if err != nil || rec == nil {
		return err
	}
	return h.entered(e, rec, channel)
}

// exchange asks the channel whose code it is.
func exchange(ctx context.Context, conn channels.Channel, terminal, code string) (a channels.Account, err error) {
	ctx, cancel := context.WithTimeout(ctx, exchangeTime)
	defer cancel()
	if terminal == "mini" {
		login, err := channels.As[channels.MiniLogin](conn)
		if err != nil {
			return a, err
		}
		return login.ExchangeMini(ctx, code)
	}
	login, err := channels.As[channels.Login](conn)
	if err != nil {
		return a, err
	}
	return login.Exchange(ctx, code)
}

// entered answers with the session and, as its meta, who it is: a page on a slow
// network greets without asking once more.
func (h *Hooks) entered(e *core.RequestEvent, patient *core.Record, way string) error {
	me, err := h.viewMe(e.Request.Context(), patient)
	if err != nil {
		return h.Fail(e, err)
	}
	return apis.RecordAuthResponse(e, patient, way, enteredView{Me: me})
}

// enteredView is what the way in tells beside the session.
type enteredView struct {
	Me meView `json:"me"`
}

// enter finds whose account it is, or binds it; none where whoever came has been
// told how to say who they are.
func (h *Hooks) enter(e *core.RequestEvent, inst string, account channels.Account) (*core.Record, error) {
	owner, err := h.Store.PatientByAccount(inst, account)
	if err != nil && !errors.Is(err, flow.ErrNotFound) {
		return nil, h.Fail(e, err)
	}
	if e.Auth == nil || e.Auth.Collection().Name != collections.Patients {
		if owner == nil {
			return nil, h.mayRegister(e, inst, account)
		}
		rec, err := h.Store.BindAccount(owner.Id, account)
		return rec, h.Fail(e, err)
	}
	if owner != nil && owner.Id != e.Auth.Id {
		return nil, kit.Error(http.StatusConflict, "conflict", "")
	}
	rec, err := h.Store.BindAccount(e.Auth.Id, account)
	return rec, h.Fail(e, err)
}

func (h *Hooks) loginInstitution(e *core.RequestEvent, code string) (string, error) {
	if e.Auth != nil && e.Auth.Collection().Name == collections.Patients {
		return e.Auth.GetString("institution"), nil
	}
	if code != "" {
		rec, _, err := h.Store.InstitutionByCode(code)
		if err != nil {
			return "", err
		}
		return rec.Id, nil
	}
	recs, err := e.App.FindRecordsByFilter(collections.Institutions, "active = true", "created", 2, 0)
	if err != nil || len(recs) != 1 {
		return "", flow.NewError(flow.CodeInstitutionOff, "")
	}
	return recs[0].Id, nil
}
