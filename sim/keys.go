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
	"sync"
	"time"
)

// Keys makes RSA-2048 keys and certificates from their names alone, so that
// simulators in different processes are the same counterpart. The keys are
// therefore as public as this file: they protect nothing.
type Keys struct {
	mu    sync.Mutex
	keys  map[string]func() (*rsa.PrivateKey, error)
	certs map[string]*Cert
}

// Cert is a certificate with its PEM text.
type Cert struct {
	*x509.Certificate
	PEM string
}

var shared = &Keys{keys: map[string]func() (*rsa.PrivateKey, error){}, certs: map[string]*Cert{}}

// SharedKeys returns the set of this process, in which every key is made once.
func SharedKeys() *Keys { return shared }

// Certificates are valid for a fixed time, because it is part of their bytes.
var (
	certFrom = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	certTo   = time.Date(2056, 1, 1, 0, 0, 0, 0, time.UTC)
)

// RSA returns the key of that name.
func (k *Keys) RSA(name string) (*rsa.PrivateKey, error) {
	k.mu.Lock()
	derive := k.keys[name]
	if derive == nil {
		derive = sync.OnceValues(func() (*rsa.PrivateKey, error) { return deriveKey(name) })
		k.keys[name] = derive
	}
	k.mu.Unlock()
	return derive()
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
	signer := key
	if spec.CA != "" {
		if signer, err = k.RSA(spec.CAKey); err != nil {
			return nil, err
		}
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if c := k.certs[name]; c != nil {
		return c, nil
	}
	c, err := k.issue(spec, key, signer)
	if err != nil {
		return nil, fmt.Errorf("certificate %s: %w", name, err)
	}
	k.certs[name] = c
	return c, nil
}

func (k *Keys) issue(spec CertSpec, key, signer *rsa.PrivateKey) (*Cert, error) {
	t := &x509.Certificate{SerialNumber: serial(spec.Serial), Subject: spec.Subject, NotBefore: certFrom,
		NotAfter: certTo, IsCA: spec.IsCA, BasicConstraintsValid: true, SignatureAlgorithm: x509.SHA256WithRSA,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment}
	parent := t
	if spec.IsCA {
		t.KeyUsage = x509.KeyUsageCertSign
	}
	if spec.CA != "" {
		issuer := k.certs[spec.CA]
		if issuer == nil {
			return nil, fmt.Errorf("issuer %s is not there", spec.CA)
		}
		parent = issuer.Certificate
	}
	der, err := x509.CreateCertificate(rand.Reader, t, parent, &key.PublicKey, signer) // PKCS#1 v1.5 takes nothing from the reader
	if err != nil {
		return nil, err
	}
	c, err := x509.ParseCertificate(der)
	return &Cert{c, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))}, err
}

// serial widens a small number so that it looks like a real serial of 20 bytes.
func serial(n int64) *big.Int {
	sum := sha256.Sum256([]byte(fmt.Sprint("hospay simulator certificate ", n)))
	sum[0] = sum[0]&0x3f | 0x40
	return new(big.Int).SetBytes(sum[:20])
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
