package vault

import (
	"crypto/sha256"
	"encoding/binary"
	"io"
)

// Backups seals and opens files that must be readable without any database: with
// the key file alone.
type Backups struct {
	current liveKey
	keys    map[uint32]liveKey
}

// Backups derives the keys of backups, one of each key-encryption key: an older
// file opens as long as the key file holds the key that it was made under.
func (k KeyFile) Backups() (*Backups, error) {
	if err := k.check(); err != nil {
		return nil, err
	}
	size := 16
	if k.Alg == AlgAES {
		size = 32
	}
	b := &Backups{keys: map[uint32]liveKey{}}
	for i, kek := range k.KEKs {
		raw, err := derive(kek.Key, "backup", size)
		if err != nil {
			return nil, err
		}
		name := sha256.Sum256([]byte("hospay|backup|" + kek.ID))
		key := liveKey{DataKey: DataKey{ID: binary.BigEndian.Uint32(name[:]), Alg: k.Alg}, raw: raw}
		b.keys[key.ID] = key
		if i == 0 {
			b.current = key
		}
	}
	return b, nil
}

// Backups derives the keys of backups from the vault's key file.
func (v *Vault) Backups() (*Backups, error) { return v.file.Backups() }

// SealTo is like Vault.SealTo. Place says what the file is.
func (b *Backups) SealTo(place string, w io.Writer) (io.WriteCloser, error) {
	return sealTo(b.current, place, w)
}

// OpenFrom is like Vault.OpenFrom; ErrKey where the key file lacks the key.
func (b *Backups) OpenFrom(place string, r io.Reader) (io.Reader, error) {
	return openFrom(func(id uint32) (liveKey, error) {
		k, ok := b.keys[id]
		if !ok {
			return k, ErrKey
		}
		return k, nil
	}, place, r)
}
