package gate

import (
	"net/http"
	"strings"

	"hospay/hooks/kit"

	"github.com/pocketbase/pocketbase/core"
)

// inner lists the routes of IT by the pattern that a request has met, so that
// no spelling of a path leads around it.
var inner = []string{
	"/_/", "/api/settings", "/api/logs", "/api/backups", "/api/crons", "/api/sql", "/api/batch", "/api/collections/meta/",
	"/api/collections/import", "/api/collections/{collection}/impersonate/", "/api/collections/{collection}/truncate", "/api/hospay/overview",
	"/api/hospay/jobs/", "/api/hospay/setup", "/metrics",
}

// listener answers, on the public listener, that what belongs to IT does not
// exist.
func (g *Gate) listener(e *core.RequestEvent) error {
	if g.Separate && !kit.OnAdmin(e.Request) && g.ofIT(e) {
		return kit.Error(http.StatusNotFound, "not_found", "")
	}
	return e.Next()
}

func (g *Gate) ofIT(e *core.RequestEvent) bool {
	_, pattern, _ := strings.Cut(e.Request.Pattern, " ")
	if pattern == "" {
		pattern = e.Request.Pattern // of any method
	}
	for _, i := range inner {
		if strings.HasPrefix(pattern, i) || i == "/_/" && strings.HasPrefix(e.Request.URL.Path, i) {
			return true
		}
	}
	switch pattern {
	case "/api/collections", "/api/collections/{collection}": // their shape
		return true
	}
	name := e.Request.PathValue("collection")
	if name == "" {
		return false
	}
	c, err := e.App.FindCachedCollectionByNameOrId(name)
	return err == nil && c.System // superusers and what PocketBase keeps for itself
}

// superusers have no say on the public listener, whatever token they bring.
func (g *Gate) superusers(e *core.RequestEvent) error {
	if g.Separate && !kit.OnAdmin(e.Request) && e.HasSuperuserAuth() {
		return kit.Error(http.StatusNotFound, "not_found", "")
	}
	return e.Next()
}
