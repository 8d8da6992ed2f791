package store

import (
	"encoding/json"

	"hospay/channels"
	"hospay/his"
	"hospay/refund"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/types"
)

// RecordSecrets opens the secrets of a configuration record.
func (s *Store) RecordSecrets(rec *core.Record) (map[string]string, error) {
	return s.secrets(rec.Collection().Name, configRow{ID: rec.Id, Sealed: rec.GetString("secrets_sealed")})
}

// TryChannel builds a channel from a record that need not be stored, with the
// given secrets. It fails, in Chinese, on anything missing or unreadable, and
// makes no call.
func (s *Store) TryChannel(rec *core.Record, secrets map[string]string) (channels.Channel, error) {
	return s.openChannel(rec.GetString("institution"), configRow{
		Kind: rec.GetString("channel"), MerchantID: rec.GetString("merchant_id"), AppID: rec.GetString("app_id"), Base: rec.GetString("api_base"),
		NotifyBase: rec.GetString("notify_base"), Settings: types.JSONRaw(rec.GetString("settings")),
	}, secrets)
}

// TryHIS builds a HIS connection from a record that need not be stored; the
// engine's own check decides about the mapping. It makes no call. tap hears what
// will be said; it may be nil.
func (s *Store) TryHIS(rec *core.Record, secrets map[string]string, tap his.Tap) (refund.HIS, refund.HISTraits, error) {
	c, err := s.openHIS(rec.GetString("institution"), configRow{
		Kind: rec.GetString("kind"), Base: rec.GetString("base_url"), Settings: types.JSONRaw(rec.GetString("mapping")),
		TimeoutMS: int64(rec.GetInt("timeout_ms")),
		Queryable: rec.GetBool("queryable"), Idempotent: rec.GetBool("idempotent"), Reversible: rec.GetBool("reversible"),
	}, secrets, tap)
	return c.his, c.traits, err
}

// SettingsOf reads the settings object of a configuration record.
func SettingsOf(rec *core.Record) (map[string]string, error) {
	return textMap(types.JSONRaw(rec.GetString("settings")))
}

// ReviewOf reads the review settings of a record.
func ReviewOf(rec *core.Record) (refund.ReviewSettings, error) {
	s := refund.ReviewSettings{
		Auto: rec.GetBool("auto"), Shadow: rec.GetBool("shadow"), Delay: seconds(rec.GetInt("delay_seconds")), From: rec.GetString("window_from"),
		To: rec.GetString("window_to"),
	}
	return s, readReview(&s, rec.GetString("rules"), rec.GetString("reject_reasons"))
}

// readReview reads what review settings keep as JSON.
func readReview(s *refund.ReviewSettings, rules, reasons string) error {
	if rules != "" && rules != "null" {
		if err := json.Unmarshal([]byte(rules), &s.Rules); err != nil {
			return err
		}
	}
	if reasons != "" && reasons != "null" {
		return json.Unmarshal([]byte(reasons), &s.Reasons)
	}
	return nil
}
