package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"hospay/calendar"
	"hospay/collections"
	"hospay/lab/bookgen"

	"github.com/pocketbase/dbx"
)

// insideDay is how many days ago the day lies whose books are compared: bills
// are fetched by themselves for younger ones.
const insideDay = 200

// measureInside has the server reconcile a day of n orders whose bills were
// brought as files, and compares it with the command over the same files. While
// the server works, somebody else asks for the writer again and again.
func (b *bench) measureInside(n int) error {
	date := time.Now().In(calendar.Beijing).AddDate(0, 0, -insideDay).Format(time.DateOnly)
	dir := filepath.Join(b.work, "inside")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	day := bookgen.Make(bookgen.Options{Seed: 1, Date: date, Orders: n, Each: 2})
	files, err := day.Write(dir)
	if err != nil {
		return err
	}
	b.stopServer()
	if err := b.plantDay(day.Platform); err != nil {
		return err
	}
	if _, err := b.start(); err != nil {
		return err
	}
	finance, err := b.api.Staff(context.Background(), "finance")
	if err != nil {
		return err
	}
	for _, path := range append([]string{files.HIS}, files.Channels...) {
		began := time.Now()
		if err := b.bring(finance, date, path); err != nil {
			return fmt.Errorf("%s: %w", filepath.Base(path), err)
		}
		b.add("bill brought into the server: "+filepath.Base(path), time.Since(began).Seconds(), "s", "")
	}
	name := fmt.Sprintf("a day of %d orders", n)
	longest, err := b.askForWriter()
	if err != nil {
		return err
	}
	began := time.Now()
	var told struct {
		State       string                                 `json:"state"`
		Differences map[string]struct{ Count, Amount int } `json:"differences"`
		Books       map[string]struct{ Count int }         `json:"books"`
	}
	if err := b.api.Call(context.Background(), "POST", "/api/hospay/recon/"+date+"/run?ledger=deposits", finance, nil, &told); err != nil {
		return err
	}
	inside := time.Since(began).Seconds()
	waited, err := longest()
	if err != nil {
		return err
	}
	if told.State != "differences" || told.Books["platform"].Count < n || told.Books["his"].Count < n {
		return fmt.Errorf("the day was not reconciled: %+v", told)
	}
	b.add(name+", inside the server", inside, "s", "")
	b.add(name+", inside the server, longest wait of another writer", float64(waited.Microseconds())/1000, "ms", "≤ 50")
	if err := b.measureShown(name, date, finance); err != nil {
		return err
	}
	args := []string{"reconcile", "--date", date, "--platform", files.Platform, "--his", files.HIS, "--out", filepath.Join(dir, "out.xlsx")}
	for _, c := range files.Channels {
		args = append(args, "--channel", c)
	}
	var walls []float64
	for range pairs {
		o, err := runReconcile(b.bin, args)
		if err != nil {
			return err
		}
		walls = append(walls, o.wall)
	}
	b.add(name+", the command over the same files", middle(walls), "s", "")
	b.add(name+", ratio of the server to the command", inside/middle(walls), "", "≤ 1.5")
	return nil
}

// measureShown times the pages of a day.
func (b *bench) measureShown(name, date, finance string) error {
	for _, q := range [][2]string{{"day", "recon/" + date + "?ledger=deposits"}, {"differences", "differences?ledger=deposits&day=" + date},
		{"page 900 of its lines", "recon/" + date + "/lines?ledger=deposits&state=matched&page=900"}} {
		var took []time.Duration
		for range 20 {
			began := time.Now()
			if err := b.api.Call(context.Background(), "GET", "/api/hospay/"+q[1], finance, nil, nil); err != nil {
				return err
			}
			took = append(took, time.Since(began))
		}
		b.add(name+", shown: "+q[0]+", p95", ms(took, 95), "ms", "")
	}
	return nil
}

