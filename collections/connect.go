package collections

import (
	"path/filepath"
	"strings"

	"hospay/internal/cluster"
	"hospay/internal/prepared"

	"github.com/pocketbase/dbx"
)

// Connect opens a PocketBase database. The data file commits with
// synchronous=FULL, so that a committed intent survives a power cut; the log
// file keeps the faster default. recursive_triggers makes the triggers against
// deletion see REPLACE as well. Transactions ask for the writer when they begin:
// SQLite refuses at once, whatever busy_timeout says, one that has read already
// while somebody else holds the writer, be it for a moment. Of a folder that belongs
// to a cluster the data lie there.
func Connect(path string) (*dbx.DB, error) {
	if dir, name := filepath.Split(path); name == cluster.Database && cluster.Member(dir) {
		db, err := cluster.Open(dir)
		if err != nil {
			return nil, err
		}
		return dbx.NewFromDB(db, "sqlite"), nil
	}
	sync := "FULL"
	if strings.HasSuffix(path, "auxiliary.db") {
		sync = "NORMAL"
	}
	pragmas := "?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=journal_size_limit(200000000)&_pragma=synchronous(" + sync +
		")&_pragma=foreign_keys(ON)&_pragma=recursive_triggers(ON)&_pragma=temp_store(MEMORY)&_pragma=cache_size(-32000)&_defensive=1&" +
		"_txlock=immediate"
	db, err := prepared.Open(path + pragmas)
	if err != nil {
		return nil, err
	}
	return dbx.NewFromDB(db, "sqlite"), nil
}
