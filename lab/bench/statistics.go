package main

import (
	"context"
	"fmt"
	"net/url"
	"path/filepath"
	"time"
)

// measureStatistics times the statistics of a year and the work queue with its
// filters, as the console asks for them.
func (b *bench) measureStatistics(n int, staff string) error {
	now := time.Now()
	year := "from=" + now.AddDate(-1, 0, 0).Format(time.DateOnly) + "&to=" + now.Format(time.DateOnly)
	day := "&from=" + now.AddDate(0, 0, -30).Format(time.DateOnly) + "&to=" + now.AddDate(0, 0, -30).Format(time.DateOnly)
	found := map[string]string{}
	for name, text := range map[string]string{"a number": fmt.Sprintf("B%020d", n/2), "a number of a payment": fmt.Sprintf("PB%018d", n/2),
		"a number of the channel": fmt.Sprintf("42%018d", n/2), "a name": b.people[1].Name, "a phone": b.people[1].Phone,
		"four digits of a phone": b.people[1].Phone[7:]} {
		var answer struct{ Find string }
		if err := b.api.Call(context.Background(), "POST", "/api/hospay/find", staff, map[string]string{"text": text}, &answer); err != nil {
			return err
		}
		found[name] = url.QueryEscape(answer.Find)
	}
	for _, q := range []struct{ name, path, aim string }{
		{"search by a number", "/api/hospay/queue?find=" + found["a number"], "≤ 30"},
		{"search by a name", "/api/hospay/queue?find=" + found["a name"], "≤ 30"},
		{"search by a phone", "/api/hospay/queue?find=" + found["a phone"], "≤ 30"},
		{"search by four digits of a phone", "/api/hospay/queue?find=" + found["four digits of a phone"], "≤ 30"},
		{"payments, search by a number", "/api/hospay/payments?find=" + found["a number of a payment"], "≤ 30"},
		{"payments, search by a number of the channel", "/api/hospay/payments?find=" + found["a number of the channel"], "≤ 30"},
		{"payments, search by a name", "/api/hospay/payments?find=" + found["a name"], "≤ 30"},
		{"statistics of a year", "/api/hospay/stats/refunds?" + year, "≤ 500"},
		{"statistics, a cell's orders", "/api/hospay/stats/refunds/detail?state=refunded&channel=wechat" + day, "≤ 500"},
		{"queue counts", "/api/hospay/queue/counts", "≤ 30"},
		{"queue, a state of a day", "/api/hospay/queue?status=rejected" + day, "≤ 30"},
		{"queue, a card", "/api/hospay/queue?card_no=" + cardOfPast, "≤ 30"},
		{"queue, amounts of a day", "/api/hospay/queue?amount_min=50000&amount_max=60000&method=transfer" + day, "≤ 30"},
		{"queue, exceptions", "/api/hospay/queue?tab=exceptions", "≤ 30"},
		{"queue, all that succeeded, newest", "/api/hospay/queue?tab=succeeded&sort=newest", "≤ 30"},
	} {
		var took []time.Duration
		for range 30 {
			begin := time.Now()
			if err := b.api.Call(context.Background(), "GET", q.path, staff, nil, nil); err != nil {
				return err
			}
			took = append(took, time.Since(begin))
		}
		b.add(fmt.Sprintf("p95, %dk orders, %s", n/1000, q.name), ms(took, 95), "ms", q.aim)
	}
	return nil
}

// measureExport exports 500,000 orders as a job, and reads the server's
// highest memory.
func (b *bench) measureExport() error {
	finance, err := b.api.Staff(context.Background(), "finance")
	if err != nil {
		return err
	}
	from := time.Now().Add(-500_000 * 31 * time.Second).Format(time.DateOnly)
	var job struct {
		ID    string `json:"id"`
		State string `json:"state"`
		Rows  int    `json:"rows"`
		Size  int    `json:"size"`
		Error string `json:"error"`
	}
	if err := b.api.Call(context.Background(), "POST", "/api/hospay/exports", finance,
		map[string]any{"report": "refunds", "params": map[string]string{"from": from}}, &job); err != nil {
		return err
	}
	before, err := memory(b.server.Process.Pid, "VmHWM:")
	if err != nil {
		return err
	}
	begin := time.Now()
	for job.State != "done" {
		time.Sleep(200 * time.Millisecond)
		if err := b.api.Call(context.Background(), "GET", "/api/hospay/exports/"+job.ID, finance, nil, &job); err != nil {
			return err
		}
		if job.Error != "" || time.Since(begin) > 20*time.Minute {
			return fmt.Errorf("export is %s: %s", job.State, job.Error)
		}
	}
	took := time.Since(begin).Seconds()
	peak, err := memory(b.server.Process.Pid, "VmHWM:")
	b.add("export, rows", float64(job.Rows), "rows", "")
	b.add("export, time", took, "s", "≤ 120")
	b.add("export, file", float64(job.Size)/(1<<20), "MiB", "")
	b.add("export, highest memory of the server before", before, "MiB", "")
	if err != nil {
		return err
	}
	b.add("export, highest memory of the server after", peak, "MiB", "≤ 400")
	return b.besideBareSheet(filepath.Join(b.dir, "exports", job.ID+".xlsx"), took, peak)
}
