//go:build dqlite

package cluster

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"reflect"
	"time"

	"hospay/internal/front"
	"hospay/internal/prepared"

	"github.com/canonical/go-dqlite/client"
	dqlite "github.com/canonical/go-dqlite/driver"
)

// mostParams is how many values the engine's wire carries with a statement.
const mostParams = dqlite.MaxTupleParams

// busyFor is how long a statement waits for the writer, as SQLite does by itself on
// one machine.
const busyFor = 10 * time.Second

// pragmas of each connection. What a transaction has changed must stay in memory until
// it commits: libdqlite 1.11.1 answers "disk I/O error" once SQLite spills
// (findings/dqlite-cache-spill.sh).
var pragmas = []string{"foreign_keys = ON", "recursive_triggers = ON", "temp_store = MEMORY", "cache_size = -32000", "cache_spill = OFF"}

// Open opens the shared database of a data folder. A program that is not the node
// itself reaches it over the network, with the keys of the cluster.
func Open(dir string) (*sql.DB, error) {
	store, dial, err := reach(dir)
	if err != nil {
		return nil, err
	}
	d, err := dqlite.New(store, dqlite.WithDialFunc(dial), dqlite.WithLogFunc(tell), dqlite.WithAttemptTimeout(dialFor))
	if err != nil {
		return nil, err
	}
	c, err := d.OpenConnector(Database)
	if err != nil {
		return nil, err
	}
	return prepared.OpenConnector(connector{c}), nil
}

// reach is how the nodes of a folder's cluster are found and dialled.
func reach(dir string) (client.NodeStore, client.DialFunc, error) {
	store, err := client.NewYamlNodeStore(filepath.Join(dir, Folder, "cluster.yaml"))
	if err != nil {
		return nil, nil, fmt.Errorf("集群节点表读不出：%w", err)
	}
	if n := running.Load(); n != nil { // one that leads asks itself alone: another leader's database is not its to write
		own := client.NewInmemNodeStore()
		err := own.Set(context.Background(), []client.NodeInfo{{ID: n.app.ID(), Address: n.cfg.Address}})
		return own, func(ctx context.Context, _ string) (net.Conn, error) {
			return client.DefaultDialFunc(ctx, fmt.Sprintf("@dqlite-%d", n.app.ID()))
		}, err
	}
	pair, err := front.ReadCluster(os.Getenv(Environment))
	if err != nil {
		return nil, nil, err
	}
	return store, client.DialFuncWithTLS(client.DefaultDialFunc, pair.Client()), nil
}

// connector makes connections that behave as those of a file.
type connector struct{ driver.Connector }

// Connect implements driver.Connector.
func (c connector) Connect(ctx context.Context) (driver.Conn, error) {
	reaching, cancel := context.WithTimeout(context.WithoutCancel(ctx), busyFor)
	defer cancel()
	inner, err := c.Connector.Connect(reaching)
	conn := &conn{}
	if err != nil {
		return nil, conn.lost(err)
	}
	conn.Conn = inner.(*dqlite.Conn)
	for _, pragma := range pragmas {
		if _, err := conn.ExecContext(ctx, "PRAGMA "+pragma, nil); err != nil {
			return nil, errors.Join(err, conn.Close())
		}
	}
	return conn, nil
}

// conn is one connection to the leader. What is asked of it is not cut short: an
// answer that nobody waits for would leave the connection out of step.
type conn struct {
	*dqlite.Conn
	inTx bool
	gone bool
}

// lost ends a program that serves when its connection is gone: whether a commit
// took place is known to the others alone. Other programs are told, and never tried
// again for: what is repeated could be done twice.
func (c *conn) lost(err error) error {
	var said dqlite.Error
	if err == nil || errors.As(err, &said) && !(c.committing() && unsure(said)) {
		return err
	}
	if n := running.Load(); n != nil && n.serving.Load() {
		n.fall(err)
	}
	c.gone = true
	return fmt.Errorf("%w（%v）", ErrNoLeader, err)
}

// committing reports whether what is done is committed at once.
func (c *conn) committing() bool { return !c.inTx }

// unsure reports whether an error of a commit leaves open what became of it: the
// engine's log was not written or not to its end (10, SQLITE_IOERR), or it was ending
// (4, SQLITE_ABORT).
func unsure(e dqlite.Error) bool { return e.Code&0xff == 10 || e.Code&0xff == 4 }

// patient repeats what was refused because somebody else holds the writer.
func patient[T any](c *conn, do func() (T, error)) (T, error) {
	for until := time.Now().Add(busyFor); ; time.Sleep(2 * time.Millisecond) {
		out, err := do()
		var said dqlite.Error
		if !errors.As(err, &said) || said.Code&0xff != dqlite.ErrBusy || time.Now().After(until) {
			return out, c.lost(err)
		}
	}
}

func tooMany(args []driver.NamedValue) error {
	if len(args) > mostParams {
		return dqlite.Error{Code: 1, Message: fmt.Sprintf("%d values in one statement, the cluster carries %d", len(args), mostParams)}
	}
	return nil
}

