package pb_migrations

import (
	"fmt"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/migrations"
)

// Books are kept of deposits, of the cash of payments and of the insurance's part.
// What was kept before is of deposits.
func init() {
	migrations.Register(func(app core.App) error {
		statements, err := app.FindCollectionByNameOrId("statements")
		if err != nil {
			return err
		}
		source, ok := statements.Fields.GetByName("source").(*core.SelectField)
		if !ok {
			return fmt.Errorf("statements.source is no select")
		}
		source.Values = append(source.Values, "centre")
		if err := app.Save(statements); err != nil {
			return err
		}
		for _, name := range []string{"recon_runs", "differences"} {
			c, err := app.FindCollectionByNameOrId(name)
			if err != nil {
				return err
			}
			c.Fields.Add(one("ledger", "deposits", "payments", "insurance"))
			if name == "recon_runs" {
				c.RemoveIndex("idx_recon_runs_seq")
				c.AddIndex("idx_recon_runs_seq", true, "institution, ledger, day, seq", "")
			}
			if err := app.Save(c); err != nil {
				return err
			}
			if _, err := app.NonconcurrentDB().NewQuery("UPDATE " + name + " SET ledger = 'deposits'").Execute(); err != nil {
				return err
			}
		}
		return nil
	}, nil)
}
