package sim_test

import (
	"crypto/sha256"
	"crypto/x509/pkix"
	"encoding/hex"
	"testing"

	"hospay/sim"
)

// The prints are fixed: another process and another machine must derive the
// same key and certificate.
func TestKeys_AreFixedByName(t *testing.T) {
	k := sim.SharedKeys()
	key, err := k.RSA("test-key")
	if err != nil {
		t.Fatal(err)
	}
	if key.N.BitLen() != 2048 || key.Primes[0].Cmp(key.Primes[1]) == 0 {
		t.Fatal(key.N.BitLen())
	}
	if got, want := print8(sim.PrivatePEM(key)), "3de20d0a"; got != want {
		t.Errorf("key %s, want %s", got, want)
	}
	cert, err := k.Cert("test-cert", sim.CertSpec{Subject: pkix.Name{CommonName: "test"}, Serial: 1, Key: "test-key"})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := print8(cert.PEM), "ef37201e"; got != want {
		t.Errorf("certificate %s, want %s", got, want)
	}
	other, err := k.RSA("test-key-2")
	if err != nil || other.Equal(key) {
		t.Error("names must make different keys", err)
	}
	if sig := sim.Sign(key, []byte("x")); !sim.Verify(&key.PublicKey, []byte("x"), sig) || sim.Verify(&other.PublicKey, []byte("x"), sig) {
		t.Error("sign and verify")
	}
	if _, err := k.Cert("orphan", sim.CertSpec{Key: "test-key", CA: "nobody", CAKey: "test-key"}); err == nil {
		t.Error("a certificate needs its issuer")
	}
}

func print8(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:4])
}
