package finance

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"hospay/books"
	"hospay/calendar"
	"hospay/collections"
	"hospay/flow"
	"hospay/hooks/kit"
	"hospay/money"
	"hospay/people"
	"hospay/reconcile/files"

	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
)

// maxStatement bounds an uploaded bill.
const maxStatement = 200 << 20

func (h *Hooks) bindStatementRoutes(se *core.ServeEvent) {
	g := se.Router.Group("/api/hospay")
	g.POST("/statements", h.statementUpload).Bind(apis.BodyLimit(maxStatement + 1<<20)).BindFunc(kit.RequireStaff(people.RoleFinance))
	g.GET("/statements", h.statementList).BindFunc(kit.RequireStaff(bookRoles...))
	g.POST("/statements/{id}/use", h.statementUse).BindFunc(kit.RequireStaff(people.RoleFinance))
	g.GET("/statements/{id}/rejects", h.statementRejects).BindFunc(kit.RequireStaff(bookRoles...))
	g.GET("/statements/{id}/file", h.statementFile).BindFunc(kit.RequireStaff(bookRoles...))
	h.App.OnFileDownloadRequest(collections.Statements).BindFunc(func(e *core.FileDownloadRequestEvent) error {
		return kit.Error(http.StatusForbidden, "not_allowed", "") // the route writes down who has looked
	})
}

// statementUpload takes a bill by hand: it goes to a temporary file as it
// comes, and counts only when it was read from end to end.
func (h *Hooks) statementUpload(e *core.RequestEvent) error {
	parts, err := e.Request.MultipartReader()
	if err != nil {
		return kit.BadRequest()
	}
	dir, err := h.Store.TempDir()
	if err != nil {
		return h.Fail(e, err)
	}
	defer os.RemoveAll(dir)
	in := books.Incoming{Institution: kit.InstitutionOf(e), By: e.Auth.Id, Path: filepath.Join(dir, "file")}
	if err := readUpload(parts, &in); err != nil {
		return h.Fail(e, err)
	}
	st, err := h.Books.Accept(e.Request.Context(), in)
	if err != nil {
		return h.Fail(e, err)
	}
	took := map[string]any{"day": st.Day, "source": st.Source, "kind": st.Kind, "sha256": st.SHA256, "version": st.Version}
	if err := h.Audit(e, "statement.upload", st.ID, took); err != nil {
		return h.Fail(e, err)
	}
	return e.JSON(http.StatusOK, viewStatement(st, nil))
}

// statementUse puts a download in force in place of what somebody has brought.
func (h *Hooks) statementUse(e *core.RequestEvent) error {
	st, instead, err := h.Books.Use(e.Request.Context(), kit.InstitutionOf(e), e.Request.PathValue("id"))
	if err != nil {
		return h.Fail(e, err)
	}
	details := map[string]any{"day": st.Day, "source": st.Source, "kind": st.Kind, "sha256": st.SHA256, "version": st.Version,
		"instead": instead.SHA256, "instead_version": instead.Version}
	if err := h.Audit(e, "statement.use", st.ID, details); err != nil {
		return h.Fail(e, err)
	}
	return e.JSON(http.StatusOK, viewStatement(st, nil))
}

