package store

import (
	"context"
	"maps"
	"strconv"
	"time"

	"hospay/calendar"
	"hospay/collections"
	"hospay/flow"
	"hospay/people"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/types"
)

// The acts of looking at what is masked otherwise, in the audit log. It is the
// only book of looks: they are counted from it, and who may look at more is
// written there, too.
const (
	AuditReveal   = "order.reveal"
	AuditLook     = "proxy.look"
	AuditPhoto    = "proxy.photo"
	auditAsk      = "reveal.ask"
	auditRelease  = "reveal.release"
	auditRefuse   = "reveal.refuse"
	auditWithdraw = "reveal.withdraw"
)

const (
	revealsADay = 120              // where an institution has set none (0)
	lookFor     = 15 * time.Minute // the photos of an application stay open after a look at it
)

// Codes of looks.
const (
	CodeRevealLimit flow.Code = "reveal_limit" // Detail: how many fields a day
	CodeLookNeeded  flow.Code = "look_needed"  // a photo without a look with a reason

	// CodePapersUnseen: an approval by whoever has not opened every paper; Detail:
	// how many.
	CodePapersUnseen flow.Code = "papers_unseen"
)

// RevealRule: who looks asks for more, and another person who keeps the rules,
// not one who looks as well, grants it.
var RevealRule = people.Rule{
	Propose: []string{people.RoleReviewer, people.RoleFinance, people.RoleAuditor}, Confirm: []string{people.RoleAuditor, people.RoleConfig},
}

// Look is what a member of the staff is about to see, and why.
type Look struct {
	By      people.By
	Action  string // AuditReveal, AuditLook
	Target  string
	Reason  string
	Fields  int            // personal fields that it opens
	Details map[string]any // no personal data
}

// Reveals is how much a person has looked at today, and may.
type Reveals struct {
	Limit int
	Used  int
}

// Look writes down who looks at what and why, before it is shown, and refuses
// what is beyond the fields that the person may look at today.
func (s *Store) Look(l Look) error {
	reason, err := flow.Required(l.Reason, flow.CodeNoteRequired)
	if err != nil {
		return err
	}
	now := s.now()
	return s.transact(func(tx core.App) error {
		who := MemberNow(tx, l.By)
		r, err := revealsOf(tx, who, now)
		if err != nil {
			return err
		}
		if r.Used+l.Fields > r.Limit {
			return flow.NewError(CodeRevealLimit, strconv.Itoa(r.Limit))
		}
		details := map[string]any{"fields": l.Fields, "reason": clip(reason, 200)}
		maps.Copy(details, l.Details)
		return Audit(tx, AuditEntry{Institution: who.Institution, ActorKind: "staff", Actor: who.ID, Action: l.Action, Target: l.Target,
			Address: l.By.Address, Details: details})
	})
}

// Looked reports whether an account has looked at a target, with a reason, a
// short while ago.
func (s *Store) Looked(staff, target string) (bool, error) {
	var n int
	err := s.app.ConcurrentDB().NewQuery("SELECT COUNT(*) FROM audit_log WHERE target = {:t} AND created >= {:from} AND actor = {:a} " +
		"AND action = '" + AuditLook + "'").Bind(dbx.Params{"t": target, "a": staff, "from": stamp(s.now().Add(-lookFor))}).Row(&n)
	return n > 0, err
}

// SeenPapers are the materials of an application that an account has opened, as the
// audit log has it.
func SeenPapers(app core.App, staff, application string) (map[string]bool, error) {
	var ids []string
	err := app.DB().NewQuery("SELECT DISTINCT json_extract(details, '$.material') FROM audit_log WHERE target = {:t} AND actor = {:a} AND " +
		"action = '" + AuditPhoto + "'").Bind(dbx.Params{"t": application, "a": staff}).Column(&ids)
	seen := map[string]bool{}
	for _, id := range ids {
		seen[id] = true
	}
	return seen, err
}

// allSeen refuses an approval by whoever has not opened every paper.
func allSeen(tx core.App, staff, application string) error {
	var unseen int
	err := tx.DB().NewQuery("SELECT COUNT(*) FROM proxy_materials m WHERE m.application = {:t} AND m.file != '' AND NOT EXISTS (SELECT 1 " +
		"FROM audit_log l WHERE l.target = {:t} AND l.actor = {:a} AND l.action = '" + AuditPhoto + "' AND " +
		"json_extract(l.details, '$.material') = m.id)").
		Bind(dbx.Params{"t": application, "a": staff}).Row(&unseen)
	if err == nil && unseen > 0 {
		return flow.NewError(CodePapersUnseen, strconv.Itoa(unseen))
	}
	return err
}

// RevealsOf tells how much a person has looked at today, through whichever
// account.
func (s *Store) RevealsOf(by people.By) (Reveals, error) {
	return revealsOf(s.app, MemberNow(s.app, by), s.now())
}

