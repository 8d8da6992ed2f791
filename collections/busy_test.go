package collections

import (
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"testing"
)

// TestBusy_IsTheWriterThatOthersHold tells it from other errors.
func TestBusy_IsTheWriterThatOthersHold(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	one, two := open(t, path), open(t, path)
	if _, err := one.Exec("BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	_, err := two.Exec("BEGIN IMMEDIATE")
	if !busy(err) || !busy(fmt.Errorf("open: %w", err)) {
		t.Errorf("%v", err)
	}
	_, err = two.Exec("SELECT nothing FROM nowhere")
	if err == nil || busy(err) || busy(nil) || busy(errors.New("database is locked")) {
		t.Errorf("%v", err)
	}
}

func open(t *testing.T, path string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", path+"?_pragma=busy_timeout(1)")
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	t.Cleanup(func() { _ = db.Close() })
	return db
}
