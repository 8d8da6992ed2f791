// Package hooks is the inbound edge: routes, record events and guards. It
// parses, authenticates, decides who may what, and hands over to the domain; it
// holds no business rule and calls no channel.
package hooks

import (
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"hospay/collections"
	"hospay/exports"
	"hospay/internal/checkup"
	"hospay/internal/i18n"
	"hospay/recon"
	"hospay/refund"
	"hospay/settings"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/router"
)

// Hooks is the edge of one running app.
type Hooks struct {
	App        core.App
	Store      *collections.Store
	Service    *refund.Service
	Worker     *refund.Worker
	Exports    *exports.Jobs
	Books      *recon.Service
	Production bool
	Settings   *settings.Service
	Health     *checkup.Health
	Jobs       Jobs
	Version    string
	Log        *slog.Logger
	guard      guard
	misses     misses
	batches    batches
}

// Bind registers guards and routes. It is called once, when the server starts,
// after the migrations.
func (h *Hooks) Bind(se *core.ServeEvent) {
	h.bindGuards()
	h.bindConfigEvents()
	h.bindSettingsEvents()
	h.bindRefundEvents()
	h.bindReviewEvents()
	h.bindProxyEvents()
	h.bindLoginEvents()
	h.bindClosedRoutes(se)
	h.bindIdle(se)
	h.bindMailedCodes(se)
	h.bindFirstPassword(se)
	h.bindAuthRoutes(se)
	h.bindAccountRoutes(se)
	h.bindEntryRoutes(se)
	h.bindPatientRoutes(se)
	h.bindStatusRoutes(se)
	h.bindLists(se)
	h.bindRefundRoutes(se)
	h.bindUploadLimit(se)
	h.bindProxyRoutes(se)
	h.bindStaffRoutes(se)
	h.bindStatisticsRoutes(se)
	h.bindReportRoutes(se)
	h.bindAuditRoutes(se)
	h.bindEvidenceRoutes(se)
	h.bindDeskRoutes(se)
	h.bindBatchRoutes(se)
	h.bindFactsRoutes(se)
	h.bindDeskProxyRoutes(se)
	h.bindFreezeRoutes(se)
	h.bindSettingsRoutes(se)
	h.bindBookRoutes(se)
	h.bindStatementRoutes(se)
	h.bindReceiptRoutes(se)
	h.bindCheckupRoutes(se)
	h.bindOverviewRoutes(se)
	h.bindCallbackRoutes(se)
	h.bindReadyRoutes(se)
}

// now is the program's clock.
func (h *Hooks) now() time.Time { return collections.Now(h.App) }

// apiError is an error in PocketBase's shape with a stable data.code and a
// sentence for people.
func apiError(status int, code, detail string) error {
	text := i18n.Text(i18n.Default, "error."+code, "detail", detail)
	data := map[string]any{"code": code}
	if detail != "" {
		data["detail"] = detail // for pages that say the sentence in another language
	}
	return &router.ApiError{Status: status, Message: text, Data: data}
}

var statusOf = map[refund.Code]int{
	refund.CodeConflict: http.StatusConflict, refund.CodeActiveOrderExists: http.StatusConflict, refund.CodeNotFound: http.StatusNotFound,
	refund.CodeProxyClosed: http.StatusConflict, refund.CodeImageTooLarge: http.StatusRequestEntityTooLarge, collections.CodeLocked: http.StatusForbidden,
	refund.CodeNotAllowed: http.StatusForbidden, refund.CodeSelfReview: http.StatusForbidden, refund.CodeSameReviewer: http.StatusForbidden, refund.CodeSamePerson: http.StatusForbidden,
	refund.CodeChannelUnavailable: http.StatusServiceUnavailable, refund.CodeNoProposal: http.StatusConflict, refund.CodeProposalExists: http.StatusConflict, refund.CodeProposerGone: http.StatusConflict,
	refund.CodeReviewSingly:   http.StatusConflict,
	refund.CodeHISUnavailable: http.StatusServiceUnavailable,
	recon.CodeSecondPerson:    http.StatusForbidden, recon.CodeMonthClosed: http.StatusConflict, recon.CodeMonthOpenItems: http.StatusConflict, recon.CodeDifferenceDone: http.StatusConflict,
}

