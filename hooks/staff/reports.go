package staff

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"

	"hospay/calendar"
	"hospay/collections"
	"hospay/exports"
	"hospay/hooks/kit"
	"hospay/people"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
)

func (h *Hooks) bindReportRoutes(se *core.ServeEvent) {
	g := se.Router.Group("/api/hospay")
	g.GET("/reports/{file}", h.reportNow).BindFunc(kit.RequireStaff(kit.MoneyRoles...))
	g.GET("/vouchers", h.vouchers).BindFunc(kit.RequireStaff(people.RoleFinance, people.RoleAuditor))
	g.POST("/exports", h.exportOpen).Bind(apis.BodyLimit(16 << 10)).BindFunc(kit.RequireStaff(kit.MoneyRoles...))
	g.GET("/exports", h.exportList).BindFunc(kit.RequireStaff(kit.MoneyRoles...))
	g.GET("/exports/{id}", h.exportState).BindFunc(kit.RequireStaff(kit.MoneyRoles...))
	g.GET("/exports/{id}/file", h.exportFile).BindFunc(kit.RequireStaff(kit.MoneyRoles...))
}

// reportNow writes a report while the caller waits; it may have 5,000 rows.
func (h *Hooks) reportNow(e *core.RequestEvent) error {
	name, ok := strings.CutSuffix(e.Request.PathValue("file"), ".xlsx")
	if !ok {
		return kit.Error(http.StatusNotFound, "not_found", "")
	}
	return h.sendReport(e, name)
}

func (h *Hooks) sendReport(e *core.RequestEvent, name string) error {
	req, params, err := h.reportRequest(e, name, e.Request.URL.Query())
	if err != nil {
		return h.Fail(e, err)
	}
	req.Limit = exports.DirectRows
	var file bytes.Buffer
	rows, err := exports.Write(e.Request.Context(), h.Store, req, &file)
	if errors.Is(err, exports.ErrTooMany) {
		return kit.Error(http.StatusBadRequest, "too_many_rows", strconv.Itoa(exports.DirectRows))
	}
	if err != nil {
		return h.Fail(e, err)
	}
	if err := h.Audit(e, "report.export", name, map[string]any{"filter": params, "rows": rows}); err != nil {
		return h.Fail(e, err)
	}
	kit.Attach(e, exports.FileName(req))
	return e.Blob(http.StatusOK, kit.XLSX, file.Bytes())
}

// vouchers sends what moved on the days of a period as vouchers for the hospital's
// finance software.
func (h *Hooks) vouchers(e *core.RequestEvent) error {
	inst, err := e.App.FindRecordById(collections.Institutions, e.Auth.GetString("institution"))
	if err != nil {
		return h.Fail(e, err)
	}
	req := exports.Request{Params: e.Request.URL.Query(), Person: e.Auth.GetString("name"), At: h.Now()}
	file, err := exports.Vouchers(e.Request.Context(), h.Store, inst, req)
	if errors.Is(err, exports.ErrUnknown) {
		return kit.BadRequest()
	}
	if err != nil {
		return h.Fail(e, err)
	}
	about := map[string]any{"from": req.Params.Get("from"), "to": req.Params.Get("to"), "of": req.Params.Get("of"), "lines": file.Lines}
	if err := h.Audit(e, "voucher.export", file.Name, about); err != nil {
		return h.Fail(e, err)
	}
	kit.Attach(e, file.Name)
	return e.Blob(http.StatusOK, file.Type, file.Data)
}

// reportRequest judges who may have which report with which filter.
func (h *Hooks) reportRequest(e *core.RequestEvent, name string, q url.Values) (exports.Request, map[string]string, error) {
	if exports.Roles(name) == nil {
		return exports.Request{}, nil, kit.Error(http.StatusNotFound, "not_found", "")
	}
	if !exports.Allowed(e.Auth, name) {
		return exports.Request{}, nil, kit.Denied(e)
	}
	params := exports.Params(q)
	req, err := exports.For(e.App, e.Auth, name, params)
	if err != nil {
		return req, nil, err
	}
	if exports.Check(h.Store, req) != nil {
		return req, nil, kit.BadRequest()
	}
	return req, params, nil
}

// exportsAtOnce is how many exports one person may have under way.
const exportsAtOnce = 3

