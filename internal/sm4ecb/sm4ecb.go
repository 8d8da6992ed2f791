// Package sm4ecb is SM4 in ECB with PKCS#7: the one mode that insurance centres and
// the vendors of hospital systems speak. Equal blocks show as equal; what must not
// show lies in internal/vault.
package sm4ecb

import (
	"bytes"
	"errors"

	"github.com/emmansun/gmsm/sm4"
)

// BlockSize is how many bytes a key and a block have.
const BlockSize = sm4.BlockSize

// ErrCipher is the error of what cannot be read: no whole blocks, or another key.
var ErrCipher = errors.New("encrypted content cannot be read")

// Encrypt encrypts under a key of 16 bytes.
func Encrypt(key, plain []byte) ([]byte, error) {
	block, err := sm4.NewCipher(key)
	if err != nil {
		return nil, err
	}
	n := BlockSize - len(plain)%BlockSize
	out := append(bytes.Clone(plain), bytes.Repeat([]byte{byte(n)}, n)...)
	for i := 0; i < len(out); i += BlockSize {
		block.Encrypt(out[i:], out[i:])
	}
	return out, nil
}

// Decrypt is the way back from Encrypt.
func Decrypt(key, secret []byte) ([]byte, error) {
	block, err := sm4.NewCipher(key)
	if err != nil || len(secret) == 0 || len(secret)%BlockSize != 0 {
		return nil, ErrCipher
	}
	out := make([]byte, len(secret))
	for i := 0; i < len(out); i += BlockSize {
		block.Decrypt(out[i:], secret[i:])
	}
	n := int(out[len(out)-1])
	if n == 0 || n > BlockSize || !bytes.HasSuffix(out, bytes.Repeat([]byte{byte(n)}, n)) {
		return nil, ErrCipher
	}
	return out[:len(out)-n], nil
}
