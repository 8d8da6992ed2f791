package it

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"hospay/collections"
	"hospay/config"
	"hospay/hooks/kit"
	"hospay/internal/vault"
	"hospay/store"

	"github.com/pocketbase/pocketbase/core"
)

var sealedCollections = []string{collections.Institutions, collections.ChannelConfigs, collections.HISConfigs, collections.CentreConfigs,
	collections.SMSConfigs, collections.AuditSinks}

// connected are the records that stand for a connection.
var connected = []string{collections.ChannelConfigs, collections.HISConfigs, collections.CentreConfigs}

// bindConfigEvents seals keys as they are entered and makes changed settings
// take effect at once.
func (h *Hooks) bindConfigEvents() {
	h.App.OnRecordCreate(sealedCollections...).BindFunc(h.sealSecrets)
	h.App.OnRecordUpdate(sealedCollections...).BindFunc(h.sealSecrets)
	h.App.OnRecordCreate(collections.ReviewSettings).BindFunc(checkRules)
	h.App.OnRecordUpdate(collections.ReviewSettings).BindFunc(checkRules)
	watched := append(slices.Clone(sealedCollections), collections.ReviewSettings, collections.Notices)
	changed := func(e *core.RecordEvent) error {
		h.Store.Forget()
		h.Worker.Kick()
		return e.Next()
	}
	h.App.OnRecordAfterCreateSuccess(watched...).BindFunc(changed)
	h.App.OnRecordAfterUpdateSuccess(watched...).BindFunc(changed)
	h.App.OnRecordAfterDeleteSuccess(watched...).BindFunc(changed)
	h.App.OnRecordAfterUpdateSuccess(collections.Institutions).BindFunc(h.thawed)
	h.App.OnRecordCreate(collections.Institutions).BindFunc(h.worded)
	h.App.OnRecordCreateExecute(connected...).BindFunc(h.keepConnection)
	h.App.OnRecordUpdateExecute(connected...).BindFunc(h.keepConnection)
	h.App.OnRecordDelete(connected...).BindFunc(h.keepUsed)
	h.App.OnRecordCreate(collections.AuditSinks).BindFunc(h.sinkEntered)
	h.App.OnRecordUpdate(collections.AuditSinks).BindFunc(h.sinkEntered)
}

// keepConnection notes, in the transaction that writes the record, which
// connection it stands for from now on. A record stays with its institution and
// its channel.
func (h *Hooks) keepConnection(e *core.RecordEvent) error {
	was := e.Record.Original()
	if !e.Record.IsNew() {
		for _, f := range []string{"institution", "channel"} {
			if e.Record.GetString(f) != was.GetString(f) {
				return kit.Error(http.StatusBadRequest, string(config.CodeInvalid), f)
			}
		}
	}
	if err := e.Next(); err != nil {
		return err
	}
	return h.Store.KeepConnection(e.Context, e.App, e.Record)
}

// keepUsed refuses to delete what calls under way were sent through.
func (h *Hooks) keepUsed(e *core.RecordEvent) error {
	n, err := h.Store.UnderWay(e.Context, e.Record)
	if err != nil {
		return err
	}
	if n > 0 {
		return kit.Error(http.StatusConflict, "connection_in_use", strconv.Itoa(n))
	}
	return e.Next()
}

// thawed makes the orders that a freeze had stopped due again.
func (h *Hooks) thawed(e *core.RecordEvent) error {
	if !e.Record.GetBool("payouts_frozen") && e.Record.Original().GetBool("payouts_frozen") {
		if err := h.Store.WakeStopped(e.Context, e.Record.Id); err != nil {
			h.Log.Error("payouts.thaw", "error", err)
		}
	}
	return e.Next()
}

// worded gives a new institution the default texts of its notices, in the
// transaction that makes it.
func (h *Hooks) worded(e *core.RecordEvent) error {
	app := e.App
	defer func() { e.App = app }()
	return app.RunInTransaction(func(tx core.App) error {
		e.App = tx
		if err := e.Next(); err != nil {
			return err
		}
		return h.Store.SeedTexts(tx, e.Record.Id)
	})
}

// leastSecret is how long a key that signs tickets has to be.
const leastSecret = 16

// sealSecrets takes the JSON object of secrets_input into the sealed secrets:
// named keys are replaced, an empty text removes one, others stay. The input
// itself is never stored.
func (h *Hooks) sealSecrets(e *core.RecordEvent) error {
	input := strings.TrimSpace(e.Record.GetString("secrets_input"))
	e.Record.Set("secrets_input", "")
	if input == "" {
		return e.Next()
	}
	var given map[string]string
	if err := json.Unmarshal([]byte(input), &given); err != nil {
		return kit.Error(http.StatusBadRequest, "bad_request", "")
	}
	if given["portal_secret"] != "" && len(given["portal_secret"]) < leastSecret && h.Production {
		return kit.Error(http.StatusBadRequest, string(config.CodeInvalid), "portal_secret 至少 16 个字符：谁猜到它，就能以任何患者的身份登录")
	}
	if e.Record.Id == "" {
		e.Record.Id = core.GenerateDefaultRandomId()
	}
	place := vault.Place(e.Record.Collection().Name, "secrets", e.Record.Id)
	held := map[string]string{}
	if plain, err := h.Store.Vault().Open(place, e.Record.GetString("secrets_sealed")); err != nil {
		return err
	} else if plain != "" {
		if err := json.Unmarshal([]byte(plain), &held); err != nil {
			return err
		}
	}
	for k, v := range given {
		if held[k] = v; v == "" {
			delete(held, k)
		}
	}
	text, err := json.Marshal(held)
	if err != nil {
		return err
	}
	sealed, err := h.Store.Vault().Seal(vault.Secret, place, string(text))
	if err != nil {
		return err
	}
	e.Record.Set("secrets_sealed", sealed)
	e.Record.Set("secrets_held", strings.Join(sortedKeys(held), ", "))
	return e.Next()
}

func sortedKeys(m map[string]string) []string {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// checkRules refuses settings of the automatic review that mean nothing.
func checkRules(e *core.RecordEvent) error {
	r, err := store.ReviewOf(e.Record)
	if err == nil {
		err = r.Check()
	}
	if err != nil {
		return kit.Error(http.StatusBadRequest, string(config.CodeInvalid), err.Error())
	}
	return e.Next()
}
