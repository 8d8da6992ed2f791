// Package dashboard is hospay's page inside PocketBase's dashboard, for the
// hospital's IT: an overview with what is moving, what waits, what expires, and
// the jobs. The dashboard's interface for extensions is experimental, so the
// page asks for every part of it before it uses it and never breaks the rest.
package dashboard

import (
	"embed"
	"io/fs"
)

//go:embed main.js overview.css
var files embed.FS

// Files returns the extension's files; main.js is its entry.
func Files() fs.FS { return files }
