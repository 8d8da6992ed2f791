// Package signed reads requests of other programs that are signed with a key
// which both sides hold: a plain form with HMAC-SHA256 over what is sent, and a
// form with SM2 and SM4 as vendors of hospital systems use it. It keeps nothing:
// who calls it remembers the numbers that came before.
package signed

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Window is how far the time of a request may lie from ours, either way. A
// number that came before has to be remembered for twice as long.
const Window = 5 * time.Minute

// MinKey is how many bytes a key of the plain form has at least.
const MinKey = 32

// Errors of requests. A wrong time is told only to who has the key.
var (
	ErrSign  = errors.New("signature is missing or does not fit")
	ErrStamp = errors.New("time is too far from ours")
)

// The first line of what is signed names the form, so that no signature fits
// another one.
const plainForm = "HOSPAY-HMAC-SHA256"

// Request is what the plain form signs.
type Request struct {
	Method    string
	Path      string // as it was sent, with the query: /api/hospay/his/bills?date=2026-11-28
	Timestamp string // Unix seconds
	Nonce     string // 16 to 64 letters, digits, - and _
	Body      []byte
}

var (
	nonceForm = regexp.MustCompile(`^[A-Za-z0-9_-]{16,64}$`)
	stampForm = regexp.MustCompile(`^[0-9]{10}$`)
	hexForm   = regexp.MustCompile(`^[0-9a-f]{64}$`)
)

// Sign is the signature of a request: lower-case hex.
func (r Request) Sign(key []byte) string {
	return sum(key, plainForm, strings.ToUpper(r.Method), r.Path, r.Timestamp, r.Nonce, digest(r.Body))
}

// Verify checks the signature, then the time.
func (r Request) Verify(key []byte, signature string, now time.Time) error {
	if len(key) < MinKey || !nonceForm.MatchString(r.Nonce) || !stampForm.MatchString(r.Timestamp) || !hexForm.MatchString(signature) ||
		!hmac.Equal([]byte(r.Sign(key)), []byte(signature)) {
		return ErrSign
	}
	return near(r.Timestamp, now)
}

// Answer is the signature of an answer to a request: it cannot be that of
// another request, nor pass for a request.
func (r Request) Answer(key []byte, status int, stamp string, body []byte) string {
	return sum(key, plainForm+" ANSWER", r.Nonce, strconv.Itoa(status), stamp, digest(body))
}

func sum(key []byte, lines ...string) string {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(strings.Join(lines, "\n")))
	return hex.EncodeToString(mac.Sum(nil))
}

func digest(body []byte) string {
	d := sha256.Sum256(body)
	return hex.EncodeToString(d[:])
}

func near(stamp string, now time.Time) error {
	sec, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil || now.Sub(time.Unix(sec, 0)).Abs() > Window {
		return ErrStamp
	}
	return nil
}
