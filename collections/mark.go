package collections

import "github.com/pocketbase/pocketbase/core"

// indexRow holds what the index key makes of a fixed text, so that another key
// is noticed.
const indexRow = "hospay_index"

type indexMark struct {
	Mark string `json:"mark"`
}

// IndexMark compares the mark of an index key with the one that the folder's
// indexes were made with, where it is known.
func IndexMark(app core.App, mark string) (same, known bool, err error) {
	var have indexMark
	known, err = readParam(app.ConcurrentDB(), indexRow, &have)
	return have.Mark == mark, known, err
}

// KeepIndexMark remembers the mark of an index key.
func KeepIndexMark(app core.App, mark string) error {
	return writeParam(app.NonconcurrentDB(), indexRow, indexMark{mark}, Now(app))
}
