package collections

// fixedStatementColumns never change once a bill has its row.
var fixedStatementColumns = []string{"institution", "source", "kind", "day", "version", "created"}

// fixedDifferenceColumns name a difference.
var fixedDifferenceColumns = []string{"institution", "ledger", "day", "key", "opened", "created"}

// ReconTriggers lists the triggers of the books: files and history stay, and a
// closed month takes no more, but that half of a rematch is open again whose
// other half has changed.
func ReconTriggers() []Trigger {
	closed := func(month string) string {
		return "EXISTS (SELECT 1 FROM recon_months m WHERE m.institution = NEW.institution AND m.month = " + month +
			" AND m.state IN ('closed', 'reopening'))"
	}
	ts := []Trigger{
		trigger("guard_statement_fixed", "BEFORE UPDATE ON statements WHEN "+changed(fixedStatementColumns)+
			" OR (OLD.sha256 != '' AND (NEW.sha256 != OLD.sha256 OR NEW.file != OLD.file))", "a bill that was kept stays as it is"),
		trigger("guard_statement_superseded", "BEFORE UPDATE ON statements WHEN OLD.superseded = TRUE", "a former version stays as it is"),
		trigger("guard_difference_fixed", "BEFORE UPDATE ON differences WHEN "+changed(fixedDifferenceColumns),
			"the name of a difference never changes"),
		trigger("guard_difference_insert", "BEFORE INSERT ON differences WHEN "+closed("substr(NEW.day, 1, 7)"), "the month is closed"),
		trigger("guard_difference_closed", "BEFORE UPDATE ON differences WHEN OLD.state = 'resolved' AND NOT (OLD.verb = 'rematch' AND "+
			"NEW.state = 'carried') AND "+closed("substr(NEW.day, 1, 7)"), "the month is closed"),
		trigger("guard_recon_run_closed", "BEFORE INSERT ON recon_runs WHEN "+closed("substr(NEW.day, 1, 7)"), "the month is closed"),
	}
	for _, table := range []string{ReconRuns, Resolutions, StatementLines} {
		ts = append(ts, trigger("guard_"+table+"_update", "BEFORE UPDATE ON "+table, table+" is append-only"))
	}
	for _, table := range []string{ReconRuns, Resolutions, StatementLines, Statements, Differences, ReconMonths} {
		ts = append(ts, trigger("guard_"+table+"_delete", "BEFORE DELETE ON "+table, table+" rows are never deleted"))
	}
	return ts
}
