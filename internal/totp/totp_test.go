package totp

import (
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"hash"
	"strings"
	"testing"
	"time"
)

// TestCode_VectorsOfRFC6238 are those of its appendix B.
func TestCode_VectorsOfRFC6238(t *testing.T) {
	key := func(n int) []byte { return []byte(strings.Repeat("1234567890", 7)[:n]) }
	for _, c := range []struct {
		at   int64
		want [3]string
	}{
		{59, [3]string{"94287082", "46119246", "90693936"}},
		{1111111109, [3]string{"07081804", "68084774", "25091201"}},
		{1111111111, [3]string{"14050471", "67062674", "99943326"}},
		{1234567890, [3]string{"89005924", "91819424", "93441116"}},
		{2000000000, [3]string{"69279037", "90698825", "38618901"}},
		{20000000000, [3]string{"65353130", "77737706", "47863826"}},
	} {
		for i, h := range []func() hash.Hash{sha1.New, sha256.New, sha512.New} {
			if got := code(h, key([]int{20, 32, 64}[i]), Step(time.Unix(c.at, 0)), 8); got != c.want[i] {
				t.Errorf("%d, hash %d: %s, want %s", c.at, i, got, c.want[i])
			}
		}
	}
}

// TestCheck_OneStepAndNeverTwice allows one step of drift and no replay.
func TestCheck_OneStepAndNeverTwice(t *testing.T) {
	secret, now := NewSecret(), time.Unix(1_800_000_000, 0)
	for off, want := range map[int64]bool{-2: false, -1: true, 0: true, 1: true, 2: false} {
		pass, err := Code(secret, Step(now)+off)
		if err != nil {
			t.Fatal(err)
		}
		step, ok := Check(secret, pass, now, 0)
		if ok != want || (ok && step != Step(now)+off) {
			t.Errorf("step %d: %v", off, ok)
		}
		if _, again := Check(secret, pass, now, Step(now)+off); again {
			t.Errorf("step %d was taken twice", off)
		}
	}
	for _, bad := range []string{"", "12345", "1234567", "abcdef"} {
		if _, ok := Check(secret, bad, now, 0); ok {
			t.Errorf("%q passes", bad)
		}
	}
	if _, ok := Check("not base 32!", "000000", now, 0); ok {
		t.Error("a broken secret passes")
	}
}

// TestURI_IsReadByPhones names issuer and account.
func TestURI_IsReadByPhones(t *testing.T) {
	if got := URI("ABC", "演示 医院", "a@b.cn"); got != "otpauth://totp/%E6%BC%94%E7%A4%BA%20%E5%8C%BB%E9%99%A2:a@b.cn?algorithm=SHA1&digits=6&"+
		"issuer=%E6%BC%94%E7%A4%BA+%E5%8C%BB%E9%99%A2&period=30&secret=ABC" {
		t.Error(got)
	}
}
