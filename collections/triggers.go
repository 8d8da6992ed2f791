package collections

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"sort"
	"strings"

	"hospay/refund"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

// ErrNotEmpty refuses to undo a migration whose table holds rows.
var ErrNotEmpty = errors.New("collections: the table holds rows")

// Trigger is a database trigger that keeps a rule of the money tables, also
// against scripts, the SQL console and bugs.
type Trigger struct{ Name, SQL string }

// fixedColumns never change once an order exists.
var fixedColumns = []string{
	"no", "institution", "patient", "card_no", "deposit_no", "amount", "method", "channel", "group", "group_seq", "payee_account_sealed",
	"payee_name_sealed", "payee_index", "payee_type", "original", "compensates", "debit_at", "proxy_application", "created",
}

// AllTriggers lists every trigger. No migration asks for all of them: later ones
// stand on tables that an earlier migration does not know.
func AllTriggers() []Trigger {
	return slices.Concat(Triggers(), ProxyTriggers(), StatisticsTriggers(), DeskTriggers(), ConfigTriggers(), ReconTriggers())
}

// Triggers lists the triggers of orders and their journals, generated from the
// domain's table of moves.
func Triggers() []Trigger {
	ts := []Trigger{
		trigger("guard_order_insert", "BEFORE INSERT ON refund_orders WHEN NOT (NEW.status = 'submitted' OR (NEW.status = 'reversing' AND NEW.compensates != ''))", "an order starts at submitted"),
		trigger("guard_order_move", "BEFORE UPDATE ON refund_orders WHEN NEW.status != OLD.status AND (OLD.status || '>' || NEW.status) NOT IN ("+moves()+")", "illegal move of an order"),
		trigger("guard_order_final", "BEFORE UPDATE ON refund_orders WHEN OLD.status IN ("+Finals()+") AND (NEW.amount != OLD.amount OR NEW.paid_at != OLD.paid_at OR NEW.fail_code != OLD.fail_code)", "a final order stays as it is"),
		trigger("guard_order_fixed", "BEFORE UPDATE ON refund_orders WHEN "+changed(fixedColumns), "amount, payee and card of an order never change"),
		trigger("guard_order_group", "BEFORE INSERT ON refund_orders WHEN NEW.compensates = '' AND EXISTS (SELECT 1 FROM refund_orders WHERE institution = NEW.institution AND card_no = NEW.card_no AND compensates = '' AND status NOT IN ("+Finals()+") AND (`group` != NEW.`group` OR NEW.`group` = ''))", "the card has an active order"),
		trigger("guard_transfer_fixed", "BEFORE UPDATE ON transfer_orders WHEN "+changed([]string{"order", "attempt", "out_bill_no", "amount", "method", "channel", "hash"}), "the content of a payout number never changes"),
		trigger("guard_transfer_done", "BEFORE UPDATE ON transfer_orders WHEN OLD.state = 'done' AND NEW.state != 'done'", "a paid payout stays paid"),
		trigger("guard_his_call_fixed", "BEFORE UPDATE ON his_calls WHEN "+changed([]string{"order", "kind", "attempt", "no", "amount", "hash"}), "the content of a HIS number never changes"),
		trigger("guard_his_call_done", "BEFORE UPDATE ON his_calls WHEN OLD.state = 'done' AND NEW.state != 'done'", "a finished HIS call stays finished"),
	}
	for _, table := range AppendOnly() {
		ts = append(ts, trigger("guard_"+table+"_update", "BEFORE UPDATE ON "+table, table+" is append-only"))
	}
	for _, table := range append(AppendOnly(), RefundOrders, TransferOrders, HISCalls) {
		ts = append(ts, trigger("guard_"+table+"_delete", "BEFORE DELETE ON "+table, table+" rows are never deleted"))
	}
	return ts
}

func trigger(name, when, message string) Trigger {
	return Trigger{Name: name, SQL: fmt.Sprintf("CREATE TRIGGER %s %s BEGIN SELECT RAISE(ABORT, '%s'); END", name, when, message)}
}

func moves() string {
	var out []string
	for _, from := range refund.Statuses() {
		for _, to := range from.Next() {
			out = append(out, fmt.Sprintf("'%s>%s'", from, to))
		}
	}
	sort.Strings(out)
	return strings.Join(out, ",")
}

// Finals lists the final states as SQL.
func Finals() string {
	var out []string
	for _, s := range refund.FinalStatuses() {
		out = append(out, "'"+string(s)+"'")
	}
	return strings.Join(out, ",")
}

func changed(columns []string) string {
	var out []string
	for _, c := range columns {
		out = append(out, fmt.Sprintf("NEW.`%s` IS NOT OLD.`%s`", c, c))
	}
	return strings.Join(out, " OR ")
}

// neededIndexes carry a money rule, as they stand in the database without
// quotes; the program does not start without them.
func neededIndexes() map[string]string {
	unique := func(name, on string) string { return "CREATE UNIQUE INDEX " + name + " ON " + on }
	var open []string
	for _, s := range refund.FinalStatuses() {
		open = append(open, "status != '"+string(s)+"'")
	}
	out := map[string]string{"idx_refund_orders_due": "CREATE INDEX idx_refund_orders_due ON refund_orders (next_at) WHERE next_at != ''"}
	for name, on := range map[string]string{
		"idx_refund_orders_no":          "refund_orders (no)",
		"idx_refund_orders_active_card": "refund_orders (institution, card_no, group_seq) WHERE compensates = '' AND " + strings.Join(open, " AND "),
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
		"idx_statements_current":        "statements (institution, source, kind, day) WHERE superseded = FALSE",
		"idx_recon_runs_seq":            "recon_runs (institution, day, seq)",
		"idx_differences_key":           "differences (institution, day, key)",
		"idx_recon_months_key":          "recon_months (institution, month)",
	} {
		out[name] = unique(name, on)
	}
	return out
}

// NeededIndexes lists the names of the indexes that carry a money rule.
func NeededIndexes() []string { return slices.Sorted(maps.Keys(neededIndexes())) }

// plainSQL brings a definition into one form: no quotes, single blanks.
func plainSQL(sql string) string {
	sql = strings.NewReplacer("`", "", "(", " ( ", ")", " ) ", ",", " , ").Replace(sql)
	return strings.Join(strings.Fields(sql), " ")
}

// Verify asserts what the money rules rest on: every trigger exactly as
// generated, every index that carries a rule, synchronous=FULL, and triggers
// that REPLACE does not pass by.
func Verify(app core.App) error {
	var rows []struct {
		Name string `db:"name"`
		SQL  string `db:"sql"`
	}
	err := app.NonconcurrentDB().NewQuery("SELECT name, COALESCE(sql, '') AS sql FROM sqlite_master WHERE type IN ('trigger', 'index')").All(&rows)
	if err != nil {
		return err
	}
	have := map[string]string{}
	for _, r := range rows {
		have[r.Name] = r.SQL
	}
	for _, t := range AllTriggers() {
		if have[t.Name] != t.SQL {
			return fmt.Errorf("数据库触发器 %s 缺失或被改动，拒绝启动；请从备份恢复或联系技术支持", t.Name)
		}
	}
	for name, want := range neededIndexes() {
		if plainSQL(have[name]) != plainSQL(want) {
			return fmt.Errorf("数据库索引 %s 缺失或被改动，拒绝启动；请从备份恢复或联系技术支持", name)
		}
	}
	return verifyPragmas(app.NonconcurrentDB())
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
