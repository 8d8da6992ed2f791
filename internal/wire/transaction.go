package wire

import (
	"runtime"
	"strings"
)

// Leaving is asked before each call that leaves. A machine of several that no longer
// does the work ends there at the latest. It is set before anything is called.
var Leaving = func() {}

// transaction is PocketBase's way into a transaction of the database.
const transaction = "github.com/pocketbase/pocketbase/core.(*BaseApp).RunInTransaction"

// inTransaction reports whether one of the callers holds a transaction open. A
// request there would keep the only writer waiting for the other side, and
// could not be taken back with it. net/http and the channels' SDKs call the
// transport on the goroutine that asks.
func inTransaction() bool {
	pcs := make([]uintptr, 128)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs)])
	for {
		f, more := frames.Next()
		if strings.HasPrefix(f.Function, transaction) {
			return true
		}
		if !more {
			return false
		}
	}
}
