package gate

import (
	"bytes"
	"encoding/json/jsontext"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"strings"
	"time"

	"hospay/collections"
	"hospay/hooks/kit"
	"hospay/internal/photo"
	"hospay/refund"

	"github.com/pocketbase/pocketbase/core"
)

// What a request may hold, in bytes.
const (
	MaxBody   = 256 << 10
	MaxChange = 512 << 10              // of the configuration: a mapping, a notice
	MaxPhoto  = photo.MaxBytes + 1<<20 // of a photo, with its form
	MaxURL    = 8 << 10
	maxField  = 4 << 10 // of a field beside the photo
	maxFields = 16
)

// streamed are the routes that take files of any length beyond that: they set
// their own limit, admit only who may, and keep nothing of it in memory.
var streamed = map[string]bool{"POST /api/hospay/statements": true, "POST /api/backups/upload": true}

// body refuses what is too large before anything reads it, and JSON with
// something behind it.
func (g *Gate) body(e *core.RequestEvent) error {
	r := e.Request
	kind := r.Header.Get("Content-Type")
	form := strings.HasPrefix(kind, "multipart/form-data")
	switch {
	case len(r.RequestURI) > MaxURL:
		return kit.Error(http.StatusRequestURITooLong, "bad_request", "")
	case r.Body == nil || r.ContentLength == 0:
		return e.Next()
	case form && streamed[r.Pattern]:
		return e.Next()
	case form && kit.Creates(e, collections.ProxyMaterials) && e.Auth != nil && e.Auth.Collection().Name == collections.Patients:
		return g.photo(e)
	}
	limit := int64(MaxBody)
	if strings.HasPrefix(r.URL.Path, "/api/hospay/config/") {
		limit = MaxChange
	}
	if strings.HasPrefix(kind, "application/json") && !strings.HasPrefix(r.URL.Path, "/api/hospay/notify/") {
		return oneValue(e, limit)
	}
	return kit.LimitBody(e, limit, tooLarge(), e.Next)
}

func tooLarge() error { return kit.Error(http.StatusRequestEntityTooLarge, "body_too_large", "") }

// oneValue goes on with a JSON body that is one value with nothing behind it.
// PocketBase reads the first value and takes no notice of the rest.
func oneValue(e *core.RequestEvent, limit int64) error {
	if e.Request.ContentLength > limit {
		return tooLarge()
	}
	var data bytes.Buffer
	data.Grow(int(min(max(e.Request.ContentLength, 0), limit)) + bytes.MinRead)
	n, err := io.Copy(&data, io.LimitReader(e.Request.Body, limit+1)) // read to its end, the body begins anew
	switch {
	case n > limit:
		return tooLarge()
	case err != nil:
		return kit.BadRequest()
	}
	value := jsontext.Value(bytes.TrimSpace(data.Bytes()))
	if len(value) > 0 && !value.IsValid(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)) {
		return kit.BadRequest()
	}
	return e.Next()
}

// photos lets so many photos be held in memory at a time.
var photos = make(chan struct{}, 6)

// photoTime is how long a photo may take to arrive: it holds one of the places.
const photoTime = time.Minute

// photo takes a form with one photo into memory when there is room. Its other
// fields are few and short: PocketBase would read JSON out of one.
func (g *Gate) photo(e *core.RequestEvent) error {
	select {
	case photos <- struct{}{}:
		defer func() { <-photos }()
	case <-e.Request.Context().Done():
		return e.Request.Context().Err()
	}
	_ = http.NewResponseController(e.Response).SetReadDeadline(time.Now().Add(photoTime))
	large := kit.Error(http.StatusRequestEntityTooLarge, string(refund.CodeImageTooLarge), "")
	return kit.LimitBody(e, MaxPhoto, large, func() error {
		if !plainForm(e.Request) {
			return kit.Error(http.StatusBadRequest, string(refund.CodeImageInvalid), "")
		}
		_ = http.NewResponseController(e.Response).SetReadDeadline(time.Time{})
		return e.Next()
	})
}

// plainForm reads a form to its end, after which the body begins anew, and
// reports whether its fields are few and short.
func plainForm(r *http.Request) bool {
	_, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil {
		return false
	}
	body := &toEnd{Reader: r.Body}
	form := multipart.NewReader(body, params["boundary"])
	for range maxFields {
		part, err := form.NextPart()
		if err == io.EOF {
			return body.drain()
		}
		if err != nil {
			return false
		}
		if part.FileName() != "" {
			continue
		}
		if n, err := io.Copy(io.Discard, io.LimitReader(part, maxField+1)); err != nil || n > maxField {
			return false
		}
	}
	return false
}

// toEnd remembers whether the end was read.
type toEnd struct {
	io.Reader
	ended bool
}

// Read implements io.Reader.
func (t *toEnd) Read(b []byte) (int, error) {
	n, err := t.Reader.Read(b)
	t.ended = t.ended || err == io.EOF
	return n, err
}

// drain reads what is left.
func (t *toEnd) drain() bool {
	if t.ended {
		return true
	}
	_, err := io.Copy(io.Discard, t)
	return err == nil
}
