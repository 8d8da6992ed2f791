package collections

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/pocketbase/pocketbase/core"
)

// What patients have uploaded and what is kept of bills lies in files. The nodes of a
// cluster share the folder; a leader that had one of its own would not find what
// others have written.
const (
	sharedRow  = "hospay_storage"
	sharedFile = "hospay.cluster"
)

// shareFiles makes sure that the folder of files is the one that the cluster's other
// leaders had.
func shareFiles(app core.App) error {
	dir := filepath.Join(app.DataDir(), core.LocalStorageDirName)
	path := filepath.Join(dir, sharedFile)
	var want string
	known, err := readParam(app.DB(), sharedRow, &want)
	if err != nil {
		return err
	}
	if known {
		have, err := os.ReadFile(path)
		if err != nil || strings.TrimSpace(string(have)) != want {
			return fmt.Errorf("%s 不是集群共享的文件目录（应有 %s，且与其他节点的相同）：各节点的 %s 须挂载同一个共享目录，见 docs/zh/集群.md",
				dir, sharedFile, core.LocalStorageDirName)
		}
		return nil
	}
	want = rand.Text()
	if err := errors.Join(os.MkdirAll(dir, 0o700), os.WriteFile(path, []byte(want+"\n"), 0o600)); err != nil {
		return err
	}
	return app.RunInTransaction(func(tx core.App) error { return SetParam(tx, sharedRow, want) })
}
