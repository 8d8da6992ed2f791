#!/usr/bin/env bash
# golang.org/x/text decodes 2067 of the 23940 two-byte codes of GB18030 to U+FFFD,
# without an error. All of them are valid: glibc reads A6D9 as U+FE10, FE59 as
# U+9FB4 and AAA1, the first of the user-defined zone, as U+E000. What hospay does
# about it is in internal/foreign/gb18030.go.
set -euo pipefail

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
export GOTOOLCHAIN=auto CGO_ENABLED=0 GOFLAGS=-mod=mod GOWORK=off

cat >go.mod <<'MOD'
module finding

go 1.26.0

require golang.org/x/text v0.42.0
MOD

cat >main.go <<'GO'
package main

import (
	"fmt"

	"golang.org/x/text/encoding/simplifiedchinese"
)

func main() {
	all, lost := 0, 0
	for a := 0x81; a <= 0xFE; a++ {
		for b := 0x40; b <= 0xFE; b++ {
			if b == 0x7F {
				continue
			}
			text, err := simplifiedchinese.GB18030.NewDecoder().Bytes([]byte{byte(a), byte(b)})
			all++
			if string(text) == "\uFFFD" {
				lost++
			}
			switch a<<8 | b {
			case 0xA6D9, 0xFE59, 0xAAA1:
				fmt.Printf("%X%X becomes %U, error %v\n", a, b, []rune(string(text)), err)
			}
		}
	}
	fmt.Printf("%d of %d codes become U+FFFD\n", lost, all)
}
GO

cat >want <<'TXT'
A6D9 becomes [U+FFFD], error <nil>
AAA1 becomes [U+FFFD], error <nil>
FE59 becomes [U+FFFD], error <nil>
2067 of 23940 codes become U+FFFD
TXT

go build -o see .
echo "golang.org/x/text v0.42.0, $(go version | cut -d' ' -f3)"
./see | tee seen
if ! diff want seen; then
  echo "changed: see the lines above" >&2
  exit 1
fi
