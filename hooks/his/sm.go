package his

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"

	"hospay/flow"
	"hospay/internal/signed"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/router"
)

// smAnswer is an answer in the form with SM2 and SM4. Code is 200 where the call
// was carried out; data is then its content, encrypted.
type smAnswer struct {
	Node    string `json:"node"`
	Code    string `json:"code"`
	Success bool   `json:"success"`
	Message string `json:"message"`
	Data    string `json:"data,omitempty"`
}

// Codes of that form for a request that is not carried out, as its vendors use
// them: 203 time, 205 signature, 404 no such call, 500 anything else.
var smCodes = map[flow.Code]string{codeSign: "205", codeStamp: "203", flow.CodeNotFound: "404"}

// sm serves every call in the form with SM2 and SM4.
func (h *Hooks) sm(e *core.RequestEvent) error {
	body, err := read(e)
	if err != nil {
		return err
	}
	inst, secrets, err := h.secretsOf(e.Request.PathValue("institution"))
	if err != nil {
		return h.smFail(e, err)
	}
	form, err := signed.NewSM(secrets["his_sm_sn"], secrets["his_sm_token"], secrets["his_sm_public"])
	if err != nil { // not set up: nobody has the key
		return h.smFail(e, flow.NewError(codeSign, ""))
	}
	plain, nonce, err := form.Open(body, realTime())
	if err := h.admit(inst, nonce, err); err != nil {
		return h.smFail(e, err)
	}
	i := slices.IndexFunc(calls, func(c call) bool { return c.op == e.Request.PathValue("op") })
	if i < 0 {
		return h.smFail(e, flow.ErrNotFound)
	}
	out, err := calls[i].run(h, e, caller{inst, "sm"}, plain)
	if err != nil {
		return h.smFail(e, err)
	}
	content, err := json.Marshal(out)
	if err != nil {
		return h.Fail(e, err)
	}
	sealed, err := form.Seal(content)
	if err != nil {
		return h.Fail(e, err)
	}
	return smAnswer{Node: "hospay", Code: "200", Success: true, Message: "成功", Data: sealed}.write(e)
}

// write sends an answer. No page reads it.
func (a smAnswer) write(e *core.RequestEvent) error {
	body, err := json.Marshal(a)
	if err != nil {
		return err
	}
	return e.Blob(http.StatusOK, "application/json", body)
}

// smFail says why not. The code of hospay stands in node, behind a dot.
func (h *Hooks) smFail(e *core.RequestEvent, err error) error {
	code := flow.CodeOf(err)
	var api *router.ApiError
	switch {
	case errors.As(err, &api): // content that cannot be read
		code = flow.CodeBadRequest
	case code == "":
		return h.Fail(e, err)
	}
	word, ok := smCodes[code]
	if !ok {
		word = "500"
	}
	if !errors.As(h.Fail(e, err), &api) {
		return err
	}
	return smAnswer{Node: "hospay." + string(code), Code: word, Message: api.Message}.write(e)
}
