package store

import (
	"database/sql"
	"errors"
	"time"

	"hospay/collections"
	"hospay/flow"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/types"
)

// How long a session lives, however busy it is.
const (
	staffLife   = 12 * time.Hour
	patientLife = 2 * time.Hour
	keptSession = 48 * time.Hour // after its end, before it is forgotten
)

// How long a session may rest: a patient's, and a staff member's where the
// institution sets nothing else.
const (
	PatientIdle = 30 * time.Minute
	DefaultIdle = 30 * time.Minute
)

// Why a session is over.
const (
	CodeIdle           flow.Code = "idle"            // it rested too long
	CodeSessionExpired flow.Code = "session_expired" // its whole life is over
	CodeSessionEnded   flow.Code = "session_ended"   // somebody logged out, or it never was
)

// Session is one login: what a token names. Until is the end of its life, which
// nothing moves.
type Session struct {
	ID    string
	Until time.Time
}

// BeginSession writes down that a patient or a member of the staff has come in.
func (s *Store) BeginSession(who *core.Record, now time.Time) (Session, error) {
	life := patientLife
	if who.Collection().Name == collections.Staff {
		life = staffLife
	}
	out := Session{ID: newID(), Until: now.Add(life)}
	_, err := s.app.NonconcurrentDB().Insert(collections.Sessions, dbx.Params{
		"id": out.ID, "account": who.Id, "institution": who.GetString("institution"), "until": stamp(out.Until), "seen": stamp(now),
		"ended": "", "created": stamp(now),
	}).Execute()
	return out, err
}

// UseSession returns a session that is alive, or the code that says why it is
// not: one indexed read. active says that a person acts; to spare the disk, that
// is marked once a minute.
func (s *Store) UseSession(id string, who *core.Record, active bool, now time.Time) (Session, error) {
	var row struct {
		Until types.DateTime `db:"until"`
		Seen  types.DateTime `db:"seen"`
		Ended string         `db:"ended"`
		Idle  int            `db:"idle"`
	}
	err := s.app.ConcurrentDB().NewQuery(`SELECT s.until, s.seen, s.ended, COALESCE(i.idle_minutes, 0) AS idle FROM sessions s
		LEFT JOIN institutions i ON i.id = s.institution WHERE s.id = {:id} AND s.account = {:who}`).
		Bind(dbx.Params{"id": id, "who": who.Id}).One(&row)
	staff := who.Collection().Name == collections.Staff
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return Session{}, flow.NewError(CodeSessionEnded, "")
	case err != nil:
		return Session{}, err
	case row.Ended != "" || staff && !who.GetBool("active"):
		return Session{}, flow.NewError(CodeSessionEnded, "")
	case !now.Before(row.Until.Time()):
		return Session{}, flow.NewError(CodeSessionExpired, "")
	case now.Sub(row.Seen.Time()) > idleOf(staff, row.Idle):
		return Session{}, flow.NewError(CodeIdle, "")
	}
	out := Session{ID: id, Until: row.Until.Time()}
	if !active || now.Sub(row.Seen.Time()) < time.Minute {
		return out, nil
	}
	_, err = s.app.NonconcurrentDB().Update(collections.Sessions, dbx.Params{"seen": stamp(now)}, dbx.HashExp{"id": id}).Execute()
	return out, err
}

// EndSession ends a session for good.
func (s *Store) EndSession(id string, now time.Time) error {
	_, err := s.app.NonconcurrentDB().Update(collections.Sessions, dbx.Params{"ended": stamp(now)}, dbx.HashExp{"id": id, "ended": ""}).
		Execute()
	return err
}

// PurgeSessions forgets sessions that are long over.
func (s *Store) PurgeSessions(now time.Time) (int64, error) {
	res, err := s.app.NonconcurrentDB().Delete(collections.Sessions,
		dbx.NewExp("until < {:old}", dbx.Params{"old": stamp(now.Add(-keptSession))})).Execute()
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

func idleOf(staff bool, minutes int) time.Duration {
	switch {
	case !staff:
		return PatientIdle
	case minutes <= 0:
		return DefaultIdle
	}
	return time.Duration(minutes) * time.Minute
}

// Idle is how long a staff session of an institution may rest.
func (s *Store) Idle(institution string) time.Duration {
	var minutes int
	err := s.app.ConcurrentDB().Select("idle_minutes").From(collections.Institutions).Where(dbx.HashExp{"id": institution}).Row(&minutes)
	if err != nil {
		return DefaultIdle
	}
	return idleOf(true, minutes)
}
