package store

import "github.com/pocketbase/pocketbase/core"

// FreezeAction is what the audit log calls a stop or a release of payouts.
const FreezeAction = "payouts.freeze"

// AuditFreeze writes down who has stopped or released an institution's payouts.
func AuditFreeze(tx core.App, institution *core.Record, kind, actor, address string) error {
	return Audit(tx, AuditEntry{
		Institution: institution.Id, ActorKind: kind, Actor: actor, Action: FreezeAction, Target: institution.Id, Address: address,
		Details: map[string]any{"frozen": institution.GetBool("payouts_frozen"), "note": institution.GetString("freeze_note")},
	})
}
