package books_test

import (
	"errors"
	"testing"

	"hospay/books"
	"hospay/flow"

	"github.com/pocketbase/dbx"
)

// gone is what may happen to a proposer before somebody else confirms.
var gone = map[string]string{
	"停用": "UPDATE staff SET active = FALSE WHERE id = 'anna'", "失去角色": `UPDATE staff SET roles = '["reviewer"]' WHERE id = 'anna'`,
	"调到别院": "UPDATE staff SET institution = 'inst00000000002' WHERE id = 'anna'",
}

// asked is a difference that anna proposes to settle by force.
func (w *world) asked() books.Difference {
	w.t.Helper()
	w.insert("differences", dbx.Params{"id": "diff00000000001", "institution": inst, "day": "2026-11-29", "key": "k", "live": true,
		"kind": "missing_his", "also": "[]", "state": books.Open, "amount": 50_000})
	d, err := w.svc.Resolve(w.t.Context(), inst, "diff00000000001", books.Decision{Verb: "强制平账", Reason: "按制度"}, anna)
	if err != nil {
		w.t.Fatal(err)
	}
	return d
}

// TestBooks_ProposerWithoutTheRoleIsRefused: the proposal can be turned down and
// made again by somebody else.
func TestBooks_ProposerWithoutTheRoleIsRefused(t *testing.T) {
	for name, sql := range gone {
		w := newWorld(t)
		d := w.asked()
		w.exec(sql)
		if _, err := w.svc.Confirm(t.Context(), inst, d.ID, "", "同意", bert); flow.CodeOf(err) != flow.CodeProposerGone {
			t.Errorf("%s: %v", name, err)
		}
		if got := w.difference(d.ID); got.State != books.Proposed {
			t.Errorf("%s: it is %s", name, got.State)
		}
		if got, err := w.svc.Withdraw(t.Context(), inst, d.ID, "提出人已离岗", bert); err != nil || got.State != books.Open {
			t.Errorf("%s: %s %v", name, got.State, err)
		}
	}
}

// TestBooks_SecondPersonIsJudgedByWhatIsKnownNow and not by what was known at
// the proposal.
func TestBooks_SecondPersonIsJudgedByWhatIsKnownNow(t *testing.T) {
	for name, c := range map[string]struct {
		sql  string
		want flow.Code
	}{
		"后来查明是同一人": {"UPDATE staff SET person_index = 'p2' WHERE id = 'anna'", books.CodeSecondPerson},
		"确认人已停用":   {"UPDATE staff SET active = FALSE WHERE id = 'bert'", flow.CodeNotAllowed},
		"确认人失去角色":  {`UPDATE staff SET roles = '["cashier"]' WHERE id = 'bert'`, flow.CodeNotAllowed},
		"确认人是审计":   {`UPDATE staff SET roles = '["auditor"]' WHERE id = 'bert'`, ""},
	} {
		w := newWorld(t)
		w.lastDays()
		d := w.asked()
		w.exec("UPDATE differences SET owner = 'anna'")
		if err := w.closing(anna); err != nil {
			t.Fatal(err)
		}
		w.exec(c.sql)
		if _, err := w.svc.Confirm(t.Context(), inst, d.ID, "", "同意", bert); flow.CodeOf(err) != c.want {
			t.Errorf("%s: difference: %v", name, err)
		}
		if err := w.closing(bert); flow.CodeOf(err) != c.want {
			t.Errorf("%s: month: %v", name, err)
		}
	}
}

