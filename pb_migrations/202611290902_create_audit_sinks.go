package pb_migrations

import (
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/migrations"
)

// Where the audit log is sent to. sent_seq is the last row that has arrived.
func init() {
	migrations.Register(func(app core.App) error {
		c := base("audit_sinks",
			flag("active"), one("kind", "syslog", "webhook"), need("url", 300), hidden("secrets_input"), // write-only: sealed and emptied on save
			hidden("secrets_sealed"), text("secrets_held", 500), count("sent_seq"), count("tries"), date("next_at"), text("error", 300),
			created(), updated(),
		)
		return create(app, c)
	}, nil)
}
