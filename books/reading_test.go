package books_test

import (
	"testing"

	"hospay/books"
	"hospay/calendar"
)

// TestSettings_WordsPrefixesAndSignOfTheInstitution count in the next run, also
// for bills that came before somebody told them.
func TestSettings_WordsPrefixesAndSignOfTheInstitution(t *testing.T) {
	const day = "2026-11-10"
	w := newWorld(t)
	w.plain(day)
	d := w.day(beijing(day, "12:00:00"))
	d.HIS[0].Status = "办妥"
	shop := bookRow{Bill: "SHOP20261110001", Status: "succeeded", No: "4299", Flow: "F99", At: beijing(day, "11:00:00").In(calendar.Beijing),
		Fen: 7700, Method: "original", Channel: "wechat"}
	d.Basic = append(d.Basic, shop)
	w.accept(day, nil)
	first := w.run(day)
	kinds := map[string]int{}
	for _, what := range w.standing() {
		kinds[what]++
	}
	if first.State != books.HasDifferences || kinds["only_channel open"] != 1 || kinds["missing_his open"] != 1 {
		t.Fatalf("%s %v", first.State, kinds)
	}
	if w.run(day).ID != first.ID {
		t.Error("equal inputs made another run")
	}
	w.exec("UPDATE institutions SET recon_words = '办妥=成功；作废了=失败', recon_prefixes = 'R, HP' WHERE id = '" + inst + "'")
	if r := w.run(day); r.State != books.Balanced || r.ID == first.ID {
		t.Errorf("with words and prefixes: %s %+v", r.State, w.standing())
	}
	w.exec("UPDATE institutions SET recon_his_sign = 'negative' WHERE id = '" + inst + "'")
	if r := w.run(day); r.State != books.HasDifferences {
		t.Errorf("amounts above zero are no refunds of a HIS that writes them below: %s", r.State)
	}
	w.exec("UPDATE institutions SET recon_his_sign = 'positive' WHERE id = '" + inst + "'")
	if r := w.run(day); r.State != books.Balanced {
		t.Errorf("%s %+v", r.State, w.standing())
	}
}

// TestBills_RefundsOfPayments: a bill that was paid and went back is in the
// channel's bill of refunds, and is no refund of a deposit.
func TestBills_RefundsOfPayments(t *testing.T) {
	const day = "2026-11-10"
	w := newWorld(t)
	w.plain(day)
	d := w.day(beijing(day, "12:00:00"))
	back := bookRow{Bill: "P261110ABCDEFGHJKK01", Status: "succeeded", No: "4299", Flow: "F99",
		At: beijing(day, "11:00:00").In(calendar.Beijing), Fen: 7700, Method: "original", Channel: "wechat"}
	d.Basic = append(d.Basic, back)
	w.accept(day, nil)
	if r := w.run(day); r.State != books.HasDifferences {
		t.Fatalf("a number that nobody has written down: %s", r.State)
	}
	w.exec("INSERT INTO payment_calls (id, `order`, institution, kind, attempt, no, amount, hash, state, created, updated) VALUES " +
		"('paymentcall0001', 'paymentorder001', '" + inst + "', 'refund_cash', 1, '" + back.Bill +
		"', 7700, 'h', 'done', '2026-11-10', '2026-11-10')")
	if r := w.run(day); r.State != books.Balanced {
		t.Errorf("%s %+v", r.State, w.standing())
	}
}
