package it

import (
	"net/http"
	"slices"
	"strings"

	"hospay/calendar"
	"hospay/collections"
	"hospay/config"
	"hospay/flow"
	"hospay/hooks/kit"
	"hospay/internal/idno"
	"hospay/people"
	"hospay/store"

	"github.com/pocketbase/pocketbase/core"
)

// bindAccountEvents holds whoever writes an account of the staff, superusers and
// scripts too, to what an account may be; a patient whom IT marks as not bound is.
func (h *Hooks) bindAccountEvents() {
	h.App.OnRecordCreate(collections.Staff).BindFunc(h.keepAccount)
	h.App.OnRecordUpdate(collections.Staff).BindFunc(h.keepAccount)
	h.App.OnRecordUpdate(collections.Patients).BindFunc(func(e *core.RecordEvent) error {
		store.LetGo(e.Record)
		return e.Next()
	})
}

// keepAccount takes the ID number that was entered into the index of the person,
// and refuses roles that may not be one account's.
func (h *Hooks) keepAccount(e *core.RecordEvent) error {
	input := strings.TrimSpace(e.Record.GetString("id_no_input"))
	e.Record.Set("id_no_input", "")
	if input != "" {
		if _, ok := idno.Birth(idno.Normalize(input), h.Now(), calendar.Beijing); !ok {
			return kit.Error(http.StatusBadRequest, string(flow.CodeIDNoInvalid), "")
		}
		e.Record.Set("person_index", h.Store.PersonIndex(input))
	}
	roles := e.Record.GetStringSlice("roles")
	same := !e.Record.IsNew() && slices.Equal(roles, e.Record.Original().GetStringSlice("roles"))
	if !same && people.RolesClash(roles) {
		return kit.Error(http.StatusBadRequest, string(config.CodeRolesClash), "")
	}
	return e.Next()
}
