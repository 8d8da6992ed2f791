package cluster

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"time"

	"hospay/internal/front"
)

// node is doors of a node, with who leads as the test says.
type node struct {
	*doors
	at     string // where it takes what is passed on
	leader atomic.Pointer[string]
	web    string
}

// house makes nodes that hold one key.
func house(t *testing.T, names ...string) map[string]*node {
	t.Helper()
	dir := t.TempDir()
	if err := front.MakeCluster(dir, time.Now()); err != nil {
		t.Fatal(err)
	}
	pair, err := front.ReadCluster(dir)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]*node{}
	for _, name := range names {
		n := &node{}
		n.doors = newDoors(pair.Client(), func() (string, bool) {
			switch to := n.leader.Load(); {
			case to == nil:
				return "", false
			default:
				return *to, *to == n.at
			}
		})
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		n.at = l.Addr().String()
		n.receive(l, pair.Server())
		if err := n.open("http", "127.0.0.1:0"); err != nil {
			t.Fatal(err)
		}
		n.web = "http://" + n.listener("http").Addr().String()
		t.Cleanup(n.close)
		all[name] = n
	}
	return all
}

// serve answers at a node who asked it, and who that was.
func (n *node) serve(t *testing.T, name string) {
	s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s %s %s", name, r.RemoteAddr, body)
	})}
	go func() { _ = s.Serve(n.listener("http")) }()
	t.Cleanup(func() { s.Close() })
}

