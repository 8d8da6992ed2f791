package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// waiverFile says which findings of gosec are none, each with its reason:
//
//	G304 books/files.go 2 paths of the program's own temporary folder
const waiverFile = "tools/gosec.waivers"

// gosec judges a report: a finding without a waiver fails, and so does a waiver
// that nothing needs any more.
func gosec(report string) error {
	text, err := os.ReadFile(report)
	if err != nil {
		return err
	}
	var found struct {
		Issues []struct {
			Rule    string `json:"rule_id"`
			Details string `json:"details"`
			File    string `json:"file"`
			Line    string `json:"line"`
		}
		Errors map[string]any `json:"Golang errors"`
		Stats  struct{ Files int }
	}
	if err := json.Unmarshal(text, &found); err != nil {
		return err
	}
	for file, why := range found.Errors { // what it cannot read it does not judge
		return fmt.Errorf("gosec could not read %d files, such as %s: %.300v", len(found.Errors), file, why)
	}
	if found.Stats.Files < 100 {
		return fmt.Errorf("gosec has read %d files only", found.Stats.Files)
	}
	root, err := os.Getwd()
	if err != nil {
		return err
	}
	left, err := waivers()
	if err != nil {
		return err
	}
	for _, i := range found.Issues {
		file, e := filepath.Rel(root, i.File)
		if e != nil {
			return e
		}
		key := i.Rule + " " + filepath.ToSlash(file)
		if left[key]--; left[key] < 0 {
			err = errors.Join(err, fmt.Errorf("%s:%s: %s %s: mend it, or waive it in %s with a reason", file, i.Line, i.Rule, i.Details, waiverFile))
		}
	}
	for _, key := range slices.Sorted(maps.Keys(left)) {
		if left[key] > 0 {
			err = errors.Join(err, fmt.Errorf("%s: %s is waived %d times more than it is found", waiverFile, key, left[key]))
		}
	}
	return err
}

func waivers() (map[string]int, error) {
	text, err := os.ReadFile(waiverFile)
	if err != nil {
		return nil, err
	}
	out := map[string]int{}
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		f := strings.Fields(line)
		if len(f) < 6 {
			return nil, fmt.Errorf("%s: %q: rule, file, how often, and a reason of some words", waiverFile, line)
		}
		n, err := strconv.Atoi(f[2])
		if err != nil || n < 1 {
			return nil, fmt.Errorf("%s: %q: %w", waiverFile, line, err)
		}
		out[f[0]+" "+f[1]] = n
	}
	return out, nil
}
