package store

import (
	"context"

	"hospay/collections"
	"hospay/internal/vault"
	"hospay/refund"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

// DeskProxies lists the proxy applications of an institution that were handed
// in, of one state or of all: what waits oldest first, what is decided newest first.
func (s *Store) DeskProxies(institution, status string, limit, offset int) ([]*core.Record, int64, error) {
	where := []dbx.Expression{dbx.HashExp{"institution": institution}, dbx.NewExp("submitted_at != ''")}
	if status != "" {
		where = append(where, dbx.HashExp{"status": status})
	}
	total, err := s.app.CountRecords(collections.ProxyApplications, where...)
	if err != nil {
		return nil, 0, err
	}
	recs := []*core.Record{}
	order := "submitted_at DESC"
	if status == string(refund.ProxySubmitted) {
		order = "submitted_at"
	}
	err = s.app.RecordQuery(collections.ProxyApplications).AndWhere(dbx.And(where...)).OrderBy(order, "id").Limit(int64(limit)).
		Offset(int64(offset)).All(&recs)
	return recs, total, err
}

// OpenPrincipal opens the principal's name and ID number of an application, for
// a call to HIS.
func (s *Store) OpenPrincipal(_ context.Context, rec *core.Record) (name, idNo string, err error) {
	open := func(field string) (string, error) {
		return s.vault.Open(vault.Place(collections.ProxyApplications, field, rec.Id), rec.GetString(field+"_sealed"))
	}
	if name, err = open("principal_name"); err != nil {
		return "", "", err
	}
	idNo, err = open("principal_id_no")
	return name, idNo, err
}
