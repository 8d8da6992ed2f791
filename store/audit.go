package store

import (
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"hospay/collections"
	"hospay/internal/vault"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

// AuditEntry is one act of a person, or of the program, that is not an event of
// an order.
type AuditEntry struct {
	Institution   string // whose auditors read it; empty: that of the actor, superusers alone where there is none
	ActorKind     string // staff, superuser, system, it
	Actor         string
	Action        string
	Target        string
	Order         string // number of the order that it is about
	Before, After string // fingerprints of what was changed
	Address       string
	Details       map[string]any // no personal data, no secrets
}

// chainOf is where an app keeps what makes the hashes of its audit log.
const chainOf = "hospay.chain"

// SetChain gives an app what makes the hashes of its audit log. It is derived
// from the key file alone, so that it can be there before the database is open.
func SetChain(app core.App, c *vault.Chain) { app.Store().Set(chainOf, c) }

func chain(app core.App) *vault.Chain {
	c, _ := app.Store().Get(chainOf).(*vault.Chain)
	return c
}

// ErrNoChainKey refuses to write into a keyed audit log without the key file.
var ErrNoChainKey = errors.New("审计日志由密钥文件保护，写入需要密钥文件：请设置环境变量 HOSPAY_KEY_FILE")

// guardsInstalled is the one act that may come without a key in a log that has
// one: it is written while a folder is opened, whichever command opens it. The
// keyed row after it vouches for it.
const guardsInstalled = "guards.installed"

// Audit appends to the audit log in the caller's transaction. Each row's hash
// covers the row before it, and is keyed with what no database holds, so that a
// removed, edited or added row shows.
func Audit(tx core.App, a AuditEntry) error {
	var last struct {
		Seq  int64  `db:"seq"`
		Hash string `db:"hash"`
		Key  string `db:"key"`
	}
	err := tx.DB().Select("seq", "hash", "key").From(collections.AuditLog).OrderBy("seq DESC").Limit(1).One(&last)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	if a.Institution == "" {
		if a.Institution, err = houseOf(tx, a.ActorKind, a.Actor); err != nil {
			return err
		}
	}
	if a.Order == "" { // as many acts tell it
		a.Order, _ = a.Details["no"].(string)
	}
	row := dbx.Params{
		"id": newID(), "institution": a.Institution, "seq": last.Seq + 1, "actor_kind": a.ActorKind, "actor": a.Actor, "action": a.Action,
		"target": a.Target, "order_no": a.Order, "before": a.Before, "after": a.After, "key": "", "details": jsonText(a.Details),
		"address": a.Address, "prev_hash": last.Hash, "created": stamp(collections.Now(tx)),
	}
	c := chain(tx)
	switch {
	case c != nil:
		row["key"] = c.Current()
		row["hash"], _ = c.Sum(c.Current(), auditText(row))
	case last.Key != "" && a.Action != guardsInstalled:
		return ErrNoChainKey
	default:
		row["hash"] = plainHash(row)
	}
	_, err = tx.DB().Insert(collections.AuditLog, row).Execute()
	return err
}

// houseOf finds the institution of the person who acted.
func houseOf(tx core.App, kind, actor string) (string, error) {
	table := map[string]string{"staff": collections.Staff, "patient": collections.Patients}[kind]
	if table == "" || actor == "" {
		return "", nil
	}
	var inst string
	err := tx.DB().Select("institution").From(table).Where(dbx.HashExp{"id": actor}).Row(&inst)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return inst, err
}

// chained are the columns that a keyed hash covers.
var chained = []string{"key", "prev_hash", "seq", "institution", "actor_kind", "actor", "action", "target", "order_no", "before", "after",
	"details", "address", "created"}

// auditText is a row as its keyed hash covers it; lengths keep what one column
// says from being read as another's.
func auditText(row dbx.Params) string {
	var b strings.Builder
	for _, k := range chained {
		v := fmt.Sprint(row[k])
		fmt.Fprintf(&b, "%s=%d:%s\n", k, len(v), v)
	}
	return b.String()
}

// plainHash is the hash of rows from before the log was keyed.
func plainHash(row dbx.Params) string {
	h := sha256.New()
	for _, k := range []string{"prev_hash", "seq", "actor_kind", "actor", "action", "target", "details", "address", "created"} {
		fmt.Fprintf(h, "%v\x00", row[k])
	}
	if inst := fmt.Sprint(row["institution"]); inst != "" { // rows from before the column have none
		fmt.Fprintf(h, "institution\x00%s\x00", inst)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// Fingerprint is a keyed hash of values: equal values have equal ones, and
// nothing can be read from it. Of nothing there is none.
func Fingerprint(app core.App, v any) string {
	if v == nil {
		return ""
	}
	text, err := json.Marshal(v)
	if err != nil || len(text) == 0 || string(text) == "null" {
		return ""
	}
	if c := chain(app); c != nil {
		sum, _ := c.Sum(c.Current(), "record\n"+string(text))
		return sum
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// RecordPrint is the fingerprint of a record with all its fields.
func RecordPrint(app core.App, rec *core.Record) string {
	if rec == nil {
		return ""
	}
	return Fingerprint(app, rec.FieldsData())
}

// GuardsInstalled writes down that a program has laid other guards over the
// tables than the one before.
func GuardsInstalled(tx core.App, hash string, details map[string]any) error {
	return Audit(tx, AuditEntry{ActorKind: "system", Action: guardsInstalled, Target: hash, Details: details})
}
