package house

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// alike is how a program would compare two persons, or refuse as the rule of
// two people does.
var alike = regexp.MustCompile(`\.Same\(|\b[Ss]amePerson\(|person_index"\) [!=]= [^"]|[!=]= [^"]*GetString\("person_index"\)` +
	`|Error\((flow\.|config\.|books\.)?Code(SamePerson|ProposerGone|Self|SecondPerson),`)

// comparing says who compares persons outside people/, and why that is not the
// rule of two people.
var comparing = map[string]string{
	"config/propose.go":      "nobody changes the own account",
	"hooks/staff/account.go": "nobody takes away the own second factor",
	"store/elsewhere.go":     "one person's accounts in two institutions are joined",
	"refund/review.go":       "the second review is by another than the first, who need not be there any more",
}

// TestPeople_TheRuleOfTwoStandsOnce in people/: who else compares persons has
// written it again.
func TestPeople_TheRuleOfTwoStandsOnce(t *testing.T) {
	seen := map[string]bool{}
	for _, path := range goFiles(t) {
		if strings.HasSuffix(path, "_test.go") || strings.HasPrefix(path, "people/") || strings.HasPrefix(path, "sim/") {
			continue
		}
		body, err := os.ReadFile(filepath.Join("../..", path))
		if err != nil {
			t.Fatal(err)
		}
		for i, line := range strings.Split(string(body), "\n") {
			if !alike.MatchString(line) {
				continue
			}
			if seen[path] = true; comparing[path] == "" {
				t.Errorf("%s:%d compares persons; the rule of two people is people.Rule: %s", path, i+1, strings.TrimSpace(line))
			}
		}
	}
	for path, why := range comparing {
		if !seen[path] {
			t.Errorf("%s compares no persons any more (%s)", path, why)
		}
	}
}
