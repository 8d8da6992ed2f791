package store

import (
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"

	"hospay/collections"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

// AuditEntry is one act of a person that is not an event of an order.
type AuditEntry struct {
	Institution string // whose auditors read it; empty: that of the actor, superusers alone where there is none
	ActorKind   string // staff, superuser, system, it
	Actor       string
	Action      string
	Target      string
	Address     string
	Details     map[string]any // no personal data, no secrets
}

// Audit appends to the audit log in the caller's transaction. Each row's hash
// covers the row before it, so that a removed or edited row shows.
func Audit(tx core.App, a AuditEntry) error {
	var last struct {
		Seq  int64  `db:"seq"`
		Hash string `db:"hash"`
	}
	err := tx.DB().Select("seq", "hash").From(collections.AuditLog).OrderBy("seq DESC").Limit(1).One(&last)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	if a.Institution == "" {
		if a.Institution, err = houseOf(tx, a.ActorKind, a.Actor); err != nil {
			return err
		}
	}
	row := dbx.Params{
		"id": newID(), "institution": a.Institution, "seq": last.Seq + 1, "actor_kind": a.ActorKind, "actor": a.Actor, "action": a.Action,
		"target":  a.Target,
		"details": jsonText(a.Details), "address": a.Address, "prev_hash": last.Hash, "created": stamp(collections.Now(tx)),
	}
	row["hash"] = auditHash(row)
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

func auditHash(row dbx.Params) string {
	h := sha256.New()
	for _, k := range []string{"prev_hash", "seq", "actor_kind", "actor", "action", "target", "details", "address", "created"} {
		fmt.Fprintf(h, "%v\x00", row[k])
	}
	if inst := fmt.Sprint(row["institution"]); inst != "" { // rows from before the column have none
		fmt.Fprintf(h, "institution\x00%s\x00", inst)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// GuardsInstalled writes down that a program has laid other guards over the
// tables than the one before.
func GuardsInstalled(tx core.App, hash string, details map[string]any) error {
	return Audit(tx, AuditEntry{ActorKind: "system", Action: "guards.installed", Target: hash, Details: details})
}
