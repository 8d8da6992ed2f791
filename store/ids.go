package store

import (
	"strconv"
	"time"

	"github.com/pocketbase/pocketbase/core"
)

// newID is the id of a row that people name, or that must not be guessed.
func newID() string { return core.GenerateDefaultRandomId() }

// nextID is the id of a row that follows others: what an order leaves behind as it
// goes. It begins with the moment, so that the indexes of large tables grow at their
// end, instead of on as many pages as rows are written.
func nextID() string {
	const moment = 8 // digits, until 2059
	return strconv.FormatInt(time.Now().UnixMilli(), 36)[:moment] + newID()[moment:]
}
