package store

import (
	"context"
	"encoding/json"
	"time"

	"hospay/collections"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/tools/types"
)

// A sink is where the audit log is sent to. The log itself is the queue: a sink
// keeps the last row that has arrived, so that nothing that is written can be
// lost on the way, and sending holds up nobody.

// AuditSink is a sink as IT has entered it.
type AuditSink struct {
	ID      string `db:"id"`
	Kind    string `db:"kind"` // syslog, webhook
	URL     string `db:"url"`
	Sealed  string `db:"secrets_sealed"`
	Sent    int64  `db:"sent_seq"`
	Tries   int    `db:"tries"`
	Secrets map[string]string
}

// DueSinks lists the sinks that are on and may be tried now.
func (s *Store) DueSinks(ctx context.Context) ([]AuditSink, error) {
	var out []AuditSink
	err := s.app.ConcurrentDB().Select("id", "kind", "url", "secrets_sealed", "sent_seq", "tries").From(collections.AuditSinks).
		Where(dbx.HashExp{"active": true}).AndWhere(dbx.NewExp("next_at <= {:now}", dbx.Params{"now": stamp(s.now())})).OrderBy("id").
		WithContext(ctx).All(&out)
	if err != nil {
		return nil, err
	}
	for i := range out {
		secrets, err := s.secrets(collections.AuditSinks, configRow{ID: out[i].ID, Sealed: out[i].Sealed})
		if err != nil {
			return nil, err
		}
		out[i].Secrets = secrets
	}
	return out, nil
}

// SinkRow is a row of the audit log as a sink gets it: what the hash covers, so
// that the collector can follow the chain.
type SinkRow struct {
	Seq         int64          `db:"seq" json:"seq"`
	Created     types.DateTime `db:"created" json:"created"`
	Institution string         `db:"institution" json:"institution"`
	ActorKind   string         `db:"actor_kind" json:"actor_kind"`
	Actor       string         `db:"actor" json:"actor"`
	Action      string         `db:"action" json:"action"`
	Target      string         `db:"target" json:"target"`
	OrderNo     string         `db:"order_no" json:"order_no"`
	Before      string         `db:"before" json:"before"`
	After       string         `db:"after" json:"after"`
	Details     types.JSONRaw  `db:"details" json:"details"`
	Address     string         `db:"address" json:"address"`
	Key         string         `db:"key" json:"key"`
	PrevHash    string         `db:"prev_hash" json:"prev_hash"`
	Hash        string         `db:"hash" json:"hash"`
}

// AuditAfter reads rows of the audit log, of all institutions, after a number,
// each as its JSON.
func (s *Store) AuditAfter(ctx context.Context, seq int64, limit int) (rows []json.RawMessage, last SinkRow, err error) {
	var found []SinkRow
	err = s.app.ConcurrentDB().NewQuery("SELECT seq, created, institution, actor_kind, actor, action, target, order_no, `before`, `after`, " +
		"COALESCE(details, '') AS details, address, `key`, prev_hash, hash FROM audit_log WHERE seq > {:seq} ORDER BY seq LIMIT {:n}").
		Bind(dbx.Params{"seq": seq, "n": limit}).WithContext(ctx).All(&found)
	for _, r := range found {
		text, e := json.Marshal(r)
		if e != nil {
			return nil, last, e
		}
		rows, last = append(rows, text), r
	}
	return rows, last, err
}

// SinkTook moves a sink on to the last row that has arrived.
func (s *Store) SinkTook(ctx context.Context, k AuditSink, last int64) error {
	_, err := s.app.NonconcurrentDB().Update(collections.AuditSinks, dbx.Params{"sent_seq": last, "tries": 0, "next_at": "", "error": "",
		"updated": stamp(s.now())}, dbx.HashExp{"id": k.ID, "sent_seq": k.Sent}).WithContext(ctx).Execute()
	return err
}

// SinkRefused notes that a sink took nothing, and when it is tried again.
func (s *Store) SinkRefused(ctx context.Context, k AuditSink, why string) error {
	wait := min(5*time.Second<<min(k.Tries, 10), 10*time.Minute)
	_, err := s.app.NonconcurrentDB().Update(collections.AuditSinks, dbx.Params{"tries": k.Tries + 1, "next_at": stamp(s.now().Add(wait)),
		"error": clip(why, 300), "updated": stamp(s.now())}, dbx.HashExp{"id": k.ID, "sent_seq": k.Sent}).WithContext(ctx).Execute()
	return err
}
