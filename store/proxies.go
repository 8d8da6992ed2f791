package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"slices"
	"strings"
	"time"

	"hospay/calendar"
	"hospay/collections"
	"hospay/flow"
	"hospay/internal/idno"
	"hospay/internal/vault"
	"hospay/people"
	"hospay/refund"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/types"
)

// Why an application was closed or rejected (reason_code).
const (
	ReasonProxyAgent     = "closed_by_agent"
	ReasonProxyExpired   = "expired"   // the approval's days are over
	ReasonProxyAbandoned = "abandoned" // a draft that nobody touched
	ReasonProxyRejected  = "rejected"
)

type proxyRow struct {
	ID          string         `db:"id"`
	No          string         `db:"no"`
	Institution string         `db:"institution"`
	Agent       string         `db:"patient"`
	Principal   string         `db:"principal"`
	Case        string         `db:"case"`
	Relation    string         `db:"relation"`
	Paper       string         `db:"principal_id_type"`
	CardNo      string         `db:"card_no"`
	Status      string         `db:"status"`
	Version     int64          `db:"version"`
	ExpiresAt   types.DateTime `db:"expires_at"`
}

// Proxy reads a proxy application, or returns ErrNotFound.
func (s *Store) Proxy(ctx context.Context, id string) (refund.Proxy, error) {
	return readProxy(ctx, s.app.ConcurrentDB(), id)
}

func readProxy(ctx context.Context, db dbx.Builder, id string) (refund.Proxy, error) {
	var r proxyRow
	err := db.Select("*").From(collections.ProxyApplications).Where(dbx.HashExp{"id": id}).WithContext(ctx).One(&r)
	if errors.Is(err, sql.ErrNoRows) {
		return refund.Proxy{}, flow.ErrNotFound
	}
	return refund.Proxy{
		ID: r.ID, No: r.No, Institution: r.Institution, Agent: r.Agent, Principal: r.Principal, Case: refund.ProxyCase(r.Case),
		Relation: refund.ProxyRelation(r.Relation), Paper: paperOf(r.Paper),
		CardNo: r.CardNo, Status: refund.ProxyStatus(r.Status), Version: r.Version,
		ExpiresAt: r.ExpiresAt.Time(),
	}, err
}

// stillProxy refuses to approve an order whose proxy application has been
// closed since the order was made.
func stillProxy(db dbx.Builder, c *refund.Change) error {
	if c.Order.Proxy == "" || c.Review == nil || c.Review.Decision != refund.OutcomeApprove || c.Review.Reviewer == "" {
		return nil
	}
	p, err := readProxy(context.Background(), db, c.Order.Proxy)
	if err == nil && p.Status != refund.ProxyApproved {
		return flow.NewError(refund.CodeProxyClosed, string(p.Status))
	}
	return err
}

// moveProxy moves an application in one transaction: decide looks at it and
// returns the new columns; what it writes besides belongs to the move.
func (s *Store) moveProxy(ctx context.Context, id string, to refund.ProxyStatus, decide func(tx core.App, p refund.Proxy) (dbx.Params,
	error)) error {
	err := s.transact(func(tx core.App) error {
		p, err := readProxy(ctx, tx.DB(), id)
		if err != nil {
			return err
		}
		if !p.Status.Can(to) {
			if p.Status.Final() {
				return flow.NewError(refund.CodeProxyClosed, string(p.Status))
			}
			return flow.NewError(flow.CodeConflict, string(p.Status))
		}
		set, err := decide(tx, p)
		if err != nil {
			return err
		}
		set["status"], set["version"], set["updated"] = string(to), p.Version+1, stamp(s.now())
		res, err := tx.DB().Update(collections.ProxyApplications, set, dbx.HashExp{"id": id, "status": string(p.Status), "version": p.Version}).
			Execute()
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n != 1 {
			return flow.ErrConflict
		}
		return nil
	})
	if err == nil {
		publish(s.app, collections.ProxyApplications, id)
	}
	return err
}

// SubmitProxy hands a draft in, when every required material is there.
func (s *Store) SubmitProxy(ctx context.Context, id string, now time.Time) error {
	return s.moveProxy(ctx, id, refund.ProxySubmitted, func(tx core.App, p refund.Proxy) (dbx.Params, error) {
		missing, err := missingMaterials(tx.DB(), p)
		if err != nil {
			return nil, err
		}
		if len(missing) > 0 {
			return nil, flow.NewError(refund.CodeProxyMissing, strings.Join(missing, ","))
		}
		return dbx.Params{"submitted_at": stamp(now)}, nil
	})
}

// CloseProxy ends an application at its agent's wish.
func (s *Store) CloseProxy(ctx context.Context, id string, now time.Time) error {
	return s.closeProxy(ctx, id, ReasonProxyAgent, now)
}

func (s *Store) closeProxy(ctx context.Context, id, reason string, now time.Time) error {
	return s.moveProxy(ctx, id, refund.ProxyEnded, func(core.App, refund.Proxy) (dbx.Params, error) {
		return dbx.Params{"closed_at": stamp(now), "reason_code": reason}, nil
	})
}

