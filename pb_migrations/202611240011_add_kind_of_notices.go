package pb_migrations

import (
	"hospay/collections"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/migrations"
)

// A notice is the refund notice (退款须知) or the consent text of proxies
// (授权与隐私告知); there is one of each kind in force.
func init() {
	migrations.Register(func(app core.App) error {
		c, err := app.FindCollectionByNameOrId(collections.Notices)
		if err != nil {
			return err
		}
		c.Fields.Add(one("kind", collections.NoticeRefund, collections.NoticeProxy))
		c.RemoveIndex("idx_notices_version")
		c.RemoveIndex("idx_notices_active")
		c.AddIndex("idx_notices_version", true, "institution, kind, version", "")
		c.AddIndex("idx_notices_active", true, "institution, kind", "active = TRUE")
		if err := app.Save(c); err != nil {
			return err
		}
		_, err = app.NonconcurrentDB().Update(collections.Notices, dbx.Params{"kind": collections.NoticeRefund}, nil).Execute()
		return err
	}, nil)
}
