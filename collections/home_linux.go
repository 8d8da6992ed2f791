package collections

import (
	"fmt"
	"os"
	"syscall"
)

// identity names a file so that a copy of it has another name: its inode, and
// for a file that is never written again also when the system last touched it,
// because a file system may give a freed inode to the next file.
func identity(path string, still bool) string {
	info, err := os.Stat(path)
	if err != nil {
		return ""
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	switch {
	case !ok:
		return ""
	case still:
		return fmt.Sprintf("%d.%d.%d", st.Ino, st.Ctim.Sec, st.Ctim.Nsec)
	}
	return fmt.Sprint(st.Ino)
}
