package refund

import (
	"flag"
	"os"
	"testing"
)

// TestMain lets every plain run play thousands of random runs instead of the
// hundred that rapid plays by itself; -rapid.checks plays more.
func TestMain(m *testing.M) {
	flag.Parse()
	if f := flag.Lookup("rapid.checks"); f != nil && f.Value.String() == "100" {
		_ = f.Value.Set("5000")
	}
	os.Exit(m.Run())
}
