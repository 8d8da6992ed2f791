package e2e

import (
	"fmt"
	"testing"
	"time"

	"hospay/collections"
	"hospay/internal/totp"
	"hospay/lab/demo"
	"hospay/lab/testapp"
)

// oneWins runs what round prepares at the same moment, again and again: one of
// them is done, and the others hear a refusal.
func oneWins(t *testing.T, rounds int, round func(i int) []func() testapp.Answer) {
	t.Helper()
	for i := range rounds {
		won := 0
		for _, res := range atOnce(round(i)...) {
			switch {
			case res.Status == 200:
				won++
			case res.Status < 400 || res.Status >= 500 || res.Code() == "":
				t.Errorf("a loser of round %d: %d %s", i, res.Status, res.Raw)
			}
		}
		if won != 1 {
			t.Fatalf("round %d: %d have won", i, won)
		}
	}
}

// TestRace_OneDecidesAChange lets two people confirm a change and one refuse it.
func TestRace_OneDecidesAChange(t *testing.T) {
	d := newDesk(t)
	rounds := often(50, 1000)
	oneWins(t, rounds, func(i int) []func() testapp.Answer {
		change := d.propose(d.config, "institutions", d.Institution, map[string]any{"debit_at": []string{"approval", "application"}[i%2]})
		if i%2 == 1 && change.Status == 400 { // nothing to change: the one before was refused
			change = d.propose(d.config, "institutions", d.Institution, map[string]any{"debit_at": "approval"})
		}
		if change.Status != 200 {
			t.Fatalf("propose: %d %s", change.Status, change.Raw)
		}
		return []func() testapp.Answer{
			func() testapp.Answer { return d.decide(d.finance, change, "confirm") },
			func() testapp.Answer { return d.decide(d.auditor, change, "confirm") },
			func() testapp.Answer { return d.decide(d.auditor, change, "reject") },
		}
	})
	if n := d.count(t, "SELECT COUNT(*) FROM config_changes WHERE collection = 'institutions' AND "+
		"state NOT IN ('applied', 'rejected')"); n != 0 {
		t.Errorf("%d changes are not decided", n)
	}
}

// TestRace_OneReleasesMoreLooks: each release gives as much as one.
func TestRace_OneReleasesMoreLooks(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	set(t, a, collections.Institutions, `code = "demo"`, map[string]any{"reveals_a_day": 3})
	reviewer, config, auditor := a.Staff("reviewer1"), a.Staff("config"), a.Staff("auditor")
	rounds := often(50, 1000)
	oneWins(t, rounds, func(int) []func() testapp.Answer {
		if res := a.Call("POST", "/api/hospay/reveals", reviewer, map[string]any{"note": "集中清退"}); res.Status != 200 {
			t.Fatalf("ask: %d %s", res.Status, res.Raw)
		}
		waiting := a.Call("GET", "/api/hospay/reveals", auditor, nil).Body["waiting"].([]any)
		id := waiting[0].(map[string]any)["id"].(string)
		release := func(token string) func() testapp.Answer {
			return func() testapp.Answer {
				return a.Call("POST", "/api/hospay/reveals/"+id+"/release", token, map[string]any{})
			}
		}
		return []func() testapp.Answer{release(config), release(auditor), release(auditor)}
	})
	want := fmt.Sprint(3 * (rounds + 1))
	if res := a.Call("GET", "/api/hospay/reveals", reviewer, nil); res.Text("limit") != want {
		t.Errorf("after %d releases the limit is %s, want %s", rounds, res.Text("limit"), want)
	}
}

// TestRace_OneUsesACode shows a code of the second factor several times at once,
// from one first step and from two.
func TestRace_OneUsesACode(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	askForCodes(t, a)
	secret, recovery, _ := enrol(t, a, "finance")
	use := func(mfa, code string) func() testapp.Answer {
		return func() testapp.Answer {
			return a.Call("POST", "/api/hospay/staff/auth-with-totp", "", map[string]any{"mfaId": mfa, "code": code})
		}
	}
	oneWins(t, often(30, 1000), func(i int) []func() testapp.Answer {
		// Beyond the step of the round before, and beyond a lock by what has lost.
		a.Advance(31 * time.Minute)
		first := password(a, "finance", demo.Password).Text("mfaId")
		other := first
		if i%5 == 0 {
			other = password(a, "finance", demo.Password).Text("mfaId")
		}
		code := must(totp.Code(secret, totp.Step(a.Now())))
		if i%10 == 0 && i/10 < len(recovery) {
			code = recovery[i/10]
		}
		return []func() testapp.Answer{use(first, code), use(other, code), use(first, code)}
	})
}

// TestRace_OneComesInByATicket shows a ticket of the portal several times at once.
func TestRace_OneComesInByATicket(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	oneWins(t, often(50, 1000), func(i int) []func() testapp.Answer {
		ticket := must(a.Sims.Portal.Ticket(fmt.Sprintf("P%04d", i%3+1), "wechat")).Ticket
		come := func() testapp.Answer {
			return a.Call("POST", "/api/hospay/auth/ticket", "", map[string]any{"ticket": ticket})
		}
		return []func() testapp.Answer{come, come, come, come}
	})
}
