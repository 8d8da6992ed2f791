package cmd

import (
	"strings"

	"hospay/dashboard"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"
)

// extendDashboard adds the overview page to PocketBase's dashboard. What the
// extension consists of is asked for anew at each load: the dashboard itself
// would keep it for two weeks, over an upgrade.
func extendDashboard(se *core.ServeEvent) {
	se.UIExtensions = append(se.UIExtensions, core.UIExtension{Name: "hospay", FS: dashboard.Files()})
	se.Router.Bind(&hook.Handler[*core.RequestEvent]{Id: "hospay_dashboard", Priority: -1000, Func: func(e *core.RequestEvent) error {
		if strings.HasPrefix(e.Request.URL.Path, "/_/extensions") {
			e.Response.Header().Set("Cache-Control", "no-cache")
		}
		return e.Next()
	}})
}
