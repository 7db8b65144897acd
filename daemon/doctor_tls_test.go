package daemon

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pictifyd/pictifyd/api"
)

func TestDoctorLooksAtTheCertificate(t *testing.T) {
	now := time.Now()
	dir := t.TempDir()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: now.Add(30 * 24 * time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	files := api.TLS{Cert: "cert.pem", Key: "key.pem"}.Resolved(dir)
	for path, block := range map[string]*pem.Block{files.Cert: {Type: "CERTIFICATE", Bytes: der}, files.Key: {Type: "PRIVATE KEY", Bytes: private}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for days, want := range map[int]Health{0: Well, 20: Warn, 31: Missing} {
		signs := certificateSigns(files, now.AddDate(0, 0, days))
		if len(signs) != 1 || signs[0].Health != want || (want != Well) != (signs[0].Do != "") {
			t.Errorf("after %d days: %+v", days, signs)
		}
	}
	files.Key = filepath.Join(dir, "none.pem")
	if signs := certificateSigns(files, now); len(signs) != 1 || signs[0].Health != Missing || !strings.Contains(signs[0].Says, "none.pem") {
		t.Errorf("without its key: %+v", signs)
	}
	if signs := certificateSigns(api.TLS{}, now); len(signs) != 0 {
		t.Errorf("without TLS: %+v", signs)
	}
	s := newBareSite(t, "")
	s.write("pictifyd.yaml", "server: { tls: { cert: none.pem, key: key.pem } }\ntemplates: templates\n")
	if _, err := Check(filepath.Join(s.dir, "pictifyd.yaml")); err == nil || !strings.Contains(err.Error(), filepath.Join(s.dir, "none.pem")) {
		t.Errorf("the check says %v", err)
	}
}

func TestAddressesOfAServerWithTLSAreHTTPS(t *testing.T) {
	files := api.TLS{Cert: "a", Key: "b"}
	for want, c := range map[string]api.Config{
		"https://127.0.0.1:1": {TLS: files}, "http://127.0.0.1:1": {}, "http://a.example": {TLS: files, PublicURL: "http://a.example/"},
	} {
		if got := publicBase(c, "127.0.0.1:1"); got != want {
			t.Errorf("%+v: %s, want %s", c, got, want)
		}
	}
}
