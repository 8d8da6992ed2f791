package collections

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"hospay/flow"
	"hospay/refund"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

// fixedColumns never change once an order exists.
var fixedColumns = []string{
	"no", "institution", "patient", "card_no", "deposit_no", "amount", "method", "channel", "group", "group_seq", "payee_account_sealed",
	"payee_name_sealed", "payee_index", "payee_type", "original", "compensates", "debit_at", "proxy_application", "created",
}

// Basis is what the guards are generated from.
type Basis struct {
	Machine *flow.Machine // of refund orders
	Fixed   []string      // columns of an order that never change
}

// TheBasis returns the basis of this program.
func TheBasis() Basis { return Basis{Machine: refund.Machine, Fixed: slices.Clone(fixedColumns)} }

// StandingOf is the SQL that tells where an order of this program stands.
func StandingOf(status, returned string) string { return TheBasis().StandingOf(status, returned) }

// GuardSet is what a program lays over the tables that the migrations make:
// triggers and access rules. The indexes that carry a money rule belong to the
// migrations and are only looked at.
type GuardSet struct {
	Triggers []Trigger
	Rules    map[string]Rules  // by collection
	Indexes  map[string]string // by name, without quotes
}

// Guards returns the guards of this program.
func Guards() GuardSet { return TheBasis().Guards() }

// Guards generates the guards.
func (b Basis) Guards() GuardSet {
	g := GuardSet{
		Triggers: slices.Concat(b.orderTriggers(), proxyTriggers(), b.statisticsTriggers(), deskTriggers(), configTriggers(), ReconTriggers()),
		Rules:    map[string]Rules{},
		Indexes:  b.neededIndexes(),
	}
	for _, name := range All() {
		g.Rules[name] = RulesOf(name)
	}
	return g
}

// AllTriggers lists every trigger of this program.
func AllTriggers() []Trigger { return Guards().Triggers }

// neededIndexes carry a money rule, as they stand in the database without
// quotes; the program does not start without them.
func (b Basis) neededIndexes() map[string]string {
	unique := func(name, on string) string { return "CREATE UNIQUE INDEX " + name + " ON " + on }
	var open []string
	for _, s := range b.Machine.Finals() {
		open = append(open, "status != '"+string(s)+"'")
	}
	active := "compensates = '' AND " + strings.Join(open, " AND ")
	out := map[string]string{"idx_refund_orders_due": "CREATE INDEX idx_refund_orders_due ON refund_orders (next_at) WHERE next_at != ''"}
	for name, on := range map[string]string{
		"idx_refund_orders_no":          "refund_orders (no)",
		"idx_refund_orders_active_card": "refund_orders (institution, card_no, group_seq) WHERE " + active,
		"idx_refund_orders_compensates": "refund_orders (compensates) WHERE compensates != ''",
		"idx_refund_events_seq":         "refund_events (order, seq)",
		"idx_transfer_orders_no":        "transfer_orders (out_bill_no)",
		"idx_transfer_orders_attempt":   "transfer_orders (order, attempt)",
		"idx_his_calls_no":              "his_calls (no)",
		"idx_his_calls_attempt":         "his_calls (order, kind, attempt)",
		"idx_reviews_stage":             "reviews (order, stage)",
		"idx_notifications_once":        "notifications (order, event, round, via, staff) WHERE order != ''",
		"idx_callbacks_once":            "callbacks (institution, channel, callback_id)",
		"idx_refund_days_key":           "refund_days (institution, day, channel, method)",
		"idx_refund_counts_key":         "refund_counts (institution, status)",
		"idx_config_changes_version":    "config_changes (collection, record, version)",
		"idx_statements_current":        "statements (institution, source, kind, day, connection) WHERE superseded = FALSE",
		"idx_recon_runs_seq":            "recon_runs (institution, day, seq)",
		"idx_differences_key":           "differences (institution, day, key)",
		"idx_recon_months_key":          "recon_months (institution, month)",
	} {
		out[name] = unique(name, on)
	}
	return out
}

// NeededIndexes lists the names of the indexes that carry a money rule.
func NeededIndexes() []string { return slices.Sorted(maps.Keys(Guards().Indexes)) }

// plainSQL brings a definition into one form: no quotes, single blanks.
func plainSQL(sql string) string {
	sql = strings.NewReplacer("`", "", "(", " ( ", ")", " ) ", ",", " , ").Replace(sql)
	return strings.Join(strings.Fields(sql), " ")
}

