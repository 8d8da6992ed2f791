//go:build unix

package cmd

import (
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// keepPrivate gives what this program makes to its own user alone: folders 0700,
// files 0600.
func keepPrivate() { syscall.Umask(0o077) }

// open reports whether others than its owner may do anything with a file.
func open(info fs.FileInfo) bool {
	return info.Mode()&fs.ModeSymlink == 0 && info.Mode().Perm()&0o077 != 0
}

// tighten keeps others out of a folder and of the files in it.
func tighten(dir string) error {
	if err := os.Chmod(dir, 0o700); err != nil {
		return err
	}
	list, err := os.ReadDir(dir)
	for _, entry := range list {
		info, err := entry.Info()
		if err != nil || !open(info) {
			continue // gone meanwhile, or closed
		}
		if err := os.Chmod(filepath.Join(dir, entry.Name()), info.Mode().Perm()&^0o077); err != nil {
			return err
		}
	}
	return err
}
