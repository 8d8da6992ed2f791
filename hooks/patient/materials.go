package patient

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"strconv"

	"hospay/collections"
	"hospay/flow"
	"hospay/hooks/kit"
	"hospay/internal/photo"
	"hospay/people"
	"hospay/refund"
	"hospay/store"

	"github.com/pocketbase/pocketbase/core"
)

// upload takes one photo of a draft: decoded, encoded anew and sealed before
// anything is stored.
func (h *Hooks) upload(e *core.RecordRequestEvent) error {
	if e.Auth == nil || e.Auth.Collection().Name != collections.Patients || e.App.IsTransactional() {
		return kit.Denied(e.RequestEvent)
	}
	kind := refund.MaterialKind(e.Record.GetString("kind"))
	app, err := e.App.FindRecordById(collections.ProxyApplications, e.Record.GetString("application"))
	switch {
	case err != nil || app.GetString("patient") != e.Auth.Id:
		return kit.Error(http.StatusNotFound, "not_found", "")
	case !kind.Valid():
		return kit.Error(http.StatusBadRequest, "bad_request", "")
	case refund.ProxyStatus(app.GetString("status")) != refund.ProxyDraft:
		return h.Fail(e.RequestEvent, notDraft(app))
	}
	p, err := readPhoto(e)
	if err != nil {
		return h.Fail(e.RequestEvent, err)
	}
	r := e.Record
	r.Id = core.GenerateDefaultRandomId()
	file, err := h.Store.SealPhoto(r.Id, kind, p.JPEG)
	if err != nil {
		return h.Fail(e.RequestEvent, err)
	}
	clearFields(r)
	sum := sha256.Sum256(p.JPEG)
	r.Load(map[string]any{
		"application": app.Id, "institution": app.GetString("institution"), "patient": e.Auth.Id, "kind": string(kind), "file": file,
		"size": len(p.JPEG), "sha256": hex.EncodeToString(sum[:]), "width": p.Width, "height": p.Height,
	})
	h.Allow(r)
	defer h.Forget(r)
	if err = e.Next(); err == nil {
		return nil
	}
	now, readErr := e.App.FindRecordById(collections.ProxyApplications, app.Id)
	if readErr == nil && refund.ProxyStatus(now.GetString("status")) != refund.ProxyDraft {
		return h.Fail(e.RequestEvent, notDraft(now)) // handed in at the same moment
	}
	return err
}

// notDraft says why materials of an application cannot be changed any more.
func notDraft(app *core.Record) error {
	status := refund.ProxyStatus(app.GetString("status"))
	if status.Final() {
		return flow.NewError(refund.CodeProxyClosed, string(status))
	}
	return flow.NewError(flow.CodeConflict, string(status))
}

// readPhoto reads the one file of an upload.
func readPhoto(e *core.RecordRequestEvent) (photo.Photo, error) {
	files := e.Record.GetUnsavedFiles("file")
	if len(files) != 1 {
		return photo.Photo{}, flow.NewError(refund.CodeImageInvalid, "one file is needed")
	}
	if files[0].Size > photo.MaxBytes {
		return photo.Photo{}, flow.NewError(refund.CodeImageTooLarge, "")
	}
	in, err := files[0].Reader.Open()
	if err != nil {
		return photo.Photo{}, err
	}
	defer in.Close()
	data, err := io.ReadAll(io.LimitReader(in, photo.MaxBytes+1))
	if err != nil {
		return photo.Photo{}, err
	}
	p, err := photo.Clean(e.Request.Context(), data)
	switch {
	case errors.Is(err, photo.ErrTooLarge):
		err = flow.NewError(refund.CodeImageTooLarge, "")
	case errors.Is(err, photo.ErrInvalid):
		err = flow.NewError(refund.CodeImageInvalid, "")
	}
	return p, err
}

