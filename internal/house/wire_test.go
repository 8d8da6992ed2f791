package house

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var ownWay = regexp.MustCompile(`http\.(Transport|Client)\{|net\.Dialer\{|http\.(Get|Post|PostForm|Head|DefaultClient|DefaultTransport)\b`)

// othersOnTheWire says who calls others by a way of its own.
var othersOnTheWire = map[string]string{
	"internal/wire/":  "is the way",
	"cmd/check.go":    "asks the program itself whether it is ready",
	"internal/front/": "forwards to the core of whose certificate it is sure, and to nobody else",
	"lab/":            "drives the program from outside",
	"sim/":            "is the other side",
}

// TestWire_IsTheOnlyWayOut: nobody makes a transport of their own beside
// internal/wire, which keeps requests to allowed addresses and out of
// transactions.
func TestWire_IsTheOnlyWayOut(t *testing.T) {
	for _, path := range goFiles(t) {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		excused := false
		for prefix := range othersOnTheWire {
			excused = excused || strings.HasPrefix(path, prefix)
		}
		body, err := os.ReadFile(filepath.Join("../..", path))
		if err != nil {
			t.Fatal(err)
		}
		if at := ownWay.FindIndex(body); at != nil && !excused {
			t.Errorf("%s has a way out of its own (%s); the one is internal/wire", path, body[at[0]:at[1]])
		}
	}
}
