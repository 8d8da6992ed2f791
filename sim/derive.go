package sim

import (
	"crypto/rsa"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/big"
)

// stream is an endless run of bytes that depends on a label alone.
type stream struct {
	label string
	n     uint64
}

// next returns n bytes, n being a multiple of 32.
func (s *stream) next(n int) []byte {
	var out []byte
	for len(out) < n {
		block := binary.BigEndian.AppendUint64([]byte(s.label), s.n)
		sum := sha256.Sum256(block)
		out = append(out, sum[:]...)
		s.n++
	}
	return out[:n]
}

// Seed returns 32 bytes that depend on a name alone; what is made of them is as
// public as this file.
func Seed(name string) []byte {
	return (&stream{label: "hospay simulator key v1|" + name + "|"}).next(32)
}

// deriveKey makes the RSA-2048 key of a name.
func deriveKey(name string) (*rsa.PrivateKey, error) {
	s := &stream{label: "hospay simulator key v1|" + name + "|"}
	p, q := s.prime(), s.prime()
	one := big.NewInt(1)
	p1, q1 := new(big.Int).Sub(p, one), new(big.Int).Sub(q, one)
	lambda := new(big.Int).Mul(p1, q1)
	lambda.Div(lambda, new(big.Int).GCD(nil, nil, p1, q1))
	key := &rsa.PrivateKey{
		PublicKey: rsa.PublicKey{N: new(big.Int).Mul(p, q), E: publicExponent},
		D:         new(big.Int).ModInverse(big.NewInt(publicExponent), lambda), Primes: []*big.Int{p, q},
	}
	key.Precompute()
	if err := key.Validate(); err != nil {
		return nil, fmt.Errorf("simulator key %s: %w", name, err)
	}
	return key, nil
}

const (
	publicExponent = 65537
	sieveTo        = 1 << 13
)

// smallPrimes are the odd primes that sort out most candidates cheaply.
var smallPrimes = sieve(sieveTo)

func sieve(n int) []uint64 {
	composite := make([]bool, n)
	var out []uint64
	for i := 3; i < n; i += 2 {
		if composite[i] {
			continue
		}
		out = append(out, uint64(i))
		for k := i * i; k < n; k += 2 * i {
			composite[k] = true
		}
	}
	return out
}

// prime finds the first fit 1024-bit prime from a point of the stream on. Its
// two top bits are set, so that two of them have a product of 2048 bits.
func (s *stream) prime() *big.Int {
	for {
		raw := s.next(128)
		raw[0] |= 0xc0
		raw[127] |= 1
		if p := primeFrom(new(big.Int).SetBytes(raw)); p != nil {
			return p
		}
	}
}

func primeFrom(start *big.Int) *big.Int {
	rest := make([]uint64, len(smallPrimes))
	m := new(big.Int)
	for i, p := range smallPrimes {
		rest[i] = m.Mod(start, m.SetUint64(p)).Uint64()
	}
	candidate, e := new(big.Int), big.NewInt(publicExponent)
	for step := uint64(0); step < 1<<16; step += 2 {
		if divisible(rest, step) {
			continue
		}
		candidate.Add(start, m.SetUint64(step))
		coprime := new(big.Int).Mod(m.Sub(candidate, big.NewInt(1)), e).Sign() != 0
		if coprime && candidate.BitLen() == 1024 && candidate.ProbablyPrime(4) {
			return new(big.Int).Set(candidate)
		}
	}
	return nil
}

func divisible(rest []uint64, step uint64) bool {
	for i, p := range smallPrimes {
		if (rest[i]+step)%p == 0 {
			return true
		}
	}
	return false
}
