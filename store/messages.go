package store

import (
	"context"

	"hospay/collections"
	"hospay/flow"
	"hospay/notify"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/tools/types"
)

// InAppMessage is a notice as its patient reads it in the portal.
type InAppMessage struct {
	ID    string         `db:"id"`
	Event string         `db:"event"`
	Title string         `db:"title"`
	Body  string         `db:"body"`
	Page  string         `db:"page"`
	At    types.DateTime `db:"sent_at"`
	Read  types.DateTime `db:"read_at"`
}

// inApp are the notices that a patient has got in the portal.
func inApp(patient string) dbx.HashExp {
	return dbx.HashExp{"patient": patient, "staff": false, "via": notify.ViaInApp, "state": string(notify.StateSent)}
}

// readAt is when a notice was opened. What lies in an archive nobody can mark any
// more: it counts as read since it was sent.
const readAt = "CASE WHEN read_at = '' AND NOT EXISTS (SELECT 1 FROM main.notifications m WHERE m.id = notifications.id) THEN sent_at " +
	"ELSE read_at END AS read_at"

// Messages lists a patient's notices, newest first, and counts those that were
// not opened.
func (s *Store) Messages(ctx context.Context, patient string, limit, offset int) (out []InAppMessage, unread int, err error) {
	db := s.app.ConcurrentDB()
	err = db.Select("id", "event", "title", "body", "page", "sent_at", readAt).From(collections.Notifications).Where(inApp(patient)).
		OrderBy("sent_at DESC", "id").Limit(int64(limit)).Offset(int64(offset)).WithContext(ctx).All(&out)
	if err != nil {
		return nil, 0, err
	}
	err = db.Select("COUNT(*)").From(collections.Live(collections.Notifications)).Where(dbx.And(inApp(patient), dbx.HashExp{"read_at": ""})).
		WithContext(ctx).Row(&unread)
	return out, unread, err
}

// MarkRead notes that a patient has opened a notice, or all of them; a second
// look changes nothing.
func (s *Store) MarkRead(ctx context.Context, patient, id string) error {
	mine := dbx.Expression(inApp(patient))
	if id != "" {
		mine = dbx.And(mine, dbx.HashExp{"id": id})
		var found int
		if err := s.app.ConcurrentDB().Select("COUNT(*)").From(collections.Notifications).Where(mine).WithContext(ctx).
			Row(&found); err != nil {
			return err
		}
		if found == 0 {
			return flow.ErrNotFound
		}
	}
	_, err := s.app.NonconcurrentDB().Update(collections.Notifications, dbx.Params{"read_at": stamp(s.now())},
		dbx.And(mine, dbx.HashExp{"read_at": ""})).WithContext(ctx).Execute()
	return err
}
