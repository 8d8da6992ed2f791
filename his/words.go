package his

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
)

var (
	codeForm = regexp.MustCompile(`^[A-Za-z0-9_.:-]{1,40}$`)
	longRun  = regexp.MustCompile(`[0-9]{7,}[Xx]?`)
	labelled = regexp.MustCompile(`(姓名|患者|病人|持卡人|证件号|身份证号?|电话|手机号?)\s*[:：=]\s*[^\s,，;；。]+`)
)

// personal are the placeholders that say who somebody is.
var personal = []string{"name", "id_no", "patient_no", "cert_no", "ec_token"}

// safeCode returns a code that is not in any list, unless it looks like
// something else: a wrong path may point at a name or an ID number.
func safeCode(s string) string {
	if s == "" {
		return "none"
	}
	if !codeForm.MatchString(s) || longRun.MatchString(s) {
		return "unreadable"
	}
	return s
}

// safeMessage shortens the HIS's words and takes out what could be personal:
// long numbers, labelled names and everything secret that was sent.
func safeMessage(s string, sent map[string]string) string {
	for k, v := range sent {
		if len(v) > 3 && (slices.Contains(personal, k) || strings.HasPrefix(k, "secret.")) {
			s = strings.ReplaceAll(s, v, "***")
		}
	}
	s = labelled.ReplaceAllString(s, "$1:***")
	s = longRun.ReplaceAllString(s, "***")
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, s)
	if r := []rune(s); len(r) > 100 {
		s = string(r[:100])
	}
	return strings.TrimSpace(s)
}
