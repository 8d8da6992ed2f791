package books_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hospay/books"
	"hospay/calendar"
	"hospay/flow"
	"hospay/money"

	"github.com/xuri/excelize/v2"
)

var (
	anna = books.Actor{ID: "anna", Person: "p1"}
	bert = books.Actor{ID: "bert", Person: "p2"}
)

// bring keeps a HIS statement with exactly these lines as the day's.
func (w *world) bring(day string, lines ...string) books.Statement {
	w.t.Helper()
	path := filepath.Join(w.t.TempDir(), "his.csv")
	text := "退款单号,HIS退款流水号,就诊卡号,退款金额,退款方式,退款渠道,状态,退款时间\n" + strings.Join(lines, "\n") + "\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		w.t.Fatal(err)
	}
	st, err := w.svc.Accept(w.t.Context(), books.Incoming{Institution: inst, Day: day, Source: "his", Path: path, Name: "his.csv"})
	if err != nil {
		w.t.Fatal(err)
	}
	return st
}

// line is HIS's line of an order.
func (o order) line(channel, status, amount string) string {
	return strings.Join([]string{o.no, "H" + o.no, "C" + o.id, amount, "transfer", channel, status, o.his.In(calendar.Beijing).
		Format(time.DateTime)}, ",")
}

// one reads the only difference of a day.
func (w *world) one(day string) books.Difference {
	w.t.Helper()
	rows, _, err := w.svc.Differences(w.t.Context(), inst, books.Filter{Day: day}, 1, 10)
	if err != nil || len(rows) != 1 {
		w.t.Fatalf("%s: %+v %v", day, rows, err)
	}
	return rows[0]
}

// closing takes a step of closing the month of the last days of November.
func (w *world) closing(by books.Actor) error {
	_, err := w.svc.CloseMonth(w.t.Context(), inst, "2026-11", "月结", by, "")
	return err
}

// lastDays lets the books begin on 29 November, so that closing the month
// needs two days only.
func (w *world) lastDays() order {
	o := w.add(w.make(beijing("2026-11-29", "10:00:00"), beijing("2026-11-29", "10:01:00")))
	for _, day := range []string{"2026-11-29", "2026-11-30"} {
		w.accept(day, nil)
		w.run(day)
	}
	return o
}

// TestMonth_ABillThatNoRunHasReadKeepsTheMonthOpen, at the proposal and at the
// confirmation.
func TestMonth_ABillThatNoRunHasReadKeepsTheMonthOpen(t *testing.T) {
	w := newWorld(t)
	o := w.lastDays()
	refused := func(step string, by books.Actor) {
		if err := w.closing(by); flow.CodeOf(err) != books.CodeMonthOpenItems {
			t.Errorf("%s: %v", step, err)
		}
	}
	w.bring("2026-11-29", o.line("wechat", "成功", "1.00"))
	refused("a new version before the proposal", anna)
	w.accept("2026-11-29", nil) // the right one again
	w.run("2026-11-29")
	if err := w.closing(anna); err != nil {
		t.Fatal(err)
	}
	w.bring("2026-11-29", o.line("wechat", "成功", "2.00"))
	refused("a new version before the confirmation", bert)
	if m, err := w.svc.Month(t.Context(), inst, "2026-11"); err != nil || m.State != books.MonthProposed || len(m.MissingDays) != 1 {
		t.Errorf("%+v %v", m, err)
	}
	w.accept("2026-11-29", nil)
	w.run("2026-11-29")
	if err := w.closing(bert); err != nil {
		t.Error(err)
	}
}

