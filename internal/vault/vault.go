package vault

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/emmansun/gmsm/sm4"
)

// Purpose separates data keys, so that one kind of data can be rotated or
// destroyed without the others.
type Purpose string

// The purposes.
const (
	Person  Purpose = "person"  // names, ID numbers, phones, payee accounts
	Secret  Purpose = "secret"  // channel and HIS keys
	Message Purpose = "message" // raw exchanges
	File    Purpose = "file"    // photos of proofs, bills, receipts
)

const (
	formatVersion = 1
	algSM4        = 1
	algAES        = 2
	headerLen     = 6
	nonceLen      = 12
)

// Errors of Open.
var (
	ErrFormat = errors.New("vault: not a sealed value")
	ErrKey    = errors.New("vault: key is not available")
	ErrOpen   = errors.New("vault: value does not open here")
)

// DataKey is a wrapped data key as it lies in the database.
type DataKey struct {
	ID      uint32
	Purpose Purpose
	Alg     string
	KEK     string
	Wrapped string
}

// KeyStore keeps wrapped data keys.
type KeyStore interface {
	DataKeys() ([]DataKey, error)
	SaveDataKey(DataKey) error
}

type liveKey struct {
	DataKey
	aead cipher.AEAD
	raw  []byte // from which the key of a stream is derived
}

// Vault seals and opens fields. It is safe for concurrent use.
type Vault struct {
	file  KeyFile
	store KeyStore
	index []byte

	mu      sync.RWMutex
	keys    map[uint32]liveKey
	current map[Purpose]uint32 // the newest key of each purpose
}

// Open unwraps the data keys of the store with the key file.
func Open(file KeyFile, store KeyStore) (*Vault, error) {
	if err := file.check(); err != nil {
		return nil, err
	}
	index, err := derive(file.IndexKey, "index", 32)
	if err != nil {
		return nil, err
	}
	v := &Vault{file: file, store: store, index: index}
	return v, v.Reload()
}

// Reload reads the data keys again, after a rotation by another process.
func (v *Vault) Reload() error {
	stored, err := v.store.DataKeys()
	if err != nil {
		return err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.keys, v.current = map[uint32]liveKey{}, map[Purpose]uint32{}
	for _, k := range stored {
		if err := v.add(k); err != nil {
			return err
		}
	}
	return nil
}

// add unwraps a key; v.mu is held.
func (v *Vault) add(k DataKey) error {
	raw, err := v.unwrap(k)
	if err != nil {
		return err
	}
	aead, err := newAEAD(k.Alg, raw)
	if err != nil {
		return err
	}
	v.keys[k.ID] = liveKey{DataKey: k, aead: aead, raw: raw}
	if k.ID > v.current[k.Purpose] {
		v.current[k.Purpose] = k.ID
	}
	return nil
}

// Rotate makes a new data key for a purpose. Old values stay readable; they
// move to the new key when they are sealed again.
func (v *Vault) Rotate(p Purpose) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.newKey(p)
}

func (v *Vault) newKey(p Purpose) error {
	var id uint32
	for have := range v.keys {
		id = max(id, have)
	}
	k := DataKey{ID: id + 1, Purpose: p, Alg: v.file.Alg, KEK: v.file.KEKs[0].ID}
	size := 16
	if k.Alg == AlgAES {
		size = 32
	}
	if err := v.wrap(&k, random(size)); err != nil {
		return err
	}
	if err := v.store.SaveDataKey(k); err != nil {
		return err
	}
	return v.add(k)
}

// Rewrap wraps every data key with the first key of the key file.
func (v *Vault) Rewrap() (int, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	n := 0
	for id, k := range v.keys {
		if k.KEK == v.file.KEKs[0].ID {
			continue
		}
		raw, err := v.unwrap(k.DataKey)
		if err != nil {
			return n, err
		}
		k.KEK = v.file.KEKs[0].ID
		if err := v.wrap(&k.DataKey, raw); err != nil {
			return n, err
		}
		if err := v.store.SaveDataKey(k.DataKey); err != nil {
			return n, err
		}
		v.keys[id] = k
		n++
	}
	return n, nil
}

// Seal encrypts a value for a row: place names collection, field and record id.
// The empty value stays empty.
func (v *Vault) Seal(p Purpose, place, plain string) (string, error) {
	if plain == "" {
		return "", nil
	}
	out, err := v.SealBytes(p, place, []byte(plain))
	if err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(out), nil
}

// SealBytes encrypts the content of a file for a row. What it returns is
// stored as it is.
func (v *Vault) SealBytes(p Purpose, place string, plain []byte) ([]byte, error) {
	k, err := v.keyFor(p)
	if err != nil {
		return nil, err
	}
	head := make([]byte, headerLen, headerLen+nonceLen+len(plain)+16)
	head[0], head[1] = formatVersion, algNumber(k.Alg)
	binary.BigEndian.PutUint32(head[2:], k.ID)
	nonce := random(nonceLen)
	out := append(head, nonce...)
	return k.aead.Seal(out, nonce, plain, aad(head, place)), nil
}

