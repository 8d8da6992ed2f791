package kit

import (
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/router"
)

// Creates knows the creation of a record however its collection is spelled:
// PocketBase takes the id and any case of the name.
func Creates(e *core.RequestEvent, collection string) bool {
	name := e.Request.PathValue("collection")
	if name == "" || e.Request.Method != http.MethodPost || !strings.HasSuffix(strings.TrimRight(e.Request.URL.Path, "/"), "/records") {
		return false
	}
	c, err := e.App.FindCachedCollectionByNameOrId(name)
	return err == nil && c.Name == collection
}

// LimitBody goes on with a request of which at most limit bytes can be read.
// One that is longer is answered with tooLarge, whatever its reader has made of
// the cut.
func LimitBody(e *core.RequestEvent, limit int64, tooLarge error, next func() error) error {
	if e.Request.ContentLength > limit {
		return tooLarge
	}
	body := &limitedBody{ReadCloser: e.Request.Body, limit: limit, left: limit}
	e.Request.Body = body
	err := next()
	if body.left < 0 {
		return tooLarge
	}
	return err
}

var errBodyTooLarge = errors.New("the request is too large")

// limitedBody ends with an error once more than the limit was read. At its end
// PocketBase's reader begins anew, and so does the count.
type limitedBody struct {
	io.ReadCloser
	limit, left int64
}

// Read implements io.Reader.
func (l *limitedBody) Read(b []byte) (int, error) {
	if l.left < 0 {
		return 0, errBodyTooLarge
	}
	n, err := l.ReadCloser.Read(b[:min(int64(len(b)), l.left+1)])
	if l.left -= int64(n); l.left < 0 {
		return 0, errBodyTooLarge
	}
	if err == io.EOF {
		l.left = l.limit
	}
	return n, err
}

// Reread begins anew, as PocketBase asks of a body that was read in part.
func (l *limitedBody) Reread() {
	if r, ok := l.ReadCloser.(router.Rereader); ok && l.left >= 0 {
		r.Reread()
		l.left = l.limit
	}
}
