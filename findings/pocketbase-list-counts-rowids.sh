#!/usr/bin/env bash
# PocketBase v0.40.4 counts the records of a list by the hidden column _rowid_ of the
# table, although every collection has an id. Where a connection shows a view under the
# table's name (a TEMP view over the table and an archive of it, for example), the same
# list is answered with skipTotal=1 and refused with 400 without it. A view that names a
# column "_rowid_" is counted and sorted by it like a table: collections/archives.go.
# Needs go and a module proxy.
set -euo pipefail

dir=$(mktemp -d)
trap 'chmod -R u+w "$dir"; rm -rf "$dir"' EXIT
cd "$dir"
export GOTOOLCHAIN=auto CGO_ENABLED=0 GOFLAGS=-mod=mod GOWORK=off

cat >go.mod <<'MOD'
module finding

go 1.25

require github.com/pocketbase/pocketbase v0.40.4
MOD

cat >main.go <<'GO'
package main

import (
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"os"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
	_ "github.com/pocketbase/pocketbase/migrations"
	"github.com/pocketbase/pocketbase/tools/types"
)

func must[T any](v T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return v
}

func main() {
	app := core.NewBaseApp(core.BaseAppConfig{DataDir: os.Args[1], DataMaxOpenConns: 1, DataMaxIdleConns: 1})
	if err := app.Bootstrap(); err != nil {
		log.Fatal(err)
	}
	if err := app.RunAllMigrations(); err != nil {
		log.Fatal(err)
	}
	wards := core.NewBaseCollection("wards")
	wards.ListRule = types.Pointer("")
	wards.Fields.Add(&core.TextField{Name: "name"})
	if err := app.Save(wards); err != nil {
		log.Fatal(err)
	}
	for _, name := range []string{"cardiology", "surgery", "paediatrics"} {
		rec := core.NewRecord(wards)
		rec.Set("name", name)
		if err := app.Save(rec); err != nil {
			log.Fatal(err)
		}
	}
	mux := must(must(apis.NewRouter(app)).BuildMux())
	reader := app.ConcurrentDB().(*dbx.DB)
	for _, with := range []struct{ name, view string }{
		{"table", ""},
		{"view of its columns", "SELECT id, name FROM main.wards"},
		{"view with _rowid_", `SELECT rowid AS "_rowid_", id, name FROM main.wards`},
	} {
		must(reader.NewQuery("DROP VIEW IF EXISTS temp.wards").Execute())
		if with.view != "" {
			must(reader.NewQuery("CREATE TEMP VIEW wards AS " + with.view).Execute())
		}
		for _, query := range []string{"", "?skipTotal=1", "?sort=-@rowid&skipTotal=1"} {
			res := httptest.NewRecorder()
			mux.ServeHTTP(res, httptest.NewRequest(http.MethodGet, "/api/collections/wards/records"+query, nil))
			fmt.Printf("%s, list%s: %d\n", with.name, query, res.Code)
		}
	}
}
GO

cat >want <<'TXT'
table, list: 200
table, list?skipTotal=1: 200
table, list?sort=-@rowid&skipTotal=1: 200
view of its columns, list: 400
view of its columns, list?skipTotal=1: 200
view of its columns, list?sort=-@rowid&skipTotal=1: 400
view with _rowid_, list: 200
view with _rowid_, list?skipTotal=1: 200
view with _rowid_, list?sort=-@rowid&skipTotal=1: 200
TXT

go mod tidy >/dev/null 2>&1
echo "PocketBase $(go list -m -f '{{.Version}}' github.com/pocketbase/pocketbase), $(go env GOVERSION)"
go run . "$dir/data" 2>err | tee seen || { tail -5 err; exit 1; }
diff want seen
