package checkup

import "golang.org/x/sys/windows"

// DiskFree is how many bytes this program may still write where a folder lies.
func DiskFree(dir string) (uint64, error) {
	path, err := windows.UTF16PtrFromString(dir)
	if err != nil {
		return 0, err
	}
	var free uint64
	err = windows.GetDiskFreeSpaceEx(path, &free, nil, nil)
	return free, err
}
