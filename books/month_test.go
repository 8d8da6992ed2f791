package books_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"hospay/books"
	"hospay/calendar"

	"github.com/pocketbase/dbx"
)

// plan fills November 2026 with orders: most are plain, some are confirmed the
// next day, some stand on both sides of midnight, some failed; and on every
// side something is planted that must be found. It returns what must be found,
// by day and key.
func (w *world) plan() map[string]string {
	want := map[string]string{}
	for d := beijing("2026-11-01", "00:00:00"); d.Month() == time.November; d = d.AddDate(0, 0, 1) {
		day := d.Format(time.DateOnly)
		at := func(clock string) time.Time { return beijing(day, clock) }
		for i := range 8 {
			his := d.Add(time.Duration(9+i)*time.Hour + time.Duration(w.rnd.IntN(3000))*time.Second)
			w.add(w.make(his, his.Add(10*time.Minute)))
		}
		w.add(w.make(at("20:15:00"), at("20:15:00").Add(13*time.Hour))) // the payee confirms in the morning
		w.add(w.make(at("23:50:00"), at("23:50:00").Add(30*time.Minute)))
		cut := w.make(at("22:00:00"), at("23:59:50"))
		cut.channelAt = cut.paid.Add(25 * time.Second)
		w.add(cut)
		want[day+" "+cut.no], want[d.AddDate(0, 0, 1).Format(time.DateOnly)+" "+cut.no] = "day_cut resolved", "day_cut resolved"
		undone := w.make(at("11:00:00"), time.Time{})
		undone.status, undone.hisFailed = "failed", true
		w.add(undone)
		o, kind := w.plant(d)
		w.add(o)
		key := o.no
		if kind == "only_channel" {
			key = "bill:" + o.bill
		}
		want[day+" "+key] = kind + " open"
		if kind == "day_cut" {
			want[day+" "+key] = "day_cut carried"
		}
	}
	return want
}

// plant makes one order on which the books do not agree.
func (w *world) plant(d time.Time) (order, string) {
	his := d.Add(15 * time.Hour)
	o := w.make(his, his.Add(time.Hour))
	switch d.Day() % 9 {
	case 0:
		o.foreign, o.his = true, time.Time{}
		return o, "only_channel"
	case 1:
		o.foreign, o.channelAt = true, time.Time{}
		return o, "only_his"
	case 2:
		o.channelAt = time.Time{}
		return o, "missing_channel"
	case 3:
		o.his = time.Time{}
		return o, "missing_his"
	case 4:
		o.hisFen += 100
		return o, "amount"
	case 5: // the callback was missed
		o.paid, o.status = time.Time{}, "paying"
		return o, "state"
	case 6:
		o.paid, o.channelAt, o.status = time.Time{}, time.Time{}, "awaiting_payee"
		return o, "day_cut"
	case 7:
		o.foreign = true
		return o, "missing_platform"
	}
	o.his, o.channelAt = time.Time{}, time.Time{}
	return o, "only_platform"
}

// november lists the days.
func november() (days []string) {
	for d := 1; d <= 30; d++ {
		days = append(days, fmt.Sprintf("2026-11-%02d", d))
	}
	return days
}

// standing tells everything that the last runs hold, by day and key.
func (w *world) standing() map[string]string {
	w.t.Helper()
	out := map[string]string{}
	rows, _, err := w.svc.Differences(context.Background(), inst, books.Filter{}, 1, 10_000)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, d := range rows {
		if d.Live {
			out[d.Day+" "+d.Key] = d.Kind + " " + d.State
		}
	}
	return out
}

// figures are the books of a day and the differences as columns of numbers.
func (w *world) figures() (out []string) {
	w.t.Helper()
	for _, day := range november() {
		r, err := w.svc.LastRun(context.Background(), inst, books.Deposits, day)
		if err != nil {
			w.t.Fatal(err)
		}
		out = append(out, fmt.Sprintf("%s %s %v %v", day, r.State, r.Books["platform"], r.Summary.V.Moved))
	}
	var rows []string
	err := w.app.ConcurrentDB().NewQuery("SELECT day || key || kind || state || sign || amount || platform_day || channel_day || his_day " +
		"FROM differences WHERE live = TRUE ORDER BY day, key").Column(&rows)
	if err != nil {
		w.t.Fatal(err)
	}
	return append(out, rows...)
}

