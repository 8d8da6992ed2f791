package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
)

// licenceList is where all parts stand with their licences.
const licenceList = "docs/licences.md"

// permissive are the licences that ask for their text to be kept and no more.
// MPL-2.0 asks for the source of what is changed in its own files: only for what
// builds and tests, and is not given to anybody.
var (
	permissive = []string{"MIT", "ISC", "0BSD", "BSD-2-Clause", "BSD-3-Clause", "Apache-2.0", "Unlicense", "BlueOak-1.0.0", "Zlib"}
	toolsOnly  = []string{"MPL-2.0"}
)

func (p part) refused() error {
	for _, id := range strings.Split(p.Licence, " AND ") {
		if !slices.Contains(permissive, id) && (p.Shipped || !slices.Contains(toolsOnly, id)) {
			return fmt.Errorf("%s %s %s: the licence %s is none that hospay may be given out with (tools/audit/licences.go)", p.Kind, p.Name,
				p.Version, p.Licence)
		}
	}
	return nil
}

// licences compares the list with the lock files, or writes it.
func licences(update bool) error {
	all, err := parts()
	if err != nil {
		return err
	}
	var text strings.Builder
	text.WriteString("# Parts of others, and their licences\n\nMade by `make licences` from go.sum and package-lock.json, and compared " +
		"with them by `make audit`: a new part, or a licence that asks for more than\nits text to be kept, fails. *Shipped* is in the " +
		"program or its pages; the rest builds and tests. `make sbom` writes the same as a bill of materials (CycloneDX).\n\n" +
		"| Kind | Name | Version | Licence | Shipped |\n|---|---|---|---|---|\n")
	for _, p := range all {
		err = errors.Join(err, p.refused())
		shipped := map[bool]string{true: "yes", false: ""}[p.Shipped]
		fmt.Fprintf(&text, "| %s | %s | %s | %s | %s |\n", p.Kind, p.Name, p.Version, p.Licence, shipped)
	}
	if err != nil {
		return err
	}
	if update {
		return os.WriteFile(licenceList, []byte(text.String()), 0o644) // #nosec G306 -- a page of the documentation
	}
	kept, err := os.ReadFile(licenceList)
	if err != nil || string(kept) == text.String() {
		return err
	}
	have := strings.Split(string(kept), "\n")
	for line := range strings.Lines(text.String()) {
		if line = strings.TrimSuffix(line, "\n"); !slices.Contains(have, line) {
			err = errors.Join(err, fmt.Errorf("not in %s: %s", licenceList, line))
		}
	}
	return errors.Join(err, errors.New(licenceList+" is not what the lock files say; read what has changed, then make licences"))
}
