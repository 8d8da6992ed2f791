package collections

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"hospay/flow"
	"hospay/payment"
	"hospay/refund"

	"hospay/internal/cluster"

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
	Machine  *flow.Machine // of refund orders
	Fixed    []string      // columns of an order that never change
	Payments *flow.Machine
}

// TheBasis returns the basis of this program.
func TheBasis() Basis {
	return Basis{Machine: refund.Machine, Fixed: slices.Clone(fixedColumns), Payments: payment.Machine}
}

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
		Triggers: slices.Concat(b.orderTriggers(), proxyTriggers(), b.statisticsTriggers(), deskTriggers(), configTriggers(), ReconTriggers(),
			accountTriggers(), paymentTriggers(b.Payments), paymentDayTriggers()),
		Rules:   map[string]Rules{},
		Indexes: b.neededIndexes(),
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
	active := "compensates = '' AND " + notFinal(b.Machine)
	out := map[string]string{}
	for _, table := range []string{RefundOrders, PaymentOrders} {
		out["idx_"+table+"_due"] = "CREATE INDEX idx_" + table + "_due ON " + table + " (next_at) WHERE next_at != ''"
	}
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
		"idx_notifications_payment":     "notifications (payment, event, round, via, staff) WHERE payment != ''",
		"idx_callbacks_once":            "callbacks (institution, channel, callback_id)",
		"idx_refund_days_key":           "refund_days (institution, day, channel, method)",
		"idx_refund_counts_key":         "refund_counts (institution, status)",
		"idx_payment_days_key":          "payment_days (institution, day, channel, kind, insured)",
		"idx_config_changes_version":    "config_changes (collection, record, version)",
		"idx_statements_current":        "statements (institution, source, kind, day, connection) WHERE superseded = FALSE",
		"idx_recon_runs_seq":            "recon_runs (institution, ledger, day, seq)",
		"idx_differences_key":           "differences (institution, day, key)",
		"idx_recon_months_key":          "recon_months (institution, month)",
		"idx_payment_orders_no":         "payment_orders (no)",
		"idx_payment_orders_open_bill":  "payment_orders (institution, bill_no) WHERE " + notFinal(b.Payments),
		"idx_payment_events_seq":        "payment_events (order, seq)",
		"idx_payment_calls_no":          "payment_calls (no)",
		"idx_payment_calls_attempt":     "payment_calls (order, kind, attempt)",
		"idx_payment_calls_one_refund":  "payment_calls (order) WHERE kind = '" + payment.CallBack + "'",
		"idx_payment_refunds_no":        "payment_refunds (no)",
		"idx_payment_refunds_seq":       "payment_refunds (order, seq)",
		"idx_payment_refunds_his":       "payment_refunds (institution, his_refund_id) WHERE his_refund_id != ''",
	} {
		out[name] = unique(name, on)
	}
	return out
}

// notFinal is the SQL of an order that is not at its end, in the order in which
// the migrations have written it.
func notFinal(m *flow.Machine) string {
	var open []string
	for _, s := range m.Finals() {
		open = append(open, "status != '"+string(s)+"'")
	}
	return strings.Join(open, " AND ")
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
func (g GuardSet) Verify(ctx context.Context, app core.App) error {
	db := app.NonconcurrentDB()
	have, err := present(ctx, db)
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
	if err := db.NewQuery("SELECT name, COALESCE(sql, '') AS sql FROM sqlite_master WHERE type = 'index'").WithContext(ctx).
		All(&rows); err != nil {
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
	return verifyPragmas(ctx, db, cluster.Member(app.DataDir()))
}

// Tampering is a guard that is not as the program has laid it. Trouble with
// reading the database is none.
type Tampering struct{ What string }

// Error says what is not as it was, and what follows at a start.
func (t *Tampering) Error() string {
	return t.What + "，拒绝启动；请从备份恢复或联系技术支持"
}

func tampered(format, name string) error { return &Tampering{fmt.Sprintf(format, name)} }

// verifyPragmas: in a cluster the engine's log is what is written to the disk before
// a commit is told, so that SQLite itself need not.
func verifyPragmas(ctx context.Context, db dbx.Builder, clustered bool) error {
	wanted := map[string]int{"synchronous": 2, "recursive_triggers": 1}
	if clustered {
		delete(wanted, "synchronous")
	}
	for pragma, want := range wanted {
		var have int
		if err := db.NewQuery("PRAGMA " + pragma).WithContext(ctx).Row(&have); err != nil {
			return err
		}
		if have != want {
			return tampered("数据库 %s 不是程序所设的值", pragma)
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
func present(ctx context.Context, db dbx.Builder) (prints, error) {
	var triggers []Trigger
	if err := db.NewQuery("SELECT name, COALESCE(sql, '') AS sql FROM sqlite_master WHERE type = 'trigger'").WithContext(ctx).
		All(&triggers); err != nil {
		return nil, err
	}
	var rules []struct {
		Name string `db:"name"`
		Rules
	}
	err := db.NewQuery("SELECT name, listRule, viewRule, createRule, updateRule, deleteRule, " +
		"json_extract(options, '$.authRule') AS authRule FROM _collections").WithContext(ctx).All(&rules)
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
