package cmd

import (
	"crypto/sha256"
	"encoding/base64"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"hospay/pb_public"

	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"
	"github.com/pocketbase/pocketbase/tools/router"
)

// pagePolicy allows our own files, WeChat's JS-SDK, and nothing inline but the
// script of the patients' page that stands in it (inlineOf). Images may come from
// memory, where photos are shrunk before they are sent.
const pagePolicy = "default-src 'self'; script-src 'self' https://res.wx.qq.com; style-src 'self'; img-src 'self' data: blob:; " +
	"font-src 'self'; connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'self'"

// kioskPolicy lets a kiosk ask the readers that stand on it, on loopback.
var kioskPolicy = strings.Replace(pagePolicy, "connect-src 'self'", "connect-src 'self' http://127.0.0.1:*", 1)

// servePages serves the embedded pages. Files whose names carry a hash of
// their content may be kept for good, everything else is asked for again.
func servePages(r *router.Router[*core.RequestEvent], data string) {
	pages := pb_public.Files()
	portal := strings.Replace(pagePolicy, "script-src 'self'", "script-src 'self'"+inlineOf(pages, "index.html"), 1)
	r.GET("/{path...}", apis.Static(pages, true)).Bind(apis.Gzip(), &hook.Handler[*core.RequestEvent]{
		Id: "hospay_pages", Func: func(e *core.RequestEvent) error {
			if strings.HasPrefix(e.Request.URL.Path, "/api/") {
				return e.NotFoundError("", nil) // a page is no answer to a program
			}
			if text, is := proofOf(data, e.Request.URL.Path); is {
				return e.Blob(http.StatusOK, "text/plain; charset=utf-8", text)
			}
			h := e.Response.Header()
			h.Set("Content-Security-Policy", policyOf(e.Request.URL.Path, portal))
			h.Set("Referrer-Policy", "no-referrer")
			h.Set("X-Content-Type-Options", "nosniff")
			h.Set("Cache-Control", "no-cache")
			if name, asset := strings.CutPrefix(e.Request.URL.Path, "/assets/"); asset {
				if _, err := fs.Stat(pages, "assets/"+name); err != nil {
					return e.NotFoundError("", nil) // a page of an older release asks; index.html is no answer
				}
				h.Set("Cache-Control", "public, max-age=31536000, immutable")
			}
			return e.Next()
		}})
}

// proofs is the folder of files by which WeChat and others make sure that a domain
// is the hospital's: MP_verify_….txt and the like, at its root.
const proofs = "verify"

// proofName is how such files are called. No page is.
var proofName = regexp.MustCompile(`^/([A-Za-z0-9_-]{4,80}\.(?:txt|html))$`)

func proofOf(data, path string) ([]byte, bool) {
	m := proofName.FindStringSubmatch(path)
	if m == nil || m[1] == "index.html" {
		return nil, false
	}
	text, err := os.ReadFile(filepath.Join(data, proofs, m[1]))
	return text, err == nil && len(text) <= mostProof
}

// mostProof bounds a file that is served as it is.
const mostProof = 4 << 10

func policyOf(path, portal string) string {
	switch {
	case path == "/kiosk" || strings.HasPrefix(path, "/kiosk/"):
		return kioskPolicy
	case path == "/staff" || strings.HasPrefix(path, "/staff/"):
		return pagePolicy
	}
	return portal
}

var inlineScript = regexp.MustCompile(`(?s)<script>(.*?)</script>`)

// inlineOf names the scripts that stand in a page by their hashes, as a content
// policy does.
func inlineOf(pages fs.FS, page string) string {
	text, err := fs.ReadFile(pages, page)
	if err != nil {
		return ""
	}
	var out strings.Builder
	for _, m := range inlineScript.FindAllSubmatch(text, -1) {
		sum := sha256.Sum256(m[1])
		out.WriteString(" 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'")
	}
	return out.String()
}
