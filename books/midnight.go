package books

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	"hospay/calendar"
	"hospay/reconcile"

	"github.com/pocketbase/dbx"
)

// inputs is the sum of everything that a run goes by. One that meets midnight
// goes by which bills of the neighbouring days are there as well.
func (f *feeder) inputs(bills []Statement, midnight bool) string {
	sum := sha256.New()
	sum.Write(f.sum.Sum(nil))
	for _, day := range []string{calendar.Shift(f.day, -1), calendar.Shift(f.day, 1)} {
		for _, source := range []string{SourceHIS, reconcile.ChannelWeChat, reconcile.ChannelAlipay} {
			fmt.Fprintln(sum, midnight && usable(bills, source, day))
		}
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// metMidnight reports whether the last run of the day has left items of
// midnight.
func (f *feeder) metMidnight() (bool, error) {
	var n int
	err := f.App.ConcurrentDB().NewQuery(
		"SELECT COUNT(*) FROM differences WHERE institution = {:i} AND ledger = {:l} AND day = {:d} AND live = TRUE AND (kind " +
			"= 'day_cut' OR also LIKE '%\"day_cut\"%')").
		Bind(dbx.Params{"i": f.inst, "l": f.ledger, "d": f.day}).WithContext(f.ctx).Row(&n)
	return n > 0, err
}

// meetsMidnight is the same of what a run has found.
func meetsMidnight(found []reconcile.Order) bool {
	return slices.ContainsFunc(found, func(o reconcile.Order) bool {
		return kindOfOrder(o) == reconcile.DayCut || slices.Contains(o.Also, reconcile.DayCut)
	})
}

// usable reports whether the bills of a source and day are all there.
func usable(bills []Statement, source, day string) bool {
	state := bookState(bills, source, day)
	return state == Ready || state == Empty
}

// missed names what a neighbouring day's bill was to bring and did not: once
// the bill is there, nobody waits any longer.
func missed(o *reconcile.Order, day string, bills []Statement) {
	if o.Kind != reconcile.DayCut || len(o.Also) == 0 || !o.Also[0].Lacks() || pending(*o) || settled(*o) {
		return
	}
	if p := o.Books[reconcile.Platform]; p != nil && p.OnDay.Count == 0 { // the neighbouring day's matter
		return
	}
	noon := dayNoon(day)
	channel, neighbour := "", ""
	for _, b := range []reconcile.Book{reconcile.Platform, reconcile.HIS, reconcile.Channel} {
		if e := o.Books[b]; e != nil && neighbour == "" {
			if neighbour = calendar.Shift(day, 1); billed(e.Channel) {
				channel = e.Channel
			}
			if e.At < noon {
				neighbour = calendar.Shift(day, -1)
			}
		}
	}
	for _, b := range reconcile.Books {
		source := map[reconcile.Book]string{reconcile.HIS: SourceHIS, reconcile.Channel: channel}[b]
		if o.Books[b] == nil && source != "" && !usable(bills, source, neighbour) {
			return
		}
	}
	o.Kind, o.Also = o.Also[0], append(slices.Clone(o.Also[1:]), reconcile.DayCut)
	o.Explain = o.Kind.Advice(methodOf(*o)) + "。相邻日 " + neighbour + " 的账单已到，也没有这一笔。"
}

func dayNoon(day string) int64 {
	from, _, _ := calendar.ParseDay(day)
	return from.Add(12 * time.Hour).Unix()
}
