#!/usr/bin/env bash
# dqlite (libdqlite 1.11.1 of Debian 12, go-dqlite v1.11.5) answers "disk I/O error"
# in the middle of an ordinary transaction once SQLite has to write pages of it out of
# its cache before the commit (cache_size is 2,000 KiB unless it is set). The disk is
# well; with "PRAGMA cache_spill = OFF" on the connection the same rows go in. hospay
# sets that on each connection of a cluster: internal/cluster/database.go.
# Debian 12 on amd64 with a C compiler, git and go; packages are unpacked, not installed.
set -euo pipefail

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
export GOTOOLCHAIN=auto CGO_ENABLED=1 GOFLAGS=-mod=mod GOWORK=off CGO_LDFLAGS_ALLOW=-Wl,-z,now

chmod 755 "$dir" # where apt drops its privileges
apt-get download -qq libdqlite-dev=1.11.1-1 libdqlite0=1.11.1-1 libraft-dev=0.15.0-1 libraft2=0.15.0-1 \
	libsqlite3-dev libsqlite3-0 libuv1 liblz4-1 >/dev/null 2>&1
for deb in *.deb; do dpkg-deb -x "$deb" root; done
lib=$dir/root/usr/lib/x86_64-linux-gnu
export CGO_CFLAGS="-I$dir/root/usr/include" CGO_LDFLAGS="-L$lib -Wl,-rpath-link,$lib" LD_LIBRARY_PATH=$lib

cat >go.mod <<'MOD'
module finding

go 1.21

require github.com/canonical/go-dqlite v1.11.5
MOD

cat >main.go <<'GO'
package main

import (
	"context"
	"database/sql"
	"fmt"
	"log"
	"os"
	"strings"

	"github.com/canonical/go-dqlite/app"
	"github.com/canonical/go-dqlite/client"
)

func main() {
	quiet := func(client.LogLevel, string, ...any) {}
	node, err := app.New(os.Args[1], app.WithAddress("127.0.0.1:19777"), app.WithLogFunc(quiet))
	if err == nil {
		err = node.Ready(context.Background())
	}
	if err != nil {
		log.Fatal(err)
	}
	for _, spill := range []string{"ON", "OFF"} {
		db, err := node.Open(context.Background(), "spill-"+spill+".db")
		if err != nil {
			log.Fatal(err)
		}
		db.SetMaxOpenConns(1)
		err = fill(db, spill)
		fmt.Printf("cache_spill %s: %v\n", spill, err)
	}
}

// fill puts 120,000 rows into a table with four indexes, 2,000 in a transaction.
func fill(db *sql.DB, spill string) error {
	for _, q := range []string{"PRAGMA cache_spill = " + spill,
		"CREATE TABLE t (a INTEGER UNIQUE, b INTEGER UNIQUE, c INTEGER UNIQUE, d INTEGER UNIQUE, text TEXT)"} {
		if _, err := db.Exec(q); err != nil {
			return err
		}
	}
	text := strings.Repeat("x", 700)
	for n := uint32(0); n < 120_000; {
		tx, err := db.Begin()
		if err != nil {
			return err
		}
		for i := 0; i < 2000; i++ {
			n++
			if _, err = tx.Exec("INSERT INTO t VALUES (?, ?, ?, ?, ?)", int64(n*2654435761), int64(n*2246822519), int64(n*3266489917),
				int64(n*668265263), text); err != nil {
				tx.Rollback()
				return err
			}
		}
		if err := tx.Commit(); err != nil {
			return err
		}
	}
	return nil
}
GO

cat >want <<'TXT'
cache_spill ON: disk I/O error
cache_spill OFF: <nil>
TXT

go build -tags libsqlite3 -o see . 2>/dev/null
echo "libdqlite 1.11.1-1, libraft 0.15.0-1, go-dqlite v1.11.5, SQLite $(dpkg-deb -f libsqlite3-0_*.deb Version)"
mkdir data
./see data | tee seen
if ! diff want seen; then
  echo "changed: see the lines above" >&2
  exit 1
fi
