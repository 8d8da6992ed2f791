package store

import (
	"crypto/rand"
	"encoding/base32"
	"slices"
	"strings"
	"time"

	"hospay/flow"
	"hospay/internal/totp"
	"hospay/internal/vault"

	"github.com/pocketbase/pocketbase/core"
)

const (
	recoveryCodes = 10
	recoverySize  = 10 // bytes: 80 bits, beyond guessing
)

// TOTPSecret returns the secret that a staff member is about to enrol, the
// same until it is confirmed. One that is confirmed is told to nobody.
func (s *Store) TOTPSecret(staff *core.Record) (string, error) {
	secret := ""
	err := s.secure(staff, func(_ core.App, row *Security) error {
		if row.On {
			return flow.ErrConflict
		}
		var err error
		if secret, err = s.vault.Open(totpPlace(row.ID), row.Sealed); err != nil || secret != "" {
			return err
		}
		secret = totp.NewSecret()
		row.LastStep = 0
		row.Sealed, err = s.vault.Seal(vault.Secret, totpPlace(row.ID), secret)
		return err
	})
	return secret, err
}

// ConfirmTOTP turns the second factor on with a first right code, and returns
// the recovery codes, which are kept as indexes only.
func (s *Store) ConfirmTOTP(staff *core.Record, code, address string, now time.Time) ([]string, error) {
	var codes []string
	err := s.secure(staff, func(tx core.App, row *Security) error {
		if row.On || row.Sealed == "" {
			return flow.ErrConflict
		}
		if err := s.useCode(row, code, now); err != nil {
			return err
		}
		row.On = true
		var indexes []string
		for range recoveryCodes {
			c := newRecoveryCode()
			codes, indexes = append(codes, c), append(indexes, s.recoveryIndex(row.ID, c))
		}
		row.Recovery = []byte(jsonText(indexes))
		return Audit(tx, AuditEntry{Institution: staff.GetString("institution"), ActorKind: "staff", Actor: staff.Id, Action: "staff.totp_on",
			Target: staff.Id, Address: address})
	})
	return codes, err
}

// UseTOTP takes a code of the app, or a recovery code, once.
func (s *Store) UseTOTP(staff *core.Record, code, address string, now time.Time) error {
	return s.secure(staff, func(tx core.App, row *Security) error {
		if !row.On {
			return flow.NewError(CodeTOTPInvalid, "")
		}
		left := row.indexes()
		at := slices.Index(left, s.recoveryIndex(row.ID, code))
		if at < 0 {
			return s.useCode(row, code, now)
		}
		row.Recovery = []byte(jsonText(slices.Delete(left, at, at+1)))
		return Audit(tx, AuditEntry{
			Institution: staff.GetString("institution"), ActorKind: "staff", Actor: staff.Id, Action: "staff.recovery_code", Target: staff.Id,
			Address: address,
			Details: map[string]any{"left": len(left) - 1},
		})
	})
}

// useCode checks a code of the app and marks its step as used.
func (s *Store) useCode(row *Security, code string, now time.Time) error {
	secret, err := s.vault.Open(totpPlace(row.ID), row.Sealed)
	if err != nil {
		return err
	}
	step, ok := totp.Check(secret, strings.TrimSpace(code), now, row.LastStep)
	if !ok {
		return flow.NewError(CodeTOTPInvalid, "")
	}
	row.LastStep = step
	return nil
}

// newRecoveryCode is 16 characters in groups of four.
func newRecoveryCode() string {
	b := make([]byte, recoverySize)
	_, _ = rand.Read(b) // never fails
	c := base32.StdEncoding.EncodeToString(b)
	return c[:4] + "-" + c[4:8] + "-" + c[8:12] + "-" + c[12:]
}

// recoveryIndex is the keyed hash of a recovery code, bound to its row.
func (s *Store) recoveryIndex(id, code string) string {
	plain := strings.ToUpper(strings.NewReplacer("-", "", " ", "").Replace(code))
	if plain == "" {
		return ""
	}
	return s.vault.Index("recovery|"+id, plain)
}
