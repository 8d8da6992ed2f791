package kit

import (
	"net/http"
	"slices"
	"strings"
	"sync"

	"hospay/collections"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"
)

// guard remembers the records whose creation a request hook has prepared; all
// other writes of guarded collections are refused.
type guard struct{ prepared sync.Map }

// Allow lets a record of a guarded collection be created.
func (k *Kit) Allow(r *core.Record) { k.guard.prepared.Store(r, true) }

// Forget ends what Allow has begun.
func (k *Kit) Forget(r *core.Record) { k.guard.prepared.Delete(r) }

func (k *Kit) allowed(r *core.Record) bool { _, ok := k.guard.prepared.Load(r); return ok }

func refuse() error { return Error(http.StatusForbidden, "not_allowed", "") }

func early[T hook.Resolver](id string, f func(T) error) *hook.Handler[T] {
	return &hook.Handler[T]{Id: id, Func: f, Priority: -999}
}

// bindGuards refuses writes of guarded rows by anybody, superusers and scripts
// included, at the level of models. What the Store writes does not pass here.
func (k *Kit) bindGuards() {
	names := collections.Guarded()
	k.App.OnRecordCreate(names...).Bind(early("hospay_guard_create", func(e *core.RecordEvent) error {
		if !k.allowed(e.Record) {
			return refuse()
		}
		return e.Next()
	}))
	no := func(e *core.RecordEvent) error { return refuse() }
	k.App.OnRecordUpdate(names...).Bind(early("hospay_guard_update", no))
	k.App.OnRecordDelete(names...).Bind(early("hospay_guard_delete", no))
	k.App.OnRecordDelete(collections.Patients, collections.Staff, collections.Institutions).Bind(early("hospay_guard_people", no))
	k.bindSchemaGuards()
}

// bindSchemaGuards keeps the shape of hospay's collections: the dashboard may
// show them, migrations change them. In production that goes for every
// collection: what stands beside the books is made by a program, too.
func (k *Kit) bindSchemaGuards() {
	no := func(e *core.CollectionEvent) error {
		// The stored name counts, too: a renamed collection would lose its guards.
		stored, err := e.App.FindCollectionByNameOrId(e.Collection.Id)
		if k.Production || ours(e.Collection.Name) || (err == nil && ours(stored.Name)) {
			return refuse()
		}
		return e.Next()
	}
	k.App.OnCollectionCreate().Bind(early("hospay_guard_schema_create", no))
	k.App.OnCollectionDelete().Bind(early("hospay_guard_schema_delete", no))
	k.App.OnCollectionUpdate().Bind(early("hospay_guard_schema_update", no))
}

func ours(name string) bool { return slices.Contains(collections.All(), name) }

// closed are the routes that pass by hooks and guards, read beside the masks, or
// put other books in the place of these. In production they answer 404 for
// everybody. They are named as the router names them, however a path is spelled.
var closed = []string{
	"POST /api/sql", "DELETE /api/logs",
	"POST /api/collections", "PATCH /api/collections/{collection}", "DELETE /api/collections/{collection}",
	"DELETE /api/collections/{collection}/truncate", "PUT /api/collections/import", "POST /api/collections/meta/dry-run-view",
	"POST /api/collections/{collection}/impersonate/{id}",
	"POST /api/backups/upload", "POST /api/backups/{key}/restore",
}

// Closed reports whether a request is for a route that is closed.
func (k *Kit) Closed(e *core.RequestEvent) bool {
	return k.Production && (slices.Contains(closed, e.Request.Pattern) || strings.HasPrefix(e.Request.URL.Path, "/api/sql"))
}

// bindClosedRoutes stands behind the reading of tokens, so that what superusers
// try is on record, and before all that looks at a request's body.
func (k *Kit) bindClosedRoutes(se *core.ServeEvent) {
	se.Router.Bind(&hook.Handler[*core.RequestEvent]{Id: "hospay_closed", Priority: -990, Func: func(e *core.RequestEvent) error {
		if k.Closed(e) {
			return Error(http.StatusNotFound, "not_found", "")
		}
		return e.Next()
	}})
}
