package centre

import (
	"encoding/base64"
	"encoding/hex"
	"strings"
	"testing"

	"hospay/internal/sm4ecb"
)

// The sample of the document: its own application and its own dummy person.
const (
	sampleApp    = "43AF047BBA47FC8A1AE8EFB232BDBBCB"
	sampleSecret = "4117E877F5FA0A0188891283E4B617D5"
	sampleData   = `{"appId":"43AF047BBA47FC8A1AE8EFB232BDBBCB","appUserId":"o8z4C5avQXqC0aWFPf1Mzu6D7WCQ_bd",` +
		`"idNo":"350181199011193519","idType":"01","phoneNumber":"13763873033","userName":"测试"}`
	sampleEnc = "64A9C5A7AB3AEA5FC01DE87025F999521C08D25DA13BD715D7E036A7D7C1DBCB6AB7914898A23A99C97EBEFE5277247AD7D0DD9B18F4DCC71A2C28" +
		"0C5143F25B857C795E6BA9F399652C3A4264FC2CBBA7E06B08E151362301659FC3F377348019010E5EA11342846470277652953B35C2CA95C9975090885AB28" +
		"6BB736BA3BB98F3540962552F40C8350926B93CD21CB7A624E6C4E41E349627E7B36B5C1B5F2A3E846EEB254C6DCD536A5D25825E8E0A4E1A6424F4D8" +
		"B4116AEF8D0699C425"
)

func value(t *testing.T, text string) map[string]any {
	t.Helper()
	v, err := parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return v.(map[string]any)
}

func TestVector_EncryptedSample(t *testing.T) {
	key, err := contentKey(sampleApp, sampleSecret)
	if err != nil || string(key) != "863B5F40C70B71EA" {
		t.Fatalf("%q %v", key, err)
	}
	body := form{text: true}.encode(value(t, sampleData))
	if string(body) != sampleData {
		t.Errorf("canonical: %s", body)
	}
	secret, err := sm4ecb.Encrypt(key, body)
	if got := strings.ToUpper(hex.EncodeToString(secret)); got != sampleEnc || err != nil {
		t.Errorf("encData: %s %v", got, err)
	}
	if back, err := sm4ecb.Decrypt(key, secret); string(back) != sampleData || err != nil {
		t.Errorf("back: %s %v", back, err)
	}
}

func TestVector_SignText(t *testing.T) {
	m := map[string]any{"appId": sampleApp, "encType": "SM4", "signType": "SM2", "timestamp": "20200207175759", "version": "1.0.0",
		"data": value(t, sampleData), "signData": "x", "encData": "y", "extra": "z", "message": "", "transType": nil}
	want := "appId=" + sampleApp + "&data=" + sampleData + "&encType=SM4&signType=SM2&timestamp=20200207175759&version=1.0.0&key=" +
		sampleSecret
	if got := (form{text: true}).signText(m, sampleSecret); string(got) != want {
		t.Errorf("%s", got)
	}
}

func TestVector_NumbersThatStayAndWhatIsEmpty(t *testing.T) {
	in := `{"number":123,"nothing":null,"void":"","none":{},"nil":[],"deep":{"empty":{"empty":[]}},"nested":{"deep":{"y":[1,{"k":"值"}]},` +
		`"b":2,"a":1},"chinese":"高平市人民医院","boolTrue":true,"boolFalse":false}`
	want := `{"boolFalse":false,"boolTrue":true,"chinese":"高平市人民医院","nested":{"a":1,"b":2,"deep":{"y":[1,{"k":"值"}]}},"number":123}`
	if got := (form{}).encode(value(t, in)); string(got) != want {
		t.Errorf("%s", got)
	}
	text := `{"boolFalse":"false","boolTrue":"true","chinese":"高平市人民医院","nested":{"a":"1","b":"2","deep":{"y":["1",{"k":"值"}]}},` +
		`"number":"123"}`
	if got := (form{text: true}).encode(value(t, in)); string(got) != text {
		t.Errorf("%s", got)
	}
}

