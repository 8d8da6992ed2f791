package store_test

import (
	"context"
	"database/sql"
	"strings"
	"testing"
	"time"

	"hospay/collections"
	"hospay/lab/testapp"

	"github.com/pocketbase/dbx"
)

// TestCache_AFreezeOvertakesAReader freezes payouts in the moment in which the
// settings have been read and are not kept yet: the next step must see it.
func TestCache_AFreezeOvertakesAReader(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	rec, err := a.Runtime.App.FindRecordById(collections.Institutions, a.Institution)
	if err != nil {
		t.Fatal(err)
	}
	db := a.Runtime.App.ConcurrentDB().(*dbx.DB)
	seen, frozen := db.QueryLogFunc, false
	db.QueryLogFunc = func(_ context.Context, _ time.Duration, query string, _ *sql.Rows, _ error) {
		if frozen || !strings.Contains(query, "payouts_frozen, i.debit_at") {
			return
		}
		frozen = true
		rec.Set("payouts_frozen", true)
		if err := a.Runtime.App.Save(rec); err != nil {
			t.Error(err)
		}
	}
	defer func() { db.QueryLogFunc = seen }()
	a.Store.Forget()
	for range 2 { // the first reader may still have the old settings, nobody after it
		inst, err := a.Store.Institution(t.Context(), a.Institution)
		if err != nil {
			t.Fatal(err)
		}
		if inst.Frozen {
			return
		}
	}
	t.Errorf("frozen: %v, but a later step still sees payouts released", frozen)
}
