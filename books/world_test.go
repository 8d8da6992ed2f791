package books_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"hospay/books"
	"hospay/calendar"
	"hospay/cmd"
	"hospay/collections"
	"hospay/internal/vault"
	"hospay/lab/bookgen"
	"hospay/lab/testapp"
	_ "hospay/pb_migrations"
	"hospay/people"
	"hospay/store"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/types"
)

type bookRow = bookgen.Row

const inst = "inst00000000001"

// world is an institution's month: our orders in a database, and the other
// sides' days from which bills are written.
type world struct {
	t     testing.TB
	app   core.App
	svc   *books.Service
	at    time.Time // the clock
	days  map[string]*bookgen.Day
	rnd   *rand.Rand
	n     int
	woken []string
	back  string // what the bill calls a return; empty: 商家转账回退
}

func newWorld(t testing.TB) *world {
	t.Helper()
	app := core.NewBaseApp(core.BaseAppConfig{DataDir: testapp.Migrated(t), DBConnect: collections.Connect})
	if err := errors.Join(app.Bootstrap(), cmd.ThisProgram().Open(app)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = app.ClearBootstrap() })
	w := &world{t: t, app: app, days: map[string]*bookgen.Day{}, rnd: rand.New(rand.NewPCG(7, 7)), at: beijing("2026-12-05", "12:00:00")}
	now := func() time.Time { return w.at }
	collections.SetClock(app, now)
	v, err := vault.Open(vault.NewKeyFile(vault.AlgSM4, true), store.KeyStore{App: app})
	if err = errors.Join(err, v.Ensure(vault.File)); err != nil {
		t.Fatal(err)
	}
	w.svc = &books.Service{App: app, Store: store.New(app, v), Clock: now, Wake: func(_ context.Context, id string, _ people.By) error {
		w.woken = append(w.woken, id)
		return nil
	}}
	for _, tr := range collections.AllTriggers() { // orders of the past are planted; the books' own triggers come back at once
		w.exec("DROP TRIGGER " + tr.Name)
	}
	for _, tr := range collections.ReconTriggers() {
		w.exec(tr.SQL)
	}
	w.insert(collections.Institutions, dbx.Params{"id": inst, "code": "h1", "name": "第一医院", "active": true})
	for _, a := range []books.Actor{anna, bert, {ID: "other account", Person: "p1"}} {
		w.insert(collections.Staff, dbx.Params{"id": a.ID, "institution": inst, "active": true, "roles": `["finance"]`, "name": a.ID,
			"person_index": a.Person, "email": a.ID + "@h1", "tokenKey": a.ID})
	}
	return w
}

func beijing(day, clock string) time.Time {
	at, err := time.ParseInLocation(time.DateTime, day+" "+clock, calendar.Beijing)
	if err != nil {
		panic(err)
	}
	return at
}

func (w *world) exec(sql string) {
	w.t.Helper()
	if _, err := w.app.NonconcurrentDB().NewQuery(sql).Execute(); err != nil {
		w.t.Fatalf("%s: %v", sql, err)
	}
}

func (w *world) insert(table string, row dbx.Params) {
	w.t.Helper()
	if _, err := w.app.NonconcurrentDB().Insert(table, row).Execute(); err != nil {
		w.t.Fatal(err)
	}
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(types.DefaultDateLayout)
}

// order is one refund as the three sides hold it; zero times: that side lacks it.
type order struct {
	id, no, bill, channel, method, status string
	fen                                   int64
	his, paid, channelAt                  time.Time
	hisFen, channelFen                    int64
	hisFailed, foreign                    bool // foreign: our book does not know it
}

// make plans an order that was debited and paid at the given times.
func (w *world) make(his, paid time.Time) order {
	w.n++
	o := order{
		id: fmt.Sprintf("order%010d", w.n), no: fmt.Sprintf("R%020d", w.n), channel: [...]string{"wechat", "alipay"}[w.n%2],
		method: [...]string{"transfer", "transfer", "original"}[w.n%3],
		status: "succeeded", fen: 100 + w.rnd.Int64N(900_000), his: his, paid: paid, channelAt: paid,
	}
	o.bill, o.hisFen, o.channelFen = o.no+"T01", o.fen, o.fen
	return o
}

