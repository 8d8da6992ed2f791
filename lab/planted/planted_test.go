package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
)

// TestPatches_StillApply keeps the planted bugs up with the tree. What they are
// caught by is run by make planted.
func TestPatches_StillApply(t *testing.T) {
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("git is missing")
	}
	bugs, err := read("patches")
	if err != nil {
		t.Fatal(err)
	}
	if len(bugs) < 30 {
		t.Errorf("%d bugs", len(bugs))
	}
	changes := regexp.MustCompile(`(?m)^--- a/(.+)$`)
	for _, b := range bugs {
		// What git reads is unknown to the cache of results; what is read here is not.
		patch, err := os.ReadFile(b.path)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range changes.FindAllSubmatch(patch, -1) {
			if _, err := os.ReadFile(filepath.Join("../..", string(m[1]))); err != nil {
				t.Errorf("%s: %v", b.name, err)
			}
		}
		cmd := exec.Command("git", "apply", "--check", "lab/planted/"+b.path)
		cmd.Dir = "../.."
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s no longer applies: %s", b.name, out)
		}
	}
}
