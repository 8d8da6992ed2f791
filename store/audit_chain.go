package store

import (
	"context"
	"database/sql"
	"errors"
	"strconv"
	"time"

	"hospay/collections"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

// Why a row of the audit log is not believed.
const (
	brokenEdited  = "edited"  // not what was written
	brokenMissing = "missing" // a row in between is gone
	brokenUnkeyed = "unkeyed" // added by somebody without the key
	brokenKey     = "key"     // the key file does not hold the key any more
	brokenAnchor  = "anchor"  // not the row that was written down elsewhere, or the log ends before it
)

// AuditBreak is the first row of the audit log that is not as it was written.
type AuditBreak struct {
	Seq    int64  `json:"seq"`
	ID     string `json:"id"`
	Reason string `json:"reason"` // edited, missing, unkeyed, key, anchor
}

// AuditState is the result of a walk along the audit log's chain.
type AuditState struct {
	Rows  int         `json:"rows"` // that were walked over
	Seq   int64       `json:"seq"`  // of the last row
	Head  string      `json:"head"` // hash of the last row; kept elsewhere, it shows a cut end
	Break *AuditBreak `json:"break"`
	keyed bool
}

// Anchor is a row of the audit log that was written down outside of it.
type Anchor struct {
	Seq  int64     `db:"seq" json:"seq"`
	Head string    `db:"hash" json:"head"`
	At   time.Time `db:"-" json:"at"`
}

// AuditHead is where the audit log ends now.
func AuditHead(app core.App) (Anchor, error) {
	a := Anchor{At: collections.Now(app)}
	err := app.DB().Select("seq", "hash").From(collections.AuditLog).OrderBy("seq DESC").Limit(1).Row(&a.Seq, &a.Head)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return a, err
}

// VerifyAudit walks the whole chain and names the first row whose hash, number
// or link to the row before it is wrong, or which is not the one that an anchor
// names: those of closed months, and those that are given.
func (s *Store) VerifyAudit(ctx context.Context, anchors ...Anchor) (AuditState, error) {
	months, err := s.monthAnchors(ctx)
	if err != nil {
		return AuditState{}, err
	}
	return s.walkAudit(ctx, AuditState{}, append(months, anchors...))
}

// VerifyAuditFrom walks on from where an earlier walk has ended: what lies
// before is taken as it was, but for its last row.
func (s *Store) VerifyAuditFrom(ctx context.Context, last AuditState) (AuditState, error) {
	if last.Break != nil || last.Seq == 0 {
		return s.walkAudit(ctx, AuditState{}, nil)
	}
	return s.walkAudit(ctx, AuditState{Seq: last.Seq - 1, keyed: last.keyed}, []Anchor{{Seq: last.Seq, Head: last.Head}})
}

// monthAnchors are the ends of the log that closed months have kept.
func (s *Store) monthAnchors(ctx context.Context) ([]Anchor, error) {
	var out []Anchor
	err := s.app.ConcurrentDB().NewQuery("SELECT audit_seq AS seq, audit_head AS hash FROM recon_months WHERE audit_head != ''").
		WithContext(ctx).All(&out)
	return out, err
}

// walkAudit walks from the row after out.Seq. Where the walk does not begin at
// the first row, the first link is not judged: an anchor does.
func (s *Store) walkAudit(ctx context.Context, out AuditState, anchors []Anchor) (AuditState, error) {
	want := map[int64]string{}
	for _, a := range anchors {
		if have, ok := want[a.Seq]; ok && have != a.Head {
			out.Break = &AuditBreak{Seq: a.Seq, Reason: brokenAnchor}
			return out, nil
		}
		want[a.Seq] = a.Head
	}
	begin := out.Seq
	err := s.snapshot(ctx, func(tx *dbx.Tx) error {
		rows, err := tx.NewQuery("SELECT id, `key`, institution, seq, actor_kind, actor, action, target, order_no, `before`, `after`, " +
			"COALESCE(details, '') AS details, address, prev_hash, hash, created FROM audit_log WHERE seq > {:seq} ORDER BY seq").
			Bind(dbx.Params{"seq": begin}).WithContext(ctx).Rows()
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			have := dbx.NullStringMap{}
			if err := rows.ScanMap(have); err != nil {
				return err
			}
			if begin > 0 && out.Rows == 0 {
				out.Head = have["prev_hash"].String
			}
			if out.Break = s.judgeRow(&out, have, want[out.Seq+1]); out.Break != nil {
				return nil
			}
		}
		return rows.Err()
	})
	if err == nil && out.Break == nil {
		for seq := range want {
			if seq > out.Seq {
				out.Break = &AuditBreak{Seq: out.Seq + 1, Reason: brokenAnchor}
			}
		}
	}
	return out, err
}

// judgeRow judges the row that follows what was walked over.
func (s *Store) judgeRow(out *AuditState, have dbx.NullStringMap, anchor string) *AuditBreak {
	row := dbx.Params{}
	for k, v := range have {
		row[k] = v.String
	}
	seq, key, hash := out.Seq+1, have["key"].String, have["hash"].String
	b := &AuditBreak{Seq: seq, ID: have["id"].String}
	if have["seq"].String != strconv.FormatInt(seq, 10) {
		return &AuditBreak{Seq: seq, Reason: brokenMissing}
	}
	switch want, known := s.auditHash(key, row); {
	case !known:
		b.Reason = brokenKey
	case have["prev_hash"].String != out.Head, hash != want:
		b.Reason = brokenEdited
	case key == "" && out.keyed && have["action"].String != guardsInstalled:
		b.Reason = brokenUnkeyed
	case anchor != "" && anchor != hash:
		b.Reason = brokenAnchor
	default:
		out.Rows, out.Seq, out.Head, out.keyed = out.Rows+1, seq, hash, out.keyed || key != ""
		return nil
	}
	return b
}

// auditHash is what the hash of a row must be; false where the key is not there.
func (s *Store) auditHash(key string, row dbx.Params) (string, bool) {
	if key == "" {
		return plainHash(row), true
	}
	c := chain(s.app)
	if c == nil {
		return "", false
	}
	return c.Sum(key, auditText(row))
}
