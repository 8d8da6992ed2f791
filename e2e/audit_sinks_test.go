package e2e

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"hospay/collections"
	"hospay/lab/testapp"
	"hospay/notify/trail"
	"hospay/refund"
	"hospay/store"
)

// collector is the other side of a webhook: it keeps what is signed, and is down
// at times.
type collector struct {
	*httptest.Server
	mu   sync.Mutex
	down bool
	rows []store.SinkRow
	bad  int
}

const sinkKey = "sink-key-of-the-test-0001"

func newCollector(t *testing.T) *collector {
	c := &collector{}
	c.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.mu.Lock()
		defer c.mu.Unlock()
		body, _ := io.ReadAll(r.Body)
		var in struct{ Rows []store.SinkRow }
		switch {
		case r.Header.Get("X-Hospay-Signature") != trail.Sign(sinkKey, r.Header.Get("X-Hospay-Timestamp"), body),
			json.Unmarshal(body, &in) != nil:
			c.bad++
			w.WriteHeader(http.StatusForbidden)
		case c.down:
			w.WriteHeader(http.StatusServiceUnavailable)
		default:
			c.rows = append(c.rows, in.Rows...)
		}
	}))
	t.Cleanup(c.Close)
	return c
}

// whole wants every row of the log, in order and once.
func whole(t *testing.T, a *testapp.App, rows []store.SinkRow) {
	t.Helper()
	head := must(store.AuditHead(a.Runtime.App))
	if int64(len(rows)) != head.Seq {
		t.Fatalf("%d rows, the log has %d", len(rows), head.Seq)
	}
	prev := ""
	for i, r := range rows {
		if r.Seq != int64(i+1) || r.PrevHash != prev || r.Hash == "" {
			t.Fatalf("row %d: %+v", i+1, r)
		}
		prev = r.Hash
	}
	if prev != head.Head {
		t.Errorf("the last row is not the head")
	}
}

func sink(t *testing.T, a *testapp.App, super, kind, url string, secrets map[string]string) testapp.Answer {
	t.Helper()
	text := string(must(json.Marshal(secrets)))
	return a.Call("POST", "/api/collections/audit_sinks/records", super, map[string]any{"active": true, "kind": kind, "url": url,
		"secrets_input": text, "sent_seq": 900})
}

// TestSinks_WebhookGetsEveryRowOnceInOrder: from the first row on, while the
// collector is away, and after it is back; money goes on meanwhile.
func TestSinks_WebhookGetsEveryRowOnceInOrder(t *testing.T) {
	a := testapp.New(t, testapp.Config{Production: true})
	super, c := a.Superuser(), newCollector(t)
	made := sink(t, a, super, trail.Webhook, c.URL+"/audit", map[string]string{"sign_key": sinkKey})
	if made.Status != 200 || strings.Contains(string(made.Raw), sinkKey) {
		t.Fatalf("%d %s", made.Status, made.Raw)
	}
	run := func() error { _, err := a.Jobs.RunNow(t.Context(), "audit_trail"); return err }
	if err := run(); err != nil {
		t.Fatal(err)
	}
	whole(t, a, c.rows)
	c.down = true
	acts(t, a, 450, a.Institution)
	if err := run(); err == nil || !strings.Contains(err.Error(), "503") {
		t.Errorf("%v", err)
	}
	p := a.Login("P0002", "alipay")
	id := apply(t, p, "alipay", "transfer", 1300, nil)
	a.Drain()
	a.Review(a.Staff("reviewer1"), id, "approve", "")
	a.Drain()
	wantStatus(t, a, id, refund.StatusSucceeded)
	if err := run(); err != nil { // it waits before it tries again
		t.Errorf("%v", err)
	}
	rec := must(a.Runtime.App.FindRecordById(collections.AuditSinks, made.Text("id")))
	if rec.GetInt("tries") != 1 || !strings.Contains(rec.GetString("error"), "503") || rec.GetInt("sent_seq") == 0 {
		t.Errorf("%v", rec.FieldsData())
	}
	skip := a.Call("PATCH", "/api/collections/audit_sinks/records/"+rec.Id, super, map[string]any{"sent_seq": 100000})
	if skip.Status != 200 || skip.Text("sent_seq") != fmt.Sprint(rec.GetInt("sent_seq")) {
		t.Errorf("a superuser makes it skip rows: %d %s", skip.Status, skip.Raw)
	}
	c.mu.Lock()
	c.down = false
	c.mu.Unlock()
	a.Advance(time.Minute)
	for range 3 {
		if err := run(); err != nil {
			t.Fatal(err)
		}
	}
	whole(t, a, c.rows)
	if c.bad != 0 {
		t.Errorf("%d requests were not signed", c.bad)
	}
}