// day is the other sides' day.
func (w *world) day(at time.Time) *bookgen.Day {
	name := at.In(calendar.Beijing).Format(time.DateOnly)
	if w.days[name] == nil {
		w.days[name] = &bookgen.Day{Date: beijing(name, "00:00:00")}
	}
	return w.days[name]
}

// add writes an order into our database and into the other sides' days.
func (w *world) add(o order) order {
	w.t.Helper()
	if !o.foreign {
		w.insert(collections.RefundOrders, dbx.Params{
			"id": o.id, "no": o.no, "institution": inst, "patient": "p", "card_no": "C" + o.id, "amount": o.fen, "method": o.method,
			"channel": o.channel, "status": o.status,
			"his_refund_no": "H" + o.no, "his_refund_date": stamp(o.his), "paid_at": stamp(o.paid), "created": stamp(o.his), "updated": stamp(o.his),
			"compensates": "", "group": "", "version": 1, "original": "null",
			"payee_name_sealed": "", "payee_account_sealed": "",
		})
		state := "done"
		if o.paid.IsZero() {
			state = "open"
		}
		w.insert(collections.TransferOrders, dbx.Params{"id": "t" + o.id[1:], "order": o.id, "institution": inst, "attempt": 1,
			"out_bill_no": o.bill, "method": o.method, "channel": o.channel, "amount": o.fen, "state": state})
	}
	row := bookgen.Row{Order: o.no, Bill: o.bill, HIS: "H" + o.no, Card: "C" + o.id, Method: o.method, Channel: o.channel, Status: "succeeded",
		No: "42" + o.no, Flow: "F" + o.no}
	if !o.his.IsZero() {
		h, d := row, w.day(o.his)
		h.At, h.Fen = o.his.In(calendar.Beijing), o.hisFen
		if !o.foreign {
			h.Bill = "" // HIS need not know the channel's number
		}
		if o.hisFailed {
			h.Status = "reversed"
		}
		d.HIS = append(d.HIS, h)
	}
	if !o.channelAt.IsZero() {
		row.At, row.Fen = o.channelAt.In(calendar.Beijing), o.channelFen
		d := w.day(o.channelAt)
		switch {
		case o.channel == "wechat" && o.method == "transfer":
			d.Operation = append(d.Operation, row)
		case o.channel == "wechat":
			d.Basic, d.WeChatTrade = append(d.Basic, row), append(d.WeChatTrade, row)
		case o.method == "transfer":
			d.Ledger = append(d.Ledger, row)
		default:
			d.Ledger, d.AlipayTrade = append(d.Ledger, row), append(d.AlipayTrade, row)
		}
	}
	return o
}

// bill is one file of a day.
type bill struct{ source, kind, file string }

var bills = []bill{
	{"his", "statement", "his.csv"}, {"wechat", "fundflow_operation", "fundflow_operation.csv"},
	{"wechat", "fundflow_basic", "fundflow_basic.csv.gz"}, {"wechat", "trade", "trade.csv"},
	{"alipay", "signcustomer", "alipay_ledger.csv.zip"}, {"alipay", "trade", "alipay_trade.csv.zip"},
}

// accept brings the bills of a day that the filter lets through.
func (w *world) accept(day string, which func(bill) bool) {
	w.t.Helper()
	dir := w.t.TempDir()
	if _, err := w.day(beijing(day, "12:00:00")).Write(dir); err != nil {
		w.t.Fatal(err)
	}
	for _, b := range bills {
		if err := w.svc.Await(context.Background(), inst, b.source, b.kind, day, ""); err != nil {
			w.t.Fatal(err)
		}
		if which != nil && !which(b) {
			continue
		}
		_, err := w.svc.Accept(context.Background(), books.Incoming{Institution: inst, Day: day, Source: b.source, Kind: b.kind,
			Path: filepath.Join(dir, b.file), Name: b.file})
		if err != nil {
			w.t.Fatalf("%s %s: %v", day, b.file, err)
		}
	}
}

func (w *world) run(day string) books.Run {
	w.t.Helper()
	r, err := w.svc.Run(context.Background(), inst, books.Deposits, day, books.Actor{})
	if err != nil {
		w.t.Fatalf("%s: %v", day, err)
	}
	return r
}
