package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
	"time"

	"hospay/collections"
	"hospay/flow"
	"hospay/internal/vault"
	"hospay/refund"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/filesystem"
)

const (
	draftDays  = 7         // a draft that nobody touches is closed
	orphanAge  = time.Hour // a file without a row: an upload that was cut off
	purgeBatch = 200       // applications in one run
)

// SealPhoto is the file that keeps a photo of a record, encrypted.
func (s *Store) SealPhoto(id string, kind refund.MaterialKind, photo []byte) (*filesystem.File, error) {
	sealed, err := s.vault.SealBytes(vault.File, vault.Place(collections.ProxyMaterials, "file", id), photo)
	if err != nil {
		return nil, err
	}
	return filesystem.NewFileFromBytes(sealed, string(kind)+".jpg")
}

// OpenPhoto reads the photo of a record.
func (s *Store) OpenPhoto(rec *core.Record) ([]byte, error) {
	fsys, err := s.app.NewFilesystem()
	if err != nil {
		return nil, err
	}
	defer fsys.Close()
	r, err := fsys.GetReader(path.Join(rec.BaseFilesPath(), rec.GetString("file")))
	if err != nil {
		return nil, err
	}
	defer r.Close()
	sealed, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	return s.vault.OpenBytes(vault.Place(collections.ProxyMaterials, "file", rec.Id), sealed)
}

// material is a row with the place of its file.
type material struct {
	ID   string `db:"id"`
	Kind string `db:"kind"`
	File string `db:"file"`
}

func materialsOf(db dbx.Builder, where dbx.Expression) ([]material, error) {
	var rows []material
	return rows, db.Select("id", "kind", "file").From(collections.ProxyMaterials).Where(where).OrderBy("created").All(&rows)
}

func missingMaterials(db dbx.Builder, p refund.Proxy) ([]string, error) {
	rows, err := materialsOf(db, dbx.HashExp{"application": p.ID})
	if err != nil {
		return nil, err
	}
	var have []refund.MaterialKind
	for _, r := range rows {
		have = append(have, refund.MaterialKind(r.Kind))
	}
	missing := []string{}
	for _, k := range p.Missing(have) {
		missing = append(missing, string(k))
	}
	return missing, nil
}

// Missing lists the required materials that an application still lacks.
func (s *Store) Missing(p refund.Proxy) ([]string, error) {
	return missingMaterials(s.app.ConcurrentDB(), p)
}

// MakeRoom removes, in the transaction of an upload, the photo that it
// replaces, and returns the ids whose files are to go after the commit.
func (s *Store) MakeRoom(tx core.App, application string, kind refund.MaterialKind) ([]string, error) {
	rows, err := materialsOf(tx.DB(), dbx.HashExp{"application": application, "kind": string(kind)})
	if err != nil || len(rows) < kind.Most() {
		return nil, err
	}
	if kind.Most() > 1 {
		return nil, flow.NewError(refund.CodeImageTooMany, "")
	}
	_, err = tx.DB().Delete(collections.ProxyMaterials, dbx.HashExp{"id": rows[0].ID}).Execute()
	return []string{rows[0].ID}, err
}

// DeleteMaterial removes a photo of a draft, the row first: a file that
// outlives its row is swept up later.
func (s *Store) DeleteMaterial(ctx context.Context, id string) error {
	err := s.transact(func(tx core.App) error {
		_, err := tx.DB().Delete(collections.ProxyMaterials, dbx.HashExp{"id": id}).WithContext(ctx).Execute()
		return err
	})
	if err != nil && strings.Contains(err.Error(), "materials are deleted while") { // guard_material_delete
		return flow.NewError(flow.CodeConflict, "")
	}
	if err != nil {
		return err
	}
	return s.RemoveFiles(ctx, id)
}

// RemoveFiles deletes the files of materials from the storage. It may be
// repeated.
func (s *Store) RemoveFiles(ctx context.Context, ids ...string) error {
	c, err := s.app.FindCachedCollectionByNameOrId(collections.ProxyMaterials)
	if err != nil {
		return err
	}
	fsys, err := s.app.NewFilesystem()
	if err != nil {
		return err
	}
	defer fsys.Close()
	fsys.SetContext(ctx)
	for _, id := range ids {
		if failed := fsys.DeletePrefix(path.Join(c.BaseFilesPath(), id) + "/"); len(failed) > 0 {
			return fmt.Errorf("photos of %s: %w", id, errors.Join(failed...))
		}
	}
	return nil
}

// KeepProxies closes applications whose time is over, deletes photos that need
// not be kept any longer, and sweeps up files without a row. It returns how
// many things it did and may be repeated after an interruption.
func (s *Store) KeepProxies(ctx context.Context, now time.Time) (int, error) {
	total := 0
	var failed error
	for _, step := range []func(context.Context, time.Time) (int, error){s.closeStale, s.purgePhotos, s.sweepFiles} {
		n, err := step(ctx, now)
		total, failed = total+n, errors.Join(failed, err)
	}
	return total, failed
}

