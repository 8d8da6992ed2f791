// Package prepared opens SQLite databases whose connections keep their statements.
// SQLite compiles a statement that writes with all triggers that it can fire; for
// tables with many guards that costs more than the write itself, and reading one
// order costs less than compiling what reads it. A kept statement is compiled anew
// by SQLite when the schema has changed.
package prepared

import (
	"container/list"
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"strings"
	"sync/atomic"
	"unicode"

	_ "modernc.org/sqlite" // the driver
)

// kept is how many statements that write a connection keeps, and how many that
// read; the one that was not used for longest goes first.
const kept = 96

// Open opens a database as the driver "sqlite" does, with what is registered at
// it.
func Open(dsn string) (*sql.DB, error) {
	db, err := sql.Open("sqlite", dsn)
	if err != nil {
		return nil, err
	}
	return OpenConnector(dsnConnector{dsn, db.Driver()}), db.Close()
}

// OpenConnector opens a database whose connections come from elsewhere.
func OpenConnector(from driver.Connector) *sql.DB { return sql.OpenDB(&connector{Connector: from}) }

// First is what a connection does before it is used.
type First func(context.Context, driver.ExecerContext) error

// Begin has every connection of a database that this package opened do something
// first. Those that are open already are replaced before they are used again.
func Begin(db *sql.DB, do First) error {
	d, ok := db.Driver().(ownDriver)
	if !ok {
		return errors.New("prepared: the database was opened elsewhere")
	}
	d.first.Store(&do)
	return nil
}

// dsnConnector makes connections of a driver that knows no connectors.
type dsnConnector struct {
	dsn    string
	driver driver.Driver
}

// Connect implements driver.Connector.
func (c dsnConnector) Connect(context.Context) (driver.Conn, error) { return c.driver.Open(c.dsn) }

// Driver implements driver.Connector.
func (c dsnConnector) Driver() driver.Driver { return c.driver }

type connector struct {
	driver.Connector
	first atomic.Pointer[First]
}

// Driver implements driver.Connector.
func (c *connector) Driver() driver.Driver { return ownDriver{c} }

// ownDriver is by what Begin finds the connector of a database.
type ownDriver struct{ *connector }

// Open implements driver.Driver.
func (d ownDriver) Open(name string) (driver.Conn, error) {
	return d.connector.Connector.Driver().Open(name)
}

// Connect implements driver.Connector.
func (c *connector) Connect(ctx context.Context) (driver.Conn, error) {
	inner, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	whole, ok := inner.(whole)
	if !ok {
		return nil, errors.Join(errors.New("prepared: the driver lacks what is needed"), inner.Close())
	}
	first := c.first.Load()
	if first != nil {
		if err := (*first)(ctx, whole); err != nil {
			return nil, errors.Join(err, inner.Close())
		}
	}
	return &conn{whole: whole, from: c, first: first, writing: newShelf(), reading: newShelf()}, nil
}

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
	from             *connector
	first            *First // what it did
	writing, reading *shelf
}

// ResetSession implements driver.SessionResetter.
func (c *conn) ResetSession(ctx context.Context) error {
	if c.from.first.Load() != c.first {
		return driver.ErrBadConn
	}
	return c.whole.ResetSession(ctx)
}

// shelf holds the statements of a kind.
type shelf struct {
	byText map[string]*list.Element
	recent list.List // of *statement, latest first
}

func newShelf() *shelf { return &shelf{byText: map[string]*list.Element{}} }

type statement struct {
	text string
	stmt interface {
		driver.Stmt
		driver.StmtExecContext
		driver.StmtQueryContext
	}
	inUse bool // its rows are not read to their end
	gone  bool // nobody will ask for it any more
}

// ExecContext runs a statement, under its kept form if it writes.
func (c *conn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	if c.shelfOf(query) != c.writing {
		return c.whole.ExecContext(ctx, query, args)
	}
	ctx, err := begun(ctx)
	if err != nil {
		return nil, err
	}
	s, err := c.statement(ctx, c.writing, query)
	if err != nil {
		return nil, err
	}
	if s.inUse {
		return c.whole.ExecContext(ctx, query, args)
	}
	res, err := s.stmt.ExecContext(ctx, args)
	if err != nil {
		c.writing.drop(s.text) // whatever was wrong with it is not met again
	}
	return res, err
}

