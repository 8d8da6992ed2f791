package e2e

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hospay/cmd"
	"hospay/collections"
	"hospay/lab/invariant"
	"hospay/lab/testapp"
	"hospay/people"
	"hospay/refund"
	"hospay/sim"
)

var update = flag.Bool("update", false, "write the files that tests compare with")

// folderLimit bounds a packed data folder.
const folderLimit = 500 << 10

// The files of a packed folder beside the database and its storage.
const (
	folderKey     = "key.json"
	folderLedgers = "ledgers.json" // what the other sides had in their books
)

func folderFile(release string) string {
	return filepath.Join("testdata", "folder-"+release+".tar.gz")
}

// TestFolder_IsMade makes the data folder that a release leaves behind for the
// programs after it, and reads it. With -update it is kept as the folder of
// this release, once.
func TestFolder_IsMade(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	fillFolder(t, a)
	packed := packFolder(t, a)
	t.Logf("%d bytes", len(packed))
	if len(packed) > folderLimit {
		t.Errorf("the folder has %d bytes, at most %d are kept", len(packed), folderLimit)
	}
	openFolder(t, unpackFolder(t, packed), cmd.ThisProgram()).check()
	if !*update {
		return
	}
	name := folderFile(cmd.Release)
	if _, err := os.Stat(name); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("%s is there (%v): the folder of a release is made once", name, err)
	}
	if err := errors.Join(os.MkdirAll("testdata", 0o755), os.WriteFile(name, packed, 0o644)); err != nil {
		t.Fatal(err)
	}
}

// fillFolder leaves orders in every kind of state, and rows of the other rooms.
func fillFolder(t *testing.T, a *testapp.App) {
	t.Helper()
	if err := a.Sims.WeChat.Faults().Set(sim.Plan{Rules: []sim.Rule{{Match: "callback", Fault: sim.NoCallback, Times: -1}}}); err != nil {
		t.Fatal(err)
	}
	reviewer, finance := a.Staff("reviewer1"), a.Staff("finance")
	paid := approved(t, a, "P0001", "wechat", "transfer", 1100)
	if err := a.Sims.WeChat.Confirm(a.Order(paid).Transfer.No); err != nil {
		t.Fatal(err)
	}
	a.Advance(time.Minute)
	wantStatus(t, a, paid, refund.StatusSucceeded)
	back := approved(t, a, "P0002", "alipay", "transfer", 1200)
	restores := returned(t, a, wantStatus(t, a, back, refund.StatusSucceeded))
	wantStatus(t, a, restores, refund.StatusFailed)
	wantStatus(t, a, approved(t, a, "P0003", "alipay", "transfer", 1300), refund.StatusSucceeded)
	rejected := reviewing(t, a, a.Login("P0004", "alipay"), 1400)
	a.Review(reviewer, rejected, "reject", "请到窗口办理")
	wantStatus(t, a, rejected, refund.StatusRejected)
	p := a.Login("P0005", "alipay")
	cancelled := reviewing(t, a, p, 1500)
	if err := a.Service.Cancel(t.Context(), cancelled, people.By{Kind: people.ByPatient, ID: p.ID}); err != nil {
		t.Fatal(err)
	}
	wantStatus(t, a, cancelled, refund.StatusCancelled)
	day := clockDay(a)
	toMorning(a)
	runJob(t, a, "statements", "reconcile", "notices")
	if v := dayView(t, a, finance, day); v.State == "" {
		t.Errorf("the books of %s are %+v", day, v)
	}
	fillDesks(t, a)
}

