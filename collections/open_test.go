package collections

import "testing"

func TestOlder_ComparesNumbersNotText(t *testing.T) {
	rising := []string{"0.1.0-dev", "0.1.0", "0.2.0-dev", "0.2.0", "0.10.0", "1.0.0", "1.0.1-dev", "12.0.0"}
	for i, a := range rising {
		for j, b := range rising {
			if older(a, b) != (i < j) {
				t.Errorf("older(%s, %s) is %v", a, b, older(a, b))
			}
		}
	}
}