// ReviewProxy decides on an application that was handed in. Who decides is
// looked up again at the moment of effect: a reviewer of the institution who
// is neither the agent nor the principal, by person.
func (s *Store) ReviewProxy(ctx context.Context, id, staff string, approve bool, note, address string, now time.Time) error {
	to, action := refund.ProxyRejected, "proxy.reject"
	if approve {
		to, action = refund.ProxyApproved, "proxy.approve"
	}
	note, err := flow.Optional(note)
	if err == nil && !approve {
		note, err = flow.Required(note, flow.CodeNoteRequired)
	}
	if err != nil {
		return err
	}
	return s.moveProxy(ctx, id, to, func(tx core.App, p refund.Proxy) (dbx.Params, error) {
		if p.Status != refund.ProxySubmitted {
			return nil, flow.NewError(flow.CodeConflict, string(p.Status))
		}
		if err := mayReview(tx, staff, p); err != nil {
			return nil, err
		}
		set := dbx.Params{"reviewer": staff, "reviewed_at": stamp(now), "note": clip(note, 500)}
		if approve {
			if err := allSeen(tx, staff, id); err != nil {
				return nil, err
			}
			inst, err := s.Institution(ctx, p.Institution)
			if err != nil {
				return nil, err
			}
			set["expires_at"] = stamp(now.AddDate(0, 0, inst.Proxy.Days))
		} else {
			set["reason_code"] = ReasonProxyRejected
		}
		if err := Audit(tx, AuditEntry{ActorKind: "staff", Actor: staff, Action: action, Target: id, Address: address}); err != nil {
			return nil, err
		}
		return set, s.tellAgent(tx, p, approve, note, now)
	})
}

// mayReview checks who decides, by account and by person.
func mayReview(tx core.App, id string, p refund.Proxy) error {
	staff, err := tx.FindRecordById(collections.Staff, id)
	if err != nil || !staff.GetBool("active") || staff.GetString("institution") != p.Institution ||
		!slices.Contains(staff.GetStringSlice("roles"), people.RoleReviewer) {
		return flow.NewError(flow.CodeNotAllowed, "")
	}
	return NotConcerned(tx, staff.GetString("person_index"), p.Agent, p.Principal)
}

// NotConcerned refuses a person of the staff who is one of the patients, and an
// account whose person is not known: it may be anybody's.
func NotConcerned(app core.App, person string, patients ...string) error {
	if person == "" {
		return people.PersonUnknown
	}
	recs, err := app.FindRecordsByIds(collections.Patients, patients)
	if err != nil {
		return err
	}
	for _, r := range recs {
		if r.GetString("id_index") == person {
			return flow.NewError(refund.CodeSelfReview, "")
		}
	}
	return nil
}

// tellAgent queues the notice of a decision. It names nobody: the principal's
// name stays in the program.
func (s *Store) tellAgent(tx core.App, p refund.Proxy, approved bool, note string, now time.Time) error {
	event := refund.NoticeProxyRejected
	if approved {
		event = refund.NoticeProxyApproved
	}
	values := map[string]string{
		"no": p.No, "reason": note, "time": now.In(calendar.Beijing).Format("2006-01-02 15:04"), "amount": "", "channel": "", "method": "",
		"status": "",
	}
	return s.tell(tx, told{institution: p.Institution, patient: p.Agent, page: "/proxy/" + p.ID, values: values},
		flow.Notice{Event: event, At: s.now()})
}

// Lookup counts a search for a principal in the audit log and refuses it once
// the agent has made limit of them on this Beijing day. It is written before
// HIS is asked, so that searches at the same time count, too.
func (s *Store) Lookup(ctx context.Context, agent, address string, limit int, now time.Time) error {
	return s.transact(func(tx core.App) error {
		var n int
		err := tx.DB().NewQuery("SELECT COUNT(*) FROM audit_log WHERE target = {:agent} AND created >= {:from} AND action = 'proxy.lookup'").
			Bind(dbx.Params{"agent": agent, "from": today(now)}).WithContext(ctx).Row(&n)
		if err != nil {
			return err
		}
		if n >= limit {
			return flow.NewError(refund.CodeTooManyToday, "")
		}
		return Audit(tx, AuditEntry{ActorKind: "patient", Actor: agent, Action: "proxy.lookup", Target: agent, Address: address})
	})
}

// KeepPrincipal returns the patient's record of a person whom HIS knows, or
// makes one that nobody has entered yet. What is stored of a patient who has
// come before stays as it is.
func (s *Store) KeepPrincipal(institution string, p refund.Person) (patient string, err error) {
	err = s.transact(func(tx core.App) error {
		rec, err := tx.FindFirstRecordByFilter(collections.Patients, "institution = {:i} && patient_no = {:p}",
			dbx.Params{"i": institution, "p": p.PatientNo})
		switch {
		case err == nil && rec.GetString("id_index") != s.PersonIndex(p.IDNo):
			return flow.NewError(refund.CodePrincipalNotFound, "")
		case err == nil:
			patient = rec.Id
			return nil
		case !errors.Is(err, sql.ErrNoRows):
			return err
		}
		if rec, err = newPatient(tx, institution, p.PatientNo); err != nil {
			return err
		}
		p.Phone = "" // it is for the person to tell
		if err := s.fillVisitor(tx, rec, Visitor{Person: p}); err != nil {
			return err
		}
		patient = rec.Id
		return tx.Save(rec)
	})
	return patient, err
}

// PaperOf is the paper by which the principal of an application is known.
func PaperOf(rec *core.Record) idno.Paper { return paperOf(rec.GetString("principal_id_type")) }

// paperOf: applications from before there were other papers name none.
func paperOf(kept string) idno.Paper { return idno.Paper(cmp.Or(kept, string(idno.Resident))) }

// SealPrincipal sets the principal's name and number on an application, sealed
// and masked.
func (s *Store) SealPrincipal(rec *core.Record, name, idNo string) error {
	for field, x := range map[string][2]string{"principal_name": {name, vault.MaskName(name)},
		"principal_id_no": {idNo, vault.MaskIDNo(idNo)}} {
		sealed, err := s.vault.Seal(vault.Person, vault.Place(collections.ProxyApplications, field, rec.Id), x[0])
		if err != nil {
			return err
		}
		rec.Set(field, x[1])
		rec.Set(field+"_sealed", sealed)
	}
	rec.Set("principal_id_index", s.PersonIndex(idNo))
	return nil
}
