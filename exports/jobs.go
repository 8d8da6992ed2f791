package exports

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"hospay/calendar"
	"hospay/collections"
	"hospay/store"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/types"
)

// keepFor is how long a file can be fetched.
const keepFor = 7 * 24 * time.Hour

// The states of an export job.
const (
	Queued      = "queued"
	Running     = "running"
	Done        = "done"
	Failed      = "failed"
	Interrupted = "interrupted" // the program ended while it ran
)

// Jobs runs the long exports, one at a time, and keeps their files.
type Jobs struct {
	App   core.App
	Store *store.Store
}

// Folder is where the files lie: in the data folder, reached by no route but
// that of the export.
func (j *Jobs) Folder() string { return filepath.Join(j.App.DataDir(), "exports") }

// Path is where an export's file lies.
func (j *Jobs) Path(rec *core.Record) string {
	return filepath.Join(j.Folder(), rec.Id+".xlsx")
}

// Open queues an export of a staff member.
func (j *Jobs) Open(tx core.App, staff *core.Record, report string, params map[string]string) (*core.Record, error) {
	c, err := tx.FindCachedCollectionByNameOrId(collections.Exports)
	if err != nil {
		return nil, err
	}
	rec := core.NewRecord(c)
	rec.Load(map[string]any{"institution": staff.GetString("institution"), "owner": staff.Id, "report": report, "params": params,
		"state": Queued})
	return rec, tx.Save(rec)
}

// Interrupt marks the exports that a former run of the program left behind.
// It is called once at the start, before any export runs.
func (j *Jobs) Interrupt() error {
	recs, err := j.App.FindRecordsByFilter(collections.Exports, `state = "running"`, "", 0, 0)
	if err != nil {
		return err
	}
	for _, rec := range recs {
		if err := j.end(rec, Interrupted, "程序重启，导出中断，请重新导出。"); err != nil {
			return err
		}
	}
	return nil
}

// Run makes the exports that are queued, oldest first.
func (j *Jobs) Run(ctx context.Context) (int, error) {
	due, err := j.App.FindRecordsByFilter(collections.Exports, `state = "queued"`, "created", 20, 0)
	if err != nil {
		return 0, err
	}
	for n, rec := range due {
		if ctx.Err() != nil {
			return n, nil
		}
		if err := j.run(ctx, rec); err != nil {
			return n, err
		}
	}
	return len(due), nil
}

// run makes one export. What goes wrong with it is told in its record.
func (j *Jobs) run(ctx context.Context, rec *core.Record) error {
	rec.Load(map[string]any{"state": Running, "started": collections.Now(j.App), "progress": 0, "error": ""})
	if err := j.App.Save(rec); err != nil {
		return err
	}
	req, err := j.request(rec)
	if err == nil {
		err = j.write(ctx, rec, req)
	}
	switch {
	case err == nil:
		return j.end(rec, Done, "")
	case ctx.Err() != nil:
		return j.end(rec, Interrupted, "程序停止，导出中断，请重新导出。")
	case errors.Is(err, ErrTooMany):
		return j.end(rec, Failed, "行数超过一张表能容纳的上限，请缩小筛选范围。")
	}
	j.App.Logger().Error("export.failed", "export", rec.Id, "error", err)
	return j.end(rec, Failed, "导出失败，请稍后重试；如多次出现请联系信息科。")
}

func (j *Jobs) end(rec *core.Record, state, message string) error {
	if state != Done {
		_ = os.Remove(j.Path(rec) + ".part")
	} else {
		rec.Set("progress", 100)
	}
	rec.Load(map[string]any{"state": state, "error": message, "finished": collections.Now(j.App)})
	return j.App.Save(rec)
}

// request rebuilds the report's request. The owner must still be allowed to
// have it.
func (j *Jobs) request(rec *core.Record) (Request, error) {
	staff, err := j.App.FindRecordById(collections.Staff, rec.GetString("owner"))
	if err != nil {
		return Request{}, err
	}
	if !Allowed(staff, rec.GetString("report")) || staff.GetString("institution") != rec.GetString("institution") {
		return Request{}, fmt.Errorf("exports: %s may no longer have it", staff.Id)
	}
	params := map[string]string{}
	if err := json.Unmarshal([]byte(rec.GetString("params")), &params); err != nil {
		return Request{}, err
	}
	req, err := For(j.App, staff, rec.GetString("report"), params)
	last := collections.Now(j.App)
	req.Progress = func(done, of int) {
		now := collections.Now(j.App)
		if now.Sub(last) < time.Second || of == 0 {
			return
		}
		last = now
		rec.Load(map[string]any{"progress": min(99, done*100/of), "rows": done})
		if err := j.App.Save(rec); err != nil {
			j.App.Logger().Warn("export.progress", "export", rec.Id, "error", err)
		}
	}
	return req, err
}

// Allowed reports whether a staff member may have a report.
func Allowed(staff *core.Record, report string) bool {
	return staff.GetBool("active") && slices.ContainsFunc(Roles(report), func(r string) bool {
		return slices.Contains(staff.GetStringSlice("roles"), r)
	})
}

// For is the request of a staff member.
func For(app core.App, staff *core.Record, report string, params map[string]string) (Request, error) {
	inst, err := app.FindRecordById(collections.Institutions, staff.GetString("institution"))
	if err != nil {
		return Request{}, err
	}
	return Request{Report: report, Params: Values(params), Institution: inst.Id, Unit: inst.GetString("name"), Person: staff.GetString("name"),
		At: collections.Now(app)}, nil
}

// write writes the file beside its place and moves it there when it is whole.
func (j *Jobs) write(ctx context.Context, rec *core.Record, req Request) error {
	if err := os.MkdirAll(j.Folder(), 0o700); err != nil {
		return err
	}
	part := j.Path(rec) + ".part"
	defer os.Remove(part)
	out, err := os.OpenFile(part, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	sum := sha256.New()
	buf := bufio.NewWriterSize(io.MultiWriter(out, sum), 1<<20)
	rows, err := Write(ctx, j.Store, req, buf)
	if err = errors.Join(err, buf.Flush(), out.Close()); err != nil {
		return err
	}
	info, err := os.Stat(part)
	if err != nil {
		return err
	}
	rec.Load(map[string]any{"rows": rows, "size": info.Size(), "sha256": hex.EncodeToString(sum.Sum(nil)), "file": FileName(req)})
	return os.Rename(part, j.Path(rec))
}

// FileName is the name under which a report is saved.
func FileName(r Request) string {
	title := map[string]string{Refunds: "退款明细", Stats: "退款统计", Payments: "缴费明细", PaymentStats: "缴费统计", Audit: "审计日志"}[r.Report]
	return title + "-" + r.At.In(calendar.Beijing).Format("20060102-150405") + ".xlsx"
}

// Purge deletes the files of old exports. Their records stay.
func (j *Jobs) Purge(now time.Time) (int, error) {
	old, err := j.App.FindRecordsByFilter(collections.Exports, `file != "" && finished < {:t}`, "", 500, 0,
		dbx.Params{"t": now.Add(-keepFor).UTC().Format(types.DefaultDateLayout)})
	if err != nil {
		return 0, err
	}
	for n, rec := range old {
		if err := os.Remove(j.Path(rec)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return n, err
		}
		rec.Set("file", "")
		if err := j.App.Save(rec); err != nil {
			return n, err
		}
	}
	return len(old), nil
}
