package flow

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
)

// CallNo derives the number of an outside call from the order number: D debit,
// V reversal (撤销), T payout; two digits of attempt.
func CallNo(orderNo string, letter byte, attempt int) string {
	return fmt.Sprintf("%s%c%02d", orderNo, letter, attempt)
}

// Fingerprint is the hash of a call's business content, stored with its intent.
// It says nothing to anybody without the content.
func Fingerprint(parts []string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:16])
}
