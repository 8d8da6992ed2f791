package files_test

import (
	"fmt"
	"os"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"hospay/lab/bookgen"
	"hospay/money"
	"hospay/reconcile"
	"hospay/reconcile/files"
)

const date = "2026-11-23"

// compare reads the files of a day and compares them.
func compare(t testing.TB, day bookgen.Files) *reconcile.Result {
	t.Helper()
	e, err := reconcile.New(reconcile.Defaults(date))
	if err != nil {
		t.Fatal(err)
	}
	for i, path := range append([]string{day.Platform, day.HIS}, day.Channels...) {
		which := reconcile.Channel
		if i < 2 {
			which = [...]reconcile.Book{reconcile.Platform, reconcile.HIS}[i]
		}
		sink := files.Sink{
			Line:   func(l *reconcile.Line) error { l.File = uint16(i); return e.Add(which, *l) },
			Reject: func(r files.Reject) error { t.Errorf("rejected: %+v", r); return nil },
		}
		f, size := open(t, path)
		if which != reconcile.Channel {
			_, err = files.ReadTable(files.File{Name: path, Data: f, Size: size}, which, date, sink)
		} else {
			var info files.Info
			if info, err = files.ReadBill(files.File{Name: path, Data: f, Size: size}, date, sink); err == nil {
				err = e.Bill(info.Channel)
			}
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	res, err := e.Run()
	if err != nil {
		t.Fatal(err)
	}
	return res
}

func open(t testing.TB, path string) (*os.File, int64) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	st, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	return f, st.Size()
}

func write(t testing.TB, d *bookgen.Day) bookgen.Files {
	t.Helper()
	files, err := d.Write(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// checkFound sees that every planted difference was found with its kind, and
// that nothing else was reported.
func checkFound(t testing.TB, d *bookgen.Day, res *reconcile.Result) {
	t.Helper()
	found := map[string]string{}
	for _, o := range res.Differences {
		found[o.BillNo] = o.Kind.String()
		if want, ok := d.Want[o.BillNo]; !ok {
			t.Errorf("false alarm: %s %s: %s", o.BillNo, o.Kind, o.Explain)
		} else if want.Kind != o.Kind.String() {
			t.Errorf("%s: got %s %v, want %s: %s", o.BillNo, o.Kind, o.Also, want.Kind, o.Explain)
		}
	}
	for no, p := range d.Want {
		if found[no] == "" {
			t.Errorf("not found: %s %s", no, p.Kind)
		}
	}
	if len(found) != len(res.Differences) {
		t.Errorf("%d differences tell %d orders", len(res.Differences), len(found))
	}
}

// checkBalance sees that the books agree to the fen once the open items are
// taken into account.
func checkBalance(t testing.TB, res *reconcile.Result) {
	t.Helper()
	s := res.Summary
	var open [3]money.Fen
	var n [3]int
	for _, o := range res.Differences {
		for _, b := range reconcile.Books {
			if e := o.Books[b]; e != nil && (b == reconcile.Channel || billed(o)) {
				open[b] += e.OnDay.Amount
				n[b] += e.OnDay.Count
			}
		}
	}
	cash, cashes := [3]money.Fen{}, [3]int{}
	err := res.Each(func(o reconcile.Order) error {
		for _, b := range reconcile.Books {
			if e := o.Books[b]; e != nil && !billed(o) {
				cash[b] += e.OnDay.Amount
				cashes[b] += e.OnDay.Count
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	rest := s.Books[reconcile.Channel].Amount - open[reconcile.Channel]
	count := s.Books[reconcile.Channel].Count - n[reconcile.Channel]
	for _, b := range []reconcile.Book{reconcile.Platform, reconcile.HIS} {
		if got := s.Books[b].Amount - open[b] - cash[b]; got != rest {
			t.Errorf("%s without open items and cash: %s, channel %s", b, got, rest)
		}
		if got := s.Books[b].Count - n[b] - cashes[b]; got != count {
			t.Errorf("%s without open items and cash: %d, channel %d", b, got, count)
		}
	}
}

func billed(o reconcile.Order) bool {
	for _, b := range []reconcile.Book{reconcile.Platform, reconcile.HIS} {
		if e := o.Books[b]; e != nil {
			return o.Books[reconcile.Channel] != nil || e.Channel != "cash"
		}
	}
	return true
}

func all(t testing.TB, res *reconcile.Result) (out []reconcile.Order) {
	t.Helper()
	if err := res.Each(func(o reconcile.Order) error { out = append(out, o); return nil }); err != nil {
		t.Fatal(err)
	}
	return out
}

// TestDay_PlantedDifferencesAreFound plays many days. RECON_SEEDS and
// RECON_ORDERS make it longer: 50 seeds of 100,000 orders take a few minutes.
func TestDay_PlantedDifferencesAreFound(t *testing.T) {
	seeds, orders, each := number("RECON_SEEDS", 50), number("RECON_ORDERS", 300), 2
	if orders > 10_000 {
		each = 20
	}
	for seed := range seeds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			d := bookgen.Make(bookgen.Options{Seed: int64(seed), Date: date, Orders: orders, Each: each, Noise: true})
			first := compare(t, write(t, d))
			checkFound(t, d, first)
			checkBalance(t, first)
			d.Shuffle(int64(seed) + 1000)
			files := write(t, d)
			for i, j := 0, len(files.Channels)-1; i < j; i, j = i+1, j-1 {
				files.Channels[i], files.Channels[j] = files.Channels[j], files.Channels[i]
			}
			again := compare(t, files)
			if !reflect.DeepEqual(first.Summary, again.Summary) || !reflect.DeepEqual(first.Differences, again.Differences) {
				t.Error("shuffled files give another result")
			}
			if orders <= 10_000 && !reflect.DeepEqual(all(t, first), all(t, again)) {
				t.Error("shuffled files list other orders")
			}
		})
	}
}

func number(env string, fallback int) int {
	if n, err := strconv.Atoi(os.Getenv(env)); err == nil {
		return n
	}
	return fallback
}

func TestDay_HundredThousandOrders(t *testing.T) {
	d := bookgen.Make(bookgen.Options{Seed: 99, Date: date, Orders: 100_000, Each: 30, Noise: true})
	files, begin := write(t, d), time.Now()
	res := compare(t, files)
	t.Logf("%d orders, %d differences in %v", res.Summary.Orders, len(res.Differences), time.Since(begin).Round(time.Millisecond))
	checkFound(t, d, res)
	checkBalance(t, res)
}

func TestDay_CleanBooksBalance(t *testing.T) {
	d := bookgen.Make(bookgen.Options{Seed: 5, Date: date, Orders: 2000, Noise: true})
	res := compare(t, write(t, d))
	checkFound(t, d, res)
	checkBalance(t, res)
	if res.Summary.Overage != 0 || res.Summary.Shortage != 0 || res.Summary.Other.Count == 0 ||
		res.Summary.SetAside[reconcile.HIS].Count == 0 {
		t.Errorf("%+v", res.Summary)
	}
}

func TestDay_EveryExplanationSaysWhatToDo(t *testing.T) {
	d := bookgen.Make(bookgen.Options{Seed: 6, Date: date, Orders: 50, Each: 3})
	found := compare(t, write(t, d)).Differences
	if len(found) != 90 || len(found) != len(d.Want) {
		t.Errorf("%d differences, %d planted", len(found), len(d.Want))
	}
	for _, o := range found {
		if !strings.Contains(o.Explain, "请") || !strings.HasSuffix(o.Explain, "。") || strings.Contains(o.Explain, "。。") {
			t.Errorf("%s: %s", o.Kind, o.Explain)
		}
		if o.Kind == reconcile.DayCut || o.Kind == reconcile.Time { // money of another day
			continue
		}
		if o.Gap > 0 && !strings.Contains(o.Explain, "长款 "+o.Gap.String()) || o.Gap < 0 && !strings.Contains(o.Explain, "短款 "+(-o.Gap).String()) {
			t.Errorf("%s, gap %s: %s", o.Kind, o.Gap, o.Explain)
		}
	}
}