// askForWriter asks for the database's writer every few milliseconds, and tells
// the longest that it had to wait.
func (b *bench) askForWriter() (longest func() (time.Duration, error), err error) {
	db, err := openData(b.dir)
	if err != nil {
		return nil, err
	}
	db.DB().SetMaxOpenConns(1)
	end, done := make(chan struct{}), make(chan struct{})
	var most time.Duration
	var failed error
	go func() {
		defer close(done)
		for {
			select {
			case <-end:
				return
			case <-time.After(2 * time.Millisecond):
			}
			began := time.Now()
			tx, err := db.Begin() // the connection asks for the writer when it begins
			most = max(most, time.Since(began))
			if err == nil {
				err = tx.Rollback()
			}
			failed = firstOf(failed, err)
		}
	}()
	return func() (time.Duration, error) {
		close(end)
		<-done
		return most, firstOf(failed, db.Close())
	}, nil
}

func openData(dir string) (*dbx.DB, error) { return collections.Connect(filepath.Join(dir, "data.db")) }

// plantDay inserts a day of the platform's book.
func (b *bench) plantDay(rows []bookgen.Row) error {
	b.forget()
	db, err := openData(b.dir)
	if err != nil {
		return err
	}
	defer db.Close()
	return unguarded(db, func() error {
		var columns [2][]string
		for i, t := range []string{"refund_orders", "transfer_orders"} {
			if err := db.NewQuery("SELECT name FROM pragma_table_info('" + t + "')").Column(&columns[i]); err != nil {
				return err
			}
		}
		return db.Transactional(func(tx *dbx.Tx) error {
			put := func(table string, all []string, own dbx.Params) error {
				var exprs []string
				for _, c := range all {
					if _, is := own[c]; is {
						exprs = append(exprs, "{:"+c+"}")
					} else {
						exprs = append(exprs, "`"+c+"`")
					}
				}
				_, err := tx.NewQuery("INSERT INTO " + table + " (`" + strings.Join(all, "`,`") + "`) SELECT " + strings.Join(exprs, ",") +
					" FROM " + table + " LIMIT 1").Bind(own).Execute()
				return err
			}
			seen := map[string]bool{}
			for i, r := range rows {
				if seen[r.Order] || seen[r.Bill] { // the table refuses what a file may hold
					continue
				}
				seen[r.Order], seen[r.Bill] = true, true
				at := r.At.UTC().Format("2006-01-02 15:04:05.000Z")
				id, paid := fmt.Sprintf("in%013d", i), at
				if r.Status != "succeeded" {
					paid = ""
				}
				err := put("refund_orders", columns[0], dbx.Params{"id": id, "no": r.Order, "card_no": r.Card, "amount": r.Fen, "method": r.Method,
					"channel": r.Channel, "status": r.Status, "his_refund_no": r.HIS, "his_refund_date": at, "paid_at": paid, "created": at,
					"channel_bill_no": "", "group_seq": 0, "compensates": "", "next_at": "", "lease_until": ""})
				if err != nil {
					return err
				}
				err = put("transfer_orders", columns[1], dbx.Params{"id": id, "order": id, "out_bill_no": r.Bill, "amount": r.Fen,
					"method": r.Method, "channel": r.Channel, "channel_no": "", "paid_at": paid, "created": at, "sent_at": at, "state": "done",
					"package": ""})
				if err != nil {
					return err
				}
			}
			return nil
		})
	})
}

// bring uploads a bill.
func (b *bench) bring(token, day, path string) error {
	source := "wechat"
	switch name := filepath.Base(path); {
	case name == "his.csv":
		source = "his"
	case strings.HasPrefix(name, "alipay"):
		source = "alipay"
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	fields := map[string]string{"day": day, "source": source}
	if strings.Contains(path, "fundflow_basic") {
		fields["kind"] = "fundflow_basic"
	}
	for k, v := range fields {
		if err := form.WriteField(k, v); err != nil {
			return err
		}
	}
	part, err := form.CreateFormFile("file", filepath.Base(path))
	if err != nil {
		return err
	}
	if _, err := part.Write(data); err != nil {
		return err
	}
	if err := form.Close(); err != nil {
		return err
	}
	req, err := http.NewRequest(http.MethodPost, "http://"+b.addr+"/api/hospay/statements", &body)
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", form.FormDataContentType())
	req.Header.Set("Authorization", token)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	var told struct {
		State string `json:"state"`
	}
	if err == nil {
		err = json.Unmarshal(answer, &told)
	}
	if err == nil && told.State != "ready" {
		err = fmt.Errorf("%d %s", res.StatusCode, answer)
	}
	return err
}
