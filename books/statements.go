package books

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"hospay/calendar"
	"hospay/collections"
	"hospay/flow"
	"hospay/reconcile"
	"hospay/reconcile/files"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/types"
)

// SourceHIS is the source of HIS's statements; the others are channels.
const SourceHIS = "his"

// The states of a bill.
const (
	Waiting = "waiting" // not there yet; asked for again at next_at
	Ready   = "ready"   // kept and read
	Empty   = "empty"   // the other side says that nothing happened
	Missing = "missing" // given up asking; somebody has to upload it
	Refused = "refused" // not to be trusted as a whole; refusal says why
)

// keptRejects is how many refused lines of a bill are listed; their number is exact.
const keptRejects = 1000

// Statement is a bill of one day, source and kind.
type Statement struct {
	ID          string         `db:"id"`
	Institution string         `db:"institution"`
	Source      string         `db:"source"`
	Kind        string         `db:"kind"`
	Day         string         `db:"day"`
	Connection  string         `db:"connection"` // of a former merchant or HIS; empty: the one in force at the day's end
	State       string         `db:"state"`
	Version     int            `db:"version"`
	Superseded  bool           `db:"superseded"`
	File        string         `db:"file"`
	Name        string         `db:"name"`
	SHA256      string         `db:"sha256"`
	Size        int64          `db:"size"`
	Form        string         `db:"form"`
	Lines       int            `db:"lines"`
	Rejects     int            `db:"rejects"`
	Amount      int64          `db:"amount"`
	Refusal     string         `db:"refusal"`
	Message     string         `db:"message"`
	By          string         `db:"by"`
	Late        bool           `db:"late"`
	Tries       int            `db:"tries"`
	NextAt      types.DateTime `db:"next_at"`
	Created     types.DateTime `db:"created"`
	Updated     types.DateTime `db:"updated"`
	Told        string         `db:"told_digest"`
	Beside      bool           `db:"-"` // a download beside a bill that somebody has brought; Statements tells it
}

// ledger is the one that a bill is an item of; the trade bills of channels are read
// by two, and are items of the deposits'.
func (st Statement) ledger() Ledger {
	switch {
	case st.Source == SourceCentre:
		return Insurance
	case st.Kind == kindCharges:
		return Payments
	}
	return Deposits
}

// usable reports whether a run can count on the bill.
func (st Statement) usable() bool { return st.State == Ready || st.State == Empty }

// Incoming is a file that somebody brings.
type Incoming struct {
	Institution, Day, Source, Kind string // Kind may be empty where the header tells it
	Path, Name, Told, By           string
	Connection                     string    // as in Statement
	Next                           time.Time // when a file that is refused is asked for again
}

// Accept verifies a file that somebody brings and keeps it as the day's bill.
// The file that is there already is answered again; another one for the same
// day becomes a new version, and the former stays. A bill of a closed month is
// kept and becomes an item of the next open day.
func (s *Service) Accept(ctx context.Context, in Incoming) (Statement, error) {
	st, rejects, err := s.examine(ctx, in)
	if err != nil {
		return Statement{}, err
	}
	return s.keep(ctx, st, rejects, in)
}

// Fetched is Accept for a file that nobody brought by hand: one that cannot be
// trusted is kept as well, as refused and with the reason, so that people can
// look at what was sent. It never takes the place of a bill that was read, nor
// of one that somebody has brought.
func (s *Service) Fetched(ctx context.Context, in Incoming) (Statement, error) {
	st, rejects, err := s.examine(ctx, in)
	if refusal, ok := errors.AsType[*flow.Error](err); ok && st.SHA256 != "" {
		st.State, st.Kind, st.Refusal, err = Refused, in.Kind, clip(refusal.Detail, 500), nil
		if refusal.Code == CodeStatementOther {
			st.Refusal = "收到的是另一种文件：" + refusal.Detail
		}
	}
	if err != nil {
		return Statement{}, err
	}
	return s.keep(ctx, st, rejects, in)
}

