package main

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// measureArchive has patients apply, moves the year into a file, and tells what an
// order takes before and after.
func (b *bench) measureArchive(load time.Duration) error {
	empty, err := b.sizes()
	if err != nil {
		return err
	}
	b.apply(16, 3*load)
	if err := b.drain(); err != nil {
		return err
	}
	if err := b.quiet(2 * time.Minute); err != nil {
		return err
	}
	orders, err := b.settled()
	if err != nil {
		return err
	}
	full, err := b.sizes()
	if err != nil {
		return err
	}
	b.stopServer()
	if err := b.archive("a few orders"); err != nil {
		return err
	}
	left, err := b.sizes()
	if err != nil {
		return err
	}
	sum := func(of map[string]int) (n int) {
		for _, bytes := range of {
			n += bytes
		}
		return n
	}
	b.add("database, a settled order", float64(sum(full)-sum(empty))/float64(orders), "bytes", "")
	b.add("database, a settled order of an archived year", float64(sum(left)-sum(empty))/float64(orders), "bytes", "≤ 3,950")
	return nil
}

// archive moves the year of most orders into a file, and times the history of an
// order before and after.
func (b *bench) archive(name string) error {
	db, err := openData(b.dir)
	if err != nil {
		return err
	}
	var year, order string
	err = db.NewQuery("SELECT substr(datetime(created, '+8 hours'), 1, 4) FROM refund_orders GROUP BY 1 ORDER BY COUNT(*) DESC LIMIT 1").
		Row(&year)
	if err == nil {
		err = db.NewQuery("SELECT id FROM refund_orders WHERE status = 'succeeded' AND created > '" + year + "' LIMIT 1 OFFSET 100").
			Row(&order)
	}
	db.Close()
	if err != nil {
		return err
	}
	if err := b.measureHistory(name+", before", order); err != nil {
		return err
	}
	was, err := os.Stat(filepath.Join(b.dir, "data.db"))
	if err != nil {
		return err
	}
	run := exec.Command(b.bin, "archive", year, "--dir", b.dir)
	run.Env = append(os.Environ(), "HOSPAY_KEY_FILE="+filepath.Join(b.dir, "demo-key.json"),
		"HOSPAY_TEST_DAY="+next(year)+"-04-02T08:00:00+08:00")
	o, err := watch(run)
	if err != nil {
		return err
	}
	is, err := os.Stat(filepath.Join(b.dir, "data.db"))
	if err != nil {
		return err
	}
	b.add("archive of a year, "+name, o.wall, "s", "")
	b.add("archive of a year, "+name+", peak memory", o.peak, "MiB", "")
	b.add("database before, "+name, float64(was.Size())/1e6, "MB", "")
	b.add("database after, "+name, float64(is.Size())/1e6, "MB", "")
	return b.measureHistory(name+", archived", order)
}

func next(year string) string {
	t, _ := time.Parse("2006", year)
	return t.AddDate(1, 0, 0).Format("2006")
}

// measureHistory times what people look at of an order of the past.
func (b *bench) measureHistory(name, order string) error {
	if _, err := b.start(); err != nil {
		return err
	}
	defer b.stopServer()
	reviewer, err := b.api.Staff(context.Background(), "reviewer1")
	if err != nil {
		return err
	}
	auditor, err := b.api.Staff(context.Background(), "auditor")
	if err != nil {
		return err
	}
	for _, q := range []struct{ what, path, token string }{
		{"events of an order", "/api/collections/refund_events/records?sort=seq&filter=" + url.QueryEscape(`order = "`+order+`"`), reviewer},
		{"timeline of an order", "/api/hospay/refunds/" + order + "/timeline", reviewer},
		{"evidence of an order", "/api/hospay/refunds/" + order + "/evidence.zip", auditor},
		{"list of orders, newest", "/api/collections/refund_orders/records?perPage=50&skipTotal=1&sort=-created", reviewer},
	} {
		var took []time.Duration
		for range 40 {
			begin := time.Now()
			if err := b.api.Call(context.Background(), "GET", q.path, q.token, nil, nil); err != nil {
				return fmt.Errorf("%s: %w", q.what, err)
			}
			took = append(took, time.Since(begin))
		}
		b.add(fmt.Sprintf("%s p95, %s", q.what, name), ms(took, 95), "ms", "≤ 30")
	}
	return nil
}