// closeStale closes approvals past their days and drafts that nobody touched.
func (s *Store) closeStale(ctx context.Context, now time.Time) (int, error) {
	var rows []struct {
		ID     string `db:"id"`
		Status string `db:"status"`
	}
	err := s.app.ConcurrentDB().NewQuery(`SELECT id, status FROM proxy_applications a
		WHERE (status = 'approved' AND expires_at <= {:now})
		OR (status = 'draft' AND updated < {:idle} AND NOT EXISTS (SELECT 1 FROM proxy_materials m WHERE m.application = a.id AND m.created >=
		{:idle}))`).
		Bind(dbx.Params{"now": stamp(now), "idle": stamp(now.AddDate(0, 0, -draftDays))}).WithContext(ctx).All(&rows)
	if err != nil {
		return 0, err
	}
	n := 0
	var failed error
	for _, r := range rows {
		reason := ReasonProxyExpired
		if r.Status == string(refund.ProxyDraft) {
			reason = ReasonProxyAbandoned
		}
		err := s.closeProxy(ctx, r.ID, reason, now)
		switch {
		case err == nil:
			n++
		case flow.CodeOf(err) == "": // the others go on
			failed = errors.Join(failed, fmt.Errorf("代办 %s：%w", r.ID, err))
		}
	}
	return n, failed
}

// purgePhotos deletes the photos of applications that ended long enough ago:
// first the files, then the places that name them.
func (s *Store) purgePhotos(ctx context.Context, now time.Time) (int, error) {
	var ids []string
	err := s.app.ConcurrentDB().NewQuery(`SELECT a.id FROM proxy_applications a JOIN institutions i ON i.id = a.institution
		WHERE a.status IN ('closed', 'rejected') AND a.purged_at = ''
		AND julianday({:now}) - julianday(CASE WHEN a.closed_at != '' THEN a.closed_at ELSE a.reviewed_at END) >= CASE WHEN i.proxy_photo_days
		> 0 THEN i.proxy_photo_days ELSE {:days} END
		ORDER BY a.id LIMIT {:limit}`).Bind(dbx.Params{"now": stamp(now), "days": proxyDays, "limit": purgeBatch}).WithContext(ctx).Column(&ids)
	if err != nil {
		return 0, err
	}
	total := 0
	for _, id := range ids {
		n, e := s.purge(ctx, id, now)
		total += n
		if e != nil { // the others go on
			err = errors.Join(err, fmt.Errorf("代办 %s：%w", id, e))
		}
	}
	return total, err
}

func (s *Store) purge(ctx context.Context, application string, now time.Time) (int, error) {
	rows, err := materialsOf(s.app.ConcurrentDB(), dbx.HashExp{"application": application})
	if err != nil {
		return 0, err
	}
	for _, m := range rows {
		if err := s.RemoveFiles(ctx, m.ID); err != nil {
			return 0, err
		}
	}
	return len(rows), s.transact(func(tx core.App) error {
		at := stamp(now)
		if _, err := tx.DB().Update(collections.ProxyMaterials, dbx.Params{"file": "", "purged_at": at}, dbx.HashExp{"application": application}).
			Execute(); err != nil {
			return err
		}
		if _, err := tx.DB().Update(collections.ProxyApplications, dbx.Params{"purged_at": at, "updated": at}, dbx.HashExp{"id": application}).
			Execute(); err != nil {
			return err
		}
		var inst string
		if err := tx.DB().Select("institution").From(collections.ProxyApplications).Where(dbx.HashExp{"id": application}).Row(&inst); err != nil {
			return err
		}
		return Audit(tx, AuditEntry{Institution: inst, ActorKind: "system", Action: "proxy.purge", Target: application,
			Details: map[string]any{"photos": len(rows)}})
	})
}

// sweepFiles deletes what a crash has left: files whose row was never written,
// or is gone.
func (s *Store) sweepFiles(ctx context.Context, _ time.Time) (int, error) {
	c, err := s.app.FindCachedCollectionByNameOrId(collections.ProxyMaterials)
	if err != nil {
		return 0, err
	}
	fsys, err := s.app.NewFilesystem()
	if err != nil {
		return 0, err
	}
	defer fsys.Close()
	files, err := fsys.List(c.BaseFilesPath() + "/")
	if err != nil {
		return 0, err
	}
	n := 0
	for _, f := range files {
		id := path.Base(path.Dir(f.Key))
		if time.Since(f.ModTime) < orphanAge { // files bear the time of the machine
			continue
		}
		var one int
		if err := s.app.ConcurrentDB().Select("COUNT(*)").From(collections.ProxyMaterials).Where(dbx.HashExp{"id": id}).WithContext(ctx).
			Row(&one); err != nil {
			return n, err
		}
		if one > 0 {
			continue
		}
		if err := s.RemoveFiles(ctx, id); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}
