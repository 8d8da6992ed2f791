//go:build !unix

package cmd

import "io/fs"

// keepPrivate, open, ownFolder and tighten are for systems with modes of files. Elsewhere
// the folder inherits who may read it, see docs/operations.md.
func keepPrivate() {}

func open(fs.FileInfo) bool { return false }

func ownFolder(string) error { return nil }

func tighten(string) error { return nil }