// balance proves for every day: platform = channel + differences, and HIS =
// channel + differences, to the fen; and platform = the sum of our own orders.
func (w *world) balance() {
	w.t.Helper()
	for _, day := range november() {
		r, err := w.svc.LastRun(context.Background(), inst, books.Deposits, day)
		if err != nil {
			w.t.Fatal(err)
		}
		var p, c, h, own int64
		db := w.app.ConcurrentDB()
		err = db.NewQuery("SELECT COALESCE(SUM(platform_day), 0), COALESCE(SUM(channel_day), 0), COALESCE(SUM(his_day), 0) FROM differences "+
			"WHERE institution = {:i} AND day = {:d} AND live = TRUE").
			Bind(dbx.Params{"i": inst, "d": day}).Row(&p, &c, &h)
		if err != nil {
			w.t.Fatal(err)
		}
		from := beijing(day, "00:00:00")
		if err := db.NewQuery("SELECT SUM(amount) FROM refund_orders WHERE paid_at >= {:f} AND paid_at < {:t}").
			Bind(dbx.Params{"f": stamp(from), "t": stamp(from.AddDate(0, 0, 1))}).Row(&own); err != nil {
			w.t.Fatal(err)
		}
		platform, channel, his := int64(r.Books["platform"].Amount), int64(r.Books["wechat"].Amount+r.Books["alipay"].Amount),
			int64(r.Books["his"].Amount)
		if platform != own {
			w.t.Errorf("%s: platform's book %d, our orders %d", day, platform, own)
		}
		if platform-channel != p-c || his-channel != h-c {
			w.t.Errorf("%s: platform %d, channel %d, HIS %d; differences %d %d %d", day, platform, channel, his, p, c, h)
		}
	}
}

func (w *world) count(table string) (n int) {
	w.t.Helper()
	if err := w.app.ConcurrentDB().NewQuery("SELECT COUNT(*) FROM " + table).Row(&n); err != nil {
		w.t.Fatal(err)
	}
	return n
}

func sameStanding(t *testing.T, got, want map[string]string) {
	t.Helper()
	for k, v := range want {
		if got[k] != v && !strings.HasPrefix(k, "2026-12") {
			t.Errorf("%s: %q, want %q", k, got[k], v)
		}
	}
	for k, v := range got {
		if want[k] == "" {
			t.Errorf("%s: %s was not planted", k, v)
		}
	}
}

// TestMonth_EverythingMatchesOrIsNamed lives through thirty days: bills come
// in the morning, one day's HIS is missing for long, one bill comes late, one
// is issued again, one file is brought twice.
func TestMonth_EverythingMatchesOrIsNamed(t *testing.T) {
	w := newWorld(t)
	want := w.plan()
	hidden := w.add(w.make(beijing("2026-11-20", "10:00:00"), beijing("2026-11-20", "10:05:00")))
	all := func(bill) bool { return true }
	for _, day := range november() {
		w.at = beijing(day, "11:00:00").AddDate(0, 0, 1)
		which := all
		switch day {
		case "2026-11-12":
			which = func(b bill) bool { return b.source != "his" }
		case "2026-11-16":
			which = func(b bill) bool { return b.source != "alipay" }
		case "2026-11-20":
			w.acceptWithout(day, hidden.no)
			which = func(bill) bool { return false }
		}
		w.accept(day, which)
		if r := w.run(day); (r.State == books.Incomplete) != (day == "2026-11-12" || day == "2026-11-16") {
			t.Errorf("%s is %s: %v", day, r.State, r.Summary.V.Missing)
		}
	}
	if got := w.standing()["2026-11-20 "+hidden.no]; got != "missing_channel open" {
		t.Errorf("before the bill is issued again: %q", got)
	}
	w.at = beijing("2026-12-03", "11:00:00")
	w.accept("2026-11-12", nil)
	w.accept("2026-11-16", nil)
	w.accept("2026-11-20", nil)
	before := w.count("statements")
	w.accept("2026-11-20", nil) // brought twice
	if n := w.count("statements"); n != before {
		t.Errorf("a file brought twice made %d rows", n-before)
	}
	w.accept("2026-12-01", nil)
	for _, day := range []string{"2026-11-12", "2026-11-16", "2026-11-20", "2026-12-01"} {
		w.run(day)
	}
	sameStanding(t, w.standing(), want)
	w.balance()
	runs, acts, figures := w.count("recon_runs"), w.count("resolutions"), w.figures()
	for _, day := range november() {
		w.run(day)
	}
	if w.count("recon_runs") != runs || w.count("resolutions") != acts || !slices.Equal(w.figures(), figures) {
		t.Errorf("a second round changed something: %d runs more, %d acts more", w.count("recon_runs")-runs, w.count("resolutions")-acts)
	}
	w.otherOrder(t, figures)
}

