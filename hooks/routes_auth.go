package hooks

import (
	"context"
	"errors"
	"net/http"
	"time"

	"hospay/channels"
	"hospay/collections"
	"hospay/refund"

	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
)

// loginHIS bounds how long a login waits for the identity source.
const loginHIS = 5 * time.Second

func (h *Hooks) bindAuthRoutes(se *core.ServeEvent) {
	g := se.Router.Group("/api/hospay/auth")
	g.Bind(apis.BodyLimit(16 << 10))
	g.POST("/ticket", h.loginByTicket)
	g.POST("/wechat", func(e *core.RequestEvent) error { return h.loginByChannel(e, "wechat") })
	g.POST("/alipay", func(e *core.RequestEvent) error { return h.loginByChannel(e, "alipay") })
}

// loginByTicket admits a person whom the hospital's portal sends.
func (h *Hooks) loginByTicket(e *core.RequestEvent) error {
	var body struct {
		Ticket string `json:"ticket" form:"ticket"`
	}
	if err := e.BindBody(&body); err != nil {
		return apiError(http.StatusBadRequest, "bad_request", "")
	}
	t, rec, err := h.checkTicket(body.Ticket)
	if err != nil {
		if code := refund.CodeOf(err); code != "" {
			return h.fail(e, err)
		}
		return apiError(http.StatusUnauthorized, err.Error(), "")
	}
	v, err := h.visitor(e.Request.Context(), rec.Id, t)
	if err != nil {
		return h.fail(e, err)
	}
	fresh, err := h.Store.UseTicket(t.ID, h.now().Add(time.Unix(t.ExpiresAt, 0).Sub(realTime())))
	if err != nil {
		return h.fail(e, err)
	}
	if !fresh {
		return apiError(http.StatusUnauthorized, "ticket_used", "")
	}
	patient, err := h.Store.SaveVisitor(rec.Id, v)
	if err != nil {
		return h.fail(e, err)
	}
	return apis.RecordAuthResponse(e, patient, "ticket", nil)
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
		return t, nil, refund.NewError(refund.CodeInstitutionOff, "")
	}
	return t, inst, nil
}

// visitor fetches the person's real-name data from the identity source. While
// HIS cannot be reached the portal's signed data counts; a HIS that knows the
// number under another name refuses the login.
func (h *Hooks) visitor(ctx context.Context, institution string, t Ticket) (collections.Visitor, error) {
	v := collections.Visitor{
		Person: refund.Person{PatientNo: t.Subject, Name: t.Name, IDType: t.IDType, IDNo: t.IDNo, Phone: t.Phone},
		Via:    t.Via, Wechat: t.WechatOpenID,
	}
	if v.Via != "alipay" {
		v.Via = "wechat"
	}
	if t.AlipayUserID != "" {
		v.Alipay = refund.Payee{Account: t.AlipayUserID, Type: refund.AccountAlipayUserID}
	}
	his, _, err := h.Store.HIS(ctx, institution)
	if err != nil {
		return v, nil //nolint:nilerr // without HIS the portal's data is what there is
	}
	ctx, cancel := context.WithTimeout(ctx, loginHIS)
	defer cancel()
	p, err := his.Person(ctx, refund.Identity{PatientNo: t.Subject, IDType: t.IDType, IDNo: t.IDNo, Name: t.Name})
	switch {
	case refund.CodeOf(err) == refund.CodePatientNotFound:
		return v, err
	case err != nil:
		h.Log.Warn("login.identity", "error", err)
		return v, nil
	case !refund.SameName(p.Name, t.Name):
		return v, refund.NewError(refund.CodePatientNotFound, "name differs")
	}
	if v.Person.Phone == "" {
		v.Person.Phone = p.Phone
	}
	return v, nil
}

// loginByChannel exchanges an OAuth code. A patient who is logged in binds the
// account; otherwise the patient to whom it is bound logs in.
func (h *Hooks) loginByChannel(e *core.RequestEvent, channel string) error {
	var body struct {
		Code        string `json:"code" form:"code"`
		Institution string `json:"institution" form:"institution"` // its code; may be left out when there is one
	}
	if err := e.BindBody(&body); err != nil || body.Code == "" {
		return apiError(http.StatusBadRequest, "bad_request", "")
	}
	inst, err := h.loginInstitution(e, body.Institution)
	if err != nil {
		return h.fail(e, err)
	}
	conn, err := h.Store.Connection(e.Request.Context(), inst, channel)
	if err != nil {
		return h.fail(e, err)
	}
	ctx, cancel := context.WithTimeout(e.Request.Context(), 2*loginHIS)
	defer cancel()
	account, err := conn.Exchange(ctx, body.Code)
	if errors.Is(err, channels.ErrBadCode) {
		return apiError(http.StatusUnauthorized, "code_invalid", "")
	}
	if err != nil {
		return h.fail(e, err)
	}
	rec, err := h.enter(e, inst, refund.Payee{Account: account.ID, Type: account.Type})
	if err != nil {
		return err
	}
	return apis.RecordAuthResponse(e, rec, channel, nil)
}

func (h *Hooks) enter(e *core.RequestEvent, inst string, account refund.Payee) (*core.Record, error) {
	owner, err := h.Store.PatientByAccount(inst, account)
	if err != nil && !errors.Is(err, refund.ErrNotFound) {
		return nil, h.fail(e, err)
	}
	if e.Auth == nil || e.Auth.Collection().Name != collections.Patients {
		if owner == nil {
			return nil, apiError(http.StatusUnauthorized, "not_bound", "")
		}
		return owner, nil
	}
	if owner != nil && owner.Id != e.Auth.Id {
		return nil, apiError(http.StatusConflict, "conflict", "")
	}
	rec, err := h.Store.BindAccount(e.Auth.Id, account)
	return rec, h.fail(e, err)
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
		return "", refund.NewError(refund.CodeInstitutionOff, "")
	}
	return recs[0].Id, nil
}
