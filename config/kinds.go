package config

import (
	"slices"

	"hospay/collections"
	"hospay/store"

	"github.com/pocketbase/pocketbase/core"
)

// field is a field that staff may change.
type field struct {
	name      string
	sensitive bool // a second person confirms
	onCreate  bool // only while the record is new
}

// kind is a collection whose records staff may change. What is not listed is
// not allowed.
type kind struct {
	collection     string
	fields         []field
	freshSensitive bool     // a new record is sensitive whatever it holds
	creatable      bool     // staff may make new records
	secretNames    []string // beside those that the channel describes
	check          func(*Service, core.App, *draft) error
}

func open(names ...string) []field    { return fields(false, names) }
func guarded(names ...string) []field { return fields(true, names) }
func fields(s bool, names []string) (out []field) {
	for _, n := range names {
		out = append(out, field{name: n, sensitive: s})
	}
	return out
}

func onCreate(names ...string) (out []field) {
	for _, n := range names {
		out = append(out, field{name: n, sensitive: true, onCreate: true})
	}
	return out
}

// kinds is the allow-list. Sensitive is everything that decides where money
// goes, whether people look at it, and who may do what.
func kinds() map[string]kind {
	list := []kind{
		{collection: collections.Institutions, secretNames: []string{"portal_secret", "his_key", "his_sm_sn", "his_sm_token", "his_sm_public",
			store.RobotWeCom, store.RobotDingTalk, store.RobotDingTalkSign},
			check: checkInstitution, fields: slices.Concat(
				open("name", "min_amount", "day_limit", "proxy_days", "proxy_photo_days", "voucher_layout"),
				guarded("active", "methods", "debit_at", "proxy_on", "proxy_payee", "second_factor", "idle_minutes", "reveals_a_day", "refund_alone",
					"pay_off_registration", "pay_why_registration", "refund_off_registration", "refund_why_registration",
					"pay_off_outpatient", "pay_why_outpatient", "refund_off_outpatient", "refund_why_outpatient",
					"service_phone", "transfer_choice", "self_entry",
					"recon_prefixes", "recon_words", "recon_his_sign", "secrets"))},
		{collection: collections.ChannelConfigs, creatable: true, freshSensitive: true, check: checkChannel, fields: slices.Concat(
			onCreate("channel"), guarded("active", "merchant_id", "app_id", "api_base", "notify_base", "settings", "secrets"))},
		{collection: collections.HISConfigs, creatable: true, freshSensitive: true, secretNames: []string{"key", "sign_key", "user", "password"},
			check: checkHIS, fields: guarded(
				"kind", "base_url", "timeout_ms", "queryable", "idempotent", "reversible", "mapping", "active", "secrets")},
		{collection: collections.CentreConfigs, creatable: true, freshSensitive: true, secretNames: store.CentreSecrets(), check: checkCentre,
			fields: guarded("active", "org_code", "org_name", "app_id", "base_url", "region", "timeout_ms", "secrets")},
		{collection: collections.Kiosks, creatable: true, freshSensitive: true, check: checkKiosk, fields: append(
			open("place", "idle_seconds"), guarded("active", "ways", "reader_url")...)},
		{collection: collections.SMSConfigs, creatable: true, freshSensitive: true, check: checkSMS,
			fields: guarded("active", "url", "settings", "secrets")},
		{collection: collections.ReviewSettings, creatable: true, freshSensitive: true, check: checkReview, fields: guarded(
			"auto", "shadow", "delay_seconds", "window_from", "window_to", "rules", "second_from", "second_proxy",
			"reject_reasons")},
		{collection: collections.Notices, creatable: true, check: checkNotice, fields: append(
			open("title", "content", "active"), field{name: "kind", onCreate: true})},
		{collection: collections.NotificationTexts, creatable: true, check: checkText, fields: slices.Concat(
			open("title", "body", "sms"), guarded("wechat_template", "alipay_template", "keywords"), []field{{name: "event", onCreate: true}})},
		{collection: collections.Staff, creatable: true, freshSensitive: true, check: checkPerson, secretNames: []string{"id_no"},
			fields: slices.Concat(
				open("name"), guarded("roles", "active", "secrets"), onCreate("email"))},
	}
	out := map[string]kind{}
	for _, k := range list {
		out[k.collection] = k
	}
	return out
}

// Collections lists the collections whose changes are recorded.
func Collections() []string {
	var out []string
	for name := range kinds() {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

func (k kind) field(name string) (field, bool) {
	at := slices.IndexFunc(k.fields, func(f field) bool { return f.name == name })
	if at < 0 {
		return field{}, false
	}
	return k.fields[at], true
}

func (k kind) sensitive(name string) bool {
	f, ok := k.field(name)
	return !ok || f.sensitive
}

// takesSecrets reports whether the kind keeps sealed secrets in its record.
func takesSecrets(c *core.Collection) bool { return c.Fields.GetByName("secrets_sealed") != nil }
