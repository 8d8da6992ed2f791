package vault

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"hash"

	"github.com/emmansun/gmsm/sm3"
)

// Chain makes and checks the keyed hashes of a log that somebody who writes to
// the database must not be able to make. Its keys are derived from the
// key-encryption keys and lie nowhere: it needs the key file and no database.
type Chain struct {
	current string
	keys    map[string][]byte // by the name of the key-encryption key
	hash    func() hash.Hash
}

// Chain derives the keys of a log. A hash names the key-encryption key that it
// was made under, so that older ones stay verifiable as long as the file holds
// their key.
func (k KeyFile) Chain() (*Chain, error) {
	if err := k.check(); err != nil {
		return nil, err
	}
	c := &Chain{current: k.KEKs[0].ID, keys: map[string][]byte{}, hash: hashOf(k.Alg)}
	for _, kek := range k.KEKs {
		key, err := derive(kek.Key, "chain", 32)
		if err != nil {
			return nil, err
		}
		c.keys[kek.ID] = key
	}
	return c, nil
}

// Chain derives the keys of a log from the vault's key file.
func (v *Vault) Chain() (*Chain, error) { return v.file.Chain() }

// Current names the key under which new hashes are made.
func (c *Chain) Current() string { return c.current }

// Sum is the keyed hash of a text under a named key; false where the key file
// holds no such key.
func (c *Chain) Sum(key, text string) (string, bool) {
	secret, ok := c.keys[key]
	if !ok {
		return "", false
	}
	m := hmac.New(c.hash, secret)
	m.Write([]byte(text))
	return hex.EncodeToString(m.Sum(nil)), true
}

func hashOf(alg string) func() hash.Hash {
	if alg == AlgSM4 {
		return sm3.New
	}
	return sha256.New
}