// Open decrypts what Seal made for the same place.
func (v *Vault) Open(place, sealed string) (string, error) {
	if sealed == "" {
		return "", nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(sealed)
	if err != nil {
		return "", ErrFormat
	}
	plain, err := v.OpenBytes(place, raw)
	return string(plain), err
}

// OpenBytes decrypts what SealBytes made for the same place.
func (v *Vault) OpenBytes(place string, raw []byte) ([]byte, error) {
	if len(raw) < headerLen+nonceLen+16 || raw[0] != formatVersion {
		return nil, ErrFormat
	}
	k, err := v.keyOf(binary.BigEndian.Uint32(raw[2:headerLen]))
	if err != nil {
		return nil, err
	}
	if raw[1] != algNumber(k.Alg) {
		return nil, ErrKey
	}
	nonce, body := raw[headerLen:headerLen+nonceLen], raw[headerLen+nonceLen:]
	plain, err := k.aead.Open(nil, nonce, body, aad(raw[:headerLen], place))
	if err != nil {
		return nil, ErrOpen
	}
	return plain, nil
}

// keyOf finds a data key by its number, also one that another process has made
// since the keys were read.
func (v *Vault) keyOf(id uint32) (liveKey, error) {
	v.mu.RLock()
	k, ok := v.keys[id]
	v.mu.RUnlock()
	if ok {
		return k, nil
	}
	if err := v.Reload(); err != nil {
		return k, err
	}
	v.mu.RLock()
	defer v.mu.RUnlock()
	if k, ok = v.keys[id]; !ok {
		return k, ErrKey
	}
	return k, nil
}

// Stale reports whether a sealed value uses an older key than a new one would.
func (v *Vault) Stale(p Purpose, sealed string) bool {
	raw, err := base64.RawURLEncoding.DecodeString(sealed)
	if sealed == "" || err != nil || len(raw) < headerLen {
		return false
	}
	v.mu.RLock()
	defer v.mu.RUnlock()
	return binary.BigEndian.Uint32(raw[2:headerLen]) != v.current[p]
}

// Index is the keyed blind index of a value: equal values of one domain have
// equal indexes, and nothing else can be read from them. The empty value has
// the empty index.
func (v *Vault) Index(domain, value string) string {
	if value == "" {
		return ""
	}
	m := hmac.New(hashOf(v.file.Alg), v.index)
	m.Write([]byte(domain + "|v1|" + value))
	return hex.EncodeToString(m.Sum(nil))
}

// Ensure makes the data keys of the purposes that have none yet. It is called
// once at start: Seal itself never writes, since it may run in a transaction.
func (v *Vault) Ensure(purposes ...Purpose) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, p := range purposes {
		if _, ok := v.current[p]; ok {
			continue
		}
		if err := v.newKey(p); err != nil {
			return err
		}
	}
	return nil
}

func (v *Vault) keyFor(p Purpose) (liveKey, error) {
	v.mu.RLock()
	defer v.mu.RUnlock()
	k, ok := v.keys[v.current[p]]
	if !ok {
		return liveKey{}, ErrKey
	}
	return k, nil
}

func (v *Vault) wrap(k *DataKey, raw []byte) error {
	aead, err := v.kekAEAD(k.KEK)
	if err != nil {
		return err
	}
	nonce := random(nonceLen)
	k.Wrapped = base64.RawURLEncoding.EncodeToString(aead.Seal(nonce, nonce, raw, k.aad()))
	return nil
}

func (v *Vault) unwrap(k DataKey) ([]byte, error) {
	aead, err := v.kekAEAD(k.KEK)
	if err != nil {
		return nil, err
	}
	raw, err := base64.RawURLEncoding.DecodeString(k.Wrapped)
	if err != nil || len(raw) < nonceLen {
		return nil, ErrFormat
	}
	plain, err := aead.Open(nil, raw[:nonceLen], raw[nonceLen:], k.aad())
	if err != nil {
		return nil, fmt.Errorf("数据密钥 %d 无法用密钥文件中的 %s 解开：%w", k.ID, k.KEK, ErrOpen)
	}
	return plain, nil
}

func (k DataKey) aad() []byte { return fmt.Appendf(nil, "data-key|%d|%s|%s", k.ID, k.Purpose, k.Alg) }

func (v *Vault) kekAEAD(id string) (cipher.AEAD, error) {
	for _, kek := range v.file.KEKs {
		if kek.ID == id {
			size := 16
			if v.file.Alg == AlgAES {
				size = 32
			}
			key, err := derive(kek.Key, "wrap", size)
			if err != nil {
				return nil, err
			}
			return newAEAD(v.file.Alg, key)
		}
	}
	return nil, fmt.Errorf("密钥文件中没有密钥 %s：%w", id, ErrKey)
}

func newAEAD(alg string, key []byte) (cipher.AEAD, error) {
	var block cipher.Block
	var err error
	if alg == AlgAES {
		block, err = aes.NewCipher(key)
	} else {
		block, err = sm4.NewCipher(key)
	}
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

func algNumber(alg string) byte {
	if alg == AlgAES {
		return algAES
	}
	return algSM4
}

func aad(head []byte, place string) []byte {
	return append(append([]byte{}, head...), place...)
}

// Place names where a sealed value lives.
func Place(collection, field, id string) string {
	return strings.Join([]string{collection, field, id}, "/")
}