// QueryContext reads, or writes what returns rows, under the kept form of the
// statement unless somebody still reads by it on this connection.
func (c *conn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	on := c.shelfOf(query)
	if on == nil {
		return c.whole.QueryContext(ctx, query, args)
	}
	if on == c.writing {
		var err error
		if ctx, err = begun(ctx); err != nil {
			return nil, err
		}
	}
	s, err := c.statement(ctx, on, query)
	if err != nil {
		return nil, err
	}
	if s.inUse {
		return c.whole.QueryContext(ctx, query, args)
	}
	got, err := s.stmt.QueryContext(ctx, args)
	if err != nil {
		on.drop(s.text)
		return nil, err
	}
	described, ok := got.(describedRows)
	if !ok {
		return nil, errors.Join(errors.New("prepared: the driver's rows lack what is needed"), got.Close())
	}
	s.inUse = true
	return &rows{described, s}, nil
}

// begun is the context of a write: one that has begun is not broken off. SQLite
// would take back the whole transaction, with what others have written in it.
func begun(ctx context.Context) (context.Context, error) {
	return context.WithoutCancel(ctx), ctx.Err()
}

// describedRows is what rows of the driver can do.
type describedRows interface {
	driver.Rows
	driver.RowsColumnTypeDatabaseTypeName
	driver.RowsColumnTypeLength
	driver.RowsColumnTypeNullable
	driver.RowsColumnTypePrecisionScale
	driver.RowsColumnTypeScanType
}

// rows gives its statement back when it is closed.
type rows struct {
	describedRows
	s *statement
}

// Close implements driver.Rows.
func (r *rows) Close() error {
	err := r.describedRows.Close()
	if r.s == nil {
		return err
	}
	if r.s.inUse = false; r.s.gone {
		err = errors.Join(err, r.s.stmt.Close())
	}
	r.s = nil
	return err
}

func (c *conn) statement(ctx context.Context, on *shelf, query string) (*statement, error) {
	if e, ok := on.byText[query]; ok {
		on.recent.MoveToFront(e)
		return e.Value.(*statement), nil
	}
	stmt, err := c.whole.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	s := &statement{text: query}
	var ok bool
	if s.stmt, ok = stmt.(interface {
		driver.Stmt
		driver.StmtExecContext
		driver.StmtQueryContext
	}); !ok {
		return nil, errors.Join(errors.New("prepared: the driver's statements lack what is needed"), stmt.Close())
	}
	on.byText[query] = on.recent.PushFront(s)
	if on.recent.Len() > kept {
		on.drop(on.recent.Back().Value.(*statement).text)
	}
	return s, nil
}

// drop forgets a statement. An error of its last run is told by that run; closing
// repeats it at most. One that is being read by is closed with its rows.
func (f *shelf) drop(text string) {
	e := f.byText[text]
	delete(f.byText, text)
	f.recent.Remove(e)
	if s := e.Value.(*statement); s.inUse {
		s.gone = true
	} else {
		_ = s.stmt.Close()
	}
}

// Close closes the statements with their connection.
func (c *conn) Close() error {
	for _, f := range []*shelf{c.writing, c.reading} {
		for text := range f.byText {
			f.drop(text)
		}
	}
	return c.whole.Close()
}

// Verb is the word that a statement begins with, in capitals, whatever stands
// behind it.
func Verb(query string) string {
	q := strings.TrimSpace(query)
	if i := strings.IndexFunc(q, unicode.IsSpace); i >= 0 {
		q = q[:i]
	}
	return strings.ToUpper(q)
}

// shelfOf is where the statement of a text is kept: nowhere, unless the text is one
// statement that writes rows or reads them.
func (c *conn) shelfOf(query string) *shelf {
	q := strings.TrimSpace(query)
	if i := strings.IndexByte(q, ';'); i >= 0 && i < len(q)-1 {
		return nil
	}
	switch Verb(q) {
	case "INSERT", "UPDATE", "DELETE":
		return c.writing
	case "SELECT", "WITH":
		return c.reading
	}
	return nil
}
