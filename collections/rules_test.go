package collections_test

import (
	"testing"

	"hospay/collections"
)

// nobody is the rule of what superusers alone may do, and of what nobody may,
// because a guard refuses superusers as well.
const nobody = "superusers"

// ruleTable is every access rule as it stands in the database. List and view
// are the same; nothing is updated through the record routes, and nothing is
// deleted but by the rules of deleteTable.
var ruleTable = []struct{ collection, read, create string }{
	{"audit_log",
		`@request.auth.collectionName = "staff" && @request.auth.active = true && institution = @request.auth.institution && ` +
			`@request.auth.roles ~ "auditor"`,
		`superusers`},
	{"audit_sinks", `superusers`, `superusers`},
	{"batches",
		`@request.auth.collectionName = "staff" && @request.auth.active = true && @request.auth.roles ~ "reviewer" && starter = @request.auth.id`,
		`superusers`},
	{"callbacks",
		`@request.auth.collectionName = "staff" && @request.auth.active = true && institution = @request.auth.institution && ` +
			`((@request.auth.roles ~ "finance") || (@request.auth.roles ~ "auditor"))`,
		`superusers`},
	{"centre_configs",
		`@request.auth.collectionName = "staff" && @request.auth.active = true && institution = @request.auth.institution && ` +
			`@request.auth.roles ~ "config"`, `superusers`},
	{"payment_orders",
		`((@request.auth.collectionName = "patients" && patient = @request.auth.id) || (@request.auth.collectionName = "staff" && ` +
			`@request.auth.active = true && institution = @request.auth.institution && ((@request.auth.roles ~ "reviewer") || ` +
			`(@request.auth.roles ~ "finance") || (@request.auth.roles ~ "cashier") || (@request.auth.roles ~ "auditor"))))`,
		`@request.auth.collectionName = "patients"`},
	{"payment_events",
		`@request.auth.collectionName = "staff" && @request.auth.active = true && institution = @request.auth.institution && ` +
			`((@request.auth.roles ~ "reviewer") || (@request.auth.roles ~ "finance") || (@request.auth.roles ~ "cashier") || ` +
			`(@request.auth.roles ~ "auditor"))`, `superusers`},
	{"payment_calls",
		`@request.auth.collectionName = "staff" && @request.auth.active = true && institution = @request.auth.institution && ` +
			`((@request.auth.roles ~ "reviewer") || (@request.auth.roles ~ "finance") || (@request.auth.roles ~ "cashier") || ` +
			`(@request.auth.roles ~ "auditor"))`, `superusers`},
	{"payment_refunds",
		`@request.auth.collectionName = "staff" && @request.auth.active = true && institution = @request.auth.institution && ` +
			`((@request.auth.roles ~ "reviewer") || (@request.auth.roles ~ "finance") || (@request.auth.roles ~ "cashier") || ` +
			`(@request.auth.roles ~ "auditor"))`, `superusers`},
	{"payment_credentials", `superusers`, `superusers`},
	{"person_terms", `superusers`, `superusers`},
	{"payment_days",
		`@request.auth.collectionName = "staff" && @request.auth.active = true && institution = @request.auth.institution && ` +
			`((@request.auth.roles ~ "reviewer") || (@request.auth.roles ~ "finance") || (@request.auth.roles ~ "cashier") || ` +
			`(@request.auth.roles ~ "auditor"))`, `superusers`},
	{"channel_configs",
		`@request.auth.collectionName = "staff" && @request.auth.active = true && institution = @request.auth.institution && ` +
			`@request.auth.roles ~ "config"`,
		`superusers`},
	{"exports",
		`@request.auth.collectionName = "staff" && @request.auth.active = true && institution = @request.auth.institution && owner = ` +
			`@request.auth.id`,
		`superusers`},
	{"config_changes",
		`@request.auth.collectionName = "staff" && @request.auth.active = true && institution = @request.auth.institution && ` +
			`((@request.auth.roles ~ "config") || (@request.auth.roles ~ "finance") || (@request.auth.roles ~ "auditor"))`,
		`superusers`},
	{"his_calls",
		`@request.auth.collectionName = "staff" && @request.auth.active = true && institution = @request.auth.institution && ` +
			`((@request.auth.roles ~ "reviewer") || (@request.auth.roles ~ "finance") || (@request.auth.roles ~ "cashier") || ` +
			`(@request.auth.roles ` +
			`~ "auditor"))`,
		`superusers`},
	{"his_configs",
		`@request.auth.collectionName = "staff" && @request.auth.active = true && institution = @request.auth.institution && ` +
			`@request.auth.roles ~ "config"`,
		`superusers`},
	{"institutions",
		`@request.auth.collectionName = "staff" && @request.auth.active = true && id = @request.auth.institution`,
		`superusers`},
	{"job_runs",
		`@request.auth.collectionName = "staff" && @request.auth.active = true && ((@request.auth.roles ~ "finance") || (@request.auth.roles ~ ` +
			`"auditor") || (@request.auth.roles ~ "config"))`,
		`superusers`},
	{"notices",
		`((@request.auth.collectionName = "patients" && institution = @request.auth.institution) || (@request.auth.collectionName = "staff" && ` +
			`@request.auth.active = true && institution = @request.auth.institution))`,
		`superusers`},
	{"notification_texts",
		`@request.auth.collectionName = "staff" && @request.auth.active = true && institution = @request.auth.institution && ` +
			`@request.auth.roles ~ "config"`,
		`superusers`},
	{"notifications",
		`((@request.auth.collectionName = "patients" && patient = @request.auth.id && staff = false && via = "in_app" && state = "sent") || ` +
			`(@request.auth.collectionName = "staff" && @request.auth.active = true && institution = @request.auth.institution && ` +
			`((@request.auth.roles ~ "reviewer") || (@request.auth.roles ~ "finance") || (@request.auth.roles ~ "cashier") || ` +
			`(@request.auth.roles ` +
			`~ "auditor"))) || (@request.auth.collectionName = "staff" && @request.auth.active = true && institution = ` +
			`@request.auth.institution &&` +
			` @request.auth.roles ~ "config" && (event = "certificate" || event = "alarm")))`,
		`superusers`},
	{"patient_cards",
		`@request.auth.collectionName = "patients" && patient = @request.auth.id`,
		`superusers`},
	{"patients",
		`id = @request.auth.id && @request.auth.collectionName = "patients"`,
		`superusers`},
	{"proxy_applications",
		`((@request.auth.collectionName = "patients" && patient = @request.auth.id) || (@request.auth.collectionName = "staff" && ` +
			`@request.auth.active = true && institution = @request.auth.institution && ((@request.auth.roles ~ "reviewer") || ` +
			`(@request.auth.roles ` +
			`~ "finance") || (@request.auth.roles ~ "cashier") || (@request.auth.roles ~ "auditor"))))`,
		`@request.auth.collectionName = "patients"`},
	{"proxy_materials",
		`((@request.auth.collectionName = "patients" && patient = @request.auth.id) || (@request.auth.collectionName = "staff" && ` +
			`@request.auth.active = true && institution = @request.auth.institution && ((@request.auth.roles ~ "reviewer") || ` +
			`(@request.auth.roles ~ "auditor"))))`,
		`@request.auth.collectionName = "patients"`},
	{"receipts",
		`((@request.auth.collectionName = "patients" && patient = @request.auth.id) || (@request.auth.collectionName = "staff" && ` +
			`@request.auth.active = true && institution = @request.auth.institution && ((@request.auth.roles ~ "reviewer") || ` +
			`(@request.auth.roles ` +
			`~ "finance") || (@request.auth.roles ~ "cashier") || (@request.auth.roles ~ "auditor"))))`,
		`superusers`},
	{"refund_counts",
		`@request.auth.collectionName = "staff" && @request.auth.active = true && institution = @request.auth.institution && ` +
			`((@request.auth.roles ~ "reviewer") || (@request.auth.roles ~ "finance") || (@request.auth.roles ~ "cashier") || ` +
			`(@request.auth.roles ` +
			`~ "auditor"))`,
		`superusers`},
	{"refund_days",
		`@request.auth.collectionName = "staff" && @request.auth.active = true && institution = @request.auth.institution && ` +
			`((@request.auth.roles ~ "reviewer") || (@request.auth.roles ~ "finance") || (@request.auth.roles ~ "cashier") || ` +
			`(@request.auth.roles ` +
			`~ "auditor"))`,
		`superusers`},
	{"refund_events",
		`@request.auth.collectionName = "staff" && @request.auth.active = true && institution = @request.auth.institution && ` +
			`((@request.auth.roles ~ "reviewer") || (@request.auth.roles ~ "finance") || (@request.auth.roles ~ "cashier") || ` +
			`(@request.auth.roles ` +
			`~ "auditor"))`,
		`superusers`},
	{"refund_orders",
		`((@request.auth.collectionName = "patients" && patient = @request.auth.id) || (@request.auth.collectionName = "staff" && ` +
			`@request.auth.active = true && institution = @request.auth.institution && ((@request.auth.roles ~ "reviewer") || ` +
			`(@request.auth.roles ` +
			`~ "finance") || (@request.auth.roles ~ "cashier") || (@request.auth.roles ~ "auditor"))))`,
		`@request.auth.collectionName = "patients"`},
	{"review_settings",
		`@request.auth.collectionName = "staff" && @request.auth.active = true && institution = @request.auth.institution && ` +
			`((@request.auth.roles ~ "reviewer") || (@request.auth.roles ~ "config") || (@request.auth.roles ~ "auditor"))`,
		`superusers`},
	{"reviews",
		`@request.auth.collectionName = "staff" && @request.auth.active = true && institution = @request.auth.institution && ` +
			`((@request.auth.roles ~ "reviewer") || (@request.auth.roles ~ "finance") || (@request.auth.roles ~ "cashier") || ` +
			`(@request.auth.roles ` +
			`~ "auditor"))`,
		`@request.auth.collectionName = "staff" && @request.auth.active = true && @request.auth.roles ~ "reviewer"`},
	{"sms_configs",
		`@request.auth.collectionName = "staff" && @request.auth.active = true && institution = @request.auth.institution && ` +
			`@request.auth.roles ~ "config"`,
		`superusers`},
	{"kiosks",
		`@request.auth.collectionName = "staff" && @request.auth.active = true && institution = @request.auth.institution && ` +
			`@request.auth.roles ~ "config"`,
		`superusers`},
	{"staff",
		`((@request.auth.collectionName = "staff" && @request.auth.active = true && id = @request.auth.id) || (@request.auth.collectionName = ` +
			`"staff" && @request.auth.active = true && institution = @request.auth.institution && @request.auth.roles ~ "config"))`,
		`superusers`},
	{"staff_security",
		`superusers`,
		`superusers`},
	{"statements",
		`@request.auth.collectionName = "staff" && @request.auth.active = true && institution = @request.auth.institution && ` +
			`((@request.auth.roles ~ "finance") || (@request.auth.roles ~ "auditor"))`,
		`superusers`},
	{"statement_lines",
		`@request.auth.collectionName = "staff" && @request.auth.active = true && institution = @request.auth.institution && ` +
			`((@request.auth.roles ~ "finance") || (@request.auth.roles ~ "auditor"))`,
		`superusers`},
	{"recon_runs",
		`@request.auth.collectionName = "staff" && @request.auth.active = true && institution = @request.auth.institution && ` +
			`((@request.auth.roles ~ "finance") || (@request.auth.roles ~ "auditor"))`,
		`superusers`},
	{"differences",
		`@request.auth.collectionName = "staff" && @request.auth.active = true && institution = @request.auth.institution && ` +
			`((@request.auth.roles ~ "finance") || (@request.auth.roles ~ "auditor"))`,
		`superusers`},
	{"resolutions",
		`@request.auth.collectionName = "staff" && @request.auth.active = true && institution = @request.auth.institution && ` +
			`((@request.auth.roles ~ "finance") || (@request.auth.roles ~ "auditor"))`,
		`superusers`},
	{"recon_months",
		`@request.auth.collectionName = "staff" && @request.auth.active = true && institution = @request.auth.institution && ` +
			`((@request.auth.roles ~ "finance") || (@request.auth.roles ~ "auditor"))`,
		`superusers`},
	{"transfer_orders",
		`@request.auth.collectionName = "staff" && @request.auth.active = true && institution = @request.auth.institution && ` +
			`((@request.auth.roles ~ "reviewer") || (@request.auth.roles ~ "finance") || (@request.auth.roles ~ "cashier") || ` +
			`(@request.auth.roles ` +
			`~ "auditor"))`,
		`superusers`},
	{"sessions",
		`superusers`,
		`superusers`},
	{"used_tickets",
		`superusers`,
		`superusers`},
	{"connections",
		`superusers`,
		`superusers`},
	{"vault_keys",
		`superusers`,
		`superusers`},
}

