// Command planted plants known bugs one by one in a copy of the tree and runs
// the tests that must catch each: make planted. It prints what was caught by
// what, and fails when a bug survives, no longer applies or does not compile.
//
//	go run ./lab/planted [name …]
package main

import (
	"cmp"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// patches is where the bugs are, from the root of the tree.
const patches = "lab/planted/patches"

// bug is a patch. Above its diff it says in a line each what it plants and by
// which packages and tests it must be caught.
type bug struct {
	name, path, plants string
	tests              []suite
}

// suite is a package with a pattern of tests.
type suite struct{ pkg, pattern string }

func (s suite) String() string { return s.pkg + " " + s.pattern }

func main() {
	flag.Parse()
	survived, err := run(flag.Args())
	if err != nil {
		fmt.Fprintln(os.Stderr, "planted:", err)
		os.Exit(2)
	}
	if survived > 0 {
		fmt.Printf("%d of the planted bugs were not caught\n", survived)
		os.Exit(1)
	}
}

func run(only []string) (survived int, err error) {
	bugs, err := read(patches)
	if err != nil {
		return 0, err
	}
	if len(only) > 0 {
		bugs = slices.DeleteFunc(bugs, func(b bug) bool { return !slices.Contains(only, b.name) })
	}
	tree, err := copyTree()
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(tree)
	if err := sound(tree, bugs); err != nil {
		return 0, err
	}
	for _, b := range bugs {
		start := time.Now()
		by, caught := b.plant(tree)
		fmt.Printf("%-34s %-52s %4.0fs  %s\n", b.name, by, time.Since(start).Seconds(), b.plants)
		if !caught {
			survived++
		}
	}
	return survived, nil
}

// read finds the bugs, by name.
func read(dir string) (bugs []bug, err error) {
	paths, err := filepath.Glob(filepath.Join(dir, "*.patch"))
	if err != nil {
		return nil, err
	}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		b := bug{name: strings.TrimSuffix(filepath.Base(path), ".patch"), path: path}
		for line := range strings.Lines(string(text)) {
			what, rest, _ := strings.Cut(strings.TrimSpace(line), ": ")
			switch what {
			case "plants":
				b.plants = rest
			case "caught by":
				pkg, pattern, _ := strings.Cut(rest, " ")
				b.tests = append(b.tests, suite{pkg, pattern})
			}
		}
		if b.plants == "" || len(b.tests) == 0 {
			return nil, fmt.Errorf("%s does not say what it plants or by what it is caught", path)
		}
		bugs = append(bugs, b)
	}
	if len(bugs) == 0 {
		return nil, errors.New("there are none; run it from the root of the tree")
	}
	return bugs, nil
}

// copyTree copies the files that git knows, or would, into a folder of its own.
func copyTree() (string, error) {
	out, err := exec.Command("git", "ls-files", "-z", "-co", "--exclude-standard").Output()
	if err != nil {
		return "", fmt.Errorf("git ls-files: %w", err)
	}
	tree, err := os.MkdirTemp("", "hospay-planted")
	if err != nil {
		return "", err
	}
	for name := range strings.SplitSeq(strings.TrimRight(string(out), "\x00"), "\x00") {
		data, err := os.ReadFile(name)
		if errors.Is(err, os.ErrNotExist) { // deleted, not yet in the index
			continue
		}
		if err == nil {
			err = os.MkdirAll(filepath.Dir(filepath.Join(tree, name)), 0o755)
		}
		if err == nil {
			err = os.WriteFile(filepath.Join(tree, name), data, 0o644)
		}
		if err != nil {
			return tree, err
		}
	}
	return tree, nil
}

// sound makes sure that the tests pass without any bug.
func sound(tree string, bugs []bug) error {
	patterns := map[string][]string{}
	for _, b := range bugs {
		for _, s := range b.tests {
			if !slices.Contains(patterns[s.pkg], s.pattern) {
				patterns[s.pkg] = append(patterns[s.pkg], s.pattern)
			}
		}
	}
	for pkg, all := range patterns {
		if out, failed := test(tree, suite{pkg, strings.Join(all, "|")}); failed != "" {
			return fmt.Errorf("the tree itself fails %s:\n%s", failed, out)
		}
	}
	return nil
}

// plant applies the bug, runs its tests and takes it back.
func (b bug) plant(tree string) (by string, caught bool) {
	path, err := filepath.Abs(b.path)
	if err != nil {
		return "NO PATCH: " + err.Error(), false
	}
	if out, err := git(tree, "apply", path); err != nil {
		return "NO LONGER APPLIES: " + strings.TrimSpace(out), false
	}
	defer git(tree, "apply", "-R", path)
	for _, s := range b.tests {
		if _, failed := test(tree, s); failed != "" {
			return failed, failed != notBuilt
		}
	}
	return "SURVIVED", false
}

func git(dir string, args ...string) (string, error) {
	cmd := exec.Command("git", args...)
	cmd.Dir = dir
	// the copy is no repository, and none around it is meant
	cmd.Env = append(os.Environ(), "GIT_CEILING_DIRECTORIES="+filepath.Dir(dir))
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// notBuilt is what failed where a bug does not compile.
const notBuilt = "DOES NOT COMPILE"

var failure = regexp.MustCompile(`(?m)^--- FAIL: (\w+)`)

// test runs tests and names the first that failed; empty when all passed.
func test(tree string, s suite) (out, failed string) {
	cmd := exec.Command("go", "test", "-count=1", "-failfast", "-vet=off", "-timeout=5m", "-run", "^("+s.pattern+")", s.pkg)
	cmd.Dir = tree
	cmd.Env = append(os.Environ(), "TORTURE_SEEDS=0", "TORTURE_KILLS=0")
	text, err := cmd.CombinedOutput()
	// what rapid has found with one bug would be tried again with the next
	for _, found := range must(filepath.Glob(filepath.Join(tree, s.pkg, "testdata", "rapid"))) {
		os.RemoveAll(found)
	}
	switch {
	case strings.Contains(string(text), "[build failed]"), strings.Contains(string(text), "[setup failed]"):
		return string(text), notBuilt
	case strings.Contains(string(text), "no tests to run"):
		return string(text), "no test " + s.String()
	case err == nil:
		return "", ""
	}
	name := "crash"
	if m := failure.FindStringSubmatch(string(text)); m != nil {
		name = m[1]
	}
	return string(text), cmp.Or(strings.TrimPrefix(s.pkg, "./")+" "+name, s.String())
}

func must(found []string, err error) []string {
	if err != nil {
		panic(err)
	}
	return found
}
