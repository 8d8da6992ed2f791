// Package finance is the door of those who work off the books: reconciliation,
// differences, bills, receipts and the reports about them.
package finance

import (
	"hospay/books"
	"hospay/flow"
	"hospay/hooks/kit"

	"github.com/pocketbase/pocketbase/core"
)

// Hooks is the door of the books.
type Hooks struct {
	*kit.Kit
	Books  *books.Service
	Worker *flow.Worker
}

// Bind registers the routes.
func (h *Hooks) Bind(se *core.ServeEvent) {
	h.Know(codes)
	h.bindBookRoutes(se)
	h.bindStatementRoutes(se)
	h.bindReceiptRoutes(se)
	h.bindReportRoutes(se)
}
