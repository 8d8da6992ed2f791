package signed

import (
	"crypto/ecdsa"
	"encoding/asn1"
	"encoding/hex"
	"encoding/json"
	"errors"
	"math/big"
	"strings"
	"time"

	"hospay/internal/sm4ecb"

	"github.com/emmansun/gmsm/sm2"
	"github.com/emmansun/gmsm/smx509"
)

// SM is the form with SM2 and SM4 for one caller: {sn, data, sign, timestamp},
// where data is the business content, encrypted by SM4 in ECB with PKCS#7 and
// written in hex, and sign is an SM2 signature over data, token and timestamp.
type SM struct {
	SN    string
	token []byte // SM4 key
	peer  *ecdsa.PublicKey
}

// userID is the one that GM/T 0009 names where nobody has agreed on another.
var userID = []byte("1234567812345678")

// NewSM reads the number of a certificate, the token of 16 characters and the
// caller's public key (hex of 65 bytes, or of 64 without the 04 in front).
func NewSM(sn, token, public string) (*SM, error) {
	if sn == "" || len(token) != sm4ecb.BlockSize {
		return nil, errors.New("证书序列号为空，或通讯密钥 Token 不是 16 个字符")
	}
	raw, err := hex.DecodeString(strings.TrimSpace(public))
	if len(raw) == 64 {
		raw = append([]byte{4}, raw...)
	}
	if err != nil || len(raw) != 65 {
		return nil, errors.New("SM2 公钥应为 65 或 64 字节的十六进制")
	}
	peer, err := point(raw)
	if err != nil {
		return nil, errors.New("SM2 公钥不在曲线上")
	}
	return &SM{SN: sn, token: []byte(token), peer: peer}, nil
}

// The names of public keys of curves and of the curve of SM2.
var (
	oidKey = asn1.ObjectIdentifier{1, 2, 840, 10045, 2, 1}
	oidSM2 = asn1.ObjectIdentifier{1, 2, 156, 10197, 1, 301}
)

// point is the public key at a point that stands in 65 bytes.
func point(raw []byte) (*ecdsa.PublicKey, error) {
	der, err := asn1.Marshal(struct {
		Algorithm struct{ Key, Curve asn1.ObjectIdentifier }
		Point     asn1.BitString
	}{struct{ Key, Curve asn1.ObjectIdentifier }{oidKey, oidSM2}, asn1.BitString{Bytes: raw, BitLength: 8 * len(raw)}})
	if err != nil {
		return nil, err
	}
	key, err := smx509.ParsePKIXPublicKey(der)
	if err != nil {
		return nil, err
	}
	peer, ok := key.(*ecdsa.PublicKey)
	if !ok {
		return nil, errors.New("no key of a curve")
	}
	return peer, nil
}

// envelope is what comes; timestamps come as numbers and as texts.
type envelope struct {
	SN        string      `json:"sn"`
	Data      string      `json:"data"`
	Sign      string      `json:"sign"`
	Timestamp json.Number `json:"timestamp"`
}

// Open checks an envelope and returns what is in it. The form has no number of
// its own: equal content within one second is one request, so nonce is made of
// both, and not of the signature, which can be written in more than one way.
func (s *SM) Open(body []byte, now time.Time) (plain []byte, nonce string, err error) {
	var e envelope
	if json.Unmarshal(body, &e) != nil || e.SN != s.SN || !stampForm.MatchString(e.Timestamp.String()) {
		return nil, "", ErrSign
	}
	stamp := e.Timestamp.String()
	der, err := signature(e.Sign)
	if err != nil || !sm2.VerifyASN1WithSM2(s.peer, userID, []byte(e.Data+string(s.token)+stamp), der) {
		return nil, "", ErrSign
	}
	if err := near(stamp, now); err != nil {
		return nil, "", err
	}
	secret, err := hex.DecodeString(e.Data)
	if err == nil {
		plain, err = sm4ecb.Decrypt(s.token, secret)
	}
	if err != nil {
		return nil, "", ErrSign
	}
	return plain, digest([]byte(strings.ToLower(e.Data) + " " + stamp)), nil
}

// signature reads hex of ASN.1, or of the two numbers of 32 bytes each.
func signature(text string) ([]byte, error) {
	raw, err := hex.DecodeString(text)
	if err != nil || len(raw) != 64 {
		return raw, err
	}
	return asn1.Marshal(struct{ R, S *big.Int }{new(big.Int).SetBytes(raw[:32]), new(big.Int).SetBytes(raw[32:])})
}

// Seal encrypts the content of an answer.
func (s *SM) Seal(plain []byte) (string, error) {
	secret, err := sm4ecb.Encrypt(s.token, plain)
	return hex.EncodeToString(secret), err
}
