//go:build unix

package checkup

import "syscall"

// DiskFree is how many bytes this program may still write where a folder lies.
func DiskFree(dir string) (uint64, error) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil {
		return 0, err
	}
	return s.Bavail * uint64(s.Bsize), nil
}