func revealsOf(app core.App, who people.Member, now time.Time) (Reveals, error) {
	const own = `actor IN (SELECT id FROM staff WHERE id = {:id} OR (person_index = {:p} AND person_index != '' AND institution = {:i}))
		AND created >= {:from}`
	p := dbx.Params{"id": who.ID, "p": who.Person, "i": who.Institution, "from": today(now)}
	var limit, used, more int
	err := app.DB().Select("reveals_a_day").From(collections.Institutions).Where(dbx.HashExp{"id": who.Institution}).Row(&limit)
	if err != nil {
		return Reveals{}, err
	}
	if limit <= 0 {
		limit = revealsADay
	}
	err = app.DB().NewQuery("SELECT COALESCE(SUM(json_extract(details, '$.fields')), 0) FROM audit_log WHERE " + own + " AND action IN ('" +
		AuditReveal + "', '" + AuditLook + "')").Bind(p).Row(&used)
	if err != nil {
		return Reveals{}, err
	}
	err = app.DB().NewQuery("SELECT COUNT(*) FROM audit_log a WHERE " + own + " AND action = '" + auditAsk + "' AND EXISTS (SELECT 1 FROM " +
		"audit_log d WHERE d.target = a.id AND d.action = '" + auditRelease + "')").Bind(p).Row(&more)
	return Reveals{Limit: limit * (1 + more), Used: used}, err
}

func today(now time.Time) string { return dayStart(now.In(calendar.Beijing).Format(time.DateOnly), 0) }

// RevealAsk is somebody's wish of today to look at as much again.
type RevealAsk struct {
	ID   string         `db:"id"`
	By   string         `db:"actor"`
	At   types.DateTime `db:"created"`
	Note string         `db:"note"`
}

const openAsks = `SELECT a.id, a.actor, a.created, COALESCE(json_extract(a.details, '$.note'), '') AS note FROM audit_log a
	WHERE a.institution = {:i} AND a.created >= {:from} AND a.action = '` + auditAsk + `' AND NOT EXISTS (SELECT 1 FROM audit_log d
	WHERE d.target = a.id AND d.action IN ('` + auditRelease + `', '` + auditRefuse + `', '` + auditWithdraw + `')) ORDER BY a.created`

// RevealAsks lists the wishes of today that nobody has decided on.
func (s *Store) RevealAsks(ctx context.Context, institution string) ([]RevealAsk, error) {
	return asksOf(ctx, s.app.ConcurrentDB(), institution, s.now())
}

func asksOf(ctx context.Context, db dbx.Builder, institution string, now time.Time) ([]RevealAsk, error) {
	rows := []RevealAsk{}
	err := db.NewQuery(openAsks).Bind(dbx.Params{"i": institution, "from": today(now)}).WithContext(ctx).All(&rows)
	return rows, err
}

// AskReveals asks that somebody may look at as many fields again today. It needs
// another person's release.
func (s *Store) AskReveals(ctx context.Context, by people.By, note string) error {
	note, err := flow.Required(note, flow.CodeNoteRequired)
	if err != nil {
		return err
	}
	return s.transact(func(tx core.App) error {
		who := MemberNow(tx, by)
		if err := RevealRule.May(people.Propose, people.Proposal{Institution: who.Institution}, who, people.Seen{}); err != nil {
			return err
		}
		open, err := asksOf(ctx, tx.DB(), who.Institution, s.now())
		if err != nil {
			return err
		}
		for _, a := range open {
			mine := people.Proposal{Institution: who.Institution, By: MemberNow(tx, people.By{ID: a.By})}
			if RevealRule.Another(mine, who.By, people.Seen{}) != nil {
				return flow.NewError(flow.CodeProposalExists, "")
			}
		}
		return Audit(tx, AuditEntry{Institution: who.Institution, ActorKind: "staff", Actor: who.ID, Action: auditAsk, Target: who.ID,
			Address: by.Address, Details: map[string]any{"note": clip(note, 200)}})
	})
}

// DecideReveals releases a wish of today, or ends it: its author withdraws it,
// another person refuses it.
func (s *Store) DecideReveals(ctx context.Context, by people.By, id string, release bool, note string) error {
	note, err := flow.Optional(note)
	if err != nil {
		return err
	}
	return s.transact(func(tx core.App) error {
		who := MemberNow(tx, by)
		ask, err := openAsk(ctx, tx.DB(), who.Institution, id, s.now())
		if err != nil {
			return err
		}
		p := people.Proposal{Institution: who.Institution, Name: ask.ID, By: MemberNow(tx, people.By{Kind: people.ByStaff, ID: ask.By})}
		act, action := people.Confirm, auditRelease
		if !release {
			act, action = p.Ending(who.By), auditRefuse
		}
		if act == people.Withdraw {
			action = auditWithdraw
		}
		if err := RevealRule.May(act, p, who, people.Seen{}); err != nil {
			return err
		}
		return Audit(tx, AuditEntry{Institution: who.Institution, ActorKind: "staff", Actor: who.ID, Action: action, Target: ask.ID,
			Address: by.Address, Details: map[string]any{"for": ask.By, "note": clip(note, 200)}})
	})
}

func openAsk(ctx context.Context, db dbx.Builder, institution, id string, now time.Time) (RevealAsk, error) {
	open, err := asksOf(ctx, db, institution, now)
	if err != nil {
		return RevealAsk{}, err
	}
	for _, a := range open {
		if a.ID == id {
			return a, nil
		}
	}
	return RevealAsk{}, flow.NewError(flow.CodeNoProposal, "")
}
