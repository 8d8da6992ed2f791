package collections

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pocketbase/pocketbase/core"
)

// TestCluster_ALeaderWithAnotherFolderOfFilesRefuses: the first leader marks the
// folder; who has none, or another one, does not begin.
func TestCluster_ALeaderWithAnotherFolderOfFilesRefuses(t *testing.T) {
	app := core.NewBaseApp(core.BaseAppConfig{DataDir: t.TempDir(), DBConnect: Connect})
	if err := app.Bootstrap(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = app.ClearBootstrap() }()
	SetClock(app, func() time.Time { return time.Date(2026, 11, 30, 9, 0, 0, 0, time.UTC) })
	for range 2 {
		if err := shareFiles(app); err != nil {
			t.Fatal(err)
		}
	}
	mark := filepath.Join(app.DataDir(), core.LocalStorageDirName, sharedFile)
	if err := os.WriteFile(mark, []byte("another\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := shareFiles(app); err == nil || !strings.Contains(err.Error(), "不是集群共享的文件目录") {
		t.Errorf("another folder: %v", err)
	}
	if err := os.Remove(mark); err != nil {
		t.Fatal(err)
	}
	if err := shareFiles(app); err == nil {
		t.Error("a folder that nobody has marked")
	}
}
