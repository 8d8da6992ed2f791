// Package prepared opens SQLite databases whose connections keep the statements
// that write. SQLite compiles a statement with all triggers that it can fire;
// for tables with many guards that costs more than the write itself. A kept
// statement is compiled anew by SQLite when the schema has changed.
package prepared

import (
	"container/list"
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"strings"

	_ "modernc.org/sqlite" // the driver
)

// kept is how many statements a connection keeps; the one that was not used for
// longest goes first.
const kept = 96

// Open opens a database as the driver "sqlite" does, with what is registered at
// it.
func Open(dsn string) (*sql.DB, error) {
	db, err := sql.Open("sqlite", dsn)
	if err != nil {
		return nil, err
	}
	c := connector{dsn, db.Driver()}
	return sql.OpenDB(c), db.Close()
}

type connector struct {
	dsn    string
	driver driver.Driver
}

// Connect implements driver.Connector.
func (c connector) Connect(context.Context) (driver.Conn, error) {
	inner, err := c.driver.Open(c.dsn)
	if err != nil {
		return nil, err
	}
	whole, ok := inner.(whole)
	if !ok {
		return nil, errors.Join(errors.New("prepared: the driver lacks what is needed"), inner.Close())
	}
	return &conn{whole: whole, byText: map[string]*list.Element{}}, nil
}

// Driver implements driver.Connector.
func (c connector) Driver() driver.Driver { return c.driver }

// whole is what a connection of the driver can do.
type whole interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.QueryerContext
	driver.Pinger
	driver.SessionResetter
	driver.Validator
}

// conn is one connection. database/sql gives it to one goroutine at a time.
type conn struct {
	whole
	byText map[string]*list.Element
	recent list.List // of *statement, latest first
}

type statement struct {
	text string
	stmt driver.Stmt
	exec driver.StmtExecContext
}

// ExecContext runs a statement, under its kept form if it writes.
func (c *conn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	if !writes(query) {
		return c.whole.ExecContext(ctx, query, args)
	}
	s, err := c.statement(ctx, query)
	if err != nil {
		return nil, err
	}
	res, err := s.exec.ExecContext(ctx, args)
	if err != nil {
		c.drop(s.text) // whatever was wrong with it is not met again
	}
	return res, err
}

func (c *conn) statement(ctx context.Context, query string) (*statement, error) {
	if e, ok := c.byText[query]; ok {
		c.recent.MoveToFront(e)
		return e.Value.(*statement), nil
	}
	stmt, err := c.whole.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	exec, ok := stmt.(driver.StmtExecContext)
	if !ok {
		return nil, errors.Join(errors.New("prepared: the driver's statements lack what is needed"), stmt.Close())
	}
	s := &statement{text: query, stmt: stmt, exec: exec}
	c.byText[query] = c.recent.PushFront(s)
	if c.recent.Len() > kept {
		c.drop(c.recent.Back().Value.(*statement).text)
	}
	return s, nil
}

// drop forgets a statement. An error of its last run is told by that run; closing
// repeats it at most.
func (c *conn) drop(text string) {
	e := c.byText[text]
	delete(c.byText, text)
	c.recent.Remove(e)
	_ = e.Value.(*statement).stmt.Close()
}

// Close closes the statements with their connection.
func (c *conn) Close() error {
	for text := range c.byText {
		c.drop(text)
	}
	return c.whole.Close()
}

// writes reports whether a text is one statement that writes rows. Such with a
// second statement behind it are left as they are.
func writes(query string) bool {
	q := strings.TrimSpace(query)
	if i := strings.IndexByte(q, ';'); i >= 0 && i < len(q)-1 {
		return false
	}
	word, _, _ := strings.Cut(q, " ")
	switch strings.ToUpper(word) {
	case "INSERT", "UPDATE", "DELETE":
		return true
	}
	return false
}
