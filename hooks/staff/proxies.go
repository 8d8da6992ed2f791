package staff

import (
	"context"
	"net/http"

	"hospay/calendar"
	"hospay/collections"
	"hospay/flow"
	"hospay/hooks/kit"
	"hospay/internal/idno"
	"hospay/people"
	"hospay/store"

	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
)

func (h *Hooks) bindDeskProxyRoutes(se *core.ServeEvent) {
	g := se.Router.Group("/api/hospay/desk/proxies")
	g.BindFunc(kit.RequireStaff(people.RoleReviewer, people.RoleAuditor))
	g.GET("", h.deskProxies)
	g.GET("/{id}", h.deskProxy)
	decide := se.Router.POST("/api/hospay/proxies/{id}/review", h.reviewProxy)
	decide.Bind(apis.BodyLimit(16 << 10)).BindFunc(kit.RequireStaff(people.RoleReviewer))
}

// deskProxies lists the applications that were handed in, oldest first.
func (h *Hooks) deskProxies(e *core.RequestEvent) error {
	number, size := page(e)
	recs, total, err := h.Store.DeskProxies(e.Auth.GetString("institution"), e.Request.URL.Query().Get("status"), size, (number-1)*size)
	if err != nil {
		return h.Fail(e, err)
	}
	rows := make([]kit.Shown[proxyRow], 0, len(recs))
	for _, rec := range recs {
		row, err := h.proxyRow(e.Request.Context(), rec)
		if err != nil {
			return h.Fail(e, err)
		}
		rows = append(rows, kit.Shown[proxyRow]{Record: rec, More: row})
	}
	return e.JSON(http.StatusOK, rowsView[kit.Shown[proxyRow]]{Rows: rows, Page: number, PerPage: size, Total: total})
}

// proxyRow is what the desk says of an application beside its record: both
// people masked, and words.
type proxyRow struct {
	_            struct{}   `record:"proxy_applications"`
	Age          *int       `json:"age,omitempty"` // the principal's
	Agent        maskedView `json:"agent"`
	Principal    maskedView `json:"principal"`
	CaseText     string     `json:"case_text"`
	PaperText    string     `json:"paper_text"` // the principal's
	RelationText string     `json:"relation_text"`
	StatusText   string     `json:"status_text"`
}

// maskedView is a person as lists show people.
type maskedView struct {
	Name string `json:"name"`
	IDNo string `json:"id_no"`
}

func (h *Hooks) proxyRow(ctx context.Context, rec *core.Record) (out proxyRow, err error) {
	agent, err := h.App.FindRecordById(collections.Patients, rec.GetString("patient"))
	if err != nil {
		return out, err
	}
	paper := store.PaperOf(rec)
	_, idNo, err := h.Store.OpenPrincipal(ctx, rec)
	if err != nil {
		return out, err
	}
	if birth, ok := paper.Birth(idNo, h.Now(), calendar.Beijing); ok {
		age := idno.Age(birth, h.Now())
		out.Age = &age
	}
	out.Agent = maskedView{Name: agent.GetString("name"), IDNo: agent.GetString("id_no")}
	out.Principal = maskedView{Name: rec.GetString("principal_name"), IDNo: rec.GetString("principal_id_no")}
	out.CaseText, out.RelationText = kit.ProxyText("case", rec.GetString("case")), kit.ProxyText("relation", rec.GetString("relation"))
	out.StatusText, out.PaperText = kit.ProxyText("status", rec.GetString("status")), kit.ProxyText("paper", string(paper))
	return out, nil
}

// proxyDetail is an application with its materials, what HIS says about the
// principal now, and who has done what with it.
type proxyDetail struct {
	proxyRow
	Materials []materialView   `json:"materials"`
	History   []store.AuditRow `json:"history"`
	HIS       *likenessView    `json:"his"` // null: HIS did not answer
	HISError  string           `json:"his_error"`
}

// materialView is a photo of an application.
type materialView struct {
	ID     string `json:"id"`
	Kind   string `json:"kind"`
	Text   string `json:"text"`
	File   string `json:"file"`
	SHA256 string `json:"sha256"`
	Width  int    `json:"width"`
	Height int    `json:"height"`
	Seen   bool   `json:"seen"` // opened by whoever asks
}