// unsent refuses to write by a query outside of a transaction: such a change the
// engine would not pass on to the other nodes.
func (c *conn) unsent(query string) error {
	switch prepared.Verb(query) {
	case "INSERT", "UPDATE", "DELETE", "REPLACE":
		if !c.inTx {
			return dqlite.Error{Code: 21, Message: "a statement that writes and returns rows needs a transaction in a cluster"}
		}
	}
	return nil
}

// ExecContext implements driver.ExecerContext.
func (c *conn) ExecContext(_ context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	if err := tooMany(args); err != nil {
		return nil, err
	}
	return patient(c, func() (driver.Result, error) { return c.Conn.ExecContext(context.Background(), query, args) })
}

// QueryContext implements driver.QueryerContext.
func (c *conn) QueryContext(_ context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	if err := errors.Join(tooMany(args), c.unsent(query)); err != nil {
		return nil, err
	}
	return read(c, func() (driver.Rows, error) { return c.Conn.QueryContext(context.Background(), query, args) })
}

func read(c *conn, query func() (driver.Rows, error)) (driver.Rows, error) {
	got, err := patient(c, query)
	if err != nil {
		return nil, err
	}
	return rows{got.(*dqlite.Rows), c}, nil
}

// PrepareContext implements driver.ConnPrepareContext.
func (c *conn) PrepareContext(_ context.Context, query string) (driver.Stmt, error) {
	s, err := patient(c, func() (driver.Stmt, error) { return c.Conn.PrepareContext(context.Background(), query) })
	if err != nil {
		return nil, err
	}
	return &stmt{s.(*dqlite.Stmt), c, query}, nil
}

// Prepare implements driver.Conn.
func (c *conn) Prepare(query string) (driver.Stmt, error) {
	return c.PrepareContext(context.Background(), query)
}

// BeginTx asks for the writer at once, as transactions do on one machine.
func (c *conn) BeginTx(ctx context.Context, _ driver.TxOptions) (driver.Tx, error) {
	if _, err := c.ExecContext(ctx, "BEGIN IMMEDIATE", nil); err != nil {
		return nil, err
	}
	c.inTx = true
	return tx{c}, nil
}

// Begin implements driver.Conn.
func (c *conn) Begin() (driver.Tx, error) {
	return c.BeginTx(context.Background(), driver.TxOptions{})
}

// Ping implements driver.Pinger: a connection that is gone says so when it is used.
func (*conn) Ping(context.Context) error { return nil }

// ResetSession implements driver.SessionResetter.
func (*conn) ResetSession(context.Context) error { return nil }

// IsValid implements driver.Validator.
func (c *conn) IsValid() bool { return !c.gone }

type tx struct{ c *conn }

// Commit implements driver.Tx.
func (t tx) Commit() error { return t.end("COMMIT") }

// Rollback implements driver.Tx.
func (t tx) Rollback() error { return t.end("ROLLBACK") }

func (t tx) end(by string) error {
	t.c.inTx = false
	_, err := t.c.ExecContext(context.Background(), by, nil)
	return err
}

type stmt struct {
	*dqlite.Stmt
	c     *conn
	query string
}

// ExecContext implements driver.StmtExecContext.
func (s *stmt) ExecContext(_ context.Context, args []driver.NamedValue) (driver.Result, error) {
	if err := tooMany(args); err != nil {
		return nil, err
	}
	return patient(s.c, func() (driver.Result, error) { return s.Stmt.ExecContext(context.Background(), args) })
}

// QueryContext implements driver.StmtQueryContext.
func (s *stmt) QueryContext(_ context.Context, args []driver.NamedValue) (driver.Rows, error) {
	if err := errors.Join(tooMany(args), s.c.unsent(s.query)); err != nil {
		return nil, err
	}
	return read(s.c, func() (driver.Rows, error) { return s.Stmt.QueryContext(context.Background(), args) })
}

// rows tell of their columns what the wire tells.
type rows struct {
	*dqlite.Rows
	c *conn
}

// Next implements driver.Rows. The end of the rows is the plain io.EOF; one that is
// wrapped is the end of the connection.
func (r rows) Next(dest []driver.Value) error {
	err := r.Rows.Next(dest)
	if err == io.EOF { //nolint:errorlint // see above
		return err
	}
	return r.c.lost(err)
}

// ColumnTypeScanType implements driver.RowsColumnTypeScanType.
func (rows) ColumnTypeScanType(int) reflect.Type { return reflect.TypeFor[any]() }

// ColumnTypeLength implements driver.RowsColumnTypeLength.
func (rows) ColumnTypeLength(int) (int64, bool) { return 0, false }

// ColumnTypeNullable implements driver.RowsColumnTypeNullable.
func (rows) ColumnTypeNullable(int) (nullable, ok bool) { return false, false }

// ColumnTypePrecisionScale implements driver.RowsColumnTypePrecisionScale.
func (rows) ColumnTypePrecisionScale(int) (precision, scale int64, ok bool) { return 0, 0, false }
