package main

import (
	"cmp"
	"maps"
	"os"
	"path/filepath"
	"slices"
)

// sizes tells how many bytes each table takes in the database, its indexes
// included. A page counts for what it holds. Of a database that years have filled
// nothing is told: every page would be read.
func (b *bench) sizes() (map[string]int, error) {
	if info, err := os.Stat(filepath.Join(b.dir, "data.db")); err != nil || info.Size() > 256<<20 {
		return nil, err
	}
	db, err := openData(b.dir)
	if err != nil {
		return nil, err
	}
	defer db.Close()
	var rows []struct {
		Name  string `db:"name"`
		Bytes int    `db:"bytes"`
	}
	err = db.NewQuery("SELECT COALESCE(m.tbl_name, s.name) AS name, SUM(s.pgsize - s.unused) AS bytes FROM dbstat s " +
		"LEFT JOIN sqlite_schema m ON m.name = s.name GROUP BY 1").All(&rows)
	out := map[string]int{}
	for _, r := range rows {
		out[r.Name] = r.Bytes
	}
	return out, err
}

// tellSize tells what n orders have added to each table.
func (b *bench) tellSize(n int, before map[string]int) error {
	after, err := b.sizes()
	if err != nil || before == nil || after == nil {
		return err
	}
	sum := 0
	for name, bytes := range after {
		after[name] = bytes - before[name]
		sum += after[name]
	}
	for _, name := range slices.SortedFunc(maps.Keys(after), func(a, b string) int { return cmp.Compare(after[b], after[a]) }) {
		if after[name] > sum/50 {
			b.add("database, a settled order, "+name, float64(after[name])/float64(n), "bytes", "")
		}
	}
	b.add("database, a settled order, all tables and indexes", float64(sum)/float64(n), "bytes", "")
	return nil
}
