//go:build dqlite

package cluster

import "testing"

// TestUnsent_HoweverItIsWritten: a change that the engine would keep to one node is
// refused, whatever stands behind its first word.
func TestUnsent_HoweverItIsWritten(t *testing.T) {
	outside, inside := &conn{}, &conn{inTx: true}
	for query, refused := range map[string]bool{
		"INSERT INTO t (v) VALUES (1) RETURNING v": true, "insert\n\tinto t (v) VALUES (1) RETURNING v": true,
		" UPDATE\tt SET v = 1 RETURNING v": true, "DELETE\nFROM t RETURNING v": true, "SELECT\n(SELECT 1)": false, "SELECT 1": false,
	} {
		if err := outside.unsent(query); (err != nil) != refused {
			t.Errorf("outside of a transaction, %q: %v", query, err)
		}
		if err := inside.unsent(query); err != nil {
			t.Errorf("inside of one, %q: %v", query, err)
		}
	}
}