// examine reads a file from end to end and tells the bill that it makes.
func (s *Service) examine(ctx context.Context, in Incoming) (st Statement, rejects []files.Reject, err error) {
	if _, _, err := calendar.ParseDay(in.Day); err != nil || in.Day > s.Today() ||
		!slices.Contains([]string{SourceHIS, reconcile.ChannelWeChat, reconcile.ChannelAlipay, SourceCentre}, in.Source) {
		return st, nil, flow.NewError(flow.CodeBadRequest, "")
	}
	f, err := os.Open(in.Path)
	if err != nil {
		return st, nil, err
	}
	defer f.Close()
	sum := sha256.New()
	size, err := io.Copy(sum, f)
	if err != nil {
		return st, nil, err
	}
	st = Statement{Institution: in.Institution, Source: in.Source, Day: in.Day, Connection: in.Connection, State: Ready,
		Name:   clip(in.Name, 200),
		SHA256: hex.EncodeToString(sum.Sum(nil)), Size: size, By: in.By}
	set, err := s.settings(ctx, in.Institution)
	if err != nil {
		return st, nil, err
	}
	opt, err := set.table()
	if err != nil {
		return st, nil, err
	}
	got, err := read(opt, files.File{Name: in.Name, Data: f, Size: size}, in.Source, in.Kind, in.Day,
		func(reconcile.Line) error { return ctx.Err() })
	if err == nil && in.Source == SourceHIS {
		err = got.ofTheDay(in, opt)
	}
	if refusal, ok := errors.AsType[*files.Refusal](err); ok {
		return st, nil, flow.NewError(CodeStatementRefused, refusal.Error())
	}
	if err != nil {
		return st, nil, err
	}
	if st.Kind, err = kindOf(in, got.info); err != nil {
		return st, nil, err
	}
	st.Form, st.Lines, st.Rejects, st.Amount = got.info.Kind, got.info.Lines, got.info.Rejects, int64(got.info.Sum)
	return st, got.rejects, nil
}

// keep decides what a file that was read becomes: nothing new, a version beside
// one that somebody has brought, or the day's bill.
func (s *Service) keep(ctx context.Context, st Statement, rejects []files.Reject, in Incoming) (Statement, error) {
	current, err := s.current(ctx, st)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return st, err
	}
	switch there := err == nil; {
	case there && (current.SHA256 == st.SHA256 && current.State == st.State || st.State == Refused && current.usable()):
		return current, s.Note(ctx, current, st.State, "", in.Next) // a refused one is asked for again
	case there && st.By == "" && current.brought():
		return current, s.keepBeside(ctx, current, st, rejects, in)
	}
	return s.replace(ctx, current, st, rejects, in)
}

// replace puts a bill in force in place of the current one. A row that waited
// for its file takes it; otherwise there is a new version.
func (s *Service) replace(ctx context.Context, current, st Statement, rejects []files.Reject, in Incoming) (Statement, error) {
	last, err := s.lastVersion(ctx, st)
	if err != nil {
		return st, err
	}
	fill := current.ID != "" && current.SHA256 == "" && current.State != Empty && st.SHA256 != ""
	st.ID, st.Version = newID(), last+1
	if fill {
		st.ID, st.Version = current.ID, current.Version
	}
	return s.put(ctx, st, in, func(tx core.App, st Statement) error {
		closed, err := monthClosed(tx.DB(), st.Institution, st.Day)
		if err != nil {
			return err
		}
		st.Late = closed && st.State == Ready
		return s.write(tx, st, current, fill, rejects, in)
	})
}

// put stores file and row; the file comes first, because a row without its
// file would be worse than a file without its row.
func (s *Service) put(ctx context.Context, st Statement, in Incoming, write func(tx core.App, st Statement) error) (Statement, error) {
	var err error
	if in.Path != "" {
		st.File = fmt.Sprintf("%s_%s_%s_%s%s", st.Source, st.Kind, st.Day, newID(), extension(in.Name))
		if err = s.upload(ctx, st.kept(), in.Path); err != nil {
			return st, err
		}
	}
	if err := s.App.RunInTransaction(func(tx core.App) error { return write(tx, st) }); err != nil {
		return st, errors.Join(err, s.Store.DropFile(ctx, st.kept()))
	}
	return s.Statement(ctx, st.Institution, st.ID)
}

func (s *Service) write(tx core.App, st, current Statement, fill bool, rejects []files.Reject, in Incoming) error {
	now, next := s.now(), time.Time{}
	switch {
	case st.State == Refused:
		next = in.Next
	case st.By != "":
		next = s.askFrom(st, current, now)
	}
	row := st.row(in, next, now)
	var err error
	if fill {
		err = one(tx.DB().Update(collections.Statements, row, dbx.HashExp{"id": st.ID, "sha256": "", "superseded": false}))
	} else {
		err = supersede(tx.DB(), current, st, row, now)
	}
	if err != nil {
		return err
	}
	if err := keepRejects(tx.DB(), st, rejects, now); err != nil {
		return err
	}
	if st.Late {
		return s.lateItem(tx, st)
	}
	return nil
}

