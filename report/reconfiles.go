package report

import (
	"bufio"
	"cmp"
	"compress/gzip"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"hospay/calendar"
	"hospay/money"
	"hospay/reconcile"
)

// jsonEntry is an order in one book.
type jsonEntry struct {
	Amount money.Fen `json:"amount"` // fen
	Status string    `json:"status"`
	Time   string    `json:"time"` // RFC 3339, Beijing
}

// jsonDifference is one line of the JSON file.
type jsonDifference struct {
	Kind     string     `json:"kind"`
	Also     []string   `json:"also"`
	OrderNo  string     `json:"order_no"`
	BillNo   string     `json:"out_bill_no"`
	HISNo    string     `json:"his_refund_no"`
	Platform *jsonEntry `json:"platform"`
	Channel  *jsonEntry `json:"channel"`
	HIS      *jsonEntry `json:"his"`
	Explain  string     `json:"explain"`
}

// jsonSummary is the last line of the JSON file.
type jsonSummary struct {
	Date        string                   `json:"date"`
	Platform    reconcile.Sum            `json:"platform"`
	Channel     reconcile.Sum            `json:"channel"`
	HIS         reconcile.Sum            `json:"his"`
	Differences map[string]int           `json:"differences"`
	Rejects     int                      `json:"rejects"`
	Orders      int                      `json:"orders"`
	Matched     int                      `json:"matched"`
	Overage     money.Fen                `json:"overage"`
	Shortage    money.Fen                `json:"shortage"`
	Other       reconcile.Sum            `json:"other_business"`
	Unbilled    reconcile.Sum            `json:"without_bill"`
	SetAside    map[string]reconcile.Sum `json:"set_aside"`
	Repeated    []string                 `json:"repeated_files"`
}

// WriteJSON writes one JSON object a line: the differences, the rejected
// lines, the summary.
func (r Recon) WriteJSON(w io.Writer) error {
	buf := bufio.NewWriter(w)
	enc := json.NewEncoder(buf)
	enc.SetEscapeHTML(false)
	for _, d := range r.Result.Differences {
		if err := enc.Encode(jsonOf(d)); err != nil {
			return fmt.Errorf("report: json: %w", err)
		}
	}
	for _, j := range r.Rejects {
		if err := enc.Encode(map[string]Rejected{"reject": j}); err != nil {
			return fmt.Errorf("report: json: %w", err)
		}
	}
	if err := enc.Encode(map[string]jsonSummary{"summary": r.jsonSummary()}); err != nil {
		return fmt.Errorf("report: json: %w", err)
	}
	return buf.Flush()
}

func jsonOf(o reconcile.Order) jsonDifference {
	d := jsonDifference{Kind: o.Kind.String(), Also: []string{}, OrderNo: o.OrderNo, BillNo: o.BillNo, HISNo: o.HISNo, Explain: o.Explain}
	for _, k := range o.Also {
		d.Also = append(d.Also, k.String())
	}
	for b, to := range map[reconcile.Book]**jsonEntry{reconcile.Platform: &d.Platform, reconcile.Channel: &d.Channel, reconcile.HIS: &d.HIS} {
		if e := o.Books[b]; e != nil {
			*to = &jsonEntry{e.Amount, e.Status.String(), time.Unix(e.At, 0).In(calendar.Beijing).Format(time.RFC3339)}
		}
	}
	return d
}

func (r Recon) jsonSummary() jsonSummary {
	s := &r.Result.Summary
	out := jsonSummary{Date: s.Day, Platform: s.Books[reconcile.Platform], Channel: s.Books[reconcile.Channel], HIS: s.Books[reconcile.HIS],
		Differences: map[string]int{}, Rejects: len(r.Rejects), Orders: s.Orders, Matched: s.Matched, Overage: s.Overage, Shortage: s.Shortage,
		Other: s.Other, Unbilled: s.Unbilled, SetAside: map[string]reconcile.Sum{}, Repeated: []string{}}
	for _, k := range reconcile.Kinds() {
		if n := s.Differences[k]; n > 0 {
			out.Differences[k.String()] = n
		}
	}
	for _, b := range reconcile.Books {
		out.SetAside[b.String()] = s.SetAside[b]
	}
	for _, f := range r.Files {
		if f.Repeated {
			out.Repeated = append(out.Repeated, f.Name)
		}
	}
	return out
}

// WriteLines writes every order as CSV, packed by gzip, with a BOM so that a
// spreadsheet reads the Chinese.
func (r Recon) WriteLines(w io.Writer) error {
	packed, err := gzip.NewWriterLevel(w, gzip.BestSpeed)
	if err != nil {
		return err
	}
	if _, err := io.WriteString(packed, "\ufeff"); err != nil {
		return fmt.Errorf("report: lines: %w", err)
	}
	out := csv.NewWriter(packed)
	head := []string{}
	for _, c := range LineColumns {
		head = append(head, c.Name)
	}
	if err := out.Write(append(head, "说明")); err != nil {
		return fmt.Errorf("report: lines: %w", err)
	}
	rec := make([]string, 0, len(head)+1)
	err = r.Result.Each(func(o reconcile.Order) error {
		rec = rec[:0]
		for _, c := range lineCells(o) {
			rec = append(rec, csvCell(c))
		}
		return out.Write(append(rec, Safe(o.Explain)))
	})
	out.Flush()
	if err != nil || out.Error() != nil {
		return fmt.Errorf("report: lines: %w", cmp.Or(err, out.Error()))
	}
	return packed.Close()
}

func csvCell(c any) string {
	switch v := c.(type) {
	case money.Fen:
		return v.Yuan()
	case string:
		return Safe(v)
	}
	return ""
}
