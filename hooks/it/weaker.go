package it

import (
	"encoding/json"
	"maps"
	"math"
	"net/http"
	"slices"

	"hospay/hooks/kit"
	"hospay/store"

	"github.com/pocketbase/pocketbase/core"
)

// leastLogDays is how long the request log is kept at least in production
// (网络安全法: six months are kept by the collector, see docs/operations.md).
const leastLogDays = 7

// leastLimits are the rates, in requests a second, that limits in production do
// not exceed. They are those that a new folder has.
var leastLimits = map[string]float64{
	"POST /api/hospay/status": 10. / 60, "/api/hospay/auth/": 30. / 60, "*:auth": 10. / 60, "refund_orders:create": 20. / 60,
	"proxy_applications:create": 10. / 60, "proxy_materials:create": 30. / 60, "/api/": 300. / 10,
}

// settingsChanged writes down what a superuser changes in PocketBase's settings,
// in the transaction that changes it, and refuses in production what would
// weaken them. Values are told by fingerprints alone: there are passwords.
func (h *Hooks) settingsChanged(e *core.SettingsUpdateRequestEvent) error {
	before, after := partsOf(e.OldSettings), partsOf(e.NewSettings)
	changed := []string{}
	for _, name := range slices.Sorted(maps.Keys(after)) {
		if before[name] != after[name] {
			changed = append(changed, name)
		}
	}
	entry := store.AuditEntry{ActorKind: "superuser", Actor: e.Auth.Id, Action: "settings.update", Target: "settings", Address: e.RealIP(),
		Before: store.Fingerprint(e.App, before), After: store.Fingerprint(e.App, after), Details: map[string]any{"fields": changed}}
	if weak := weaker(e.OldSettings, e.NewSettings); h.Production && weak != "" {
		entry.Action, entry.Details["refused"] = "settings.refused", weak
		err := e.App.RunInTransaction(func(tx core.App) error { return store.Audit(tx, entry) })
		if err != nil {
			return h.Fail(e.RequestEvent, err)
		}
		return kit.Error(http.StatusForbidden, "settings_weaker", weak)
	}
	if len(changed) == 0 {
		return e.Next()
	}
	outer := e.App
	defer func() { e.App = outer }()
	return outer.RunInTransaction(func(tx core.App) error {
		e.App = tx
		if err := e.Next(); err != nil {
			return err
		}
		return store.Audit(tx, entry)
	})
}

// partsOf are the parts of the settings as text, with what they hide elsewhere.
func partsOf(s *core.Settings) map[string]string {
	out := map[string]string{}
	for name, part := range map[string]any{"superuserIPs": s.SuperuserIPs, "smtp": s.SMTP, "backups": s.Backups, "s3": s.S3, "meta": s.Meta,
		"rateLimits": s.RateLimits, "trustedProxy": s.TrustedProxy, "batch": s.Batch, "logs": s.Logs} {
		text, _ := json.Marshal(part) // plain data always has a form
		out[name] = string(text)
	}
	return out
}

// weaker names the first part of the settings that would protect less than it
// must and than it does, or nothing.
func weaker(old, now *core.Settings) string {
	switch {
	case !now.RateLimits.Enabled && old.RateLimits.Enabled:
		return "rateLimits"
	case len(now.RateLimits.ExcludedIPs) > len(old.RateLimits.ExcludedIPs):
		return "rateLimits.excludedIPs"
	case now.Logs.MaxDays < min(leastLogDays, old.Logs.MaxDays):
		return "logs.maxDays"
	case now.Logs.MinLevel > max(0, old.Logs.MinLevel):
		return "logs.minLevel"
	case !now.Logs.LogIP && old.Logs.LogIP:
		return "logs.logIP"
	case now.Batch.Enabled && !old.Batch.Enabled:
		return "batch"
	case len(old.SuperuserIPs) > 0 && len(now.SuperuserIPs) == 0:
		return "superuserIPs"
	}
	for _, label := range slices.Sorted(maps.Keys(leastLimits)) {
		if rateOf(now, label) > max(leastLimits[label], rateOf(old, label)) {
			return "rateLimits " + label
		}
	}
	return ""
}

// rateOf is how many requests a second a limit for everybody lets pass.
func rateOf(s *core.Settings, label string) float64 {
	for _, r := range s.RateLimits.Rules {
		if r.Label == label && r.Audience == "" && r.Duration > 0 {
			return float64(r.MaxRequests) / float64(r.Duration)
		}
	}
	return math.Inf(1)
}