// row is what a bill's file says.
func (st Statement) row(in Incoming, next, now time.Time) dbx.Params {
	return dbx.Params{
		"state": st.State, "file": st.File, "name": st.Name, "sha256": st.SHA256, "size": st.Size, "told_digest": in.Told, "form": st.Form,
		"lines": st.Lines, "rejects": st.Rejects,
		"amount": st.Amount, "by": st.By, "late": st.Late, "refusal": st.Refusal, "message": "", "next_at": stamp(next), "updated": stamp(now),
	}
}

func keepRejects(db dbx.Builder, st Statement, rejects []files.Reject, now time.Time) error {
	for _, r := range rejects {
		_, err := db.Insert(collections.StatementLines, dbx.Params{
			"id": newID(), "institution": st.Institution, "statement": st.ID, "line": r.Line, "reason": clip(r.Reason, 300), "created": stamp(now),
		}).Execute()
		if err != nil {
			return err
		}
	}
	return nil
}

func supersede(db dbx.Builder, current, st Statement, row dbx.Params, now time.Time) error {
	if current.ID != "" {
		if err := one(db.Update(collections.Statements, dbx.Params{"superseded": true, "next_at": ""},
			dbx.HashExp{"id": current.ID, "superseded": false})); err != nil {
			return err
		}
	}
	return addVersion(db, st, row, now)
}

func addVersion(db dbx.Builder, st Statement, row dbx.Params, now time.Time) error {
	for k, v := range map[string]any{
		"id": st.ID, "institution": st.Institution, "source": st.Source, "kind": st.Kind, "day": st.Day, "connection": st.Connection,
		"version":    st.Version,
		"superseded": st.Superseded, "tries": 0,
		"created": stamp(now),
	} {
		row[k] = v
	}
	return one(db.Insert(collections.Statements, row))
}

func (s *Service) current(ctx context.Context, st Statement) (Statement, error) {
	var out Statement
	err := s.App.ConcurrentDB().Select("*").From(collections.Statements).
		Where(dbx.HashExp{"institution": st.Institution, "source": st.Source, "kind": st.Kind, "day": st.Day, "connection": st.Connection,
			"superseded": false}).
		WithContext(ctx).One(&out)
	return out, err
}

// Statement reads a bill of an institution.
func (s *Service) Statement(ctx context.Context, inst, id string) (Statement, error) {
	var out Statement
	err := s.App.ConcurrentDB().Select("*").From(collections.Statements).Where(dbx.HashExp{"institution": inst, "id": id}).WithContext(ctx).
		One(&out)
	if errors.Is(err, sql.ErrNoRows) {
		return out, flow.ErrNotFound
	}
	return out, err
}

// Statements lists the bills of a range of days, former versions included.
func (s *Service) Statements(ctx context.Context, inst, from, to string) ([]Statement, error) {
	out := []Statement{}
	err := s.App.ConcurrentDB().NewQuery("SELECT * FROM statements WHERE institution = {:i} AND day >= {:f} AND day <= {:t} ORDER BY day, " +
		"source, kind, version").
		Bind(dbx.Params{"i": inst, "f": from, "t": to}).WithContext(ctx).All(&out)
	markBeside(out)
	return out, err
}

// inForce lists the bills of a ledger that count, by day, source and kind.
func (s *Service) inForce(ctx context.Context, inst string, ledger Ledger, from, to string) ([]Statement, error) {
	all, err := s.Statements(ctx, inst, from, to)
	return slices.DeleteFunc(all, func(st Statement) bool { return st.Superseded || !ledger.reads(st) }), err
}

// Rejects lists the lines of a bill that could not be read.
func (s *Service) Rejects(ctx context.Context, st Statement) ([]files.Reject, error) {
	var rows []struct {
		Line   int    `db:"line"`
		Reason string `db:"reason"`
	}
	err := s.App.ConcurrentDB().Select("line", "reason").From(collections.StatementLines).Where(dbx.HashExp{"statement": st.ID}).
		OrderBy("line").WithContext(ctx).All(&rows)
	out := []files.Reject{}
	for _, r := range rows {
		out = append(out, files.Reject{File: st.Name, Line: r.Line, Reason: r.Reason})
	}
	return out, err
}
