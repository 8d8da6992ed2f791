package invariant

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/tools/types"
)

// Load reads our books from the database.
func Load(db dbx.Builder) (Books, error) {
	var b Books
	var orders []struct {
		ID            string `db:"id"`
		No            string `db:"no"`
		Status        string `db:"status"`
		Compensates   string `db:"compensates"`
		SuspendedFrom string `db:"suspended_from"`
		FailCode      string `db:"fail_code"`
		Amount        int64  `db:"amount"`
		Card          string `db:"card_no"`
	}
	if err := db.Select("id", "no", "status", "compensates", "suspended_from", "fail_code", "amount", "card_no").From("refund_orders").
		OrderBy("created", "no").All(&orders); err != nil {
		return b, err
	}
	at := map[string]*Order{}
	b.Orders = make([]Order, len(orders))
	for i, o := range orders {
		b.Orders[i] = Order{ID: o.ID, No: o.No, Status: o.Status, Compensates: o.Compensates, SuspendedFrom: o.SuspendedFrom,
			FailCode: o.FailCode, Amount: o.Amount, Card: o.Card}
		at[o.ID] = &b.Orders[i]
	}
	for _, load := range []func(dbx.Builder, map[string]*Order) error{loadCalls, loadPayouts, loadEvents, loadNotices} {
		if err := load(db, at); err != nil {
			return b, err
		}
	}
	var err error
	b.Payments, err = loadPayments(db)
	return b, err
}

type callRow struct {
	Order   string         `db:"order"`
	Kind    string         `db:"kind"`
	No      string         `db:"no"`
	Amount  int64          `db:"amount"`
	State   string         `db:"state"`
	Created types.DateTime `db:"created"`
}

func (r callRow) call() Call {
	return Call{No: r.No, Amount: r.Amount, State: r.State, Created: r.Created.Time()}
}

func loadCalls(db dbx.Builder, at map[string]*Order) error {
	var rows []callRow
	if err := db.NewQuery("SELECT `order`, kind, no, amount, state, created FROM his_calls ORDER BY created").All(&rows); err != nil {
		return err
	}
	for _, r := range rows {
		o := at[r.Order]
		if o == nil {
			return fmt.Errorf("his_calls %s belongs to no order", r.No)
		}
		if r.Kind == "debit" {
			o.Debits = append(o.Debits, r.call())
		} else {
			o.Reversals = append(o.Reversals, r.call())
		}
	}
	return nil
}

func loadPayouts(db dbx.Builder, at map[string]*Order) error {
	var rows []callRow
	if err := db.NewQuery("SELECT `order`, '' AS kind, out_bill_no AS no, amount, state, created FROM transfer_orders ORDER BY created, " +
		"attempt").All(&rows); err != nil {
		return err
	}
	for _, r := range rows {
		o := at[r.Order]
		if o == nil {
			return fmt.Errorf("transfer_orders %s belongs to no order", r.No)
		}
		o.Payouts = append(o.Payouts, r.call())
	}
	return nil
}

// eventRow is a row of a history.
type eventRow struct {
	Order     string `db:"order"`
	Seq       int    `db:"seq"`
	From      string `db:"from"`
	To        string `db:"to"`
	Event     string `db:"event"`
	ActorKind string `db:"actor_kind"`
	Actor     string `db:"actor"`
	Code      string `db:"code"`
	Message   string `db:"message"`
	Hash      string `db:"hash"`
	Created   string `db:"created"`
}

// follows is the event as it follows others.
func (r eventRow) follows(events []Event) Event {
	prev := ""
	if n := len(events); n > 0 {
		prev = events[n-1].Hash
	}
	text := strings.Join([]string{prev, r.Order, fmt.Sprint(r.Seq), r.From, r.To, r.Event, r.ActorKind, r.Actor, r.Code, r.Message,
		r.Created}, "\x00")
	sum := sha256.Sum256([]byte(text))
	return Event{Seq: r.Seq, From: r.From, To: r.To, Name: r.Event, Hash: r.Hash, Want: hex.EncodeToString(sum[:])}
}

func loadEvents(db dbx.Builder, at map[string]*Order) error {
	var rows []eventRow
	if err := db.NewQuery("SELECT * FROM refund_events ORDER BY `order`, seq").All(&rows); err != nil {
		return err
	}
	for _, r := range rows {
		o := at[r.Order]
		if o == nil {
			return fmt.Errorf("refund_events of %s belong to no order", r.Order)
		}
		switch r.Event {
		case "payout.by_hand":
			o.PaidByHand, o.Squared = true, r.Code == "looked"
		case "his.by_hand":
			o.RestoredByHand, o.LookedUp, o.Squared = true, r.Code == "his_cannot_be_asked", r.Code == "looked"
		}
		o.Events = append(o.Events, r.follows(o.Events))
	}
	return nil
}

func loadNotices(db dbx.Builder, at map[string]*Order) error {
	var rows []struct {
		Order string `db:"order"`
		What  string `db:"what"`
	}
	err := db.NewQuery("SELECT `order`, event || '/' || round || '/' || via AS what FROM notifications WHERE state = 'sent' AND staff = " +
		"FALSE AND `order` != ''").All(&rows)
	if err != nil {
		return err
	}
	for _, r := range rows {
		if o := at[r.Order]; o != nil {
			o.Notices = append(o.Notices, r.What)
		}
	}
	return nil
}

var client = &http.Client{Timeout: 30 * time.Second}

// Sides are the addresses of the simulators. A hospital that has moved has two of
// HIS.
type Sides struct{ HIS, Channels, Centres []string }

// One are the sides of a hospital with one HIS.
func One(his, centre string, channels ...string) Sides {
	return Sides{HIS: []string{his}, Channels: channels, Centres: []string{centre}}
}

// Fetch reads the ledgers and the request logs of the simulators.
func Fetch(at Sides) (Ledgers, error) {
	var l Ledgers
	for i, base := range slices.Concat(at.HIS, at.Channels, at.Centres) {
		var ledger struct {
			Entries []Entry `json:"entries"`
		}
		var log struct {
			Requests []Request `json:"requests"`
		}
		if err := get(base+"/_sim/ledger", &ledger); err != nil {
			return l, err
		}
		if err := get(base+"/_sim/requests", &log); err != nil {
			return l, err
		}
		switch {
		case i < len(at.HIS):
			l.HIS = append(l.HIS, ledger.Entries...)
		case i < len(at.HIS)+len(at.Channels):
			l.Channels = append(l.Channels, ledger.Entries...)
		default:
			l.Centre = append(l.Centre, ledger.Entries...)
			for n := range log.Requests {
				log.Requests[n].Side = "centre"
			}
		}
		l.Requests = append(l.Requests, log.Requests...)
	}
	return l, nil
}

func get(url string, into any) error {
	res, err := client.Get(url)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %d", url, res.StatusCode)
	}
	return json.Unmarshal(data, into)
}
