#!/usr/bin/env bash
# PocketBase v0.40.4 runs the INSERT of SaveWithContext under the caller's context, and
# the handler that creates a record passes the request's. When that context ends while
# the statement runs, SQLite (here modernc.org/sqlite v1.57.0) takes back the whole
# transaction, not the statement. RunInTransaction does not notice: what was saved in it
# before is gone, what the function saves afterwards is committed by itself, although
# RunInTransaction then reports an error. With a SAVEPOINT around the save, the
# savepoint is gone, too. Where changes of several callers share a transaction, a write
# must not run under the context of one of them: internal/prepared, begun.
# Needs go and a module proxy.
set -euo pipefail

dir=$(mktemp -d)
trap 'chmod -R u+w "$dir"; rm -rf "$dir"' EXIT
cd "$dir"
export GOTOOLCHAIN=auto CGO_ENABLED=0 GOFLAGS=-mod=mod GOWORK=off

cat >go.mod <<'MOD'
module finding

go 1.25

require (
	github.com/pocketbase/pocketbase v0.40.4
	modernc.org/sqlite v1.57.0
)
MOD

cat >main.go <<'GO'
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"time"

	"github.com/pocketbase/pocketbase/core"
	_ "github.com/pocketbase/pocketbase/migrations"
)

func main() {
	app := core.NewBaseApp(core.BaseAppConfig{DataDir: os.Args[1]})
	if err := errors.Join(app.Bootstrap(), app.RunAllMigrations()); err != nil {
		log.Fatal(err)
	}
	beds := core.NewBaseCollection("beds")
	beds.Fields.Add(&core.TextField{Name: "name"})
	if err := app.Save(beds); err != nil {
		log.Fatal(err)
	}
	// One of the rows takes its time.
	_, err := app.DB().NewQuery(`CREATE TABLE work (n INTEGER)`).Execute()
	if err == nil {
		_, err = app.DB().NewQuery(`CREATE TRIGGER slow AFTER INSERT ON beds WHEN NEW.name LIKE 'slow%' BEGIN
			INSERT INTO work WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 3000000) SELECT x FROM c; END`).Execute()
	}
	if err != nil {
		log.Fatal(err)
	}
	save := func(tx core.App, ctx context.Context, name string) error {
		r := core.NewRecord(beds)
		r.Set("name", name)
		return tx.SaveWithContext(ctx, r)
	}
	for _, savepoint := range []bool{false, true} {
		mark := fmt.Sprintf(" %t", savepoint)
		err := app.RunInTransaction(func(tx core.App) error {
			if err := save(tx, context.Background(), "before"+mark); err != nil {
				return err
			}
			if savepoint {
				if _, err := tx.DB().NewQuery("SAVEPOINT one").Execute(); err != nil {
					return err
				}
			}
			ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
			defer cancel()
			fmt.Printf("savepoint %t, the save that is given up fails: %t\n", savepoint, save(tx, ctx, "slow"+mark) != nil)
			if savepoint {
				_, err := tx.DB().NewQuery("ROLLBACK TO one").Execute()
				fmt.Printf("savepoint %t, rolled back to it: %v\n", savepoint, err)
			}
			return save(tx, context.Background(), "after"+mark)
		})
		fmt.Printf("savepoint %t, the transaction: %v\n", savepoint, err)
		for _, name := range []string{"before", "slow", "after"} {
			n, err := app.CountRecords("beds", nil)
			if err != nil {
				log.Fatal(err)
			}
			_, err = app.FindFirstRecordByData("beds", "name", name+mark)
			fmt.Printf("savepoint %t, %s is there: %t (%d rows)\n", savepoint, name, err == nil, n)
		}
	}
}
GO

cat >want <<'TXT'
savepoint false, the save that is given up fails: true
savepoint false, the transaction: SQL logic error: cannot commit - no transaction is active (1)
savepoint false, before is there: false (1 rows)
savepoint false, slow is there: false (1 rows)
savepoint false, after is there: true (1 rows)
savepoint true, the save that is given up fails: true
savepoint true, rolled back to it: SQL logic error: no such savepoint: one (1)
savepoint true, the transaction: SQL logic error: cannot commit - no transaction is active (1)
savepoint true, before is there: false (2 rows)
savepoint true, slow is there: false (2 rows)
savepoint true, after is there: true (2 rows)
TXT

go mod tidy >/dev/null 2>&1
echo "PocketBase $(go list -m -f '{{.Version}}' github.com/pocketbase/pocketbase), modernc.org/sqlite $(go list -m -f '{{.Version}}' modernc.org/sqlite), $(go env GOVERSION)"
go run . "$dir/data" 2>err | tee seen || { tail -5 err; exit 1; }
diff want seen
