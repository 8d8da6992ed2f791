// Package gate stands before all doors: it knows where a request comes from,
// how large it may be and how often one may ask, what is written down of it,
// and what the public listener does not show.
package gate

import (
	"hospay/hooks/kit"

	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"
)

// Gate is what stands before the doors.
type Gate struct {
	*kit.Kit
	Proxies  Proxies
	Separate bool // dashboard, backups and settings have a listener of their own
	streams  streams
}

// Where the parts of the gate stand. PocketBase writes its request log at
// -1040, knows who asks after -1020, counts by address at -1000 and reads
// bodies after -990.
const (
	atAddress  = -3000
	atJournal  = -2900
	atListener = -2500
	atWho      = -1016
	atBudget   = -998
	atBody     = -995
)

// Bind registers the gate, before any door.
func (g *Gate) Bind(se *core.ServeEvent) {
	g.bindStreams()
	se.Router.Unbind(apis.DefaultActivityLoggerMiddlewareId) // journal writes less, and not without end
	for _, m := range []struct {
		id       string
		priority int
		do       func(*core.RequestEvent) error
	}{
		{"hospay_address", atAddress, g.address}, {"hospay_journal", atJournal, g.journal}, {"hospay_listener", atListener, g.listener},
		{"hospay_superusers", atWho, g.superusers}, {"hospay_budget", atBudget, g.budget}, {"hospay_body", atBody, g.body},
	} {
		se.Router.Bind(&hook.Handler[*core.RequestEvent]{Id: m.id, Priority: m.priority, Func: m.do})
	}
}

// address settles where the request comes from. In production the answer says
// that the pages are to be asked for by HTTPS only; over plain HTTP browsers
// take no notice of it.
func (g *Gate) address(e *core.RequestEvent) error {
	g.Proxies.settle(e.Request, e.App.Settings().TrustedProxy.Headers)
	if g.Production {
		e.Response.Header().Set("Strict-Transport-Security", "max-age=31536000")
	}
	return e.Next()
}
