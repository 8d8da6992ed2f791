package vault_test

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"runtime"
	"testing"

	"hospay/internal/vault"
)

func fileVault(t testing.TB, alg string) *vault.Vault {
	t.Helper()
	v, err := vault.Open(vault.NewKeyFile(alg, true), memory{})
	if err == nil {
		err = v.Ensure(vault.File)
	}
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func sealFile(t testing.TB, v *vault.Vault, place string, plain []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := v.SealTo(vault.File, place, &out)
	if err == nil {
		_, err = w.Write(plain)
	}
	if err = errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func openFile(v *vault.Vault, place string, sealed []byte) ([]byte, error) {
	r, err := v.OpenFrom(place, bytes.NewReader(sealed))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(r)
}

// TestStream_EverySizeComesBack goes around the edges of the chunks.
func TestStream_EverySizeComesBack(t *testing.T) {
	const chunk = 64 << 10
	for _, alg := range []string{vault.AlgSM4, vault.AlgAES} {
		v := fileVault(t, alg)
		for _, size := range []int{0, 1, 15, chunk - 1, chunk, chunk + 1, 2*chunk - 1, 2 * chunk, 2*chunk + 1, 5*chunk + 77} {
			plain := make([]byte, size)
			for i := range plain {
				plain[i] = byte(rand.IntN(256))
			}
			sealed := sealFile(t, v, "a", plain)
			if !vault.Sealed(sealed) || (size > 15 && bytes.Contains(sealed, plain[:16])) {
				t.Fatalf("%s %d: not sealed", alg, size)
			}
			if got, err := openFile(v, "a", sealed); err != nil || !bytes.Equal(got, plain) {
				t.Fatalf("%s %d: %d bytes back, %v", alg, size, len(got), err)
			}
			if got, err := openFile(v, "b", sealed); !errors.Is(err, vault.ErrStream) || len(got) > 0 {
				t.Fatalf("%s %d: another row reads %d bytes, %v", alg, size, len(got), err)
			}
		}
	}
}

// TestStream_NothingIsMovedCutOrChanged changes every part of a file of three
// chunks.
func TestStream_NothingIsMovedCutOrChanged(t *testing.T) {
	v := fileVault(t, vault.AlgSM4)
	const chunk, sealedChunk = 64 << 10, 64<<10 + 16
	plain := bytes.Repeat([]byte("账单"), (2*chunk+500)/6)
	sealed := sealFile(t, v, "a", plain)
	head := len(sealed) - (2*sealedChunk + len(plain) - 2*chunk + 16)
	cut := func(n int) []byte { return sealed[:n] }
	part := func(i int) []byte { return sealed[head+i*sealedChunk : min(head+(i+1)*sealedChunk, len(sealed))] }
	join := func(parts ...[]byte) []byte { return bytes.Join(append([][]byte{sealed[:head]}, parts...), nil) }
	bad := map[string][]byte{
		"empty": {}, "head alone": cut(head), "cut after a chunk": cut(head + sealedChunk), "cut after two": cut(head + 2*sealedChunk),
		"cut in a chunk": cut(head + sealedChunk + 100), "one byte less": cut(len(sealed) - 1), "one more": append(bytes.Clone(sealed), 0),
		"swapped": join(part(1), part(0), part(2)), "left out": join(part(0), part(2)), "doubled": join(part(0), part(0), part(1), part(2)),
		"last alone": join(part(2)),
	}
	for _, at := range []int{0, 3, 9, 14, head, head + 5, head + sealedChunk, head + 2*sealedChunk, len(sealed) - 1} {
		c := bytes.Clone(sealed)
		c[at] ^= 1
		bad["changed at "+string(rune('a'+len(bad)))] = c
	}
	for name, data := range bad {
		if got, err := openFile(v, "a", data); err == nil || bytes.Equal(got, plain) {
			t.Errorf("%s: opened, %d bytes", name, len(got))
		}
	}
}

// TestStream_MemoryIsThatOfAChunk seals and opens 64 MB.
func TestStream_MemoryIsThatOfAChunk(t *testing.T) {
	v := fileVault(t, vault.AlgSM4)
	pr, pw := io.Pipe()
	go func() {
		w, err := v.SealTo(vault.File, "a", pw)
		if err == nil {
			_, err = io.Copy(w, io.LimitReader(zeros{}, 64<<20))
		}
		pw.CloseWithError(errors.Join(err, w.Close()))
	}()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	r, err := v.OpenFrom("a", pr)
	if err != nil {
		t.Fatal(err)
	}
	n, err := io.Copy(io.Discard, r)
	runtime.ReadMemStats(&after)
	if used := after.TotalAlloc - before.TotalAlloc; err != nil || n != 64<<20 || used > 4<<20 {
		t.Errorf("%d bytes, %v, %d allocated", n, err, used)
	}
}

type zeros struct{}

// Read implements io.Reader.
func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// TestChain_NeedsTheKeyFileAlone: the same file makes the same hashes, another
// one others, and hashes from before a rotation stay verifiable.
func TestChain_NeedsTheKeyFileAlone(t *testing.T) {
	file := vault.NewKeyFile(vault.AlgSM4, true)
	c, err := file.Chain()
	if err != nil {
		t.Fatal(err)
	}
	sum, ok := c.Sum(c.Current(), "row")
	if other, _ := c.Sum(c.Current(), "row2"); !ok || len(sum) != 64 || sum == other {
		t.Fatalf("%v %q %q", ok, sum, other)
	}
	old := c.Current()
	file.AddKEK()
	c, err = file.Chain()
	if err != nil {
		t.Fatal(err)
	}
	again, ok := c.Sum(old, "row")
	if now, _ := c.Sum(c.Current(), "row"); !ok || again != sum || now == sum || c.Current() == old {
		t.Errorf("after a rotation %q under %s, %q under %s", again, old, now, c.Current())
	}
	file.KEKs = file.KEKs[:1] // somebody has taken the old one out
	file.AddKEK()
	if file.KEKs[0].ID == file.KEKs[1].ID {
		t.Errorf("two keys are called %s", file.KEKs[0].ID)
	}
	stranger, err := vault.NewKeyFile(vault.AlgSM4, true).Chain()
	if err != nil {
		t.Fatal(err)
	}
	if foreign, _ := stranger.Sum(old, "row"); foreign == sum {
		t.Error("another key file makes the same hash")
	}
	if _, ok := c.Sum("none", "row"); ok {
		t.Error("a key that is not there makes a hash")
	}
}
