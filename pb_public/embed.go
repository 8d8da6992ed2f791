// Package pb_public embeds the built pages, so that the program is one file.
package pb_public

import (
	"embed"
	"io/fs"
)

//go:embed all:*.html
var files embed.FS

// Files returns the pages.
func Files() fs.FS { return files }
