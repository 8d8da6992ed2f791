// Package vault encrypts single fields at rest, makes keyed blind indexes for
// exact search, and masks personal data for people to see.
//
// A key file outside the data folder holds the key-encryption keys and the
// index key. Data keys, one per purpose, lie wrapped in the database. Every
// sealed value is bound to its row, so it does not open in another one.
package vault

import (
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
)

// Algorithms of sealed values; the number stands in each value's header.
const (
	AlgSM4 = "sm4" // SM4-GCM with HMAC-SM3 indexes (国密)
	AlgAES = "aes" // AES-256-GCM with HMAC-SHA-256 indexes
)

// KeyFile is the content of the key file: it never enters the database, a
// backup or a log.
type KeyFile struct {
	Version  int    `json:"version"`
	Alg      string `json:"alg"`
	Demo     bool   `json:"demo,omitempty"` // refused in production
	KEKs     []KEK  `json:"keks"`           // the first one wraps, all of them unwrap
	IndexKey []byte `json:"index_key"`
}

// KEK is a key-encryption key.
type KEK struct {
	ID  string `json:"id"`
	Key []byte `json:"key"`
}

// NewKeyFile makes fresh keys.
func NewKeyFile(alg string, demo bool) KeyFile {
	return KeyFile{Version: 1, Alg: alg, Demo: demo, KEKs: []KEK{newKEK("k1")}, IndexKey: random(32)}
}

func newKEK(id string) KEK { return KEK{ID: id, Key: random(32)} }

// AddKEK puts a new key first; the older ones stay to unwrap what they wrapped,
// and to check the audit log that was written under them. No name comes twice,
// also where an old key was taken out.
func (k *KeyFile) AddKEK() {
	last := len(k.KEKs)
	for _, kek := range k.KEKs {
		if n, err := strconv.Atoi(strings.TrimPrefix(kek.ID, "k")); err == nil {
			last = max(last, n)
		}
	}
	k.KEKs = append([]KEK{newKEK(fmt.Sprintf("k%d", last+1))}, k.KEKs...)
}

// ReadKeyFile reads and checks a key file. Its mode must keep everybody but the
// owner out.
func ReadKeyFile(path string) (KeyFile, error) {
	info, err := os.Stat(path)
	if err != nil {
		return KeyFile{}, fmt.Errorf("密钥文件无法读取：%w", err)
	}
	if runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		return KeyFile{}, fmt.Errorf("密钥文件 %s 的权限是 %04o，必须只允许属主读取（0400）", path, info.Mode().Perm())
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return KeyFile{}, fmt.Errorf("密钥文件无法读取：%w", err)
	}
	var k KeyFile
	if err := json.Unmarshal(data, &k); err != nil {
		return KeyFile{}, fmt.Errorf("密钥文件 %s 不是有效的 JSON", path)
	}
	return k, k.check()
}

// Write stores the key file with mode 0400. It replaces an existing file as a
// whole, never in place.
func (k KeyFile) Write(path string) error {
	data, err := json.MarshalIndent(k, "", "  ")
	if err != nil {
		return err
	}
	tmp := path + ".new"
	_ = os.Remove(tmp)
	if err := os.WriteFile(tmp, data, 0o400); err != nil {
		return err
	}
	return os.Rename(tmp, path)
}

func (k KeyFile) check() error {
	if k.Version != 1 || (k.Alg != AlgSM4 && k.Alg != AlgAES) || len(k.KEKs) == 0 || len(k.IndexKey) < 32 {
		return errors.New("密钥文件内容不完整：需要 version、alg、keks、index_key")
	}
	for _, kek := range k.KEKs {
		if len(kek.Key) != 32 || kek.ID == "" {
			return errors.New("密钥文件中的密钥长度不对")
		}
	}
	return nil
}

// derive cuts a key of n bytes out of a master key, for one use.
func derive(master []byte, use string, n int) ([]byte, error) {
	return hkdf.Key(sha256.New, master, nil, "hospay|"+use, n)
}

func random(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails since Go 1.24
	return b
}
