package collections

import (
	"strings"
)

// The states of a configuration change.
const (
	ChangeWaiting    = "waiting"    // 待确认
	ChangeApplied    = "applied"    // 已生效
	ChangeRejected   = "rejected"   // 已否决
	ChangeWithdrawn  = "withdrawn"  // 已撤回
	ChangeSuperseded = "superseded" // 记录已变化，作废
)

// fixedChangeColumns never change once a change is written.
var fixedChangeColumns = []string{
	"institution", "collection", "record", "fresh", "version", "before", "after", "note", "proposer_kind", "proposer", "proposer_person",
	"sensitive", "seen", "created",
}

// configTriggers lists the triggers of config_changes.
func configTriggers() []Trigger {
	decided := changed([]string{"state", "confirmer", "answer", "decided"})
	states := "'" + strings.Join([]string{ChangeApplied, ChangeRejected, ChangeWithdrawn, ChangeSuperseded}, "','") + "'"
	return []Trigger{
		trigger("guard_change_insert", "BEFORE INSERT ON config_changes WHEN NEW.state NOT IN ('waiting', 'applied') OR (NEW.state = 'applied' "+
			"AND (NEW.sealed != '' OR (NEW.sensitive AND NEW.proposer_kind = 'staff')))", "a sensitive change waits for a second person"),
		trigger("guard_change_fixed", "BEFORE UPDATE ON config_changes WHEN "+changed(fixedChangeColumns),
			"the content of a configuration change never changes"),
		trigger("guard_change_decided", "BEFORE UPDATE ON config_changes WHEN OLD.state != 'waiting' AND ("+decided+")",
			"a decided configuration change stays as it is"),
		trigger("guard_change_move", "BEFORE UPDATE ON config_changes WHEN NEW.state != OLD.state AND NEW.state NOT IN ("+states+")",
			"illegal move of a configuration change"),
		trigger("guard_change_second", "BEFORE UPDATE ON config_changes WHEN OLD.state = 'waiting' AND NEW.state = 'applied' AND (NEW.confirmer "+
			"= '' OR NEW.confirmer = NEW.proposer)", "a configuration change is confirmed by a second person"),
		trigger("guard_change_sealed", "BEFORE UPDATE ON config_changes WHEN NEW.state != 'waiting' AND NEW.sealed != ''",
			"a decided configuration change keeps no values"),
		trigger("guard_change_delete", "BEFORE DELETE ON config_changes", "config_changes rows are never deleted"),
	}
}
