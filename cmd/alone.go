package cmd

import (
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/pocketbase/pocketbase/core"
)

// lockFile is held by the one program that works in a data folder.
const lockFile = "hospay.lock"

// alone makes sure that no other program works in the data folder: two would
// each believe that what the other has begun was lost in a crash. The lock is
// an exclusive transaction on a small database of its own, so that every system
// that SQLite runs on has it and a crash ends it.
func alone(app core.App) error {
	path := filepath.Join(app.DataDir(), lockFile)
	db, err := sql.Open("sqlite", "file:"+filepath.ToSlash(path)+"?_pragma=busy_timeout(0)&_pragma=journal_mode(DELETE)")
	if err != nil {
		return err
	}
	db.SetMaxOpenConns(1)
	if _, err := db.Exec("BEGIN EXCLUSIVE"); err != nil {
		return errors.Join(fmt.Errorf("数据目录 %s 已有一个 hospay 在运行（%w）。同一数据目录只能有一个服务；请先停止它", app.DataDir(), err), db.Close())
	}
	app.OnTerminate().BindFunc(func(e *core.TerminateEvent) error {
		err := e.Next()
		return errors.Join(err, db.Close())
	})
	return nil
}
