package store

import "github.com/pocketbase/dbx"

// TrimLogs forgets the oldest rows of the log beyond so many.
func (s *Store) TrimLogs(most int) (int64, error) {
	res, err := s.app.AuxNonconcurrentDB().NewQuery(
		"DELETE FROM _logs WHERE rowid <= (SELECT rowid FROM _logs ORDER BY rowid DESC LIMIT 1 OFFSET {:most})").
		Bind(dbx.Params{"most": most}).Execute()
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}
