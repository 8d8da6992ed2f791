package jobs

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"time"

	"hospay/channels"
	"hospay/collections"
	"hospay/store"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/filesystem"
	"github.com/pocketbase/pocketbase/tools/types"
)

const (
	receiptBatch = 50
	receiptWait  = 2 * time.Minute // WeChat asks not to poll faster
	receiptTries = 60
)

// Receipts collects the electronic receipt (电子回单) of every transfer that
// succeeded, before the channel lets it expire.
func Receipts(app core.App, store *store.Store, now func() time.Time) Job {
	r := receipts{app: app, store: store, now: now}
	return Job{Name: "receipts", Every: time.Minute, Run: r.run}
}

type receipts struct {
	app   core.App
	store *store.Store
	now   func() time.Time
}

func (r receipts) run(ctx context.Context) (int, error) {
	if err := r.store.OpenReceipts(ctx, receiptBatch*4); err != nil {
		return 0, err
	}
	due, err := r.app.FindRecordsByFilter(collections.Receipts, `state != "ready" && state != "failed" && next_at <= {:now}`, "next_at",
		receiptBatch, 0,
		dbx.Params{"now": r.now().UTC().Format(types.DefaultDateLayout)})
	if err != nil {
		return 0, err
	}
	n := 0
	for _, rec := range due {
		if ctx.Err() != nil {
			return n, ctx.Err()
		}
		if err := r.collect(ctx, rec); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

// collect goes one step with one receipt and writes where it stands.
func (r receipts) collect(ctx context.Context, rec *core.Record) error {
	w, err := r.store.ByPayout(ctx, rec.GetString("institution"), rec.GetString("out_bill_no"))
	if err != nil {
		return err
	}
	conn, err := r.store.Connection(ctx, w.Order.Institution, w.Order.Channel)
	if err != nil {
		return err
	}
	var got channels.Receipt
	port, err := channels.As[channels.Receipts](conn)
	if err == nil {
		got, err = port.Receipt(ctx, w.Transfer.No, w.Transfer.Theirs, rec.GetString("token"))
	}
	tries := rec.GetInt("tries") + 1
	rec.Set("tries", tries)
	switch {
	case err != nil:
		rec.Set("message", err.Error())
		rec.Set("next_at", r.now().Add(receiptWait*time.Duration(min(tries, 30))))
	case got.State == channels.ReceiptReady:
		sum := sha256.Sum256(got.PDF)
		file, err := filesystem.NewFileFromBytes(got.PDF, w.Transfer.No+".pdf")
		if err != nil {
			return err
		}
		rec.Load(map[string]any{"state": "ready", "file": file, "sha256": hex.EncodeToString(sum[:]), "token": "", "message": "", "next_at": ""})
	case got.State == channels.ReceiptFailed:
		rec.Load(map[string]any{"state": "failed", "message": got.Message, "next_at": ""})
	default:
		rec.Load(map[string]any{"state": "generating", "token": got.Token, "next_at": r.now().Add(receiptWait)})
	}
	if tries >= receiptTries && rec.GetString("state") != "ready" {
		rec.Set("state", "failed")
	}
	return r.app.Save(rec)
}
