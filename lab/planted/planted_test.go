package main

import (
	"os/exec"
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
	for _, b := range bugs {
		cmd := exec.Command("git", "apply", "--check", "lab/planted/"+b.path)
		cmd.Dir = "../.."
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s no longer applies: %s", b.name, out)
		}
	}
}
