// Command audit says what hospay is made of and under which licences, and judges
// what gosec finds. It runs in the root of the tree:
//
//	audit licences [-update]   compare docs/licences.md with go.sum and package-lock.json
//	audit sbom FILE            write a bill of materials (CycloneDX)
//	audit gosec FILE           judge the JSON report of gosec by tools/gosec.waivers
package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string) error {
	switch {
	case len(args) >= 1 && args[0] == "licences":
		return licences(slices.Contains(args, "-update"))
	case len(args) == 2 && args[0] == "sbom":
		return sbom(args[1])
	case len(args) == 2 && args[0] == "gosec":
		return gosec(args[1])
	}
	return errors.New("audit licences [-update] | sbom FILE | gosec FILE")
}
