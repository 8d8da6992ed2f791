package kit

import (
	"net/http"
	"slices"
	"strings"

	"hospay/collections"

	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"
)

// The routes that PocketBase has for an auth collection beside its records.
const (
	wayMethods  = "auth-methods"
	wayRefresh  = "auth-refresh"
	wayPassword = "auth-with-password"
	wayOTP      = "auth-with-otp"
	wayAskOTP   = "request-otp"
)

// ways are the routes by which accounts come in and stay. All others that
// PocketBase has, or will have, are closed for everybody: what a mailbox can do
// (reset a password, move a login, receive a code) is no proof of who somebody
// is, and acting for others is nobody's.
var ways = map[string][]string{
	collections.Patients:          {wayMethods, wayRefresh},
	collections.Staff:             {wayMethods, wayRefresh, wayPassword},
	core.CollectionNameSuperusers: {wayMethods, wayRefresh, wayPassword},
}

// bindWays stands before PocketBase looks anybody up: a closed route answers the
// same for every account and for none.
func (k *Kit) bindWays(se *core.ServeEvent) {
	se.Router.Bind(&hook.Handler[*core.RequestEvent]{Id: "hospay_ways", Priority: apis.DefaultRateLimitMiddlewarePriority + 6,
		Func: func(e *core.RequestEvent) error {
			c, way := authRoute(e)
			if c == nil || mayUse(c, way) {
				return e.Next()
			}
			return Error(http.StatusNotFound, "not_found", "")
		}})
	k.App.OnRecordRequestOTPRequest(core.CollectionNameSuperusers).BindFunc(sameWork)
}

// authRoute names the auth collection and the route of a request for one.
func authRoute(e *core.RequestEvent) (*core.Collection, string) {
	parts := strings.Split(strings.Trim(e.Request.URL.Path, "/"), "/") // api, collections, NAME, WAY …
	if len(parts) < 4 || parts[1] != "collections" || parts[3] == "records" || parts[3] == "truncate" {
		return nil, ""
	}
	c, err := e.App.FindCachedCollectionByNameOrId(e.Request.PathValue("collection"))
	if err != nil || !c.IsAuth() {
		return nil, ""
	}
	return c, parts[3]
}

// mayUse: mailed codes are for superusers alone, and only as one of two steps.
func mayUse(c *core.Collection, way string) bool {
	if way == wayOTP || way == wayAskOTP {
		return c.Name == core.CollectionNameSuperusers && c.MFA.Enabled && c.MFA.Rule == ""
	}
	open, ours := ways[c.Name]
	return !ours || slices.Contains(open, way)
}

// sameWork lets an unknown address take as long as a known one, whose code is
// hashed.
func sameWork(e *core.RecordCreateOTPRequestEvent) error {
	if e.Record == nil {
		core.NewOTP(e.App).SetPassword(e.Password)
	}
	return e.Next()
}
