package books

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/pocketbase/dbx"

	"hospay/collections"
)

// Note writes down how asking for a bill went. A refused file that is kept
// stays what it is until another one comes, or word that there is none; one that
// somebody has brought stays in any case.
func (s *Service) Note(ctx context.Context, st Statement, state, message string, next time.Time) error {
	if st.brought() {
		return s.noteBrought(ctx, st, state, next)
	}
	if st.SHA256 != "" && state != Empty {
		state = Refused
	}
	_, err := s.App.NonconcurrentDB().Update(collections.Statements, dbx.Params{
		"state": state, "message": clip(message, 500), "tries": st.Tries + 1, "next_at": stamp(next), "updated": stamp(s.now()),
	}, dbx.HashExp{"id": st.ID, "superseded": false, "state": []any{Waiting, Refused}}).WithContext(ctx).Execute()
	return err
}

// Await makes sure that a bill has its row, and asks for it from now on.
func (s *Service) Await(ctx context.Context, inst, source, kind, day, connection string) error {
	if _, err := s.current(ctx, Statement{Institution: inst, Source: source, Kind: kind, Day: day, Connection: connection}); !errors.Is(err,
		sql.ErrNoRows) {
		return err
	}
	now := stamp(s.now())
	_, err := s.App.NonconcurrentDB().NewQuery("INSERT INTO statements (id, institution, source, kind, day, connection, state, version, " +
		"superseded, tries, next_at, created, updated) " +
		"SELECT {:id}, {:i}, {:s}, {:k}, {:d}, {:c}, 'waiting', 1, FALSE, 0, {:now}, {:now}, {:now} WHERE NOT EXISTS (SELECT 1 FROM statements " +
		"WHERE " +
		"institution = {:i} AND source = {:s} AND kind = {:k} AND day = {:d} AND connection = {:c})").
		Bind(dbx.Params{"id": newID(), "i": inst, "s": source, "k": kind, "d": day, "c": connection, "now": now}).WithContext(ctx).Execute()
	return err
}

// Due lists the bills to ask for now: those that are not there, and those that
// somebody has brought and the other side has not given yet.
func (s *Service) Due(ctx context.Context, limit int) ([]Statement, error) {
	var out []Statement
	err := s.App.ConcurrentDB().NewQuery("SELECT * FROM statements WHERE next_at != '' AND next_at <= {:now} AND superseded = FALSE AND " +
		"(state IN ('waiting', 'refused') OR `by` != '') ORDER BY next_at LIMIT {:n}").
		Bind(dbx.Params{"now": stamp(s.now()), "n": limit}).WithContext(ctx).All(&out)
	return out, err
}
