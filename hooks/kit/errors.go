package kit

import (
	"errors"
	"maps"
	"net/http"
	"strings"

	"hospay/flow"
	"hospay/internal/i18n"
	"hospay/people"
	"hospay/refund"
	"hospay/store"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/router"
)

// Error is an error in PocketBase's shape with a stable data.code and a
// sentence for people.
func Error(status int, code, detail string) error {
	data := map[string]any{"code": code}
	if detail != "" {
		data["detail"] = detail // for pages that say the sentence in another language
	}
	return &router.ApiError{Status: status, Message: sentence(code, detail), Data: data}
}

// BadRequest is the answer to a request that cannot be read.
func BadRequest() error { return Error(http.StatusBadRequest, string(flow.CodeBadRequest), "") }

// TooMany is the answer to who asks too often.
func TooMany() error { return Error(http.StatusTooManyRequests, "too_many_requests", "") }

func sentence(code, detail string) string {
	return i18n.Text(i18n.Default, "error."+code, "detail", detail)
}

// ErrorText is the sentence of a code alone.
func ErrorText(code flow.Code) string { return sentence(string(code), "") }

// ProxyText names a part of an application to act for somebody: a case, a
// relation, a material, a status.
func ProxyText(group, name string) string {
	return i18n.Text(i18n.Default, "proxy."+group+"."+name)
}

// Code says how a code of the domain is answered.
type Code struct {
	Status int  // 0 = bad request
	Told   bool // the sentence names the error's detail
}

// How most codes are answered.
var (
	Conflict  = Code{Status: http.StatusConflict}
	Forbidden = Code{Status: http.StatusForbidden}
	away      = Code{Status: http.StatusServiceUnavailable}
)

// codes are those that more than one door meets.
var codes = map[flow.Code]Code{
	flow.CodeConflict: Conflict, flow.CodeActiveOrderExists: Conflict, flow.CodeNotFound: {Status: http.StatusNotFound},
	flow.CodeNotAllowed: Forbidden, flow.CodeSamePerson: Forbidden, flow.Code(people.PersonUnknown): Forbidden,
	flow.CodeChannelUnavailable: away, flow.CodeHISUnavailable: away, flow.CodeChannelBroken: away, flow.CodeHISBroken: away,
	flow.CodeNoProposal: Conflict, flow.CodeProposalExists: Conflict, flow.CodeProposerGone: Conflict,
	store.CodeCopyUnchecked: {Status: http.StatusConflict, Told: true}, refund.CodeRestoredCopy: away, store.CodeArchiveMissing: away,
	refund.CodeProxyClosed: Conflict, refund.CodeImageTooLarge: {Status: http.StatusRequestEntityTooLarge},
	refund.CodeSelfReview: Forbidden, refund.CodeSameReviewer: Forbidden, refund.CodeReviewSingly: Conflict,
	refund.CodeBelowMinimum: {Told: true}, refund.CodeOverSingleLimit: {Told: true}, store.CodeLocked: Forbidden,
	store.CodeRevealLimit: {Status: http.StatusForbidden, Told: true}, store.CodeLookNeeded: Forbidden,
	store.CodePapersUnseen: {Status: http.StatusConflict, Told: true},
}

// Know adds the codes that only one door meets. It is called while doors bind,
// before anything is served.
func (k *Kit) Know(codes map[flow.Code]Code) {
	if k.known == nil {
		k.known = map[flow.Code]Code{}
	}
	maps.Copy(k.known, codes)
}

// Fail turns a domain error into an answer. Anything without a code is logged
// and told as an internal error.
func (k *Kit) Fail(e *core.RequestEvent, err error) error {
	var api *router.ApiError
	if err == nil || errors.As(err, &api) {
		return err
	}
	code := flow.CodeOf(err)
	if code == "" {
		k.Log.Error("request.failed", "path", e.Request.URL.Path, "error", err)
		return Error(http.StatusInternalServerError, "internal", "")
	}
	c, ok := codes[code]
	if !ok {
		c = k.known[code]
	}
	if c.Status == 0 {
		c.Status = http.StatusBadRequest
	}
	if code == refund.CodeProxyMissing {
		return missingMaterials(c.Status, flow.DetailOf(err))
	}
	detail := ""
	if c.Told {
		detail = flow.DetailOf(err)
	}
	return Error(c.Status, string(code), detail)
}

// missingMaterials names, in the sentence and for pages, the materials that an
// application lacks.
func missingMaterials(status int, kinds string) error {
	var names []string
	for _, kind := range strings.Split(kinds, ",") {
		names = append(names, ProxyText("material", kind))
	}
	text := sentence(string(refund.CodeProxyMissing), strings.Join(names, "、"))
	return &router.ApiError{Status: status, Message: text, Data: map[string]any{"code": string(refund.CodeProxyMissing), "detail": kinds}}
}
