package store

import (
	"context"
	"net/url"
	"strings"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/tools/types"
)

// AuditFilter chooses rows of the audit log of one institution.
type AuditFilter struct {
	Institution   string
	From, To      string // Beijing days, both counted
	Actor, Action string // id or name of a staff member; an action or what it begins with
	Order         string // number of an order
}

// ParseAuditFilter reads the filter of the audit log, or returns ErrBadFilter.
func ParseAuditFilter(q url.Values, institution string) (AuditFilter, error) {
	f := AuditFilter{Institution: institution, From: q.Get("from"), To: q.Get("to"), Actor: q.Get("actor"), Action: q.Get("action"),
		Order: strings.TrimSpace(q.Get("no"))}
	if !(OrderFilter{From: f.From, To: f.To}).Valid() {
		return f, ErrBadFilter
	}
	return f, nil
}

func (f AuditFilter) where() (string, dbx.Params) {
	c := &conditions{terms: []string{"a.institution = {:inst}"}, params: dbx.Params{"inst": f.Institution}}
	if f.From != "" {
		c.add("a.created >=", dayStart(f.From, 0))
	}
	if f.To != "" {
		c.add("a.created <", dayStart(f.To, 1))
	}
	if f.Actor != "" {
		x := c.bind(f.Actor)
		c.terms = append(c.terms, "(a.actor = "+x+" OR s.name = "+x+")")
	}
	if f.Action != "" {
		x := c.bind(f.Action)
		c.terms = append(c.terms, "(a.action = "+x+" OR substr(a.action, 1, length("+x+") + 1) = "+x+" || '.')")
	}
	if f.Order != "" { // rows from before the column name the order by its id
		x := c.bind(f.Order)
		c.terms = append(c.terms, "(a.order_no = "+x+" OR a.target IN (SELECT id FROM refund_orders WHERE no = "+x+
			" AND institution = {:inst}))")
	}
	return strings.Join(c.terms, " AND "), c.params
}

const auditFrom = " FROM audit_log a LEFT JOIN staff s ON s.id = a.actor AND a.actor_kind = 'staff' WHERE "

// AuditLine is a row of the audit log as auditors read it.
type AuditLine struct {
	ID        string         `db:"id" json:"id"`
	Seq       int64          `db:"seq" json:"seq"`
	Created   types.DateTime `db:"created" json:"created"`
	ActorKind string         `db:"actor_kind" json:"actor_kind"`
	Actor     string         `db:"actor" json:"actor"`
	ActorName string         `db:"actor_name" json:"actor_name"`
	Action    string         `db:"action" json:"action"`
	Target    string         `db:"target" json:"target"`
	OrderNo   string         `db:"order_no" json:"order_no"`
	Before    string         `db:"before" json:"before"`
	After     string         `db:"after" json:"after"`
	Details   types.JSONRaw  `db:"details" json:"details"`
	Address   string         `db:"address" json:"address"`
	PrevHash  string         `db:"prev_hash" json:"prev_hash"`
	Hash      string         `db:"hash" json:"hash"`
	Key       string         `db:"key" json:"key"`
}

const auditColumns = "a.id, a.seq, a.created, a.actor_kind, a.actor, COALESCE(s.name, '') AS actor_name, a.action, a.target, a.order_no, " +
	"a.`before`, a.`after`, a.details, a.address, a.prev_hash, a.hash, a.`key`"

// AuditCount counts the rows of a filter, and tells the number of the last.
func (s *Store) AuditCount(ctx context.Context, f AuditFilter) (rows int, last int64, err error) {
	where, params := f.where()
	err = s.app.ConcurrentDB().NewQuery("SELECT COUNT(*), COALESCE(MAX(a.seq), 0)"+auditFrom+where).Bind(params).WithContext(ctx).
		Row(&rows, &last)
	return rows, last, err
}

// AuditPage reads rows of the audit log, newest first.
func (s *Store) AuditPage(ctx context.Context, f AuditFilter, offset, limit int) ([]AuditLine, error) {
	where, params := f.where()
	params["offset"], params["limit"] = offset, limit
	lines := []AuditLine{}
	err := s.app.ConcurrentDB().NewQuery("SELECT " + auditColumns + auditFrom + where +
		" ORDER BY a.created DESC, a.seq DESC LIMIT {:limit} " +
		"OFFSET {:offset}").
		Bind(params).WithContext(ctx).All(&lines)
	return lines, err
}

// AuditUpTo reads rows of the audit log from a number downwards: what is
// written meanwhile moves no page.
func (s *Store) AuditUpTo(ctx context.Context, f AuditFilter, seq int64, limit int) ([]AuditLine, error) {
	where, params := f.where()
	params["seq"], params["limit"] = seq, limit
	var lines []AuditLine
	err := s.app.ConcurrentDB().NewQuery("SELECT " + auditColumns + auditFrom + where + " AND a.seq <= {:seq} ORDER BY a.seq DESC LIMIT " +
		"{:limit}").Bind(params).WithContext(ctx).All(&lines)
	return lines, err
}