// deleteTable is what may be deleted through the record routes.
var deleteTable = map[string]string{
	"proxy_materials": `@request.auth.collectionName = "patients" && patient = @request.auth.id`,
}

// loginTable says which accounts may log in.
var loginTable = map[string]string{"patients": "", "staff": "active = true"}

func TestRules_AreExactlyThese(t *testing.T) {
	seen := map[string]bool{}
	text := func(rule *string) string {
		if rule == nil {
			return nobody
		}
		return *rule
	}
	for _, want := range ruleTable {
		seen[want.collection] = true
		r := collections.RulesOf(want.collection)
		if text(r.List) != want.read || text(r.View) != want.read {
			t.Errorf("%s read:\n got %s\nwant %s", want.collection, text(r.List), want.read)
		}
		if text(r.Create) != want.create {
			t.Errorf("%s create:\n got %s\nwant %s", want.collection, text(r.Create), want.create)
		}
		if login, is := loginTable[want.collection]; is != (r.Auth != nil) || (is && *r.Auth != login) {
			t.Errorf("%s login: got %s, want %q", want.collection, text(r.Auth), login)
		}
		if remove := deleteTable[want.collection]; remove != "" && text(r.Delete) == remove {
			r.Delete = nil
		}
		if r.Update != nil || r.Delete != nil {
			t.Errorf("%s may be updated or deleted through the record routes", want.collection)
		}
	}
	for _, name := range collections.All() {
		if !seen[name] {
			t.Errorf("no rule is written down for %s", name)
		}
	}
}
