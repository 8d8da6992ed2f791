package e2e

import (
	"testing"

	"hospay/collections"
	"hospay/lab/testapp"

	"github.com/pocketbase/dbx"
)

// TestAudit_ActsOfPeopleBelongToTheirHouse: an act that names no institution
// is the actor's, so that the auditors of the house read it.
func TestAudit_ActsOfPeopleBelongToTheirHouse(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	finance := a.Staff("finance")
	if res := a.Call("POST", "/api/hospay/payouts/freeze", finance, map[string]any{"frozen": true, "note": "演练"}); res.Status != 200 {
		t.Fatalf("%d %s", res.Status, res.Raw)
	}
	var without int
	err := a.Runtime.App.DB().Select("COUNT(*)").From(collections.AuditLog).
		Where(dbx.NewExp("institution = '' AND actor_kind IN ('staff', 'patient')")).Row(&without)
	if err != nil || without != 0 {
		t.Errorf("%d acts of people without a house, %v", without, err)
	}
	res := a.Call("GET", "/api/hospay/audit?action=payouts", a.Staff("auditor"), nil)
	if items, _ := res.Body["items"].([]any); res.Status != 200 || len(items) != 1 {
		t.Errorf("the auditor reads %d %s", res.Status, res.Raw)
	}
}
