package jobs

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"path/filepath"
	"time"

	"hospay/channels"
	"hospay/collections"
	"hospay/refund"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/filesystem"
)

const (
	statementWait  = 30 * time.Minute
	statementTries = 40
)

// Statements fetches the bills of yesterday, of every channel and of HIS, and
// keeps the files with their hashes. A bill that is not ready is asked for
// again; a day without movement is recorded as empty.
func Statements(app core.App, store *collections.Store) Job {
	s := statements{app: app, store: store}
	return Job{Name: "statements", Every: 10 * time.Minute, Run: func(ctx context.Context) (int, error) { return s.run(ctx, time.Now()) }}
}

type statements struct {
	app   core.App
	store *collections.Store
}

func (s statements) run(ctx context.Context, now time.Time) (int, error) {
	b := now.In(refund.Beijing)
	if b.Hour() >= 10 { // bills are ready from 10:00 on
		if err := s.plan(ctx, b.AddDate(0, 0, -1).Format(time.DateOnly)); err != nil {
			return 0, err
		}
	}
	due, err := s.app.FindRecordsByFilter(collections.Statements, `state = "waiting" && next_at <= {:now}`, "next_at", 20, 0,
		dbx.Params{"now": now.UTC().Format("2006-01-02 15:04:05.000Z")})
	if err != nil {
		return 0, err
	}
	for n, rec := range due {
		if err := s.fetch(ctx, rec); err != nil {
			return n, err
		}
	}
	return len(due), nil
}

// plan makes sure that every bill of the day has its row.
func (s statements) plan(ctx context.Context, day string) error {
	insts, err := s.app.FindRecordsByFilter(collections.Institutions, "active = true", "", 0, 0)
	if err != nil {
		return err
	}
	for _, inst := range insts {
		offers, err := s.store.Offers(ctx, inst.Id)
		if err != nil {
			return err
		}
		wanted := [][2]string{{"his", "statement"}}
		for _, o := range offers {
			for _, kind := range o.Can.Bills {
				wanted = append(wanted, [2]string{o.Name, kind})
			}
		}
		for _, w := range wanted {
			if err := s.open(inst.Id, w[0], w[1], day); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s statements) open(inst, source, kind, day string) error {
	_, err := s.app.FindFirstRecordByFilter(collections.Statements, "institution = {:i} && source = {:s} && kind = {:k} && day = {:d}",
		dbx.Params{"i": inst, "s": source, "k": kind, "d": day})
	if err == nil {
		return nil
	}
	c, err := s.app.FindCachedCollectionByNameOrId(collections.Statements)
	if err != nil {
		return err
	}
	rec := core.NewRecord(c)
	rec.Load(map[string]any{"institution": inst, "source": source, "kind": kind, "day": day, "state": "waiting", "next_at": time.Now()})
	return s.app.Save(rec)
}

// fetch downloads one bill into a temporary file, so that its size does not
// matter, and keeps it.
func (s statements) fetch(ctx context.Context, rec *core.Record) error {
	dir, err := os.MkdirTemp("", "hospay-bill")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "bill")
	bill, err := s.download(ctx, rec, path)
	tries := rec.GetInt("tries") + 1
	rec.Set("tries", tries)
	switch {
	case errors.Is(err, channels.ErrBillEmpty):
		rec.Load(map[string]any{"state": "empty", "next_at": "", "message": ""})
	case err != nil:
		rec.Load(map[string]any{"message": err.Error(), "next_at": time.Now().Add(statementWait)})
		if tries >= statementTries {
			rec.Set("state", "failed")
		}
	default:
		file, err := filesystem.NewFileFromPath(path)
		if err != nil {
			return err
		}
		file.Name, file.OriginalName = bill.Name, bill.Name
		rec.Load(map[string]any{"state": "ready", "file": file, "sha256": bill.Hash, "told_digest": bill.Source, "size": bill.Size, "next_at": "", "message": ""})
	}
	return s.app.Save(rec)
}

func (s statements) download(ctx context.Context, rec *core.Record, path string) (channels.Bill, error) {
	out, err := os.Create(path)
	if err != nil {
		return channels.Bill{}, err
	}
	defer out.Close()
	inst, day := rec.GetString("institution"), rec.GetString("day")
	if rec.GetString("source") == "his" {
		return s.writeHIS(ctx, inst, day, out)
	}
	conn, err := s.store.Connection(ctx, inst, rec.GetString("source"))
	if err != nil {
		return channels.Bill{}, err
	}
	return conn.DownloadBill(ctx, day, channels.BillKind(rec.GetString("kind")), out)
}

// writeHIS keeps HIS's lines in the form that `hospay reconcile` reads.
func (s statements) writeHIS(ctx context.Context, inst, day string, out io.Writer) (channels.Bill, error) {
	his, _, err := s.store.HIS(ctx, inst)
	if err != nil {
		return channels.Bill{}, err
	}
	sum := sha256.New()
	counted := &counter{w: io.MultiWriter(out, sum)}
	buf := bufio.NewWriter(counted)
	w := csv.NewWriter(buf)
	if err := w.Write([]string{"退款单号", "商户单号", "HIS退款流水号", "就诊卡号", "退款金额", "退款方式", "退款渠道", "状态", "退款时间"}); err != nil {
		return channels.Bill{}, err
	}
	err = his.Statement(ctx, day, func(l refund.StatementLine) error {
		return w.Write([]string{l.OrderNo, l.No, l.HISNo, l.CardNo, l.Amount.Yuan(), string(l.Method), l.Channel, l.Status, l.At.In(refund.Beijing).Format(time.DateTime)})
	})
	if err != nil {
		return channels.Bill{}, err
	}
	w.Flush()
	if err := errors.Join(w.Error(), buf.Flush()); err != nil {
		return channels.Bill{}, err
	}
	return channels.Bill{Name: "his-" + day + ".csv", Hash: hex.EncodeToString(sum.Sum(nil)), Size: counted.n}, nil
}

type counter struct {
	w io.Writer
	n int64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}
