package main

import (
	"os"
	"strings"

	cdx "github.com/CycloneDX/cyclonedx-go"
)

// sbom writes what the program and its pages are made of, and marks what only
// builds and tests. The same lock files give the same bytes.
func sbom(file string) error {
	all, err := parts()
	if err != nil {
		return err
	}
	bom := cdx.NewBOM()
	bom.Metadata = &cdx.Metadata{Component: &cdx.Component{BOMRef: "hospay", Type: cdx.ComponentTypeApplication, Name: "hospay"}}
	var list []cdx.Component
	for _, p := range all {
		purl := "pkg:golang/" + p.Name + "@" + p.Version
		if p.Kind == "npm" {
			purl = "pkg:npm/" + strings.Replace(p.Name, "@", "%40", 1) + "@" + p.Version
		}
		scope := cdx.ScopeRequired
		if !p.Shipped {
			scope = cdx.ScopeExcluded
		}
		list = append(list, cdx.Component{
			BOMRef: purl, PackageURL: purl, Type: cdx.ComponentTypeLibrary, Name: p.Name, Version: p.Version, Scope: scope,
			Licenses:   &cdx.Licenses{{Expression: p.Licence}},
			Properties: &[]cdx.Property{{Name: "hospay:sum", Value: p.Sum}},
		})
	}
	bom.Components = &list
	out, err := os.Create(file)
	if err != nil {
		return err
	}
	defer out.Close()
	if err := cdx.NewBOMEncoder(out, cdx.BOMFileFormatJSON).SetPretty(true).EncodeVersion(bom, cdx.SpecVersion1_5); err != nil {
		return err
	}
	return out.Close()
}
