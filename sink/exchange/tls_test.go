package exchange_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/trust"
	"github.com/pictifyd/pictifyd/sink"
	httpsink "github.com/pictifyd/pictifyd/sink/http"
	"github.com/pictifyd/pictifyd/sink/sinktest"
	"github.com/pictifyd/pictifyd/sink/webhook"
)

func secretOf(kind string, der []byte) config.Secret {
	return config.NewSecret(string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})))
}

// newPair is a certificate of a client and its key.
func newPair(t *testing.T) (certificate, key config.Secret, of *x509.Certificate) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	if of, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	return secretOf("CERTIFICATE", der), secretOf("PRIVATE KEY", encoded), of
}

func TestReceiverIsTrustedAndAsksWhoWeAre(t *testing.T) {
	certificate, key, client := newPair(t)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
	server.TLS = &tls.Config{ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: x509.NewCertPool(), MinVersion: tls.VersionTLS12}
	server.TLS.ClientCAs.AddCert(client)
	server.StartTLS()
	t.Cleanup(server.Close)
	ca := secretOf("CERTIFICATE", server.Certificate().Raw)
	for name, c := range map[string]struct {
		tls  *trust.TLS
		want string
	}{
		"both":                    {&trust.TLS{CA: ca, Certificate: certificate, PrivateKey: key}, ""},
		"the name on it":          {&trust.TLS{CA: ca, Certificate: certificate, PrivateKey: key, ServerName: "example.com"}, ""},
		"another name":            {&trust.TLS{CA: ca, Certificate: certificate, PrivateKey: key, ServerName: "other.example"}, "again"},
		"no certificate of ours":  {&trust.TLS{CA: ca}, "again"},
		"one that is not trusted": {&trust.TLS{Certificate: certificate, PrivateKey: key}, "again"},
		"what the machine says":   {nil, "again"},
	} {
		hook := webhook.Kind.Config().(*webhook.Config)
		hook.URL, hook.TLS = server.URL, c.tls
		request := httpsink.Kind.Config().(*httpsink.Config)
		request.URL, request.TLS = server.URL, c.tls
		for kind, open := range map[string]func(env sink.Env) (sink.Sink, error){
			"webhook": func(env sink.Env) (sink.Sink, error) { return webhook.Kind.New(hook, env) },
			"http":    func(env sink.Env) (sink.Sink, error) { return httpsink.Kind.New(request, env) },
		} {
			s, err := open(sink.Env{})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := s.Deliver(t.Context(), sinktest.Completed("a", 1)); endOf(err) != c.want {
				t.Errorf("%s with %s: %v, want %q", kind, name, err, c.want)
			}
			if c.tls == nil {
				continue
			}
			if _, err := open(sink.Env{Client: http.DefaultClient}); problem.CodeOf(err) != problem.Invalid {
				t.Errorf("%s with %s, of a caller: %v, want it refused", kind, name, err)
			}
		}
	}
}

// A sink with a way of its own that another one takes the place of is closed.
func TestClosedSinkLetsGoOfItsConnections(t *testing.T) {
	closed := make(chan struct{}, 8)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateClosed {
			closed <- struct{}{}
		}
	}
	server.StartTLS()
	t.Cleanup(server.Close)
	way := &trust.TLS{CA: secretOf("CERTIFICATE", server.Certificate().Raw)}
	hook := webhook.Kind.Config().(*webhook.Config)
	hook.URL, hook.TLS = server.URL, way
	request := httpsink.Kind.Config().(*httpsink.Config)
	request.URL, request.TLS = server.URL, way
	for name, open := range map[string]func() (sink.Sink, error){
		"webhook": func() (sink.Sink, error) { return webhook.Kind.New(hook, sink.Env{}) },
		"http":    func() (sink.Sink, error) { return httpsink.Kind.New(request, sink.Env{}) },
	} {
		s, err := open()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Deliver(t.Context(), sinktest.Completed("a", 1)); err != nil {
			t.Fatal(err)
		}
		closer, ok := s.(io.Closer)
		if !ok || closer.Close() != nil {
			t.Fatalf("%s can't be closed", name)
		}
		select {
		case <-closed:
		case <-time.After(30 * time.Second):
			t.Errorf("%s keeps its connection", name)
		}
	}
}

func TestHalfATLSIsRefused(t *testing.T) {
	certificate, key, _ := newPair(t)
	other, _, _ := newPair(t)
	for name, c := range map[string]struct {
		tls  trust.TLS
		path string
	}{
		"no CA":                   {trust.TLS{CA: config.NewSecret("hunter2")}, "ca"},
		"no key":                  {trust.TLS{Certificate: certificate}, "certificate"},
		"no certificate":          {trust.TLS{PrivateKey: key}, "private_key"},
		"the key of another":      {trust.TLS{Certificate: other, PrivateKey: key}, "certificate"},
		"a certificate for a key": {trust.TLS{Certificate: certificate, PrivateKey: certificate}, "certificate"},
	} {
		if got := problem.All(c.tls.Validate()); c.tls.Validate() == nil || got[0].Path != c.path {
			t.Errorf("%s: %v, want one at %s", name, got, c.path)
		}
	}
}
