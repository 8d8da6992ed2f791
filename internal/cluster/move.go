//go:build dqlite

package cluster

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/canonical/go-dqlite/app"
	"github.com/canonical/go-dqlite/client"
)

// moved is what a database is called that has been moved into the cluster.
const moved = "data.db.before-cluster"

// adopt moves the database of a single machine into the cluster that its machine
// founds. It is done whole or not at all: the new cluster lies in a folder of
// another name until every row is there.
func (c Config) adopt(ctx context.Context, dir string) error {
	file, building := filepath.Join(c.Dir, Database), filepath.Join(c.Dir, Folder+".new")
	if _, err := os.Stat(file); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if len(c.Join) > 0 {
		return fmt.Errorf("%s 里有单机的数据（%s），加入别的集群会丢下它。请换一个空的数据目录，或由本机建立集群（不写 --cluster-join）", c.Dir, Database)
	}
	if Member(c.Dir) {
		return fmt.Errorf("%s 里既有集群的数据又有单机的 %s，不知道以哪一个为准；请把不要的一个移走", c.Dir, Database)
	}
	if err := errors.Join(os.RemoveAll(building), os.MkdirAll(building, 0o700)); err != nil {
		return err
	}
	a, err := c.engine(building)
	if err != nil {
		return err
	}
	if err := errors.Join(pour(ctx, file, a), a.Close()); err != nil {
		return fmt.Errorf("单机的数据没有移入集群，原样未动：%w", err)
	}
	if err := errors.Join(os.Remove(dir), os.Rename(building, dir)); err != nil {
		return err
	}
	for _, end := range []string{"", "-wal", "-shm"} {
		if err := os.Rename(file+end, filepath.Join(c.Dir, moved+end)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return nil
}

// pour copies a database: tables with their rows first, then what hangs on them.
func pour(ctx context.Context, file string, a *app.App) (err error) {
	from, err := sql.Open("sqlite", "file:"+filepath.ToSlash(file)+"?_pragma=busy_timeout(0)&_txlock=exclusive")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, from.Close()) }()
	if err := a.Ready(ctx); err != nil {
		return err
	}
	into, err := a.Open(ctx, Database)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, into.Close()) }()
	into.SetMaxOpenConns(1)
	for _, pragma := range pragmas[2:] { // the rows come in any order, and nothing judges them
		if _, err := into.ExecContext(ctx, "PRAGMA "+pragma); err != nil {
			return err
		}
	}
	alone, err := from.BeginTx(ctx, nil) // refuses while another program works in it
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, alone.Rollback()) }()
	for _, kind := range []string{"table", "index", "view", "trigger"} {
		if err := pourKind(ctx, alone, into, kind); err != nil {
			return err
		}
	}
	return nil
}

func pourKind(ctx context.Context, from *sql.Tx, into *sql.DB, kind string) error {
	list, err := from.QueryContext(ctx, "SELECT name, sql FROM sqlite_master WHERE type = ? AND sql IS NOT NULL AND "+
		"substr(name, 1, 7) != 'sqlite_' ORDER BY rowid", kind)
	if err != nil {
		return err
	}
	made := [][2]string{}
	for list.Next() {
		var x [2]string
		if err := list.Scan(&x[0], &x[1]); err != nil {
			return errors.Join(err, list.Close())
		}
		made = append(made, x)
	}
	if err := errors.Join(list.Err(), list.Close()); err != nil {
		return err
	}
	for _, x := range made {
		if _, err := into.ExecContext(ctx, x[1]); err != nil {
			return fmt.Errorf("%s %s: %w", kind, x[0], err)
		}
		if kind == "table" {
			if err := pourRows(ctx, from, into, x[0]); err != nil {
				return fmt.Errorf("%s: %w", x[0], err)
			}
		}
	}
	return nil
}

// rowsATime is how many rows are committed together: each commit is one entry of
// the engine's log.
const rowsATime = 2000

