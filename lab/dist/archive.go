package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"fmt"
	"os"
	"path"
	"slices"
	"strings"
	"time"
)

// writeTar writes files under one folder, sorted, with one time and no owner.
func writeTar(to, folder string, at time.Time, files []file) error {
	data, err := packTar(at, under(folder, files))
	if err != nil {
		return err
	}
	return os.WriteFile(to, data, 0o644)
}

func under(folder string, files []file) (out []file) {
	for _, f := range files {
		out = append(out, file{path.Join(folder, f.name), f.data, f.mode})
	}
	return out
}

// packTar is a .tar.gz. A name that ends in / is a folder; the folders of files
// come before them.
func packTar(at time.Time, files []file) ([]byte, error) {
	files = slices.Clone(files)
	slices.SortFunc(files, func(a, b file) int { return strings.Compare(a.name, b.name) })
	var out bytes.Buffer
	zipped := gzip.NewWriter(&out)
	w := tar.NewWriter(zipped)
	seen := map[string]bool{}
	folder := func(name string, mode int64) error {
		seen[name] = true
		return w.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: name + "/", Mode: mode, ModTime: at, Uname: "root", Gname: "root",
			Format: tar.FormatGNU})
	}
	for _, f := range files {
		for i, c := range f.name {
			if dir := f.name[:i]; c == '/' && i < len(f.name)-1 && i > 0 && !seen[dir] {
				if err := folder(dir, 0o755); err != nil {
					return nil, err
				}
			}
		}
		if dir, is := strings.CutSuffix(f.name, "/"); is {
			if err := folder(dir, f.mode); err != nil {
				return nil, err
			}
			continue
		}
		h := &tar.Header{Name: f.name, Mode: f.mode, Size: int64(len(f.data)), ModTime: at, Uname: "root", Gname: "root", Format: tar.FormatGNU}
		if err := w.WriteHeader(h); err != nil {
			return nil, err
		}
		if _, err := w.Write(f.data); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	if err := zipped.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

func writeZip(to, folder string, at time.Time, files []file) error {
	files = under(folder, files)
	slices.SortFunc(files, func(a, b file) int { return strings.Compare(a.name, b.name) })
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, f := range files {
		h := &zip.FileHeader{Name: f.name, Method: zip.Deflate, Modified: at}
		h.SetMode(os.FileMode(f.mode))
		into, err := w.CreateHeader(h)
		if err != nil {
			return err
		}
		if _, err := into.Write(f.data); err != nil {
			return err
		}
	}
	if err := w.Close(); err != nil {
		return err
	}
	return os.WriteFile(to, out.Bytes(), 0o644)
}

// packAr is the outer archive of a .deb.
func packAr(at time.Time, files []file) []byte {
	var out bytes.Buffer
	out.WriteString("!<arch>\n")
	for _, f := range files {
		fmt.Fprintf(&out, "%-16s%-12d%-6d%-6d%-8s%-10d`\n", f.name, at.Unix(), 0, 0, "100644", len(f.data))
		out.Write(f.data)
		if len(f.data)%2 == 1 {
			out.WriteByte('\n')
		}
	}
	return out.Bytes()
}
