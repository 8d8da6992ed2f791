package pb_migrations

import (
	"hospay/collections"
	"hospay/refund"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/migrations"
)

// maxStoredFile bounds a sealed photo, which is smaller than its upload.
const maxStoredFile = 12 << 20

func init() {
	migrations.Register(func(app core.App) error {
		c := base(collections.ProxyMaterials,
			one("kind", texts(refund.MaterialKinds())...), &core.FileField{Name: "file", MaxSelect: 1, MaxSize: maxStoredFile, Protected: true},
			count("size"), text("sha256", 64), count("width"), count("height"), date("purged_at"), created(),
		)
		if err := links(app, c, map[string]string{
			"application": collections.ProxyApplications, "institution": collections.Institutions, "patient": collections.Patients,
		}); err != nil {
			return err
		}
		c.AddIndex("idx_proxy_materials_kind", true, "application, kind", "kind != 'other'")
		c.AddIndex("idx_proxy_materials_application", false, "application, created", "")
		c.AddIndex("idx_proxy_materials_patient", false, "patient", "")
		return app.Save(c)
	}, func(app core.App) error { return drop(app, collections.ProxyMaterials) })
}
