package pb_migrations

import (
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/migrations"
)

// Photos of a proxy application (代办材料), sealed: smaller than their uploads.
func init() {
	migrations.Register(func(app core.App) error {
		c := base("proxy_materials",
			one("kind", "agent_id_front", "agent_id_back", "principal_id_front", "principal_id_back",
				"guardian_proof", "death_certificate", "kinship_proof", "power_of_attorney", "other"),
			&core.FileField{Name: "file", MaxSelect: 1, MaxSize: 12 << 20, Protected: true}, count("size"), text("sha256", 64),
			count("width"), count("height"), date("purged_at"), created(), link("patient", "patients"),
			link("institution", "institutions"), link("application", "proxy_applications"),
		)
		c.AddIndex("idx_proxy_materials_kind", true, "application, kind", "kind != 'other'")
		c.AddIndex("idx_proxy_materials_application", false, "application, created", "")
		c.AddIndex("idx_proxy_materials_patient", false, "patient", "")
		return create(app, c)
	}, nil)
}
