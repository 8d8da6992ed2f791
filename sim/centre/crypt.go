package centre

import (
	"crypto/ecdsa"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"math/big"
	"strings"

	"github.com/emmansun/gmsm/ecdh"
	"github.com/emmansun/gmsm/sm2"
	"github.com/emmansun/gmsm/sm4"

	"hospay/sim"
)

// pair is an SM2 key that follows from its name, as both sides write it.
type pair struct {
	key             *sm2.PrivateKey
	Private, Public string // base64 of 32 and of 65 bytes
}

func pairOf(name string) (*pair, error) {
	seed := sim.Seed("sm2 " + name)
	k, err := ecdh.P256().NewPrivateKey(seed)
	if err != nil {
		return nil, err
	}
	dot := k.PublicKey().Bytes()
	key := &sm2.PrivateKey{}
	key.D, key.Curve = new(big.Int).SetBytes(seed), sm2.P256()
	key.X, key.Y = new(big.Int).SetBytes(dot[1:33]), new(big.Int).SetBytes(dot[33:])
	return &pair{key, base64.StdEncoding.EncodeToString(seed), base64.StdEncoding.EncodeToString(dot)}, nil
}

// signature is r and s, 32 bytes each, in base64.
func (p *pair) signature(id, text string) string {
	der, err := p.key.Sign(rand.Reader, []byte(text), sm2.NewSM2SignerOption(true, []byte(id)))
	if err != nil {
		return ""
	}
	raw := append(place(&der, 2), place(&der, 0)...)
	return base64.StdEncoding.EncodeToString(raw)
}

// place cuts the next number of a DER sequence off, after skipping so many
// bytes of its head, and gives it 32 bytes.
func place(der *[]byte, head int) []byte {
	d := (*der)[head:]
	n := int(d[1])
	number := d[2 : 2+n]
	*der = d[2+n:]
	for len(number) > 32 {
		number = number[1:]
	}
	out := make([]byte, 32)
	copy(out[32-len(number):], number)
	return out
}

// signedBy checks the signature of a hospital.
func signedBy(key *ecdsa.PublicKey, id, text, signature string) bool {
	raw, err := base64.StdEncoding.DecodeString(signature)
	if err != nil || len(raw) != 64 {
		return false
	}
	return sm2.VerifyWithSM2(key, []byte(id), []byte(text), new(big.Int).SetBytes(raw[:32]), new(big.Int).SetBytes(raw[32:]))
}

// code is SM4 in ECB with PKCS#7.
type code [16]byte

// codeOf is the key of an application: its secret under the head of its id, in
// hex and capitals, of which the first 16 characters are taken.
func codeOf(appID, secret string) (c code) {
	var outer code
	copy(outer[:], appID)
	copy(c[:], outer.hide([]byte(secret)))
	return c
}

// hide encrypts and writes upper-case hex.
func (c code) hide(text []byte) string {
	block, err := sm4.NewCipher(c[:])
	if err != nil {
		return ""
	}
	missing := 16 - len(text)%16
	padded := make([]byte, len(text)+missing)
	for i := copy(padded, text); i < len(padded); i++ {
		padded[i] = byte(missing)
	}
	for from := 0; from < len(padded); from += 16 {
		block.Encrypt(padded[from:from+16], padded[from:from+16])
	}
	return strings.ToUpper(hex.EncodeToString(padded))
}

// show is the way back; ok is false for what was not hidden this way.
func (c code) show(text string) (out []byte, ok bool) {
	raw, err := hex.DecodeString(text)
	if err != nil || len(raw) == 0 || len(raw)%16 != 0 {
		return nil, false
	}
	block, err := sm4.NewCipher(c[:])
	if err != nil {
		return nil, false
	}
	for from := 0; from < len(raw); from += 16 {
		block.Decrypt(raw[from:from+16], raw[from:from+16])
	}
	missing := int(raw[len(raw)-1])
	if missing < 1 || missing > 16 {
		return nil, false
	}
	for _, b := range raw[len(raw)-missing:] {
		if int(b) != missing {
			return nil, false
		}
	}
	return raw[:len(raw)-missing], true
}
