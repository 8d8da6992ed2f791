package collections

import (
	"fmt"
	"sort"
	"strings"

	"hospay/refund"
)

// fixedProxyColumns never change once an application exists; sealed values may
// move to a newer key.
var fixedProxyColumns = []string{
	"no", "institution", "patient", "principal", "case", "relation", "card_no", "principal_id_index", "consent_version", "consent_at",
	"principal_id_type", "created",
}

var fixedMaterialColumns = []string{"application", "institution", "patient", "kind", "size", "sha256", "width", "height", "created"}

// proxyTriggers lists the triggers of proxy applications and of the orders
// made with them.
func proxyTriggers() []Trigger {
	approved := "(SELECT 1 FROM proxy_applications p WHERE p.id = NEW.proxy_application AND p.status = 'approved' AND p.patient = " +
		"NEW.patient AND p.card_no = NEW.card_no AND p.institution = NEW.institution)"
	return []Trigger{
		trigger("guard_proxy_insert", "BEFORE INSERT ON proxy_applications WHEN NEW.status != 'draft'", "a proxy application starts as a draft"),
		trigger("guard_proxy_move", "BEFORE UPDATE ON proxy_applications WHEN NEW.status != OLD.status AND (OLD.status || '>' || NEW.status) "+
			"NOT IN ("+proxyMoves()+")", "illegal move of a proxy application"),
		trigger("guard_proxy_fixed", "BEFORE UPDATE ON proxy_applications WHEN "+changed(fixedProxyColumns),
			"parties and card of a proxy application never change"),
		trigger("guard_proxy_decided", "BEFORE UPDATE ON proxy_applications WHEN OLD.reviewed_at != '' AND ("+
			changed([]string{"reviewer", "reviewed_at", "note"})+")", "a decision on a proxy application stays as it is"),
		trigger("guard_proxy_delete", "BEFORE DELETE ON proxy_applications", "proxy_applications rows are never deleted"),
		trigger("guard_material_insert", "BEFORE INSERT ON proxy_materials WHEN NOT EXISTS (SELECT 1 FROM proxy_applications p WHERE p.id = "+
			"NEW.application AND p.status = 'draft' AND p.patient = NEW.patient AND p.institution = NEW.institution)",
			"materials come while the application is a draft"),
		trigger("guard_material_fixed", "BEFORE UPDATE ON proxy_materials WHEN "+changed(fixedMaterialColumns)+
			" OR (NEW.file IS NOT OLD.file AND (NEW.file != '' OR NEW.purged_at = ''))", "a material never changes but when it is purged"),
		trigger("guard_material_delete", "BEFORE DELETE ON proxy_materials WHEN NOT EXISTS (SELECT 1 FROM proxy_applications p WHERE p.id = "+
			"OLD.application AND p.status = 'draft')", "materials are deleted while the application is a draft"),
		trigger("guard_order_proxy", "BEFORE INSERT ON refund_orders WHEN NEW.proxy_application != '' AND NEW.compensates = '' AND NOT EXISTS "+
			approved, "the proxy application is not approved"),
		trigger("guard_order_proxy_approval", "BEFORE UPDATE ON refund_orders WHEN OLD.status = 'reviewing' AND NEW.status = 'approved' AND "+
			"NEW.proxy_application != '' AND NOT EXISTS "+approved, "the proxy application is not approved"),
	}
}

func proxyMoves() string {
	var out []string
	for _, from := range refund.ProxyStatuses() {
		for _, to := range from.Next() {
			out = append(out, fmt.Sprintf("'%s>%s'", from, to))
		}
	}
	sort.Strings(out)
	return strings.Join(out, ",")
}
