package it

import (
	"encoding/json"
	"net/http"

	"hospay/collections"
	"hospay/config"
	"hospay/hooks/kit"
	"hospay/internal/vault"
	"hospay/notify/trail"

	"github.com/pocketbase/pocketbase/core"
)

// sinkEntered refuses a collector that cannot work, and keeps what the sending
// has written: nobody makes a collector skip rows. It comes after the keys were
// sealed.
func (h *Hooks) sinkEntered(e *core.RecordEvent) error {
	rec := e.Record
	for _, f := range []string{"sent_seq", "tries", "next_at", "error"} {
		if rec.IsNew() {
			rec.Set(f, nil)
		} else {
			rec.SetRaw(f, rec.Original().GetRaw(f))
		}
	}
	if !rec.GetBool("active") {
		return e.Next()
	}
	secrets := map[string]string{}
	plain, err := h.Store.Vault().Open(vault.Place(collections.AuditSinks, "secrets", rec.Id), rec.GetString("secrets_sealed"))
	if err == nil && plain != "" {
		err = json.Unmarshal([]byte(plain), &secrets)
	}
	if err != nil {
		return err
	}
	if _, err := trail.New(rec.GetString("kind"), rec.GetString("url"), secrets, h.Now); err != nil {
		return kit.Error(http.StatusBadRequest, string(config.CodeInvalid), err.Error())
	}
	return e.Next()
}
