package wire

import (
	"context"
	"crypto/tls"
	"net"
	"net/url"
)

// Half is a connection whose writing side can be closed alone, so that the other
// side's end can be waited for.
type Half interface {
	net.Conn
	CloseWrite() error
}

// Stream opens a connection to a URL's host and port, and to nothing else, with
// TLS where a configuration is given; without it the address must lie inside the
// house. The context's deadline bounds all that is
// done with it. Like every request it is refused inside a transaction.
func Stream(ctx context.Context, u *url.URL, secure *tls.Config) (Half, error) {
	if inTransaction() {
		return nil, ErrTransaction
	}
	Leaving()
	at := HostPort(u)
	conn, err := dialOnly(at, secure == nil)(ctx, "tcp", at)
	if err != nil {
		return nil, err
	}
	if deadline, ok := ctx.Deadline(); ok {
		if err := conn.SetDeadline(deadline); err != nil {
			conn.Close()
			return nil, err
		}
	}
	if secure == nil {
		return conn.(*net.TCPConn), nil
	}
	t := tls.Client(conn, secure)
	if err := t.HandshakeContext(ctx); err != nil {
		conn.Close()
		return nil, err
	}
	return t, nil
}
