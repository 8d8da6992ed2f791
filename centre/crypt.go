package centre

import (
	"crypto/ecdsa"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"math/big"
	"strings"

	"hospay/internal/sm4ecb"

	"github.com/emmansun/gmsm/ecdh"
	"github.com/emmansun/gmsm/sm2"
)

// keys are what an envelope is signed, checked and encrypted with. The user id
// is part of an SM2 signature: with another one everything else may be right
// and the signature is wrong.
type keys struct {
	own     *sm2.PrivateKey
	theirs  *ecdsa.PublicKey
	userID  []byte
	content []byte // SM4 key of encData
}

// sign returns r‖s, each of 32 bytes, in base64; never ASN.1.
func (k keys) sign(text []byte) (string, error) {
	r, s, err := sm2.SignWithSM2(rand.Reader, &k.own.PrivateKey, k.userID, text)
	if err != nil {
		return "", err
	}
	raw := make([]byte, 64)
	r.FillBytes(raw[:32])
	s.FillBytes(raw[32:])
	return base64.StdEncoding.EncodeToString(raw), nil
}

// verify reports whether the centre has signed the text.
func (k keys) verify(text []byte, signature string) bool {
	raw, err := base64.StdEncoding.DecodeString(signature)
	if err != nil || len(raw) != 64 {
		return false
	}
	r, s := new(big.Int).SetBytes(raw[:32]), new(big.Int).SetBytes(raw[32:])
	return sm2.VerifyWithSM2(k.theirs, k.userID, text, r, s)
}

// contentKey is the SM4 key of encData: the first 16 characters of the
// upper-case hex of the secret, encrypted under the first 16 characters of the
// application's id. Lower-case hex would give another key.
func contentKey(appID, secret string) ([]byte, error) {
	if len(appID) < sm4ecb.BlockSize || secret == "" {
		return nil, errors.New("应用编号不足 16 位或密钥为空")
	}
	t, err := sm4ecb.Encrypt([]byte(appID)[:sm4ecb.BlockSize], []byte(secret))
	if err != nil {
		return nil, err
	}
	return []byte(strings.ToUpper(hex.EncodeToString(t)))[:sm4ecb.BlockSize], nil
}

// privateKey reads the base64 of 32 bytes; Java writes 33 when the first bit is set.
func privateKey(text string) (*sm2.PrivateKey, error) {
	raw, err := base64.StdEncoding.DecodeString(strings.TrimSpace(text))
	if len(raw) == 33 && raw[0] == 0 {
		raw = raw[1:]
	}
	if err != nil || len(raw) != 32 {
		return nil, errors.New("医院私钥不正确，应为 32 字节的 base64")
	}
	checked, err := ecdh.P256().NewPrivateKey(raw)
	if err != nil {
		return nil, errors.New("医院私钥不是有效的 SM2 私钥")
	}
	key := at(checked.PublicKey().Bytes())
	key.D = new(big.Int).SetBytes(raw)
	return key, nil
}

// at is a key that has a point (04‖X‖Y of the curve) as its public part.
func at(point []byte) *sm2.PrivateKey {
	key := &sm2.PrivateKey{}
	key.Curve, key.X, key.Y = sm2.P256(), new(big.Int).SetBytes(point[1:33]), new(big.Int).SetBytes(point[33:])
	return key
}

// publicKey reads the base64 of 65 bytes (04‖X‖Y) or of 64 without the prefix.
func publicKey(text string) (*ecdsa.PublicKey, error) {
	raw, err := base64.StdEncoding.DecodeString(strings.TrimSpace(text))
	if len(raw) == 64 {
		raw = append([]byte{4}, raw...)
	}
	if err != nil || len(raw) != 65 {
		return nil, errors.New("平台公钥不正确，应为 65 或 64 字节的 base64")
	}
	if _, err := ecdh.P256().NewPublicKey(raw); err != nil { // on the curve
		return nil, errors.New("平台公钥不是有效的 SM2 公钥")
	}
	return &at(raw).PublicKey, nil
}
