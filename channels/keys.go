package channels

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"strings"
)

// minKeyBits is the smallest RSA key that the channels still hand out.
const minKeyBits = 2048

// PrivateKey reads an RSA private key: PKCS#1 or PKCS#8, PEM or bare base64.
func PrivateKey(text string) (*rsa.PrivateKey, error) {
	der, err := derOf(text)
	if err != nil {
		return nil, err
	}
	if k, err := x509.ParsePKCS1PrivateKey(der); err == nil {
		return strong(k, &k.PublicKey)
	}
	k, err := x509.ParsePKCS8PrivateKey(der)
	if r, ok := k.(*rsa.PrivateKey); err == nil && ok {
		return strong(r, &r.PublicKey)
	}
	return nil, errors.New("不是 RSA 私钥")
}

// PublicKey reads an RSA public key: PKIX, PEM or bare base64.
func PublicKey(text string) (*rsa.PublicKey, error) {
	der, err := derOf(text)
	if err != nil {
		return nil, err
	}
	k, err := x509.ParsePKIXPublicKey(der)
	if r, ok := k.(*rsa.PublicKey); err == nil && ok {
		return strong(r, r)
	}
	return nil, errors.New("不是 RSA 公钥")
}

// Certificates reads every RSA certificate of a PEM bundle and passes over
// those of other kinds (a bundle of roots also holds SM2 ones).
func Certificates(text string) ([]*x509.Certificate, error) {
	var list []*x509.Certificate
	for rest := []byte(text); ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			continue
		}
		if _, ok := cert.PublicKey.(*rsa.PublicKey); ok {
			list = append(list, cert)
		}
	}
	if len(list) == 0 {
		return nil, errors.New("没有可用的 RSA 证书")
	}
	return list, nil
}

func strong[K any](k K, pub *rsa.PublicKey) (K, error) {
	if pub.N.BitLen() < minKeyBits {
		var none K
		return none, errors.New("RSA 密钥不足 2048 位")
	}
	return k, nil
}

func derOf(text string) ([]byte, error) {
	text = strings.TrimSpace(text)
	if block, _ := pem.Decode([]byte(text)); block != nil {
		return block.Bytes, nil
	}
	der, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text), ""))
	if err != nil || len(der) == 0 {
		return nil, errors.New("不是 PEM 或 base64 文本")
	}
	return der, nil
}
