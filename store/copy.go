package store

import (
	"context"
	"strconv"
	"strings"
	"time"

	"hospay/collections"
	"hospay/flow"
	"hospay/people"
	"hospay/refund"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/types"
)

// The audit log's words about a restored copy.
const (
	AuditCopyProposed  = "copy.release_proposed"
	AuditCopyWithdrawn = "copy.release_withdrawn"
	AuditCopyReleased  = "copy.released"
)

// CodeCopyUnchecked: orders of a restored copy have not been asked for yet.
const CodeCopyUnchecked flow.Code = "copy_unchecked"

// CopyState is how far a restored copy has been compared with the other sides.
type CopyState struct {
	Mark      *collections.Copy // nil: this folder is no copy
	Open      int               // orders under way
	Unchecked int               // of them those that HIS or the channel have not answered for yet
	Found     []CopyFound
	Callbacks int // notifications about numbers that the copy does not know
}

// CopyFound is an order about which the other sides knew more.
type CopyFound struct {
	Domain      CopyDomain
	Institution string         `db:"institution"`
	Order       string         `db:"order"`
	No          string         `db:"no"`
	Status      flow.State     `db:"status"`
	What        string         `db:"message"`
	At          types.DateTime `db:"created"`
}

// CopyDomain says what an order of a restored copy is about.
type CopyDomain string

// The domains: the orders of each are asked for by itself.
const (
	CopyRefunds  CopyDomain = "refund"
	CopyPayments CopyDomain = "payment"
)

// CopyDomains are all of them.
func CopyDomains() []CopyDomain { return []CopyDomain{CopyRefunds, CopyPayments} }

// sql fills the tables and the states under way of a domain in. Both domains have
// the same events.
func (d CopyDomain) sql(text string) string {
	open, name := openStatuses(), string(d)
	if d == CopyPayments {
		open = underWay()
	}
	return strings.NewReplacer("{open}", list(open), "{orders}", name+"_orders", "{events}", name+"_events").Replace(text)
}

const uncheckedSQL = "FROM {orders} o WHERE o.status IN ({open}) AND NOT EXISTS (SELECT 1 FROM {events} e " +
	"WHERE e.`order` = o.id AND e.event IN ('" + refund.EventCopyChecked + "', '" + refund.EventCopyFound + "') AND e.created >= {:since})"

// Copy reads the mark of the folder and what was found out since.
func (s *Store) Copy(ctx context.Context) (out CopyState, err error) {
	db := s.app.ConcurrentDB()
	if out.Mark, err = collections.CopyOf(db); err != nil || out.Mark == nil {
		return out, err
	}
	p := dbx.Params{"since": stamp(out.Mark.Since)}
	for _, d := range CopyDomains() {
		if err := s.copyOf(ctx, d, p, &out); err != nil {
			return out, err
		}
	}
	unknown := "SELECT COUNT(*) FROM main.callbacks WHERE effect = '" + refund.EffectUnknownNo + "' AND created >= {:since}"
	return out, db.NewQuery(unknown).Bind(p).WithContext(ctx).Row(&out.Callbacks)
}

// copyOf adds how far the orders of a domain are compared.
func (s *Store) copyOf(ctx context.Context, d CopyDomain, p dbx.Params, out *CopyState) error {
	db, open, unchecked := s.app.ConcurrentDB(), 0, 0
	if err := db.NewQuery(d.sql("SELECT COUNT(*) FROM {orders} WHERE status IN ({open})")).WithContext(ctx).Row(&open); err != nil {
		return err
	}
	if err := db.NewQuery("SELECT COUNT(*) " + d.sql(uncheckedSQL)).Bind(p).WithContext(ctx).Row(&unchecked); err != nil {
		return err
	}
	out.Open, out.Unchecked = out.Open+open, out.Unchecked+unchecked
	var found []CopyFound
	err := db.NewQuery(d.sql("SELECT o.institution, e.`order`, o.no, o.status, e.message, e.created " +
		"FROM {events} e JOIN {orders} o ON o.id = e.`order` " +
		"WHERE e.event = '" + refund.EventCopyFound + "' AND e.created >= {:since} ORDER BY e.created LIMIT 1000")).
		Bind(p).WithContext(ctx).All(&found)
	for i := range found {
		found[i].Domain = d
	}
	out.Found = append(out.Found, found...)
	return err
}