// pourRows copies the rows of a table as they are stored: a plus before a column
// keeps the driver from reading its declared type into a value.
func pourRows(ctx context.Context, from *sql.Tx, into *sql.DB, table string) (err error) {
	columns, err := columnsOf(ctx, from, table)
	if err != nil {
		return err
	}
	read, err := from.QueryContext(ctx, `SELECT +"`+strings.Join(columns, `", +"`)+`" FROM "`+table+`" ORDER BY rowid`)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, read.Close()) }()
	insert := `INSERT INTO "` + table + `" ("` + strings.Join(columns, `", "`) + `") VALUES (?` + strings.Repeat(", ?", len(columns)-1) + ")"
	for more := true; more; {
		if more, err = pourSome(ctx, read, into, insert, len(columns)); err != nil {
			return err
		}
	}
	return read.Err()
}

func columnsOf(ctx context.Context, from *sql.Tx, table string) (columns []string, err error) {
	list, err := from.QueryContext(ctx, "SELECT name FROM pragma_table_info(?)", table)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, list.Close()) }()
	for list.Next() {
		var name string
		if err := list.Scan(&name); err != nil {
			return nil, err
		}
		columns = append(columns, name)
	}
	return columns, list.Err()
}

func pourSome(ctx context.Context, read *sql.Rows, into *sql.DB, insert string, width int) (more bool, err error) {
	tx, err := into.BeginTx(ctx, nil)
	if err != nil {
		return false, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, tx.Rollback())
		}
	}()
	put, err := tx.PrepareContext(ctx, insert)
	if err != nil {
		return false, err
	}
	values, at := make([]any, width), make([]any, width)
	for i := range values {
		at[i] = &values[i]
	}
	n := 0
	for ; n < rowsATime && read.Next(); n++ {
		if err := read.Scan(at...); err != nil {
			return false, err
		}
		if _, err := put.ExecContext(ctx, values...); err != nil {
			return false, err
		}
	}
	if err := put.Close(); err != nil {
		return false, err
	}
	return n == rowsATime, tx.Commit()
}

// Copy lays the shared database, as it was at one moment, into a file of its own.
func Copy(ctx context.Context, dir, to string) (err error) {
	c, err := lead(ctx, dir)
	if err != nil {
		return err
	}
	files, err := c.Dump(ctx, Database)
	if err = errors.Join(err, c.Close()); err != nil {
		return err
	}
	for _, f := range files {
		if err := os.WriteFile(to+strings.TrimPrefix(f.Name, Database), f.Data, 0o600); err != nil {
			return err
		}
	}
	db, err := sql.Open("sqlite", "file:"+filepath.ToSlash(to))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	_, err = db.ExecContext(ctx, "PRAGMA journal_mode = DELETE") // takes in what the engine had in its log
	return err
}

// lead connects with the leader of a folder's cluster.
func lead(ctx context.Context, dir string) (*client.Client, error) {
	store, dial, err := reach(dir)
	if err != nil {
		return nil, err
	}
	finding, cancel := context.WithTimeout(ctx, busyFor)
	defer cancel()
	c, err := client.FindLeader(finding, store, client.WithDialFunc(dial), client.WithLogFunc(tell))
	if err != nil {
		return nil, errors.Join(ErrNoLeader, err)
	}
	return c, nil
}

// Servers lists the nodes of a folder's cluster.
func Servers(ctx context.Context, dir string) ([]Server, error) {
	c, err := lead(ctx, dir)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(ctx, busyFor)
	defer cancel()
	leader, err := c.Leader(ctx)
	if err != nil {
		return nil, err
	}
	all, err := c.Cluster(ctx)
	if err != nil {
		return nil, err
	}
	var out []Server
	for _, s := range all {
		out = append(out, Server{ID: s.ID, Address: s.Address, Role: s.Role.String(), Leader: leader != nil && s.ID == leader.ID})
	}
	return out, nil
}

// Remove takes a node that will not come back out of the cluster.
func Remove(ctx context.Context, dir, address string) error {
	all, err := Servers(ctx, dir)
	if err != nil {
		return err
	}
	for _, s := range all {
		if s.Address != address {
			continue
		}
		if s.Leader {
			return fmt.Errorf("%s 是主节点；请先停止它，由别的节点接手后再移除", address)
		}
		c, err := lead(ctx, dir)
		if err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(ctx, time.Minute)
		defer cancel()
		return errors.Join(c.Remove(ctx, s.ID), c.Close())
	}
	return fmt.Errorf("集群里没有 %s 这个节点；现有节点见 hospay cluster status", address)
}
