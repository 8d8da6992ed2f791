// Package totp makes and checks time-based one-time passwords (RFC 6238), as
// the usual phone apps make them: SHA-1, six digits, steps of 30 seconds.
package totp

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1"
	"crypto/subtle"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"hash"
	"net/url"
	"time"
)

const (
	digits     = 6
	period     = 30 // seconds
	secretSize = 20 // bytes, as RFC 4226 recommends
	drift      = 1  // steps that the other clock may be off
)

var encoding = base32.StdEncoding.WithPadding(base32.NoPadding)

// NewSecret returns a new secret in base 32.
func NewSecret() string {
	b := make([]byte, secretSize)
	_, _ = rand.Read(b) // never fails
	return encoding.EncodeToString(b)
}

// Step is the number of the time step of t.
func Step(t time.Time) int64 { return t.Unix() / period }

// Code is the password of a secret at a step.
func Code(secret string, step int64) (string, error) {
	key, err := encoding.DecodeString(secret)
	if err != nil {
		return "", fmt.Errorf("totp: secret: %w", err)
	}
	return code(sha1.New, key, step, digits), nil
}

// code is HOTP (RFC 4226 §5.3) over the step.
func code(h func() hash.Hash, key []byte, step int64, digits int) string {
	var counter [8]byte
	binary.BigEndian.PutUint64(counter[:], uint64(step))
	mac := hmac.New(h, key)
	mac.Write(counter[:])
	sum := mac.Sum(nil)
	at := sum[len(sum)-1] & 0x0f
	n := binary.BigEndian.Uint32(sum[at:at+4]) & 0x7fffffff
	mod := uint32(1)
	for range digits {
		mod *= 10
	}
	return fmt.Sprintf("%0*d", digits, n%mod)
}

// Check reports whether a password is right at t, one step early or late
// allowed, and which step it is of. Steps up to last have been used before and
// are refused (RFC 6238 §5.2).
func Check(secret, password string, t time.Time, last int64) (step int64, ok bool) {
	for s := Step(t) - drift; s <= Step(t)+drift; s++ {
		want, err := Code(secret, s)
		if err != nil {
			return 0, false
		}
		if s > last && subtle.ConstantTimeCompare([]byte(want), []byte(password)) == 1 {
			return s, true
		}
	}
	return 0, false
}

// URI is what a phone app reads from a QR code.
func URI(secret, issuer, account string) string {
	q := url.Values{"secret": {secret}, "issuer": {issuer}, "algorithm": {"SHA1"}, "digits": {fmt.Sprint(digits)},
		"period": {fmt.Sprint(period)}}
	return "otpauth://totp/" + url.PathEscape(issuer+":"+account) + "?" + q.Encode()
}