// Verify asserts what the money rules rest on: triggers and access rules
// exactly as they are in the set, every index that carries a rule,
// synchronous=FULL, and triggers that REPLACE does not pass by.
func (g GuardSet) Verify(app core.App) error {
	db := app.NonconcurrentDB()
	have, err := present(db)
	if err != nil {
		return err
	}
	if err := differs(g.prints(), have); err != nil {
		return err
	}
	var rows []struct {
		Name string `db:"name"`
		SQL  string `db:"sql"`
	}
	if err := db.NewQuery("SELECT name, COALESCE(sql, '') AS sql FROM sqlite_master WHERE type = 'index'").All(&rows); err != nil {
		return err
	}
	indexes := map[string]string{}
	for _, r := range rows {
		indexes[r.Name] = r.SQL
	}
	for _, name := range slices.Sorted(maps.Keys(g.Indexes)) {
		if plainSQL(indexes[name]) != plainSQL(g.Indexes[name]) {
			return tampered("数据库索引 %s 缺失或被改动", name)
		}
	}
	return verifyPragmas(db)
}

func tampered(format, name string) error {
	return fmt.Errorf(format+"，拒绝启动；请从备份恢复或联系技术支持", name)
}

func verifyPragmas(db dbx.Builder) error {
	for pragma, want := range map[string]int{"synchronous": 2, "recursive_triggers": 1} {
		var have int
		if err := db.NewQuery("PRAGMA " + pragma).Row(&have); err != nil {
			return err
		}
		if have != want {
			return fmt.Errorf("数据库 %s=%d，必须为 %d，拒绝启动", pragma, have, want)
		}
	}
	return nil
}

// The kinds of guards, as their fingerprints are named.
const (
	kindTrigger = "trigger "
	kindRules   = "rules "
)

// prints are the fingerprints of guards: by kind and name the hash of the text.
type prints map[string]string

func fingerprint(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// rulesText is one text of a collection's access rules; a nil rule, superusers
// only, differs from an empty one, everybody.
func rulesText(r Rules) string {
	b, err := json.Marshal([]*string{r.List, r.View, r.Create, r.Update, r.Delete, r.Auth})
	if err != nil {
		return ""
	}
	return string(b)
}

func (g GuardSet) prints() prints {
	out := prints{}
	for _, t := range g.Triggers {
		out[kindTrigger+t.Name] = fingerprint(t.SQL)
	}
	for name, r := range g.Rules {
		out[kindRules+name] = fingerprint(rulesText(r))
	}
	return out
}

// Hash is the fingerprint of the whole set.
func (g GuardSet) Hash() string { return g.prints().hash() }

func (p prints) hash() string {
	var all strings.Builder
	for _, name := range slices.Sorted(maps.Keys(p)) {
		fmt.Fprintf(&all, "%s\x00%s\n", name, p[name])
	}
	return fingerprint(all.String())
}

// present takes the fingerprints of what is in the database: every trigger, and
// the access rules of every collection.
func present(db dbx.Builder) (prints, error) {
	var triggers []Trigger
	if err := db.NewQuery("SELECT name, COALESCE(sql, '') AS sql FROM sqlite_master WHERE type = 'trigger'").All(&triggers); err != nil {
		return nil, err
	}
	var rules []struct {
		Name string `db:"name"`
		Rules
	}
	err := db.NewQuery("SELECT name, listRule, viewRule, createRule, updateRule, deleteRule, " +
		"json_extract(options, '$.authRule') AS authRule FROM _collections").All(&rules)
	if err != nil {
		return nil, err
	}
	out := prints{}
	for _, t := range triggers {
		out[kindTrigger+t.Name] = fingerprint(t.SQL)
	}
	for _, r := range rules {
		out[kindRules+r.Name] = fingerprint(rulesText(r.Rules))
	}
	return out, nil
}

// differs names the first guard that is not as wanted, in the order of names.
// Triggers beyond the set are refused as well: they could do anything.
// Collections beyond it are a hospital's own.
func differs(want, have prints) error {
	for _, key := range slices.Sorted(maps.Keys(want)) {
		if have[key] == want[key] {
			continue
		}
		if name, is := strings.CutPrefix(key, kindTrigger); is {
			return tampered("数据库触发器 %s 缺失或被改动", name)
		}
		return tampered("集合 %s 的访问规则缺失或被改动", strings.TrimPrefix(key, kindRules))
	}
	for _, key := range slices.Sorted(maps.Keys(have)) {
		if name, is := strings.CutPrefix(key, kindTrigger); is && want[key] == "" {
			return tampered("数据库多出触发器 %s", name)
		}
	}
	return nil
}