// A body that is nested or long costs no more than its length.
func TestCanonical_IsLinear(t *testing.T) {
	deep := strings.Repeat(`{"a":[`, 4900) + `"` + strings.Repeat("x", 900_000) + `"` + strings.Repeat(`]}`, 4900)
	v, err := parse([]byte(deep))
	if got := (form{}).encode(v); err != nil || string(got) != deep {
		t.Error(err, len(got), len(deep))
	}
}

func TestCanonical_EscapesWhatMustBeAndNoMore(t *testing.T) {
	for in, want := range map[string]string{
		`a<b>&c/d`: `"a<b>&c/d"`, "q\"\\\n": `"q\"\\\n"`, "l\u2028s\u2029e": "\"l\u2028s\u2029e\"", `\u2028`: `"\\u2028"`,
	} {
		if got := quote(in); string(got) != want {
			t.Errorf("%q: %s", in, got)
		}
	}
	m := map[string]any{"b": "1", "A": "2", "a": "3"}
	if got := (form{}).encode(m); string(got) != `{"A":"2","a":"3","b":"1"}` {
		t.Errorf("%s", got)
	}
	if got := (form{fold: true}).encode(map[string]any{"B": "1", "a": "3"}); string(got) != `{"a":"3","B":"1"}` {
		t.Errorf("%s", got)
	}
}

func TestVector_Signature(t *testing.T) {
	unhex := func(s string) []byte { b, _ := hex.DecodeString(s); return b }
	b64 := base64.StdEncoding.EncodeToString
	const msg = "高平市人民医院-SM2交叉验证消息-0123456789"
	priv := unhex("211fee8c3c5fee2fad3dc926fc9403366d2def02cdd0bb5bd683ca015d99db7f")
	pub := unhex(
		"0417cc16abaebedc7f87b2e0a508c0cb93631761db7fa19adece712c6aade1d673e389b5e902df7a2e6fe3917b0f55747e00d74e36e939ecc3e7967b7058a91858")
	rs := b64(unhex(
		"c26647c279a6180bf418dd06c2d081632b709139c9b1fa883aba35ddec3128ce2ff4c93011cf4ded0ba3784c4699369edb8cee986271f70d35c1cdffc7b5fb4d"))
	key, err := privateKey(b64(append([]byte{0}, priv...)))
	if err != nil {
		t.Fatal(err)
	}
	for _, form := range [][]byte{pub, pub[1:]} {
		theirs, err := publicKey(b64(form))
		if err != nil || !theirs.Equal(&key.PublicKey) {
			t.Fatal("the public key is not that of the private one", err)
		}
		k := keys{own: key, theirs: theirs, userID: []byte("1234567812345678")}
		if !k.verify([]byte(msg), rs) {
			t.Error("the vector does not verify")
		}
		mine, err := k.sign([]byte(msg))
		if raw, _ := base64.StdEncoding.DecodeString(mine); err != nil || len(raw) != 64 || len(mine) != 88 || !k.verify([]byte(msg), mine) {
			t.Error(mine, err)
		}
		k.userID = []byte(sampleSecret)
		if k.verify([]byte(msg), rs) {
			t.Error("another user id verifies")
		}
	}
}

// Half of all r and s begin with a zero byte once in 128 times; each is padded.
func TestSignature_IsAlways64Bytes(t *testing.T) {
	k := twoSides(t, national()).client.keys
	for range 400 {
		s, err := k.sign([]byte("x"))
		if raw, _ := base64.StdEncoding.DecodeString(s); err != nil || len(raw) != 64 {
			t.Fatal(len(raw), err)
		}
	}
}

func TestKeys_WrongOnesAreRefused(t *testing.T) {
	zero, long := base64.StdEncoding.EncodeToString(make([]byte, 32)), base64.StdEncoding.EncodeToString(make([]byte, 34))
	for _, text := range []string{"", "x", zero, long, strings.Repeat("A", 44)} {
		if _, err := privateKey(text); err == nil {
			t.Errorf("private %q", text)
		}
	}
	for _, n := range []int{0, 63, 64, 65, 66} {
		if _, err := publicKey(base64.StdEncoding.EncodeToString(make([]byte, n))); err == nil {
			t.Errorf("public of %d bytes", n)
		}
	}
	if _, err := contentKey("short", "secret"); err == nil {
		t.Error("short application id")
	}
}
