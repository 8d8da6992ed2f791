// Package pb_public embeds the built pages, so that the program is one file.
// The folder dist is what `make pages` builds from web/; without it, a
// placeholder tells how to build it.
package pb_public

import (
	"embed"
	"io/fs"
)

//go:embed all:*
var files embed.FS

// Files returns the built pages, or the placeholder.
func Files() fs.FS {
	if _, err := fs.Stat(files, "dist/index.html"); err != nil {
		return placeholder{}
	}
	built, err := fs.Sub(files, "dist")
	if err != nil {
		return placeholder{}
	}
	return built
}

// placeholder is the one page of a program that was built without its pages.
type placeholder struct{}

// Open finds the page and nothing else.
func (placeholder) Open(name string) (fs.File, error) {
	if name != "index.html" && name != "." {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return files.Open(name)
}