// TestMonth_ProposerWithoutTheRoleIsRefused: the month is as it was before the
// proposal, so that somebody else can propose.
func TestMonth_ProposerWithoutTheRoleIsRefused(t *testing.T) {
	for name, sql := range gone {
		w := newWorld(t)
		w.lastDays()
		reopening := func(by books.Actor) error {
			_, err := w.svc.ReopenMonth(t.Context(), inst, "2026-11", "重开", by, "")
			return err
		}
		state := func(want string) {
			t.Helper()
			if m, err := w.svc.Month(t.Context(), inst, "2026-11"); err != nil || m.State != want {
				t.Errorf("%s: %s %v, want %s", name, m.State, err, want)
			}
		}
		back := "UPDATE staff SET active = TRUE, roles = '[\"finance\"]', institution = '" + inst + "' WHERE id = 'anna'"
		if err := w.closing(anna); err != nil {
			t.Fatal(err)
		}
		w.exec(sql)
		if err := w.closing(bert); flow.CodeOf(err) != flow.CodeProposerGone {
			t.Errorf("%s: close: %v", name, err)
		}
		state(books.MonthOpen)
		w.exec(back)
		if err := errors.Join(w.closing(bert), w.closing(anna), reopening(anna)); err != nil {
			t.Fatal(err)
		}
		w.exec(sql)
		if err := reopening(bert); flow.CodeOf(err) != flow.CodeProposerGone {
			t.Errorf("%s: reopen: %v", name, err)
		}
		state(books.MonthClosed)
		w.exec(back)
		if m, err := w.svc.Month(t.Context(), inst, "2026-11"); err != nil || m.ClosedBy != "anna" {
			t.Errorf("%s: closed by %q %v", name, m.ClosedBy, err)
		}
		if err := errors.Join(reopening(bert), reopening(anna)); err != nil {
			t.Error(err)
		}
		state(books.MonthOpen)
	}
}

// TestMonth_OnlyFinanceAsks in the moment of effect: an auditor who meant to
// confirm does not ask where the proposal is gone.
func TestMonth_OnlyFinanceAsks(t *testing.T) {
	w := newWorld(t)
	w.lastDays()
	w.exec(`UPDATE staff SET roles = '["auditor"]' WHERE id = 'bert'`)
	if err := w.closing(bert); flow.CodeOf(err) != flow.CodeNotAllowed {
		t.Error(err)
	}
}

// TestBooks_ConfirmationNamesTheProposalSeen: made anew it is another one, also
// when it reads the same.
func TestBooks_ConfirmationNamesTheProposalSeen(t *testing.T) {
	w := newWorld(t)
	d := w.asked()
	proposal := func() string {
		t.Helper()
		got, err := w.svc.Difference(t.Context(), inst, d.ID)
		if err != nil {
			t.Fatal(err)
		}
		v, err := w.svc.View(t.Context(), got, nil)
		if err != nil || v.Proposal == nil || v.Proposal.ID == "" {
			t.Fatal(v.Proposal, err)
		}
		return v.Proposal.ID
	}
	seen := proposal()
	if _, err := w.svc.Withdraw(t.Context(), inst, d.ID, "", anna); err != nil {
		t.Fatal(err)
	}
	if _, err := w.svc.Resolve(t.Context(), inst, d.ID, books.Decision{Verb: "强制平账", Reason: "按制度"}, anna); err != nil {
		t.Fatal(err)
	}
	if _, err := w.svc.Confirm(t.Context(), inst, d.ID, seen, "同意", bert); flow.CodeOf(err) != flow.CodeConflict {
		t.Errorf("the proposal that was withdrawn is confirmed: %v", err)
	}
	if got, err := w.svc.Confirm(t.Context(), inst, d.ID, proposal(), "同意", bert); err != nil || got.State != books.Resolved {
		t.Errorf("the one that is open: %s %v", got.State, err)
	}
}

// TestBooks_WithdrawingTakesTheRoleNow: whoever has lost it refuses nothing.
func TestBooks_WithdrawingTakesTheRoleNow(t *testing.T) {
	for name, who := range map[string]books.Actor{"anna": anna, "bert": bert} {
		w := newWorld(t)
		d := w.asked()
		w.exec("UPDATE staff SET active = FALSE WHERE id = '" + name + "'")
		if _, err := w.svc.Withdraw(t.Context(), inst, d.ID, "", who); flow.CodeOf(err) != flow.CodeNotAllowed {
			t.Errorf("%s: %v", name, err)
		}
	}
}
