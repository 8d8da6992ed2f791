package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/google/licensecheck"
)

// part is a module or a package of others that hospay is made of or made with.
type part struct {
	Kind, Name, Version, Licence string
	Shipped                      bool   // in the program or its pages; the rest builds and tests
	Sum                          string // of go.sum, or the integrity of the lock file
}

// parts lists all of them: the Go modules whose packages are compiled, and what
// the lock file of the pages names.
func parts() ([]part, error) {
	shipped, err := goModules("-deps", ".")
	if err != nil {
		return nil, err
	}
	all, err := goModules("-deps", "-test", "./...")
	if err != nil {
		return nil, err
	}
	out, err := npmPackages("web/package-lock.json")
	if err != nil {
		return nil, err
	}
	sums, err := goSums("go.sum")
	if err != nil {
		return nil, err
	}
	for name, m := range all {
		_, in := shipped[name]
		p := part{Kind: "go", Name: name, Version: m.Version, Shipped: in, Sum: sums[name+" "+m.Version]}
		if p.Sum == "" {
			return nil, fmt.Errorf("go.sum does not know %s %s", name, m.Version)
		}
		if p.Licence, err = licenceOf(m.Dir); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		out = append(out, p)
	}
	slices.SortFunc(out, func(a, b part) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Version, b.Version))
	})
	return slices.CompactFunc(out, func(a, b part) bool {
		return a.Kind == b.Kind && a.Name == b.Name && a.Version == b.Version && a.Shipped == b.Shipped
	}), nil
}

type module struct{ Path, Version, Dir string }

func goModules(args ...string) (map[string]module, error) {
	cmd := exec.Command("go", append([]string{"list", "-json=Module"}, args...)...)
	cmd.Stderr = os.Stderr
	text, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w", err)
	}
	out := map[string]module{}
	for in := json.NewDecoder(bytes.NewReader(text)); in.More(); {
		var p struct{ Module *module }
		if err := in.Decode(&p); err != nil {
			return nil, err
		}
		if p.Module != nil && p.Module.Version != "" {
			out[p.Module.Path] = *p.Module
		}
	}
	return out, nil
}

func goSums(file string) (map[string]string, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	for line := range strings.Lines(string(text)) {
		if f := strings.Fields(line); len(f) == 3 {
			out[f[0]+" "+f[1]] = f[2]
		}
	}
	return out, nil
}

// licenceOf reads which licences the files of a module are.
func licenceOf(dir string) (string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return "", err
	}
	var found []string
	for _, e := range entries {
		name := strings.ToUpper(e.Name())
		if e.IsDir() || !strings.HasPrefix(name, "LICEN") && !strings.HasPrefix(name, "COPYING") || strings.HasSuffix(name, ".GO") {
			continue
		}
		text, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			return "", err
		}
		for _, m := range licensecheck.Scan(text).Match {
			if !m.IsURL && !slices.Contains(found, m.ID) {
				found = append(found, m.ID)
			}
		}
	}
	slices.Sort(found)
	return cmp.Or(strings.Join(found, " AND "), "unknown"), nil
}

func npmPackages(file string) ([]part, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var lock struct {
		Packages map[string]struct {
			Name, Version, License, Integrity string
			Dev, Optional, DevOptional, Link  bool
		}
	}
	if err := json.Unmarshal(text, &lock); err != nil {
		return nil, err
	}
	var out []part
	for at, p := range lock.Packages {
		if at == "" {
			continue
		}
		name := cmp.Or(p.Name, at[strings.LastIndex(at, "node_modules/")+len("node_modules/"):])
		if p.Integrity == "" {
			return nil, fmt.Errorf("%s names no integrity of %s", file, name)
		}
		out = append(out, part{Kind: "npm", Name: name, Version: p.Version, Licence: cmp.Or(p.License, "unknown"),
			Shipped: !p.Dev && !p.DevOptional, Sum: p.Integrity})
	}
	return out, nil
}