// likenessView says how the principal's data compares with HIS's.
type likenessView struct {
	Found     bool `json:"found"`
	NameEqual bool `json:"name_equal"`
	IDNoEqual bool `json:"id_no_equal"`
}

// proxyOfDesk is the application of the path, of the institution and handed in.
func (h *Hooks) proxyOfDesk(e *core.RequestEvent) (*core.Record, error) {
	rec, err := e.App.FindRecordById(collections.ProxyApplications, e.Request.PathValue("id"))
	if err != nil || rec.GetString("institution") != e.Auth.GetString("institution") || rec.GetDateTime("submitted_at").IsZero() {
		return nil, kit.Error(http.StatusNotFound, "not_found", "")
	}
	return rec, nil
}

// deskProxy shows one application with its materials, what HIS says about the
// principal now, and who has done what with it.
func (h *Hooks) deskProxy(e *core.RequestEvent) error {
	rec, err := h.proxyOfDesk(e)
	if err != nil {
		return err
	}
	row, err := h.proxyRow(e.Request.Context(), rec)
	if err != nil {
		return h.Fail(e, err)
	}
	recs, err := e.App.FindRecordsByFilter(collections.ProxyMaterials, "application = {:a}", "created", 0, 0, map[string]any{"a": rec.Id})
	if err != nil {
		return h.Fail(e, err)
	}
	seen, err := store.SeenPapers(e.App, e.Auth.Id, rec.Id)
	if err != nil {
		return h.Fail(e, err)
	}
	out := proxyDetail{proxyRow: row, Materials: []materialView{}}
	for _, m := range recs {
		out.Materials = append(out.Materials, materialView{
			ID: m.Id, Kind: m.GetString("kind"), Text: kit.ProxyText("material", m.GetString("kind")), File: m.GetString("file"),
			SHA256: m.GetString("sha256"), Width: m.GetInt("width"), Height: m.GetInt("height"), Seen: seen[m.Id],
		})
	}
	if out.History, err = store.AuditOf(e.App, rec.Id, "", 100); err != nil {
		return h.Fail(e, err)
	}
	if out.HIS, out.HISError, err = h.compareHIS(e.Request.Context(), rec); err != nil {
		return h.Fail(e, err)
	}
	return e.JSON(http.StatusOK, kit.Shown[proxyDetail]{Record: rec, More: out})
}

// compareHIS asks HIS for the principal and compares; it tells no more than
// whether the two are equal.
func (h *Hooks) compareHIS(ctx context.Context, rec *core.Record) (*likenessView, string, error) {
	name, idNo, err := h.Store.OpenPrincipal(ctx, rec)
	if err != nil {
		return nil, "", err
	}
	like, err := h.Intake.Compare(ctx, rec.GetString("institution"), name, store.PaperOf(rec), idNo)
	switch code := flow.CodeOf(err); {
	case err == nil:
		return &likenessView{Found: like.Found, NameEqual: like.Name, IDNoEqual: like.IDNo}, "", nil
	case code == "":
		return nil, "", err
	default:
		return nil, kit.ErrorText(code), nil
	}
}

// reviewProxy decides on an application of the reviewer's institution.
func (h *Hooks) reviewProxy(e *core.RequestEvent) error {
	var body struct {
		Decision string `json:"decision"`
		Note     string `json:"note"`
	}
	if err := e.BindBody(&body); err != nil || (body.Decision != "approve" && body.Decision != "reject") {
		return kit.Error(http.StatusBadRequest, "bad_request", "")
	}
	rec, err := e.App.FindRecordById(collections.ProxyApplications, e.Request.PathValue("id"))
	if err != nil || rec.GetString("institution") != e.Auth.GetString("institution") {
		return kit.Error(http.StatusNotFound, "not_found", "")
	}
	err = h.Store.ReviewProxy(e.Request.Context(), rec.Id, e.Auth.Id, body.Decision == "approve", body.Note, e.RealIP(),
		h.Now())
	if err != nil {
		return h.Fail(e, err)
	}
	if rec, err = e.App.FindRecordById(collections.ProxyApplications, rec.Id); err != nil {
		return h.Fail(e, err)
	}
	return e.JSON(http.StatusOK, rec)
}
