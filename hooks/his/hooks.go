// Package his is the door of the hospital's own systems: HIS, pharmacy, check-up
// and whoever else holds the institution's key. A request is signed and comes
// once; an answer to it is signed as well.
package his

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"

	"hospay/flow"
	"hospay/hooks/kit"
	"hospay/internal/signed"
	"hospay/payment"

	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/router"
)

// Hooks is the door of HIS.
type Hooks struct {
	*kit.Kit
	Bills  *payment.Service
	Worker *flow.Worker
}

// maxBody is far above any real request.
const maxBody = 64 << 10

// realTime judges the times of requests: the caller is another machine, and what
// its clock shows is no business of ours to move.
var realTime = time.Now

// Codes of requests that are not let in.
const (
	codeSign   flow.Code = "sign_invalid"  // also: no such institution, no key
	codeStamp  flow.Code = "stamp_invalid" // its clock is wrong
	codeReplay flow.Code = "replayed"
)

var (
	unauthorized = kit.Code{Status: http.StatusUnauthorized}
	notFound     = kit.Code{Status: http.StatusNotFound}
	conflictTold = kit.Code{Status: http.StatusConflict, Told: true}
)

// Headers of the plain form.
const (
	headInstitution = "X-Hospay-Institution"
	headStamp       = "X-Hospay-Timestamp"
	headNonce       = "X-Hospay-Nonce"
	headSign        = "X-Hospay-Sign"
)

// caller is a system of an institution whose request was let in.
type caller struct {
	institution *core.Record
	form        string
}

// call is one thing that can be asked for. It gets the business content as JSON;
// where the plain form has it in the address, read brings it into that form.
type call struct {
	method, path string // of the plain form
	op           string // of the form with SM2 and SM4
	run          func(*Hooks, *core.RequestEvent, caller, []byte) (any, error)
	read         func(*core.RequestEvent) (any, error)
}

var calls = []call{
	{http.MethodPost, "/ping", "ping", (*Hooks).ping, nil},
	{http.MethodPost, "/refunds", "refund_apply", (*Hooks).askRefund, nil},
	{http.MethodPost, "/refunds/sync", "refund_sync", (*Hooks).bookRefund, nil},
	{http.MethodGet, "/refunds/{no}", "refund_query", (*Hooks).showRefund, readRefundNo},
	{http.MethodGet, "/bills", "trade_list", (*Hooks).showBill, readBill},
}

// Bind registers the routes.
func (h *Hooks) Bind(se *core.ServeEvent) {
	h.Know(map[flow.Code]kit.Code{
		codeSign: unauthorized, codeStamp: unauthorized, codeReplay: kit.Conflict, CodeTradeUnknown: notFound, CodeRefundUnknown: notFound,
		payment.CodeRefundIDTaken: conflictTold, payment.CodeRefundRunning: conflictTold, payment.CodeNothingToRefund: kit.Conflict,
		payment.CodeNothingPaid: kit.Conflict, payment.CodeRefundPartNotTaken: kit.Conflict, payment.CodeOverPaid: {Told: true},
		payment.CodeInsuranceWhole: {Told: true},
		payment.CodeRefundUnproved: kit.Conflict, payment.CodeCentreUnavailable: {Status: http.StatusServiceUnavailable},
		payment.CodeCentreBroken: {Status: http.StatusServiceUnavailable},
	})
	g := se.Router.Group("/api/hospay/his")
	g.Bind(apis.BodyLimit(maxBody), apis.SkipSuccessActivityLog())
	for _, c := range calls {
		g.Route(c.method, c.path, h.plain(c))
	}
	g.POST("/sm/{institution}/{op}", h.sm)
}

// Pong is the answer to a request that only tries the key.
type Pong struct {
	Institution string `json:"institution"` // code
	Name        string `json:"name"`
	Form        string `json:"form"` // hmac-sha256, sm
	Now         string `json:"now"`
}

// ping tells a caller that its key, its form and its clock are right.
func (h *Hooks) ping(_ *core.RequestEvent, c caller, _ []byte) (any, error) {
	return Pong{Institution: c.institution.GetString("code"), Name: c.institution.GetString("name"), Form: c.form,
		Now: h.Now().UTC().Format(time.RFC3339)}, nil
}

// secretsOf are an institution's keys; an unknown one has none, and is told
// nothing else than a wrong key.
func (h *Hooks) secretsOf(code string) (*core.Record, map[string]string, error) {
	rec, secrets, err := h.Store.InstitutionByCode(code)
	if flow.CodeOf(err) == flow.CodeInstitutionOff {
		return nil, nil, flow.NewError(codeSign, "")
	}
	return rec, secrets, err
}

// admit lets a request in whose signature was checked: once.
func (h *Hooks) admit(inst *core.Record, nonce string, err error) error {
	switch {
	case errors.Is(err, signed.ErrStamp):
		return flow.NewError(codeStamp, "")
	case err != nil:
		return flow.NewError(codeSign, "")
	case !inst.GetBool("active"):
		return flow.NewError(flow.CodeInstitutionOff, "")
	}
	fresh, err := h.Store.UseTicket("his|"+inst.Id+"|"+nonce, h.Now().Add(2*signed.Window))
	if err == nil && !fresh {
		err = flow.NewError(codeReplay, "")
	}
	return err
}

func read(e *core.RequestEvent) ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(e.Request.Body, maxBody+1))
	if err != nil || len(body) > maxBody {
		return nil, kit.BadRequest()
	}
	return body, nil
}

// plain serves a call in the form with HMAC.
func (h *Hooks) plain(c call) func(*core.RequestEvent) error {
	return func(e *core.RequestEvent) error {
		body, err := read(e)
		if err != nil {
			return err
		}
		head := e.Request.Header
		inst, secrets, err := h.secretsOf(head.Get(headInstitution))
		if err != nil {
			return h.Fail(e, err)
		}
		req := signed.Request{Method: e.Request.Method, Path: e.Request.URL.RequestURI(), Timestamp: head.Get(headStamp),
			Nonce: head.Get(headNonce), Body: body}
		key := []byte(secrets["his_key"])
		if err := req.Verify(key, head.Get(headSign), realTime()); err != nil {
			return h.Fail(e, h.admit(inst, "", err))
		}
		var out any
		if err = h.admit(inst, req.Nonce, nil); err == nil {
			out, err = h.carryOut(e, c, inst, body)
		}
		status, answer, err := h.said(e, out, err)
		if err != nil {
			return err
		}
		stamp := strconv.FormatInt(realTime().Unix(), 10)
		e.Response.Header().Set(headStamp, stamp)
		e.Response.Header().Set(headSign, req.Answer(key, status, stamp, answer))
		return e.Blob(status, "application/json", answer)
	}
}

// carryOut runs a call of the plain form on its content.
func (h *Hooks) carryOut(e *core.RequestEvent, c call, inst *core.Record, body []byte) (any, error) {
	if c.read != nil {
		content, err := c.read(e)
		if err == nil {
			body, err = json.Marshal(content)
		}
		if err != nil {
			return nil, err
		}
	}
	return c.run(h, e, caller{inst, "hmac-sha256"}, body)
}

// said is an answer as it goes out: what was asked for, or why not in
// PocketBase's shape.
func (h *Hooks) said(e *core.RequestEvent, out any, failed error) (int, []byte, error) {
	status := http.StatusOK
	if failed != nil {
		var api *router.ApiError
		if !errors.As(h.Fail(e, failed), &api) {
			return 0, nil, failed
		}
		status, out = api.Status, api
	}
	answer, err := json.Marshal(out)
	return status, answer, err
}
