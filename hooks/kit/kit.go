// Package kit holds what the doors of the inbound edge share: errors with a
// code and a sentence, guards, who may come in, and the forms of lists and
// downloads. It knows no door.
package kit

import (
	"log/slog"
	"time"

	"hospay/collections"
	"hospay/flow"
	"hospay/store"

	"github.com/pocketbase/pocketbase/core"
)

// Kit is what every door holds.
type Kit struct {
	App        core.App
	Store      *store.Store
	Log        *slog.Logger
	Production bool
	Limited    bool // people and networks have budgets; the load of a demo has none
	Budgets    Budgets
	Tally      Tally
	guard      guard
	known      map[flow.Code]Code
}

// Now is the program's clock.
func (k *Kit) Now() time.Time { return collections.Now(k.App) }

// Bind registers the guards and what belongs to no single door.
func (k *Kit) Bind(se *core.ServeEvent) {
	k.bindKiosks(se)
	k.bindSessions(se)
	k.bindWays(se)
	k.bindGuards()
	k.bindClosedRoutes(se)
	k.bindLogins(se)
	k.bindLists(se)
	k.bindTimeline(se)
	k.App.OnFileDownloadRequest(collections.Receipts).BindFunc(k.showReceipt)
}
