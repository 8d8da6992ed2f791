package books

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"hospay/calendar"
	"hospay/collections"
	"hospay/flow"
	"hospay/people"
	"hospay/store"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/types"
)

// The states of a month.
const (
	MonthOpen      = "open"
	MonthProposed  = "proposed"  // closing waits for the second person
	MonthClosed    = "closed"    // takes no runs and no decisions
	MonthReopening = "reopening" // closed; opening again waits for the second person
)

// monthRow is the row of a month that somebody has acted on.
type monthRow struct {
	ID       string         `db:"id"`
	State    string         `db:"state"`
	Note     string         `db:"note"`
	By       string         `db:"by"`
	Person   string         `db:"person"`
	At       types.DateTime `db:"at"`
	ClosedBy string         `db:"closed_by"`
	ClosedAt types.DateTime `db:"closed_at"`
	Seq      int64          `db:"audit_seq"`
	Head     string         `db:"audit_head"`
}

// Month is a month as the console shows it.
type Month struct {
	Month       string             `json:"month"`
	State       string             `json:"state"`
	Books       map[string]BookSum `json:"books"`
	Channels    []ChannelRow       `json:"channels"`
	Ledgers     []LedgerMonth      `json:"ledgers"` // those beside the deposits'
	Open        int                `json:"open"`
	Unowned     int                `json:"unowned"`
	MissingDays []string           `json:"missing_days"`
	Proposal    *MonthProposal     `json:"proposal"` // null: nobody asks
	ClosedBy    string             `json:"closed_by"`
	ClosedAt    string             `json:"closed_at"`
	AuditSeq    int64              `json:"audit_seq"` // where the audit log ended when the month was closed; 0 before
	AuditHead   string             `json:"audit_head"`
}

// LedgerMonth is the month of a ledger.
type LedgerMonth struct {
	Ledger   Ledger             `json:"ledger"`
	Books    map[string]BookSum `json:"books"`
	Channels []ChannelRow       `json:"channels"`
}

// MonthProposal is the step of a month that waits for a second person.
type MonthProposal struct {
	By     string `json:"by"`
	ByName string `json:"by_name"`
	Note   string `json:"note"`
	At     string `json:"at"`
}

func closedError(closed bool) error {
	if closed {
		return flow.NewError(CodeMonthClosed, "")
	}
	return nil
}

func monthOf(db dbx.Builder, inst, month string) (monthRow, error) {
	var m monthRow
	err := db.Select("*").From(collections.ReconMonths).Where(dbx.HashExp{"institution": inst, "month": month}).One(&m)
	if errors.Is(err, sql.ErrNoRows) {
		return monthRow{State: MonthOpen}, nil
	}
	return m, err
}

// monthClosed reports whether a day lies in a closed month.
func monthClosed(db dbx.Builder, inst, day string) (bool, error) {
	if len(day) < 7 {
		return false, nil
	}
	m, err := monthOf(db, inst, day[:7])
	return m.State == MonthClosed || m.State == MonthReopening, err
}

// nextOpenDay is the first day after the closed months that follow a day.
func nextOpenDay(db dbx.Builder, inst, day string) (string, error) {
	for {
		first, _, err := calendar.ParseDay(day[:7] + "-01")
		if err != nil {
			return "", err
		}
		day = first.AddDate(0, 1, 0).Format(time.DateOnly)
		if closed, err := monthClosed(db, inst, day); err != nil || !closed {
			return day, err
		}
	}
}

