package front

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"time"
)

// The two ends of the connection; each has a key and a certificate of this name,
// and the certificate is all that the other end knows of it.
const (
	Edge = "edge"
	Core = "core"
	// Cluster is what all nodes of a cluster hold, the same on each.
	Cluster = "cluster"
)

// KeysLast is how long certificates are valid.
const KeysLast = 5 * 365 * 24 * time.Hour

// MakeKeys writes keys and certificates of both ends into a folder. Nothing that is
// there is written over.
func MakeKeys(dir string, now time.Time) error { return makeKeys(dir, now, Edge, Core) }

// MakeCluster writes the key and certificate of a cluster into a folder.
func MakeCluster(dir string, now time.Time) error { return makeKeys(dir, now, Cluster) }

func makeKeys(dir string, now time.Time, ends ...string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	for _, end := range ends {
		key, cert, err := makeKey(end, now)
		if err != nil {
			return err
		}
		if err := errors.Join(putPEM(filepath.Join(dir, end+".key"), "PRIVATE KEY", key, 0o600),
			putPEM(filepath.Join(dir, end+".pem"), "CERTIFICATE", cert, 0o644)); err != nil {
			return err
		}
	}
	return nil
}

func makeKey(end string, now time.Time) (key, cert []byte, err error) {
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, nil, err
	}
	use := map[string][]x509.ExtKeyUsage{Edge: {x509.ExtKeyUsageClientAuth}, Core: {x509.ExtKeyUsageServerAuth},
		Cluster: {x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth}}[end]
	t := &x509.Certificate{SerialNumber: serial, Subject: pkix.Name{CommonName: "hospay " + end}, DNSNames: []string{end},
		NotBefore: now.Add(-24 * time.Hour), NotAfter: now.Add(KeysLast), KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: use, BasicConstraintsValid: true}
	if cert, err = x509.CreateCertificate(rand.Reader, t, t, &k.PublicKey, k); err != nil {
		return nil, nil, err
	}
	key, err = x509.MarshalPKCS8PrivateKey(k)
	return key, cert, err
}

func putPEM(path, kind string, der []byte, mode os.FileMode) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, mode)
	if errors.Is(err, os.ErrExist) {
		return fmt.Errorf("%s 已经存在，不会覆盖；要换新，请先把旧的移走，两端一起换", path)
	}
	if err != nil {
		return err
	}
	return errors.Join(pem.Encode(f, &pem.Block{Type: kind, Bytes: der}), f.Close())
}

// Pair is what one end holds: its own key with certificate, and the certificate of
// the other.
type Pair struct {
	server string // what the other end is called
	own    tls.Certificate
	theirs *x509.CertPool
	Until  time.Time // the first of both certificates ends then
}

// ReadPair reads what an end needs from its folder: core.pem with edge.key and
// edge.pem, or edge.pem with core.key and core.pem.
func ReadPair(dir, end string) (p Pair, err error) {
	other := map[string]string{Edge: Core, Core: Edge}[end]
	if p.own, err = tls.LoadX509KeyPair(filepath.Join(dir, end+".pem"), filepath.Join(dir, end+".key")); err != nil {
		return p, fmt.Errorf("前置机连接的密钥读不出（%s 里应有 %s.pem、%s.key 和 %s.pem，用 hospay edge-keys 生成）：%w", dir, end, end, other, err)
	}
	return p.trust(dir, other)
}

// ReadCluster reads cluster.key and cluster.pem, which all nodes hold.
func ReadCluster(dir string) (p Pair, err error) {
	if p.own, err = tls.LoadX509KeyPair(filepath.Join(dir, Cluster+".pem"), filepath.Join(dir, Cluster+".key")); err != nil {
		return p, fmt.Errorf("集群的密钥读不出（%s 里应有 cluster.pem 和 cluster.key，用 hospay cluster-keys 生成，各节点放同一份）：%w", dir, err)
	}
	return p.trust(dir, Cluster)
}

// trust reads the certificate of the other end.
func (p Pair) trust(dir, other string) (Pair, error) {
	p.server = other
	text, err := os.ReadFile(filepath.Join(dir, other+".pem"))
	if err != nil {
		return p, fmt.Errorf("对方的证书读不出：%w", err)
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return p, fmt.Errorf("%s 不是证书", filepath.Join(dir, other+".pem"))
	}
	theirs, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return p, fmt.Errorf("%s 不是证书：%w", filepath.Join(dir, other+".pem"), err)
	}
	p.theirs = x509.NewCertPool()
	p.theirs.AddCert(theirs)
	p.Until = theirs.NotAfter
	if p.own.Leaf != nil && p.own.Leaf.NotAfter.Before(p.Until) {
		p.Until = p.own.Leaf.NotAfter
	}
	return p, nil
}

// Server is how the other end is accepted: nobody else.
func (p Pair) Server() *tls.Config {
	return &tls.Config{Certificates: []tls.Certificate{p.own}, ClientCAs: p.theirs, ClientAuth: tls.RequireAndVerifyClientCert,
		MinVersion: tls.VersionTLS13, NextProtos: []string{"h2", "http/1.1"}}
}

// Client is how the other end is known, whatever its address.
func (p Pair) Client() *tls.Config {
	return &tls.Config{Certificates: []tls.Certificate{p.own}, RootCAs: p.theirs, ServerName: p.server, MinVersion: tls.VersionTLS13}
}