// uploaded replaces the photo of the same kind in the transaction of the new
// one; the old file goes after the commit.
func (h *Hooks) uploaded(e *core.RecordEvent) error {
	app := e.App
	var replaced []string
	err := app.RunInTransaction(func(tx core.App) error {
		var err error
		replaced, err = h.Store.MakeRoom(tx, e.Record.GetString("application"), refund.MaterialKind(e.Record.GetString("kind")))
		if flow.CodeOf(err) == refund.CodeImageTooMany {
			return kit.Error(http.StatusBadRequest, string(refund.CodeImageTooMany), "")
		}
		if err != nil {
			return err
		}
		e.App = tx
		return e.Next()
	})
	e.App = app
	if err == nil {
		if err := h.Store.RemoveFiles(context.WithoutCancel(e.Context), replaced...); err != nil {
			h.Log.Warn("proxy.replaced", "error", err) // swept up later
		}
	}
	return err
}

// deleteMaterial removes the agent's own photo of a draft.
func (h *Hooks) deleteMaterial(e *core.RecordRequestEvent) error {
	own := e.Auth != nil && e.Auth.Collection().Name == collections.Patients && e.Record.GetString("patient") == e.Auth.Id
	if !own || e.App.IsTransactional() {
		return kit.Denied(e.RequestEvent)
	}
	app, err := e.App.FindRecordById(collections.ProxyApplications, e.Record.GetString("application"))
	if err != nil {
		return h.Fail(e.RequestEvent, err)
	}
	if refund.ProxyStatus(app.GetString("status")) != refund.ProxyDraft {
		return h.Fail(e.RequestEvent, notDraft(app))
	}
	if err := h.Store.DeleteMaterial(e.Request.Context(), e.Record.Id); err != nil {
		return h.Fail(e.RequestEvent, err)
	}
	return e.NoContent(http.StatusNoContent)
}

// showPhoto answers with the opened photo. PocketBase has judged the token and
// the access rule. Beside the agent only who has told why, a short while ago, may
// look, and every photo is put on record first.
func (h *Hooks) showPhoto(e *core.FileDownloadRequestEvent) error {
	viewer, err := e.App.FindAuthRecordByToken(e.Request.URL.Query().Get("token"), core.TokenTypeFile)
	if err != nil {
		return kit.Error(http.StatusNotFound, "not_found", "")
	}
	e.Request.URL.RawQuery = "" // the request log keeps addresses
	own := viewer.Id == e.Record.GetString("patient")
	if !own {
		if err := h.mayLook(e, viewer); err != nil {
			return h.Fail(e.RequestEvent, err)
		}
	}
	data, err := h.Store.OpenPhoto(e.Record)
	if err != nil {
		h.Log.Error("proxy.photo", "material", e.Record.Id, "error", err)
		return kit.Error(http.StatusNotFound, "not_found", "")
	}
	if !own {
		if err := h.recordLook(e, viewer); err != nil {
			return h.Fail(e.RequestEvent, err)
		}
	}
	head := e.Response.Header()
	head.Set("Cache-Control", "no-store")
	head.Set("X-Content-Type-Options", "nosniff")
	head.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	head.Set("Content-Disposition", "inline")
	head.Set("Content-Length", strconv.Itoa(len(data)))
	return e.Blob(http.StatusOK, "image/jpeg", data)
}

// mayLook: photos of ID cards are for who reviews and who audits.
func (h *Hooks) mayLook(e *core.FileDownloadRequestEvent, viewer *core.Record) error {
	if !kit.HasRole(viewer, people.RoleReviewer, people.RoleAuditor) {
		return kit.Error(http.StatusForbidden, string(flow.CodeNotAllowed), "")
	}
	looked, err := h.Store.Looked(viewer.Id, e.Record.GetString("application"))
	if err == nil && !looked {
		err = flow.NewError(store.CodeLookNeeded, "")
	}
	return err
}

func (h *Hooks) recordLook(e *core.FileDownloadRequestEvent, viewer *core.Record) error {
	return e.App.RunInTransaction(func(tx core.App) error {
		return store.Audit(tx, store.AuditEntry{
			Institution: e.Record.GetString("institution"), ActorKind: "staff", Actor: viewer.Id, Action: store.AuditPhoto,
			Target: e.Record.GetString("application"), Address: e.RealIP(),
			Details: map[string]any{"material": e.Record.Id, "kind": e.Record.GetString("kind")},
		})
	})
}