// Month tells the totals of a month and what stands against closing it.
func (s *Service) Month(ctx context.Context, inst, month string) (Month, error) {
	first, _, err := calendar.ParseDay(month + "-01")
	if err != nil {
		return Month{}, flow.NewError(flow.CodeBadRequest, "")
	}
	row, err := monthOf(s.App.ConcurrentDB(), inst, month)
	if err != nil {
		return Month{}, err
	}
	out := Month{Month: month, State: row.State, Books: map[string]BookSum{}, Channels: []ChannelRow{}, Ledgers: []LedgerMonth{},
		MissingDays: []string{},
		ClosedAt:    calendar.Clock(row.ClosedAt.Time()), AuditSeq: row.Seq, AuditHead: row.Head}
	names, err := s.Store.StaffNames(ctx, inst)
	if err != nil {
		return out, err
	}
	out.ClosedBy = names[row.ClosedBy]
	if row.State == MonthProposed || row.State == MonthReopening {
		out.Proposal = &MonthProposal{row.By, names[row.By], row.Note, calendar.Clock(row.At.Time())}
	}
	if err := s.monthTotals(ctx, inst, first, &out); err != nil {
		return out, err
	}
	p := dbx.Params{"i": inst, "t": first.AddDate(0, 1, 0).Format(time.DateOnly)}
	err = s.App.ConcurrentDB().NewQuery("SELECT COUNT(*), COALESCE(SUM(owner = ''), 0) FROM differences WHERE institution = {:i} AND day < "+
		"{:t} AND "+unresolved).Bind(p).WithContext(ctx).Row(&out.Open, &out.Unowned)
	return out, err
}

// FirstDay is the first day of an institution that has a bill or an order:
// days before it are not missing.
func (s *Service) FirstDay(ctx context.Context, inst string) (string, error) {
	var day sql.NullString
	var order types.DateTime
	err := s.App.ConcurrentDB().NewQuery("SELECT MIN(day) FROM statements WHERE institution = {:i}").Bind(dbx.Params{"i": inst}).
		WithContext(ctx).Row(&day)
	if err != nil {
		return "", err
	}
	err = s.App.ConcurrentDB().NewQuery("SELECT COALESCE(MIN(created), '') FROM (SELECT MIN(created) AS created FROM refund_orders WHERE " +
		"institution = {:i} UNION ALL SELECT MIN(created) FROM payment_orders WHERE institution = {:i}) WHERE created IS NOT NULL").
		Bind(dbx.Params{"i": inst}).WithContext(ctx).Row(&order)
	if err != nil || (!day.Valid && order.IsZero()) {
		return s.Today(), err
	}
	first := calendar.Day(order.Time())
	if order.IsZero() || (day.Valid && day.String < first) {
		first = day.String
	}
	return first, nil
}

// closable refuses to close a month that is not over, has days without a whole
// run, bills that no run has read, or items without an owner.
func (s *Service) closable(ctx context.Context, inst, month string) error {
	m, err := s.Month(ctx, inst, month)
	if err != nil {
		return err
	}
	if month >= s.Today()[:7] {
		return flow.NewError(CodeMonthNotOver, "")
	}
	var why []string
	if n := len(m.MissingDays); n > 0 {
		why = append(why, fmt.Sprintf("%d 天没有对完（%s …）", n, m.MissingDays[0]))
	}
	if m.Unowned > 0 {
		why = append(why, fmt.Sprintf("%d 笔差异没有负责人", m.Unowned))
	}
	if len(why) > 0 {
		return flow.NewError(CodeMonthOpenItems, strings.Join(why, "，"))
	}
	return nil
}

// CloseMonth proposes to close a month, or closes it at a second person's
// call. What is open and has an owner is carried over.
func (s *Service) CloseMonth(ctx context.Context, inst, month, note string, by Actor, address string) (Month, error) {
	err := s.monthStep(inst, month, note, by, address, monthMove{MonthOpen, MonthProposed, MonthClosed, "close"},
		func(tx core.App, to string, now time.Time) error {
			in := &Service{App: tx, Store: s.Store, Clock: s.Clock} // in the step's own transaction: no bill comes between
			if err := in.closable(ctx, inst, month); err != nil || to != MonthClosed {
				return err
			}
			var open []Difference
			err := tx.DB().NewQuery("SELECT * FROM differences WHERE institution = {:i} AND day >= {:f} AND day <= {:t} AND state = 'open'").
				Bind(dbx.Params{"i": inst, "f": month + "-01", "t": month + "-31"}).All(&open)
			if err != nil {
				return err
			}
			for _, d := range open {
				if err := set(tx.DB(), d, dbx.Params{"state": Carried}, act{Act: "carry", Reason: "月结，结转", By: by}, now); err != nil {
					return err
				}
			}
			return nil
		})
	if err != nil {
		return Month{}, err
	}
	return s.Month(ctx, inst, month)
}

