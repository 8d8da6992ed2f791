package vault_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hospay/internal/vault"
)

type memory map[uint32]vault.DataKey

func (m memory) DataKeys() ([]vault.DataKey, error) {
	var ks []vault.DataKey
	for _, k := range m {
		ks = append(ks, k)
	}
	return ks, nil
}

func (m memory) SaveDataKey(k vault.DataKey) error { m[k.ID] = k; return nil }

func open(t *testing.T, file vault.KeyFile, store memory) *vault.Vault {
	t.Helper()
	v, err := vault.Open(file, store)
	if err != nil {
		t.Fatal(err)
	}
	if err := v.Ensure(vault.Person); err != nil {
		t.Fatal(err)
	}
	return v
}

func seal(t *testing.T, v *vault.Vault, place, plain string) string {
	t.Helper()
	s, err := v.Seal(vault.Person, place, plain)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestVault_OpensOnlyInItsOwnRow(t *testing.T) {
	for _, alg := range []string{vault.AlgSM4, vault.AlgAES} {
		t.Run(alg, func(t *testing.T) {
			v := open(t, vault.NewKeyFile(alg, true), memory{})
			s := seal(t, v, "patients/id_no/a", "11010119900307571X")
			if strings.Contains(s, "1990") {
				t.Fatal("plain text in the sealed value")
			}
			if got, err := v.Open("patients/id_no/a", s); err != nil || got != "11010119900307571X" {
				t.Fatalf("open: %q, %v", got, err)
			}
			if _, err := v.Open("patients/id_no/b", s); !errors.Is(err, vault.ErrOpen) {
				t.Fatalf("another row: %v", err)
			}
			for i := range len(s) {
				broken := s[:i] + "A" + s[i+1:]
				if broken == s {
					continue
				}
				if got, err := v.Open("patients/id_no/a", broken); err == nil {
					t.Fatalf("changed at %d opens as %q", i, got)
				}
			}
			if _, err := v.Open("patients/id_no/a", s[:20]); !errors.Is(err, vault.ErrFormat) {
				t.Fatalf("truncated: %v", err)
			}
		})
	}
}

func TestVault_RotationKeepsOldValuesReadable(t *testing.T) {
	file, store := vault.NewKeyFile(vault.AlgSM4, true), memory{}
	v := open(t, file, store)
	old := seal(t, v, "p", "张三丰")
	if err := v.Rotate(vault.Person); err != nil {
		t.Fatal(err)
	}
	if !v.Stale(vault.Person, old) || v.Stale(vault.Person, seal(t, v, "p", "x")) {
		t.Fatal("stale does not tell old from new")
	}
	file.AddKEK()
	v = open(t, file, store)
	if n, err := v.Rewrap(); err != nil || n != 2 {
		t.Fatalf("rewrapped %d, %v", n, err)
	}
	file.KEKs = file.KEKs[:1]
	v = open(t, file, store)
	if got, err := v.Open("p", old); err != nil || got != "张三丰" {
		t.Fatalf("after rotation: %q, %v", got, err)
	}
}

func TestVault_WrongKeyFileIsRefusedAtOpen(t *testing.T) {
	store := memory{}
	seal(t, open(t, vault.NewKeyFile(vault.AlgSM4, true), store), "p", "x")
	if _, err := vault.Open(vault.NewKeyFile(vault.AlgSM4, true), store); err == nil {
		t.Fatal("a foreign key file opened the data keys")
	}
}

func TestVault_IndexIsEqualForEqualValuesOnly(t *testing.T) {
	file := vault.NewKeyFile(vault.AlgSM4, true)
	v, w := open(t, file, memory{}), open(t, vault.NewKeyFile(vault.AlgSM4, true), memory{})
	if v.Index("id", "a") != open(t, file, memory{}).Index("id", "a") {
		t.Fatal("not stable")
	}
	if v.Index("id", "a") == v.Index("id", "b") || v.Index("id", "a") == v.Index("phone", "a") || v.Index("id", "a") == w.Index("id", "a") {
		t.Fatal("indexes collide across values, domains or keys")
	}
	if v.Index("id", "") != "" {
		t.Fatal("the empty value must not be searchable")
	}
}

func TestKeyFile_MustBePrivate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key.json")
	if err := vault.NewKeyFile(vault.AlgAES, false).Write(path); err != nil {
		t.Fatal(err)
	}
	if _, err := vault.ReadKeyFile(path); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o440); err != nil {
		t.Fatal(err)
	}
	if _, err := vault.ReadKeyFile(path); err == nil {
		t.Fatal("a key file that the group can read was accepted")
	}
}

func TestMasks(t *testing.T) {
	for _, c := range [][2]string{
		{vault.MaskName("张三丰"), "张**"}, {vault.MaskName("李"), "李*"}, {vault.MaskName(""), ""},
		{vault.MaskIDNo("110101199003070070"), "110***********0070"}, {vault.MaskPhone("13812341234"), "138****1234"},
		{vault.MaskAccount("someone@example.com"), "so*****@example.com"}, {vault.MaskAccount("2088123412341234"), "208*********1234"},
		{vault.MaskPhone("123"), "***"},
	} {
		if c[0] != c[1] {
			t.Errorf("got %q, want %q", c[0], c[1])
		}
	}
}

func TestVault_SealsFiles(t *testing.T) {
	v := open(t, vault.NewKeyFile(vault.AlgSM4, true), memory{})
	if _, err := v.SealBytes(vault.File, "materials/file/a", []byte("x")); !errors.Is(err, vault.ErrKey) {
		t.Fatalf("sealed without a key of the purpose: %v", err)
	}
	if err := v.Ensure(vault.File); err != nil {
		t.Fatal(err)
	}
	plain := bytes.Repeat([]byte("photo"), 1000)
	sealed, err := v.SealBytes(vault.File, "materials/file/a", plain)
	if err != nil || bytes.Contains(sealed, []byte("photo")) {
		t.Fatalf("sealed: %v", err)
	}
	if got, err := v.OpenBytes("materials/file/a", sealed); err != nil || !bytes.Equal(got, plain) {
		t.Fatalf("opened: %d bytes, %v", len(got), err)
	}
	if _, err := v.OpenBytes("materials/file/b", sealed); !errors.Is(err, vault.ErrOpen) {
		t.Errorf("opened in another row: %v", err)
	}
	if err := v.Rotate(vault.File); err != nil {
		t.Fatal(err)
	}
	if got, err := v.OpenBytes("materials/file/a", sealed); err != nil || !bytes.Equal(got, plain) {
		t.Errorf("after a rotation: %d bytes, %v", len(got), err)
	}
	for _, n := range []int{0, 5, 20, len(sealed) - 1} {
		if _, err := v.OpenBytes("materials/file/a", sealed[:n]); err == nil {
			t.Errorf("opened %d of %d bytes", n, len(sealed))
		}
	}
}

func FuzzOpen(f *testing.F) {
	v, err := vault.Open(vault.NewKeyFile(vault.AlgSM4, true), memory{})
	if err == nil {
		err = v.Ensure(vault.Person)
	}
	if err != nil {
		f.Fatal(err)
	}
	s, _ := v.Seal(vault.Person, "p", "value")
	f.Add(s)
	f.Fuzz(func(t *testing.T, in string) {
		if got, err := v.Open("p", in); err == nil && in != "" && got != "value" {
			t.Fatalf("%q opened as %q", in, got)
		}
	})
}