// told are the codes whose sentence names a detail.
var told = []refund.Code{refund.CodeBelowMinimum, refund.CodeOverSingleLimit, recon.CodeStatementRefused, recon.CodeStatementOther, recon.CodeTooMany, recon.CodeMonthOpenItems}

// fail turns a domain error into an answer. Anything without a code is logged
// and told as an internal error.
func (h *Hooks) fail(e *core.RequestEvent, err error) error {
	var api *router.ApiError
	if err == nil || errors.As(err, &api) {
		return err
	}
	de, ok := errors.AsType[*refund.Error](err)
	if !ok {
		h.Log.Error("request.failed", "path", e.Request.URL.Path, "error", err)
		return apiError(http.StatusInternalServerError, "internal", "")
	}
	status, ok := statusOf[de.Code]
	if !ok {
		status = http.StatusBadRequest
	}
	if de.Code == refund.CodeProxyMissing {
		return missingMaterials(status, de.Detail)
	}
	detail := ""
	if slices.Contains(told, de.Code) {
		detail = de.Detail
	}
	return apiError(status, string(de.Code), detail)
}

// missingMaterials names, in the sentence and for pages, the materials that an
// application lacks.
func missingMaterials(status int, kinds string) error {
	var names []string
	for _, k := range strings.Split(kinds, ",") {
		names = append(names, proxyText("material", k))
	}
	text := i18n.Text(i18n.Default, "error."+string(refund.CodeProxyMissing), "detail", strings.Join(names, "、"))
	return &router.ApiError{Status: status, Message: text, Data: map[string]any{"code": string(refund.CodeProxyMissing), "detail": kinds}}
}

// requirePatient admits patients only.
func requirePatient(e *core.RequestEvent) error {
	if e.Auth == nil || e.Auth.Collection().Name != collections.Patients {
		return denied(e)
	}
	return e.Next()
}

// requireStaff admits active staff with one of the roles; without roles, any
// active staff.
func requireStaff(roles ...string) func(*core.RequestEvent) error {
	return func(e *core.RequestEvent) error {
		if !hasRole(e.Auth, roles...) {
			return denied(e)
		}
		return e.Next()
	}
}

func hasRole(auth *core.Record, roles ...string) bool {
	if auth == nil || auth.Collection().Name != collections.Staff || !auth.GetBool("active") {
		return false
	}
	if len(roles) == 0 {
		return true
	}
	for _, have := range auth.GetStringSlice("roles") {
		for _, want := range roles {
			if have == want {
				return true
			}
		}
	}
	return false
}

func denied(e *core.RequestEvent) error {
	if e.Auth == nil {
		return apiError(http.StatusUnauthorized, "not_allowed", "")
	}
	return apiError(http.StatusForbidden, "not_allowed", "")
}

// byStaff names a staff member as the actor, with the natural person behind
// the account.
func byStaff(auth *core.Record) refund.By {
	return refund.By{Kind: refund.ByStaff, ID: auth.Id, Person: auth.GetString("person_index")}
}

// byRequest is byStaff with the address of the request.
func byRequest(e *core.RequestEvent) refund.By {
	by := byStaff(e.Auth)
	by.Address = e.RealIP()
	return by
}

// ownOrder returns the patient's order of the path, or a 404 that does not
// tell whether it is somebody else's.
func (h *Hooks) ownOrder(e *core.RequestEvent) (*core.Record, error) {
	rec, err := e.App.FindRecordById(collections.RefundOrders, e.Request.PathValue("id"))
	if err != nil || rec.GetString("patient") != e.Auth.Id {
		return nil, apiError(http.StatusNotFound, "not_found", "")
	}
	return rec, nil
}

// houseOrder returns the order of the path when it is of the staff member's
// institution.
func (h *Hooks) houseOrder(e *core.RequestEvent) (*core.Record, error) {
	rec, err := e.App.FindRecordById(collections.RefundOrders, e.Request.PathValue("id"))
	if err != nil || rec.GetString("institution") != e.Auth.GetString("institution") {
		return nil, apiError(http.StatusNotFound, "not_found", "")
	}
	return rec, nil
}

func beijing(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(refund.Beijing).Format(time.RFC3339)
}
