package books

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"hospay/channels"
	"hospay/collections"
	"hospay/flow"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

const (
	receiptBatch  = 50
	receiptWait   = 2 * time.Minute // WeChat asks not to poll faster
	receiptTries  = 60
	receiptBroken = 10 * time.Minute // until a configuration that cannot be used is looked at again
)

// CollectReceipts collects the electronic receipt (电子回单) of every transfer
// that succeeded, before the channel lets it expire. What is broken at one
// institution or channel is named in the error, waits, and stops no other.
func (s *Service) CollectReceipts(ctx context.Context) (n int, err error) {
	if err := s.Store.OpenReceipts(ctx, receiptBatch*4); err != nil {
		return 0, err
	}
	due, err := s.App.FindRecordsByFilter(collections.Receipts, `state != "ready" && state != "failed" && next_at <= {:now}`, "next_at",
		receiptBatch, 0, dbx.Params{"now": stamp(s.now())})
	if err != nil {
		return 0, err
	}
	told := map[string]bool{}
	for _, rec := range due {
		if ctx.Err() != nil {
			return n, errors.Join(err, ctx.Err())
		}
		e := s.collect(ctx, rec)
		if e == nil {
			n++
			continue
		}
		rec.Set("message", clip(flow.WordsOf(e), 500))
		rec.Set("next_at", s.now().Add(receiptBroken))
		e = fmt.Errorf("机构 %s：%w", rec.GetString("institution"), e)
		if !told[e.Error()] {
			told[e.Error()], err = true, errors.Join(err, e)
		}
		err = errors.Join(err, s.App.Save(rec))
	}
	return n, err
}

// collect goes one step with one receipt and writes where it stands. An error is
// ours, not the channel's: it was no try.
func (s *Service) collect(ctx context.Context, rec *core.Record) error {
	w, err := s.Store.ByPayout(ctx, rec.GetString("institution"), rec.GetString("out_bill_no"))
	if err != nil {
		return err
	}
	conn, err := s.Store.ConnectionOf(ctx, w.Transfer.Connection) // the merchant that has paid has the receipt
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
		rec.Set("next_at", s.now().Add(receiptWait*time.Duration(min(tries, 30))))
	case got.State == channels.ReceiptReady:
		sum := sha256.Sum256(got.PDF)
		file, err := s.Store.SealReceipt(rec.Id, w.Transfer.No+".pdf", bytes.NewReader(got.PDF))
		if err != nil {
			return err
		}
		rec.Load(map[string]any{"state": "ready", "file": file, "sha256": hex.EncodeToString(sum[:]), "token": "", "message": "", "next_at": ""})
	case got.State == channels.ReceiptFailed:
		rec.Load(map[string]any{"state": "failed", "message": got.Message, "next_at": ""})
	default:
		rec.Load(map[string]any{"state": "generating", "token": got.Token, "next_at": s.now().Add(receiptWait)})
	}
	if tries >= receiptTries && rec.GetString("state") != "ready" {
		rec.Set("state", "failed")
	}
	return s.App.Save(rec)
}
