// Package books reconciles an institution's books day by day inside the server:
// it keeps the bills of the channels and of HIS, compares them with our own
// orders through package reconcile, keeps the differences and how people work
// them off, and closes months. It never moves money and never edits an order.
package books

import (
	"context"
	"encoding/json"
	"strings"
	"sync"
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

// Codes of what is refused.
const (
	CodeStatementRefused flow.Code = "statement_refused"
	CodeStatementOther   flow.Code = "statement_other"
	CodeTooMany          flow.Code = "recon_too_many"
	CodeMonthClosed      flow.Code = "month_closed"
	CodeMonthOpenItems   flow.Code = "month_open_items"
	CodeMonthNotOver     flow.Code = "month_not_over"
	CodeSecondPerson     flow.Code = "second_person"
	CodeVerbUnknown      flow.Code = "verb_unknown"
	CodeVerbUnfit        flow.Code = "verb_unfit"
	CodeRematchUnfit     flow.Code = "rematch_unfit"
	CodeDifferenceDone   flow.Code = "difference_done"
	CodeReasonRequired   flow.Code = "reason_required"
)

const (
	window         = 30 * time.Minute   // of midnight: a line may stand on the neighbouring day
	tolerance      = 8 * 24 * time.Hour // between HIS's debit and the payout: the payee's day, the channel's, and suspense
	longest        = 31                 // days within which the parts of an order are looked for
	near           = 8                  // days whose items a run looks at beside its own
	maxDifferences = 20_000             // beyond it the files are wrong, not the books
	defaultDays    = 3
	defaultIgnore  = 100 // fen
)

// Service reconciles. It is safe for concurrent use; runs follow each other.
type Service struct {
	App   core.App
	Store *store.Store
	Wake  func(ctx context.Context, order string, by people.By) error // makes an order due, so that a query proves the truth
	Clock func() time.Time

	WakePayment func(ctx context.Context, order string, by people.By) error // the same for payments

	running sync.Mutex
	looked  sync.Map // by institution and day: the day on which its books were last found unchanged
}

// Actor is the person who acts; System has no id.
type Actor struct{ ID, Person string }

// rule says who proposes what is done with the books, and who confirms it.
var rule = people.Rule{
	Propose: []string{people.RoleFinance}, Confirm: []string{people.RoleFinance, people.RoleAuditor},
	Same: people.Refusal(CodeSecondPerson),
}

// now is the actor as the transaction sees them.
func (a Actor) now(tx core.App) people.Member {
	return store.MemberNow(tx, people.By{Kind: people.ByStaff, ID: a.ID, Person: a.Person})
}

// mayAsk checks that the actor may propose.
func (a Actor) mayAsk(tx core.App, inst string) error {
	return rule.May(people.Propose, people.Proposal{Institution: inst}, a.now(tx), people.Seen{})
}

func (s *Service) now() time.Time { return s.Clock() }

// settings are what an institution decides about its books.
type settings struct {
	Name   string `db:"name"`
	Days   int    `db:"recon_days"`
	Ignore int64  `db:"recon_ignore"`

	Prefixes string `db:"recon_prefixes"`
	Words    string `db:"recon_words"`
	HISSign  string `db:"recon_his_sign"`
}

func (s *Service) settings(ctx context.Context, inst string) (settings, error) {
	var out settings
	err := s.App.ConcurrentDB().Select("name", "recon_days", "recon_ignore", "recon_prefixes", "recon_words", "recon_his_sign").
		From(collections.Institutions).Where(dbx.HashExp{"id": inst}).
		WithContext(ctx).One(&out)
	if out.Days == 0 {
		out.Days = defaultDays
	}
	if out.Ignore == 0 {
		out.Ignore = defaultIgnore
	}
	return out, err
}

// Unit is the institution's name, as forms carry it.
func (s *Service) Unit(ctx context.Context, inst string) string {
	set, err := s.settings(ctx, inst)
	if err != nil {
		return ""
	}
	return set.Name
}

// Today is the Beijing day of the service's clock.
func (s *Service) Today() string { return calendar.Day(s.now()) }

func newID() string { return core.GenerateDefaultRandomId() }

// stamp is a time as PocketBase stores it; the zero time is empty.
func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(types.DefaultDateLayout)
}

func jsonText(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return "null"
	}
	return string(b)
}

// one writes a row that must be there as it was read; otherwise somebody else
// was first.
func one(q *dbx.Query) error {
	res, err := q.Execute()
	if err != nil && strings.Contains(err.Error(), "UNIQUE constraint failed") {
		return flow.ErrConflict
	}
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n != 1 {
		return flow.ErrConflict
	}
	return nil
}

func clip(s string, limit int) string {
	if r := []rune(s); len(r) > limit {
		return string(r[:limit])
	}
	return s
}
