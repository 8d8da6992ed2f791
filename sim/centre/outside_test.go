package centre

import (
	"net/http/httptest"
	"os"
	"os/exec"
	"testing"
	"time"

	"hospay/sim/world"
)

func serve(t *testing.T) (*Server, string) {
	t.Helper()
	s, err := New(world.New(1, 20, time.Time{}))
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(s)
	s.SetURL(srv.URL)
	t.Cleanup(func() { srv.Close(); s.Close() })
	return s, srv.URL
}

// TestOutside_AnotherImplementation: a client made with sm-crypto walks a bill
// through the centre. Both sides of our own use one SM2 library; this one not.
func TestOutside_AnotherImplementation(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("no Node here; make test has it")
	}
	if _, err := os.Stat("../../web/node_modules/sm-crypto"); err != nil {
		t.Skip("sm-crypto is not installed; make pages does it")
	}
	_, url := serve(t)
	out, err := exec.CommandContext(t.Context(), node, "../../web/tests/centre.mjs", url).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Logf("%s", out)
}
