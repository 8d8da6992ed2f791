package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var at = time.Unix(1_780_000_000, 0).UTC()

func sample() debPackage {
	return debPackage{Version: debian("0.2.0-dev"), Arch: "amd64", At: at, Binary: []byte("#!/bin/sh\necho 0.2.0\n"),
		Docs: []file{{"LICENSE", []byte("MIT"), 0o644}, {"CHANGELOG.md", []byte("# c"), 0o644}, {"docs/zh/安装.md", []byte("# 安装"), 0o644}}}
}

func write(t *testing.T, p debPackage) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), "hospay.deb")
	if err := writeDeb(to, p); err != nil {
		t.Fatal(err)
	}
	return to
}

// TestDist_HoldsWhatTheDocumentsNeed: whoever has nothing but the archive finds what
// the documents send them to.
func TestDist_HoldsWhatTheDocumentsNeed(t *testing.T) {
	t.Chdir(filepath.Join("..", ".."))
	files, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, f := range files {
		names[f.name] = true
	}
	for _, want := range []string{"docs/zh/安装.md", "deploy/nginx.conf", "deploy/pb_hooks/sample.pb.js", "web/mini/README.md",
		"web/mini/app.json",
		"web/mini/pages/confirm/confirm.js", "web/mini/pages/index/index.wxml"} {
		if !names[want] {
			t.Errorf("no %s", want)
		}
	}
}

func TestDist_SameTreeSameBytes(t *testing.T) {
	a, err := packDeb(sample())
	b, err2 := packDeb(sample())
	if err != nil || err2 != nil || !bytes.Equal(a, b) {
		t.Errorf("%v %v", err, err2)
	}
	files := []file{{"b", []byte("2"), 0o644}, {"a/x", []byte("1"), 0o755}}
	x, _ := packTar(at, files)
	y, _ := packTar(at, []file{files[1], files[0]})
	if !bytes.Equal(x, y) {
		t.Error("the order of files shows")
	}
}

// TestDist_DpkgReadsThePackage: dpkg-deb understands what the package says of
// itself, its scripts are shell, and it holds no settings, keys or data.
func TestDist_DpkgReadsThePackage(t *testing.T) {
	if debian("0.2.0-dev") != "0.2.0~dev" || debian("0.2.0") != "0.2.0" {
		t.Error("a release must come after what led to it")
	}
	if _, err := exec.LookPath("dpkg-deb"); err != nil {
		t.Log("no dpkg-deb on this machine: only the bytes were compared")
		return
	}
	deb := write(t, sample())
	out, err := exec.Command("dpkg-deb", "--field", deb).CombinedOutput()
	for _, want := range []string{"Package: hospay\n", "Version: 0.2.0~dev\n", "Architecture: amd64\n", "Depends: passwd\n", "Description: "} {
		if err != nil || !strings.Contains(string(out), want) {
			t.Errorf("no %q: %v\n%s", want, err, out)
		}
	}
	out, err = exec.Command("dpkg-deb", "--contents", deb).CombinedOutput()
	for _, want := range []string{"-rwxr-xr-x root/root", " ./usr/bin/hospay\n", " ./usr/lib/systemd/system/hospay.service\n",
		" ./usr/share/doc/hospay/copyright\n", " ./usr/share/doc/hospay/changelog.gz\n"} {
		if err != nil || !strings.Contains(string(out), want) {
			t.Errorf("no %q: %v\n%s", want, err, out)
		}
	}
	if strings.Contains(string(out), "./etc/") || strings.Contains(string(out), "./var/") {
		t.Errorf("settings or data belong to the package:\n%s", out)
	}
	dir := t.TempDir()
	if out, err := exec.Command("dpkg-deb", "--control", deb, dir).CombinedOutput(); err != nil {
		t.Fatalf("%v %s", err, out)
	}
	for _, script := range []string{"postinst", "prerm", "postrm"} {
		if out, err := exec.Command("sh", "-n", filepath.Join(dir, script)).CombinedOutput(); err != nil {
			t.Errorf("%s: %v %s", script, err, out)
		}
	}
}

// TestDist_InstalledUpgradedRemoved works on a root of its own with an empty
// database of packages: settings and data outlive removal and purge.
func TestDist_InstalledUpgradedRemoved(t *testing.T) {
	if _, err := exec.LookPath("dpkg"); err != nil || os.Geteuid() != 0 {
		t.Log("needs dpkg and root: scripts/try-deb.sh is the whole walk")
		return
	}
	root := t.TempDir()
	for _, dir := range []string{"var/lib/dpkg/info", "var/lib/dpkg/updates"} {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(root, "var/lib/dpkg/status"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	dpkg := func(args ...string) string {
		t.Helper()
		all := append([]string{"--root=" + root, "--force-script-chrootless", "--force-depends", "--force-not-root"}, args...)
		c := exec.Command("dpkg", all...)
		out, err := c.CombinedOutput()
		if err != nil {
			t.Fatalf("dpkg %v: %v\n%s", args, err, out)
		}
		return string(out)
	}
	old := sample()
	old.Version, old.Binary = "0.1.0", []byte("#!/bin/sh\necho 0.1.0\n")
	if out := dpkg("--install", write(t, old)); !strings.Contains(out, "hospay setup") {
		t.Errorf("nobody is told how to begin:\n%s", out)
	}
	data := filepath.Join(root, "var/lib/hospay/data.db")
	if err := os.WriteFile(data, []byte("books"), 0o600); err != nil {
		t.Fatal(err)
	}
	if out := dpkg("--install", write(t, sample())); strings.Contains(out, "hospay setup") {
		t.Errorf("an upgrade is no beginning:\n%s", out)
	}
	if out, err := exec.Command(filepath.Join(root, "usr/bin/hospay")).Output(); err != nil || string(out) != "0.2.0\n" {
		t.Errorf("%q %v", out, err)
	}
	dpkg("--remove", "hospay")
	out := dpkg("--purge", "hospay")
	if _, err := os.Stat(filepath.Join(root, "usr/bin/hospay")); !os.IsNotExist(err) {
		t.Errorf("the program is still there: %v", err)
	}
	if _, err := os.Stat(data); err != nil {
		t.Errorf("the books are gone: %v\n%s", err, out)
	}
}
