package store

import (
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"hospay/collections"
	"hospay/flow"
	"hospay/internal/vault"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/types"
)

// A staff account is locked after so many failures, for so long. Failures that
// are older count no more.
const (
	lockAfter = 5
	lockFor   = 15 * time.Minute
)

// SecondFactorTOTP is the policy of an institution that asks for a code.
const SecondFactorTOTP = "totp"

// Errors of a staff login. CodeLocked is also told with the failure that locks.
const (
	CodeLocked      flow.Code = "locked"
	CodeTOTPInvalid flow.Code = "totp_invalid"
)

// Security is what the login keeps of a staff member: one row, written by the
// Store alone, so that no save of a stale record brings a used code back.
type Security struct {
	ID          string         `db:"id"`
	Staff       string         `db:"staff"`
	Sealed      string         `db:"totp_sealed"`
	On          bool           `db:"totp_on"` // confirmed by a code
	LastStep    int64          `db:"last_step"`
	Recovery    types.JSONRaw  `db:"recovery"` // blind indexes of the codes that are left
	Failures    int            `db:"failures"`
	FailedAt    types.DateTime `db:"failed_at"`
	LockedUntil types.DateTime `db:"locked_until"`
	Joined      string         `db:"joined"` // marks of the accounts that the same person has entered from here
}

// RecoveryLeft is the number of recovery codes that are left.
func (s Security) RecoveryLeft() int { return len(s.indexes()) }

func (s Security) indexes() []string {
	var out []string
	_ = json.Unmarshal(s.Recovery, &out)
	return out
}

// SecurityOf reads the row of a staff member; without one it is empty.
func (s *Store) SecurityOf(staff string) (Security, error) {
	return securityOf(s.app.ConcurrentDB(), staff)
}

func securityOf(db dbx.Builder, staff string) (Security, error) {
	var out Security
	err := db.Select("*").From(collections.StaffSecurity).Where(dbx.HashExp{"staff": staff}).One(&out)
	if errors.Is(err, sql.ErrNoRows) {
		return Security{Staff: staff}, nil
	}
	return out, err
}

// secure reads and writes a row in one transaction.
func (s *Store) secure(staff *core.Record, f func(tx core.App, row *Security) error) error {
	return s.transact(func(tx core.App) error {
		row, err := securityOf(tx.DB(), staff.Id)
		if err != nil {
			return err
		}
		fresh := row.ID == ""
		if fresh {
			row.ID = newID()
		}
		if err := f(tx, &row); err != nil {
			return err
		}
		set := dbx.Params{
			"totp_sealed": row.Sealed, "totp_on": row.On, "last_step": row.LastStep, "recovery": jsonText(row.indexes()), "failures": row.Failures,
			"failed_at": stamp(row.FailedAt.Time()), "locked_until": stamp(row.LockedUntil.Time()),
			"joined": row.Joined, "updated": stamp(collections.Now(tx)),
		}
		if !fresh {
			_, err = tx.DB().Update(collections.StaffSecurity, set, dbx.HashExp{"id": row.ID}).Execute()
			return err
		}
		set["id"], set["staff"], set["institution"], set["created"] = row.ID, staff.Id, staff.GetString("institution"), set["updated"]
		_, err = tx.DB().Insert(collections.StaffSecurity, set).Execute()
		return err
	})
}

func dateTime(t time.Time) types.DateTime {
	d, _ := types.ParseDateTime(t) // a time always parses
	return d
}

// Tries counts the attempts at a login that failed. The zero value has none.
type Tries struct {
	Failures    int
	FailedAt    time.Time
	LockedUntil time.Time
}

// Begin counts an attempt before it is judged, so that attempts at once do not
// pass beside the count, and reports whether it may be judged.
func (t *Tries) Begin(now time.Time) bool {
	if !t.LockedUntil.IsZero() && now.Before(t.LockedUntil) {
		return false
	}
	if !t.LockedUntil.IsZero() || now.Sub(t.FailedAt) > lockFor {
		t.Failures, t.LockedUntil = 0, time.Time{}
	}
	if t.Failures >= lockAfter {
		return false
	}
	t.Failures, t.FailedAt = t.Failures+1, now
	return true
}

// Fail books an attempt as failed and reports whether it is locked now, and
// whether by this attempt.
func (t *Tries) Fail(now time.Time) (locked, first bool) {
	if t.Failures < lockAfter || !t.LockedUntil.IsZero() {
		return !t.LockedUntil.IsZero(), false
	}
	t.LockedUntil = now.Add(lockFor)
	return true, true
}

// Aged reports whether nothing is left to remember.
func (t *Tries) Aged(now time.Time) bool {
	return now.Sub(t.FailedAt) > lockFor && !now.Before(t.LockedUntil)
}

func (s *Security) tries() Tries {
	return Tries{Failures: s.Failures, FailedAt: s.FailedAt.Time(), LockedUntil: s.LockedUntil.Time()}
}

func (s *Security) keep(t Tries) {
	s.Failures, s.FailedAt, s.LockedUntil = t.Failures, dateTime(t.FailedAt), dateTime(t.LockedUntil)
}

// BeginTry counts an attempt at a login of an account. CodeLocked refuses it.
func (s *Store) BeginTry(staff *core.Record, now time.Time) error {
	judged := false
	err := s.secure(staff, func(_ core.App, row *Security) error {
		t := row.tries()
		judged = t.Begin(now)
		row.keep(t)
		return nil
	})
	if err == nil && !judged {
		return flow.NewError(CodeLocked, "")
	}
	return err
}

// FailTry books an attempt as failed and reports whether the account is locked.
func (s *Store) FailTry(staff *core.Record, address string, now time.Time) (locked bool, err error) {
	err = s.secure(staff, func(tx core.App, row *Security) error {
		t := row.tries()
		var first bool
		if locked, first = t.Fail(now); !first {
			return nil
		}
		row.keep(t)
		return Audit(tx, AuditEntry{
			Institution: staff.GetString("institution"), ActorKind: "system", Action: "staff.locked", Target: staff.Id, Address: address,
			Details: map[string]any{"failures": row.Failures, "until": stamp(row.LockedUntil.Time())},
		})
	})
	return locked, err
}

// PassTry takes an attempt back that was right. done says that the login is
// complete: the account starts at zero.
func (s *Store) PassTry(staff *core.Record, done bool) error {
	return s.secure(staff, func(_ core.App, row *Security) error {
		row.Failures = max(0, row.Failures-1)
		if done {
			row.Failures, row.LockedUntil = 0, types.DateTime{}
		}
		return nil
	})
}

// Unlock ends a lock on the order of a person whose note is kept; reset also
// takes the second factor away, to be enrolled anew.
func (s *Store) Unlock(staff *core.Record, reset bool, by AuditEntry) error {
	return s.secure(staff, func(tx core.App, row *Security) error {
		row.Failures, row.LockedUntil = 0, types.DateTime{}
		if reset {
			row.Sealed, row.On, row.Recovery = "", false, nil
		}
		return Audit(tx, by)
	})
}

func totpPlace(id string) string { return vault.Place(collections.StaffSecurity, "totp", id) }
