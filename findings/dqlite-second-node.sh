#!/usr/bin/env bash
# The second node of a cluster of go-dqlite v1.11.5 says that it is ready and, as long
# as there is no third, that nobody leads: its local client's Leader answers id 0 and
# an empty address without an error, although the first node leads and commits. A node
# without a vote hears nothing of it; app.Leader, which asks the other nodes, finds it.
# Whoever passes requests on to the leader must ask that way: internal/cluster/node.go.
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
	"fmt"
	"log"
	"os"
	"path/filepath"
	"time"

	"github.com/canonical/go-dqlite/app"
	"github.com/canonical/go-dqlite/client"
)

func start(dir, address string, join ...string) *app.App {
	dir = filepath.Join(dir, address)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		log.Fatal(err)
	}
	options := []app.Option{app.WithAddress(address), app.WithLogFunc(func(client.LogLevel, string, ...any) {})}
	if len(join) > 0 {
		options = append(options, app.WithCluster(join))
	}
	a, err := app.New(dir, options...)
	if err == nil {
		err = a.Ready(context.Background())
	}
	if err != nil {
		log.Fatal(err)
	}
	return a
}

// said is what the node itself answers when it is asked who leads.
func said(a *app.App) string {
	time.Sleep(5 * time.Second)
	c, err := a.Client(context.Background())
	if err != nil {
		return err.Error()
	}
	defer c.Close()
	l, err := c.Leader(context.Background())
	if err != nil {
		return err.Error()
	}
	if l.ID == 0 {
		return fmt.Sprintf("nobody (id 0, address %q)", l.Address)
	}
	return l.Address
}

func main() {
	first := start(os.Args[1], "127.0.0.1:19771")
	second := start(os.Args[1], "127.0.0.1:19772", "127.0.0.1:19771")
	fmt.Println("of two nodes the first says who leads:", said(first))
	fmt.Println("of two nodes the second says who leads:", said(second))
	c, err := second.Leader(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	l, err := c.Leader(context.Background())
	fmt.Println("whom it finds when it asks around:", l.Address, err)
	start(os.Args[1], "127.0.0.1:19773", "127.0.0.1:19771")
	fmt.Println("of three nodes the second says who leads:", said(second))
}
GO

cat >want <<'TXT'
of two nodes the first says who leads: 127.0.0.1:19771
of two nodes the second says who leads: nobody (id 0, address "")
whom it finds when it asks around: 127.0.0.1:19771 <nil>
of three nodes the second says who leads: 127.0.0.1:19771
TXT

go build -tags libsqlite3 -o see . 2>/dev/null
echo "libdqlite 1.11.1-1, libraft 0.15.0-1, go-dqlite v1.11.5"
mkdir data
./see data | tee seen
if ! diff want seen; then
  echo "changed: see the lines above" >&2
  exit 1
fi