// fillDesks leaves what is under way when the folder is packed.
func fillDesks(t *testing.T, a *testapp.App) {
	t.Helper()
	set(t, a, collections.HISConfigs, `institution = "`+a.Institution+`"`, map[string]any{"reversible": false})
	suspended := lapsed(t, a, "P0001")
	if res := onDesk(a, a.Staff("finance"), suspended.Order.ID, "propose", map[string]any{
		"action": "paid_by_hand", "reason": "已在窗口办理", "evidence": "V-1",
	}); res.Status != 200 {
		t.Fatalf("propose: %d %s", res.Status, res.Raw)
	}
	wantStatus(t, a, approved(t, a, "P0003", "wechat", "transfer", 1600), refund.StatusAwaitingPayee)
	reviewing(t, a, a.Login("P0004", "alipay"), 1700)
	proxy := a.Login("P0005", "wechat").ApprovedProxy("P0008", "elderly")
	if res := a.Login("P0005", "wechat").ApplyFor(proxy, "P0008", "wechat", "transfer", 1750, nil); res.Status != 200 {
		t.Fatalf("by proxy: %d %s", res.Status, res.Raw)
	}
	a.Drain()
	d := &desk{App: a}
	if res := d.propose(a.Staff("config"), collections.Institutions, a.Institution, map[string]any{"min_amount": 20}); res.Status != 200 {
		t.Fatalf("change: %d %s", res.Status, res.Raw)
	}
	a.Sims.WeChat.SetBalance("", 0)
	wantStatus(t, a, approved(t, a, "P0006", "wechat", "transfer", 1800), refund.StatusPaying)
	runJob(t, a, "notices")
	apply(t, a.Login("P0002", "wechat"), "wechat", "transfer", 1900, nil)
}

// packFolder packs database, files and key with the other sides' ledgers. The
// database of logs stays away: it tells of this machine.
func packFolder(t *testing.T, a *testapp.App) []byte {
	t.Helper()
	dir := t.TempDir()
	if _, err := a.Runtime.App.NonconcurrentDB().NewQuery("VACUUM INTO '" + filepath.Join(dir, "data.db") + "'").Execute(); err != nil {
		t.Fatal(err)
	}
	ledgers := must(json.Marshal(must(invariant.Fetch(sides(a)))))
	key := must(os.ReadFile(filepath.Join(a.Dir, folderKey)))
	if err := errors.Join(
		os.WriteFile(filepath.Join(dir, folderLedgers), ledgers, 0o600), os.WriteFile(filepath.Join(dir, folderKey), key, 0o600),
		os.CopyFS(filepath.Join(dir, "storage"), os.DirFS(filepath.Join(a.Dir, "storage"))),
	); err != nil {
		t.Fatal(err)
	}
	host := fmt.Sprintf("%s/%d", must(os.Hostname()), os.Getpid())
	for path, data := range everyFile(t, dir) {
		if bytes.Contains(data, []byte(host)) || bytes.Contains(data, []byte(a.Dir)) {
			t.Errorf("%s names this machine", path)
		}
	}
	return archive(t, dir)
}

func archive(t *testing.T, dir string) []byte {
	t.Helper()
	var out bytes.Buffer
	zip := must(gzip.NewWriterLevel(&out, gzip.BestCompression))
	files := tar.NewWriter(zip)
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name := filepath.ToSlash(strings.TrimPrefix(path, dir+string(filepath.Separator)))
		if err := files.WriteHeader(&tar.Header{Name: name, Mode: 0o600, Size: int64(len(data))}); err != nil {
			return err
		}
		_, err = files.Write(data)
		return err
	})
	if err := errors.Join(err, files.Close(), zip.Close()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// unpackFolder lays a packed folder into a directory of the test.
func unpackFolder(t *testing.T, packed []byte) string {
	t.Helper()
	dir := t.TempDir()
	files := tar.NewReader(must(gzip.NewReader(bytes.NewReader(packed))))
	for {
		head, err := files.Next()
		if errors.Is(err, io.EOF) {
			return dir
		}
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, filepath.FromSlash(head.Name))
		mode := os.FileMode(0o600)
		if head.Name == folderKey {
			mode = 0o400
		}
		data := must(io.ReadAll(files))
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, data, mode)); err != nil {
			t.Fatal(err)
		}
	}
}
