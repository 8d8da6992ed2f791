package collections

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"hospay/internal/cluster"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/types"
)

// A data folder that was restored or copied does not know what was paid since
// the copy was made (CONTRACT 7). It is recognised by three things that a copy
// cannot bring with it: where the folder lies, which file its database is, and a
// count of starts that is kept in the database and beside it. A folder that is
// not where it was at home gets a mark, and while the mark stands nothing that
// moves money leaves. The mark ends when two people have released it.

// home is where a folder was when it last served.
type home struct {
	Path   string `json:"path"`
	File   string `json:"file"`  // identity of the database's file, empty where the system tells none
	Place  string `json:"place"` // identity of the file beside it, which is never written again
	Starts int    `json:"starts"`
}

// Copy is the mark of a restored or copied folder.
type Copy struct {
	Since time.Time `json:"since"`
	Why   string    `json:"why"` // moved, replaced, older, restored
	// What one person proposes: that the copy may work. Empty while nobody does.
	Proposal *CopyRelease `json:"proposal,omitempty"`
}

// CopyRelease is the proposal to release a copy.
type CopyRelease struct {
	Name        string    `json:"name"`
	By          string    `json:"by"`
	Institution string    `json:"institution"`
	Note        string    `json:"note"`
	At          time.Time `json:"at"`
}

const (
	homeRow  = "hospay_home"
	copyRow  = "hospay_copy"
	homeFile = "hospay.home"
	seenFile = "hospay.seen"
)

// ComeHome compares a folder with where it last served, marks it when it is a
// copy, and remembers where it is now. It runs when a program begins to serve.
func ComeHome(app core.App) error {
	if cluster.Member(app.DataDir()) { // whose home is the majority of its nodes
		return shareFiles(app)
	}
	dir, err := filepath.Abs(app.DataDir())
	if err != nil {
		return err
	}
	if real, err := filepath.EvalSymlinks(dir); err == nil {
		dir = real
	}
	seen, err := readSeen(dir)
	if err != nil {
		return err
	}
	starts := 0
	err = app.RunInTransaction(func(tx core.App) error {
		var was home
		known, err := readParam(tx.DB(), homeRow, &was)
		if err != nil {
			return err
		}
		if _, err := os.Stat(filepath.Join(dir, homeFile)); errors.Is(err, os.ErrNotExist) {
			text := "此文件供 hospay 辨认数据目录是否由备份恢复，请勿改动。\n"
			if err := os.WriteFile(filepath.Join(dir, homeFile), []byte(text), 0o600); err != nil {
				return err
			}
		}
		is := home{Path: dir, File: identity(filepath.Join(dir, "data.db"), false), Place: identity(filepath.Join(dir, homeFile), true),
			Starts: max(was.Starts, seen) + 1}
		why := was.moved(is, seen)
		if !known {
			why, err = fromBefore(tx, seen)
		}
		if err == nil && why != "" {
			err = MarkCopy(tx.DB(), why, Now(tx))
		}
		if err != nil {
			return err
		}
		starts = is.Starts
		return writeParam(tx.DB(), homeRow, is, Now(tx))
	})
	if err != nil {
		return err
	}
	return writeSeen(dir, starts)
}

// writeSeen follows the database: a crash in between leaves the file behind it,
// which is no sign of a copy, and never half a number.
func writeSeen(dir string, starts int) error {
	path := filepath.Join(dir, seenFile)
	if err := os.WriteFile(path+".new", []byte(strconv.Itoa(starts)+"\n"), 0o600); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

// moved says why a folder is not the one that served last.
func (was home) moved(is home, seen int) string {
	switch {
	case was.Path != is.Path:
		return "moved"
	case was.File != is.File, was.Place != is.Place:
		return "replaced"
	case seen > was.Starts: // the database alone is an older one
		return "older"
	}
	return ""
}

// fromBefore marks a database that was never at home in a folder that was
// served from already, unless it is a new one.
func fromBefore(tx core.App, seen int) (string, error) {
	var orders int
	err := tx.DB().Select("COUNT(*)").From(RefundOrders).Limit(1).Row(&orders)
	if err != nil || seen == 0 || orders == 0 {
		return "", err
	}
	return "older", nil
}

func readSeen(dir string) (int, error) {
	text, err := os.ReadFile(filepath.Join(dir, seenFile))
	if errors.Is(err, os.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	n, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return 0, fmt.Errorf("%s 无法读取：%w", filepath.Join(dir, seenFile), err)
	}
	return n, nil
}

// MarkCopy marks the database of a copy. One that has the mark keeps its first
// day.
func MarkCopy(db dbx.Builder, why string, now time.Time) error {
	var have Copy
	if known, err := readParam(db, copyRow, &have); err != nil || known {
		return err // what was proposed for an earlier copy is over
	}
	return writeParam(db, copyRow, Copy{Since: now, Why: why}, now)
}

// CopyOf reads the mark of a folder; nil when it has none.
func CopyOf(db dbx.Builder) (*Copy, error) {
	var c Copy
	if known, err := readParam(db, copyRow, &c); err != nil || !known {
		return nil, err
	}
	return &c, nil
}

// ProposeRelease keeps what one person proposes about a marked folder; nil takes
// it back.
func ProposeRelease(tx core.App, c Copy, p *CopyRelease) error {
	c.Proposal = p
	return writeParam(tx.DB(), copyRow, c, Now(tx))
}

// ReleaseCopy takes the mark away.
func ReleaseCopy(tx core.App) error {
	_, err := tx.DB().Delete(paramsTable, dbx.HashExp{"id": copyRow}).Execute()
	return err
}

func readParam(db dbx.Builder, id string, into any) (bool, error) {
	var text string
	err := db.Select("value").From(paramsTable).Where(dbx.HashExp{"id": id}).Row(&text)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return true, json.Unmarshal([]byte(text), into)
}

func writeParam(db dbx.Builder, id string, value any, now time.Time) error {
	text, err := json.Marshal(value)
	if err != nil {
		return err
	}
	_, err = db.NewQuery("INSERT INTO _params (id, value, created, updated) VALUES ({:id}, {:value}, {:now}, {:now}) " +
		"ON CONFLICT (id) DO UPDATE SET value = excluded.value, updated = excluded.updated").
		Bind(dbx.Params{"id": id, "value": string(text), "now": now.UTC().Format(types.DefaultDateLayout)}).Execute()
	return err
}

// Param reads what a program keeps beside PocketBase's settings under a name of
// its own; false where there is none.
func Param(db dbx.Builder, name string, into any) (bool, error) { return readParam(db, name, into) }

// SetParam keeps a value under a name, for Param.
func SetParam(tx core.App, name string, value any) error {
	return writeParam(tx.DB(), name, value, Now(tx))
}
