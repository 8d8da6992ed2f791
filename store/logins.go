package store

import (
	"maps"
	"sync"
	"time"

	"hospay/collections"

	"github.com/pocketbase/pocketbase/core"
)

// An account has so many failed logins on record, row by row, within this time;
// what is beyond, and what names no account, is counted: strangers do not fill
// the log.
const (
	loginRows  = 10
	loginsWhen = time.Hour
)

// failedLogins counts the failures that have no row of their own.
type failedLogins struct {
	mu      sync.Mutex
	rows    map[string][]time.Time // by account
	counted map[string]int         // by kind
}

// room reports whether a failure of an account has a row of its own, and counts
// it where it has none.
func (f *failedLogins) room(kind, account string, now time.Time) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.rows == nil {
		f.rows, f.counted = map[string][]time.Time{}, map[string]int{}
	}
	recent := f.rows[account]
	for len(recent) > 0 && now.Sub(recent[0]) > loginsWhen {
		recent = recent[1:]
	}
	if account == "" || len(recent) >= loginRows {
		f.counted[kind]++
		return false
	}
	f.rows[account] = append(recent, now)
	return true
}

// LoginFailed notes that a login has failed. The account is nil where what was
// entered names none; what was entered is not kept.
func (s *Store) LoginFailed(kind string, account *core.Record, address string) error {
	id, inst := "", ""
	if account != nil && kind != "patient" {
		id, inst = account.Id, account.GetString("institution")
	}
	if !s.logins.room(kind, id, s.now()) {
		return nil
	}
	return s.transact(func(tx core.App) error {
		return Audit(tx, AuditEntry{Institution: inst, ActorKind: kind, Action: kind + ".login_failed", Target: id, Address: address})
	})
}

// CountLogins writes down how many failures there were that have no row of their
// own, and begins anew.
func (s *Store) CountLogins() (int, error) {
	s.logins.mu.Lock()
	counted := maps.Clone(s.logins.counted)
	clear(s.logins.counted)
	s.logins.mu.Unlock()
	total, details := 0, map[string]any{}
	for kind, n := range counted {
		total, details[kind] = total+n, n
	}
	if total == 0 {
		return 0, nil
	}
	err := s.transact(func(tx core.App) error {
		return Audit(tx, AuditEntry{ActorKind: "system", Action: "login.failures", Target: collections.Now(tx).UTC().Format(time.DateOnly),
			Details: details})
	})
	if err != nil { // told the next time
		s.logins.mu.Lock()
		defer s.logins.mu.Unlock()
		for kind, n := range counted {
			s.logins.counted[kind] += n
		}
	}
	return total, err
}
