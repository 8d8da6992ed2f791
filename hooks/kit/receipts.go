package kit

import (
	"net/http"
	"strconv"

	"hospay/collections"
	"hospay/store"

	"github.com/pocketbase/pocketbase/core"
)

// showReceipt answers with an electronic receipt. PocketBase has judged the token
// and the access rule; every look but the patient's own is put on record first,
// and nobody on the way keeps a copy.
func (k *Kit) showReceipt(e *core.FileDownloadRequestEvent) error {
	viewer, err := e.App.FindAuthRecordByToken(e.Request.URL.Query().Get("token"), core.TokenTypeFile)
	if err != nil {
		return Error(http.StatusNotFound, "not_found", "")
	}
	data, err := k.Store.Receipt(e.Request.Context(), e.Record)
	if err != nil {
		k.Log.Error("receipt.file", "receipt", e.Record.Id, "error", err)
		return Error(http.StatusNotFound, "not_found", "")
	}
	if viewer.Id != e.Record.GetString("patient") {
		if err := k.receiptLook(e, viewer); err != nil {
			return k.Fail(e.RequestEvent, err)
		}
	}
	head := e.Response.Header()
	head.Set("Cache-Control", "no-store")
	head.Set("X-Content-Type-Options", "nosniff")
	head.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	head.Set("Content-Disposition", "inline")
	head.Set("Content-Length", strconv.Itoa(len(data)))
	return e.Blob(http.StatusOK, "application/pdf", data)
}

func (k *Kit) receiptLook(e *core.FileDownloadRequestEvent, viewer *core.Record) error {
	kind := "staff"
	if viewer.IsSuperuser() {
		kind = "superuser"
	}
	return e.App.RunInTransaction(func(tx core.App) error {
		no, err := orderNo(tx, e.Record.GetString("order"))
		if err != nil {
			return err
		}
		return store.Audit(tx, store.AuditEntry{
			Institution: e.Record.GetString("institution"), ActorKind: kind, Actor: viewer.Id, Action: "receipt.look",
			Target: e.Record.GetString("order"), Order: no, Address: e.RealIP(), Details: map[string]any{"sha256": e.Record.GetString("sha256")},
		})
	})
}

func orderNo(tx core.App, id string) (string, error) {
	order, err := tx.FindRecordById(collections.RefundOrders, id)
	if err != nil {
		return "", err
	}
	return order.GetString("no"), nil
}
