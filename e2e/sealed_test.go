package e2e

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hospay/cmd"
	"hospay/collections"
	"hospay/internal/vault"
	"hospay/lab/testapp"
	"hospay/store"

	"github.com/pocketbase/pocketbase/core"
)

// collected collects the receipt of a payout.
func collected(t *testing.T, a *testapp.App, no string) *core.Record {
	t.Helper()
	for range 4 {
		if _, err := a.Jobs.RunNow(t.Context(), "receipts"); err != nil {
			t.Fatal(err)
		}
		a.Advance(5e9)
		if _, err := a.Runtime.App.NonconcurrentDB().NewQuery("UPDATE receipts SET next_at = created WHERE next_at != ''").Execute(); err != nil {
			t.Fatal(err)
		}
	}
	rec := must(a.Runtime.App.FindFirstRecordByData(collections.Receipts, "out_bill_no", no))
	if rec.GetString("state") != "ready" {
		t.Fatalf("receipt is %s: %s", rec.GetString("state"), rec.GetString("message"))
	}
	return rec
}

// stored lists the files in the storage of a data folder.
func stored(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	out := map[string][]byte{}
	err := filepath.WalkDir(filepath.Join(dir, "storage"), func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, os.ErrNotExist) || (err == nil && d.IsDir()) {
			return nil
		}
		if err == nil && !strings.HasSuffix(path, ".attrs") {
			out[path], err = os.ReadFile(path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestSealed_BillsAndReceiptsLieSealed plays a day with its bills, a run and
// receipts: every file in the storage is sealed, all of them are read, and none
// opens in another row.
func TestSealed_BillsAndReceiptsLieSealed(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	toMorning(a)
	w := paidOrder(t, a, "P0001", "wechat", 1234)
	paidOrder(t, a, "P0002", "alipay", 2345)
	day := clockDay(a)
	rec := collected(t, a, w.Transfer.No)
	toMorning(a)
	for _, job := range []string{"statements", "reconcile"} {
		if _, err := a.Jobs.RunNow(t.Context(), job); err != nil {
			t.Fatal(err)
		}
	}
	finance := a.Staff("finance")
	res := a.Call("GET", "/api/hospay/recon/"+day+"/lines", finance, nil)
	if res.Status != 200 || !strings.Contains(string(res.Raw), w.Order.No) {
		t.Errorf("lines of the run: %d %.200s", res.Status, res.Raw)
	}
	z := must(gzip.NewReader(bytes.NewReader(file(t, a, finance, statement(t, a, finance, day, "wechat", "fundflow_operation")))))
	bill := must(io.ReadAll(z))
	if !strings.Contains(string(bill), w.Transfer.No) {
		t.Errorf("the bill as it came: %.80q", bill)
	}
	files := stored(t, a.Dir)
	if len(files) < 5 {
		t.Fatalf("%d files", len(files))
	}
	for path, data := range files {
		if !vault.Sealed(data) || bytes.Contains(data, []byte(w.Transfer.No)) || bytes.Contains(data, []byte("%PDF")) {
			t.Errorf("%s lies open", path)
		}
	}
	if left, err := os.ReadDir(filepath.Join(a.Dir, "temp")); err == nil && len(left) > 0 {
		t.Errorf("left open: %v", left)
	}
	pdf := must(a.Store.Receipt(t.Context(), rec))
	if !bytes.HasPrefix(pdf, []byte("%PDF-")) {
		t.Fatalf("%.20q", pdf)
	}
	other := store.KeptFile{Collection: collections.Receipts, ID: rec.Id, Name: rec.GetString("file"), SHA256: strings.Repeat("0", 64)}
	r := must(a.Store.OpenFile(t.Context(), other))
	if _, err := io.ReadAll(r); !errors.Is(err, store.ErrFileChanged) {
		t.Errorf("another hash: %v", err)
	}
	r.Close()
}

// TestSealed_ReceiptIsServedUncachedAndLooksAreRows: the patient and staff see
// the PDF, nobody on the way keeps it, and looks of staff are on record, found by
// the order's number.
func TestSealed_ReceiptIsServedUncachedAndLooksAreRows(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	w := paidOrder(t, a, "P0001", "wechat", 4321)
	rec := collected(t, a, w.Transfer.No)
	fetch := func(bearer string) *http.Response {
		token := a.Call("POST", "/api/files/token", bearer, nil).Text("token")
		return must(http.Get(a.URL + "/api/files/receipts/" + rec.Id + "/" + rec.GetString("file") + "?token=" + token))
	}
	for who, c := range map[string]struct {
		token  string
		status int
		looks  int
	}{
		"patient": {a.Login("P0001", "wechat").Token, 200, 0}, "finance": {a.Staff("finance"), 200, 1},
		"stranger": {a.Login("P0002", "alipay").Token, 404, 0}, "config": {a.Staff("config"), 404, 0},
	} {
		before := len(onTrail(t, a.Runtime.App, "receipt.look"))
		res := fetch(c.token)
		data := must(io.ReadAll(res.Body))
		res.Body.Close()
		if res.StatusCode != c.status || (c.status == 200) != bytes.HasPrefix(data, []byte("%PDF-")) {
			t.Errorf("%s: %d %.40q", who, res.StatusCode, data)
		}
		if c.status == 200 && (res.Header.Get("Cache-Control") != "no-store" || res.Header.Get("Content-Type") != "application/pdf") {
			t.Errorf("%s: %v", who, res.Header)
		}
		rows := onTrail(t, a.Runtime.App, "receipt.look")
		if len(rows) != before+c.looks || (c.looks > 0 && rows[before].OrderNo != w.Order.No) {
			t.Errorf("%s: %d looks on record, %+v", who, len(rows)-before, rows)
		}
	}
	path := filepath.Join(a.Dir, "storage", rec.BaseFilesPath(), rec.GetString("file"))
	if err := os.WriteFile(path, []byte("%PDF-1.4 forged"), 0o600); err != nil {
		t.Fatal(err)
	}
	if res := fetch(a.Staff("finance")); res.StatusCode != 404 {
		t.Errorf("a forged receipt is served: %d", res.StatusCode)
	}
}

// TestSealed_FilesFromBeforeAreReadAndSealed opens the folders of releases that
// kept their files open: they are read as they are, then the job seals them, and
// they are read again.
func TestSealed_FilesFromBeforeAreReadAndSealed(t *testing.T) {
	for _, release := range releases(t) {
		dir := kept(t, release)
		before := stored(t, dir)
		if len(before) == 0 {
			t.Fatalf("%s holds no file", release)
		}
		f := openFolder(t, dir, cmd.ThisProgram())
		plain := f.keptFiles()
		if len(plain) == 0 {
			t.Fatalf("%s: no kept file is read", release)
		}
		if n := must(f.Store.SealFiles(t.Context())); n != len(plain) {
			t.Errorf("%s: %d sealed of %d", release, n, len(plain))
		}
		if n := must(f.Store.SealFiles(t.Context())); n != 0 {
			t.Errorf("%s: %d sealed twice", release, n)
		}
		for path, data := range stored(t, dir) {
			if !vault.Sealed(data) && !strings.HasSuffix(path, ".jpg") { // photos have their own form
				t.Errorf("%s: %s lies open", release, path)
			}
		}
		again := f.keptFiles()
		for id, data := range plain {
			if !bytes.Equal(again[id], data) {
				t.Errorf("%s: %s reads otherwise", release, id)
			}
		}
		f.close()
	}
}

// keptFiles reads every bill and receipt through the one way.
func (f *folder) keptFiles() map[string][]byte {
	f.Helper()
	out := map[string][]byte{}
	for table, columns := range map[string]string{collections.Statements: "file, sha256", collections.Receipts: "file, sha256",
		collections.ReconRuns: "lines AS file, '' AS sha256"} {
		var rows []struct {
			ID   string `db:"id"`
			File string `db:"file"`
			Sum  string `db:"sha256"`
		}
		f.read(f.App.DB().NewQuery("SELECT id, " + columns + " FROM " + table + " WHERE file != ''").All(&rows))
		for _, r := range rows {
			in := must(f.Store.OpenFile(f.Context(), store.KeptFile{Collection: table, ID: r.ID, Name: r.File, SHA256: r.Sum}))
			out[table+r.ID] = must(io.ReadAll(in))
			in.Close()
		}
	}
	return out
}
