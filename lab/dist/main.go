// Command dist packs what hospitals install: an archive for each system and a
// package for Debian, with their checksums. The same tree gives the same bytes.
package main

import (
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// target is a system that hospay is built for.
type target struct {
	os, arch string
	deb      bool
}

var targets = []target{{"linux", "amd64", true}, {"linux", "arm64", true}, {"windows", "amd64", false}}

func main() {
	version := flag.String("version", "", "release, as hospay version tells it")
	out := flag.String("out", "bin/dist", "where to")
	only := flag.String("only", "", "one target, as os/arch; all when empty")
	epoch := flag.Int64("epoch", 0, "time of all files, in seconds (of the commit)")
	flag.Parse()
	if err := run(*version, *out, *only, time.Unix(*epoch, 0).UTC()); err != nil {
		log.Fatal(err)
	}
}

func run(version, out, only string, at time.Time) error {
	if version == "" || at.Unix() == 0 {
		return errors.New("-version and -epoch are needed")
	}
	if err := os.MkdirAll(out, 0o755); err != nil {
		return err
	}
	for _, t := range targets {
		if only != "" && only != t.os+"/"+t.arch {
			continue
		}
		if err := t.pack(version, out, at); err != nil {
			return fmt.Errorf("%s/%s: %w", t.os, t.arch, err)
		}
	}
	return sums(out)
}

// build compiles the program for the target; it needs nothing beside itself.
func (t target) build(to string) error {
	c := exec.Command("go", "build", "-trimpath", "-o", to, ".")
	c.Env = append(os.Environ(), "GOOS="+t.os, "GOARCH="+t.arch, "CGO_ENABLED=0")
	c.Stdout, c.Stderr = os.Stdout, os.Stderr
	return c.Run()
}

func (t target) pack(version, out string, at time.Time) (err error) {
	work, err := os.MkdirTemp("", "hospay-dist")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()
	program := filepath.Join(work, "hospay")
	if err := t.build(program); err != nil {
		return err
	}
	binary, err := os.ReadFile(program)
	if err != nil {
		return err
	}
	docs, err := shared()
	if err != nil {
		return err
	}
	name := fmt.Sprintf("hospay-%s-%s-%s", version, t.os, t.arch)
	if t.os == "windows" {
		err = writeZip(filepath.Join(out, name+".zip"), name, at, append(docs, file{"hospay.exe", binary, 0o755}))
	} else {
		err = writeTar(filepath.Join(out, name+".tar.gz"), name, at, append(docs, file{"hospay", binary, 0o755}))
	}
	if err != nil || !t.deb {
		return err
	}
	return writeDeb(filepath.Join(out, fmt.Sprintf("hospay_%s_%s.deb", debian(version), t.arch)), debPackage{
		Version: debian(version), Arch: t.arch, At: at, Binary: binary, Docs: docs})
}

// file is one file of an archive.
type file struct {
	name string
	data []byte
	mode int64
}

// shared is what lies beside the program: what to read, and the samples.
func shared() ([]file, error) {
	var out []file
	for _, pattern := range []string{"README.md", "README.zh-CN.md", "CHANGELOG.md", "LICENSE",
		"docs/*.md", "docs/zh/*.md", "docs/guides/*.md",
		"deploy/*.conf", "deploy/*.service", "deploy/*.env", "deploy/*.yml", "deploy/*.json", "deploy/pb_hooks/*",
		"web/mini/*.*", "web/mini/pages/*/*"} {
		paths, err := filepath.Glob(pattern)
		if err != nil {
			return nil, err
		}
		for _, path := range paths {
			data, err := os.ReadFile(path)
			if err != nil {
				return nil, err
			}
			out = append(out, file{filepath.ToSlash(path), data, 0o644})
		}
	}
	if len(out) == 0 {
		return nil, errors.New("run it from the top of the tree")
	}
	return out, nil
}

// debian writes a version so that what is not cut yet comes before the release.
func debian(version string) string { return strings.Replace(version, "-", "~", 1) }

// sums writes SHA256SUMS as sha256sum reads it.
func sums(out string) error {
	list, err := os.ReadDir(out)
	if err != nil {
		return err
	}
	var text strings.Builder
	for _, entry := range list {
		if entry.IsDir() || !slices.Contains([]string{".gz", ".zip", ".deb"}, filepath.Ext(entry.Name())) {
			continue
		}
		data, err := os.ReadFile(filepath.Join(out, entry.Name()))
		if err != nil {
			return err
		}
		fmt.Fprintf(&text, "%x  %s\n", sha256.Sum256(data), entry.Name())
	}
	return os.WriteFile(filepath.Join(out, "SHA256SUMS"), []byte(text.String()), 0o644)
}