// ReopenMonth asks for a closed month to be opened again, or opens it at a
// second person's call.
func (s *Service) ReopenMonth(ctx context.Context, inst, month, note string, by Actor, address string) (Month, error) {
	err := s.monthStep(inst, month, note, by, address, monthMove{MonthClosed, MonthReopening, MonthOpen, "reopen"},
		func(core.App, string, time.Time) error { return nil })
	if err != nil {
		return Month{}, err
	}
	return s.Month(ctx, inst, month)
}

// monthMove is a step that two persons take: from, asked for, done.
type monthMove struct{ from, asked, to, name string }

func (s *Service) monthStep(inst, month, note string, by Actor, address string, move monthMove,
	act func(tx core.App, to string, now time.Time) error) error {
	var gone error
	note, err := flow.Optional(note)
	if err != nil {
		return err
	}
	err = s.App.RunInTransaction(func(tx core.App) error {
		row, err := monthOf(tx.DB(), inst, month)
		if err != nil {
			return err
		}
		now, state := s.now(), move.asked
		switch err := move.may(tx, inst, row, note, by); {
		case flow.CodeOf(err) == flow.CodeProposerGone: // the proposal is over
			gone, state = err, move.from
			if _, err := tx.DB().Update(collections.ReconMonths, dbx.Params{"state": state, "updated": stamp(now)}, dbx.HashExp{"id": row.ID}).
				Execute(); err != nil {
				return err
			}
		case err != nil:
			return err
		default:
			if row.State == move.asked {
				state = move.to
			}
			if err := act(tx, state, now); err != nil {
				return err
			}
			if err := putMonth(tx.DB(), inst, month, row, state, note, by, now); err != nil {
				return err
			}
		}
		err = store.Audit(tx, store.AuditEntry{
			Institution: inst, ActorKind: "staff", Actor: by.ID, Action: "recon.month." + move.name, Target: month, Address: address,
			Details: map[string]any{"state": state, "note": note},
		})
		if err == nil && state == MonthClosed {
			err = store.AnchorMonth(tx, inst, month)
		}
		return err
	})
	if err != nil {
		return err
	}
	return gone
}

// may checks who takes the step: finance asks, with a reason, and another
// person confirms.
func (m monthMove) may(tx core.App, inst string, row monthRow, note string, by Actor) error {
	switch row.State {
	case m.from:
		if _, err := flow.Required(note, CodeReasonRequired); err != nil {
			return err
		}
		return by.mayAsk(tx, inst)
	case m.asked:
		return rule.May(people.Confirm, people.Proposal{Institution: inst, By: Actor{row.By, row.Person}.now(tx)}, by.now(tx), people.Seen{})
	}
	return flow.NewError(CodeMonthClosed, "")
}

func putMonth(db dbx.Builder, inst, month string, row monthRow, state, note string, by Actor, now time.Time) error {
	set := dbx.Params{"state": state, "updated": stamp(now)}
	switch state {
	case MonthProposed, MonthReopening:
		set["by"], set["person"], set["note"], set["at"] = by.ID, by.Person, clip(note, 500), stamp(now)
	case MonthClosed:
		set["closed_by"], set["closed_at"] = by.ID, stamp(now)
	case MonthOpen:
		set["closed_by"], set["closed_at"], set["audit_seq"], set["audit_head"] = "", "", 0, ""
	}
	if row.ID != "" {
		_, err := db.Update(collections.ReconMonths, set, dbx.HashExp{"id": row.ID}).Execute()
		return err
	}
	set["id"], set["institution"], set["month"], set["created"] = newID(), inst, month, stamp(now)
	_, err := db.Insert(collections.ReconMonths, set).Execute()
	return err
}
