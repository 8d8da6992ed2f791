package it

import (
	"net/http"

	"hospay/collections"
	"hospay/config"
	"hospay/hooks/kit"
	"hospay/internal/richtext"
	"hospay/store"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

// bindSettingsEvents writes down what superusers change in the dashboard, and
// keeps notices harmless and their versions as they were read.
func (h *Hooks) bindSettingsEvents() {
	names := config.Collections()
	h.App.OnRecordCreateRequest(names...).BindFunc(h.recordDashboard)
	h.App.OnRecordUpdateRequest(names...).BindFunc(h.recordDashboard)
	h.App.OnRecordDeleteRequest(names...).BindFunc(h.recordDashboard)
	h.App.OnRecordCreate(collections.Notices).BindFunc(sanitizeNotice)
	h.App.OnRecordCreate(collections.Notices).BindFunc(func(e *core.RecordEvent) error {
		if e.Record.GetString("kind") == "" {
			e.Record.Set("kind", collections.NoticeRefund)
		}
		return e.Next()
	})
	h.App.OnRecordUpdate(collections.Notices).BindFunc(keepVersion)
	h.App.OnRecordUpdate(collections.Notices).BindFunc(sanitizeNotice)
	h.App.OnRecordDelete(collections.Notices).BindFunc(keepRead)
	h.App.OnRecordEnrich(collections.Notices).BindFunc(func(e *core.RecordEnrichEvent) error {
		e.Record.Set("content", richtext.Sanitize(e.Record.GetString("content")))
		return e.Next()
	})
}

// recordDashboard saves a superuser's change together with its history.
func (h *Hooks) recordDashboard(e *core.RecordRequestEvent) error {
	if e.Auth == nil || !e.Auth.IsSuperuser() {
		return e.Next()
	}
	outer, was := e.App, e.Record.Original().GetBool("payouts_frozen")
	defer func() { e.App = outer }()
	return outer.RunInTransaction(func(tx core.App) error {
		e.App = tx
		if err := h.Settings.Dashboard(tx, e.Record, e.Auth.Id, e.RealIP(), e.Next); err != nil {
			return h.Fail(e.RequestEvent, err)
		}
		if e.Collection.Name != collections.Institutions || e.Record.GetBool("payouts_frozen") == was {
			return nil
		}
		return store.AuditFreeze(tx, e.Record, "superuser", e.Auth.Id, e.RealIP())
	})
}

func sanitizeNotice(e *core.RecordEvent) error {
	e.Record.Set("content", richtext.Sanitize(e.Record.GetString("content")))
	return e.Next()
}

// keepVersion refuses to edit a notice that is in force or that somebody has
// agreed to: the version kept with an order must go on meaning what was read.
func keepVersion(e *core.RecordEvent) error {
	old := e.Record.Original()
	same := func(field string) bool { return e.Record.GetString(field) == old.GetString(field) }
	harmless := func(r *core.Record) string { return richtext.Sanitize(r.GetString("content")) }
	if same("version") && same("kind") && same("title") && harmless(e.Record) == harmless(old) {
		return e.Next()
	}
	return keepRead(e)
}

// keepRead refuses to lose a notice that is in force or was read.
func keepRead(e *core.RecordEvent) error {
	old := e.Record.Original()
	read, err := wasRead(e.App, old)
	if err != nil {
		return err
	}
	if read || old.GetBool("active") {
		return kit.Error(http.StatusConflict, "notice_fixed", "")
	}
	return e.Next()
}

// wasRead reports whether an order or a proxy application refers to a notice.
func wasRead(app core.App, notice *core.Record) (bool, error) {
	var n int
	err := app.DB().NewQuery(`SELECT EXISTS
		(SELECT 1 FROM refund_orders WHERE {:k} = 'refund' AND institution = {:i} AND notice_version = {:v})
		OR EXISTS (SELECT 1 FROM proxy_applications WHERE {:k} = 'proxy' AND institution = {:i} AND consent_version = {:v})`).
		Bind(dbx.Params{"k": notice.GetString("kind"), "i": notice.GetString("institution"), "v": notice.GetString("version")}).Row(&n)
	return n > 0, err
}
