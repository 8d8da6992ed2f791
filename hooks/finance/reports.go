package finance

import (
	"bytes"
	"errors"
	"net/http"

	"github.com/pocketbase/pocketbase/core"

	"hospay/books"
	"hospay/calendar"
	"hospay/hooks/kit"
)

// bookFiles names the reports of the books as they are downloaded.
var bookFiles = map[string]string{
	books.ReportSummary: "三方对账", books.ReportChannel: "渠道对账", books.ReportDifferences: "对账差异", books.ReportMonth: "对账月结",
}

func (h *Hooks) bindReportRoutes(se *core.ServeEvent) {
	g := se.Router.Group("/api/hospay/reports")
	g.BindFunc(kit.RequireStaff(bookRoles...))
	for name := range bookFiles {
		g.GET("/"+name+".xlsx", func(e *core.RequestEvent) error { return h.bookReport(e, name) })
	}
}

// bookReport sends a report of the books: of a day (date) or a month (A15).
func (h *Hooks) bookReport(e *core.RequestEvent, name string) error {
	day, month := e.Request.URL.Query().Get("date"), e.Request.URL.Query().Get("month")
	of := e.Request.URL.Query().Get("ledger")
	if _, _, err := calendar.ParseDay(day); (day != "" && err != nil) || (month != "" && !monthForm.MatchString(month)) {
		return kit.BadRequest()
	}
	ledger, err := books.ReadLedger(of)
	if err != nil {
		return kit.BadRequest()
	}
	if of == "" && name == books.ReportDifferences { // of all ledgers
		ledger = ""
	}
	var file bytes.Buffer
	err = h.Books.Report(e.Request.Context(), kit.InstitutionOf(e), ledger, name, day, month, &file)
	if errors.Is(err, books.ErrNoRun) {
		return kit.Error(http.StatusNotFound, "not_found", "")
	}
	if err != nil {
		return h.Fail(e, err)
	}
	if err := h.Audit(e, "report.export", name, map[string]any{"filter": map[string]string{"date": day, "month": month,
		"ledger": of}}); err != nil {
		return h.Fail(e, err)
	}
	kit.Attach(e, bookFiles[name]+ledgerWord(of)+day+month+".xlsx")
	return e.Blob(http.StatusOK, kit.XLSX, file.Bytes())
}

// ledgerWord is what the name of a file says of the ledger: nothing of the first.
func ledgerWord(name string) string {
	if name == "" || name == string(books.Deposits) {
		return ""
	}
	return "-" + books.Ledger(name).Chinese() + "-"
}