// TestSinks_SyslogGetsEveryRow reads RFC 5424 messages with their length in
// front.
func TestSinks_SyslogGetsEveryRow(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	l := must(net.Listen("tcp", "127.0.0.1:0"))
	defer l.Close()
	got := make(chan store.SinkRow, 1000)
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			readSyslog(conn, got)
		}
	}()
	if res := sink(t, a, a.Superuser(), trail.Syslog, "tcp://"+l.Addr().String(), nil); res.Status != 200 {
		t.Fatalf("%d %s", res.Status, res.Raw)
	}
	acts(t, a, 300, "")
	if _, err := a.Jobs.RunNow(t.Context(), "audit_trail"); err != nil {
		t.Fatal(err)
	}
	var rows []store.SinkRow
	for range must(store.AuditHead(a.Runtime.App)).Seq {
		rows = append(rows, <-got)
	}
	whole(t, a, rows)
	l.Close()
	acts(t, a, 1, "")
	if _, err := a.Jobs.RunNow(t.Context(), "audit_trail"); err == nil {
		t.Error("a collector that is gone took a row")
	}
}

func readSyslog(conn net.Conn, got chan<- store.SinkRow) {
	defer conn.Close()
	in := bufio.NewReader(conn)
	for {
		size, err := in.ReadString(' ')
		if err != nil {
			return
		}
		n, err := strconv.Atoi(strings.TrimSpace(size))
		if err != nil {
			return
		}
		text := make([]byte, n)
		if _, err := io.ReadFull(in, text); err != nil {
			return
		}
		head, body, ok := strings.Cut(string(text), " hospay - audit - ")
		var row store.SinkRow
		if !ok || !strings.HasPrefix(head, "<110>1 2") || json.Unmarshal([]byte(body), &row) != nil {
			return
		}
		got <- row
	}
}

// TestSinks_BadOnesAreRefused: nothing goes out of the house in clear, and UDP
// would lose rows.
func TestSinks_BadOnesAreRefused(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	super := a.Superuser()
	for _, c := range []struct {
		kind, url string
		secrets   map[string]string
	}{
		{"webhook", "http://collector.example.cn/x", map[string]string{"sign_key": sinkKey}}, {"webhook", "https://collector.example.cn/x", nil},
		{"webhook", "https://collector.example.cn/x", map[string]string{"sign_key": "short"}}, {"syslog", "udp://10.1.2.3:514", nil},
		{"syslog", "tcp://collector.example.cn:601", nil}, {"syslog", "tls://collector.example.cn", nil}, {"webhook", "tls://10.1.2.3:1", nil},
	} {
		if res := sink(t, a, super, c.kind, c.url, c.secrets); res.Status != 400 || res.Code() != "config_invalid" {
			t.Errorf("%s %s: %d %s", c.kind, c.url, res.Status, res.Raw)
		}
	}
	if res := sink(t, a, super, "syslog", "tls://collector.example.cn:6514", nil); res.Status != 200 || res.Text("sent_seq") != "0" {
		t.Errorf("%d %s", res.Status, res.Raw)
	}
}
