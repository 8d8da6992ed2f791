package cluster

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"

	"hospay/internal/front"
)

// How long somebody who came in is kept waiting while no node leads, and how long
// it may take another node to be reached.
const (
	holdFor  = 15 * time.Second
	dialFor  = 2 * time.Second
	askEvery = 50 * time.Millisecond
)

// doors are the listeners of a node. What comes in is served here when the node
// leads, and goes to the leader when it does not, byte by byte, after one line that
// says at which door it came in, and from where.
type doors struct {
	client *tls.Config
	// leader tells where the leader takes what is passed on, and whether that is
	// this node; empty while nobody is known to lead.
	leader func() (address string, here bool)

	mu     sync.Mutex
	queues map[string]*queue
	passed map[net.Conn]string // to which leader
	all    []net.Listener
}

func newDoors(client *tls.Config, leader func() (string, bool)) *doors {
	return &doors{client: client, leader: leader, queues: map[string]*queue{}, passed: map[net.Conn]string{}}
}

// open listens at an address for what is called a name in the cluster.
func (d *doors) open(name, address string) error {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return fmt.Errorf("%s：%w", address, err)
	}
	q := &queue{conns: make(chan net.Conn), gone: make(chan struct{}), at: l.Addr()}
	d.mu.Lock()
	d.queues[name], d.all = q, append(d.all, l)
	d.mu.Unlock()
	go accept(l, func(c net.Conn) { d.take(name, q, c) })
	return nil
}

// receive takes what other nodes pass on.
func (d *doors) receive(l net.Listener, server *tls.Config) {
	d.mu.Lock()
	d.all = append(d.all, l)
	d.mu.Unlock()
	go accept(l, func(c net.Conn) {
		inner := tls.Server(c, server)
		_ = inner.SetDeadline(time.Now().Add(dialFor))
		name, from, err := preamble(inner)
		d.mu.Lock()
		q := d.queues[name]
		d.mu.Unlock()
		if _, here := d.leader(); err != nil || q == nil || !here {
			inner.Close()
			return
		}
		_ = inner.SetDeadline(time.Time{})
		q.put(passedOn{inner, net.TCPAddrFromAddrPort(from)})
	})
}

func accept(l net.Listener, take func(net.Conn)) {
	for {
		c, err := l.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil { // out of files, perhaps
			time.Sleep(askEvery)
			continue
		}
		go take(c)
	}
}

// preamble reads the line before what is passed on, and not one byte more.
func preamble(r io.Reader) (name string, from netip.AddrPort, err error) {
	var line []byte
	for b := make([]byte, 1); len(line) < 100; line = append(line, b[0]) {
		if _, err := io.ReadFull(r, b); err != nil {
			return "", from, err
		}
		if b[0] == '\n' {
			break
		}
	}
	name, addr, _ := strings.Cut(string(line), " ")
	from, err = netip.ParseAddrPort(addr)
	return name, from, err
}

// take serves a connection here or passes it on; while nobody leads, it waits.
func (d *doors) take(name string, q *queue, c net.Conn) {
	for until := time.Now().Add(holdFor); time.Now().Before(until); time.Sleep(askEvery) {
		to, here := d.leader()
		if here {
			q.put(c)
			return
		}
		if to != "" && d.pass(name, to, c) {
			return
		}
	}
	sorry(c)
}

// pass lets a connection speak with the leader until either hangs up or somebody
// else leads. It is false when the leader was not reached.
func (d *doors) pass(name, to string, c net.Conn) bool {
	ctx, cancel := context.WithTimeout(context.Background(), dialFor)
	defer cancel()
	far, err := (&tls.Dialer{Config: d.client}).DialContext(ctx, "tcp", to)
	if err != nil {
		return false
	}
	if _, err := fmt.Fprintf(far, "%s %s\n", name, c.RemoteAddr()); err != nil {
		far.Close()
		return false
	}
	d.mu.Lock()
	d.passed[far] = to
	d.mu.Unlock()
	defer func() {
		d.mu.Lock()
		delete(d.passed, far)
		d.mu.Unlock()
		far.Close()
		c.Close()
	}()
	var both sync.WaitGroup
	for _, way := range [][2]net.Conn{{far, c}, {c, far}} {
		both.Go(func() {
			_, _ = io.Copy(way[0], way[1])
			if half, ok := way[0].(interface{ CloseWrite() error }); ok {
				_ = half.CloseWrite()
			}
		})
	}
	both.Wait()
	return true
}

// led closes what is still passed on to a leader that is none any more: one that
// was cut off does not hang up by itself.
func (d *doors) led(by string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for c, to := range d.passed {
		if to != by {
			c.Close()
		}
	}
}

func (d *doors) listener(name string) net.Listener {
	d.mu.Lock()
	defer d.mu.Unlock()
	if q := d.queues[name]; q != nil {
		return q
	}
	return nil
}

func (d *doors) close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, l := range d.all {
		l.Close()
	}
	for c := range d.passed {
		c.Close()
	}
}

// sorry answers who waited in vain, once, as HTTP: what comes in is HTTP but for
// the edge, which takes the end of the connection as the answer.
func sorry(c net.Conn) {
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(dialFor))
	r, err := http.ReadRequest(bufio.NewReader(c))
	if err != nil {
		return
	}
	kind, body := front.Apology(r.URL.Path, http.StatusServiceUnavailable, "no_leader", "系统正在切换到另一台机器", "请稍后再试")
	fmt.Fprintf(c, "HTTP/1.1 503 Service Unavailable\r\nContent-Type: %s\r\nCache-Control: no-store\r\nRetry-After: 5\r\n"+
		"Connection: close\r\nContent-Length: %d\r\n\r\n%s", kind, len(body), body)
}

// queue is a listener whose connections come from elsewhere.
type queue struct {
	conns chan net.Conn
	gone  chan struct{}
	once  sync.Once
	at    net.Addr
}

func (q *queue) put(c net.Conn) {
	select {
	case q.conns <- c:
	case <-q.gone:
		c.Close()
	}
}

// Accept implements net.Listener.
func (q *queue) Accept() (net.Conn, error) {
	select {
	case c := <-q.conns:
		return c, nil
	case <-q.gone:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener.
func (q *queue) Close() error {
	q.once.Do(func() { close(q.gone) })
	return nil
}

// Addr implements net.Listener.
func (q *queue) Addr() net.Addr { return q.at }

// passedOn is a connection that came in at another node.
type passedOn struct {
	net.Conn
	from net.Addr
}

// RemoteAddr is who came in there.
func (p passedOn) RemoteAddr() net.Addr { return p.from }
