package sm4ecb

import (
	"bytes"
	"encoding/hex"
	"errors"
	"testing"
)

var key = []byte("0123456789abcdef")

// The known answer is the first block of GB/T 32907-2016, appendix A.1.
func TestEncrypt_KnownAnswer(t *testing.T) {
	plain, _ := hex.DecodeString("0123456789abcdeffedcba9876543210")
	got, err := Encrypt(plain, plain)
	if err != nil || hex.EncodeToString(got[:BlockSize]) != "681edf34d206965e86b3e94f536e4246" || len(got) != 2*BlockSize {
		t.Fatal(hex.EncodeToString(got), err)
	}
}

func TestDecrypt_TakesBackWhatEncryptDid(t *testing.T) {
	for n := range 49 {
		plain := bytes.Repeat([]byte{byte(n)}, n)
		secret, err := Encrypt(key, plain)
		if err != nil {
			t.Fatal(err)
		}
		if back, err := Decrypt(key, secret); err != nil || !bytes.Equal(back, plain) {
			t.Errorf("%d bytes: %x %v", n, back, err)
		}
	}
}

func TestDecrypt_RefusesWhatCannotBeRead(t *testing.T) {
	secret, _ := Encrypt(key, []byte("一段内容"))
	for name, c := range map[string]struct{ key, secret []byte }{
		"nothing": {key, nil}, "half a block": {key, secret[:9]}, "a short key": {key[:8], secret},
		"another key": {[]byte("fedcba9876543210"), secret},
	} {
		if plain, err := Decrypt(c.key, c.secret); !errors.Is(err, ErrCipher) {
			t.Errorf("%s: %q %v", name, plain, err)
		}
	}
	if _, err := Encrypt(key[:8], nil); err == nil {
		t.Error("a short key encrypts")
	}
}
