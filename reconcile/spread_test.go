package reconcile_test

import (
	"fmt"
	"math/rand"
	"reflect"
	"testing"

	"hospay/money"
	"hospay/reconcile"

	"pgregory.net/rapid"
)

// whole is all that a run says.
type whole struct {
	Summary     reconcile.Summary
	Differences []reconcile.Order
	Orders      []reconcile.Order
}

func wholeOf(t testing.TB, e *reconcile.Engine) whole {
	t.Helper()
	res := ended(t, e)
	w := whole{Summary: res.Summary, Differences: res.Differences}
	if err := res.Each(func(o reconcile.Order) error { w.Orders = append(w.Orders, o); return nil }); err != nil {
		t.Fatal(err)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	return w
}

// scattered draws books whose numbers meet in every way: a number of one kind
// stands where another book has one of another kind.
func scattered(rnd *rand.Rand, lines, numbers int) (in books) {
	number := func() string {
		if rnd.Intn(5) == 0 {
			return ""
		}
		return fmt.Sprint("N", rnd.Intn(numbers))
	}
	for b := range in {
		for range rnd.Intn(lines + 1) {
			l := reconcile.Line{OrderNo: number(), BillNo: number(), ChannelNo: number(), HISNo: number(), CardNo: fmt.Sprint("C", rnd.Intn(3)),
				Amount: money.Fen(1 + rnd.Intn(3)), Method: []string{"original", "transfer", ""}[rnd.Intn(3)],
				Channel: []string{"wechat", "alipay", "cash"}[rnd.Intn(3)], Status: reconcile.Status(1 + rnd.Intn(3)),
				At: at([]string{"00:01:00", "10:00:00", "23:59:00", "24 00:01:00", "21 10:00:00"}[rnd.Intn(5)]), Minus: rnd.Intn(9) == 0}
			if l.OrderNo == "" && l.BillNo == "" {
				l.BillNo = "N0"
			}
			if b == 1 {
				l.OrderNo, l.Minus, l.Status = "", false, reconcile.Succeeded
				l.Source, l.File = reconcile.Source(rnd.Intn(2)), uint16(rnd.Intn(2))
				l.Flow, l.Type = l.ChannelNo+"/"+l.BillNo, []string{"退款", "转账", "手续费", "交易"}[rnd.Intn(4)]
				l.Back = rnd.Intn(5) == 0
			}
			in[b] = append(in[b], l)
		}
	}
	return in
}

// TestRun_WhereLinesWaitDoesNotMatter: books in memory, on the disk, and given
// by several feeders of which the later books come first, are told alike.
func TestRun_WhereLinesWaitDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		rnd := rand.New(rand.NewSource(rapid.Int64().Draw(rt, "seed")))
		in := scattered(rnd, rapid.SampledFrom([]int{6, 60, 1500}).Draw(rt, "lines"), rapid.IntRange(1, 900).Draw(rt, "numbers"))
		var told [3]whole
		for i, memory := range []int{0, 1, 1} {
			opt := reconcile.Defaults(day)
			opt.Memory, opt.Folder = memory, t.TempDir()
			e, err := reconcile.New(opt)
			if err != nil {
				rt.Fatal(err)
			}
			if err := e.Bill("wechat"); err != nil {
				rt.Fatal(err)
			}
			feed(rt, e, in, i == 2)
			told[i] = wholeOf(t, e)
		}
		if !reflect.DeepEqual(told[0], told[1]) {
			rt.Fatalf("on the disk:\n%+v\n%+v", told[0], told[1])
		}
		if !reflect.DeepEqual(told[0], told[2]) {
			rt.Fatalf("by several feeders:\n%+v\n%+v", told[0], told[2])
		}
	})
}

// feed gives the books one after the other, or by three feeders, the last first.
func feed(rt *rapid.T, e *reconcile.Engine, in books, apart bool) {
	feeders := [3]*reconcile.Feeder{e.Feeder(), e.Feeder(), e.Feeder()}
	for i := range in {
		b := i
		if apart {
			b = len(in) - 1 - i
		}
		for n, l := range in[b] {
			err := error(nil)
			if apart {
				if err = feeders[b].Add(reconcile.Book(b), &l); err == nil && n%7 == 0 {
					err = feeders[b].Flush()
				}
			} else {
				err = e.Add(reconcile.Book(b), l)
			}
			if err != nil {
				rt.Fatal(err)
			}
		}
		if err := feeders[b].Flush(); err != nil {
			rt.Fatal(err)
		}
	}
}

// TestRun_ManyOrdersOnTheDisk goes through more than one block of every part.
func TestRun_ManyOrdersOnTheDisk(t *testing.T) {
	var told [2]whole
	for i, memory := range []int{0, 100_000} {
		opt := reconcile.Defaults(day)
		opt.Memory, opt.Folder = memory, t.TempDir()
		e, err := reconcile.New(opt)
		if err != nil {
			t.Fatal(err)
		}
		for n := range 60_000 {
			l := base(fmt.Sprintf("R%07d", n))
			l.Channel = "cash"
			for _, b := range []reconcile.Book{reconcile.Platform, reconcile.HIS} {
				if n%5000 == 0 && b == reconcile.HIS {
					l.Amount++
				}
				if err := e.Add(b, l); err != nil {
					t.Fatal(err)
				}
			}
		}
		told[i] = wholeOf(t, e)
	}
	if len(told[0].Orders) != 60_000 || len(told[0].Differences) != 12 || !reflect.DeepEqual(told[0], told[1]) {
		t.Errorf("%d orders, %d differences; on the disk %d, %d", len(told[0].Orders), len(told[0].Differences), len(told[1].Orders),
			len(told[1].Differences))
	}
}
