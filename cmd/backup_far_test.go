package cmd

import (
	"encoding/xml"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// objects is a store that speaks S3 as far as backups need it.
type objects struct {
	mu     sync.Mutex
	held   map[string][]byte
	signed bool
	short  bool // loses the end of what it is sent
}

func (o *objects) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.signed = strings.HasPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256 Credential=key/")
	key, object := strings.CutPrefix(r.URL.Path, "/backups/")
	switch {
	case r.Method == http.MethodPut:
		data, _ := io.ReadAll(r.Body)
		if o.short {
			data = data[:len(data)-1]
		}
		o.held[key] = data
		w.Header().Set("ETag", `"x"`)
	case r.Method == http.MethodHead && o.held[key] != nil:
		w.Header().Set("Content-Length", strconv.Itoa(len(o.held[key])))
		w.Header().Set("Last-Modified", "Sun, 29 Nov 2026 08:00:00 GMT")
	case r.Method == http.MethodDelete:
		delete(o.held, key)
		w.WriteHeader(http.StatusNoContent)
	case r.Method == http.MethodGet && !object || key == "":
		type content struct {
			Key          string
			Size         int
			LastModified string
		}
		var list struct {
			XMLName  xml.Name `xml:"ListBucketResult"`
			Contents []content
		}
		for k, v := range o.held {
			list.Contents = append(list.Contents, content{k, len(v), "2026-11-29T08:00:00.000Z"})
		}
		_ = xml.NewEncoder(w).Encode(list)
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

// TestBackup_GoesToS3: signed, whole, listed and removed; what arrives short is no
// copy, and an address without keys is refused at the start.
func TestBackup_GoesToS3(t *testing.T) {
	o := &objects{held: map[string][]byte{}}
	s := httptest.NewServer(o)
	defer s.Close()
	if _, err := farPlace(s.URL + "/backups"); err == nil || !strings.Contains(err.Error(), envS3Key) {
		t.Errorf("without keys: %v", err)
	}
	t.Setenv(envS3Key, "key")
	t.Setenv(envS3Pass, "secret")
	for _, bad := range []string{"s3.example.cn/b", "ftp://a/b", "https://a", "https://u:p@a/b"} {
		if _, err := farPlace(bad); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
	far, err := farPlace(s.URL + "/backups?region=cn-1")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(file, []byte("sealed"), 0o600); err != nil {
		t.Fatal(err)
	}
	err = far.Put(t.Context(), "hospay-1.hospay-backup", file)
	if err != nil || !o.signed || string(o.held["hospay-1.hospay-backup"]) != "sealed" {
		t.Fatalf("%v %v %q", err, o.signed, o.held)
	}
	if names, err := far.Names(); err != nil || !slices.Equal(names, []string{"hospay-1.hospay-backup"}) {
		t.Errorf("%v %v", names, err)
	}
	if err := far.Remove("hospay-1.hospay-backup"); err != nil || len(o.held) != 0 {
		t.Errorf("%v %v", err, o.held)
	}
	o.short = true
	if err := far.Put(t.Context(), "hospay-2.hospay-backup", file); err == nil {
		t.Error("what arrived short counts as a copy")
	}
}
