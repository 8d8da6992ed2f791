package main

import (
	"bytes"
	"compress/gzip"
	"crypto/md5"
	"fmt"
	"os"
	"strings"
	"time"

	"hospay/deploy"
)

// debPackage is what goes into a .deb.
type debPackage struct {
	Version, Arch string
	At            time.Time
	Binary        []byte
	Docs          []file
}

const docFolder = "./usr/share/doc/hospay/"

// data lists the files that are installed. The settings, the keys and the data
// are no part of the package: setup makes them, nothing removes them.
func (p debPackage) data() ([]file, error) {
	files := []file{
		{"./usr/bin/hospay", p.Binary, 0o755},
		{"./usr/lib/systemd/system/hospay.service", []byte(deploy.Unit), 0o644},
	}
	for _, f := range p.Docs {
		name := f.name
		switch {
		case name == "LICENSE":
			name = "copyright"
		case name == "CHANGELOG.md":
			zipped, err := squeeze(f.data)
			if err != nil {
				return nil, err
			}
			f.data, name = zipped, "changelog.gz"
		}
		files = append(files, file{docFolder + name, f.data, 0o644})
	}
	return files, nil
}

func squeeze(data []byte) ([]byte, error) {
	var out bytes.Buffer
	w, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(data); err != nil {
		return nil, err
	}
	return out.Bytes(), w.Close()
}

// control is the description by which dpkg knows the package.
func (p debPackage) control(size int64) string {
	return fmt.Sprintf(`Package: hospay
Version: %s
Architecture: %s
Maintainer: hospay <hospay@localhost>
Installed-Size: %d
Depends: passwd
Recommends: nginx, ca-certificates
Section: web
Priority: optional
Description: deposits of hospital patients paid back online, insured payments
 One program with its pages: patients get their deposits back to WeChat or
 Alipay and pay bills with the medical insurance; staff reviews, compares the
 books and ends what is in doubt. Begin with: hospay setup
`, p.Version, p.Arch, (size+1023)/1024)
}

// Scripts of the package. With DPKG_ROOT they work on another root than that of
// the running machine and leave its accounts and services alone.
const (
	postinst = `#!/bin/sh
set -e
[ "$1" = configure ] || exit 0
if [ -z "$DPKG_ROOT" ]; then
	if ! getent passwd hospay >/dev/null; then
		useradd --system --user-group --home-dir /var/lib/hospay --no-create-home --shell /usr/sbin/nologin hospay
	fi
	install -d -m 0700 -o hospay -g hospay /var/lib/hospay /var/backups/hospay
	install -d -m 0750 -o hospay -g hospay /etc/hospay
	if [ -d /run/systemd/system ]; then
		systemctl daemon-reload
		systemctl enable hospay.service
		systemctl try-restart hospay.service
	fi
else
	mkdir -p "$DPKG_ROOT/var/lib/hospay" "$DPKG_ROOT/var/backups/hospay" "$DPKG_ROOT/etc/hospay"
fi
if [ -z "$2" ]; then
	echo "hospay: 接下来运行 sudo -u hospay hospay setup，再 systemctl start hospay"
fi
`
	prerm = `#!/bin/sh
set -e
if [ "$1" = remove ] && [ -z "$DPKG_ROOT" ] && [ -d /run/systemd/system ]; then
	systemctl disable --now hospay.service
fi
`
	postrm = `#!/bin/sh
set -e
if [ -z "$DPKG_ROOT" ] && [ -d /run/systemd/system ]; then
	systemctl daemon-reload
fi
if [ "$1" = purge ]; then
	echo "hospay: 数据（/var/lib/hospay）、密钥和设置（/etc/hospay）、备份（/var/backups/hospay）没有删除：里面是钱的账，请按本院规定处理"
fi
`
)

func writeDeb(to string, p debPackage) error {
	data, err := packDeb(p)
	if err != nil {
		return err
	}
	return os.WriteFile(to, data, 0o644)
}

func packDeb(p debPackage) ([]byte, error) {
	files, err := p.data()
	if err != nil {
		return nil, err
	}
	var size int64
	var sums strings.Builder
	for _, f := range files {
		size += int64(len(f.data))
		fmt.Fprintf(&sums, "%x  %s\n", md5.Sum(f.data), strings.TrimPrefix(f.name, "./"))
	}
	data, err := packTar(p.At, files)
	if err != nil {
		return nil, err
	}
	control, err := packTar(p.At, []file{
		{"./control", []byte(p.control(size)), 0o644}, {"./md5sums", []byte(sums.String()), 0o644},
		{"./postinst", []byte(postinst), 0o755}, {"./prerm", []byte(prerm), 0o755}, {"./postrm", []byte(postrm), 0o755},
	})
	if err != nil {
		return nil, err
	}
	return packAr(p.At, []file{{"debian-binary", []byte("2.0\n"), 0o644}, {"control.tar.gz", control, 0o644},
		{"data.tar.gz", data, 0o644}}), nil
}
