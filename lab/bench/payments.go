package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"hospay/collections"
	"hospay/lab/demo"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/tools/types"
)

// tills measures payments: how many are settled end to end, and what the price
// question costs us.
type tills struct {
	*bench
	db      *dbx.DB // looked at, never written
	waiting sync.WaitGroup
}

// measurePayments has patients pay bills through both channels, half of them with
// insurance. They pay as soon as their page could, which the benchmark sees in the
// database.
func (b *bench) measurePayments(load time.Duration, settleOnly bool) error {
	t := &tills{bench: b}
	var err error
	if t.db, err = collections.Connect(filepath.Join(b.dir, "data.db")); err != nil {
		return err
	}
	defer t.db.Close()
	ctx, cancel := context.WithCancel(context.Background())
	defer t.waiting.Wait()
	defer cancel()
	t.waiting.Go(func() { t.patients(ctx) })
	if err := t.settle(3 * load); err != nil || settleOnly {
		return err
	}
	for _, clients := range []int{1, 16} {
		if err := t.quiet(2 * time.Minute); err != nil {
			return err
		}
		if err := t.price(clients, 2*load); err != nil {
			return err
		}
	}
	return nil
}

// patients pay what can be paid.
func (t *tills) patients(ctx context.Context) {
	paid := map[string]bool{}
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 32}}
	slots := make(chan struct{}, 8)
	for ctx.Err() == nil {
		var rows []struct {
			Channel string `db:"channel"`
			No      string `db:"out_trade_no"`
		}
		_ = t.db.Select("channel", "out_trade_no").From("payment_orders").Where(dbx.HashExp{"status": "paying"}).All(&rows)
		for _, r := range rows {
			if paid[r.No] {
				continue
			}
			paid[r.No] = true
			base := t.at.WeChat
			if r.Channel == "alipay" {
				base = t.at.Alipay
			}
			slots <- struct{}{}
			t.waiting.Go(func() {
				defer func() { <-slots }()
				if res, err := client.Post(base+"/_sim/pay/"+r.No, "application/json", nil); err == nil {
					res.Body.Close()
				}
			})
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func (t *tills) count(states string) (n int, err error) {
	err = t.db.NewQuery("SELECT COUNT(*) FROM payment_orders WHERE status " + states).Row(&n)
	return n, err
}

// apply has clients make orders for a while, each for patients of its own.
func (t *tills) apply(clients int, load time.Duration, wait bool, insured func(int) bool) (made int64, failed error) {
	end := time.Now().Add(load)
	var wg sync.WaitGroup
	var n atomic.Int64
	var mu sync.Mutex
	for c := range clients {
		wg.Go(func() {
			for i := c; time.Now().Before(end); i += clients {
				// the first twenty are the ones with something odd about their insurance
				if err := t.one(t.people[20+i%(len(t.people)-20)], insured(i), wait); err != nil {
					mu.Lock()
					failed = err
					mu.Unlock()
					return
				}
				n.Add(1)
			}
		})
	}
	wg.Wait()
	return n.Load(), failed
}

// one is everything that a patient does for one bill; with wait they look at the
// page until it can be paid.
func (t *tills) one(who *demo.Person, insured, wait bool) error {
	ctx := context.Background()
	p := &demo.Payer{Person: who, API: t.api, At: t.at}
	bill, err := p.Bill(ctx, false, insured, 10_000, 0)
	if err == nil && insured {
		if err = p.Identify(ctx, bill); err == nil {
			err = p.Authorise(ctx)
		}
	}
	if err != nil {
		return err
	}
	order, err := p.Order(ctx, "", bill, insured)
	for err == nil && wait && !t.payable(order.ID) {
		time.Sleep(5 * time.Millisecond)
	}
	return err
}

// payable: the page shows who pays what, or there is nothing more to wait for.
func (t *tills) payable(order string) bool {
	var n int
	err := t.db.Select("COUNT(*)").From("payment_orders").Where(dbx.HashExp{"id": order,
		"status": []any{"created", "identified", "uploading", "priced", "opening"}}).Row(&n)
	return err != nil || n == 0
}

// settle counts payments that went the whole way, bill to receipt, while patients
// keep coming, and until the last one.
func (t *tills) settle(load time.Duration) error {
	for _, kind := range []struct {
		name    string
		insured func(int) bool
		aim     string
	}{
		{"self-pay", func(int) bool { return false }, ""},
		{"with insurance", func(int) bool { return true }, ""},
		{"half with insurance", func(i int) bool { return i/2%2 == 0 }, "≥ 40"},
	} {
		before, err := t.count("= 'done'")
		if err != nil {
			return err
		}
		begin, cpu := time.Now(), used(t.server.Process.Pid)
		if _, err := t.apply(16, load, false, kind.insured); err != nil {
			return err
		}
		for {
			open, err := t.count("NOT IN ('done', 'cancelled', 'expired', 'refunded', 'part_refunded', 'suspense')")
			if err != nil {
				return err
			}
			if open == 0 {
				break
			}
			if time.Since(begin) > load+2*time.Minute {
				return fmt.Errorf("%d payments stay under way", open)
			}
			time.Sleep(50 * time.Millisecond)
		}
		after, err := t.count("= 'done'")
		if err != nil {
			return err
		}
		t.add("payments settled end to end, both channels, "+kind.name, float64(after-before)/time.Since(begin).Seconds(), "payments/s", kind.aim)
		t.add("processor time of the server a payment, "+kind.name,
			float64((used(t.server.Process.Pid)-cpu).Microseconds())/1000/float64(max(after-before, 1)), "ms", "")
	}
	return nil
}

// used is the processor time of a process so far.
func used(pid int) time.Duration {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(data[bytes.LastIndexByte(data, ')')+1:]))
	if len(fields) < 13 {
		return 0
	}
	var ticks int64
	for _, f := range fields[11:13] { // user and system, in hundredths of a second
		n, _ := strconv.ParseInt(f, 10, 64)
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}

// price measures our own time of the price question: from the intent of 6201
// until 6202 has told who pays what, without what the centre worked on both.
func (t *tills) price(clients int, load time.Duration) error {
	begin := time.Now()
	if _, err := t.apply(clients, load, true, func(int) bool { return true }); err != nil {
		return err
	}
	var rows []struct {
		Upload string         `db:"upload"`
		Price  string         `db:"price"`
		From   types.DateTime `db:"from_at"`
		To     types.DateTime `db:"to_at"`
	}
	err := t.db.NewQuery("SELECT u.no AS upload, p.no AS price, a.created AS from_at, z.created AS to_at FROM payment_events a " +
		"JOIN payment_events z ON z.`order` = a.`order` AND z.event = 'insurance.priced' JOIN payment_calls u ON u.`order` = a.`order` AND " +
		"u.kind = 'upload' JOIN payment_calls p ON p.`order` = a.`order` AND p.kind = 'price' WHERE a.event = 'order.uploading' AND " +
		"a.created >= {:since}").Bind(dbx.Params{"since": begin.UTC().Format(types.DefaultDateLayout)}).All(&rows)
	if err != nil {
		return err
	}
	centre, err := t.centre()
	if err != nil {
		return err
	}
	var own, whole []time.Duration
	for _, r := range rows {
		took := r.To.Time().Sub(r.From.Time())
		whole = append(whole, took)
		own = append(own, max(took-centre[r.Upload]-centre[r.Price], 0))
	}
	if len(own) < 20 {
		return fmt.Errorf("only %d prices were asked for", len(own))
	}
	name, aim := fmt.Sprintf("price question (6201 and 6202), %d clients, ", clients), ""
	if clients == 16 {
		aim = "≤ 15"
	}
	t.add(name+"own time, p50", ms(own, 50), "ms", "")
	t.add(name+"own time, p95", ms(own, 95), "ms", aim)
	t.add(name+"with the centre, p95", ms(whole, 95), "ms", "")
	return nil
}

// centre is how long the centre's simulator has worked on each number.
func (t *tills) centre() (map[string]time.Duration, error) {
	res, err := http.Get(t.at.Centre + "/_sim/requests")
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	var log struct {
		Requests []struct {
			Op   string `json:"op"`
			No   string `json:"no"`
			Took int64  `json:"took_us"`
		} `json:"requests"`
	}
	if err := json.NewDecoder(res.Body).Decode(&log); err != nil {
		return nil, err
	}
	out := map[string]time.Duration{}
	for _, r := range log.Requests {
		if r.Op == "6201" || r.Op == "6202" {
			out[r.No] += time.Duration(r.Took) * time.Microsecond
		}
	}
	return out, nil
}
