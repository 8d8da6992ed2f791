package prepared

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func open(t *testing.T) *sql.DB {
	t.Helper()
	db, err := Open(filepath.Join(t.TempDir(), "x.db") + "?_pragma=journal_mode(WAL)&_txlock=immediate")
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	run(t, db, "CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT NOT NULL)")
	return db
}

func run(t *testing.T, db *sql.DB, query string, args ...any) {
	t.Helper()
	if _, err := db.Exec(query, args...); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

func value(t *testing.T, db *sql.DB, query string) (s string) {
	t.Helper()
	if err := db.QueryRow(query).Scan(&s); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return s
}

// statements tells how many statements the connection keeps.
func statements(t *testing.T, db *sql.DB) (n int) {
	t.Helper()
	c, err := db.Conn(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.Raw(func(x any) error { n = len(x.(*conn).writing.byText); return nil }); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestPrepared_ATriggerThatComesLaterFires(t *testing.T) {
	db := open(t)
	const update = "UPDATE t SET v = ? WHERE id = ?"
	run(t, db, "INSERT INTO t VALUES (1, 'a')")
	run(t, db, update, "b", 1)
	run(t, db, `CREATE TRIGGER guard BEFORE UPDATE ON t WHEN NEW.v = 'c' BEGIN SELECT RAISE(ABORT, 'guarded'); END`)
	if _, err := db.Exec(update, "c", 1); err == nil || !strings.Contains(err.Error(), "guarded") {
		t.Errorf("kept statement after a new trigger: %v", err)
	}
	run(t, db, "DROP TRIGGER guard")
	run(t, db, update, "c", 1)
	run(t, db, "ALTER TABLE t ADD COLUMN w TEXT NOT NULL DEFAULT 'w'")
	run(t, db, update, "d", 1)
	if got := value(t, db, "SELECT v || w FROM t"); got != "dw" {
		t.Errorf("row = %s", got)
	}
}

func TestPrepared_ARefusedStatementLeavesTheNextAlone(t *testing.T) {
	db := open(t)
	const insert = "INSERT INTO t VALUES (?, ?)"
	run(t, db, insert, 1, "a")
	if _, err := db.Exec(insert, 1, "b"); err == nil {
		t.Fatal("the same key twice")
	}
	run(t, db, insert, 2, "c")
	tx, err := db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(insert, 3, "d"); err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(insert, 3, "e"); err == nil {
		t.Fatal("the same key twice")
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	run(t, db, insert, 3, "f")
	if got := value(t, db, "SELECT group_concat(v, '') FROM (SELECT v FROM t ORDER BY id)"); got != "acf" {
		t.Errorf("rows = %s", got)
	}
}

func TestPrepared_KeepsSoManyAndNoMore(t *testing.T) {
	db := open(t)
	for i := range 3 * kept {
		run(t, db, fmt.Sprintf("INSERT INTO t (id, v) VALUES (?, 'n%d')", i), i)
	}
	if n := statements(t, db); n != kept {
		t.Errorf("%d statements are kept", n)
	}
	run(t, db, "VACUUM")
	run(t, db, "PRAGMA wal_checkpoint(TRUNCATE)")
	if got := value(t, db, "SELECT count(*) FROM t"); got != fmt.Sprint(3*kept) {
		t.Errorf("%s rows", got)
	}
}

func TestPrepared_RowsThatAnInsertReturns(t *testing.T) {
	db := open(t)
	var id int
	if err := db.QueryRow("INSERT INTO t (v) VALUES ('a') RETURNING id").Scan(&id); err != nil || id != 1 {
		t.Errorf("%d, %v", id, err)
	}
	for want := 2; want < 5; want++ {
		if err := db.QueryRow("UPDATE t SET id = id + 1 RETURNING id").Scan(&id); err != nil || id != want {
			t.Errorf("%d, %v", id, err)
		}
	}
	run(t, db, "UPDATE t SET id = 1")
	run(t, db, "INSERT INTO t (v) VALUES ('x;y'); UPDATE t SET v = 'z' WHERE v = 'x;y'")
	if got := value(t, db, "SELECT v FROM t WHERE id = 2"); got != "z" {
		t.Errorf("both statements of a script: %s", got)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := db.ExecContext(ctx, "UPDATE t SET v = 'q'"); err == nil {
		t.Error("a context that was over let a statement run")
	}
}

// Whoever stops waiting for a write takes nothing away from what others have
// written in the same transaction.
func TestPrepared_AWriteThatIsGivenUpLeavesTheTransaction(t *testing.T) {
	const slow = "INSERT INTO t (v) WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 300000) SELECT x FROM n"
	for _, returning := range []string{"", " RETURNING v"} {
		db := open(t)
		tx, err := db.Begin()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tx.Exec("INSERT INTO t (v) VALUES ('theirs')"); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		if returning == "" {
			_, _ = tx.ExecContext(ctx, slow)
		} else if rows, err := tx.QueryContext(ctx, slow+returning); err == nil {
			_ = rows.Close()
		}
		<-ctx.Done()
		cancel()
		if err := tx.Commit(); err != nil {
			t.Fatalf("%q: %v", returning, err)
		}
		if got := value(t, db, "SELECT count(*) FROM t WHERE v = 'theirs'"); got != "1" {
			t.Errorf("%q: what others wrote is there %s times", returning, got)
		}
	}
}

func TestShelfOf(t *testing.T) {
	c := conn{writing: newShelf(), reading: newShelf()}
	for q, want := range map[string]*shelf{
		"INSERT INTO t VALUES (1)": c.writing, "  update t set v = 1;": c.writing, "DELETE\tFROM t": c.writing,
		"SELECT\n\t\t(SELECT 1)": c.reading, "delete from t": c.writing,
		"SELECT 1": c.reading, "with x as (select 1) select * from x": c.reading, "INSERT INTO t VALUES (1); DELETE FROM t": nil,
		"PRAGMA optimize": nil, "": nil, "select 1; select 2": nil, "BEGIN": nil,
	} {
		if c.shelfOf(q) != want {
			t.Errorf("%q", q)
		}
	}
}

// in runs a test inside a transaction, which has one connection.
func in(t *testing.T, db *sql.DB, f func(*sql.Tx)) {
	t.Helper()
	tx, err := db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	f(tx)
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
}

func texts(t *testing.T, rows *sql.Rows, err error) (out string) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var v string
		if err := rows.Scan(&v); err != nil {
			t.Fatal(err)
		}
		out += v
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestPrepared_TheSameQuestionWhileItsRowsAreRead(t *testing.T) {
	db := open(t)
	run(t, db, "INSERT INTO t VALUES (1, 'a'), (2, 'b'), (3, 'c')")
	const ask = "SELECT v FROM t WHERE id >= ? ORDER BY id"
	in(t, db, func(tx *sql.Tx) {
		outer, err := tx.Query(ask, 1)
		if err != nil {
			t.Fatal(err)
		}
		seen := ""
		for outer.Next() {
			var v string
			if err := outer.Scan(&v); err != nil {
				t.Fatal(err)
			}
			inner, err := tx.Query(ask, 2)
			seen += v + texts(t, inner, err)
			for i := range 2 * kept { // pushes the outer one off the shelf
				rows, err := tx.Query(fmt.Sprintf("SELECT v FROM t WHERE id = ? AND %d = %d", i, i), 3)
				if got := texts(t, rows, err); got != "c" {
					t.Fatal(got)
				}
			}
		}
		if err := outer.Close(); err != nil || seen != "abcbbccbc" {
			t.Errorf("%s, %v", seen, err)
		}
	})
	for range 2 {
		rows, err := db.Query(ask, 3)
		if got := texts(t, rows, err); got != "c" {
			t.Error(got)
		}
	}
}

func TestPrepared_AReadFollowsTheSchema(t *testing.T) {
	db := open(t)
	run(t, db, "INSERT INTO t VALUES (1, 'a')")
	for want, change := range []string{"SELECT 1", "ALTER TABLE t ADD COLUMN w TEXT NOT NULL DEFAULT 'w'", "ALTER TABLE t DROP COLUMN w"} {
		run(t, db, change)
		rows, err := db.Query("SELECT * FROM t")
		if err != nil {
			t.Fatal(err)
		}
		columns, err := rows.Columns()
		if err != nil || len(columns) != []int{2, 3, 2}[want] || !rows.Next() {
			t.Errorf("%v, %v", columns, err)
		}
		if err := rows.Close(); err != nil {
			t.Fatal(err)
		}
	}
	run(t, db, "DROP TABLE t")
	if _, err := db.Query("SELECT * FROM t"); err == nil {
		t.Error("read a table that is gone")
	}
}

func TestPrepared_AReadThatIsGivenUp(t *testing.T) {
	db := open(t)
	run(t, db, "INSERT INTO t VALUES (1, 'a'), (2, 'b')")
	const ask = "SELECT v FROM t ORDER BY id"
	for range 3 {
		ctx, cancel := context.WithCancel(t.Context())
		rows, err := db.QueryContext(ctx, ask)
		if err != nil || !rows.Next() {
			t.Fatal(err)
		}
		cancel()
		for rows.Next() {
		}
		if err := rows.Close(); err != nil {
			t.Fatal(err)
		}
		all, err := db.Query(ask)
		if got := texts(t, all, err); got != "ab" {
			t.Error(got)
		}
	}
}

func BenchmarkWrite(b *testing.B) {
	anew := func(dsn string) (*sql.DB, error) { return sql.Open("sqlite", dsn) }
	for name, open := range map[string]func(string) (*sql.DB, error){"kept": Open, "anew": anew} {
		b.Run(name, func(b *testing.B) {
			db, err := open(filepath.Join(b.TempDir(), "x.db") + "?_pragma=synchronous(OFF)")
			if err != nil {
				b.Fatal(err)
			}
			defer db.Close()
			db.SetMaxOpenConns(1)
			for _, q := range []string{"CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT NOT NULL)", "INSERT INTO t VALUES (1, 'a')"} {
				if _, err := db.Exec(q); err != nil {
					b.Fatal(err)
				}
			}
			for i := range 20 {
				q := fmt.Sprintf("CREATE TRIGGER g%d BEFORE UPDATE ON t WHEN NEW.v = 'x%d' BEGIN SELECT RAISE(ABORT, 'no'); END", i, i)
				if _, err := db.Exec(q); err != nil {
					b.Fatal(err)
				}
			}
			for b.Loop() {
				if _, err := db.Exec("UPDATE t SET v = ? WHERE id = ?", "b", 1); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// TestBegin_EveryConnectionDoesItFirst: also those that were open before.
func TestBegin_EveryConnectionDoesItFirst(t *testing.T) {
	db, err := Open(filepath.Join(t.TempDir(), "a.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec("CREATE TABLE kept (n)"); err != nil {
		t.Fatal(err)
	}
	err = Begin(db, func(ctx context.Context, c driver.ExecerContext) error {
		_, err := c.ExecContext(ctx, "CREATE TEMP VIEW kept AS SELECT 7 AS n", nil)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	one, two := must(db.Conn(t.Context())), must(db.Conn(t.Context()))
	for _, c := range []*sql.Conn{one, two} {
		var n int
		if err := c.QueryRowContext(t.Context(), "SELECT n FROM kept").Scan(&n); err != nil || n != 7 {
			t.Errorf("%d %v", n, err)
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}
	plain, err := sql.Open("sqlite", filepath.Join(t.TempDir(), "b.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Close()
	if err := Begin(plain, nil); err == nil {
		t.Error("a database that was opened elsewhere")
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
