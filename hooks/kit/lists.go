package kit

import (
	"net/http"
	"regexp"
	"slices"
	"strings"

	"hospay/collections"
	"hospay/flow"
	"hospay/store"

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

// orderAsked is how a filter names the order whose history it asks for.
var orderAsked = regexp.MustCompile("(?:^|[^a-z])(order|payment) *= *[\"']([a-z0-9]{15})[\"']")

// archived refuses the history of an order of a former year while the file that holds
// most of it is missing: a part would look like the whole.
func (k *Kit) archived(e *core.RequestEvent, table string) error {
	if !slices.Contains(collections.Archived(), table) {
		return nil
	}
	asked := orderAsked.FindStringSubmatch(e.Request.URL.Query().Get("filter"))
	if asked == nil {
		return nil
	}
	orders := collections.RefundOrders
	if asked[1] == "payment" || table == collections.PaymentEvents {
		orders = collections.PaymentOrders
	}
	rec, err := e.App.FindRecordById(orders, asked[2])
	if err != nil {
		return nil // the list says that there is nothing
	}
	missing, err := collections.ArchiveMissing(e.App, rec.GetDateTime("created").Time())
	if missing && err == nil {
		err = flow.NewError(store.CodeArchiveMissing, "")
	}
	if err != nil {
		return k.Fail(e, err)
	}
	return nil
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
		if err := k.archived(e, name); err != nil {
			return err
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