// Unchecked lists orders of a restored copy that the other sides have not
// answered for yet; none where the folder is no copy.
func (s *Store) Unchecked(ctx context.Context, d CopyDomain, limit int) (ids []string, err error) {
	db := s.app.ConcurrentDB()
	mark, err := collections.CopyOf(db)
	if err != nil || mark == nil {
		return nil, err
	}
	err = db.NewQuery("SELECT o.id " + d.sql(uncheckedSQL) + " ORDER BY o.id LIMIT {:n}").
		Bind(dbx.Params{"since": stamp(mark.Since), "n": limit}).WithContext(ctx).Column(&ids)
	return ids, err
}

// copyRule: IT and finance look after it, and it takes two of them.
var copyRule = people.Rule{Propose: []string{people.RoleFinance, people.RoleConfig},
	Confirm: []string{people.RoleFinance, people.RoleConfig}}

// AskRelease is what a person does about the release of a restored copy.
type AskRelease struct {
	Act     people.Act
	By      people.By
	Seen    string // the proposal that was looked at
	Note    string
	Address string
}

// ReleaseCopy lets two people end the mark of a restored copy. It is refused
// while an order has not been asked for at HIS and at its channel.
func (s *Store) ReleaseCopy(ctx context.Context, ask AskRelease) error {
	state, err := s.Copy(ctx)
	if err != nil {
		return err
	}
	err = s.transact(func(tx core.App) error {
		mark, err := collections.CopyOf(tx.DB())
		if err != nil {
			return err
		}
		if mark == nil {
			return flow.NewError(flow.CodeNotFound, "no copy")
		}
		return release(tx, *mark, ask, state.Unchecked, s.now())
	})
	s.Forget()
	return err
}

func release(tx core.App, mark collections.Copy, ask AskRelease, unchecked int, now time.Time) error {
	who := MemberNow(tx, ask.By)
	p := people.Proposal{Institution: who.Institution}
	if mark.Proposal != nil {
		p = people.Proposal{Institution: mark.Proposal.Institution, Name: mark.Proposal.Name,
			By: MemberNow(tx, people.By{Kind: people.ByStaff, ID: mark.Proposal.By})}
	}
	act := ask.Act
	switch {
	case act == people.Propose && mark.Proposal != nil:
		return flow.NewError(flow.CodeProposalExists, "")
	case act != people.Propose && mark.Proposal == nil:
		return flow.NewError(flow.CodeNoProposal, "")
	case act != people.Withdraw && unchecked > 0:
		return flow.NewError(CodeCopyUnchecked, strconv.Itoa(unchecked))
	case act == people.Withdraw:
		act = p.Ending(who.By)
	}
	if err := copyRule.May(act, p, who, people.Seen{Name: ask.Seen}); err != nil {
		return err
	}
	var err error
	action := AuditCopyReleased
	switch act {
	case people.Propose:
		action = AuditCopyProposed
		err = collections.ProposeRelease(tx, mark, &collections.CopyRelease{Name: newID(), By: who.ID, Institution: who.Institution,
			Note: ask.Note, At: now})
	case people.Confirm:
		err = collections.ReleaseCopy(tx)
	default:
		action = AuditCopyWithdrawn
		err = collections.ProposeRelease(tx, mark, nil)
	}
	if err != nil {
		return err
	}
	return Audit(tx, AuditEntry{Institution: who.Institution, ActorKind: "staff", Actor: who.ID, Action: action, Target: mark.Why,
		Address: ask.Address, Details: map[string]any{"note": ask.Note, "since": stamp(mark.Since)}})
}
