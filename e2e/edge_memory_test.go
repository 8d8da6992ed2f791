package e2e

import (
	"bytes"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"runtime/debug"
	"runtime/metrics"
	"strings"
	"sync"
	"testing"
	"time"

	"hospay/hooks/gate"
	"hospay/lab/testapp"
)

// peakOf is how many bytes more the heap has held while f ran than before.
func peakOf(f func()) int64 {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	held := func() int64 {
		metrics.Read(sample)
		return int64(sample[0].Value.Uint64())
	}
	debug.FreeOSMemory()
	before, peak := held(), int64(0)
	end, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			peak = max(peak, held()-before)
			select {
			case <-end:
				return
			case <-time.After(time.Millisecond):
			}
		}
	}()
	f()
	close(end)
	<-ended
	return peak
}

// many repeats a text up to so many bytes, without holding them.
type many struct {
	text string
	at   int
	left int
}

// Read implements io.Reader.
func (m *many) Read(b []byte) (int, error) {
	n := 0
	for n < len(b) && m.left > 0 {
		c := copy(b[n:], m.text[m.at:])
		c = min(c, m.left)
		m.at, m.left, n = (m.at+c)%len(m.text), m.left-c, n+c
	}
	if n == 0 {
		return 0, io.EOF
	}
	return n, nil
}

// hostile is JSON of small members, an array deep in arrays, and a form of small
// fields: what takes most memory for its length.
func hostile(size int) map[string][]byte {
	of := func(text string) string { return strings.Repeat(text, (size-64)/len(text)) }
	var members, fields strings.Builder
	for i := 0; members.Len() < size-80; i++ {
		fmt.Fprintf(&members, `"%x":0,`, i)
	}
	for i := 0; fields.Len() < size-80; i++ {
		fmt.Fprintf(&fields, "%x&", i)
	}
	return map[string][]byte{
		"application/json members": []byte(`{` + members.String() + `"z":0}`), "application/json empty": []byte(`{"a":[` + of("{},") + `{}]}`),
		"application/json deep":  []byte(strings.Repeat(`{"a":`, 9000) + "0" + strings.Repeat("}", 9000)),
		"application/json nulls": []byte(`{"rules":[` + of("0,") + `0]}`), "application/x-www-form-urlencoded": []byte(fields.String()),
		"application/json texts": []byte(`{"ticket":[` + of(`"",`) + `""]}`),
	}
}

var hostileRoutes = []string{
	"/api/hospay/auth/ticket", "/api/collections/refund_orders/records", "/api/collections/staff/auth-with-password", "/api/hospay/status",
	"/api/hospay/auth/wechat", "/api/collections/proxy_materials/records", "/api/collections/staff/auth-with-otp", "/api/realtime",
}

func post(t *testing.T, a *testapp.App, path, token, kind string, body io.Reader) {
	t.Helper()
	req := must(http.NewRequestWithContext(t.Context(), http.MethodPost, a.URL+path, body))
	req.Header.Set("Content-Type", strings.Fields(kind)[0])
	if token != "" {
		req.Header.Set("Authorization", token)
	}
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		return // the program has closed the connection on what was too large
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, res.Body)
	if res.StatusCode < 400 || res.StatusCode >= 500 {
		t.Errorf("%s with %s: %d", path, kind, res.StatusCode)
	}
}

// TestEdge_HostileBodiesCostLittleMemory: one request as large as it may be,
// twenty of them at once, and four guests who send thirty megabytes each.
func TestEdge_HostileBodiesCostLittleMemory(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	p := a.Login("P0001", "wechat")
	for kind, body := range hostile(gate.MaxBody) {
		for _, path := range hostileRoutes[:4] {
			used := peakOf(func() { post(t, a, path, p.Token, kind, bytes.NewReader(body)) })
			if used > 50<<20 {
				t.Errorf("%s with %s: %d MB", path, kind, used>>20)
			}
		}
	}
	worst := hostile(gate.MaxBody)["application/json members"]
	used := peakOf(func() {
		var all sync.WaitGroup
		for i := range 20 {
			all.Go(func() {
				post(t, a, hostileRoutes[i%len(hostileRoutes)], "", "application/json", bytes.NewReader(worst))
			})
		}
		all.Wait()
	})
	if used > 1<<30 {
		t.Errorf("twenty at once: %d MB", used>>20)
	}
	t.Logf("twenty at once: %d MB", used>>20)
	used = peakOf(func() {
		var all sync.WaitGroup
		for i := range 4 {
			all.Go(func() {
				for _, path := range hostileRoutes {
					body := io.MultiReader(strings.NewReader(`{"a":0`), &many{text: `,"b":0`, left: 30 << 20})
					post(t, a, path, []string{"", p.Token}[i%2], "application/json", body)
				}
			})
		}
		all.Wait()
	})
	if used > 200<<20 {
		t.Errorf("four with 30 MB each: %d MB", used>>20)
	}
	t.Logf("four with 30 MB each: %d MB", used>>20)
}

// TestEdge_APhotoIsAPhoto: a form that hides JSON in one of its fields, or is
// made of thousands of them, is refused before anything reads it.
func TestEdge_APhotoIsAPhoto(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	p := a.Login("P0001", "wechat")
	form := func(fill func(*multipart.Writer)) (string, []byte) {
		var body bytes.Buffer
		w := multipart.NewWriter(&body)
		fill(w)
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		return w.FormDataContentType(), body.Bytes()
	}
	for name, fill := range map[string]func(*multipart.Writer){
		"JSON in a field": func(w *multipart.Writer) {
			_ = w.WriteField("@jsonPayload", `{"a":0`+strings.Repeat(`,"b":0`, 1<<20)+`}`)
		},
		"a thousand fields": func(w *multipart.Writer) {
			for i := range 1000 {
				_ = w.WriteField(fmt.Sprint(i), "0")
			}
		},
		"a long field": func(w *multipart.Writer) { _ = w.WriteField("kind", strings.Repeat("0", 9<<20)) },
	} {
		kind, body := form(fill)
		used := peakOf(func() {
			res := a.Send("POST", "/api/collections/proxy_materials/records", p.Token, kind, bytes.NewReader(body))
			wantRefusal(t, name, res, 400, "image_invalid")
		})
		if used > 50<<20 {
			t.Errorf("%s: %d MB", name, used>>20)
		}
	}
}
