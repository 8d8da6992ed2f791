package books

import (
	"bufio"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"hospay/calendar"
	"hospay/money"
	"hospay/reconcile"
)

// Line is one order of the three-way view.
type Line struct {
	OrderNo  string `json:"order_no"`
	BillNo   string `json:"out_bill_no"`
	HISNo    string `json:"his_refund_no"`
	CardNo   string `json:"card_no"`
	Channel  string `json:"channel_name"`
	Method   string `json:"method"`
	Platform *Side  `json:"platform"`
	Bill     *Side  `json:"channel"`
	HIS      *Side  `json:"his"`
	Kind     string `json:"kind"`
}

// Side is what one book says about an order.
type Side struct {
	Amount money.Fen `json:"amount"`
	Status string    `json:"status"`
	Time   string    `json:"time"`
}

func sideOf(e *reconcile.Entry) *Side {
	if e == nil {
		return nil
	}
	return &Side{e.Amount, e.Status.String(), calendar.Clock(time.Unix(e.At, 0))}
}

// clock is the time as sheets show it.
func (v Side) clock() string {
	at, err := time.Parse(time.RFC3339, v.Time)
	if err != nil {
		return ""
	}
	return at.In(calendar.Beijing).Format(time.DateTime)
}

func lineOf(o reconcile.Order) Line {
	l := Line{OrderNo: o.OrderNo, BillNo: o.BillNo, HISNo: o.HISNo, Platform: sideOf(o.Books[reconcile.Platform]),
		Bill: sideOf(o.Books[reconcile.Channel]), HIS: sideOf(o.Books[reconcile.HIS]), Kind: kindOfOrder(o).String()}
	for _, e := range o.Books {
		if e != nil && l.Channel == "" {
			l.Channel, l.Method = e.Channel, e.Method
		}
		if e != nil && l.CardNo == "" {
			l.CardNo = e.CardNo
		}
	}
	return l
}

// writeLines keeps the three-way view as lines of JSON: a day has too many
// orders for rows that nobody changes.
func (s *Service) writeLines(ctx context.Context, run Run, found []reconcile.Order, each eachOrder) (string, error) {
	dir, err := s.Store.TempDir()
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(dir)
	temp, err := os.OpenFile(filepath.Join(dir, "lines"), os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return "", err
	}
	defer temp.Close()
	packed, err := gzip.NewWriterLevel(temp, gzip.BestSpeed)
	if err != nil {
		return "", err
	}
	buf := bufio.NewWriter(packed)
	enc := json.NewEncoder(buf)
	kinds := map[string]string{} // as the differences have them
	for _, o := range found {
		kinds[run.keyOf(o)] = kindOfOrder(o).String()
	}
	err = each(func(o reconcile.Order) error {
		l := lineOf(o)
		if l.Kind != "" {
			l.Kind = kinds[run.keyOf(o)]
		}
		return enc.Encode(l)
	})
	if err := errors.Join(err, buf.Flush(), packed.Close()); err != nil {
		return "", err
	}
	run.Lines = "lines_" + string(run.Ledger) + "_" + run.Day + ".jsonl.gz"
	return run.Lines, s.upload(ctx, run.keptLines(), temp.Name())
}

// appendLine appends a line as fmt's %v writes it, by which days of before were
// summed: a day whose lines are the same is not run anew.
func appendLine(to []byte, l reconcile.Line) []byte {
	text := func(values ...string) {
		for _, v := range values {
			to = append(append(to, v...), ' ')
		}
	}
	flags := func(values ...bool) {
		for _, v := range values {
			to = append(strconv.AppendBool(to, v), ' ')
		}
	}
	to = append(to, '{')
	text(l.OrderNo, l.BillNo, l.HISNo, l.ChannelNo, l.CardNo, l.Amount.String(), l.Method, l.Channel, l.Status.String())
	to = append(strconv.AppendInt(to, l.At, 10), ' ')
	flags(l.OnDay, l.Minus, l.Apart)
	to = append(strconv.AppendUint(to, uint64(l.Source), 10), ' ')
	to = append(strconv.AppendUint(to, uint64(l.File), 10), ' ')
	text(l.Flow, l.Type, l.Name)
	flags(l.Back)
	text(l.Paid.String())
	flags(l.Other)
	return append(append(to, l.Of...), '}')
}
