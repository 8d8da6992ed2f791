package store

import (
	"database/sql"
	"errors"

	"hospay/collections"
	"hospay/internal/vault"
)

// errIndex says that searches would find nobody, and one person behind two
// accounts would no longer show.
var errIndex = errors.New("密钥文件中的 index_key 与这个数据目录原来用的不同：按证件号、账号查找会全部落空，同一个人也认不出来。请换回原来的密钥文件")

// KeepIndex refuses a key file whose index key is not the one that the folder's
// blind indexes were made with, and remembers the first one.
func (s *Store) KeepIndex() error {
	var row struct {
		ID     string `db:"id"`
		Sealed string `db:"id_no_sealed"`
		Index  string `db:"id_index"`
	}
	mark := s.vault.Index("mark", "hospay")
	same, known, err := collections.IndexMark(s.app, mark)
	if err != nil || known {
		if err == nil && !same {
			err = errIndex
		}
		return err
	}
	// A folder of an older program has not told its mark: a person of it tells.
	err = s.app.ConcurrentDB().NewQuery("SELECT id, id_no_sealed, id_index FROM patients WHERE id_no_sealed != '' AND id_index != '' LIMIT 1").
		One(&row)
	switch {
	case errors.Is(err, sql.ErrNoRows):
	case err != nil:
		return err
	default:
		plain, err := s.vault.Open(vault.Place(collections.Patients, "id_no", row.ID), row.Sealed)
		if err != nil {
			return err
		}
		if s.PersonIndex(plain) != row.Index {
			return errIndex
		}
	}
	return collections.KeepIndexMark(s.app, mark)
}
