package it

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"time"

	"hospay/hooks/kit"

	"github.com/pocketbase/pocketbase/core"
)

// oldestDue is how late the oldest due order may be before the program counts
// as not ready.
const oldestDue = 5 * time.Minute

func (h *Hooks) bindReadyRoutes(se *core.ServeEvent) {
	se.Router.GET("/api/hospay/ready", h.ready)
}

// readyView says whether the program can do its work, and to staff why not. A
// warning keeps it from nothing.
type readyView struct {
	Ready    bool      `json:"ready"`
	Reasons  *[]string `json:"reasons,omitempty"`
	Warnings *[]string `json:"warnings,omitempty"`
}

// ready says whether the program can do its work; the reasons are for staff.
func (h *Hooks) ready(e *core.RequestEvent) error {
	reasons, silent := h.unready(e.Request.Context()), h.silent()
	status := http.StatusOK
	if len(reasons)+len(silent) > 0 {
		status = http.StatusServiceUnavailable
	}
	out := readyView{Ready: status == http.StatusOK}
	for _, id := range slices.Sorted(maps.Keys(silent)) {
		if kit.HasRole(e.Auth) && kit.InstitutionOf(e) != id { // another institution's HIS is IT's business
			continue
		}
		reasons = append(reasons, silent[id])
	}
	if kit.HasRole(e.Auth) || (e.Auth != nil && e.Auth.IsSuperuser()) {
		out.Reasons = &reasons
		warnings, err := h.warnings(e)
		if err != nil {
			return h.Fail(e, err)
		}
		out.Warnings = &warnings
	}
	return e.JSON(status, out)
}

// warnings are what must not be so in production and stops nothing.
func (h *Hooks) warnings(e *core.RequestEvent) ([]string, error) {
	out := []string{}
	if !h.Production {
		return out, nil
	}
	tests, err := h.Store.TestInsurances(e.Request.Context())
	for _, t := range tests {
		if !kit.HasRole(e.Auth) || kit.InstitutionOf(e) == t.Institution {
			out = append(out, t.Words())
		}
	}
	return out, err
}

func (h *Hooks) unready(ctx context.Context) []string {
	reasons := []string{}
	if err := h.Guards.Verify(ctx, h.App); err != nil {
		reasons = append(reasons, err.Error())
	}
	late, err := h.Store.Late(ctx, h.Now().Add(-oldestDue))
	if err != nil {
		reasons = append(reasons, "数据库无法读取")
	}
	if late > 0 {
		reasons = append(reasons, "有到期未处理的订单，后台处理可能停顿")
	}
	return reasons
}