// readUpload reads the fields and the one file of an upload.
func readUpload(parts *multipart.Reader, in *books.Incoming) error {
	fields := map[string]*string{"day": &in.Day, "source": &in.Source, "kind": &in.Kind, "connection": &in.Connection}
	for {
		part, err := parts.NextPart()
		if err == io.EOF {
			break
		}
		if err != nil {
			return uploadError(err)
		}
		if part.FormName() == "file" && in.Name == "" {
			if in.Name, err = flow.Optional(filepath.Base(strings.ReplaceAll(part.FileName(), `\`, "/"))); err != nil {
				return err
			}
			if err := saveUpload(part, in.Path); err != nil {
				return uploadError(err)
			}
			continue
		}
		if to, ok := fields[part.FormName()]; ok {
			var value bytes.Buffer
			if _, err := io.Copy(&value, io.LimitReader(part, 64)); err != nil {
				return uploadError(err)
			}
			*to = strings.TrimSpace(value.String())
		}
	}
	if in.Name == "" || in.Day == "" || in.Source == "" {
		return kit.BadRequest()
	}
	return nil
}

func saveUpload(from io.Reader, path string) error {
	out, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	n, err := io.Copy(out, io.LimitReader(from, maxStatement+1))
	if n > maxStatement {
		err = apis.ErrRequestEntityTooLarge
	}
	return errors.Join(err, out.Close())
}

func uploadError(err error) error {
	if errors.Is(err, apis.ErrRequestEntityTooLarge) {
		return kit.Error(http.StatusRequestEntityTooLarge, "statement_too_large", fmt.Sprint(maxStatement>>20))
	}
	return kit.BadRequest()
}

// statementView is a bill as the console shows it.
type statementView struct {
	ID         string    `json:"id"`
	Day        string    `json:"day"`
	Source     string    `json:"source"`
	Kind       string    `json:"kind"`
	State      string    `json:"state"`
	Version    int       `json:"version"`
	Superseded bool      `json:"superseded"`
	Beside     bool      `json:"beside"`
	Late       bool      `json:"late"`
	File       string    `json:"file"`
	Size       int64     `json:"size"`
	SHA256     string    `json:"sha256"`
	Form       string    `json:"form"`
	Lines      int       `json:"lines"`
	Rejects    int       `json:"rejects"`
	Amount     money.Fen `json:"amount"`
	Refusal    string    `json:"refusal"`
	Message    string    `json:"message"`
	By         string    `json:"by"`
	ByName     string    `json:"by_name"`
	Tries      int       `json:"tries"`
	NextAt     string    `json:"next_at"`
	Created    string    `json:"created"`
	Updated    string    `json:"updated"`
}

func viewStatement(st books.Statement, names map[string]string) statementView {
	return statementView{
		ID: st.ID, Day: st.Day, Source: st.Source, Kind: st.Kind, State: st.State, Version: st.Version, Superseded: st.Superseded,
		Beside: st.Beside, Late: st.Late,
		File: st.Name, Size: st.Size, SHA256: st.SHA256, Form: st.Form, Lines: st.Lines, Rejects: st.Rejects, Amount: money.Fen(st.Amount),
		Refusal: st.Refusal, Message: st.Message, By: st.By, ByName: names[st.By], Tries: st.Tries, NextAt: calendar.Clock(st.NextAt.Time()),
		Created: calendar.Clock(st.Created.Time()), Updated: calendar.Clock(st.Updated.Time()),
	}
}

// statementList tells per day and source which bills are there.
func (h *Hooks) statementList(e *core.RequestEvent) error {
	q := e.Request.URL.Query()
	from, _, err := calendar.ParseDay(q.Get("from"))
	_, to, err2 := calendar.ParseDay(q.Get("to"))
	if err != nil || err2 != nil || !to.After(from) || to.Sub(from).Hours() > 24*366 {
		return kit.BadRequest()
	}
	all, err := h.Books.Statements(e.Request.Context(), kit.InstitutionOf(e), q.Get("from"), q.Get("to"))
	if err != nil {
		return h.Fail(e, err)
	}
	names, err := h.Store.StaffNames(e.Request.Context(), kit.InstitutionOf(e))
	if err != nil {
		return h.Fail(e, err)
	}
	items := []statementView{}
	for _, st := range all {
		items = append(items, viewStatement(st, names))
	}
	return e.JSON(http.StatusOK, kit.Items[statementView]{Items: items})
}

func (h *Hooks) statement(e *core.RequestEvent) (books.Statement, error) {
	return h.Books.Statement(e.Request.Context(), kit.InstitutionOf(e), e.Request.PathValue("id"))
}

// rejectsView is the lines of a bill that could not be read; not all are kept.
type rejectsView struct {
	Items []files.Reject `json:"items"`
	Count int            `json:"count"`
}

// statementRejects lists the lines that could not be read.
func (h *Hooks) statementRejects(e *core.RequestEvent) error {
	st, err := h.statement(e)
	if err != nil {
		return h.Fail(e, err)
	}
	list, err := h.Books.Rejects(e.Request.Context(), st)
	if err != nil {
		return h.Fail(e, err)
	}
	return e.JSON(http.StatusOK, rejectsView{Items: list, Count: st.Rejects})
}

// statementFile sends the original file and writes down who took it.
func (h *Hooks) statementFile(e *core.RequestEvent) error {
	st, err := h.statement(e)
	if err == nil && st.File == "" {
		err = flow.ErrNotFound
	}
	if err != nil {
		return h.Fail(e, err)
	}
	file, err := h.Books.Original(e.Request.Context(), st)
	if err != nil {
		return h.Fail(e, err)
	}
	defer file.Close()
	if err := h.Audit(e, "statement.download", st.ID, map[string]any{"day": st.Day, "source": st.Source, "sha256": st.SHA256}); err != nil {
		return h.Fail(e, err)
	}
	kit.Attach(e, st.Name)
	return e.Stream(http.StatusOK, "application/octet-stream", file)
}
