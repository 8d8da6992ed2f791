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
// show them, migrations change them.
func (k *Kit) bindSchemaGuards() {
	no := func(e *core.CollectionEvent) error {
		// The stored name counts, too: a renamed collection would lose its guards.
		stored, err := e.App.FindCollectionByNameOrId(e.Collection.Id)
		if ours(e.Collection.Name) || (err == nil && ours(stored.Name)) {
			return refuse()
		}
		return e.Next()
	}
	k.App.OnCollectionDelete().Bind(early("hospay_guard_schema_delete", no))
	k.App.OnCollectionUpdate().Bind(early("hospay_guard_schema_update", no))
}

func ours(name string) bool { return slices.Contains(collections.All(), name) }

// closed lists the routes that bypass hooks. In production they answer 404 for
// everybody.
func closed(method, path string) bool {
	switch {
	case strings.HasPrefix(path, "/api/sql"):
		return true
	case method == http.MethodDelete && strings.HasPrefix(path, "/api/logs"):
		return true
	case method == http.MethodPut && path == "/api/collections/import":
		return true
	case method == http.MethodDelete && strings.HasPrefix(path, "/api/collections/") && strings.HasSuffix(path, "/truncate"):
		return true
	case strings.HasPrefix(path, "/api/collections/") && strings.Contains(path, "/impersonate/"):
		return true
	}
	return false
}

func (k *Kit) bindClosedRoutes(se *core.ServeEvent) {
	if !k.Production {
		return
	}
	se.Router.Bind(&hook.Handler[*core.RequestEvent]{Id: "hospay_closed", Priority: -2000, Func: func(e *core.RequestEvent) error {
		if closed(e.Request.Method, e.Request.URL.Path) {
			return Error(http.StatusNotFound, "not_found", "")
		}
		return e.Next()
	}})
}