// TestBooks_ADayWithOpenItemsIsReadOnceADay and, in a closed month, never.
func TestBooks_ADayWithOpenItemsIsReadOnceADay(t *testing.T) {
	w := newWorld(t)
	day := "2026-11-29"
	o := w.lastDays()
	w.bring(day, o.line("wechat", "成功", "1.00"))
	due := func(want bool, when string) {
		t.Helper()
		if got, err := w.svc.ToRun(t.Context(), inst, books.Deposits, day, true); err != nil || got != want {
			t.Errorf("%s: %v %v", when, got, err)
		}
	}
	due(true, "a new bill")
	runs := w.run(day).Seq
	due(false, "on the same day")
	w.at = w.at.AddDate(0, 0, 1)
	due(true, "on the next day")
	if r := w.run(day); r.Seq != runs {
		t.Errorf("equal inputs made run %d", r.Seq)
	}
	due(false, "looked at already")
	w.at = w.at.AddDate(0, 0, 1)
	w.exec("UPDATE differences SET owner = 'anna'")
	if err := errors.Join(w.closing(anna), w.closing(bert)); err != nil {
		t.Fatal(err)
	}
	due(false, "in a closed month")
}

// TestBooks_OtherRejectsAreANewRun although every line that can be read is the
// same.
func TestBooks_OtherRejectsAreANewRun(t *testing.T) {
	w := newWorld(t)
	day := "2026-11-29"
	o := w.lastDays()
	good := o.line(o.channel, "成功", yuan(o.fen))
	w.bring(day, good)
	first := w.run(day)
	w.bring(day, good, o.line(o.channel, "成功", "x"))
	second := w.run(day)
	if second.Seq != first.Seq+1 || second.Summary.V.Rejects != 1 || second.State != books.HasDifferences {
		t.Errorf("run %d with %d rejects is %s", second.Seq, second.Summary.V.Rejects, second.State)
	}
	w.bring(day, good)
	if third := w.run(day); third.Summary.V.Rejects != 0 || third.State != books.Balanced {
		t.Errorf("run %d with %d rejects is %s", third.Seq, third.Summary.V.Rejects, third.State)
	}
}

// TestBooks_CashCountsWhatSucceeded and not what HIS undid.
func TestBooks_CashCountsWhatSucceeded(t *testing.T) {
	w := newWorld(t)
	day := "2026-11-29"
	o := w.lastDays()
	cash := o
	cash.no = "CASH"
	w.bring(day, o.line(o.channel, "成功", yuan(o.fen)), cash.line("现金", "成功", "5.00"), cash.line("现金", "已冲正", "7.00"),
		cash.line("现金", "处理中", "9.00"))
	if sum := w.run(day).Summary.V.Cash; sum.Count != 1 || sum.Amount != 500 {
		t.Errorf("%+v", sum)
	}
}

// TestBooks_TheSheetOfDifferencesIsWhole: it lists every difference, however
// many there are, and says the same age as the page.
func TestBooks_TheSheetOfDifferencesIsWhole(t *testing.T) {
	w := newWorld(t)
	const n = 20_050
	w.exec("INSERT INTO differences (id, ledger, institution, day, key, live, kind, also, state, amount, opened, resolved_at) " +
		"WITH RECURSIVE " +
		"" +
		"n(x) AS " +
		"(SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < " + fmt.Sprint(n) + ") " +
		"SELECT printf('d%014d', x), 'deposits', '" + inst + "', '2026-11-29', printf('k%06d', x), TRUE, 'card', '[]', 'resolved', 1, " +
		"'2026-11-30 " +
		"02:00:00.000Z', '2026-12-02 03:00:00.000Z' FROM n")
	var file bytes.Buffer
	if err := w.svc.Report(t.Context(), inst, books.Deposits, books.ReportDifferences, "2026-11-29", "", &file); err != nil {
		t.Fatal(err)
	}
	f, err := excelize.OpenReader(&file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := f.GetRows(f.GetSheetName(0))
	if err != nil {
		t.Fatal(err)
	}
	lines, days := 0, map[string]int{}
	for _, row := range rows {
		if len(row) > 15 && row[0] == "2026-11-29" {
			lines++
			days[row[15]]++
		}
	}
	d := w.difference("d00000000000001")
	view, err := w.svc.View(t.Context(), d, nil)
	if err != nil || lines != n || days[fmt.Sprint(view.DaysOpen)] != n {
		t.Errorf("%d lines of %d, ages %v, the page says %v, %v", lines, n, days, view.DaysOpen, err)
	}
}

func yuan(fen int64) string { return money.Fen(fen).Yuan() }
