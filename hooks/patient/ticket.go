package patient

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Ticket is what the hospital's portal says about the person it sends: a
// base64url JSON object and its HMAC-SHA256 under the shared secret, joined by
// a dot.
type Ticket struct {
	Issuer       string `json:"iss"`
	Institution  string `json:"inst"`
	Subject      string `json:"sub"`
	IDType       string `json:"id_type"`
	IDNo         string `json:"id_no"`
	Name         string `json:"name"`
	Phone        string `json:"phone"`
	Via          string `json:"via"`
	WechatOpenID string `json:"openid"`
	WechatAppID  string `json:"app_id"` // of which application the openid is; empty: of the first one
	AlipayUserID string `json:"alipay_user_id"`
	IssuedAt     int64  `json:"iat"`
	ExpiresAt    int64  `json:"exp"`
	ID           string `json:"jti"`
}

// realTime judges the life of tickets: the portal is another machine, and what
// its clock shows is no business of ours to move.
var realTime = time.Now

// Errors of tickets.
var (
	errTicketInvalid = errors.New("ticket_invalid")
	errTicketExpired = errors.New("ticket_expired")
	errTicketOdd     = errors.New("bad_request")
)

const (
	maxTicket     = 4096
	maxTicketLife = 15 * time.Minute
	clockSkew     = time.Minute
)

// readTicket splits a ticket and reads its claims without believing them: the
// institution that it names decides which secret must have signed it.
func readTicket(s string) (t Ticket, signed, sum string, err error) {
	if len(s) > maxTicket {
		return t, "", "", errTicketInvalid
	}
	signed, sum, ok := strings.Cut(s, ".")
	if !ok {
		return t, "", "", errTicketInvalid
	}
	body, err := base64.RawURLEncoding.DecodeString(signed)
	if err != nil || json.Unmarshal(body, &t) != nil {
		return Ticket{}, "", "", errTicketInvalid
	}
	return t, signed, sum, nil
}

// verifyTicket checks signature, life and required claims.
func verifyTicket(t Ticket, signed, sum, secret string, now time.Time) error {
	if len(secret) < 16 {
		return errTicketInvalid
	}
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(signed))
	given, err := base64.RawURLEncoding.DecodeString(sum)
	if err != nil || !hmac.Equal(given, mac.Sum(nil)) {
		return errTicketInvalid
	}
	issued, expires := time.Unix(t.IssuedAt, 0), time.Unix(t.ExpiresAt, 0)
	switch {
	case t.Subject == "" || t.ID == "" || t.Name == "" || t.IDNo == "":
		return errTicketInvalid
	case expires.Sub(issued) > maxTicketLife, issued.After(now.Add(clockSkew)):
		return errTicketInvalid
	case !now.Before(expires):
		return errTicketExpired
	}
	return t.odd()
}

// odd refuses claims that no patient can have, though they are signed: longer
// than what is kept, or with characters that nobody sees.
func (t Ticket) odd() error {
	for text, limit := range map[*string]int{
		&t.Subject: 64, &t.ID: 200, &t.Name: 60, &t.IDNo: 40, &t.IDType: 4, &t.Phone: 40, &t.WechatOpenID: 128,
		&t.WechatAppID: 64, &t.AlipayUserID: 128,
	} {
		if utf8.RuneCountInString(*text) > limit || !utf8.ValidString(*text) || strings.ContainsFunc(*text, unicode.IsControl) {
			return errTicketOdd
		}
	}
	if strings.Contains(t.WechatOpenID, ":") { // none is written so; its application is told by app_id
		return errTicketOdd
	}
	return nil
}
