package e2e

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"hospay/lab/testapp"
	"hospay/refund"

	"github.com/pocketbase/pocketbase/core"
)

// TestGuardsJob_TroubleIsNoTampering: a context that is over, a database that is
// busy and one that answers with an error let the run fail, and nothing else: no
// payout stops, nobody is told of tampering, and the audit log says nothing of it.
func TestGuardsJob_TroubleIsNoTampering(t *testing.T) {
	over, end := context.WithCancel(t.Context())
	end()
	sql := func(a *testapp.App, text string) {
		t.Helper()
		if _, err := a.Runtime.App.NonconcurrentDB().NewQuery(text).Execute(); err != nil {
			t.Fatal(err)
		}
	}
	for name, trouble := range map[string]func(a *testapp.App) error{
		"cancelled": func(a *testapp.App) error {
			_, err := a.Jobs.RunNow(over, "guards")
			if !errors.Is(err, context.Canceled) {
				t.Errorf("cancelled: %v", err)
			}
			return err
		},
		"busy": func(a *testapp.App) error {
			ctx, stop := context.WithTimeout(t.Context(), 300*time.Millisecond)
			defer stop()
			ran := make(chan error, 1)
			held := a.Runtime.App.RunInTransaction(func(core.App) error { // until the run has had no time left
				go func() {
					_, err := a.Jobs.RunNow(ctx, "guards")
					ran <- err
				}()
				<-ctx.Done()
				return nil
			})
			return errors.Join(<-ran, held)
		},
		"an error of the database": func(a *testapp.App) error {
			sql(a, "ALTER TABLE _collections RENAME TO away")
			_, err := a.Jobs.RunNow(t.Context(), "guards")
			sql(a, "ALTER TABLE away RENAME TO _collections")
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			a := testapp.New(t, testapp.Config{})
			runJob(t, a, "guards")
			err := trouble(a)
			if err == nil || !strings.Contains(err.Error(), "未能核对") {
				t.Fatalf("it is not told as trouble: %v", err)
			}
			if rows := append(onTrail(t, a.Runtime.App, "guards.tampered"), onTrail(t, a.Runtime.App, "audit.broken")...); len(rows) > 0 {
				t.Errorf("told as tampering: %+v", rows)
			}
			if n := warnings(t, a, "tampered"); n > 0 {
				t.Errorf("%d notices", n)
			}
			id := approved(t, a, "P0002", "alipay", "transfer", 1200)
			wantStatus(t, a, id, refund.StatusSucceeded)
			runJob(t, a, "guards")
		})
	}
}
