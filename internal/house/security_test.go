package house

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	namedTest  = regexp.MustCompile("`(Test[A-Za-z0-9]+_?[A-Za-z0-9_]*)(\\*?)`")
	goTest     = regexp.MustCompile(`(?m)^func (Test\w+)\(t \*testing\.T\)`)
	webTest    = regexp.MustCompile(`(?m)\b(?:test|it)\('(Test\w+)'`)
	namedMake  = regexp.MustCompile("`make ([a-z]+)`")
	point      = regexp.MustCompile(`(?m)^\| (\d+) \|(.+)\|$`)
	leastPoint = 30
)

// TestSecurity_WhatIsNamedExists: every test and every command that the page of
// proofs names is there, so that the page cannot outlive them.
func TestSecurity_WhatIsNamedExists(t *testing.T) {
	text := read(t, "docs/security.md")
	have := " "
	for _, path := range goFiles(t) {
		if strings.HasSuffix(path, "_test.go") {
			for _, m := range goTest.FindAllStringSubmatch(read(t, path), -1) {
				have += m[1] + " "
			}
		}
	}
	err := filepath.WalkDir("../../web/tests", func(path string, d os.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".test.ts") {
			return err
		}
		body, err := os.ReadFile(path)
		for _, m := range webTest.FindAllSubmatch(body, -1) {
			have += string(m[1]) + " "
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	named := namedTest.FindAllStringSubmatch(text, -1)
	if len(named) < 100 {
		t.Errorf("the page names %d tests only", len(named))
	}
	for _, m := range named {
		want := " " + m[1] + " "
		if m[2] == "*" {
			want = " " + m[1]
		}
		if !strings.Contains(have, want) {
			t.Errorf("docs/security.md names %s%s, which no file has: name what proves it now, or say what is missing", m[1], m[2])
		}
	}
	makefile := read(t, "Makefile")
	for _, m := range namedMake.FindAllStringSubmatch(text, -1) {
		if !strings.Contains(makefile, "\n"+m[1]+":") {
			t.Errorf("docs/security.md names make %s, which the Makefile has not", m[1])
		}
	}
}

// TestSecurity_ThirtySixPoints: each is there once; what has no proof, or not the
// whole, says what is missing; thirty are proved by themselves.
func TestSecurity_ThirtySixPoints(t *testing.T) {
	proved, next := 0, 1
	for _, m := range point.FindAllStringSubmatch(read(t, "docs/security.md"), -1) {
		cells := strings.Split(m[2], "|")
		if m[1] != fmt.Sprint(next) || len(cells) != 4 {
			t.Fatalf("point %s: want number %d with four cells, have %d", m[1], next, len(cells))
		}
		next++
		proof, missing := strings.TrimSpace(cells[2]), strings.TrimSpace(cells[3])
		switch {
		case proof == "" && len(missing) < 20:
			t.Errorf("point %s has no proof and does not say why", m[1])
		case proof != "" && missing == "":
			proved++
		}
	}
	if next != 37 || proved < leastPoint {
		t.Errorf("%d points, %d of them proved by themselves; want 36 and %d", next-1, proved, leastPoint)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	body, err := os.ReadFile(filepath.Join("../..", path))
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}
