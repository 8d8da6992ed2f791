//go:build unix

package cmd

import (
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// keepPrivate gives what this program makes to its own user alone: folders 0700,
// files 0600.
func keepPrivate() { syscall.Umask(0o077) }

// open reports whether others than its owner may do anything with a file.
func open(info fs.FileInfo) bool {
	return info.Mode()&fs.ModeSymlink == 0 && info.Mode().Perm()&0o077 != 0
}

// ownFolder refuses root to work in a data folder of another account: what root
// makes in it that account could not write any more.
func ownFolder(dir string) error {
	info, err := os.Stat(dir)
	if err != nil || os.Geteuid() != 0 {
		return nil
	}
	owner, ok := info.Sys().(*syscall.Stat_t)
	if !ok || owner.Uid == 0 {
		return nil
	}
	name := strconv.Itoa(int(owner.Uid))
	if u, err := user.LookupId(name); err == nil {
		name = u.Username
	}
	return fmt.Errorf("数据目录 %s 属于账户 %s，root 在里面新建的文件它会写不了。请用 sudo -u %s hospay …", dir, name, name)
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
