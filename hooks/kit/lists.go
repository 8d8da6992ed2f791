package kit

import (
	"net/http"
	"strings"

	"hospay/collections"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"
)

// ownedBy names, for the long lists, the column by which patients own rows; ""
// where they own none.
var ownedBy = map[string]string{
	collections.RefundOrders: "patient", collections.Notifications: "patient", collections.Receipts: "patient",
	collections.RefundEvents: "", collections.TransferOrders: "", collections.HISCalls: "", collections.Reviews: "", collections.Callbacks: "",
	collections.ProxyApplications: "patient", collections.ProxyMaterials: "patient",
	collections.PaymentOrders: "patient", collections.PaymentEvents: "", collections.PaymentCalls: "", collections.PaymentRefunds: "",
}

// bindLists adds to the filter of long lists what the access rule demands
// anyway: the reader's own rows, or the reader's institution. The rule is an
// "or", along which no index leads; the added term is what the indexes of
// these lists begin with. It takes nothing away and protects nothing.
func (k *Kit) bindLists(se *core.ServeEvent) {
	se.Router.Bind(&hook.Handler[*core.RequestEvent]{Id: "hospay_lists", Func: func(e *core.RequestEvent) error {
		if e.Request.Method != http.MethodGet || e.Auth == nil {
			return e.Next()
		}
		name, ok := strings.CutPrefix(strings.TrimSuffix(e.Request.URL.Path, "/records"), "/api/collections/")
		owner, long := ownedBy[name]
		if !ok || !long {
			return e.Next()
		}
		term := ""
		switch e.Auth.Collection().Name {
		case collections.Patients:
			if owner != "" {
				term = owner + ` = "` + e.Auth.Id + `"`
			}
		case collections.Staff:
			term = `institution = "` + e.Auth.GetString("institution") + `"`
		}
		if term != "" {
			q := e.Request.URL.Query()
			if given := q.Get("filter"); given != "" {
				term = "(" + given + ") && " + term
			}
			q.Set("filter", term)
			e.Request.URL.RawQuery = q.Encode()
		}
		return e.Next()
	}})
}