// exportOpen queues a long report.
func (h *Hooks) exportOpen(e *core.RequestEvent) error {
	var body struct {
		Report string         `json:"report"`
		Params map[string]any `json:"params"`
	}
	if err := e.BindBody(&body); err != nil {
		return kit.BadRequest()
	}
	q := url.Values{}
	for k, v := range body.Params {
		q.Set(k, fmt.Sprint(v))
	}
	_, params, err := h.reportRequest(e, body.Report, q)
	if err != nil {
		return h.Fail(e, err)
	}
	var rec *core.Record
	err = e.App.RunInTransaction(func(tx core.App) error {
		under, err := tx.CountRecords(collections.Exports, dbx.HashExp{"owner": e.Auth.Id}, dbx.In("state", exports.Queued, exports.Running))
		if err != nil {
			return err
		}
		if under >= exportsAtOnce {
			return kit.Error(http.StatusTooManyRequests, "export_busy", "")
		}
		if rec, err = h.Exports.Open(tx, e.Auth, body.Report, params); err != nil {
			return err
		}
		return kit.AuditIn(tx, e, "report.export", body.Report, map[string]any{"filter": params, "export": rec.Id})
	})
	if err != nil {
		return h.Fail(e, err)
	}
	return e.JSON(http.StatusOK, openedView{ID: rec.Id})
}

// exportList lists the caller's own exports, newest first.
func (h *Hooks) exportList(e *core.RequestEvent) error {
	recs, err := e.App.FindRecordsByFilter(collections.Exports, "owner = {:o}", "-created", 100, 0, dbx.Params{"o": e.Auth.Id})
	if err != nil {
		return h.Fail(e, err)
	}
	items := make([]exportView, 0, len(recs))
	for _, r := range recs {
		items = append(items, viewExport(r))
	}
	return e.JSON(http.StatusOK, kit.Items[exportView]{Items: items})
}

// openedView names an export that was queued.
type openedView struct {
	ID string `json:"id"`
}

// exportView is an export under way or done.
type exportView struct {
	ID       string            `json:"id"`
	Report   string            `json:"report"`
	Params   map[string]string `json:"params"`
	State    string            `json:"state"`
	Progress int               `json:"progress"`
	Rows     int               `json:"rows"`
	File     string            `json:"file"`
	Size     int               `json:"size"`
	SHA256   string            `json:"sha256"`
	Error    string            `json:"error"`
	Created  string            `json:"created"`
	Finished string            `json:"finished"`
}

func viewExport(r *core.Record) exportView {
	var params map[string]string
	_ = r.UnmarshalJSONField("params", &params) // written by us; null otherwise
	return exportView{
		ID: r.Id, Report: r.GetString("report"), Params: params, State: r.GetString("state"), Progress: r.GetInt("progress"),
		Rows: r.GetInt("rows"), File: r.GetString("file"), Size: r.GetInt("size"), SHA256: r.GetString("sha256"), Error: r.GetString("error"),
		Created: calendar.Clock(r.GetDateTime("created").Time()), Finished: calendar.Clock(r.GetDateTime("finished").Time()),
	}
}

// ownExport finds an export of the caller; others' do not exist for them.
func (h *Hooks) ownExport(e *core.RequestEvent) (*core.Record, error) {
	rec, err := e.App.FindRecordById(collections.Exports, e.Request.PathValue("id"))
	if err != nil || rec.GetString("owner") != e.Auth.Id {
		return nil, kit.Error(http.StatusNotFound, "not_found", "")
	}
	return rec, nil
}

func (h *Hooks) exportState(e *core.RequestEvent) error {
	rec, err := h.ownExport(e)
	if err != nil {
		return err
	}
	return e.JSON(http.StatusOK, viewExport(rec))
}

// exportFile sends the file of an export that is done, to its owner alone.
func (h *Hooks) exportFile(e *core.RequestEvent) error {
	rec, err := h.ownExport(e)
	if err != nil {
		return err
	}
	if !exports.Allowed(e.Auth, rec.GetString("report")) || rec.GetString("institution") != e.Auth.GetString("institution") {
		return kit.Denied(e)
	}
	if rec.GetString("state") != exports.Done || rec.GetString("file") == "" {
		return kit.Error(http.StatusConflict, "export_not_ready", "")
	}
	file, err := os.Open(h.Exports.Path(rec))
	if err != nil {
		return kit.Error(http.StatusNotFound, "export_not_ready", "")
	}
	defer file.Close()
	what := map[string]any{"report": rec.GetString("report"), "rows": rec.GetInt("rows")}
	if err := h.Audit(e, "report.download", rec.Id, what); err != nil {
		return h.Fail(e, err)
	}
	kit.Attach(e, rec.GetString("file"))
	return e.Stream(http.StatusOK, kit.XLSX, file)
}