// acceptWithout brings a day's bills as the channel issued them first, without
// one of its orders.
func (w *world) acceptWithout(day, no string) {
	d := w.day(beijing(day, "12:00:00"))
	whole := *d
	keep := *d
	for _, rows := range []*[]bookRow{&keep.Operation, &keep.Basic, &keep.WeChatTrade, &keep.Ledger, &keep.AlipayTrade} {
		*rows = slices.DeleteFunc(slices.Clone(*rows), func(r bookRow) bool { return r.Order == no })
	}
	w.days[day] = &keep
	w.accept(day, nil)
	w.days[day] = &whole
}

// otherOrder lives through the same month in another order: all bills at once,
// the runs in any order. It must end the same.
func (w *world) otherOrder(t *testing.T, figures []string) {
	t.Helper()
	for seed := range uint64(1) {
		o := newWorld(t)
		o.plan()
		o.add(o.make(beijing("2026-11-20", "10:00:00"), beijing("2026-11-20", "10:05:00")))
		days := append(november(), "2026-12-01")
		rand.New(rand.NewPCG(seed, 1)).Shuffle(len(days), func(i, j int) { days[i], days[j] = days[j], days[i] })
		for i, day := range days {
			o.accept(day, nil)
			if i%2 == 0 {
				o.run(day)
			}
		}
		slices.Reverse(days)
		for _, day := range days {
			o.run(day)
		}
		got := o.figures()
		for i := range max(len(got), len(figures)) {
			if i >= len(got) || i >= len(figures) || got[i] != figures[i] {
				t.Fatalf("seed %d, row %d:\n got %s\nwant %s", seed, i, at(got, i), at(figures, i))
			}
		}
	}
}

func at(list []string, i int) string {
	if i < len(list) {
		return list[i]
	}
	return "(none)"
}

// TestMonth_AnswersCloseWhatTheyProve: an order that waits for its payee and
// one whose callback was missed are closed by the next run once our own book
// knows better; money that is sent back later stays with its day.
func TestMonth_AnswersCloseWhatTheyProve(t *testing.T) {
	w := newWorld(t)
	day := "2026-11-10"
	missed := w.make(beijing(day, "10:00:00"), time.Time{})
	missed.status, missed.channelAt = "paying", beijing(day, "10:01:00")
	w.add(missed)
	slow := w.make(beijing(day, "18:00:00"), time.Time{})
	slow.status = "awaiting_payee"
	slow = w.add(slow)
	w.accept(day, nil)
	w.run(day)
	got := w.standing()
	if got[day+" "+missed.no] != "state open" || got[day+" "+slow.no] != "day_cut carried" {
		t.Fatalf("%v", got)
	}
	w.exec("UPDATE refund_orders SET status = 'succeeded', paid_at = '" + stamp(missed.channelAt) + "' WHERE id = '" + missed.id + "'")
	w.exec("UPDATE transfer_orders SET state = 'done'")
	paid := beijing("2026-11-11", "08:00:00")
	w.exec("UPDATE refund_orders SET status = 'succeeded', paid_at = '" + stamp(paid) + "' WHERE id = '" + slow.id + "'")
	bill := bookRow{Order: slow.no, Bill: slow.bill, Method: slow.method, Channel: slow.channel, Status: "succeeded", No: "42" + slow.no,
		Flow: "F" + slow.no, At: paid.In(calendar.Beijing), Fen: slow.fen}
	next := w.day(paid)
	if slow.channel == "wechat" {
		next.Operation = append(next.Operation, bill)
	} else {
		next.Ledger = append(next.Ledger, bill)
	}
	w.accept("2026-11-11", nil)
	if r := w.run("2026-11-11"); r.State != books.Balanced || r.Summary.V.Moved.In.Count != 1 {
		t.Errorf("%s %+v", r.State, r.Summary.V.Moved)
	}
	if got := w.standing(); len(got) != 0 {
		t.Errorf("still there: %v", got)
	}
	for _, o := range []order{missed, slow} {
		var id string
		if err := w.app.ConcurrentDB().NewQuery("SELECT id FROM differences WHERE key = '" + o.no + "'").Row(&id); err != nil {
			t.Fatal(err)
		}
		history, err := w.svc.History(t.Context(), id)
		if err != nil || len(history) != 1 || history[0].Act != "auto" || history[0].Verb != "auto" {
			t.Errorf("%s: %+v %v", o.no, history, err)
		}
	}
}
