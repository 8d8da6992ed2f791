package sim

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// Keys makes RSA-2048 keys and certificates once. With a directory they are
// kept there, so that a restarted simulator is the same counterpart; without
// one they live as long as the process.
type Keys struct {
	dir   string
	mu    sync.Mutex
	keys  map[string]*rsa.PrivateKey
	certs map[string]*Cert
}

// Cert is a certificate with its PEM text.
type Cert struct {
	*x509.Certificate
	PEM string
}

var memory = &Keys{keys: map[string]*rsa.PrivateKey{}, certs: map[string]*Cert{}}

// OpenKeys opens the key directory; "" gives the set of this process.
func OpenKeys(dir string) (*Keys, error) {
	if dir == "" {
		return memory, nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("simulator keys: %w", err)
	}
	return &Keys{dir: dir, keys: map[string]*rsa.PrivateKey{}, certs: map[string]*Cert{}}, nil
}

// RSA returns the key of that name, making it when it is new.
func (k *Keys) RSA(name string) (*rsa.PrivateKey, error) {
	k.mu.Lock()
	key := k.keys[name]
	k.mu.Unlock()
	if key != nil {
		return key, nil
	}
	key, err := k.loadKey(name)
	if err != nil {
		return nil, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if have := k.keys[name]; have != nil {
		return have, nil
	}
	k.keys[name] = key
	if k.dir == "" {
		return key, nil
	}
	return key, os.WriteFile(filepath.Join(k.dir, name+".key.pem"), []byte(PrivatePEM(key)), 0o600)
}

func (k *Keys) loadKey(name string) (*rsa.PrivateKey, error) {
	if k.dir != "" {
		if raw, err := os.ReadFile(filepath.Join(k.dir, name+".key.pem")); err == nil {
			return parseKey(raw)
		}
	}
	return rsa.GenerateKey(rand.Reader, 2048)
}

func parseKey(raw []byte) (*rsa.PrivateKey, error) {
	block, _ := pem.Decode(raw)
	if block == nil {
		return nil, fmt.Errorf("simulator key: no PEM block")
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, err
	}
	return key.(*rsa.PrivateKey), nil
}

// Prepare makes several keys at the same time.
func (k *Keys) Prepare(names ...string) error {
	errs := make(chan error, len(names))
	for _, n := range names {
		go func() { _, err := k.RSA(n); errs <- err }()
	}
	var first error
	for range names {
		if err := <-errs; err != nil && first == nil {
			first = err
		}
	}
	return first
}

// CertSpec says what a certificate contains.
type CertSpec struct {
	Subject pkix.Name
	Serial  int64
	Key     string // whose public key
	CA      string // name of the issuing certificate; "" = self-signed
	CAKey   string // its key
	IsCA    bool
}

// Cert returns the certificate of that name, issuing it when it is new.
func (k *Keys) Cert(name string, spec CertSpec) (*Cert, error) {
	key, err := k.RSA(spec.Key)
	if err != nil {
		return nil, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if c := k.certs[name]; c != nil {
		return c, nil
	}
	path := filepath.Join(k.dir, name+".cert.pem")
	if k.dir != "" {
		if raw, err := os.ReadFile(path); err == nil {
			return k.keepCert(name, raw)
		}
	}
	raw, err := k.issue(spec, key)
	if err != nil {
		return nil, fmt.Errorf("certificate %s: %w", name, err)
	}
	if k.dir != "" {
		if err := os.WriteFile(path, raw, 0o600); err != nil {
			return nil, err
		}
	}
	return k.keepCert(name, raw)
}

func (k *Keys) issue(spec CertSpec, key *rsa.PrivateKey) ([]byte, error) {
	now := time.Now()
	t := &x509.Certificate{SerialNumber: serial(spec.Serial), Subject: spec.Subject, NotBefore: now.Add(-24 * time.Hour),
		NotAfter: now.AddDate(5, 0, 0), IsCA: spec.IsCA, BasicConstraintsValid: true, SignatureAlgorithm: x509.SHA256WithRSA,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment}
	parent, signer := t, key
	if spec.IsCA {
		t.KeyUsage = x509.KeyUsageCertSign
	}
	if spec.CA != "" {
		parent, signer = k.certs[spec.CA].Certificate, k.keys[spec.CAKey]
	}
	der, err := x509.CreateCertificate(rand.Reader, t, parent, &key.PublicKey, signer)
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), err
}

// serial widens a small number so that it looks like a real serial of 20 bytes.
func serial(n int64) *big.Int {
	sum := sha256.Sum256([]byte(fmt.Sprint("hospay simulator certificate ", n)))
	sum[0] = sum[0]&0x3f | 0x40
	return new(big.Int).SetBytes(sum[:20])
}

func (k *Keys) keepCert(name string, raw []byte) (*Cert, error) {
	block, _ := pem.Decode(raw)
	if block == nil {
		return nil, fmt.Errorf("certificate %s: no PEM block", name)
	}
	c, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, err
	}
	k.certs[name] = &Cert{c, string(raw)}
	return k.certs[name], nil
}

// PrivatePEM writes a key as PKCS#8.
func PrivatePEM(key *rsa.PrivateKey) string {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return ""
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

// PublicPEM writes a public key as PKIX.
func PublicPEM(key *rsa.PublicKey) string {
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		return ""
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

// Sign makes a base64 RSA PKCS#1 v1.5 signature with SHA-256.
func Sign(key *rsa.PrivateKey, text []byte) string {
	sum := sha256.Sum256(text)
	sig, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, sum[:])
	if err != nil {
		return ""
	}
	return base64.StdEncoding.EncodeToString(sig)
}

// Verify checks a base64 RSA PKCS#1 v1.5 signature with SHA-256.
func Verify(key *rsa.PublicKey, text []byte, signature string) bool {
	sig, err := base64.StdEncoding.DecodeString(signature)
	if err != nil {
		return false
	}
	sum := sha256.Sum256(text)
	return rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], sig) == nil
}

// Spoil returns a signature of the right form and the wrong value.
func Spoil(signature string) string {
	raw, err := base64.StdEncoding.DecodeString(signature)
	if err != nil || len(raw) == 0 {
		return signature
	}
	raw[len(raw)/2] ^= 0x55
	return base64.StdEncoding.EncodeToString(raw)
}
