package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"hospay/collections"
	"hospay/lab/demo"
)

// world is a data folder with the people who are logged in there.
type world struct {
	dir    string
	people []*demo.Person
}

// measureBig fills the database with what years leave behind, and has patients
// apply beside an empty one, turn by turn. events are those of all orders.
func (b *bench) measureBig(load time.Duration, orders, events int) error {
	b.stopServer()
	full := world{b.dir, b.people}
	if err := b.seed(filepath.Join(b.work, "empty")); err != nil {
		return err
	}
	if _, err := b.start(); err != nil {
		return err
	}
	if err := b.login(len(full.people)); err != nil {
		return err
	}
	b.stopServer()
	empty := world{b.dir, b.people}
	b.dir, b.people = full.dir, full.people
	began := time.Now()
	if err := b.plant(orders); err != nil {
		return err
	}
	if err := b.plantEvents(events); err != nil {
		return err
	}
	fmt.Printf("planted %d orders and %d events in %.0f s\n", orders, events, time.Since(began).Seconds())
	name := fmt.Sprintf("with %dk orders and %dk events", orders/1000, events/1000)
	if _, err := b.start(); err != nil {
		return err
	}
	if err := b.termsMade(10 * time.Minute); err != nil {
		return err
	}
	if err := b.measureIdle(name, load); err != nil {
		return err
	}
	b.stopServer()
	var rates, ratios, p95, p95Empty []float64
	for range pairs {
		var rate [2]float64
		for i, w := range []world{full, empty} {
			b.dir, b.people = w.dir, w.people
			if _, err := b.start(); err != nil {
				return err
			}
			before, err := b.settled()
			if err != nil {
				return err
			}
			began := time.Now()
			took := b.apply(16, load)
			if err := b.drain(); err != nil {
				return err
			}
			rate[i] = time.Since(began).Seconds()
			after, err := b.settled()
			if err != nil {
				return err
			}
			rate[i] = float64(after-before) / rate[i]
			if i == 0 {
				p95 = append(p95, ms(took, 95))
			} else {
				p95Empty = append(p95Empty, ms(took, 95))
			}
			if err := b.quiet(2 * time.Minute); err != nil {
				return err
			}
			b.stopServer()
		}
		rates, ratios = append(rates, rate[0]), append(ratios, rate[0]/rate[1])
	}
	b.add("settled end to end, "+name, middle(rates), "orders/s", "")
	b.add("settled end to end, "+name+", ratio to an empty database", middle(ratios), "", "≥ 0.9")
	b.add("submit p95, 16 clients, "+name, middle(p95), "ms", "")
	b.add("submit p95, 16 clients, empty database", middle(p95Empty), "ms", "")
	b.dir, b.people = full.dir, full.people
	return b.measureSurvive(name)
}

// termsMade waits until the past is found by names and phones, which is made
// once after an upgrade.
func (b *bench) termsMade(most time.Duration) error {
	db, err := b.look()
	if err != nil {
		return err
	}
	for begin := time.Now(); time.Since(begin) < most; time.Sleep(time.Second) {
		mark, err := collections.ReadTermMark(db)
		if err != nil || mark.Done(collections.RefundOrders, "notify_phone") {
			return err
		}
	}
	return errors.New("the past is not found by names yet")
}

// plantEvents gives past orders the events of one that was settled, over and
// over until there are n.
func (b *bench) plantEvents(n int) error {
	b.forget()
	db, err := openData(b.dir)
	if err != nil {
		return err
	}
	defer db.Close()
	var have int
	if err := db.NewQuery("SELECT COUNT(*) FROM refund_events").Row(&have); err != nil || have >= n {
		return err
	}
	plant := func() error {
		var orders, each int
		if err := db.NewQuery("SELECT COUNT(*) FROM refund_orders WHERE id LIKE 'b%'").Row(&orders); err != nil {
			return err
		}
		pattern := "(SELECT * FROM refund_events WHERE `order` = (SELECT id FROM refund_orders WHERE status = 'succeeded' AND id NOT LIKE 'b%' " +
			"LIMIT 1)) m"
		if err := db.NewQuery("SELECT COUNT(*) FROM " + pattern).Row(&each); err != nil {
			return err
		}
		for round, have := 0, 0; have < n; round++ {
			own := map[string]string{"order": pastID, "seq": fmt.Sprintf("m.seq + %d", each*round),
				"id": fmt.Sprintf("printf('%%02x%%08x%%06x', m.seq + %d, "+spread+")", each*round)}
			if err := copied(db, "refund_events", pattern, own, 0, min(orders, (n-have+each-1)/each)); err != nil {
				return err
			}
			have += orders * each
		}
		return nil
	}
	return unguarded(db, func() error { return unindexed(db, []string{collections.RefundEvents}, plant) })
}