func ask(t *testing.T, url, body string) (status int, text string) {
	t.Helper()
	c := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := c.Post(url, "text/plain", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(b)
}

func TestDoors_WhoeverComesInIsServedByTheLeader(t *testing.T) {
	t.Parallel()
	all := house(t, "a", "b")
	a, b := all["a"], all["b"]
	a.serve(t, "a")
	b.serve(t, "b")
	for _, leads := range []*node{a, b} {
		a.leader.Store(&leads.at)
		b.leader.Store(&leads.at)
		want := map[*node]string{a: "a", b: "b"}[leads]
		for _, came := range []*node{a, b} {
			status, text := ask(t, came.web, "退款")
			name, rest, _ := strings.Cut(text, " ")
			from, body, _ := strings.Cut(rest, " ")
			if at, err := netip.ParseAddrPort(from); status != 200 || name != want || err != nil || !at.Addr().IsLoopback() || body != "退款" {
				t.Errorf("%d %q, want %s", status, text, want)
			}
		}
	}
}

func TestDoors_WhoComesInBetweenWaitsForTheNewLeader(t *testing.T) {
	t.Parallel()
	all := house(t, "a", "b")
	a, b := all["a"], all["b"]
	a.serve(t, "a")
	answered := make(chan string)
	go func() {
		_, text := ask(t, b.web, "")
		answered <- text
	}()
	select {
	case text := <-answered:
		t.Fatalf("answered by %q while nobody leads", text)
	case <-time.After(300 * time.Millisecond):
	}
	a.leader.Store(&a.at)
	b.leader.Store(&a.at)
	if text := <-answered; !strings.HasPrefix(text, "a ") {
		t.Errorf("%q", text)
	}
}

func TestDoors_AStreamOfAFormerLeaderEnds(t *testing.T) {
	t.Parallel()
	all := house(t, "a", "b")
	a, b := all["a"], all["b"]
	a.leader.Store(&a.at)
	b.leader.Store(&a.at)
	go func() {
		c, err := a.listener("http").Accept()
		if err != nil {
			return
		}
		_, _ = io.WriteString(c, "news\n") // and it never hangs up
	}()
	c, err := net.Dial("tcp", strings.TrimPrefix(b.web, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := io.WriteString(c, "hello\n"); err != nil {
		t.Fatal(err)
	}
	r := bufio.NewReader(c)
	if line, err := r.ReadString('\n'); err != nil || line != "news\n" {
		t.Fatalf("%q %v", line, err)
	}
	b.leader.Store(&b.at)
	b.led(b.at)
	if _, err := r.ReadByte(); err == nil {
		t.Error("the stream of the former leader goes on")
	}
}

// TestDoors_NobodyElseIsLetIn: the keys of another house, none at all, a door that is
// not there, and a node that does not lead take nothing.
func TestDoors_NobodyElseIsLetIn(t *testing.T) {
	t.Parallel()
	n, other := house(t, "a")["a"], house(t, "x")["x"]
	n.leader.Store(&n.at)
	n.serve(t, "a")
	hears := func(c *tls.Config, line string) bool {
		conn, err := tls.Dial("tcp", n.at, c)
		if err != nil {
			return false
		}
		defer conn.Close()
		_, _ = io.WriteString(conn, line+"GET / HTTP/1.0\r\n\r\n")
		b, err := io.ReadAll(conn)
		return err == nil && len(b) > 0
	}
	const good = "http 203.0.113.5:1234\n"
	if !hears(n.client, good) {
		t.Error("who belongs here is not let in")
	}
	for what, refused := range map[string]bool{
		"other keys":    hears(other.client, good),
		"no keys":       hears(&tls.Config{InsecureSkipVerify: true}, good),
		"no such door":  hears(n.client, "cellar 203.0.113.5:1234\n"),
		"no address":    hears(n.client, "http somebody\n"),
		"endless line":  hears(n.client, strings.Repeat("x", 200)+"\n"),
		"nothing there": hears(n.client, ""),
	} {
		if refused {
			t.Errorf("%s: let in", what)
		}
	}
	n.leader.Store(&other.at)
	if hears(n.client, good) {
		t.Error("a node that does not lead takes what is passed on")
	}
}

func TestDoors_SorryIsSaidInChinese(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{"/api/health": `"code":"no_leader"`, "/": "<h1"} {
		here, there := net.Pipe()
		go sorry(there)
		go func() { _, _ = io.WriteString(here, "GET "+path+" HTTP/1.1\r\nHost: x\r\n\r\n") }()
		res, err := http.ReadResponse(bufio.NewReader(here), nil)
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(res.Body)
		if err != nil || res.StatusCode != 503 || res.Header.Get("Retry-After") == "" || !strings.Contains(string(b), want) ||
			!strings.Contains(string(b), "系统正在切换到另一台机器") {
			t.Errorf("%s: %d %s %v", path, res.StatusCode, b, err)
		}
	}
}

func FuzzPreamble(f *testing.F) {
	for _, s := range []string{"http 203.0.113.5:1234\nGET /", "http [2001:db8::1]:1\n", "\n", "http", strings.Repeat("a", 300)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r := strings.NewReader(s)
		name, from, err := preamble(iotest.OneByteReader(r))
		if err != nil {
			return
		}
		if line := name + " " + from.String() + "\n"; strings.Contains(name, "\n") || !from.IsValid() || len(line) > 160 {
			t.Errorf("%q: %q %s", s, name, from)
		}
		rest, _ := io.ReadAll(r)
		if _, after, _ := strings.Cut(s, "\n"); string(rest) != after {
			t.Errorf("%q: %q is left of it", s, rest)
		}
	})
}

func TestConfig_NamesWhatIsWrong(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		cfg  Config
		want string
	}{
		{Config{Address: "10.1.2.3:9100", Join: []string{"10.1.2.4:9100"}}, ""},
		{Config{Address: "10.1.2.3"}, `"10.1.2.3" 应为`},
		{Config{Address: ":9100"}, `":9100" 应为`},
		{Config{Address: "10.1.2.3:65535"}, "65535"},
		{Config{Address: "10.1.2.3:9100", Join: []string{"x"}}, `"x" 应为`},
		{Config{Address: "10.1.2.3:9100", Join: []string{"10.1.2.3:9100"}}, "自己的地址"},
	} {
		err := c.cfg.Check()
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v", c.cfg, err)
		}
	}
}
