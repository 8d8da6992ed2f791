package store

import (
	"hospay/collections"
	"hospay/internal/vault"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

// KeyStore keeps the vault's wrapped data keys in the database.
type KeyStore struct{ App core.App }

var _ vault.KeyStore = KeyStore{}

// DataKeys returns all wrapped keys.
func (k KeyStore) DataKeys() ([]vault.DataKey, error) {
	var rows []struct {
		ID      uint32 `db:"key_id"`
		Purpose string `db:"purpose"`
		Alg     string `db:"alg"`
		KEK     string `db:"kek"`
		Wrapped string `db:"wrapped"`
	}
	if err := k.App.DB().Select("key_id", "purpose", "alg", "kek", "wrapped").From(collections.VaultKeys).All(&rows); err != nil {
		return nil, err
	}
	keys := make([]vault.DataKey, 0, len(rows))
	for _, r := range rows {
		keys = append(keys, vault.DataKey{ID: r.ID, Purpose: vault.Purpose(r.Purpose), Alg: r.Alg, KEK: r.KEK, Wrapped: r.Wrapped})
	}
	return keys, nil
}

// SaveDataKey inserts a key, or replaces how it is wrapped.
func (k KeyStore) SaveDataKey(key vault.DataKey) error {
	now := stamp(collections.Now(k.App))
	fixed := dbx.Params{"purpose": string(key.Purpose), "alg": key.Alg}
	return put(k.App.NonconcurrentDB(), collections.VaultKeys, dbx.Params{"key_id": key.ID}, fixed,
		dbx.Params{"kek": key.KEK, "wrapped": key.Wrapped, "updated": now})
}
