package collections_test

import (
	"path/filepath"
	"testing"
	"time"

	"hospay/collections"

	"github.com/pocketbase/dbx"
)

// TestConnect_ATransactionThatReadsFirstWaitsForTheWriter: SQLite does not let
// a transaction wait that has read and then wants to write, so it must ask to
// write when it begins. Another connection holds the lock for moments even when
// it only reads: when it meets a header that is being written.
func TestConnect_ATransactionThatReadsFirstWaitsForTheWriter(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data.db")
	open := func() *dbx.DB {
		db, err := collections.Connect(path)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = db.Close() })
		return db
	}
	a, b := open(), open()
	if _, err := a.NewQuery("CREATE TABLE x (n INTEGER)").Execute(); err != nil {
		t.Fatal(err)
	}
	holder, err := a.Begin()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := holder.Insert("x", dbx.Params{"n": 1}).Execute(); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() {
		done <- b.Transactional(func(tx *dbx.Tx) error {
			var n int
			if err := tx.Select("COUNT(*)").From("x").Row(&n); err != nil {
				return err
			}
			_, err := tx.Insert("x", dbx.Params{"n": n + 1}).Execute()
			return err
		})
	}()
	select {
	case err := <-done:
		t.Fatal("it did not wait:", err)
	case <-time.After(200 * time.Millisecond):
	}
	if err := holder.Commit(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	var last int
	if err := a.Select("MAX(n)").From("x").Row(&last); err != nil || last != 2 {
		t.Errorf("%v, %d: it has read before the other had written", err, last)
	}
}
